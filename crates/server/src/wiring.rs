//! Joins ports and those who serve them.

mod changes;
mod journal;
mod outbox;
mod rooms;
mod simulate;

use crate::clock::{SystemClock, SystemEntropy};
use crate::config::{Config, DatabaseUrl};
use crate::data::DataFolder;
use crate::secret::{self, Place};
use anyhow::{Context, anyhow};
use changes::Changes;
use heliograph_access::Keys;
use heliograph_app::App;
use heliograph_domain::clock::{Clock, Entropy};
use heliograph_domain::zone::{Tzdb, TzdbSource};
use heliograph_roomlog::{Journal, Leases, Memory};
use heliograph_signaling::{Ports, Rooms, Settings};
use heliograph_store::{Store, StoreError, file_url};
pub use journal::Journalled;
use rooms::RoomsOfApp;
use simulate::Faults;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The parts of a service that need no socket.
pub struct Service {
    pub app: App,
    pub store: Store,
    pub tzdb: Tzdb,
    pub keys: Keys,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    changes: Arc<Changes>,
}

impl Service {
    /// Opens everything that the configuration names, and brings the database up to date.
    pub async fn open(config: &Config, data: &DataFolder, variable: Option<String>) -> anyhow::Result<Self> {
        let place = Place::of(variable, config.secret.file.as_deref(), data.path());
        let keys = secret::load_or_make(&place, &SystemEntropy)?;
        let (tzdb, _) = zones(config)?;
        let store = open_store(config, data).await?;
        migrate(&store).await?;
        Self::new(store, keys, tzdb, Arc::new(SystemClock), Arc::new(SystemEntropy)).await
    }

    /// Joins what is open.
    pub async fn new(
        store: Store,
        keys: Keys,
        tzdb: Tzdb,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> anyhow::Result<Self> {
        let app = App::new(
            store.clone(),
            keys.clone(),
            tzdb.clone(),
            Arc::clone(&clock),
            Arc::clone(&entropy),
        );
        let changes = Arc::new(Changes::default());
        let app = app.watched_by(Arc::clone(&changes) as _);
        app.announce_tzdb().await.context("the database can't be written to")?;
        Ok(Self {
            app,
            store,
            tzdb,
            keys,
            clock,
            entropy,
            changes,
        })
    }

    /// Rooms in the memory of this process, with the journal of those that were there before. `simulate`: their pages may ask
    /// for faults.
    pub fn rooms(
        &self,
        settings: Settings,
        journal: Option<Arc<Journal>>,
        simulate: bool,
        stop: CancellationToken,
        tasks: &TaskTracker,
    ) -> Rooms {
        let ms = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        let leases = Leases {
            beat_ms: ms(settings.timers.beat_ms),
            lease_ms: ms(settings.timers.lease_ms),
            reconnecting_ms: ms(settings.timers.reconnecting_ms),
        };
        let of_app = Arc::new(RoomsOfApp(self.app.clone()));
        let clock = Arc::clone(&self.clock);
        let log = Arc::new(match journal {
            Some(journal) => Memory::journalled(clock, leases, journal),
            None => Memory::new(clock, leases),
        });
        let ports = Ports {
            log: Arc::clone(&log) as _,
            rights: Arc::clone(&of_app) as _,
            record: Arc::clone(&of_app) as _,
            desk: of_app,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            keys: self.keys.clone(),
            simulate: simulate.then(|| Arc::new(Faults(log)) as _),
        };
        let rooms = Rooms::new(ports, settings, stop.clone(), tasks.clone());
        let (app, changes) = (self.app.clone(), Arc::clone(&self.changes));
        tasks.spawn(changes::tell_desks(Arc::clone(&changes), rooms.clone(), stop.clone()));
        tasks.spawn(outbox::run(app, rooms.clone(), changes, stop));
        rooms
    }
}

/// The newest time zone database, and all that were seen.
pub fn zones(config: &Config) -> anyhow::Result<(Tzdb, Vec<TzdbSource>)> {
    Tzdb::newest(config.zones.dir.as_deref()).context("the folder of [zones] dir can't be used")
}

/// The database that the configuration names, else a file in the data folder.
pub async fn open_store(config: &Config, data: &DataFolder) -> anyhow::Result<Store> {
    match &config.database.url {
        Some(url) => open_url(url).await,
        None => open_file(data).await,
    }
}

/// A database that says nothing for so long is away.
const PATIENCE: Duration = Duration::from_secs(10);
/// What helps when a database is away.
pub const LOOK_AT_IT: &str = "see that it runs, and that its address is right";

/// A database that is named by its address.
pub async fn open_url(url: &DatabaseUrl) -> anyhow::Result<Store> {
    let silent = |_| Err(StoreError::Away(format!("no answer within {} s", PATIENCE.as_secs())));
    match timeout(PATIENCE, Store::open(url.reveal()))
        .await
        .unwrap_or_else(silent)
    {
        Err(StoreError::Away(why)) => Err(anyhow!("the database {url} is away: {why}; {LOOK_AT_IT}")),
        opened => opened.with_context(|| format!("the database {url} can't be opened")),
    }
}

/// The file in the data folder.
pub async fn open_file(data: &DataFolder) -> anyhow::Result<Store> {
    data.check_database()?;
    let file = data.database_file();
    let opened = Store::open(&file_url(&file)).await;
    opened.with_context(|| format!("the database {} can't be opened", file.display()))
}

/// Brings the database up to date. Where nothing is to be done, nothing is asked for: a service that shares a database
/// need not own it.
pub async fn migrate(store: &Store) -> anyhow::Result<()> {
    if pending(store).await? > 0 {
        store.migrate().await?;
    }
    Ok(())
}

/// How many steps the database is behind this release.
pub async fn pending(store: &Store) -> anyhow::Result<usize> {
    store.pending_migrations().await.map_err(|error| match error {
        StoreError::Migration(why) => {
            anyhow!(
                "this release can't use the database: {why}; start that release, or choose another folder with --data"
            )
        }
        other => other.into(),
    })
}
