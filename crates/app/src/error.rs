//! Codes of errors.

use heliograph_store::StoreError;

/// An error with a name that clients can rely on: snake_case, never changed once published.
pub trait Coded {
    fn code(&self) -> &'static str;
}

impl Coded for StoreError {
    fn code(&self) -> &'static str {
        match self {
            StoreError::Away(_) | StoreError::Conflict => "store_unavailable",
            StoreError::OlderTzdb { .. } => "tzdb_outdated",
            StoreError::Broken { .. } | StoreError::Address(_) | StoreError::Migration(_) | StoreError::Internal(_) => {
                "internal"
            }
        }
    }
}
