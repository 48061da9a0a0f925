//! What the desk is told of a room.

use crate::{Room, room::Seat};
use heliograph_domain::{ParticipantId, UnixMillis};
use heliograph_protocol::{Phase, SeatState};

/// Where somebody who is not staff stands, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guest {
    /// Who.
    pub participant: ParticipantId,
    /// Where.
    pub standing: Standing,
    /// Since when.
    pub since: UnixMillis,
}

/// Where somebody who is not staff stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The page is there, the person did not knock.
    Arrived,
    /// The person waits to be admitted.
    Waiting,
    /// Was sent back to waiting.
    Held,
    /// Is in the visit.
    InVisit,
    /// The line is lost.
    Lost,
    /// Asked for a call by phone, and was not admitted since.
    CallRequested,
}

impl Room {
    /// Everybody who is not staff and counts: those who left on purpose or were sent away do not.
    pub fn guests(&self) -> impl Iterator<Item = Guest> {
        self.seats.iter().filter_map(|(id, seat)| {
            let (standing, since) = seat.standing()?;
            Some(Guest {
                participant: *id,
                standing,
                since,
            })
        })
    }

    /// Who waits and is there: since when, and whether the person knocked.
    pub fn waiting_there(&self) -> impl Iterator<Item = (ParticipantId, UnixMillis, bool)> {
        let waits = |seat: &Seat| match seat.state {
            SeatState::Waiting | SeatState::Held => seat.is_there(),
            SeatState::Admitted | SeatState::Denied | SeatState::Removed => false,
        };
        let rows = self.seats.iter().filter(move |(_, seat)| waits(seat));
        rows.map(|(id, seat)| (*id, seat.since, seat.knocked))
    }

    /// Who is in the room and there.
    pub fn admitted_there(&self) -> impl Iterator<Item = ParticipantId> {
        let inside = |seat: &Seat| seat.state == SeatState::Admitted && seat.is_there();
        let seats = self.seats.iter().filter(move |(_, seat)| inside(seat));
        seats.map(|(id, _)| *id)
    }

    /// When the visit ended, if it did.
    pub fn ended_at(&self) -> Option<UnixMillis> {
        match self.phase {
            Phase::Ended { reopen_until_ms } => Some(reopen_until_ms.plus(-self.deadlines.reopen_ms)),
            Phase::Open {} | Phase::Ending { .. } => None,
        }
    }
}

impl Seat {
    fn is_there(&self) -> bool {
        !self.presence.is_left()
    }

    fn standing(&self) -> Option<(Standing, UnixMillis)> {
        if self.is_staff() {
            return None;
        }
        let inside = match self.state {
            SeatState::Denied | SeatState::Removed => return None,
            SeatState::Admitted => Standing::InVisit,
            SeatState::Held => Standing::Held,
            SeatState::Waiting if self.knocked => Standing::Waiting,
            SeatState::Waiting => Standing::Arrived,
        };
        match (self.called, self.lost) {
            (Some(at), _) => Some((Standing::CallRequested, at)),
            (None, Some(at)) => Some((Standing::Lost, at)),
            (None, None) => self.is_there().then_some((inside, self.since)),
        }
    }
}
