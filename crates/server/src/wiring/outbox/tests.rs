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
use heliograph_store::{Store, file_url};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
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

    /// The visits whose rooms were not told yet, whenever that is to be tried again.
    async fn untold(&self) -> Vec<VisitId> {
        let later = self.clock.now().seconds().plus(3_600);
        let rows = self.service.store.due_for_rooms(later, 99).await.unwrap();
        rows.into_iter().map(|row| row.visit).collect()
    }

    async fn until_untold(&self, visits: &[usize]) {
        let wanted: Vec<_> = visits.iter().map(|visit| self.visits[*visit].id).collect();
        while self.untold().await != wanted {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_room_that_can_t_be_told_is_told_when_its_log_is_back() {
    let clinic = Clinic::open().await;
    clinic.fault(0, Some(Fault::Away));
    clinic.start();
    clinic.cancel(0).await;
    while clinic.log.reads.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    clinic.fault(0, None);
    let mut tried = 0;
    while !clinic.untold().await.is_empty() {
        // Time goes on while the row waits.
        clinic.clock.0.fetch_add(10, Ordering::Relaxed);
        tried += 1;
        tokio::task::yield_now().await;
    }
    assert!(tried > 0, "it was done although nobody was told");
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
}

#[tokio::test]
async fn what_a_process_left_is_done_by_the_next_one() {
    let clinic = Clinic::open().await;
    clinic.cancel(0).await;
    assert_eq!(clinic.untold().await, [clinic.visits[0].id]);
    clinic.start();
    clinic.until_untold(&[]).await;
    clinic.stop.cancel();
    clinic.tasks.close();
    clinic.tasks.wait().await;
}
