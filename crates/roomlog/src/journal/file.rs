//! The file of one room.

use super::{
    JournalError, Loaded, Record,
    error::while_trying_to,
    folder,
    record::{self, HEADER, MAGIC, VERSION},
};
use heliograph_domain::UnixMillis;
use std::{
    fs::{self, File},
    io::{ErrorKind, Read, Seek, Write},
    path::Path,
    time::UNIX_EPOCH,
};

/// What is known of a room's file, 32 bytes. Every file is read before the first append: what follows its last whole
/// record is cut off.
#[derive(Default)]
pub(super) struct RoomFile {
    handle: Option<File>,
    end: End,
    /// Something was written that may not be on the disk.
    dirty: bool,
    /// The file may not be in the folder's list on the disk.
    unlisted: bool,
    /// This value is no longer the one that stands for the room.
    pub gone: bool,
}

/// Where a file's last whole record ends.
#[derive(Clone, Copy, Default)]
enum End {
    /// The file was not read.
    #[default]
    Unknown,
    /// At the file's end.
    Whole(u64),
    /// There, but something follows that could not be cut off yet.
    Torn(u64),
}

impl RoomFile {
    pub fn is_open(&self) -> bool {
        self.handle.is_some()
    }

    /// Whether there is a file, as far as this value knows.
    pub fn is_known(&self) -> bool {
        match self.end {
            End::Unknown => false,
            End::Whole(_) | End::Torn(_) => true,
        }
    }

    /// Gives the handle up; the file is opened again when it is needed.
    pub fn take_handle(&mut self) -> Option<File> {
        self.handle.take()
    }

    /// Reads the file and cuts off what is not whole; `None` if there is none.
    pub fn load(&mut self, path: &Path) -> Result<Option<Loaded>, JournalError> {
        let Some(bytes) = self.read(path)? else {
            return Ok(None);
        };
        let mut whole = start(path, &bytes)?;
        let mut records = Vec::new();
        for payload in record::payloads(&bytes[..if whole == 0 { 0 } else { bytes.len() }]) {
            whole = payload.end;
            records.push(record::read(&bytes, payload).map_err(|at| unreadable(path, at))?);
        }
        let cut = bytes.len() - whole;
        if cut > 0 {
            self.cut(path, whole as u64)?;
        }
        self.end = End::Whole(whole as u64);
        Ok(Some(Loaded {
            records,
            cut: cut as u64,
        }))
    }

    /// Adds records, all or none.
    pub fn append(&mut self, path: &Path, records: &[Record], to_disk: bool) -> Result<(), JournalError> {
        let whole = self.whole(path)?;
        let mut bytes = Vec::new();
        if whole == 0 {
            bytes.extend_from_slice(&record::header());
            self.unlisted = true;
        }
        write_all(path, &mut bytes, records)?;
        let mut handle = self.opened(path)?;
        let written = handle
            .write_all(&bytes)
            .map_err(while_trying_to("write", path))
            .and_then(|()| if to_disk { self.sync(path) } else { Ok(()) });
        if let Err(error) = written {
            self.end = End::Torn(whole);
            // If this fails, it is tried again before anything else is written.
            drop(self.cut(path, whole));
            return Err(error);
        }
        self.end = End::Whole(whole + bytes.len() as u64);
        self.dirty = !to_disk;
        Ok(())
    }

    /// Puts another file in the place of this one. Whatever ends the process, one of the two is there, and whole. Which of
    /// them outlives a power cut is settled by [`RoomFile::sync`].
    pub fn replace(&mut self, path: &Path, records: &[Record]) -> Result<(), JournalError> {
        // A file that this release can't read is left alone.
        self.whole(path)?;
        let mut bytes = record::header().to_vec();
        write_all(path, &mut bytes, records)?;
        let next = folder::next(path);
        let placed = make(&next, &bytes).and_then(|file| {
            fs::rename(&next, path).map_err(while_trying_to("rename", &next))?;
            Ok(file)
        });
        let file = match placed {
            Ok(file) => file,
            Err(error) => {
                // The next start removes it, if this does not.
                drop(fs::remove_file(&next));
                return Err(error);
            }
        };
        *self = RoomFile {
            handle: Some(file),
            end: End::Whole(bytes.len() as u64),
            dirty: true,
            unlisted: true,
            ..RoomFile::default()
        };
        Ok(())
    }

    /// Brings what was written to the disk.
    pub fn sync(&mut self, path: &Path) -> Result<(), JournalError> {
        let synced = self.opened(path)?.sync_data();
        synced.map_err(while_trying_to("bring to the disk", path))?;
        if self.unlisted {
            for folder in path.ancestors().skip(1).take(2) {
                folder::sync(folder)?;
            }
            self.unlisted = false;
        }
        self.dirty = false;
        Ok(())
    }

    /// The same, if there is something to bring.
    pub fn sync_if_dirty(&mut self, path: &Path) -> Result<(), JournalError> {
        if self.dirty { self.sync(path) } else { Ok(()) }
    }

    /// Removes the file, and what was about to take its place.
    pub fn remove(&mut self, path: &Path) -> Result<(), JournalError> {
        *self = RoomFile::default();
        for path in [path, &folder::next(path)] {
            match fs::remove_file(path) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(while_trying_to("remove", path)(error)),
            }
        }
        Ok(())
    }

    /// Where the next record goes. An unknown file is read or made, a torn one is cut.
    fn whole(&mut self, path: &Path) -> Result<u64, JournalError> {
        match self.end {
            End::Whole(whole) => return Ok(whole),
            End::Torn(whole) => {
                self.cut(path, whole)?;
                return Ok(whole);
            }
            End::Unknown => {}
        }
        if self.load(path)?.is_none() {
            let file = folder::open_or_make(path).map_err(while_trying_to("make", path))?;
            self.handle = Some(file);
            self.end = End::Whole(0);
        }
        self.whole(path)
    }

    fn read(&mut self, path: &Path) -> Result<Option<Vec<u8>>, JournalError> {
        let mut file = match self.handle.take() {
            Some(file) => file,
            None => match folder::options().read(true).append(true).open(path) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(while_trying_to("open", path)(error)),
            },
        };
        let mut bytes = Vec::new();
        let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
        read.map_err(while_trying_to("read", path))?;
        self.handle = Some(file);
        Ok(Some(bytes))
    }

    fn cut(&mut self, path: &Path, whole: u64) -> Result<(), JournalError> {
        let cut = self.opened(path)?.set_len(whole);
        cut.map_err(while_trying_to("cut", path))?;
        self.end = End::Whole(whole);
        self.dirty = true;
        Ok(())
    }

    fn opened(&mut self, path: &Path) -> Result<&File, JournalError> {
        if self.handle.is_none() {
            let file = folder::options().read(true).append(true).open(path);
            self.handle = Some(file.map_err(while_trying_to("open", path))?);
        }
        Ok(self.handle.as_ref().expect("it was opened above"))
    }
}

/// The instant of a file's last whole record; for a file without any, when it was last written.
pub(super) fn last_at(path: &Path) -> Result<UnixMillis, JournalError> {
    let bytes = fs::read(path).map_err(while_trying_to("read", path))?;
    start(path, &bytes)?;
    if let Some(payload) = record::payloads(&bytes).last() {
        let last = record::read(&bytes, payload).map_err(|at| unreadable(path, at))?;
        return Ok(last.at());
    }
    let written = fs::metadata(path).and_then(|about| about.modified());
    let since = written
        .map_err(while_trying_to("read", path))?
        .duration_since(UNIX_EPOCH);
    Ok(UnixMillis(since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })))
}

/// Where the records begin: 0 if not even the header reached the disk.
fn start(path: &Path, bytes: &[u8]) -> Result<usize, JournalError> {
    let path = path.to_owned();
    let Some((header, _)) = bytes.split_first_chunk::<HEADER>() else {
        return if record::header().starts_with(bytes) || bytes.iter().all(|byte| *byte == 0) {
            Ok(0)
        } else {
            Err(JournalError::Foreign { path })
        };
    };
    if *header == record::header() {
        return Ok(HEADER);
    }
    if *header == [0; HEADER] {
        return Ok(0);
    }
    match header.split_first_chunk() {
        Some((&MAGIC, version)) => Err(JournalError::Version {
            path,
            found: version.try_into().map_or(0, u32::from_le_bytes),
            known: VERSION,
        }),
        _ => Err(JournalError::Foreign { path }),
    }
}

fn unreadable(path: &Path, found: record::Unreadable) -> JournalError {
    JournalError::Unreadable {
        path: path.to_owned(),
        offset: found.offset as u64,
    }
}

fn write_all(path: &Path, bytes: &mut Vec<u8>, records: &[Record]) -> Result<(), JournalError> {
    for record in records {
        record::write(bytes, record).map_err(|record::TooLong| JournalError::TooLong { path: path.to_owned() })?;
    }
    Ok(())
}

/// A new file with these bytes, on the disk.
fn make(path: &Path, bytes: &[u8]) -> Result<File, JournalError> {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(while_trying_to("remove", path)(error)),
    }
    let mut file = folder::options()
        .read(true)
        .append(true)
        .create_new(true)
        .open(path)
        .map_err(while_trying_to("make", path))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(while_trying_to("write", path))?;
    Ok(file)
}
