//! Who is calling and what they may do: keys, visit links, staff sign-in links, tickets, resume secrets, cookies.
//!
//! This crate computes and compares; it stores nothing and asks nobody. Time is a value that the caller brings, chance
//! comes through [`heliograph_domain::clock::Entropy`].
#![deny(missing_docs)]

pub mod cookie;
pub mod desk_ticket;
pub mod keys;
pub mod link;
pub mod resume;
mod signed;
pub mod staff_link;
pub mod ticket;

pub use cookie::{CookieHash, CookieValue};
pub use keys::{Keys, Secret, SecretTooShort};
