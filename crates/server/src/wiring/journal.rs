//! The files that bring rooms back after the process ended.

use crate::config::{FsyncPolicy, RoomLogs};
use crate::data::DataFolder;
use anyhow::Context;
use heliograph_domain::clock::Clock;
use heliograph_roomlog::{Fsync, Journal, RoomKey};
use heliograph_signaling::Rooms;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const SECOND: Duration = Duration::from_secs(1);

/// The journal, if the configuration wants one, and the rooms that it holds.
pub struct Journalled {
    pub journal: Option<Arc<Journal>>,
    before: Vec<RoomKey>,
}

impl Journalled {
    /// Opens the folder; what is older than it may be is removed.
    pub fn open(config: &RoomLogs, data: &DataFolder, clock: &dyn Clock) -> anyhow::Result<Self> {
        if !config.journal {
            let (journal, before) = (None, Vec::new());
            return Ok(Self { journal, before });
        }
        let fsync = match config.fsync {
            FsyncPolicy::Never => Fsync::Never,
            FsyncPolicy::EverySecond => Fsync::Every(SECOND),
            FsyncPolicy::Always => Fsync::Always,
        };
        let (journal, boot) = Journal::open(&data.rooms(), fsync).context("the rooms' folder can't be used")?;
        if !boot.clean {
            tracing::warn!("the service did not end in order: pages send again what the rooms' journals lack");
        }
        let old = journal.old(clock.now().plus(-i64::from(config.keep_hours) * 3_600_000))?;
        for error in old.unread {
            tracing::warn!("a room's journal can't be read and is left alone: {error}");
        }
        for room in &old.rooms {
            journal.remove(room)?;
        }
        let before = boot
            .rooms
            .into_iter()
            .filter(|room| !old.rooms.contains(room))
            .collect();
        let journal = Some(Arc::new(journal));
        Ok(Self { journal, before })
    }

    /// Hosts the rooms of before, so that their leases and deadlines go on; then writes to the disk as the policy says.
    pub async fn keep(self, rooms: Rooms, stop: CancellationToken) {
        for room in &self.before {
            rooms.wake(room).await;
        }
        let Some(journal) = self
            .journal
            .filter(|journal| matches!(journal.fsync(), Fsync::Every(_)))
        else {
            return;
        };
        let mut tick = tokio::time::interval(SECOND);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            let journal = Arc::clone(&journal);
            let synced = tokio::task::spawn_blocking(move || journal.sync()).await;
            if let Ok(Err(error)) = synced {
                tracing::warn!("rooms' journals could not be brought to the disk: {error}");
            }
        }
    }
}
