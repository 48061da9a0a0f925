//! The rooms in use, and which of their files are open.

use super::file::RoomFile;
use crate::RoomKey;
use heliograph_domain::{TenantId, VisitId};
use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// A room in use. Its lock is held while its file is read, written or synced; no other lock is.
#[derive(Default)]
pub(super) struct Room {
    file: Mutex<RoomFile>,
    /// Since it was last looked at by [`Shelf::opened`].
    used: AtomicBool,
}

impl Room {
    pub fn lock(&self) -> MutexGuard<'_, RoomFile> {
        self.used.store(true, Ordering::Relaxed);
        lock(&self.file)
    }
}

/// All rooms in use.
pub(super) struct Shelf {
    rooms: Mutex<HashMap<TenantId, HashMap<VisitId, Arc<Room>>>>,
    /// Rooms whose files are open (or were until they were put away), longest unused first, more or less.
    open: Mutex<VecDeque<Arc<Room>>>,
    most_open: usize,
}

impl Shelf {
    pub fn new(most_open: usize) -> Shelf {
        Shelf {
            rooms: Mutex::default(),
            open: Mutex::default(),
            most_open,
        }
    }

    /// The room, which is in use from now on.
    pub fn room(&self, key: &RoomKey) -> Arc<Room> {
        let mut rooms = lock(&self.rooms);
        if !rooms.contains_key(&key.institution) {
            rooms.insert(key.institution.clone(), HashMap::new());
        }
        let rooms = rooms.get_mut(&key.institution).expect("it was inserted above");
        Arc::clone(rooms.entry(key.visit).or_default())
    }

    /// The room, if it is in use.
    pub fn in_use(&self, key: &RoomKey) -> Option<Arc<Room>> {
        let rooms = lock(&self.rooms);
        rooms.get(&key.institution)?.get(&key.visit).map(Arc::clone)
    }

    /// Everything in use.
    pub fn all(&self) -> Vec<(RoomKey, Arc<Room>)> {
        let rooms = lock(&self.rooms);
        let of = |institution: &TenantId, visit: VisitId| RoomKey {
            institution: institution.clone(),
            visit,
        };
        rooms
            .iter()
            .flat_map(|(institution, rooms)| {
                rooms
                    .iter()
                    .map(move |(visit, room)| (of(institution, *visit), Arc::clone(room)))
            })
            .collect()
    }

    /// The room is no longer in use. Its lock is held by the caller, so that nobody begins anew before this is done.
    pub fn put_away(&self, key: &RoomKey, file: &mut RoomFile) {
        file.gone = true;
        file.take_handle();
        if let Some(rooms) = lock(&self.rooms).get_mut(&key.institution) {
            rooms.remove(&key.visit);
        }
    }

    /// A file was opened: those that were not used for the longest time are closed, so that there are not too many. A
    /// room that was used since it was looked at last gets a second turn, one that is locked just now too.
    pub fn opened(&self, room: Arc<Room>) {
        let mut closed = Vec::new();
        let mut open = lock(&self.open);
        open.push_back(room);
        for _ in 0..2 * open.len() {
            if open.len() <= self.most_open {
                break;
            }
            let Some(oldest) = open.pop_front() else { break };
            let busy = oldest.used.swap(false, Ordering::Relaxed);
            match oldest.file.try_lock() {
                Ok(mut file) if !busy => closed.push(file.take_handle()),
                Ok(_) | Err(_) => open.push_back(Arc::clone(&oldest)),
            }
        }
        // Some file systems write when a file is closed.
        drop(open);
        drop(closed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rooms at rest are many: a room costs this, its part of the map (25 bytes at ⅞ to 7⁄16 full), and an allocation.
    #[test]
    fn a_journal_keeps_less_than_two_hundred_bytes_of_a_room() {
        let counts = 2 * size_of::<usize>();
        let in_map = (size_of::<VisitId>() + size_of::<Arc<Room>>() + 1) * 16 / 7;
        assert!(size_of::<Room>() + counts + in_map + 16 < 200, "{}", size_of::<Room>());
    }
}
