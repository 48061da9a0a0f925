//! What outlives a process: one body of SQL for SQLite and PostgreSQL, two folders of migrations.
//!
//! Every function takes the institution first, and no row of another one is ever seen; what an institution does not have
//! is `None`. Lost races are outcomes, not errors; a row that cannot be read names its table, column and key.
#![deny(missing_docs)]

mod audit;
mod booking;
mod calendar;
mod change;
mod device;
mod engine;
mod error;
mod fact;
mod idempotency;
mod meta;
mod outbox;
mod people;
mod row;
mod session;
mod visit;

pub use audit::AuditRow;
pub use booking::{Booking, Outcome};
pub use change::{Cancellation, Revocation};
pub use device::{Binding, BoundDevice};
pub use engine::{Engine, Store, file_url};
pub use error::StoreError;
pub use idempotency::{Answer, RequestKey, Stored};
pub use outbox::{OutboxRow, ROOM, RoomRow};
pub use people::NewPerson;
pub use session::StaffSession;
