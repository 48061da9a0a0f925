//! One visit's room: a pure fold of its log.
//!
//! [`Room::apply`] takes the next entry and returns what it means: who gets which frame, and whether a claim holds. It
//! is the only place with room rules and the only judge. Time comes from the entry, so that every node that folds the
//! same log has the same room, byte for byte ([`Room::to_snapshot`]).
#![deny(missing_docs)]

mod apply;
mod entry;
mod guests;
mod media;
mod notify;
mod people;
mod room;
mod seats;
mod view;

pub use entry::{Body, ClaimData, Deadlines, Entry, Notice, Opened, Unreadable, VoidData};
pub use guests::{Guest, Standing};
pub use room::{Applied, ClaimOutcome, Delivery, RULES, Room};
