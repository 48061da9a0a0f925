//! What can go wrong with a database.

use thiserror::Error;

/// Why the store could not do what it was asked for. No text of these holds a value of a row.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database cannot be reached or does not answer; it may later.
    #[error("the database is away: {0}")]
    Away(String),
    /// Another transaction was in the way (a deadlock or a serialisation failure); the same call may succeed.
    #[error("the transaction lost a race")]
    Conflict,
    /// A row cannot be read.
    #[error("table {table}, row {row}, column {column}: {why}; mend the row or restore it from a backup")]
    Broken {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The key of the row.
        row: String,
        /// What is wrong.
        why: String,
    },
    /// Another node schedules by a newer time zone database, so this one must not.
    #[error("the time zone database {ours} of this node is older than {stored}, which others use; update this node")]
    OlderTzdb {
        /// The release that the store knows.
        stored: String,
        /// The release of the caller.
        ours: String,
    },
    /// The address of the database makes no sense.
    #[error("the database address is not usable: {0}; expected sqlite:<path> or postgres://<user>@<host>/<name>")]
    Address(String),
    /// The schema is not what this release expects.
    #[error("the database schema cannot be brought up to date: {0}")]
    Migration(String),
    /// A fault of ours.
    #[error("the database refused a statement: {0}")]
    Internal(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(refusal) => match refusal.code().as_deref() {
                // PostgreSQL: serialization_failure, deadlock_detected.
                Some("40001" | "40P01") => StoreError::Conflict,
                // SQLite: BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN, whose extended codes have them in the low byte.
                Some(code) if code.parse::<u32>().is_ok_and(|code| code < 65_536 && is_away(code)) => {
                    StoreError::Away(refusal.message().to_owned())
                }
                // PostgreSQL: connection exceptions, insufficient resources, operator intervention, system errors.
                Some(code)
                    if code.len() == 5 && ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) =>
                {
                    StoreError::Away(refusal.message().to_owned())
                }
                _ => StoreError::Internal(refusal.message().to_owned()),
            },
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => StoreError::Away(error.to_string()),
            sqlx::Error::Configuration(_) => StoreError::Address(error.to_string()),
            sqlx::Error::Migrate(_) => StoreError::Migration(error.to_string()),
            _ => StoreError::Internal(error.to_string()),
        }
    }
}

fn is_away(sqlite_code: u32) -> bool {
    matches!(sqlite_code & 0xff, 5 | 6 | 8 | 10 | 13 | 14)
}
