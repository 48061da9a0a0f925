//! A client of the API and of the signaling protocol, for tests, benches and probes.
//!
//! [`Api`] speaks HTTP and keeps cookies. [`Page`] holds the client's side of the protocol's rules and does no I/O:
//! numbers, the outbox, what was taken, what acts. [`Visitor`] is a page with a socket.
#![deny(missing_docs)]

mod api;
mod page;
mod visitor;

pub use api::{Answer, Api, ApiError};
pub use page::{Page, Taken};
pub use visitor::{Ended, Visitor};
