//! A disk that is soon full.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::Process;

/// A folder that is a small disk of its own for the processes that are started by [`SmallDisk::sh`]. The kernel gives it
/// to any user, in a namespace of their own (user_namespaces(7)); it goes with the last of the processes.
#[derive(Debug)]
pub struct SmallDisk {
    folder: TempDir,
    bytes: u64,
}

impl SmallDisk {
    /// # Errors
    /// When no folder can be made for it.
    pub fn new(bytes: u64) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("heliograph-disk-").tempdir()?;
        Ok(Self { folder, bytes })
    }

    /// Where the processes on it see it.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A shell that mounts the disk and runs the script, with these arguments as `$1`, `$2`, …
    pub fn sh(&self, script: &str, arguments: &[&str]) -> Command {
        let mount = format!(
            "mount -t tmpfs -o size={} tmpfs '{}' || exit 1\n",
            self.bytes,
            self.path().display()
        );
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
        command.arg(mount + script).arg("sh").args(arguments);
        command
    }

    /// Where we see the disk of a process that runs on it.
    pub fn seen_from_outside(&self, process: &Process) -> PathBuf {
        let inside = self.path().strip_prefix("/").unwrap_or(self.path());
        PathBuf::from(format!("/proc/{}/root", process.id())).join(inside)
    }

    /// Fills the disk of a process to its last byte with one file, which is returned: removing it makes space again.
    ///
    /// # Errors
    /// When the disk can't be written to for another reason than that it is full.
    pub fn fill(&self, process: &Process) -> Result<PathBuf> {
        let path = self.seen_from_outside(process).join("filler");
        let mut file = File::create(&path).with_context(|| format!("{} can't be made", path.display()))?;
        loop {
            // The last write takes what is left.
            match file.write(&[0; 4096]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(path),
                Err(error) => return Err(error).with_context(|| format!("{} can't be written", path.display())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_full_disk_refuses_what_is_written_until_there_is_space_again() {
        let disk = SmallDisk::new(256 * 1024).unwrap();
        let script = "cd \"$1\" && echo before > kept && echo ready
            while [ ! -e go ]; do sleep 0.01; done
            (echo more > refused) && echo taken || echo refused
            while [ -e filler ]; do sleep 0.01; done
            echo again > taken && echo written
            exec sleep 600";
        let folder = disk.path().to_str().unwrap().to_owned();
        let process = Process::start(disk.sh(script, &[&folder])).unwrap();
        process.line("ready", SOON).await.unwrap();
        let outside = disk.seen_from_outside(&process);
        assert_eq!(fs::read_to_string(outside.join("kept")).unwrap(), "before\n");
        assert!(!disk.path().join("kept").exists(), "nobody else sees it");
        // A name takes no page of a tmpfs, a byte does.
        fs::write(outside.join("go"), "").unwrap();
        let filler = disk.fill(&process).unwrap();
        process.line("refused", SOON).await.unwrap();
        fs::remove_file(filler).unwrap();
        process.line("written", SOON).await.unwrap();
    }
}
