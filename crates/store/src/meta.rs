//! What nodes must agree on.

use crate::{Store, StoreError};
use sqlx::{Any, Row, Transaction};

const TZDB: &str = "SELECT value FROM meta WHERE key = 'tzdb_version'";
const RAISE_TZDB: &str = "INSERT INTO meta (key, value) VALUES ('tzdb_version', $1)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE meta.value < excluded.value";

impl Store {
    /// Tells which release of the time zone database this node has, such as `2026f`. The newest one of all nodes is kept,
    /// and nodes with an older one can no longer book. A release without a year (`unknown`) is not compared.
    pub async fn raise_tzdb(&self, release: &str) -> Result<(), StoreError> {
        if is_release(release) {
            let mut transaction = self.begin().await?;
            sqlx::query(RAISE_TZDB).bind(release).execute(&mut *transaction).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// The newest release that any node has told of.
    pub async fn tzdb(&self) -> Result<Option<String>, StoreError> {
        let row = sqlx::query(TZDB).fetch_optional(&self.readers).await?;
        Ok(row.map(|row| row.try_get("value")).transpose()?)
    }
}

/// Fails if another node has a newer time zone database than the caller.
pub(crate) async fn check_tzdb(transaction: &mut Transaction<'_, Any>, ours: &str) -> Result<(), StoreError> {
    let row = sqlx::query(TZDB).fetch_optional(&mut **transaction).await?;
    let stored: Option<String> = row.map(|row| row.try_get("value")).transpose()?;
    match stored {
        Some(stored) if is_release(ours) && ours < stored.as_str() => Err(StoreError::OlderTzdb {
            stored,
            ours: ours.to_owned(),
        }),
        Some(_) | None => Ok(()),
    }
}

fn is_release(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}
