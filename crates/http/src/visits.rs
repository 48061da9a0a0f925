//! `/api/v1/visits`: booking, the day's visits, and what becomes of them.

pub(crate) mod book;
pub(crate) mod cancel;
pub(crate) mod day;
pub(crate) mod one;
pub(crate) mod progress;
pub(crate) mod revoke;

use crate::Edge;
use heliograph_app::Caller;
use heliograph_app::view::{RoomBrief, RoomPhase, RoomWaiting, Visit};
use heliograph_protocol::Phase;

/// The visit with how its room stands, if this node hosts it.
fn with_room(edge: &Edge, caller: &Caller, visit: Visit) -> Visit {
    let room = edge.rooms.brief(&caller.institution, visit.id).map(|brief| RoomBrief {
        phase: match brief.phase {
            Phase::Open {} => RoomPhase::Open,
            Phase::Ending { until_ms: _ } => RoomPhase::Ending,
            Phase::Ended { reopen_until_ms: _ } => RoomPhase::Ended,
        },
        waiting: brief
            .waiting
            .into_iter()
            .map(|one| RoomWaiting {
                participant: one.participant,
                since_ms: one.since_ms,
                knocked: one.knocked,
            })
            .collect(),
        present: brief.present,
    });
    Visit { room, ..visit }
}
