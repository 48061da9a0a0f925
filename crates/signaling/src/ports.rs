//! What signaling needs from the rest of the service. `app` serves [`Rights`] and [`Record`]; `server` wires them.

use async_trait::async_trait;
use heliograph_access::Keys;
use heliograph_domain::{
    Language, ParticipantId, Pii, Role, TenantId, UnixMillis, VisitId,
    clock::{Clock, Entropy},
};
use heliograph_protocol::{IceServer, Limits, Timers};
use heliograph_roomlog::RoomLog;
use std::sync::Arc;
use thiserror::Error;

/// Everything that signaling is given.
#[derive(Clone)]
pub struct Ports {
    /// The logs of rooms.
    pub log: Arc<dyn RoomLog>,
    /// Who may sit where.
    pub rights: Arc<dyn Rights>,
    /// Where decisions are recorded.
    pub record: Arc<dyn Record>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Tickets, resume secrets, room data.
    pub keys: Keys,
}

/// What an operator may set.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Limits of a connection.
    pub limits: Limits,
    /// All timers.
    pub timers: Timers,
    /// Relay and address servers.
    pub ice_servers: Vec<IceServer>,
}

/// The store can't be reached.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the store can't be reached")]
pub struct StoreAway;

/// What a person may do in a visit, as the store says now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatRights {
    /// What the person does in the visit.
    pub role: Role,
    /// The name.
    pub name: Pii<String>,
    /// The language.
    pub language: Language,
    /// From when the person may wait here.
    pub opens: UnixMillis,
    /// Until when, unless somebody admitted is still there.
    pub until: UnixMillis,
}

/// What the store remembers of a visit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opening {
    /// Who was admitted.
    pub admitted: Vec<ParticipantId>,
    /// Who was sent back to waiting.
    pub held: Vec<ParticipantId>,
    /// Who was removed.
    pub removed: Vec<ParticipantId>,
    /// When the visit ended, if it did.
    pub ended: Option<UnixMillis>,
}

/// Asked at every claim.
#[async_trait]
pub trait Rights: Send + Sync + 'static {
    /// What a person may do in a visit; `None` if there is no such visit or seat, or no longer.
    async fn seat(
        &self,
        institution: &TenantId,
        visit: VisitId,
        seat: ParticipantId,
    ) -> Result<Option<SeatRights>, StoreAway>;

    /// What the store remembers of a visit; `None` if there is none.
    async fn opening(&self, institution: &TenantId, visit: VisitId) -> Result<Option<Opening>, StoreAway>;
}

/// A decision in a room that must outlive the room's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Who decided.
    pub seat: ParticipantId,
    /// The session that numbered the decision.
    pub session: String,
    /// Its number there.
    pub cseq: u64,
    /// `admit`, `hold`, `remove`, `deny`, `end`, `undo_end` or `reopen`.
    pub kind: &'static str,
    /// Whom it is about.
    pub participant: Option<ParticipantId>,
    /// When.
    pub at: UnixMillis,
}

/// Takes facts before they are acknowledged. A fact that is already there changes nothing.
#[async_trait]
pub trait Record: Send + Sync + 'static {
    /// Writes one fact.
    async fn record(&self, institution: &TenantId, visit: VisitId, fact: &Fact) -> Result<(), StoreAway>;
}
