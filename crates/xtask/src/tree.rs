//! The repository's files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use crate::shell::{self, Result};

/// The repository's root: two folders above this package.
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package)
}

/// The path as people of this project write it: from the root, with `/`. Empty for the root itself.
pub fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().into_owned()
}

/// A text file of the repository: its name from the root, and its text.
pub struct SourceFile {
    pub name: String,
    pub text: String,
}

impl SourceFile {
    pub fn has_extension(&self, wanted: &[&str]) -> bool {
        Path::new(&self.name)
            .extension()
            .is_some_and(|e| wanted.iter().any(|w| e == *w))
    }

    /// `crates/room/src/lib.rs` → `room`, `tests/src/lib.rs` → `tests`; `None` outside of the Rust packages.
    pub fn package(&self) -> Option<&str> {
        let mut parts = self.name.split('/');
        match parts.next()? {
            "crates" => parts.next(),
            "tests" => Some("tests"),
            _ => None,
        }
    }
}

/// All text files that git tracks or would track.
pub fn files() -> Result<Vec<SourceFile>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root());
    let listed = shell::capture(&mut git)?;
    let mut names: Vec<&str> = listed.split('\0').filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    // A file that was deleted but not yet committed is still listed; pictures and fonts are not UTF-8.
    let read = |name: &str| {
        Some(SourceFile {
            name: name.to_owned(),
            text: fs::read_to_string(root().join(name)).ok()?,
        })
    };
    Ok(names.into_iter().filter_map(read).collect())
}

/// When the file or folder was last changed; `None` when it is not there.
pub fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|m| m.modified()).ok()
}

/// The newest change of any file or folder below `folder`; names in `without` are not entered.
pub fn newest(folder: &Path, without: &[&str]) -> Option<SystemTime> {
    let mut newest = None;
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries
            .flatten()
            .filter(|e| !without.iter().any(|w| e.file_name() == *w))
        {
            newest = newest.max(changed(&entry.path()));
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                folders.push(entry.path());
            }
        }
    }
    newest
}
