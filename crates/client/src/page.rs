//! The client's side of the protocol's rules, without I/O, clock or chance.
//!
//! A page can be driven in two ways. [`Page::on`] takes what happens with its time, and [`Page::action`] gives what is to
//! be done: this is the whole client, with its reconnects and timers. [`Page::hello`], [`Page::write`] and [`Page::take`]
//! are the same rules without the timers, for tests that want to say each frame themselves.

mod alarms;
mod event;
mod link;
mod outbox;
mod place;
mod reduce;

pub use event::{Action, Event, Link, TicketAnswer, Why};

use heliograph_domain::{ParticipantId, SessionId, VisitId};
use heliograph_protocol::{
    Capabilities, ClientFrame, ClientMessage, Header, Hello, Limits, Position, Resumed, RoomView, ServerFrame,
    ServerMessage, Timers,
};
use link::Machine;
use outbox::Outbox;
use place::{Place, Verdict};
use std::collections::BTreeMap;

/// One life of a page in one seat.
#[derive(Debug, Clone)]
pub struct Page {
    visit: VisitId,
    seat: ParticipantId,
    session: SessionId,
    attempt: u64,
    secret: Option<String>,
    outbox: Outbox,
    place: Place,
    room: Option<RoomView>,
    limits: Limits,
    timers: Timers,
    machine: Machine,
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
            outbox: Outbox::new(session.clone()),
            session,
            attempt: 0,
            secret: None,
            place: Place::default(),
            room: None,
            limits: Limits::default(),
            timers: Timers::default(),
            machine: Machine::default(),
        }
    }

    /// The next life of the page, as a reload begins it: what older lives numbered is still sent under their sessions;
    /// secret, place and marks are gone.
    #[must_use]
    pub fn reload(&self, session: SessionId) -> Page {
        Page {
            outbox: self.outbox.clone().heir(session.clone()),
            ..Page::new(self.visit, self.seat, session)
        }
    }

    /// The room as it is shown: the newest snapshot, and every frame after it.
    pub fn room(&self) -> Option<&RoomView> {
        self.room.as_ref()
    }

    /// The visit.
    pub fn visit(&self) -> VisitId {
        self.visit
    }

    /// The seat.
    pub fn seat(&self) -> ParticipantId {
        self.seat
    }

    /// This life's session.
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// Connections that were tried.
    pub fn attempt(&self) -> u64 {
        self.attempt
    }

    /// The limits of the last `welcome`, the usual ones before.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The timers of the last `welcome`, the usual ones before.
    pub fn timers(&self) -> &Timers {
        &self.timers
    }

    /// Whether the page can resume without a ticket.
    pub fn can_resume(&self) -> bool {
        self.secret.is_some()
    }

    /// The next attempt's hello.
    pub fn hello(&mut self, ticket: Option<String>, takeover: Option<String>) -> String {
        self.attempt += 1;
        let last = self.place.last();
        let hello = Hello {
            visit: Some(self.visit),
            seat: Some(self.seat),
            desk: false,
            session: self.session.clone(),
            attempt: self.attempt,
            outbox: self.outbox.ranges(),
            secret: if ticket.is_some() { None } else { self.secret.clone() },
            ticket,
            last,
            marks: last.map(|_| self.place.marks().clone()),
            takeover,
            capabilities: Capabilities::default(),
            zone: None,
            locale: None,
        };
        bare(ClientMessage::Hello(Box::new(hello)))
    }

    /// The text of a message; a durable one gets its number and stays in the outbox.
    pub fn write(&mut self, message: ClientMessage) -> String {
        if !message.durable() {
            return bare(message);
        }
        let frame = ClientFrame {
            c: Some(self.outbox.push(message.clone())),
            session: None,
            message,
        };
        frame.to_text()
    }

    /// Everything that is not acknowledged, again.
    pub fn unacknowledged(&self) -> Vec<String> {
        self.outbox.unacknowledged()
    }

    /// How many messages are not acknowledged, those of older page lives included.
    pub fn open(&self) -> u64 {
        self.outbox.open()
    }

    /// The highest number that the server acknowledged.
    pub fn acked(&self) -> u64 {
        self.outbox.acked()
    }

    /// The place of the last frame taken.
    pub fn last(&self) -> Option<Position> {
        self.place.last()
    }

    /// The highest number that acted, by session.
    pub fn marks(&self) -> &BTreeMap<String, u64> {
        self.place.marks()
    }

    /// Takes back a message that is not acknowledged: `nop` goes out under its number. False when it is too late.
    pub fn withdraw(&mut self, c: u64) -> bool {
        c > self.outbox.acked() && self.outbox.void(self.session.as_str(), c)
    }

    /// Takes a frame of the present socket.
    pub fn take(&mut self, frame: ServerFrame) -> Taken {
        let ServerFrame { header, message } = frame;
        let verdict = self.place.judge(&header);
        match verdict {
            Verdict::Drop => return Taken::Old,
            Verdict::Gap => return Taken::Hole,
            Verdict::Take | Verdict::Replay => {}
        }
        let mut acts = self.place.acts(&header, verdict);
        let own = self.session.clone();
        let session = header.session.as_deref().unwrap_or(own.as_str());
        match &message {
            Some(ServerMessage::Welcome {
                secret,
                acked,
                resumed,
                timers,
                limits,
                ..
            }) => {
                self.secret = Some(secret.clone());
                self.timers.clone_from(timers);
                self.limits.clone_from(limits);
                self.place.welcome(*resumed == Resumed::Full);
                self.outbox.rewind();
                self.acknowledge_all(acked);
            }
            Some(ServerMessage::Resync { acked, .. }) => {
                self.place.resync();
                self.acknowledge_all(acked);
            }
            Some(ServerMessage::Snapshot { marks, room }) => {
                self.place.snapshot(&header, marks);
                self.room = Some(room.clone());
            }
            Some(ServerMessage::Ack { back }) => self.outbox.acknowledge(session, header.c.unwrap_or(0), *back),
            Some(ServerMessage::Refused { for_c, .. }) => {
                let new = self.outbox.void(session, *for_c);
                if self.outbox.has(session) {
                    acts = new;
                }
            }
            Some(_) | None => {}
        }
        if let (Some(message), Some(room), Verdict::Take, Some(_)) = (&message, &mut self.room, verdict, header.p) {
            reduce::reduce(room, &header, message, self.seat);
        }
        Taken::Frame {
            header,
            message: message.map(Box::new),
            acts,
        }
    }

    /// What the log has now, which may be less than it had.
    fn acknowledge_all(&mut self, acked: &BTreeMap<String, u64>) {
        for (session, c) in acked {
            self.outbox.acknowledge(session, *c, true);
        }
    }
}

/// A message without a number.
fn bare(message: ClientMessage) -> String {
    let frame = ClientFrame {
        c: None,
        session: None,
        message,
    };
    frame.to_text()
}
