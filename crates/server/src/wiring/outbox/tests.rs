use super::super::rooms::RoomsOfApp;
use super::run;
use crate::clock::SystemEntropy;
use crate::wiring::Service;
use async_trait::async_trait;
use heliograph_access::{Keys, Secret};
use heliograph_app::cancel::{CancelVisit, cancel};
use heliograph_app::{demo, staff};
use heliograph_domain::clock::Clock;
use heliograph_domain::visit::{Span, Visit};
use heliograph_domain::zone::Tzdb;
use heliograph_domain::{Pii, UnixMillis, VisitId};
use heliograph_roomlog::{
    AppendAnswer, Away, Beat, BeatAnswer, ClaimAnswer, ClaimRequest, Draft, Leases, LogEntry, Mark, Memory, RoomKey,
    RoomLog, Snapshot, Subscription, Tail,
};
use heliograph_signaling::{Ports, Rooms, Settings};
use heliograph_store::{RoomRow, Store, file_url};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// 2027-02-01T12:00:00Z.
const START_MS: i64 = 1_801_483_200_000;

struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::Relaxed))
    }
}

/// What is the matter with a room's log.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Away,
    NeverAnswers,
}

/// The log of memory, out of which some rooms can't be read.
struct Faulty {
    memory: Memory,
    faults: Mutex<BTreeMap<VisitId, Fault>>,
    reads: AtomicUsize,
}

#[async_trait]
impl RoomLog for Faulty {
    async fn read_after(&self, room: &RoomKey, mark: Mark) -> Result<Option<Tail>, Away> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let fault = self.faults.lock().unwrap().get(&room.visit).copied();
        match fault {
            Some(Fault::Away) => Err(Away("the disk is full".to_owned())),
            Some(Fault::NeverAnswers) => std::future::pending().await,
            None => self.memory.read_after(room, mark).await,
        }
    }

    async fn claim(&self, room: &RoomKey, mark: Mark, claim: ClaimRequest) -> Result<ClaimAnswer, Away> {
        self.memory.claim(room, mark, claim).await
    }

    async fn append(&self, room: &RoomKey, mark: Mark, draft: Draft) -> Result<AppendAnswer, Away> {
        self.memory.append(room, mark, draft).await
    }

    async fn beat(&self, room: &RoomKey, beat: Beat) -> Result<BeatAnswer, Away> {
        self.memory.beat(room, beat).await
    }

    async fn subscribe(&self, room: &RoomKey) -> Result<Subscription, Away> {
        self.memory.subscribe(room).await
    }

    async fn snapshot(&self, room: &RoomKey, snapshot: Arc<Snapshot>) -> Result<bool, Away> {
        self.memory.snapshot(room, snapshot).await
    }

    async fn mend(
        &self,
        room: &RoomKey,
        expected: Mark,
        base: Option<Arc<Snapshot>>,
        entries: Vec<Arc<LogEntry>>,
    ) -> Result<bool, Away> {
        self.memory.mend(room, expected, base, entries).await
    }

    async fn forget(&self, room: &RoomKey) -> Result<(), Away> {
        self.memory.forget(room).await
    }
}

/// The demo clinic with its task, and three visits, by start.
struct Clinic {
    service: Service,
    clock: Arc<Hands>,
    log: Arc<Faulty>,
    visits: Vec<Visit>,
    scheduler: heliograph_app::Caller,
    stop: CancellationToken,
    tasks: TaskTracker,
    _folder: TempDir,
}

impl Clinic {
    async fn open() -> Clinic {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&file_url(&folder.path().join("test.sqlite3")))
            .await
            .unwrap();
        store.migrate().await.unwrap();
        let clock = Arc::new(Hands(AtomicI64::new(START_MS)));
        let keys = Keys::new(Secret::new(vec![7; 32]).unwrap(), Vec::new());
        let service = Service::new(store, keys, Tzdb::bundled(), clock.clone(), Arc::new(SystemEntropy))
            .await
            .unwrap();
        let demo = demo::create(&service.app).await.unwrap();
        let scheduler = staff::sign_in(&service.app, &demo.scheduler.token)
            .await
            .unwrap()
            .caller;
        let soon = Span::of(clock.now().seconds(), 7 * 86_400);
        let visits = service
            .store
            .visits_between(&scheduler.institution, soon)
            .await
            .unwrap();
        let leases = Leases {
            beat_ms: 5_000,
            lease_ms: 15_000,
            reconnecting_ms: 45_000,
        };
        let log = Arc::new(Faulty {
            memory: Memory::new(clock.clone(), leases),
            faults: Mutex::default(),
            reads: AtomicUsize::new(0),
        });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        Clinic {
            service,
            clock,
            log,
            visits,
            scheduler,
            stop,
            tasks,
            _folder: folder,
        }
    }

    fn start(&self) {
        let of_app = Arc::new(RoomsOfApp(self.service.app.clone()));
        let ports = Ports {
            log: Arc::clone(&self.log) as _,
            rights: Arc::clone(&of_app) as _,
            record: Arc::clone(&of_app) as _,
            desk: of_app,
            clock: self.clock.clone(),
            entropy: Arc::new(SystemEntropy),
            keys: self.service.keys.clone(),
            simulate: None,
        };
        let rooms = Rooms::new(ports, Settings::default(), self.stop.clone(), self.tasks.clone());
        let changes = Arc::clone(&self.service.changes);
        let app = self.service.app.clone();
        self.tasks.spawn(run(app, rooms, changes, self.stop.clone()));
    }

    fn fault(&self, visit: usize, fault: Option<Fault>) {
        let mut faults = self.log.faults.lock().unwrap();
        match fault {
            Some(fault) => faults.insert(self.visits[visit].id, fault),
            None => faults.remove(&self.visits[visit].id),
        };
    }

    async fn cancel(&self, visit: usize) {
        let request = CancelVisit {
            reason: Pii::new("ill".to_owned()),
            version: 0,
        };
        let id = self.visits[visit].id;
        cancel(&self.service.app, &self.scheduler, id, &request).await.unwrap();
    }

    /// What rooms were not told yet, whenever that is to be tried again.
    async fn untold(&self) -> Vec<RoomRow> {
        let later = self.clock.now().seconds().plus(3_600);
        self.service.store.due_for_rooms(later, 99).await.unwrap()
    }

    async fn until_untold(&self, visits: &[usize]) {
        let wanted: Vec<_> = visits.iter().map(|visit| self.visits[*visit].id).collect();
        soon(async {
            while self.untold().await.iter().map(|row| row.visit).collect::<Vec<_>>() != wanted {
                // Time goes on while rows wait.
                self.clock.0.fetch_add(10, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// Long enough for a busy machine; a test that waits this long has failed.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(Duration::from_secs(20), what).await;
    waited.expect("what was waited for did not happen")
}

#[tokio::test]
async fn a_room_that_can_t_be_told_is_told_when_its_log_is_back() {
    let clinic = Clinic::open().await;
    clinic.fault(0, Some(Fault::Away));
    clinic.start();
    clinic.cancel(0).await;
    soon(async {
        while clinic.log.reads.load(Ordering::Relaxed) < 2 {
            clinic.clock.0.fetch_add(10, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    })
    .await;
    let rows = clinic.untold().await;
    assert_eq!(rows.len(), 1, "a room that was not told is still to be told");
    assert!(rows[0].attempts > 0);
    clinic.fault(0, None);
    clinic.until_untold(&[]).await;
}

#[tokio::test]
async fn a_room_that_never_answers_holds_up_no_other() {
    let clinic = Clinic::open().await;
    clinic.fault(0, Some(Fault::NeverAnswers));
    clinic.start();
    clinic.cancel(0).await;
    clinic.cancel(1).await;
    clinic.cancel(2).await;
    clinic.until_untold(&[0]).await;
    assert_eq!(clinic.untold().await[0].attempts, 0, "it is still being tried");
}

#[tokio::test]
async fn what_a_process_left_is_done_by_the_next_one() {
    let clinic = Clinic::open().await;
    clinic.cancel(0).await;
    assert_eq!(clinic.untold().await.len(), 1);
    clinic.start();
    clinic.until_untold(&[]).await;
    clinic.stop.cancel();
    clinic.tasks.close();
    clinic.tasks.wait().await;
}
