//! What tests of rooms stand on.

pub mod stage;
