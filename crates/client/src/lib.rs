//! A client of the API and of the signaling protocol, for tests, benches and probes.
//!
//! [`Api`] speaks HTTP and keeps cookies. [`Page`] holds the client's side of the protocol's rules and does no I/O:
//! numbers, the outbox, what was taken, what acts, when to come back. [`Visitor`] is a page with a socket whose frames
//! its caller sends and reads; [`Keeper`] is one that keeps its seat by itself.
#![deny(missing_docs)]

mod api;
mod desk;
mod keeper;
mod page;
mod visitor;

pub use api::{Answer, Api, ApiError};
pub use desk::{Desk, DeskError};
pub use keeper::{Act, Keeper};
pub use page::{Action, Event, Link, Page, Taken, TicketAnswer, Why};
pub use visitor::{Ended, Visitor};
