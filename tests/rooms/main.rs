//! Rooms and their sockets without a network, in virtual time: what takes minutes in a clinic takes none here.

mod codes;
mod pace;
mod record;
mod rights;
