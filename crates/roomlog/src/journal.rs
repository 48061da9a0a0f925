//! Files that bring rooms back after the process ended, in whatever way.
//!
//! A folder has a file for each room, `<institution>/<visit>.journal`, mode 600 in folders of mode 700. `journal.lock` is
//! locked while a process uses the folder; `journal.clean` is there while none does and the last one ended in order.
//!
//! A file is the eight bytes `HGROOM\r\n`, a `u32` with the format (1), and records to the end. Numbers are little-endian.
//!
//! | record | |
//! |---|---|
//! | length | `u32`: of the payload, 1 to 2²⁶ |
//! | checksum | `u32`: CRC-32 (IEEE) of the length's four bytes and the payload |
//! | payload | a byte 1 or 2, and a snapshot or an entry |
//!
//! | snapshot (1) | entry (2) |
//! |---|---|
//! | `u64` seq | `u64` seq |
//! | 16 bytes chain, as text | 16 bytes chain, as text |
//! | `i64` at, Unix milliseconds | `i64` at, Unix milliseconds |
//! | `u32` length of the next | `u64` cseq |
//! | [`Clear`](crate::Clear) as JSON | from: a byte 0; or a byte 1 and the seat's 16 bytes |
//! | the sealed fold, to the end | audience: a byte 0 (all), 1 (staff), 2 (own); or a byte 3 and the seat's 16 bytes |
//! | | session: `u16` length and text |
//! | | kind: `u16` length and text |
//! | | data as in the log, to the end |
//!
//! A file ends at its first record that is not whole and sound, and is cut there before anything is written to it. What
//! people say and who they are is sealed before it comes here.
//!
//! What a call of [`Journal::append`] wrote outlives the process at once. It outlives a power cut when it was brought to the
//! disk: with [`Fsync::Always`] before the call returns; with [`Fsync::Every`] when [`Journal::sync`] was called after it, or
//! the room was released; with [`Fsync::Never`] when the system gets to it, some 30 s later. With all three it is there when
//! the journal was closed, and [`Journal::replace`] always waits for the disk. After an unclean boot without
//! [`Fsync::Always`], clients may know more than the files.

mod error;
mod file;
mod folder;
mod record;
mod shelf;

pub use error::JournalError;
pub use record::Record;

use crate::{RoomKey, Tail};
use file::RoomFile;
use folder::Folder;
use heliograph_domain::UnixMillis;
use shelf::Shelf;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Files that are open at most, give or take one for each thread.
const MOST_OPEN: usize = 256;

/// When what was written is brought to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// When the system gets to it, and at the end.
    Never,
    /// Before an append returns.
    Always,
    /// As often as this; whoever has the journal calls [`Journal::sync`].
    Every(Duration),
}

/// How the folder was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// The last process ended in order, with everything on the disk; or the folder is new.
    pub clean: bool,
    /// The rooms that have a file, in order.
    pub rooms: Vec<RoomKey>,
}

/// What a file held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// All of it, in order.
    pub records: Vec<Record>,
    /// Bytes behind the last whole and sound record, which were cut off.
    pub cut: u64,
}

impl Loaded {
    /// The log that the records make: a snapshot takes the place of all entries up to its mark.
    pub fn tail(self) -> Tail {
        let mut tail = Tail {
            base: None,
            entries: Vec::new(),
        };
        for record in self.records {
            match record {
                Record::Snapshot(snapshot) => {
                    tail.entries.retain(|entry| entry.header.seq > snapshot.mark.seq);
                    tail.base = Some(snapshot);
                }
                Record::Entry(entry) => tail.entries.push(entry),
            }
        }
        tail
    }
}

/// Rooms whose time is over.
#[derive(Debug, Default)]
pub struct Old {
    /// Their last record is older than was asked for.
    pub rooms: Vec<RoomKey>,
    /// Files that could not be judged, and are left alone.
    pub unread: Vec<JournalError>,
}

/// The files of all rooms. Calls block; calls for different rooms do not wait for each other's disk.
pub struct Journal {
    folder: Folder,
    fsync: Fsync,
    shelf: Shelf,
    /// Something that was written may never have reached the disk: this can't end as a clean boot.
    suspect: AtomicBool,
    closed: AtomicBool,
}

impl Journal {
    /// Takes a folder, which is made if it is missing. From now on its boot counts as unclean until [`Journal::close`].
    pub fn open(folder: &Path, fsync: Fsync) -> Result<(Journal, Boot), JournalError> {
        let (folder, new) = Folder::hold(folder)?;
        folder.sweep()?;
        let rooms = folder.rooms()?;
        let clean = folder.take_clean()? || new;
        let journal = Journal {
            folder,
            fsync,
            shelf: Shelf::new(MOST_OPEN),
            suspect: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        };
        Ok((journal, Boot { clean, rooms }))
    }

    /// When what was written is brought to the disk.
    pub fn fsync(&self) -> Fsync {
        self.fsync
    }

    /// Reads a room; `None` if it has no file. What is not whole and sound is cut off before.
    pub fn load(&self, room: &RoomKey) -> Result<Option<Loaded>, JournalError> {
        self.with(room, RoomFile::load)
    }

    /// Adds records, all or none of them. After [`JournalError::Full`] it works again as soon as there is space.
    pub fn append(&self, room: &RoomKey, records: &[Record]) -> Result<(), JournalError> {
        let to_disk = match self.fsync {
            Fsync::Always => true,
            Fsync::Never | Fsync::Every(_) => false,
        };
        self.with(room, |file, path| file.append(path, records, to_disk))
    }

    /// Puts these records in the place of the file, on the disk. If the process ends meanwhile, the old or the new is there.
    pub fn replace(&self, room: &RoomKey, records: &[Record]) -> Result<(), JournalError> {
        self.with(room, |file, path| {
            file.replace(path, records)?;
            // The new file is in place. If the folder's list does not reach the disk now, it is tried again with the next
            // append, which is what fails then.
            drop(self.sync_file(room, file));
            Ok(())
        })
    }

    /// Removes a room's file. A room without one is no error.
    pub fn remove(&self, room: &RoomKey) -> Result<(), JournalError> {
        self.with(room, RoomFile::remove)
    }

    /// The room is not used for some time: its file is closed, after it was brought to the disk (but for [`Fsync::Never`]),
    /// and nothing is kept of it.
    pub fn release(&self, room: &RoomKey) -> Result<(), JournalError> {
        let Some(in_use) = self.shelf.in_use(room) else {
            return Ok(());
        };
        let mut file = in_use.lock();
        if file.gone {
            return Ok(());
        }
        let synced = match self.fsync {
            Fsync::Never => Ok(()),
            Fsync::Always | Fsync::Every(_) => self.sync_file(room, &mut file),
        };
        self.shelf.put_away(room, &mut file);
        synced
    }

    /// Brings to the disk what was written to the rooms in use. It goes on after an error, and gives the first.
    pub fn sync(&self) -> Result<(), JournalError> {
        let mut first = Ok(());
        for (key, room) in self.shelf.all() {
            let mut file = room.lock();
            if file.gone {
                continue;
            }
            let was_open = file.is_open();
            first = first.and(self.sync_file(&key, &mut file));
            if !was_open {
                file.take_handle();
            }
        }
        first
    }

    /// Rooms whose last record is older than this. It reads every file: once in a while, not on a path that somebody waits on.
    pub fn old(&self, before: UnixMillis) -> Result<Old, JournalError> {
        let mut old = Old::default();
        for room in self.folder.rooms()? {
            match file::last_at(&self.folder.file(&room)) {
                Ok(at) if at < before => old.rooms.push(room),
                Ok(_) => {}
                Err(error) => old.unread.push(error),
            }
        }
        Ok(old)
    }

    /// The process ends in order: everything is brought to the disk, then the next boot is a clean one. Nothing can be
    /// written from now on; the folder is free when this value is gone.
    pub fn close(&self) -> Result<(), JournalError> {
        if self.closed.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        for (_, room) in self.shelf.all() {
            // Who writes just now comes to an end, who comes later is refused.
            room.lock().take_handle();
        }
        self.folder.sync_everything()?;
        if self.suspect.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.folder.leave_clean()
    }

    /// One step with one room's file. Who was late for a room that was put away begins anew.
    fn with<T>(
        &self,
        key: &RoomKey,
        step: impl FnOnce(&mut RoomFile, &Path) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        loop {
            let room = self.shelf.room(key);
            let mut file = room.lock();
            if file.gone {
                continue;
            }
            if self.closed.load(Ordering::SeqCst) {
                let folder = self.folder.path().to_owned();
                return Err(JournalError::Closed { folder });
            }
            let was_open = file.is_open();
            let result = step(&mut file, &self.folder.file(key));
            if !file.is_known() {
                self.shelf.put_away(key, &mut file);
            }
            let is_open = file.is_open();
            drop(file);
            if is_open && !was_open {
                self.shelf.opened(Arc::clone(&room));
            }
            return result;
        }
    }

    fn sync_file(&self, key: &RoomKey, file: &mut RoomFile) -> Result<(), JournalError> {
        let synced = file.sync_if_dirty(&self.folder.file(key));
        if synced.is_err() {
            // The system tells a failure once; a later success says nothing about these bytes.
            self.suspect.store(true, Ordering::SeqCst);
        }
        synced
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clear, Mark, Snapshot};
    use bytes::Bytes;
    use heliograph_domain::{VisitId, entry::Chain};

    fn room(number: u8) -> RoomKey {
        RoomKey {
            institution: "cedar-street".parse().unwrap(),
            visit: VisitId::from_bytes([number; 16]),
        }
    }

    fn record() -> Record {
        Record::Snapshot(Arc::new(Snapshot {
            mark: Mark {
                seq: 1,
                chain: Chain::START,
            },
            at: UnixMillis(1),
            clear: Clear::default(),
            data: Bytes::from_static(b"sealed"),
        }))
    }

    /// A room's lock is held while its disk is waited for. Here it is held all the time, and more rooms are opened than
    /// may stay open.
    #[test]
    fn a_room_that_waits_for_its_disk_holds_up_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path(), Fsync::Never).unwrap();
        journal.shelf = Shelf::new(2);
        journal.append(&room(0), &[record()]).unwrap();
        let slow = journal.shelf.room(&room(0));
        let waiting = slow.lock();
        for number in 1..20 {
            journal.append(&room(number), &[record()]).unwrap();
            journal.replace(&room(number), &[record()]).unwrap();
        }
        for number in 1..20 {
            assert_eq!(journal.load(&room(number)).unwrap().unwrap().records, [record()]);
            journal.release(&room(number)).unwrap();
        }
        assert!(waiting.is_open(), "who waits keeps the file");
    }
}
