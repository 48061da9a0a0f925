//! One hosted room: its fold, its connections, its place in the log.

mod beat;
mod frames;
mod join;
mod log;

use crate::{Ports, RoomBrief, SeatRights, Settings, facts::Facts, queue::Queue, seal::Sealer};
use bytes::Bytes;
use heliograph_domain::{ParticipantId, Role, SessionId, UnixMillis, entry::Audience};
use heliograph_protocol::{ClientMessage, CloseCode, ErrorCode, Header, Hello, ServerMessage};
use heliograph_room::{Entry, Room};
use heliograph_roomlog::{Draft, Mark, RoomKey, Subscription};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

/// What sockets ask of a room.
pub(crate) enum Command {
    Join(Box<Join>),
    Frame(Box<Frame>),
    Gone { seat: ParticipantId, connection: String },
}

/// A socket that said hello and may be who it says.
pub(crate) struct Join {
    pub seat: ParticipantId,
    pub hello: Box<Hello>,
    /// `None`: the store is away, and the socket showed a resume secret.
    pub rights: Option<SeatRights>,
    pub ticket: Option<heliograph_roomlog::Ticket>,
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
    ports: Ports,
    settings: Settings,
    key: RoomKey,
    sealer: Sealer,
    room: Room,
    /// The fold at the log's start, and all entries since: what a resume is answered from.
    base: Room,
    ring: VecDeque<Kept>,
    candidate: Option<Room>,
    subscription: Option<Subscription>,
    connections: BTreeMap<ParticipantId, Box<Connection>>,
    refused: Option<(String, CloseCode)>,
    /// Entries that free the seats of those who were shown out.
    leaving: Vec<Draft>,
    facts: Facts,
    brief: Arc<Mutex<RoomBrief>>,
    empty_since: UnixMillis,
}

/// An entry after `base`, and the bytes of its data in the log.
struct Kept {
    entry: Entry,
    bytes: usize,
}

/// A page that has its seat.
struct Connection {
    id: String,
    session: SessionId,
    attempt: u64,
    role: Role,
    queue: Queue,
    acked: Option<Mark>,
}

/// How long a room without anybody is kept hosted when nothing is known of its people's rights.
const IDLE_MS: i64 = 60_000;

impl Host {
    pub fn new(ports: Ports, settings: Settings, key: RoomKey, brief: Arc<Mutex<RoomBrief>>) -> Host {
        let sealer = Sealer::new(&ports.keys, &key, Arc::clone(&ports.entropy));
        let empty_since = ports.clock.now();
        Host {
            ports,
            settings,
            key,
            sealer,
            room: Room::new(),
            base: Room::new(),
            ring: VecDeque::new(),
            candidate: None,
            subscription: None,
            connections: BTreeMap::new(),
            refused: None,
            leaving: Vec::new(),
            facts: Facts::default(),
            brief,
            empty_since,
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            seq: self.room.seq(),
            chain: self.room.chain(),
        }
    }

    fn close(&mut self, seat: ParticipantId, code: CloseCode) {
        if let Some(connection) = self.connections.remove(&seat) {
            connection.queue.close(code);
        }
    }

    fn publish(&self) {
        *self.brief.lock().unwrap_or_else(PoisonError::into_inner) = RoomBrief::of(&self.room);
    }

    /// The room's people are gone and may not come back: its time is over.
    fn is_over(&self) -> bool {
        let now = self.ports.clock.now();
        if !self.connections.is_empty() || !self.facts.is_empty() {
            return false;
        }
        let rights = self.room.last_rights();
        rights.is_none_or(|until| until < now)
            && now.0 - self.empty_since.0 >= IDLE_MS
            && self.room.present().next().is_none()
    }
}

/// Runs until the room's time is over or the node shuts down. What it does is boxed, so that a room at rest is small.
pub(crate) async fn run(mut host: Host, mut commands: mpsc::Receiver<Command>, shutdown: CancellationToken) {
    let mut beat = tokio::time::interval(Duration::from_millis(host.settings.timers.beat_ms));
    loop {
        Box::pin(host.free_seats()).await;
        let deadline = host.deadline();
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {
                host.drain(&mut commands);
                return;
            }
            entry = next_entry(&mut host.subscription) => match entry {
                Some(entry) => Box::pin(host.follow(*entry)).await,
                None => host.subscription = None,
            },
            command = commands.recv() => match command {
                Some(Command::Join(join)) => Box::pin(host.join(*join)).await,
                Some(Command::Frame(frame)) => Box::pin(host.frame(*frame)).await,
                Some(Command::Gone { seat, connection }) => host.gone(seat, &connection),
                None => return,
            },
            _ = beat.tick() => {
                Box::pin(host.beat()).await;
                if host.is_over() {
                    tracing::debug!(visit = %host.key.visit, "a room is over");
                    if let Err(away) = host.ports.log.forget(&host.key).await {
                        tracing::warn!(visit = %host.key.visit, "a room's log was not removed: {away}");
                    }
                    return;
                }
            }
            () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => Box::pin(host.beat()).await,
        }
    }
}

async fn next_entry(subscription: &mut Option<Subscription>) -> Option<Box<heliograph_roomlog::LogEntry>> {
    match subscription {
        Some(entries) => entries.recv().await,
        None => std::future::pending().await,
    }
}

impl Host {
    fn gone(&mut self, seat: ParticipantId, connection: &str) {
        if self.connections.get(&seat).is_some_and(|c| c.id == connection) {
            self.connections.remove(&seat);
            self.empty_since = self.ports.clock.now();
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

    async fn free_seats(&mut self) {
        while let Some(draft) = self.leaving.pop() {
            // A log that can't be reached frees the seat itself, when the lease ends.
            if let Err(away) = self.append(draft).await {
                tracing::warn!(visit = %self.key.visit, "a seat is not free yet: {away}");
            }
        }
    }

    /// There is no other node that pages could go to: the service comes back by itself.
    fn drain(&mut self, commands: &mut mpsc::Receiver<Command>) {
        commands.close();
        while let Ok(command) = commands.try_recv() {
            match command {
                Command::Join(join) => join.queue.close(CloseCode::Drained),
                Command::Frame(_) | Command::Gone { .. } => {}
            }
        }
        let drain = ServerMessage::Drain {
            within_ms: 0,
            restart: true,
        };
        for (_, connection) in std::mem::take(&mut self.connections) {
            connection.queue.tell(Header::default(), &drain);
            connection.queue.close(CloseCode::Drained);
        }
    }
}
