//! A log for tests: entries are made as a real log makes them, without sealing.

use heliograph_domain::{
    Language, ParticipantId, Pii, Role, UnixMillis,
    entry::{Audience, Chain, ClaimRow, EntryHeader, OutboxSpan},
};
use heliograph_protocol::{Capabilities, ClientMessage, ErrorCode, SeatState, ServerMessage};
use heliograph_room::{Applied, Body, ClaimData, Deadlines, Entry, Opened, RULES, Room, VoidData};
use std::collections::BTreeMap;

pub const HOST: u8 = 1;
pub const STAFF: u8 = 2;
pub const INTERPRETER: u8 = 3;
pub const PATIENT: u8 = 4;
pub const GUEST: u8 = 5;

pub fn seat(n: u8) -> ParticipantId {
    ParticipantId::from_parts(UnixMillis(1), &[n; 10])
}

pub fn role(n: u8) -> Role {
    [Role::Host, Role::Staff, Role::Interpreter, Role::Patient, Role::Guest][usize::from((n - 1) % 5)]
}

/// A room with its log.
pub struct Log {
    pub room: Room,
    pub entries: Vec<Entry>,
    pub now: i64,
    cseq: BTreeMap<String, u64>,
}

impl Log {
    pub fn new() -> Log {
        Self::opened(Opened {
            nonce: "nonce".to_owned(),
            rules: RULES,
            admitted: vec![],
            held: vec![],
            removed: vec![],
            ended: None,
            deadlines: Deadlines {
                undo_end_ms: 10_000,
                reopen_ms: 1_800_000,
            },
            most_admitted: 4,
        })
    }

    pub fn opened(opened: Opened) -> Log {
        let mut log = Log {
            room: Room::new(),
            entries: Vec::new(),
            now: 1_000,
            cseq: BTreeMap::new(),
        };
        log.push(None, "open", Audience::All, "opened", Body::Opened(opened));
        log
    }

    pub fn push(
        &mut self,
        from: Option<ParticipantId>,
        session: &str,
        audience: Audience,
        kind: &str,
        body: Body,
    ) -> Applied {
        let cseq = self.cseq.entry(format!("{from:?}{session}")).or_default();
        *cseq += 1;
        let (seq, cseq, at) = (self.room.seq() + 1, *cseq, UnixMillis(self.now));
        let chain: Chain =
            self.room
                .chain()
                .after(from, session, cseq, audience, kind, at, format!("{body:?}").as_bytes());
        let header = EntryHeader {
            seq,
            chain,
            from,
            session: session.to_owned(),
            cseq,
            audience,
            kind: kind.to_owned(),
            at,
        };
        let entry = Entry { header, body };
        self.entries.push(entry.clone());
        self.room.apply(&entry)
    }

    pub fn claim(&mut self, n: u8, session: &str) -> Applied {
        self.claim_as(n, session, None)
    }

    /// A claim of somebody who stands there as the store says.
    pub fn claim_as(&mut self, n: u8, session: &str, stands: Option<SeatState>) -> Applied {
        let attempt = self
            .cseq
            .get(&format!("{:?}k:{session}", Some(seat(n))))
            .copied()
            .unwrap_or(0)
            + 1;
        let row = ClaimRow {
            session: session.to_owned(),
            attempt,
            connection: format!("{session}-{attempt}"),
            outbox: vec![OutboxSpan {
                session: session.to_owned(),
                first_c: 1,
                next_c: 1,
            }],
            ticket: None,
        };
        let data = ClaimData {
            role: role(n),
            name: Pii::new(format!("Person {n}")),
            language: "en".parse::<Language>().unwrap(),
            rights_until: UnixMillis(10_000_000),
            capabilities: Capabilities::default(),
            stands,
        };
        self.push(
            Some(seat(n)),
            &format!("k:{session}"),
            Audience::Own,
            "claim",
            Body::Claim(row, data),
        )
    }

    pub fn say(&mut self, n: u8, message: ClientMessage) -> Applied {
        self.say_in(n, &format!("session-{n}"), message)
    }

    pub fn say_in(&mut self, n: u8, session: &str, message: ClientMessage) -> Applied {
        let kind = message.kind();
        self.push(Some(seat(n)), session, Audience::All, kind, Body::Message(message))
    }

    /// The lease of the page that said `session` runs out, of its last attempt.
    pub fn lose(&mut self, n: u8, session: &str, left: bool) -> Applied {
        let holder = self.room.holder(seat(n)).filter(|(holder, _, _)| *holder == session);
        let attempt = holder.map_or(1, |(_, attempt, _)| attempt);
        let state = if left { "left" } else { "reconnecting" };
        let name = format!("p:{session}:{attempt}:{state}");
        let session = session.to_owned();
        let body = Body::Presence { session, attempt, left };
        self.push(Some(seat(n)), &name, Audience::All, "presence", body)
    }

    pub fn void(&mut self, n: u8, code: ErrorCode) -> Applied {
        self.push(
            Some(seat(n)),
            &format!("session-{n}"),
            Audience::Own,
            "void",
            Body::Void(VoidData { code }),
        )
    }

    pub fn due(&mut self, at: i64) -> Applied {
        self.push(
            None,
            &format!("d:{at}"),
            Audience::All,
            "due",
            Body::Due(UnixMillis(at)),
        )
    }

    /// Everybody comes, with the session `session-N`.
    pub fn with(mut self, people: &[u8]) -> Log {
        for n in people {
            self.claim(*n, &format!("session-{n}"));
        }
        self
    }
}

/// What one seat got of an entry.
pub fn got(applied: &Applied, n: u8) -> Option<&ServerMessage> {
    let mine = applied
        .deliveries
        .iter()
        .find(|d| d.to.iter().any(|(to, _)| *to == seat(n)));
    mine.and_then(|delivery| delivery.message.as_ref())
}

/// Who got something of an entry.
pub fn readers(applied: &Applied) -> Vec<u8> {
    let mut list: Vec<u8> = (1..=9)
        .filter(|n| {
            applied
                .deliveries
                .iter()
                .any(|d| d.to.iter().any(|(to, _)| *to == seat(*n)))
        })
        .collect();
    list.sort_unstable();
    list
}

/// The error that one seat got of an entry.
pub fn refused(applied: &Applied, n: u8) -> Option<ErrorCode> {
    match got(applied, n) {
        Some(ServerMessage::Refused { code, .. }) => Some(*code),
        Some(_) | None => None,
    }
}

pub fn admit(n: u8) -> ClientMessage {
    ClientMessage::Admit(decision(n))
}

pub fn decision(n: u8) -> heliograph_protocol::Decision {
    heliograph_protocol::Decision {
        participant: seat(n),
        message: None,
    }
}

pub fn chat(to: heliograph_protocol::To) -> ClientMessage {
    ClientMessage::Chat(heliograph_protocol::Chat {
        id: "1".to_owned(),
        text: Pii::new("hello".to_owned()),
        to,
        canned: None,
    })
}

pub fn sdp(to: u8, generation: u64) -> ClientMessage {
    ClientMessage::Sdp(heliograph_protocol::Sdp {
        to: seat(to),
        pc: "av".to_owned(),
        generation,
        kind: heliograph_protocol::SdpKind::Offer,
        sdp: "v=0".to_owned(),
    })
}
