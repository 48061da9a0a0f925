//! The data folder: the database file and the secret lie there, and one process serves it.

use anyhow::{Context, anyhow, bail};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

const DATABASE: &str = "heliograph.sqlite3";
const LOCK: &str = "lock";

/// A data folder that is there and can be written to.
#[derive(Debug, Clone)]
pub struct DataFolder(PathBuf);

/// As long as it lives, no other process serves the folder.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "the lock goes with the file")] File);

impl DataFolder {
    /// Makes the folder if it is missing.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let unusable = |error| {
            anyhow!(
                "the data folder {} can't be used ({}); choose another one with --data, or let this user write there",
                path.display(),
                plainly(&error)
            )
        };
        // Only the owner may look into a new one.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(unusable)?;
        let path = path.canonicalize().map_err(unusable)?;
        let probe = path.join(format!("probe-{}", std::process::id()));
        File::create(&probe)
            .and_then(|_| std::fs::remove_file(&probe))
            .map_err(unusable)?;
        Ok(Self(path))
    }

    /// The folder, from the root.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Keeps other processes from serving the folder: the rooms of two would not know of each other.
    pub fn hold(&self) -> anyhow::Result<Held> {
        let path = self.0.join(LOCK);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another heliograph already serves the data folder {}; stop it, or choose another folder with --data",
                self.0.display()
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} can't be locked", path.display()));
            }
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Held(file))
    }

    /// The folder of the rooms' journals.
    pub fn rooms(&self) -> PathBuf {
        self.0.join("rooms")
    }

    /// Fails if the database file is there and is something else.
    pub fn check_database(&self) -> anyhow::Result<()> {
        const MAGIC: &[u8] = b"SQLite format 3\0";
        let path = self.database_file();
        let mut start = Vec::new();
        match File::open(&path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => bail!(
                "{} can't be read ({}); let this user read and write it",
                path.display(),
                plainly(&error)
            ),
            // An empty file is a database that nothing was written to.
            Ok(0) => Ok(()),
            Ok(_) if start == MAGIC => Ok(()),
            Ok(_) => bail!(
                "{} is not a database; move it away, or restore it from a backup",
                path.display()
            ),
        }
    }

    /// The database file, which may not be there yet.
    pub fn database_file(&self) -> PathBuf {
        self.0.join(DATABASE)
    }
}

/// What the system says, without the number that only programs read.
pub fn plainly(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error")
        .map_or(text.clone(), |(words, _)| words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_folder_is_made_for_its_owner_and_served_once() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&dir.path().join("a/b")).unwrap();
        assert_eq!(folder.path().metadata().unwrap().mode() & 0o777, 0o700);
        let held = folder.hold().unwrap();
        let told = folder.hold().unwrap_err().to_string();
        assert!(
            told.contains("another heliograph already serves") && told.contains("--data"),
            "{told}"
        );
        drop(held);
        assert!(folder.hold().is_ok());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told_with_the_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let told = DataFolder::open(&file.join("data")).unwrap_err().to_string();
        assert!(
            told.contains("can't be used (Not a directory); choose another one with --data"),
            "{told}"
        );
    }

    #[test]
    fn a_file_that_is_no_database_is_told_with_the_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path()).unwrap();
        assert!(folder.check_database().is_ok());
        for (content, good) in [
            ("", true),
            ("SQLite format 3\0and more", true),
            ("SQLite", false),
            ("a text", false),
        ] {
            std::fs::write(dir.path().join(DATABASE), content).unwrap();
            assert_eq!(folder.check_database().is_ok(), good, "{content:?}");
        }
    }
}
