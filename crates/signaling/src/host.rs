//! One hosted room: its fold, its connections, its place in the log.

mod beat;
mod chores;
mod frames;
mod join;
mod log;
mod notice;
mod repair;
mod resume;
mod sealed;
mod word;

use self::chores::Outage;
use crate::{RoomBrief, SeatRights, facts::Facts, queue::Queue, rate::Pace, rooms::Shared, seal::Sealer};
use bytes::Bytes;
use futures::StreamExt;
use heliograph_domain::{
    ParticipantId, Role, SessionId, UnixMillis,
    entry::{Audience, Ticket},
};
use heliograph_protocol::{ClientMessage, CloseCode, ErrorCode, Header, Hello, ServerMessage};
use heliograph_room::{Body, Entry, Notice, Room};
use heliograph_roomlog::{Away, Draft, LogEntry, Mark, RoomKey, Snapshot, Subscription};
use litemap::LiteMap;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

/// What is asked of a room. Boxed, since a channel keeps room for many of them while it is empty.
pub(crate) type Command = Box<Ask>;

pub(crate) enum Ask {
    Join(Join),
    Frame(Frame),
    Gone {
        seat: ParticipantId,
        connection: String,
    },
    /// A row of the outbox, by its name.
    Notice(String, Notice, oneshot::Sender<Result<(), Away>>),
    /// A log is there from before: its people may have left meanwhile.
    Wake,
    /// The fold, byte for byte.
    Fold(oneshot::Sender<Vec<u8>>),
}

/// A socket that said hello and may be who it says.
pub(crate) struct Join {
    pub seat: ParticipantId,
    pub hello: Box<Hello>,
    /// Of the link by which the person came.
    pub generation: u32,
    /// `None`: the store is away, and the socket showed a resume secret.
    pub rights: Option<SeatRights>,
    pub ticket: Option<Ticket>,
    pub connection: String,
    pub queue: Queue,
}

/// A frame of a joined socket; a numbered one that can't be read carries its error instead of a message.
pub(crate) struct Frame {
    pub seat: ParticipantId,
    pub connection: String,
    pub session: Option<SessionId>,
    pub c: Option<u64>,
    pub message: Result<ClientMessage, ErrorCode>,
}

pub(crate) struct Host {
    shared: Arc<Shared>,
    key: RoomKey,
    sealer: Sealer,
    room: Room,
    /// The log's snapshot and every entry since, as they lie in the log: what a resume is answered from, and a log repaired.
    base: Option<Arc<Snapshot>>,
    ring: Vec<Arc<LogEntry>>,
    /// What was opened when the log was folded, until the next beat: many come back at once then, and ask for the same.
    opened_lately: Vec<Entry>,
    candidate: Option<Box<Room>>,
    subscription: Option<Subscription>,
    /// The log was there before this node: it may have lost its end with the node that hosted the room.
    found: bool,
    /// When a log that was away is looked at again.
    look_at: Option<Instant>,
    away: Outage,
    connections: LiteMap<ParticipantId, Box<Connection>>,
    refused: Option<(String, CloseCode)>,
    /// Entries that free the seats of those who were shown out.
    leaving: Vec<Draft>,
    /// Until then clients' entries wait, so that other nodes can repair the log first.
    hold_until: Option<Instant>,
    held: Vec<Frame>,
    /// What is being appended, until it comes back from the log.
    in_clear: Option<Box<(Draft, Body)>>,
    facts: Facts,
    brief: Arc<Mutex<RoomBrief>>,
    empty_since: UnixMillis,
    /// The last beat.
    beaten: Option<Instant>,
}

/// A page that has its seat.
struct Connection {
    id: String,
    session: SessionId,
    /// Earlier lives of the page, of which it still holds messages.
    heir_of: Box<[SessionId]>,
    attempt: u64,
    generation: u32,
    role: Role,
    queue: Queue,
    acked: Option<Mark>,
    /// The store could not be asked at the claim: it is asked later.
    unasked: bool,
    /// When it is told again which relay servers there are.
    relays_at: Instant,
    /// Reports about lines.
    reports: Pace,
}

impl Connection {
    /// Whether a session is this page's, or of one of its earlier lives.
    fn is_of(&self, session: &str) -> bool {
        std::iter::once(&self.session)
            .chain(&self.heir_of)
            .any(|own| own.as_str() == session)
    }
}

/// How long a room without anybody is kept hosted when nothing is known of its people's rights.
const IDLE_MS: i64 = 60_000;

impl Host {
    pub fn new(shared: Arc<Shared>, key: RoomKey, brief: Arc<Mutex<RoomBrief>>) -> Host {
        let sealer = Sealer::new(&shared.ports.keys, &key, Arc::clone(&shared.ports.entropy));
        let empty_since = shared.ports.clock.now();
        Host {
            shared,
            key,
            sealer,
            room: Room::new(),
            base: None,
            ring: Vec::new(),
            opened_lately: Vec::new(),
            candidate: None,
            subscription: None,
            found: false,
            look_at: None,
            away: Outage::default(),
            connections: LiteMap::new(),
            refused: None,
            leaving: Vec::new(),
            hold_until: None,
            held: Vec::new(),
            in_clear: None,
            facts: Facts::default(),
            brief,
            empty_since,
            beaten: None,
        }
    }

    fn now(&self) -> UnixMillis {
        self.shared.ports.clock.now()
    }

    fn mark(&self) -> Mark {
        place(&self.room)
    }

    fn close(&mut self, seat: ParticipantId, code: CloseCode) {
        if let Some(connection) = self.connections.remove(&seat) {
            connection.queue.close(code);
        }
    }

    fn publish(&self) {
        *self.brief.lock().unwrap_or_else(PoisonError::into_inner) = RoomBrief::of(&self.room);
        self.shared.desks.room(&self.key, || RoomBrief::of(&self.room));
    }

    /// Whether a person's time is over. It lasts while somebody admitted is there, and longer by what the visit was extended.
    fn is_late(&self, until: UnixMillis) -> bool {
        !self.room.is_occupied() && until.plus(self.room.extended_ms()) <= self.now()
    }

    /// The room's people are gone and may not come back: its time is over.
    fn is_over(&self) -> bool {
        if !self.connections.is_empty() || !self.facts.is_empty() {
            return false;
        }
        self.room.last_rights().is_none_or(|until| self.is_late(until))
            && self.now().0 - self.empty_since.0 >= IDLE_MS
            && self.room.present().next().is_none()
    }
}

/// Runs until the room's time is over or the node shuts down. What it does is boxed, so that a room at rest is small.
pub(crate) async fn run(mut host: Box<Host>, mut commands: mpsc::Receiver<Command>) {
    let shutdown = host.shared.shutdown.clone();
    let mut beat = tokio::time::interval(Duration::from_millis(host.shared.settings.timers.beat_ms));
    loop {
        if host.has_chores() {
            Box::pin(host.chores()).await;
        }
        let (deadline, chore) = (host.deadline(), host.next_chore());
        let next = [deadline, chore].into_iter().flatten().min();
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {
                host.drain(&mut commands);
                return;
            }
            entry = next_entry(&mut host.subscription) => match entry {
                Some(entry) => Box::pin(host.follow(entry)).await,
                None => host.look_again(),
            },
            command = commands.recv() => match command {
                Some(command) => Box::pin(host.answer(*command)).await,
                None => return,
            },
            _ = beat.tick() => {
                Box::pin(host.beat()).await;
                if host.is_over() {
                    Box::pin(host.forget()).await;
                    close_the_door(&mut commands, CloseCode::Reclaim);
                    return;
                }
            }
            () = at(next) => {
                if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                    Box::pin(host.beat()).await;
                }
            }
        }
    }
}

/// How far a room is folded.
fn place(room: &Room) -> Mark {
    Mark {
        seq: room.seq(),
        chain: room.chain(),
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

async fn next_entry(subscription: &mut Option<Subscription>) -> Option<Arc<LogEntry>> {
    match subscription {
        Some(entries) => entries.next().await,
        None => std::future::pending().await,
    }
}

impl Host {
    async fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Join(join) => self.join(join).await,
            Ask::Frame(frame) => self.frame(frame).await,
            Ask::Gone { seat, connection } => self.gone(seat, &connection),
            Ask::Notice(name, notice, done) => {
                let told = self.notice(name, &notice).await;
                // Who asked may have gone; the row is asked for again then.
                drop(done.send(told));
            }
            Ask::Wake => self.wake().await,
            // Who asked may have gone.
            Ask::Fold(told) => drop(told.send(self.room.to_snapshot())),
        }
    }

    async fn forget(&mut self) {
        tracing::debug!(visit = %self.key.visit, "a room is over");
        if let Err(away) = self.shared.ports.log.forget(&self.key).await {
            tracing::warn!(visit = %self.key.visit, "a room's log was not removed: {away}");
        }
    }

    fn gone(&mut self, seat: ParticipantId, connection: &str) {
        if self.connections.get(&seat).is_some_and(|c| c.id == connection) {
            self.connections.remove(&seat);
            self.empty_since = self.now();
        }
    }

    /// Notes that a page which may not be here gives its seat back.
    fn note_leaving(&mut self, seat: ParticipantId, session: &SessionId, attempt: u64, connection: String) {
        self.leaving.push(Draft {
            from: Some(seat),
            connection: Some(connection),
            session: format!("p:{session}:{attempt}:left"),
            cseq: 1,
            audience: Audience::All,
            kind: "presence".to_owned(),
            data: Bytes::new(),
        });
    }

    /// There is no other node that pages could go to: the service comes back by itself.
    fn drain(&mut self, commands: &mut mpsc::Receiver<Command>) {
        let drain = ServerMessage::Drain {
            within_ms: 0,
            restart: true,
        };
        for (_, connection) in std::mem::take(&mut self.connections) {
            connection.queue.tell(Header::default(), &drain);
            connection.queue.close(CloseCode::Drained);
        }
        close_the_door(commands, CloseCode::Drained);
    }
}

/// Whoever comes just now is told what to do. After everybody else: a socket takes a closed door for a room that failed.
fn close_the_door(commands: &mut mpsc::Receiver<Command>, code: CloseCode) {
    commands.close();
    while let Ok(command) = commands.try_recv() {
        match *command {
            Ask::Join(join) => join.queue.close(code),
            Ask::Frame(_) | Ask::Gone { .. } | Ask::Notice(..) | Ask::Wake | Ask::Fold(_) => {}
        }
    }
}
