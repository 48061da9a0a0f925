//! Ordered logs of sealed entries, one for each room, behind one port.
//!
//! A log numbers entries, keeps who has which seat, what was accepted of each session, leases and used tickets; it
//! knows no room rules and reads no sealed data. [`Memory`] keeps logs in the process.
#![deny(missing_docs)]

mod clear;
mod journal;
mod log;
mod memory;
mod port;
pub mod repair;

pub use clear::{Clear, SeatRow};
pub use journal::{Boot, Fsync, Journal, JournalError, Loaded, Old, Record};
pub use log::Log;
pub use memory::Memory;
pub use port::{
    AppendAnswer, Away, Beat, BeatAnswer, ClaimAnswer, ClaimRequest, Draft, Leases, LogEntry, Mark, RoomKey, RoomLog,
    SeatBeat, Snapshot, Subscription, Tail,
};
