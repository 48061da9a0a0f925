//! What signaling needs from the rest of the service. `app` serves [`Rights`] and [`Record`]; `server` wires them.

use async_trait::async_trait;
use heliograph_access::Keys;
use heliograph_domain::{
    Language, ParticipantId, PersonId, Pii, Role, TenantId, UnixMillis, VisitId,
    clock::{Clock, Entropy},
    visit::FactKind,
};
use heliograph_protocol::{DeskState, IceServer, Limits, Timers};
use heliograph_roomlog::{Away, RoomKey, RoomLog};
use std::{ops::Range, sync::Arc};
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
    /// What the desk shows beside rooms.
    pub desk: Arc<dyn Desk>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Tickets, resume secrets, room data.
    pub keys: Keys,
    /// Faults on demand; `None` for every service that people rely on.
    pub simulate: Option<Arc<dyn Simulate>>,
}

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Limits of a connection.
    pub limits: Limits,
    /// All timers.
    pub timers: Timers,
    /// Relay and address servers.
    pub ice_servers: Vec<IceServer>,
    /// How long a page may use them, in milliseconds; it is told again before that.
    pub ice_lifetime_ms: u64,
    /// When a log is cut.
    pub trim: Trim,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            limits: Limits::default(),
            timers: Timers::default(),
            ice_servers: Vec::new(),
            ice_lifetime_ms: 24 * 60 * 60 * 1000,
            trim: Trim::default(),
        }
    }
}

/// When a log is cut at a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trim {
    /// Entries after which a fold is worth keeping.
    pub worth_entries: usize,
    /// A log never grows beyond so many entries, whoever has not read it.
    pub most_entries: usize,
    /// Nor beyond so many bytes.
    pub most_bytes: usize,
}

impl Default for Trim {
    fn default() -> Trim {
        Trim {
            worth_entries: 64,
            most_entries: 4_096,
            most_bytes: 2 * 1024 * 1024,
        }
    }
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
    /// The generation of the person's link: what an older one gave is void.
    pub generation: u32,
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

/// A decision in a room, or a page that took its seat, that must outlive the room's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Who decided, or whose seat it is.
    pub seat: ParticipantId,
    /// The session that numbered it.
    pub session: String,
    /// Its number there.
    pub cseq: u64,
    /// What it is.
    pub kind: FactKind,
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

/// What a development service does to itself when a page asks for it.
#[async_trait]
pub trait Simulate: Send + Sync + 'static {
    /// Ends the process at once, as `kill -9` does: nothing is told, nothing is tidied up.
    fn kill(&self);

    /// Takes the newest entries of a room's log away, as a log does that comes back from an older copy. Nobody is told.
    async fn rewind(&self, room: &RoomKey) -> Result<(), Away>;
}

/// What a member of staff may see on the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskRights {
    /// All visits of the institution, and not only those that the person takes part in.
    pub everything: bool,
    /// Visits that touch this span are shown.
    pub shown: Range<UnixMillis>,
    /// When the person's own day ends, and another span is to be shown.
    pub day_ends: UnixMillis,
    /// When the session ends, whatever happens.
    pub until: UnixMillis,
}

/// How a visit stands as far as the store knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskRow {
    /// The visit.
    pub visit: VisitId,
    /// From its start to its end.
    pub span: Range<UnixMillis>,
    /// Who takes part.
    pub people: Vec<PersonId>,
    /// Counts the changes of the booking.
    pub version: i64,
    /// It does not take place.
    pub cancelled: bool,
    /// Whose page is the furthest, and since when.
    pub reported: Option<DeskReport>,
    /// When it was ended in its room, if it is.
    pub ended: Option<UnixMillis>,
}

/// How far a page said that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeskReport {
    /// `opened`, `testing` or `checked_in`.
    pub state: DeskState,
    /// Whose page.
    pub by: ParticipantId,
    /// Since when.
    pub at: UnixMillis,
}

/// Asked when a desk is opened, and when a visit has changed.
#[async_trait]
pub trait Desk: Send + Sync + 'static {
    /// What somebody may see whose session has this name; `None` if that session is over.
    async fn rights(
        &self,
        institution: &TenantId,
        person: PersonId,
        session: &str,
    ) -> Result<Option<DeskRights>, StoreAway>;

    /// All visits of the institution that touch a span.
    async fn rows(&self, institution: &TenantId, span: Range<UnixMillis>) -> Result<Vec<DeskRow>, StoreAway>;

    /// One of them; `None` if there is no such visit.
    async fn row(&self, institution: &TenantId, visit: VisitId) -> Result<Option<DeskRow>, StoreAway>;
}
