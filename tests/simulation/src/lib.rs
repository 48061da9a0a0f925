//! The room log's promises in thousands of seeded histories.
//!
//! Nodes run the real signaling crate, pages the real client rules, the log is the real state machine; only sockets,
//! machines and time are made up. [`run`] lives through one history of a seed on a runtime with paused time, and its
//! oracle tells what must not have been. docs/decisions/0007-simulation.md says how to replay one.

mod branches;
mod calendar;
mod chance;
mod deeds;
mod habits;
mod line;
mod node;
mod oracle;
mod people;
mod port;
mod rest;
mod server;
mod store;
mod tab;
mod time;
mod trace;
mod world;

use branches::Figures;
pub use branches::{Branches, REQUIRED};
use tokio::runtime::Runtime;
use trace::Trace;

/// How a history went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What must not have been, if something was.
    pub violation: Option<String>,
    /// Events, and a hash over all of them: two runs of a seed have the same.
    pub events: u64,
    /// See `events`.
    pub hash: u64,
}

/// Lives through the history of a seed. The runtime has one thread and paused time. Branches are counted; `print` tells
/// everything as it happens.
pub fn run(runtime: &Runtime, seed: u64, branches: &Branches, print: bool) -> Outcome {
    let trace = Trace::new(print);
    let figures = Figures(branches.clone());
    let live = || runtime.block_on(rest::live(seed, branches.clone(), trace.clone()));
    let violation = metrics::with_local_recorder(&figures, live);
    let (events, hash) = trace.sum();
    Outcome {
        violation,
        events,
        hash,
    }
}
