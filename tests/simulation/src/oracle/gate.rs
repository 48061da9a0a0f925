//! Who is in and who has which seat at one place of a history: the few rules that everything else hangs on, told anew.

use crate::people::Person;
use heliograph_domain::{ParticipantId, entry::ClaimRow};
use heliograph_protocol::{ClientMessage, Header, SeatState, ServerMessage};
use heliograph_room::{Body, Entry};
use heliograph_roomlog::LogEntry;
use std::collections::{BTreeMap, BTreeSet};

/// One place of one history.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate {
    admitted: BTreeSet<ParticipantId>,
    /// As the log began.
    held: BTreeSet<ParticipantId>,
    removed: BTreeSet<ParticipantId>,
    came: BTreeSet<ParticipantId>,
    owners: BTreeMap<ParticipantId, Owner>,
    /// Before the entry at this place.
    were_in: BTreeSet<ParticipantId>,
}

#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub session: String,
    pub connection: String,
}

pub(super) fn claim_row(entry: &LogEntry) -> Option<ClaimRow> {
    let is_claim = entry.header.kind == "claim";
    is_claim
        .then(|| ClaimRow::split(&entry.data))
        .flatten()
        .map(|(row, _)| row)
}

fn is_staff(seat: ParticipantId) -> bool {
    Person::of(seat).is_some_and(Person::is_staff)
}

impl Gate {
    /// The place after the next entry.
    pub fn after(before: &Gate, entry: &Entry) -> Gate {
        let mut gate = before.clone();
        gate.were_in.clone_from(&before.admitted);
        match (&entry.body, entry.header.from) {
            (Body::Opened(opened), _) => {
                gate.admitted.extend(&opened.admitted);
                gate.held.extend(&opened.held);
                gate.removed.extend(&opened.removed);
            }
            (Body::Claim(row, data), Some(seat)) => {
                // What the store says counts where the log knows nothing.
                let is_new = gate.came.insert(seat) && !gate.held.contains(&seat) && !gate.removed.contains(&seat);
                if is_new && data.stands == Some(SeatState::Admitted) {
                    gate.admitted.insert(seat);
                }
                let owner = Owner {
                    session: row.session.clone(),
                    connection: row.connection.clone(),
                };
                gate.owners.insert(seat, owner);
            }
            (Body::Message(message), Some(seat)) => gate.message(seat, &entry.header.session, message),
            (
                Body::Presence {
                    session, left: true, ..
                },
                Some(seat),
            ) => gate.free(seat, session),
            (Body::Presence { .. } | Body::Void(_) | Body::Due(_) | Body::Notice(_) | Body::Unknown, _)
            | (Body::Claim(..) | Body::Message(_), None) => {}
        }
        gate
    }

    fn message(&mut self, seat: ParticipantId, session: &str, message: &ClientMessage) {
        if *message == (ClientMessage::Bye {}) {
            self.free(seat, session);
        }
        // Somebody who is not there decides nothing, and about nobody who never came.
        if !is_staff(seat) || !self.came.contains(&seat) {
            return;
        }
        let there = |who: &ParticipantId| self.came.contains(who) && !is_staff(*who);
        let host = Person::of(seat) == Some(Person::HOST);
        if let ClientMessage::Admit(d) = message
            && there(&d.participant)
            && !self.removed.contains(&d.participant)
        {
            self.admitted.insert(d.participant);
        } else if let ClientMessage::Hold(d) = message
            && there(&d.participant)
        {
            self.admitted.remove(&d.participant);
        } else if let ClientMessage::Remove(d) = message
            && there(&d.participant)
            && host
        {
            self.admitted.remove(&d.participant);
            self.removed.insert(d.participant);
        }
    }

    fn free(&mut self, seat: ParticipantId, session: &str) {
        if self.owners.get(&seat).is_some_and(|owner| owner.session == session) {
            self.owners.remove(&seat);
        }
    }

    pub fn owner(&self, seat: ParticipantId) -> Option<&Owner> {
        self.owners.get(&seat)
    }

    /// Why a frame of the entry at this place must not reach a person.
    pub fn why_not(&self, reader: Person, header: &Header, message: &ServerMessage) -> Option<&'static str> {
        let seat = reader.seat();
        if reader.is_staff() {
            return None;
        }
        let sender = header.from.filter(|from| *from != seat && !is_staff(*from));
        if sender.is_some_and(|from| !self.were_in.contains(&from) && !self.admitted.contains(&from)) {
            return Some("not admitted, and heard by somebody who is not staff");
        }
        let inside = self.admitted.contains(&seat) || self.were_in.contains(&seat);
        (!inside && !Self::is_for_who_waits(seat, message)).then_some("not admitted, and told of the room")
    }

    /// What somebody who waits may hear of.
    fn is_for_who_waits(seat: ParticipantId, message: &ServerMessage) -> bool {
        if let ServerMessage::Admitted { participant, .. }
        | ServerMessage::Denied { participant, .. }
        | ServerMessage::Held { participant, .. }
        | ServerMessage::Removed { participant, .. }
        | ServerMessage::Role { participant, .. } = message
        {
            return *participant == seat;
        }
        matches!(
            message,
            ServerMessage::Chat { .. }
                | ServerMessage::Extended { .. }
                | ServerMessage::Ending { .. }
                | ServerMessage::EndUndone {}
                | ServerMessage::Ended { .. }
                | ServerMessage::Reopened { .. }
                | ServerMessage::Refused { .. }
                | ServerMessage::Notice { .. }
        )
    }
}
