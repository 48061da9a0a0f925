//! The faults that a development service makes when a page asks for them.

use async_trait::async_trait;
use heliograph_roomlog::{Away, Memory, RoomKey};
use heliograph_signaling::Simulate;
use std::sync::Arc;

/// Entries that a log loses.
const REWOUND: u64 = 5;

pub(super) struct Faults(pub(super) Arc<Memory>);

#[async_trait]
impl Simulate for Faults {
    fn kill(&self) {
        std::process::abort();
    }

    async fn rewind(&self, room: &RoomKey) -> Result<(), Away> {
        self.0.rewind(room, REWOUND)
    }
}
