//! The store's last word at a claim, where the log may have lost its end.

use super::Host;
use heliograph_domain::{ParticipantId, Role};
use heliograph_protocol::{CloseCode, ErrorCode, Phase, SeatState};
use heliograph_roomlog::Away;

/// What the store says of somebody who comes.
pub(super) enum Word {
    /// They may come, and stand there if the log does not know them.
    In(Option<SeatState>),
    /// They may not.
    Out(ErrorCode, CloseCode),
}

impl Host {
    /// Asks the store about somebody who comes to a room whose log was there before this node: it is the last word on who was
    /// removed and on the end. Any other log has all that this node did.
    pub(super) async fn last_word(&self, seat: ParticipantId, role: Role) -> Result<Word, Away> {
        if !self.found {
            return Ok(Word::In(None));
        }
        let known = self.room.state(seat).is_some();
        let (institution, visit) = (&self.key.institution, self.key.visit);
        let opening = match self.shared.ports.rights.opening(institution, visit).await {
            Ok(opening) => opening.unwrap_or_default(),
            // Who is known comes back while the store is away.
            Err(_) if known => return Ok(Word::In(None)),
            Err(away) => return Err(Away(away.to_string())),
        };
        if opening.removed.contains(&seat) {
            return Ok(Word::Out(ErrorCode::Forbidden, CloseCode::Removed));
        }
        if opening.ended.is_some() && !role.is_staff() && self.room.phase() == (Phase::Open {}) {
            return Ok(Word::Out(ErrorCode::RoomEnded, CloseCode::Ended));
        }
        let stands = [
            (&opening.admitted, SeatState::Admitted),
            (&opening.held, SeatState::Held),
        ];
        let stands = stands.into_iter().find(|(who, _)| who.contains(&seat));
        Ok(Word::In(stands.map(|(_, state)| state).filter(|_| !known)))
    }
}
