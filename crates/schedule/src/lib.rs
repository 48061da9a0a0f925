//! Pure booking decisions: availability rules, free time, conflicts and the next free starts.
//!
//! Everything here takes values and returns values. Local times become instants only through `domain::zone`.
#![deny(missing_docs)]

pub mod booking;
pub mod case;
pub mod rule;
