//! The server secret: from the environment, from a file that is named, or from a file that is made at first start.
//!
//! Either holds one secret per line (or comma): the first one signs, the others are still believed while they are
//! rotated out.

use crate::data::plainly;
use anyhow::{Context, anyhow, bail};
use heliograph_access::{Keys, Secret};
use heliograph_domain::clock::Entropy;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub const VARIABLE: &str = "HELIOGRAPH_SECRET";
const FILE: &str = "secret";

/// Where the secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The text of the environment variable.
    Variable(Hidden),
    /// A file of the operator's.
    Named(PathBuf),
    /// The file in the data folder, which may not exist yet.
    Own(PathBuf),
}

/// A text that does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Place {
    /// The environment wins over the file that is named, and that one over the data folder.
    pub fn of(variable: Option<String>, named: Option<&Path>, data: &Path) -> Self {
        match (variable, named) {
            (Some(text), _) => Self::Variable(Hidden(text)),
            (None, Some(path)) => Self::Named(path.to_owned()),
            (None, None) => Self::Own(data.join(FILE)),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Variable(_) => write!(f, "the environment variable {VARIABLE}"),
            Place::Named(path) | Place::Own(path) => path.display().fmt(f),
        }
    }
}

/// The keys of the service; makes the file in the data folder if nothing else is there.
pub fn load_or_make(place: &Place, entropy: &dyn Entropy) -> anyhow::Result<Keys> {
    if let Place::Own(path) = place
        && !path.exists()
    {
        make(path, entropy).with_context(|| format!("the secret can't be written to {}", path.display()))?;
    }
    load(place)
}

/// The keys of the service.
pub fn load(place: &Place) -> anyhow::Result<Keys> {
    let text = match place {
        Place::Variable(text) => text.0.clone(),
        Place::Named(path) | Place::Own(path) => read(path)?,
    };
    parse(&text).with_context(|| format!("{place} is not usable"))
}

fn read(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| {
        anyhow!(
            "the secret can't be read from {shown} ({}); let this user read it, or name another file",
            plainly(&error)
        )
    })?;
    let mode = fs::metadata(path)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!("others may read the secret in {shown} (mode {mode:o}); run: chmod 600 {shown}");
    }
    Ok(text)
}

fn parse(text: &str) -> anyhow::Result<Keys> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let parts = lines
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let mut secrets = Vec::new();
    for part in parts {
        let secret = Secret::new(part.as_bytes().to_vec());
        secrets.push(secret.map_err(|error| anyhow!("{error}; make one by: openssl rand -hex 32"))?);
    }
    if secrets.is_empty() {
        bail!("it holds no secret; make one by: openssl rand -hex 32");
    }
    let current = secrets.remove(0);
    Ok(Keys::new(current, secrets))
}

/// Written beside and linked into place, so that nobody ever reads half of it and nobody's is overwritten.
fn make(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<()> {
    use std::fmt::Write as _;
    let mut random = [0; 32];
    entropy.fill(&mut random);
    let text = random.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        // Another process was first.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    const LONG: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn the_first_start_makes_a_file_for_the_owner_only_and_the_second_reads_it() {
        let data = tempfile::tempdir().unwrap();
        let place = Place::of(None, None, data.path());
        load_or_make(&place, &SystemEntropy).unwrap();
        let path = data.path().join("secret");
        let first = fs::read_to_string(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(first.trim().len(), 64);
        load_or_make(&place, &SystemEntropy).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_remedy() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join("secret");
        fs::write(&path, LONG).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let told = load(&Place::Own(path.clone())).unwrap_err().to_string();
        assert!(told.contains(&format!("chmod 600 {}", path.display())), "{told}");
        fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        assert!(load(&Place::Own(path)).is_ok());
    }

    #[test]
    fn a_list_is_read_while_rotating() {
        for text in [
            format!("{LONG}\n# the old one\n{LONG}old\n"),
            format!("{LONG}, {LONG}old"),
        ] {
            assert!(parse(&text).is_ok(), "{text}");
        }
        for bad in ["", "# nothing\n", "short", &format!("{LONG}\nshort")] {
            let told = format!("{:#}", parse(bad).unwrap_err());
            assert!(
                told.ends_with("; make one by: openssl rand -hex 32") && !told.contains(LONG),
                "{told}"
            );
        }
    }

    #[test]
    fn the_environment_wins_and_does_not_print() {
        let place = Place::of(Some(LONG.to_owned()), Some(Path::new("/named")), Path::new("/data"));
        assert!(load(&place).is_ok());
        assert!(!format!("{place:?} {place}").contains(LONG));
        assert_eq!(
            Place::of(None, Some(Path::new("/named")), Path::new("/data")),
            Place::Named("/named".into())
        );
    }
}
