//! The client's side of the protocol's rules, without I/O.

use heliograph_domain::{ParticipantId, SessionId, VisitId};
use heliograph_protocol::{
    Capabilities, ClientFrame, ClientMessage, Header, Hello, OutboxRange, Position, Resumed, RoomView, ServerFrame,
    ServerMessage,
};
use std::collections::{BTreeMap, VecDeque};

/// Acknowledged messages that are kept, in case a log loses its tail.
const KEPT: usize = 300;

/// One life of a page in one seat.
#[derive(Debug, Clone)]
pub struct Page {
    visit: VisitId,
    seat: ParticipantId,
    session: SessionId,
    attempt: u64,
    secret: Option<String>,
    last: Option<Position>,
    /// False between a `welcome` that does not resume and its snapshot: frames then come again from the log's start.
    placed: bool,
    marks: BTreeMap<String, u64>,
    outbox: VecDeque<(u64, ClientMessage)>,
    next_c: u64,
    acked: u64,
    room: Option<RoomView>,
}

/// What became of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It counts; `acts` if it may cause something, and not only change what is shown.
    Frame {
        /// Where it stands.
        header: Header,
        /// What it says; `None` for a type that this client does not know.
        message: Option<Box<ServerMessage>>,
        /// First seen.
        acts: bool,
    },
    /// It was there before.
    Old,
    /// A frame before it is missing: connect again and resume.
    Hole,
}

impl Page {
    /// A new page; `session` is 8 to 64 random characters.
    pub fn new(visit: VisitId, seat: ParticipantId, session: SessionId) -> Page {
        Page {
            visit,
            seat,
            session,
            attempt: 0,
            secret: None,
            last: None,
            placed: false,
            marks: BTreeMap::new(),
            outbox: VecDeque::new(),
            next_c: 1,
            acked: 0,
            room: None,
        }
    }

    /// The room, once a snapshot came; deltas are left to the caller.
    pub fn room(&self) -> Option<&RoomView> {
        self.room.as_ref()
    }

    /// The seat.
    pub fn seat(&self) -> ParticipantId {
        self.seat
    }

    /// Whether the page can resume without a ticket.
    pub fn can_resume(&self) -> bool {
        self.secret.is_some()
    }

    /// The next attempt's hello.
    pub fn hello(&mut self, ticket: Option<String>, takeover: Option<String>) -> String {
        self.attempt += 1;
        let first_c = self.outbox.front().map_or(self.next_c, |(c, _)| *c);
        let hello = Hello {
            visit: Some(self.visit),
            seat: Some(self.seat),
            desk: false,
            session: self.session.clone(),
            attempt: self.attempt,
            outbox: vec![OutboxRange {
                session: self.session.clone(),
                first_c,
                next_c: self.next_c,
            }],
            secret: if ticket.is_some() { None } else { self.secret.clone() },
            ticket,
            last: self.last,
            marks: Some(self.marks.clone()),
            takeover,
            capabilities: Capabilities::default(),
            zone: None,
            locale: None,
        };
        ClientFrame {
            c: None,
            session: None,
            message: ClientMessage::Hello(Box::new(hello)),
        }
        .to_text()
    }

    /// The text of a message; a durable one gets its number and stays in the outbox.
    pub fn write(&mut self, message: ClientMessage) -> String {
        let c = message.durable().then_some(self.next_c);
        if let Some(c) = c {
            self.outbox.push_back((c, message.clone()));
            self.next_c += 1;
        }
        ClientFrame {
            c,
            session: None,
            message,
        }
        .to_text()
    }

    /// Everything that is not acknowledged, again.
    pub fn unacknowledged(&self) -> Vec<String> {
        let open = self.outbox.iter().filter(|(c, _)| *c > self.acked);
        open.map(|(c, message)| {
            ClientFrame {
                c: Some(*c),
                session: None,
                message: message.clone(),
            }
            .to_text()
        })
        .collect()
    }

    /// The highest number that the server acknowledged.
    pub fn acked(&self) -> u64 {
        self.acked
    }

    /// The place of the last frame taken.
    pub fn last(&self) -> Option<Position> {
        self.last
    }

    /// Takes a frame of the present socket.
    pub fn take(&mut self, frame: ServerFrame) -> Taken {
        let ServerFrame { header, message } = frame;
        if let (Some(s), Some(p), true) = (header.s, header.p, self.placed) {
            let last = self.last.map_or(0, |last| last.s);
            if s <= last {
                return Taken::Old;
            }
            if p > last {
                return Taken::Hole;
            }
        }
        let acts = self.mark(&header);
        if let (Some(s), Some(chain), true) = (header.s, header.chain, self.moves_on(&header, message.as_ref())) {
            self.last = Some(Position { s, chain });
        }
        match &message {
            Some(ServerMessage::Welcome {
                secret, acked, resumed, ..
            }) => {
                self.secret = Some(secret.clone());
                self.acked = acked.get(self.session.as_str()).copied().unwrap_or(0);
                self.placed = *resumed == Resumed::Full;
            }
            Some(ServerMessage::Snapshot { marks, room }) => {
                if self.room.is_none() {
                    self.marks.clone_from(marks);
                }
                self.room = Some(room.clone());
                self.placed = true;
            }
            Some(ServerMessage::Ack { back }) if header.session.as_deref() == Some(self.session.as_str()) => {
                let c = header.c.unwrap_or(0);
                self.acked = if *back { c } else { self.acked.max(c) };
                while self.outbox.len() > KEPT && self.outbox.front().is_some_and(|(c, _)| *c <= self.acked) {
                    self.outbox.pop_front();
                }
            }
            Some(ServerMessage::Refused { for_c, .. }) if header.session.as_deref() == Some(self.session.as_str()) => {
                if let Some((_, message)) = self.outbox.iter_mut().find(|(c, _)| c == for_c) {
                    *message = ClientMessage::Nop {};
                }
            }
            Some(_) | None => {}
        }
        Taken::Frame {
            header,
            message: message.map(Box::new),
            acts,
        }
    }

    fn mark(&mut self, header: &Header) -> bool {
        match (&header.session, header.c, header.s) {
            (Some(session), Some(c), Some(_)) => {
                let mark = self.marks.entry(session.clone()).or_default();
                let acts = c > *mark;
                *mark = (*mark).max(c);
                acts
            }
            _ => true,
        }
    }

    /// Sequenced frames and snapshots are places; a welcome only tells where the room is.
    fn moves_on(&self, header: &Header, message: Option<&ServerMessage>) -> bool {
        (self.placed && header.p.is_some()) || matches!(message, Some(ServerMessage::Snapshot { .. }))
    }
}
