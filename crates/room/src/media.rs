//! Descriptions, candidates and the generations of media connections.

use crate::{
    Room,
    notify::{Outgoing, Refusal},
    room::Pair,
};
use heliograph_domain::ParticipantId;
use heliograph_protocol::{ErrorCode, Ice, Media, Phase, Reset, Sdp, SeatState, ServerMessage};

/// The media connection whose generation a [`heliograph_protocol::Member`] tells.
pub(crate) const MAIN: &str = "av";

/// Media connections that one pair may have.
const MOST_CONNECTIONS: usize = 4;

fn pair_key(a: ParticipantId, b: ParticipantId) -> String {
    format!("{} {}", a.min(b), a.max(b))
}

impl Room {
    pub(crate) fn generation(&self, a: ParticipantId, b: ParticipantId, pc: &str) -> u64 {
        self.pairs.get(&pair_key(a, b)).map_or(0, |pair| pair.generation(pc))
    }

    /// A person's page is new in the room: whatever media connection it had with the others is gone.
    pub(crate) fn renew_pairs(&mut self, seat: ParticipantId) {
        for other in self.admitted_but(seat) {
            let pair = self.pairs.entry(pair_key(seat, other)).or_default();
            let highest = pair.resets.values().copied().max().unwrap_or(0).max(pair.base);
            *pair = Pair {
                base: highest + 1,
                resets: std::collections::BTreeMap::new(),
            };
        }
    }

    pub(crate) fn sdp(&mut self, out: &mut Outgoing, from: ParticipantId, sdp: &Sdp) -> Result<(), Refusal> {
        self.require_generation(from, sdp.to, &sdp.pc, sdp.generation)?;
        let message = ServerMessage::Sdp {
            pc: sdp.pc.clone(),
            generation: sdp.generation,
            kind: sdp.kind,
            sdp: sdp.sdp.clone(),
        };
        out.give([sdp.to], message);
        Ok(())
    }

    pub(crate) fn ice(&mut self, out: &mut Outgoing, from: ParticipantId, ice: &Ice) -> Result<(), Refusal> {
        self.require_generation(from, ice.to, &ice.pc, ice.generation)?;
        let message = ServerMessage::Ice {
            pc: ice.pc.clone(),
            generation: ice.generation,
            candidates: ice.candidates.clone(),
        };
        out.give([ice.to], message);
        Ok(())
    }

    /// Both sides may see a dead connection at once: the first `reset` counts, the other is stale.
    pub(crate) fn reset(&mut self, out: &mut Outgoing, from: ParticipantId, reset: &Reset) -> Result<(), Refusal> {
        self.require_pair(from, reset.to)?;
        let pair = self.pairs.entry(pair_key(from, reset.to)).or_default();
        let next = pair.generation(&reset.pc) + 1;
        if reset.generation != next {
            return Err(if reset.generation < next {
                ErrorCode::Stale
            } else {
                ErrorCode::BadState
            });
        }
        if !pair.resets.contains_key(&reset.pc) && pair.resets.len() == MOST_CONNECTIONS {
            return Err(ErrorCode::TooLarge);
        }
        pair.resets.insert(reset.pc.clone(), next);
        out.give(
            [reset.to],
            ServerMessage::Reset {
                pc: reset.pc.clone(),
                generation: next,
            },
        );
        Ok(())
    }

    pub(crate) fn media(&mut self, out: &mut Outgoing, from: ParticipantId, media: Media) -> Result<(), Refusal> {
        self.require_admitted(from)?;
        let Some(seat) = self.seats.get_mut(&from) else {
            return Err(ErrorCode::NotAdmitted);
        };
        seat.media = media;
        out.give(self.admitted_but(from), ServerMessage::Media { media });
        Ok(())
    }

    fn require_generation(&self, from: ParticipantId, to: ParticipantId, pc: &str, is: u64) -> Result<(), Refusal> {
        self.require_pair(from, to)?;
        let now = self.generation(from, to, pc);
        match is.cmp(&now) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Less => Err(ErrorCode::Stale),
            std::cmp::Ordering::Greater => Err(ErrorCode::BadState),
        }
    }

    fn require_pair(&self, from: ParticipantId, to: ParticipantId) -> Result<(), Refusal> {
        self.require_admitted(from)?;
        if from != to
            && self
                .seats
                .get(&to)
                .is_some_and(|seat| seat.state == SeatState::Admitted)
        {
            Ok(())
        } else {
            Err(ErrorCode::NoSuchPeer)
        }
    }

    pub(crate) fn require_admitted(&self, seat: ParticipantId) -> Result<(), Refusal> {
        match self.phase {
            Phase::Ended { .. } => return Err(ErrorCode::RoomEnded),
            Phase::Open {} | Phase::Ending { .. } => {}
        }
        if self.state(seat) == Some(SeatState::Admitted) {
            Ok(())
        } else {
            Err(ErrorCode::NotAdmitted)
        }
    }
}

impl Pair {
    fn generation(&self, pc: &str) -> u64 {
        self.resets.get(pc).copied().unwrap_or(self.base)
    }
}
