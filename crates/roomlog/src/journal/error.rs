//! What can go wrong with files.

use std::{
    io,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Why a journal did not do what it was asked. After every one of them the files are as they were before.
#[derive(Debug, Error)]
pub enum JournalError {
    /// Two processes would write over each other.
    #[error(
        "the rooms in {} are kept by another process ({holder}): stop it, or give this one another data folder", folder.display()
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// What the lock file says about the other one.
        holder: String,
    },
    /// No space, or a quota or limit of this process was reached. It works again once there is space.
    #[error("no space for {}: make room on its disk, or raise the quota; nothing of it was written", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The file has a format that this release does not know.
    #[error(
        "{} has format {found}, this release knows {known}: run the release that wrote it, or move it away (the room \
         then starts from what the database knows)", path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The file does not begin like one of ours.
    #[error("{} is no journal of a room: restore it from a backup, or move it away", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A record is sound, but this release can't make anything of it.
    #[error(
        "{} holds at byte {offset} what this release can't read: run the release that wrote it, or move it away (the \
         room then starts from what the database knows)", path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
    },
    /// A record can't be longer than 64 MiB, a session or kind than 64 KiB.
    #[error("a record for {} is too long: it was not written", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The journal was closed.
    #[error("the rooms in {} were put away, since the process ends: nothing more is written", folder.display())]
    Closed {
        /// The folder.
        folder: PathBuf,
    },
    /// The system refused.
    #[error("can't {action} {}: {source}; let this process's user read and write it, and look at its disk", path.display())]
    Disk {
        /// What was tried.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Names what was tried in an error of the system.
pub(super) fn while_trying_to(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> JournalError {
    move |source| {
        let path = path.as_ref().to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                JournalError::Full { path }
            }
            _ => JournalError::Disk { action, path, source },
        }
    }
}
