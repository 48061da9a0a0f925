//! The folder: who may use it, how it was left, what lies in it.

use super::{JournalError, error::while_trying_to};
use crate::RoomKey;
use heliograph_domain::TenantId;
use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, DirEntry, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// No institution can have these names, since an id has no dot.
const LOCK: &str = "journal.lock";
const CLEAN: &str = "journal.clean";

const EXTENSION: &str = "journal";
/// Of a file that will take the place of another one.
const NEXT: &str = "next";

/// A folder that no other process uses while this value lives.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is missing, and locks it. Also tells whether it was made now.
    pub fn hold(path: &Path) -> Result<(Folder, bool), JournalError> {
        let new = !path.exists();
        make(path).map_err(while_trying_to("make", path))?;
        let lock = lock(path)?;
        let folder = Folder {
            path: path.to_owned(),
            _lock: lock,
        };
        Ok((folder, new))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn file(&self, room: &RoomKey) -> PathBuf {
        let name = format!("{}.{EXTENSION}", room.visit);
        self.path.join(room.institution.as_str()).join(name)
    }

    /// All rooms that have a file, in order.
    pub fn rooms(&self) -> Result<Vec<RoomKey>, JournalError> {
        let mut rooms = Vec::new();
        self.each(|institution, file| {
            if file.path().extension() == Some(OsStr::new(EXTENSION))
                && let Some(visit) = file.path().file_stem().and_then(OsStr::to_str)
                && let Ok(visit) = visit.parse()
            {
                let institution = institution.clone();
                rooms.push(RoomKey { institution, visit });
            }
            Ok(())
        })?;
        rooms.sort();
        Ok(rooms)
    }

    /// Removes what was about to take the place of a file when the process ended.
    pub fn sweep(&self) -> Result<(), JournalError> {
        self.each(|_, file| {
            if file.path().extension() == Some(OsStr::new(NEXT)) {
                fs::remove_file(file.path()).map_err(while_trying_to("remove", file.path()))?;
            }
            Ok(())
        })
    }

    /// Takes the sign of an orderly end away, so that a power cut from now on is noticed. Was it there?
    pub fn take_clean(&self) -> Result<bool, JournalError> {
        let path = self.path.join(CLEAN);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(while_trying_to("remove", path)(error)),
        }
        sync(&self.path)?;
        Ok(true)
    }

    /// Brings all files to the disk at once, also those of rooms that were released: one by one would take seconds.
    pub fn sync_everything(&self) -> Result<(), JournalError> {
        File::open(&self.path)
            .and_then(|folder| sync_disk_of(&folder))
            .map_err(while_trying_to("bring to the disk", &self.path))
    }

    pub fn leave_clean(&self) -> Result<(), JournalError> {
        let path = self.path.join(CLEAN);
        let file = options().write(true).create(true).truncate(false).open(&path);
        file.map_err(while_trying_to("make", path))?;
        sync(&self.path)
    }

    fn each(&self, mut take: impl FnMut(&TenantId, &DirEntry) -> Result<(), JournalError>) -> Result<(), JournalError> {
        for folder in entries(&self.path)? {
            let Some(institution) = folder.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            if !folder.path().is_dir() {
                continue;
            }
            for file in entries(&folder.path())? {
                take(&institution, &file)?;
            }
        }
        Ok(())
    }
}

/// How files are opened: nobody else may read them.
pub(super) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// The file that will take the place of `path`.
pub(super) fn next(path: &Path) -> PathBuf {
    path.with_added_extension(NEXT)
}

/// Opens a file for reading and appending, and makes it if it is missing, with its folder.
pub(super) fn open_or_make(path: &Path) -> io::Result<File> {
    let open = || options().read(true).append(true).create(true).open(path);
    match (open(), path.parent()) {
        (Err(error), Some(folder)) if error.kind() == ErrorKind::NotFound => {
            make(folder)?;
            open()
        }
        (result, _) => result,
    }
}

/// Brings a folder's list of files to the disk.
pub(super) fn sync(folder: &Path) -> Result<(), JournalError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(while_trying_to("bring to the disk", folder))
}

#[cfg(target_os = "linux")]
fn sync_disk_of(folder: &File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(folder)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_disk_of(_folder: &File) -> io::Result<()> {
    rustix::fs::sync();
    Ok(())
}

fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn entries(folder: &Path) -> Result<Vec<DirEntry>, JournalError> {
    fs::read_dir(folder)
        .and_then(Iterator::collect)
        .map_err(while_trying_to("read", folder))
}

fn lock(folder: &Path) -> Result<File, JournalError> {
    let path = folder.join(LOCK);
    let opened = options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let mut file = opened.map_err(while_trying_to("open", &path))?;
    match file.try_lock() {
        Ok(()) => {
            let number = format!("process {}", std::process::id());
            let written = file.set_len(0).and_then(|()| file.write_all(number.as_bytes()));
            // It is only for people to read; a full disk does not keep anybody from starting.
            drop(written);
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let read = file.read_to_string(&mut holder);
            Err(JournalError::InUse {
                folder: folder.to_owned(),
                holder: read
                    .ok()
                    .filter(|length| *length > 0)
                    .map_or_else(|| "unknown".to_owned(), |_| holder),
            })
        }
        Err(TryLockError::Error(error)) => Err(while_trying_to("lock", path)(error)),
    }
}
