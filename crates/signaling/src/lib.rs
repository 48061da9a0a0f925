//! The async shell of rooms: sockets, sessions, sealing, hosting. The rules are in `heliograph-room`, the order in
//! `heliograph-roomlog`; this crate moves bytes between them and never decides who may do what in a room.

mod brief;
mod desk;
mod facts;
mod host;
mod ports;
#[doc(hidden)]
pub mod probe;
mod queue;
mod rate;
mod rooms;
mod seal;
mod session;
mod wire;

pub use brief::{RoomBrief, WaitingBrief};
pub use ports::{
    Desk, DeskReport, DeskRights, DeskRow, Fact, Opening, Ports, Record, Rights, SeatRights, Settings, Simulate,
    StoreAway, Trim,
};
pub use rooms::Rooms;
pub use wire::{Gone, Incoming, Outgoing};
