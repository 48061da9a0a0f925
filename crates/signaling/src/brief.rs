//! What the desk is told of a room.

use heliograph_domain::{ParticipantId, UnixMillis};
use heliograph_protocol::Phase;
use heliograph_room::{Guest, Room};

/// A hosted room in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomBrief {
    /// The instant of the log's last entry.
    pub at: UnixMillis,
    /// The room's seq: of two briefs, the one with the higher `(at, s)` is newer. 0: the log was not read yet.
    pub s: u64,
    /// Where the visit stands.
    pub phase: Phase,
    /// When the visit ended, if it did.
    pub ended: Option<UnixMillis>,
    /// Who waits and is there.
    pub waiting: Vec<WaitingBrief>,
    /// Who is in the room and there.
    pub present: Vec<ParticipantId>,
    /// Where everybody stands who is not staff: those whose line is lost too.
    pub guests: Vec<Guest>,
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
        let row = |(participant, since_ms, knocked)| WaitingBrief {
            participant,
            since_ms,
            knocked,
        };
        RoomBrief {
            at: room.at(),
            s: room.seq(),
            phase: room.phase(),
            ended: room.ended_at(),
            waiting: room.waiting_there().map(row).collect(),
            present: room.admitted_there().collect(),
            guests: room.guests().collect(),
        }
    }
}
