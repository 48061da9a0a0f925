//! The configuration: defaults, over them the file, over it the environment, over it the command line.

mod address;
mod explain;
mod layers;
mod show;
mod unknown;

pub use address::{DatabaseUrl, Listen, LogLevel};
pub use layers::{Sources, load};
pub use show::show;

use figment::Figment;
use heliograph_http::{Network, Origin};
use heliograph_protocol::{IceServer, Limits, Timers};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Every key and its default. docs/OPERATIONS.md explains them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub http: Http,
    pub data: Data,
    pub database: Database,
    pub zones: Zones,
    pub rooms: RoomLogs,
    pub signaling: Signaling,
    pub ice: Ice,
    pub log: Log,
    pub secret: SecretSource,
    pub development: Development,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    pub listen: Listen,
    /// Where people reach the service; else at what it listens to.
    pub public_url: Option<Origin>,
    /// Other sites whose pages may use the service.
    pub allowed_origins: Vec<Origin>,
    /// Proxies of ours: their word is taken for the address of a caller.
    pub trusted_proxies: Vec<Network>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// Where the database file and the secret lie.
    pub dir: PathBuf,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// Else a file in the data folder.
    pub url: Option<DatabaseUrl>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Zones {
    /// A folder of compiled time zones that is used when it is the newest.
    pub dir: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoomLogs {
    /// Whether rooms are written to the data folder, so that they come back after the process ended.
    pub journal: bool,
    pub fsync: FsyncPolicy,
    /// How long a room's journal is kept after its last entry, should its visit not have removed it before.
    pub keep_hours: u32,
}

/// When what rooms wrote is brought to the disk: what a power cut may take, the end of the process never does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FsyncPolicy {
    /// When the system likes to.
    #[default]
    Never,
    /// Once a second.
    EverySecond,
    /// Before anything is acknowledged.
    Always,
}

impl Default for RoomLogs {
    fn default() -> Self {
        Self {
            journal: true,
            fsync: FsyncPolicy::Never,
            keep_hours: 24,
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signaling {
    pub timers: Timers,
    pub limits: Limits,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ice {
    pub servers: Vec<IceServer>,
    /// How long a page may use what it was told of them; it is told again at two thirds of it.
    pub lifetime_s: u32,
}

impl Default for Ice {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            lifetime_s: 24 * 60 * 60,
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    pub format: LogFormat,
    pub level: LogLevel,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    Text,
    Json,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretSource {
    /// Else a file in the data folder.
    pub file: Option<PathBuf>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Development {
    /// Whether pages may ask for faults: to end the process, to take entries from their room.
    pub simulate: bool,
}

impl Default for Data {
    fn default() -> Self {
        Self { dir: "data".into() }
    }
}

/// A configuration, and where each of its values comes from.
pub struct Loaded {
    pub config: Config,
    figment: Figment,
}
