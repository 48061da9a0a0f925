//! The words that everything else uses: ids, roles, people, visits, languages and time zones.
//!
//! This crate is pure. It reads no clock, no random number and no environment: whoever calls brings `now` and
//! entropy through the ports in [`clock`].
#![deny(missing_docs)]

pub mod clock;
pub mod entry;
pub mod id;
pub mod language;
pub mod mutant;
pub mod person;
pub mod pii;
pub mod role;
pub mod visit;
pub mod zone;

pub use clock::{UnixMillis, UnixSeconds};
pub use id::{InvalidId, ParticipantId, PersonId, ResourceId, ServiceId, SessionId, TenantId, VisitId};
pub use language::Language;
pub use pii::Pii;
pub use role::{Role, StaffRole};
