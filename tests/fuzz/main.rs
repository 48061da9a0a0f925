//! Bent frames against what stands behind the protocol: the fold of a room, and a socket's session with its room. A failure
//! prints what was bent, made as short as it gets; `HELIOGRAPH_FUZZ_SEED=…` runs a seed again.

#[path = "../../crates/protocol/tests/mutate/mod.rs"]
mod mutate;

mod fold;
mod socket;

const FIXTURES_FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/protocol/fixtures");
