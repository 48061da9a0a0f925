//! What the desk's list shows of a room.

use heliograph_domain::{ParticipantId, UnixMillis};
use heliograph_protocol::Phase;
use heliograph_room::Room;

/// A hosted room in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomBrief {
    /// Where the visit stands.
    pub phase: Phase,
    /// Who waits and is there.
    pub waiting: Vec<WaitingBrief>,
    /// Who is in the room and there.
    pub present: Vec<ParticipantId>,
}

/// Somebody who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingBrief {
    /// Who.
    pub participant: ParticipantId,
    /// Since when.
    pub since_ms: UnixMillis,
    /// They said that they are ready.
    pub knocked: bool,
}

impl RoomBrief {
    pub(crate) fn of(room: &Room) -> RoomBrief {
        let (waiting, present) = room.brief();
        let row = |w: heliograph_protocol::Waiting| WaitingBrief {
            participant: w.participant,
            since_ms: w.since_ms,
            knocked: w.knocked,
        };
        RoomBrief {
            phase: room.phase(),
            waiting: waiting.into_iter().map(row).collect(),
            present,
        }
    }
}
