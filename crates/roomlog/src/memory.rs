//! Logs in the memory of one process.

use crate::{
    AppendAnswer, Away, Beat, BeatAnswer, ClaimAnswer, ClaimRequest, Draft, Leases, Log, LogEntry, Mark, RoomKey,
    RoomLog, Snapshot, Subscription, Tail,
};
use async_trait::async_trait;
use heliograph_domain::{UnixMillis, clock::Clock};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::mpsc;

/// Entries that a slow reader may be behind before it must read the log itself.
const SUBSCRIPTION: usize = 256;

/// Logs in the memory of one process; its clock is the process's.
pub struct Memory {
    rooms: Mutex<HashMap<RoomKey, Arc<Mutex<Slot>>>>,
    clock: Arc<dyn Clock>,
    leases: Leases,
}

#[derive(Default)]
struct Slot {
    log: Log,
    readers: Vec<mpsc::Sender<Arc<LogEntry>>>,
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
    fn with<T>(&self, room: &RoomKey, step: impl FnOnce(&mut Slot) -> T) -> T {
        let slot = {
            let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(rooms.entry(room.clone()).or_default())
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        step(&mut slot)
    }

    /// A step that may append: its readers hear of what is new.
    fn extend<T>(&self, room: &RoomKey, step: impl FnOnce(&mut Log, UnixMillis) -> T) -> T {
        let now = self.clock.now();
        self.with(room, |slot| {
            let before = slot.log.head().seq;
            let answer = step(&mut slot.log, now);
            for entry in slot.log.since(before) {
                slot.readers.retain(|reader| match reader.try_send(Arc::clone(entry)) {
                    Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => true,
                    Err(mpsc::error::TrySendError::Closed(_)) => false,
                });
            }
            answer
        })
    }
}

#[async_trait]
impl RoomLog for Memory {
    async fn claim(&self, room: &RoomKey, mark: Mark, claim: ClaimRequest) -> Result<ClaimAnswer, Away> {
        Ok(self.extend(room, |log, now| log.claim(now, mark, claim, self.leases)))
    }

    async fn append(&self, room: &RoomKey, mark: Mark, draft: Draft) -> Result<AppendAnswer, Away> {
        Ok(self.extend(room, |log, now| log.append(now, mark, draft)))
    }

    async fn beat(&self, room: &RoomKey, beat: Beat) -> Result<BeatAnswer, Away> {
        Ok(self.extend(room, |log, now| log.beat(now, &beat, self.leases)))
    }

    async fn read_after(&self, room: &RoomKey, mark: Mark) -> Result<Option<Tail>, Away> {
        Ok(self.with(room, |slot| slot.log.read_after(mark)))
    }

    async fn subscribe(&self, room: &RoomKey) -> Result<Subscription, Away> {
        let (sender, receiver) = mpsc::channel(SUBSCRIPTION);
        self.with(room, |slot| slot.readers.push(sender));
        Ok(receiver)
    }

    async fn snapshot(&self, room: &RoomKey, snapshot: Arc<Snapshot>) -> Result<bool, Away> {
        Ok(self.with(room, |slot| slot.log.snapshot(snapshot)))
    }

    async fn mend(
        &self,
        room: &RoomKey,
        expected: Mark,
        base: Option<Arc<Snapshot>>,
        entries: Vec<Arc<LogEntry>>,
    ) -> Result<bool, Away> {
        let now = self.clock.now();
        Ok(self.with(room, |slot| {
            let mended = slot.log.mend(now, expected, base, entries, self.leases);
            if mended {
                slot.readers.clear();
            }
            mended
        }))
    }

    async fn forget(&self, room: &RoomKey) -> Result<(), Away> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner).remove(room);
        Ok(())
    }
}
