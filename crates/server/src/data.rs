//! The data folder: the database file and the secret lie there, and one process serves it.

use anyhow::{Context, anyhow, bail};
use rustix::fs::Mode;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

const DATABASE: &str = "heliograph.sqlite3";
const LOCK: &str = "lock";

/// A data folder that is there and can be written to.
#[derive(Debug, Clone)]
pub struct DataFolder(PathBuf);

/// As long as it lives, no other process serves the folder.
#[derive(Debug)]
pub struct Held(File);

impl Held {
    /// Tells other commands where the folder is served.
    pub fn served_at(&mut self, address: &str) -> io::Result<()> {
        self.0.set_len(0)?;
        self.0.rewind()?;
        write!(self.0, "{}\n{address}\n", std::process::id())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // The lock goes with the file; what stands in it counts only while it is locked.
        drop(self.0.set_len(0));
    }
}

/// A file or folder of the service's that other users of the machine can open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    path: PathBuf,
    mode: u32,
    private: &'static str,
}

impl std::fmt::Display for Exposed {
    /// One line: what, and the remedy.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, mode, private } = self;
        let path = path.display();
        write!(
            f,
            "others can open {path} (mode {mode:03o}); run: chmod {private} {path}"
        )
    }
}

/// From now on, what the process makes is for its own user only, wherever the configuration puts it.
pub fn keep_private() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

impl DataFolder {
    /// Makes the folder if it is missing.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let unusable = |error| unusable(path, &error);
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

    /// The folder, if it is there; it is not made. Fails if it is there or to be made, and this user may not.
    pub fn look(path: &Path) -> anyhow::Result<Option<Self>> {
        let unusable = |error| unusable(path, &error);
        match path.metadata() {
            Ok(found) if found.is_dir() => Self::open(path).map(Some),
            Ok(_) => Err(unusable(ErrorKind::NotADirectory.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let above = std::path::absolute(path).map_err(unusable)?;
                let above = above.ancestors().find(|above| above.exists()).unwrap_or(&above);
                // What the modes allow, a read-only or a virtual file system still refuses: only a folder that is made tells.
                let probe = above.join(format!("heliograph-probe-{}", std::process::id()));
                let made = DirBuilder::new().mode(0o700).create(&probe);
                made.and_then(|()| std::fs::remove_dir(&probe)).map_err(unusable)?;
                Ok(None)
            }
            Err(error) => Err(unusable(error)),
        }
    }

    /// The folder and files in it that others can open. What the service makes is its own; this was made before it, or
    /// opened by hand.
    pub fn exposed(&self) -> Vec<Exposed> {
        let database = self.database_file();
        let beside = |suffix: &str| PathBuf::from(format!("{}{suffix}", database.display()));
        let (wal, shm) = (beside("-wal"), beside("-shm"));
        let looked_at = [(self.0.clone(), "700"), (database, "600"), (wal, "600"), (shm, "600")];
        let exposed = looked_at.into_iter().filter_map(|(path, private)| {
            let mode = path.metadata().ok()?.mode() & 0o777;
            (mode & 0o077 != 0).then_some(Exposed { path, mode, private })
        });
        exposed.collect()
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

    /// Where another process serves the folder just now, if one does.
    pub fn served(&self) -> Option<String> {
        let mut file = File::open(self.0.join(LOCK)).ok()?;
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        let address = text.lines().nth(1)?;
        // A process that was killed leaves its address behind, and no lock.
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(address.to_owned()),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
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
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
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

fn unusable(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!(
        "the data folder {} can't be used ({}); choose another one with --data, or let this user write there",
        path.display(),
        plainly(error)
    )
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
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

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
    fn a_look_makes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert!(DataFolder::look(&dir.path().join("a/b")).unwrap().is_none());
        assert!(DataFolder::look(dir.path()).unwrap().is_some());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        // Nobody makes a folder in /proc, whatever `access` says to root.
        for path in [file.clone(), file.join("data"), PathBuf::from("/proc/heliograph")] {
            let told = DataFolder::look(&path).unwrap_err().to_string();
            assert!(told.contains("can't be used (") && told.contains("--data"), "{told}");
        }
    }

    #[test]
    fn what_others_can_open_is_told_with_the_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&dir.path().join("data")).unwrap();
        assert_eq!(folder.exposed(), []);
        let database = folder.database_file();
        std::fs::write(&database, "").unwrap();
        set_permissions(&database, Permissions::from_mode(0o644)).unwrap();
        set_permissions(folder.path(), Permissions::from_mode(0o750)).unwrap();
        let told: Vec<_> = folder.exposed().iter().map(Exposed::to_string).collect();
        let (path, file) = (folder.path().display(), database.display());
        assert_eq!(
            told,
            [
                format!("others can open {path} (mode 750); run: chmod 700 {path}"),
                format!("others can open {file} (mode 644); run: chmod 600 {file}")
            ]
        );
    }

    #[test]
    fn where_it_is_served_is_known_while_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path()).unwrap();
        assert_eq!(folder.served(), None);
        let mut held = folder.hold().unwrap();
        assert_eq!(folder.served(), None, "it does not listen yet");
        for address in ["http://127.0.0.1:41234", "http://a.example"] {
            held.served_at(address).unwrap();
            assert_eq!(folder.served().as_deref(), Some(address));
        }
        drop(held);
        assert_eq!(folder.served(), None);
        // As a process leaves it that was killed.
        std::fs::write(dir.path().join(LOCK), "7\nhttp://127.0.0.1:1\n").unwrap();
        assert_eq!(folder.served(), None);
        assert!(folder.hold().is_ok());
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
