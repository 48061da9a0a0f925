//! Connections, transactions and the schema of both engines.

use crate::StoreError;
use heliograph_domain::UnixMillis;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::Migrator;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Executor, Row, Transaction};
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// A statement waits this long for a connection before the database counts as away.
const PATIENCE: Duration = Duration::from_secs(10);
const SQLITE_READERS: u32 = 4;
/// Pages that a connection keeps, in KiB; the operating system keeps the rest.
const SQLITE_CACHE: &str = "PRAGMA cache_size = -512";
const POSTGRES_CONNECTIONS: u32 = 16;

/// Which database is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file of this node's own.
    Sqlite,
    /// A server that nodes share.
    Postgres,
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    pub(crate) readers: AnyPool,
    writers: AnyPool,
}

/// Its address may hold a password, so it never prints.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({:?})", self.engine)
    }
}

/// The address of a SQLite file, whatever characters its path has.
pub fn file_url(path: &Path) -> String {
    let path = path.to_string_lossy();
    format!(
        "sqlite:{}",
        path.replace('%', "%25").replace('?', "%3F").replace('#', "%23")
    )
}

impl Store {
    /// Opens `sqlite:<path>` (made if missing) or `postgres://…`. Call [`Store::migrate`] before anything else.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        match url.split(':').next() {
            Some("sqlite") => Self::open_sqlite(url).await,
            Some("postgres" | "postgresql") => {
                let options = AnyConnectOptions::from_str(url)?;
                // A pool tries again and again until its patience ends; whoever starts wants to know at once.
                AnyConnection::connect_with(&options).await?.close().await?;
                let pool = pool(POSTGRES_CONNECTIONS).connect_with(options).await?;
                Ok(Self {
                    engine: Engine::Postgres,
                    readers: pool.clone(),
                    writers: pool,
                })
            }
            _ => Err(StoreError::Address(format!(
                "unknown scheme in {:?}",
                url.split(':').next().unwrap_or_default()
            ))),
        }
    }

    /// One connection writes, since SQLite lets only one do so: waiting for it is fairer than SQLite's own retries.
    async fn open_sqlite(url: &str) -> Result<Self, StoreError> {
        let with = |mode: &str| format!("{url}{}mode={mode}", if url.contains('?') { '&' } else { '?' });
        let writers = pool(1)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute("PRAGMA journal_mode = WAL").await?;
                    connection.execute("PRAGMA synchronous = FULL").await?;
                    connection.execute("PRAGMA foreign_keys = ON").await?;
                    connection.execute(SQLITE_CACHE).await?;
                    Ok(())
                })
            })
            .connect_with(AnyConnectOptions::from_str(&with("rwc"))?)
            .await?;
        let readers = pool(SQLITE_READERS)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute("PRAGMA query_only = ON").await?;
                    connection.execute(SQLITE_CACHE).await.map(drop)
                })
            })
            .connect_with(AnyConnectOptions::from_str(&with("rw"))?)
            .await?;
        Ok(Self {
            engine: Engine::Sqlite,
            readers,
            writers,
        })
    }

    /// Which engine it is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Brings the schema up to date; harmless when repeated, and when several nodes do it at once.
    /// On PostgreSQL it takes the owner of the database; the service itself runs as a role that owns nothing.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.migrator().run(&self.writers).await.map_err(|error| match error {
            sqlx::migrate::MigrateError::Execute(error) | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => {
                match StoreError::from(error) {
                    StoreError::Away(why) => StoreError::Away(why),
                    other => StoreError::Migration(other.to_string()),
                }
            }
            other => StoreError::Migration(other.to_string()),
        })
    }

    /// How many migrations are still to be made; an error if the database is from a later release.
    pub async fn pending_migrations(&self) -> Result<usize, StoreError> {
        const TABLE_ON_SQLITE: &str =
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'";
        const TABLE_ON_POSTGRES: &str = "SELECT CAST(to_regclass('_sqlx_migrations') AS TEXT) AS name";
        const APPLIED: &str = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
        let table = match self.engine {
            Engine::Sqlite => TABLE_ON_SQLITE,
            Engine::Postgres => TABLE_ON_POSTGRES,
        };
        let row = sqlx::query(table).fetch_optional(&self.readers).await?;
        let exists = row
            .map(|row| row.try_get::<Option<String>, _>("name"))
            .transpose()?
            .flatten()
            .is_some();
        let rows = if exists {
            sqlx::query(APPLIED).fetch_all(&self.readers).await?
        } else {
            Vec::new()
        };
        let ours: Vec<i64> = self.migrator().iter().map(|migration| migration.version).collect();
        for row in &rows {
            let version = row.try_get("version")?;
            if !ours.contains(&version) {
                return Err(StoreError::Migration(format!(
                    "it has migration {version} of a later release"
                )));
            }
        }
        Ok(ours.len() - rows.len())
    }

    fn migrator(&self) -> &'static Migrator {
        match self.engine {
            Engine::Sqlite => &SQLITE,
            Engine::Postgres => &POSTGRES,
        }
    }

    /// Asks the database for an answer. The instant is that of a shared database's own clock, for nodes to compare
    /// theirs with; a file has none.
    pub async fn health(&self) -> Result<Option<UnixMillis>, StoreError> {
        const SQLITE_ALIVE: &str = "SELECT COUNT(*) AS rows FROM meta";
        const POSTGRES_CLOCK: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now_ms FROM (SELECT COUNT(*) FROM meta) m";
        match self.engine {
            Engine::Sqlite => {
                sqlx::query(SQLITE_ALIVE).fetch_one(&self.readers).await?;
                Ok(None)
            }
            Engine::Postgres => {
                let row = sqlx::query(POSTGRES_CLOCK).fetch_one(&self.readers).await?;
                Ok(Some(UnixMillis(row.try_get("now_ms")?)))
            }
        }
    }

    /// Waits for what is under way and closes all connections.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }

    /// A transaction that may write. Dropped without a commit, it leaves no trace.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(match self.engine {
            // A transaction that begins as a reader and turns writer can fail half-way.
            Engine::Sqlite => self.writers.begin_with("BEGIN IMMEDIATE").await?,
            Engine::Postgres => self.writers.begin().await?,
        })
    }
}

fn pool(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
}
