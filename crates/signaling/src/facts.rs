//! Decisions, and pages that came in with a ticket: both are recorded in the store before their sender hears of it.

use crate::{Fact, Ports};
use heliograph_domain::{ParticipantId, visit::FactKind};
use heliograph_protocol::{ClientMessage, Decision, ServerMessage};
use heliograph_room::{Applied, Body, ClaimOutcome, Delivery, Entry};
use heliograph_roomlog::RoomKey;
use std::collections::VecDeque;

/// Facts on their way to the store, oldest first.
#[derive(Default)]
pub(crate) struct Facts {
    waiting: VecDeque<Fact>,
}

impl Facts {
    /// Notes an entry if it must be recorded. What the room refused never happened.
    pub fn note(&mut self, entry: &Entry, applied: &Applied) {
        let refused = |delivery: &Delivery| matches!(delivery.message, Some(ServerMessage::Refused { .. }));
        if applied.deliveries.iter().any(refused) {
            return;
        }
        let Some(seat) = entry.header.from else { return };
        let fact = match &entry.body {
            Body::Message(message) => recorded(message),
            // A page that shows its secret was here before.
            Body::Claim(row, _) if matches!(applied.claim, Some(ClaimOutcome::Allowed { .. })) => {
                row.ticket.as_ref().map(|_| (FactKind::Join, None))
            }
            Body::Claim(..)
            | Body::Opened(_)
            | Body::Presence { .. }
            | Body::Due(_)
            | Body::Notice(_)
            | Body::Void(_)
            | Body::Unknown => None,
        };
        if let Some((kind, participant)) = fact {
            self.waiting.push_back(Fact {
                seat,
                session: entry.header.session.clone(),
                cseq: entry.header.cseq,
                kind,
                participant,
                at: entry.header.at,
            });
        }
    }

    /// Writes what waits; what the store did not take waits on.
    pub async fn write(&mut self, ports: &Ports, room: &RoomKey) {
        while let Some(fact) = self.waiting.front() {
            if let Err(away) = ports.record.record(&room.institution, room.visit, fact).await {
                tracing::warn!(visit = %room.visit, kind = %fact.kind, "a decision waits for the store: {away}");
                return;
            }
            self.waiting.pop_front();
        }
        // Its memory is given back.
        self.waiting = VecDeque::new();
    }

    /// The highest number of a seat's session that may be acknowledged, given what the fold has seen.
    pub fn acknowledged(&self, seat: ParticipantId, session: &str, seen: u64) -> u64 {
        let first = self
            .waiting
            .iter()
            .find(|fact| fact.seat == seat && fact.session == session);
        first.map_or(seen, |fact| seen.min(fact.cseq - 1))
    }

    /// Nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

fn recorded(message: &ClientMessage) -> Option<(FactKind, Option<ParticipantId>)> {
    let about = |kind, decision: &Decision| Some((kind, Some(decision.participant)));
    match message {
        ClientMessage::Admit(decision) => about(FactKind::Admit, decision),
        ClientMessage::Deny(decision) => about(FactKind::Deny, decision),
        ClientMessage::Hold(decision) => about(FactKind::Hold, decision),
        ClientMessage::Remove(decision) => about(FactKind::Remove, decision),
        ClientMessage::End {} => Some((FactKind::End, None)),
        ClientMessage::UndoEnd {} => Some((FactKind::EndUndone, None)),
        ClientMessage::Reopen {} => Some((FactKind::Reopen, None)),
        ClientMessage::Hello(_)
        | ClientMessage::Sdp(_)
        | ClientMessage::Ice(_)
        | ClientMessage::Reset(_)
        | ClientMessage::Media(_)
        | ClientMessage::Chat(_)
        | ClientMessage::Knock { .. }
        | ClientMessage::Unknock {}
        | ClientMessage::Role { .. }
        | ClientMessage::AskMute { .. }
        | ClientMessage::Lock { .. }
        | ClientMessage::Extend { .. }
        | ClientMessage::StepOut {}
        | ClientMessage::CallMe { .. }
        | ClientMessage::Nop {}
        | ClientMessage::Ack { .. }
        | ClientMessage::IceServers {}
        | ClientMessage::Quality { .. }
        | ClientMessage::Ping {}
        | ClientMessage::Simulate { .. }
        | ClientMessage::Bye {} => None,
    }
}
