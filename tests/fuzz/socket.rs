//! A socket that says whatever comes to its mind, in a room with somebody who talks on.

use crate::mutate::{Bent, bent, each_place_bent, runner};
use async_trait::async_trait;
use futures::{SinkExt, StreamExt, channel::mpsc};
use heliograph_access::{
    Keys, Secret,
    ticket::{self, Ticket},
};
use heliograph_client::Page;
use heliograph_domain::{ParticipantId, PersonId, Pii, Role, TenantId, UnixMillis, VisitId, clock::Clock};
use heliograph_protocol::{
    ClientFrame, ClientMessage, CloseCode, ErrorCode, Limits, ServerFrame, ServerMessage, Timers,
};
use heliograph_roomlog::{Leases, Memory};
use heliograph_server::{SystemClock, SystemEntropy};
use heliograph_signaling::{
    Desk, DeskRights, DeskRow, Fact, Gone, Incoming, Opening, Outgoing, Ports, Record, Rights, Rooms, SeatRights,
    Settings, StoreAway,
};
use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Runtime, task::JoinHandle, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const CASES: u32 = 60;
const SOON: Duration = Duration::from_secs(20);
const VISIT: [u8; 10] = [1; 10];
const HOST: [u8; 10] = [2; 10];
const PATIENT: [u8; 10] = [3; 10];

/// A store in which two people may sit in a visit. It has a fault: whoever is first to record an `end` panics.
#[derive(Default)]
struct TwoPeople {
    met_end: AtomicBool,
}

#[async_trait]
impl Rights for TwoPeople {
    async fn seat(&self, _: &TenantId, _: VisitId, seat: ParticipantId) -> Result<Option<SeatRights>, StoreAway> {
        let role = if seat == id(HOST) { Role::Host } else { Role::Patient };
        Ok(Some(SeatRights {
            role,
            name: Pii::new("Maryam".to_owned()),
            language: "ar".parse().expect("a language"),
            opens: UnixMillis(0),
            until: UnixMillis(i64::MAX / 2),
            generation: 1,
        }))
    }

    async fn opening(&self, _: &TenantId, _: VisitId) -> Result<Option<Opening>, StoreAway> {
        Ok(Some(Opening::default()))
    }
}

#[async_trait]
impl Record for TwoPeople {
    async fn record(&self, _: &TenantId, _: VisitId, fact: &Fact) -> Result<(), StoreAway> {
        let fails = fact.kind == "end" && !self.met_end.swap(true, Ordering::Relaxed);
        assert!(!fails, "the fault of this store");
        Ok(())
    }
}

#[async_trait]
impl Desk for TwoPeople {
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

fn id(random: [u8; 10]) -> ParticipantId {
    ParticipantId::from_parts(UnixMillis(1), &random)
}

fn visit() -> VisitId {
    VisitId::from_parts(UnixMillis(1), &VISIT)
}

/// A service without a network.
struct Stage {
    rooms: Rooms,
    keys: Keys,
    pages: AtomicU32,
}

impl Stage {
    fn new() -> Stage {
        let keys = Keys::new(Secret::new(vec![7; 32]).expect("long enough"), Vec::new());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let leases = Leases {
            beat_ms: 5_000,
            lease_ms: 15_000,
            reconnecting_ms: 45_000,
        };
        let store = Arc::new(TwoPeople::default());
        let ports = Ports {
            log: Arc::new(Memory::new(Arc::clone(&clock), leases)),
            rights: store.clone(),
            record: store.clone(),
            desk: store,
            clock,
            entropy: Arc::new(SystemEntropy),
            keys: keys.clone(),
            simulate: None,
        };
        let limits = Limits {
            messages_per_s: 1_000_000,
            burst: 1_000_000,
            ..Limits::default()
        };
        let settings = Settings {
            limits,
            timers: Timers::default(),
            ..Settings::default()
        };
        let rooms = Rooms::new(ports, settings, CancellationToken::new(), TaskTracker::new());
        let pages = AtomicU32::new(0);
        Stage { rooms, keys, pages }
    }

    fn ticket(&self, seat: ParticipantId) -> String {
        let institution = "cedar-street".parse().expect("an institution");
        let ticket = Ticket::issue(institution, visit(), seat, 1, SystemClock.now(), &SystemEntropy);
        ticket::mint(&self.keys, &ticket)
    }

    fn page(&self, seat: ParticipantId) -> Page {
        let number = self.pages.fetch_add(1, Ordering::Relaxed);
        Page::new(visit(), seat, format!("session-{number}").parse().expect("a session"))
    }

    fn open(&self) -> Socket {
        let (say, incoming) = mpsc::unbounded();
        let (outgoing, heard) = mpsc::unbounded();
        let outgoing = outgoing.sink_map_err(|_| Gone);
        let task = tokio::spawn(self.rooms.serve(incoming, outgoing, "fuzz".to_owned(), || None));
        Socket { say, heard, task }
    }

    /// A page that has its seat, from whoever had it.
    async fn join(&self, page: &mut Page, takeover: Option<String>) -> Socket {
        let mut socket = self.open();
        socket.say(page.hello(Some(self.ticket(page.seat())), takeover));
        socket
            .until(page, |message| matches!(message, ServerMessage::Snapshot { .. }))
            .await;
        socket
    }
}

struct Socket {
    say: mpsc::UnboundedSender<Incoming>,
    heard: mpsc::UnboundedReceiver<Outgoing>,
    task: JoinHandle<()>,
}

impl Socket {
    fn say(&self, text: String) {
        // A socket that was closed hears no more.
        let _ = self.say.unbounded_send(Incoming::Text(text));
    }

    async fn until(&mut self, page: &mut Page, wanted: impl Fn(&ServerMessage) -> bool) {
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

    /// Ends it, and waits until the service has let go: a panic of its task is one of ours.
    async fn end(self) {
        drop(self.say);
        timeout(SOON, self.task)
            .await
            .expect("the session ends")
            .expect("the session does not panic");
    }
}

/// Somebody's frames, with our people in place of those of the fixtures.
fn ours(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let replaced = [
        ("01938000-0000-7000-8000-00000000000a", visit().to_string()),
        ("01938000-0000-7000-8000-000000000001", id(PATIENT).to_string()),
        ("01938000-0000-7000-8000-000000000002", id(HOST).to_string()),
    ];
    replaced
        .iter()
        .fold(text.into_owned(), |text, (theirs, our)| text.replace(theirs, our))
}

/// Numbers a frame that can be read, so that it gets beyond the numbers.
fn numbered(text: String, c: &mut u64) -> String {
    match ClientFrame::parse(&text) {
        Ok(frame) if frame.c.is_some() => {
            *c += 1;
            let frame = ClientFrame {
                c: Some(*c),
                session: None,
                ..frame
            };
            frame.to_text()
        }
        Ok(_) | Err(_) => text,
    }
}

/// All these frames on sockets of the patient, in small numbers, while the physician talks on.
async fn survive(frames: impl Iterator<Item = Vec<u8>>) -> u32 {
    let stage = Stage::new();
    let mut host_page = stage.page(id(HOST));
    let mut host = stage.join(&mut host_page, None).await;
    let (mut holder, mut sent) = (None, 0);
    let frames: Vec<_> = frames.collect();
    for some in frames.chunks(20) {
        let mut page = stage.page(id(PATIENT));
        let socket = stage.join(&mut page, holder.take()).await;
        let mut c = 0;
        for (i, frame) in some.iter().enumerate() {
            let odd = [Incoming::Pong, Incoming::Other, Incoming::TooLarge];
            if i % 7 == 6 {
                let _ = socket.say.unbounded_send(odd[i % 3].clone());
            }
            socket.say(numbered(ours(frame), &mut c));
            sent += 1;
        }
        socket.end().await;
        holder = Some(page.session().to_string());
        let said = host_page.write(ClientMessage::Nop {});
        host.say(said);
        let own = host_page.session().to_string();
        let last = host_page.open();
        host.until(&mut host_page, |message| matches!(message, ServerMessage::Ack { .. }))
            .await;
        assert!(host_page.open() < last, "{own} was not heard");
    }
    host.end().await;
    sent
}

#[test]
fn no_bent_frame_ends_a_room_or_a_session_otherwise_than_by_a_close() {
    let runtime = Runtime::new().unwrap();
    let frames = proptest::collection::vec(bent(), 1..40);
    let ran = runner(CASES).run(&frames, |frames| {
        runtime.block_on(survive(frames.into_iter().map(|Bent(bytes)| bytes)));
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn no_first_frame_panics_a_session() {
    let runtime = Runtime::new().unwrap();
    let ran = runner(CASES).run(&bent(), |Bent(bytes)| {
        runtime.block_on(async {
            let stage = Stage::new();
            let socket = stage.open();
            let mut page = stage.page(id(PATIENT));
            let hello = page.hello(Some(stage.ticket(id(PATIENT))), None);
            // Half of them are a good hello with something of the frame in it.
            let bent = ours(&bytes);
            let mixed = match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&bent) {
                Ok(fields) if bytes.len() % 2 == 0 => {
                    let mut all: serde_json::Map<_, _> = serde_json::from_str(&hello).expect("a hello");
                    all.extend(
                        fields
                            .into_iter()
                            .filter(|(name, _)| name != "type" && name != "ticket"),
                    );
                    serde_json::Value::Object(all).to_string()
                }
                Ok(_) | Err(_) => bent,
            };
            socket.say(mixed);
            socket.end().await;
        });
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
}

#[tokio::test]
async fn a_room_that_fails_says_so_and_its_pages_come_back() {
    let stage = Stage::new();
    let mut page = stage.page(id(HOST));
    let mut host = stage.join(&mut page, None).await;
    host.say(page.write(ClientMessage::End {}));
    let internal =
        |message: &ServerMessage| matches!(message, ServerMessage::Error { code, .. } if *code == ErrorCode::Internal);
    host.until(&mut page, internal).await;
    assert_eq!(host.heard.next().await, Some(Outgoing::Close(CloseCode::Reclaim)));
    host.end().await;
    let mut again = stage.page(id(HOST));
    let holder = Some(page.session().to_string());
    stage.join(&mut again, holder).await.end().await;
}

#[test]
fn every_place_of_a_fixture_bent_is_survived() {
    let runtime = Runtime::new().unwrap();
    let frames = each_place_bent().step_by(23).map(|Bent(bytes)| bytes);
    let sent = runtime.block_on(survive(frames));
    println!("{sent} frames");
}
