//! Collects the frames of one entry: at most one a seat, each with its `p`.

use crate::{Delivery, Room, room::Seat};
use heliograph_domain::ParticipantId;
use heliograph_protocol::{ErrorCode, SeatState, ServerMessage};
use std::collections::BTreeSet;

/// The frames of one entry.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    list: Vec<(Vec<ParticipantId>, Option<ServerMessage>)>,
    addressed: BTreeSet<ParticipantId>,
}

impl Outgoing {
    /// One message for all of these seats; a seat that already has a frame of this entry keeps that one.
    pub fn give(&mut self, seats: impl IntoIterator<Item = ParticipantId>, message: impl Into<Option<ServerMessage>>) {
        let seats: Vec<_> = seats.into_iter().filter(|seat| self.addressed.insert(*seat)).collect();
        if !seats.is_empty() {
            self.list.push((seats, message.into()));
        }
    }

    /// The deliveries, with each seat's `p`; the room notes that these seats were addressed.
    pub fn deliver(self, room: &mut Room) -> Vec<Delivery> {
        let seq = room.seq;
        let mut deliveries = Vec::with_capacity(self.list.len());
        for (seats, message) in self.list {
            let to: Vec<_> = seats
                .into_iter()
                .filter_map(|id| {
                    let seat = room.seats.get_mut(&id)?;
                    Some((id, std::mem::replace(&mut seat.delivered, seq)))
                })
                .collect();
            if !to.is_empty() {
                deliveries.push(Delivery { to, message });
            }
        }
        deliveries
    }
}

/// Why an entry is not allowed at its place.
pub(crate) type Refusal = ErrorCode;

impl Room {
    /// Seats that a rule chooses, but one.
    pub(crate) fn seats_where(&self, but: ParticipantId, rule: impl Fn(&Seat) -> bool) -> Vec<ParticipantId> {
        self.seats
            .iter()
            .filter(|(id, seat)| **id != but && rule(seat))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Everybody who is admitted, but one.
    pub(crate) fn admitted_but(&self, but: ParticipantId) -> Vec<ParticipantId> {
        self.seats_where(but, |seat| seat.state == SeatState::Admitted)
    }

    /// All staff, but one.
    pub(crate) fn staff_but(&self, but: ParticipantId) -> Vec<ParticipantId> {
        self.seats_where(but, Seat::is_staff)
    }

    /// Everybody whose page may still be open: not removed, not denied.
    pub(crate) fn everybody(&self) -> Vec<ParticipantId> {
        self.seats
            .iter()
            .filter(|(_, seat)| seat.may_come())
            .map(|(id, _)| *id)
            .collect()
    }
}

impl Seat {
    /// May admit, and see who waits.
    pub fn is_staff(&self) -> bool {
        self.role.is_staff() && self.state == SeatState::Admitted
    }

    /// Neither removed nor denied.
    pub fn may_come(&self) -> bool {
        match self.state {
            SeatState::Waiting | SeatState::Admitted | SeatState::Held => true,
            SeatState::Denied | SeatState::Removed => false,
        }
    }
}
