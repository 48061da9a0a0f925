//! Logs in the memory of one process.

mod log;

use crate::{
    AppendAnswer, Away, Beat, BeatAnswer, ClaimAnswer, ClaimRequest, Draft, Leases, Mark, RoomKey, RoomLog, Snapshot,
    Subscription, Tail,
};
use async_trait::async_trait;
use heliograph_domain::clock::Clock;
use log::Log;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Logs in the memory of one process; its clock is the process's.
pub struct Memory {
    rooms: Mutex<HashMap<RoomKey, Arc<Mutex<Log>>>>,
    clock: Arc<dyn Clock>,
    leases: Leases,
}

impl Memory {
    /// No rooms yet.
    pub fn new(clock: Arc<dyn Clock>, leases: Leases) -> Memory {
        Memory {
            rooms: Mutex::default(),
            clock,
            leases,
        }
    }

    /// Each call is one step of one log: nothing else happens to that log meanwhile.
    fn with<T>(&self, room: &RoomKey, step: impl FnOnce(&mut Log) -> T) -> T {
        let log = {
            let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(rooms.entry(room.clone()).or_default())
        };
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        step(&mut log)
    }
}

#[async_trait]
impl RoomLog for Memory {
    async fn claim(&self, room: &RoomKey, mark: Mark, claim: ClaimRequest) -> Result<ClaimAnswer, Away> {
        let now = self.clock.now();
        Ok(self.with(room, |log| log.claim(now, mark, claim, self.leases)))
    }

    async fn append(&self, room: &RoomKey, mark: Mark, draft: Draft) -> Result<AppendAnswer, Away> {
        let now = self.clock.now();
        Ok(self.with(room, |log| log.append(now, mark, draft)))
    }

    async fn beat(&self, room: &RoomKey, beat: Beat) -> Result<BeatAnswer, Away> {
        let now = self.clock.now();
        Ok(self.with(room, |log| log.beat(now, &beat, self.leases)))
    }

    async fn read_after(&self, room: &RoomKey, seq: u64) -> Result<Tail, Away> {
        Ok(self.with(room, |log| log.read_after(seq)))
    }

    async fn subscribe(&self, room: &RoomKey) -> Result<Subscription, Away> {
        Ok(self.with(room, Log::subscribe))
    }

    async fn snapshot(&self, room: &RoomKey, snapshot: Snapshot) -> Result<bool, Away> {
        Ok(self.with(room, |log| log.snapshot(snapshot)))
    }

    async fn forget(&self, room: &RoomKey) -> Result<(), Away> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner).remove(room);
        Ok(())
    }
}
