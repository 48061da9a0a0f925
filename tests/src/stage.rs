//! Rooms without a network: sockets are channels, the store is two people's visit, and the clock is the runtime's, so that a
//! runtime whose time is paused pauses everything.

use async_trait::async_trait;
use futures::{SinkExt, StreamExt, channel::mpsc};
use heliograph_access::{
    Keys, Secret,
    ticket::{self, Ticket},
};
use heliograph_client::Page;
use heliograph_domain::{
    ParticipantId, PersonId, Pii, Role, TenantId, UnixMillis, VisitId,
    clock::{Clock, Entropy},
    visit::FactKind,
};
use heliograph_protocol::{CloseCode, ErrorCode, Limits, ServerFrame, ServerMessage, Timers};
use heliograph_roomlog::{Leases, Memory, RoomKey};
use heliograph_server::SystemEntropy;
use heliograph_signaling::{
    Desk, DeskRights, DeskRow, Fact, Gone, Incoming, Opening, Outgoing, Ports, Record, Rights, Rooms, SeatRights,
    Settings, StoreAway,
};
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Longer than anything that a test waits for.
pub const SOON: Duration = Duration::from_secs(20);
/// When a stage is set up.
pub const START: UnixMillis = UnixMillis(1_800_000_000_000);

/// The physician, who hosts.
pub fn host() -> ParticipantId {
    id(2)
}

/// The patient.
pub fn patient() -> ParticipantId {
    id(3)
}

/// Who comes with the patient.
pub fn carer() -> ParticipantId {
    id(4)
}

/// Whoever has this number.
pub fn id(number: u8) -> ParticipantId {
    ParticipantId::from_parts(UnixMillis(1), &[number; 10])
}

/// The visit.
pub fn visit() -> VisitId {
    VisitId::from_parts(UnixMillis(1), &[1; 10])
}

fn institution() -> TenantId {
    "cedar-street".parse().expect("an institution")
}

/// The runtime's clock, told from [`START`].
struct RuntimeClock(Instant);

impl Clock for RuntimeClock {
    fn now(&self) -> UnixMillis {
        START.plus(i64::try_from(self.0.elapsed().as_millis()).expect("a test ends"))
    }
}

/// The store's side of one visit, as a test wants it. It has a fault: whoever is first to record an `end` panics, if it is asked to.
pub struct Booking {
    /// From when on patients may come, and until when.
    pub time: Mutex<Range<UnixMillis>>,
    /// Whose links were replaced, and how often.
    pub replaced: Mutex<BTreeMap<ParticipantId, u32>>,
    /// It does not answer.
    pub away: AtomicBool,
    /// The next `end` makes it panic.
    pub fails_at_end: AtomicBool,
    /// The decisions that it was told, in order.
    pub recorded: Mutex<Vec<FactKind>>,
}

impl Default for Booking {
    fn default() -> Booking {
        Booking {
            time: Mutex::new(UnixMillis(0)..UnixMillis(i64::MAX / 2)),
            replaced: Mutex::default(),
            away: AtomicBool::default(),
            fails_at_end: AtomicBool::default(),
            recorded: Mutex::default(),
        }
    }
}

impl Booking {
    fn here(&self) -> Result<(), StoreAway> {
        if self.away.load(Ordering::Relaxed) {
            Err(StoreAway)
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Rights for Booking {
    async fn seat(&self, _: &TenantId, _: VisitId, seat: ParticipantId) -> Result<Option<SeatRights>, StoreAway> {
        self.here()?;
        let staff = seat == host();
        let time = self.time.lock().expect("no test panics here").clone();
        let replaced = self.replaced.lock().expect("no test panics here").get(&seat).copied();
        Ok(Some(SeatRights {
            role: if staff { Role::Host } else { Role::Patient },
            name: Pii::new("Maryam".to_owned()),
            language: "ar".parse().expect("a language"),
            opens: if staff { UnixMillis(0) } else { time.start },
            until: time.end,
            generation: 1 + replaced.unwrap_or_default(),
        }))
    }

    async fn opening(&self, _: &TenantId, _: VisitId) -> Result<Option<Opening>, StoreAway> {
        self.here()?;
        Ok(Some(Opening::default()))
    }
}

#[async_trait]
impl Record for Booking {
    async fn record(&self, _: &TenantId, _: VisitId, fact: &Fact) -> Result<(), StoreAway> {
        self.here()?;
        let fails = fact.kind == FactKind::End && self.fails_at_end.swap(false, Ordering::Relaxed);
        assert!(!fails, "the fault of this store");
        self.recorded.lock().expect("no test panics here").push(fact.kind);
        Ok(())
    }
}

#[async_trait]
impl Desk for Booking {
    async fn rights(&self, _: &TenantId, _: PersonId, _: &str) -> Result<Option<DeskRights>, StoreAway> {
        Ok(None)
    }

    async fn rows(&self, _: &TenantId, _: Range<UnixMillis>) -> Result<Vec<DeskRow>, StoreAway> {
        Ok(Vec::new())
    }

    async fn row(&self, _: &TenantId, _: VisitId) -> Result<Option<DeskRow>, StoreAway> {
        Ok(None)
    }
}

/// A service without a network.
pub struct Stage {
    /// Its rooms.
    pub rooms: Rooms,
    /// Its store.
    pub booking: Arc<Booking>,
    /// Ends it.
    pub shutdown: CancellationToken,
    clock: Arc<dyn Clock>,
    keys: Keys,
    pages: AtomicU32,
}

impl Stage {
    /// A service with these settings.
    pub fn new(settings: Settings) -> Stage {
        let keys = Keys::new(Secret::new(vec![7; 32]).expect("long enough"), Vec::new());
        let clock: Arc<dyn Clock> = Arc::new(RuntimeClock(Instant::now()));
        let leases = Leases {
            beat_ms: 5_000,
            lease_ms: 15_000,
            reconnecting_ms: 45_000,
        };
        let booking = Arc::new(Booking::default());
        let ports = Ports {
            log: Arc::new(Memory::new(Arc::clone(&clock), leases)),
            rights: booking.clone(),
            record: booking.clone(),
            desk: booking.clone(),
            clock: Arc::clone(&clock),
            entropy: Arc::new(SystemEntropy),
            keys: keys.clone(),
            simulate: None,
        };
        let shutdown = CancellationToken::new();
        Stage {
            rooms: Rooms::new(ports, settings, shutdown.clone(), TaskTracker::new()),
            booking,
            shutdown,
            clock,
            keys,
            pages: AtomicU32::new(0),
        }
    }

    /// A service with these limits.
    pub fn with_limits(limits: Limits) -> Stage {
        Stage::new(Settings {
            limits,
            ..Settings::default()
        })
    }

    /// A service whose lines need no sign of life.
    pub fn patient_with_lines() -> Stage {
        let timers = Timers {
            server_dead_ms: 86_400_000,
            ..Timers::default()
        };
        Stage::new(Settings {
            timers,
            ..Settings::default()
        })
    }

    /// What the service takes for the time.
    pub fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    /// The room.
    pub fn key(&self) -> RoomKey {
        RoomKey {
            institution: institution(),
            visit: visit(),
        }
    }

    /// A ticket from now.
    pub fn ticket(&self, seat: ParticipantId) -> String {
        self.ticket_of(seat, self.now())
    }

    /// A ticket that was got at some time.
    pub fn ticket_of(&self, seat: ParticipantId, at: UnixMillis) -> String {
        let entropy: &dyn Entropy = &SystemEntropy;
        ticket::mint(&self.keys, &Ticket::issue(institution(), visit(), seat, 1, at, entropy))
    }

    /// A new page of somebody.
    pub fn page(&self, seat: ParticipantId) -> Page {
        let number = self.pages.fetch_add(1, Ordering::Relaxed);
        Page::new(visit(), seat, format!("session-{number}").parse().expect("a session"))
    }

    /// A socket that has said nothing.
    pub fn open(&self) -> Socket {
        self.open_from(|| None)
    }

    /// A socket from an address; `wrong` says whether it was wrong too often.
    pub fn open_from(&self, wrong: impl FnOnce() -> Option<Duration> + Send + 'static) -> Socket {
        let (say, incoming) = mpsc::unbounded();
        let (outgoing, heard) = mpsc::unbounded();
        let outgoing = outgoing.sink_map_err(|_| Gone);
        let task = tokio::spawn(self.rooms.serve(incoming, outgoing, "test".to_owned(), wrong));
        Socket { say, heard, task }
    }

    /// A page that has its seat, from whoever had it.
    pub async fn join(&self, page: &mut Page, takeover: Option<String>) -> Socket {
        let mut socket = self.open();
        socket.say(page.hello(Some(self.ticket(page.seat())), takeover));
        socket
            .until(page, |message| matches!(message, ServerMessage::Snapshot { .. }))
            .await;
        socket
    }

    /// A new page of somebody, in its seat.
    pub async fn comes(&self, seat: ParticipantId) -> (Page, Socket) {
        let mut page = self.page(seat);
        let socket = self.join(&mut page, None).await;
        (page, socket)
    }
}

/// The page's end of a line.
pub struct Socket {
    /// What the page sends.
    pub say: mpsc::UnboundedSender<Incoming>,
    /// What it gets.
    pub heard: mpsc::UnboundedReceiver<Outgoing>,
    task: JoinHandle<()>,
}

impl Socket {
    /// Sends a text frame. A socket that was closed hears no more.
    pub fn say(&self, text: String) {
        self.send(Incoming::Text(text));
    }

    /// Sends any frame.
    pub fn send(&self, frame: Incoming) {
        let _ = self.say.unbounded_send(frame);
    }

    /// Takes frames until one is wanted.
    pub async fn until(&mut self, page: &mut Page, wanted: impl Fn(&ServerMessage) -> bool) {
        let wait = async {
            while let Some(heard) = self.heard.next().await {
                let Outgoing::Text(text) = heard else { continue };
                let frame = ServerFrame::parse(&text).expect("the server writes JSON");
                let found = frame.message.as_ref().is_some_and(&wanted);
                page.take(frame);
                if found {
                    return;
                }
            }
            panic!("the socket was closed");
        };
        timeout(SOON, wait).await.expect("what was waited for comes");
    }

    /// Takes what comes within a time.
    pub async fn listen(&mut self, page: &mut Page, time: Duration) {
        let takes = async {
            while let Some(heard) = self.heard.next().await {
                if let Outgoing::Text(text) = heard {
                    page.take(ServerFrame::parse(&text).expect("the server writes JSON"));
                }
            }
        };
        // It is the time that ends it.
        drop(timeout(time, takes).await);
    }

    /// Takes frames until everything that the page numbered is acknowledged.
    pub async fn acknowledged(&mut self, page: &mut Page) {
        while page.open() > 0 {
            self.until(page, |message| matches!(message, ServerMessage::Ack { .. }))
                .await;
        }
    }

    /// The errors and refusals until the socket is closed, and the code of that.
    pub async fn closed(&mut self) -> (Vec<ErrorCode>, Option<CloseCode>) {
        let mut codes = Vec::new();
        let wait = async {
            while let Some(heard) = self.heard.next().await {
                match heard {
                    Outgoing::Text(text) => codes.extend(code_of(&text)),
                    Outgoing::Close(code) => return Some(code),
                    Outgoing::Ping => {}
                }
            }
            None
        };
        let code = timeout(3 * SOON, wait).await.expect("the socket is closed");
        (codes, code)
    }

    /// How the socket is closed in a time; `None` if it is not.
    pub async fn closed_within(&mut self, time: Duration) -> Option<CloseCode> {
        let closed = async {
            loop {
                match self.heard.next().await? {
                    Outgoing::Close(code) => return Some(code),
                    Outgoing::Text(_) | Outgoing::Ping => {}
                }
            }
        };
        timeout(time, closed).await.ok().flatten()
    }

    /// The next error or refusal.
    pub async fn error(&mut self) -> ErrorCode {
        let wait = async {
            loop {
                match self.heard.next().await.expect("the socket is open") {
                    Outgoing::Text(text) => {
                        if let Some(code) = code_of(&text) {
                            return code;
                        }
                    }
                    Outgoing::Close(code) => panic!("closed with {code:?} and no error"),
                    Outgoing::Ping => {}
                }
            }
        };
        timeout(SOON, wait).await.expect("an error comes")
    }

    /// Ends it, and waits until the service has let go: a panic of its task is one of ours.
    pub async fn end(self) {
        drop(self.say);
        timeout(SOON, self.task)
            .await
            .expect("the session ends")
            .expect("the session does not panic");
    }
}

fn code_of(text: &str) -> Option<ErrorCode> {
    match ServerFrame::parse(text).expect("the server writes JSON").message? {
        ServerMessage::Error { code, .. } | ServerMessage::Refused { code, .. } => Some(code),
        _ => None,
    }
}
