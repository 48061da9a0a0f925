//! Use cases: load, decide, commit. No SQL, no HTTP; every function takes the [`App`] first.
//!
//! Who calls is a value: a [`Caller`] for staff, [`links::DeviceCookies`] for those who came by a link. Errors are one
//! enum per operation, each with a stable code ([`Coded`]).

pub mod booking;
pub mod cancel;
pub mod demo;
pub mod desk;
mod error;
pub mod links;
pub mod outbox;
pub mod progress;
pub mod record;
pub mod revoke;
pub mod rights;
pub mod seat;
pub mod staff;
pub mod view;
pub mod visits;
mod watch;

pub use error::Coded;
pub use heliograph_store::StoreError;
pub use staff::Caller;
pub use watch::Watch;

use heliograph_access::Keys;
use heliograph_domain::clock::{Clock, Entropy};
use heliograph_domain::zone::Tzdb;
use heliograph_domain::{UnixMillis, UnixSeconds};
use heliograph_store::Store;
use std::sync::Arc;

/// What use cases work with. Cheap to clone.
#[derive(Clone)]
pub struct App {
    store: Store,
    keys: Keys,
    tzdb: Tzdb,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    watch: Arc<dyn Watch>,
}

impl App {
    pub fn new(store: Store, keys: Keys, tzdb: Tzdb, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            store,
            keys,
            tzdb,
            clock,
            entropy,
            watch: Arc::new(watch::Nobody),
        }
    }

    /// The same use cases, with somebody who is told at once what they changed.
    #[must_use]
    pub fn watched_by(self, watch: Arc<dyn Watch>) -> Self {
        Self { watch, ..self }
    }

    /// Tells the other nodes which time zone database this one books by; to be called at the start.
    pub async fn announce_tzdb(&self) -> Result<(), StoreError> {
        self.store.raise_tzdb(self.tzdb.version()).await
    }

    fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    fn now_s(&self) -> UnixSeconds {
        self.now().seconds()
    }

    /// The two parts of a new id.
    fn id_parts(&self) -> (UnixMillis, [u8; 10]) {
        let mut random = [0; 10];
        self.entropy.fill(&mut random);
        (self.now(), random)
    }
}
