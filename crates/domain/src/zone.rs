//! Time zones: the only place where local times become instants, and instants local times.
//!
//! A local time exists only with a zone. [`Zone`] is a name that is known to exist, [`WallTime`] is what a calendar
//! and a clock on the wall show, [`Tzdb`] is one release of the IANA database and does all conversions. Wall times
//! that a clock skips (gaps) or shows twice (folds) are told apart by [`Tzdb::resolve`]; [`Tzdb::boundary`] settles
//! them for the edges of windows.
//!
//! jiff converts. chrono-tz, whose compiled-in release is older, names the zones and cross-checks.

mod database;
mod date;
mod difference;
mod name;
mod source;
mod text;
mod utc;
mod wall;

pub use database::{Resolved, Tzdb};
pub use date::{InvalidDate, LocalDate, UnknownWeekday, Weekday};
pub use difference::Difference;
pub use name::{UnknownZone, Zone};
pub use source::{SourceKind, TzdbError, TzdbSource};
pub use utc::{InvalidUtcText, UtcText};
pub use wall::{InvalidTimeOfDay, InvalidWallTime, LocalTime, TimeOfDay, WallTime};
