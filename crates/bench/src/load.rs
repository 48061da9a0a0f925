//! The load: people who join rooms and talk on a schedule, and what became of every message.
//!
//! One thread keeps the [`schedule`]; each person is one task with one socket ([`person`] for the service, [`bare`] for the
//! baseline); what they say and hear is counted in the [`ledger`], per direction of a room by a [`tally`].

pub mod bare;
pub mod crowd;
pub mod ledger;
pub mod message;
pub mod person;
pub mod schedule;
pub mod socket;
pub mod tally;
