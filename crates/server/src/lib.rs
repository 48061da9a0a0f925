//! The top of the house: configuration, wiring, telemetry, life cycle, and the commands of `heliograph`.

mod clock;
mod commands;
pub mod config;
mod connections;
mod data;
mod lifecycle;
mod readiness;
mod secret;
mod telemetry;
mod wiring;

pub use clock::{SystemClock, SystemEntropy};
pub use commands::main;
pub use readiness::Dependencies;
pub use wiring::Service;
