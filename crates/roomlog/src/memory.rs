//! Logs in the memory of one process.

use crate::{
    AppendAnswer, Away, Beat, BeatAnswer, ClaimAnswer, ClaimRequest, Draft, Fsync, Journal, Leases, Log, LogEntry,
    Mark, Record, RoomKey, RoomLog, Snapshot, Subscription, Tail,
};
use async_trait::async_trait;
use futures::channel::mpsc;
use heliograph_domain::{UnixMillis, clock::Clock};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Entries that a slow reader may be behind before it must read the log itself.
const SUBSCRIPTION: usize = 256;

/// Logs in the memory of one process; its clock is the process's. With a journal they outlive the process.
#[derive(Clone)]
pub struct Memory {
    rooms: Arc<Mutex<HashMap<RoomKey, Arc<Mutex<Slot>>>>>,
    clock: Arc<dyn Clock>,
    leases: Leases,
    journal: Option<Arc<Journal>>,
}

#[derive(Default)]
struct Slot {
    log: Log,
    readers: Vec<mpsc::Sender<Arc<LogEntry>>>,
    /// The room's file, if there is one, is in `log`.
    loaded: bool,
    gone: bool,
}

impl Memory {
    /// No rooms yet, and nothing of them outlives the process.
    pub fn new(clock: Arc<dyn Clock>, leases: Leases) -> Memory {
        Memory {
            rooms: Arc::default(),
            clock,
            leases,
            journal: None,
        }
    }

    /// The rooms of a journal; each is read when it is first asked for.
    pub fn journalled(clock: Arc<dyn Clock>, leases: Leases, journal: Arc<Journal>) -> Memory {
        Memory {
            journal: Some(journal),
            ..Memory::new(clock, leases)
        }
    }

    /// Each call is one step of one log: nothing else happens to that log meanwhile.
    fn with<T>(&self, room: &RoomKey, step: impl FnOnce(&mut Slot) -> Result<T, Away>) -> Result<T, Away> {
        loop {
            let slot = Arc::clone(self.rooms().entry(room.clone()).or_default());
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            if slot.gone {
                continue;
            }
            self.load(room, &mut slot)?;
            let answer = step(&mut slot);
            if slot.log.head() == Mark::START && slot.readers.iter().all(mpsc::Sender::is_closed) {
                // Somebody asked about a room that nobody opened.
                self.remove(room, &mut slot);
            }
            return answer;
        }
    }

    /// Takes the newest `entries` away but for the first of all, as a log does that comes back from an older copy: readers are
    /// not told, and what is taken stays away after a restart. For development.
    pub fn rewind(&self, room: &RoomKey, entries: u64) -> Result<(), Away> {
        let now = self.clock.now();
        self.with(room, |slot| {
            let mut log = slot.log.clone();
            log.take_back(log.head().seq.saturating_sub(entries).max(1), now, self.leases);
            self.rewrite(room, &log)?;
            slot.log = log;
            Ok(())
        })
    }

    /// Whoever waits for this slot meanwhile takes a new one.
    fn remove(&self, room: &RoomKey, slot: &mut Slot) {
        slot.gone = true;
        self.rooms().remove(room);
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomKey, Arc<Mutex<Slot>>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(&self, room: &RoomKey, slot: &mut Slot) -> Result<(), Away> {
        let Some(journal) = self.journal.as_ref().filter(|_| !slot.loaded) else {
            return Ok(());
        };
        if let Some(loaded) = journal.load(room)? {
            if loaded.cut > 0 {
                tracing::warn!(visit = %room.visit, bytes = loaded.cut, "the end of a room's journal was damaged and is cut off");
            }
            let Tail { base, entries } = loaded.tail();
            slot.log = Log::restore(base, entries, self.clock.now(), self.leases);
        }
        slot.loaded = true;
        Ok(())
    }

    /// A step that may append: what is new is written down, then readers hear of it. What can't be written never was.
    async fn extend<T: Send + 'static>(
        &self,
        room: &RoomKey,
        step: impl FnOnce(&mut Log, UnixMillis) -> T + Send + 'static,
    ) -> Result<T, Away> {
        let waits = self
            .journal
            .as_ref()
            .is_some_and(|journal| journal.fsync() == Fsync::Always);
        if !waits {
            return self.extend_now(room, step);
        }
        let (memory, room) = (self.clone(), room.clone());
        at_the_disk(move || memory.extend_now(&room, step)).await
    }

    fn extend_now<T>(&self, room: &RoomKey, step: impl FnOnce(&mut Log, UnixMillis) -> T) -> Result<T, Away> {
        let now = self.clock.now();
        self.with(room, |slot| {
            let before = slot.log.head().seq;
            let answer = step(&mut slot.log, now);
            if let Some(journal) = self.journal.as_ref().filter(|_| slot.log.head().seq > before) {
                let new: Vec<_> = slot.log.since(before).cloned().map(Record::Entry).collect();
                if let Err(error) = journal.append(room, &new) {
                    slot.log.take_back(before, now, self.leases);
                    return Err(error.into());
                }
            }
            for entry in slot.log.since(before) {
                slot.readers
                    .retain_mut(|reader| match reader.try_send(Arc::clone(entry)) {
                        Ok(()) => true,
                        Err(error) => error.is_full(),
                    });
            }
            Ok(answer)
        })
    }

    /// Writes the whole log in the place of what was written of it.
    fn rewrite(&self, room: &RoomKey, log: &Log) -> Result<(), Away> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let (base, entries) = log.parts();
        let tail = Tail {
            base: base.cloned(),
            entries: entries.cloned().collect(),
        };
        Ok(journal.replace(room, &Vec::from(&tail))?)
    }
}

/// Runs what waits for a disk on a thread of its own. A runtime with one thread has nobody to hold up, and shows the same order
/// each time.
async fn at_the_disk<T: Send + 'static>(step: impl FnOnce() -> Result<T, Away> + Send + 'static) -> Result<T, Away> {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => match tokio::task::spawn_blocking(step).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Away("the process is ending".to_owned())),
            },
        },
        Ok(_) | Err(_) => step(),
    }
}

#[async_trait]
impl RoomLog for Memory {
    async fn claim(&self, room: &RoomKey, mark: Mark, claim: ClaimRequest) -> Result<ClaimAnswer, Away> {
        let leases = self.leases;
        self.extend(room, move |log, now| log.claim(now, mark, claim, leases))
            .await
    }

    async fn append(&self, room: &RoomKey, mark: Mark, draft: Draft) -> Result<AppendAnswer, Away> {
        self.extend(room, move |log, now| log.append(now, mark, draft)).await
    }

    async fn beat(&self, room: &RoomKey, beat: Beat) -> Result<BeatAnswer, Away> {
        let leases = self.leases;
        self.extend(room, move |log, now| log.beat(now, &beat, leases)).await
    }

    async fn read_after(&self, room: &RoomKey, mark: Mark) -> Result<Option<Tail>, Away> {
        self.with(room, |slot| Ok(slot.log.read_after(mark)))
    }

    async fn subscribe(&self, room: &RoomKey) -> Result<Subscription, Away> {
        let (sender, receiver) = mpsc::channel(SUBSCRIPTION);
        self.with(room, |slot| {
            slot.readers.push(sender);
            Ok(receiver)
        })
    }

    async fn snapshot(&self, room: &RoomKey, snapshot: Arc<Snapshot>) -> Result<bool, Away> {
        let (memory, room) = (self.clone(), room.clone());
        at_the_disk(move || {
            memory.with(&room, |slot| {
                let taken = slot.log.snapshot(snapshot);
                if taken && let Err(why) = memory.rewrite(&room, &slot.log) {
                    // The file is longer than it must be, and as good.
                    tracing::warn!(visit = %room.visit, "a room's journal could not be shortened: {why}");
                }
                Ok(taken)
            })
        })
        .await
    }

    async fn mend(
        &self,
        room: &RoomKey,
        expected: Mark,
        base: Option<Arc<Snapshot>>,
        entries: Vec<Arc<LogEntry>>,
    ) -> Result<bool, Away> {
        let (memory, room, now) = (self.clone(), room.clone(), self.clock.now());
        at_the_disk(move || {
            memory.with(&room, |slot| {
                let mut log = slot.log.clone();
                if !log.mend(now, expected, base, entries, memory.leases) {
                    return Ok(false);
                }
                memory.rewrite(&room, &log)?;
                slot.log = log;
                slot.readers.clear();
                Ok(true)
            })
        })
        .await
    }

    async fn forget(&self, room: &RoomKey) -> Result<(), Away> {
        self.with(room, |slot| {
            if let Some(journal) = &self.journal {
                journal.remove(room)?;
            }
            self.remove(room, slot);
            Ok(())
        })
    }
}
