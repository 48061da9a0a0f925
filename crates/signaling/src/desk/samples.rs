//! Visits and rooms for this module's tests.

use crate::{DeskRow, RoomBrief};
use heliograph_domain::{ParticipantId, PersonId, UnixMillis, VisitId};
use heliograph_protocol::Phase;
use heliograph_room::{Guest, Standing};

pub fn seat(number: u8) -> ParticipantId {
    ParticipantId::from_parts(UnixMillis(1), &[number; 10])
}

pub fn person(number: u8) -> PersonId {
    PersonId::from_parts(UnixMillis(1), &[number; 10])
}

pub fn visit(number: u8) -> VisitId {
    VisitId::from_parts(UnixMillis(2), &[number; 10])
}

/// Takes part: the person of the same number.
pub fn row(number: u8) -> DeskRow {
    DeskRow {
        visit: visit(number),
        span: UnixMillis(1_000)..UnixMillis(2_000),
        people: vec![person(number)],
        version: 0,
        cancelled: false,
        reported: None,
        ended: None,
    }
}

pub fn brief(at: i64, s: u64, guests: &[(u8, Standing, i64)]) -> RoomBrief {
    let guest = |(number, standing, since): &(u8, Standing, i64)| Guest {
        participant: seat(*number),
        standing: *standing,
        since: UnixMillis(*since),
    };
    RoomBrief {
        at: UnixMillis(at),
        s,
        phase: Phase::Open {},
        ended: None,
        waiting: Vec::new(),
        present: Vec::new(),
        guests: guests.iter().map(guest).collect(),
    }
}
