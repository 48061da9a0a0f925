//! What `/readyz` looks at.

use futures::{FutureExt, future::BoxFuture};
use heliograph_domain::clock::Clock;
use heliograph_domain::zone::Tzdb;
use heliograph_http::{Check, Readiness};
use heliograph_store::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A database that does not answer within this is away.
const PATIENCE: Duration = Duration::from_secs(2);
/// How far the clocks of this node and of a shared database may differ, in milliseconds.
const CLOCKS_MAY_DIFFER_MS: u64 = 2_000;

/// What the service depends on.
pub struct Dependencies {
    pub store: Store,
    pub tzdb: Tzdb,
    pub clock: Arc<dyn Clock>,
    pub stop: CancellationToken,
}

impl Readiness for Dependencies {
    fn look(&self) -> BoxFuture<'_, Vec<Check>> {
        async {
            let (database, zones) = tokio::join!(self.database(), self.zones());
            vec![database, zones, self.running()]
        }
        .boxed()
    }
}

impl Dependencies {
    async fn database(&self) -> Check {
        let (ok, detail) = match tokio::time::timeout(PATIENCE, self.store.health()).await {
            Err(_) => (false, format!("no answer within {} s", PATIENCE.as_secs())),
            // What the error says may name hosts and users; it is logged with the requests that fail.
            Ok(Err(_)) => (false, "can't be reached".to_owned()),
            Ok(Ok(None)) => (true, "answers".to_owned()),
            Ok(Ok(Some(theirs))) => {
                let apart = theirs.0.abs_diff(self.clock.now().0);
                let detail = format!("answers; its clock and this node's are {apart} ms apart, 2000 ms at most may be");
                (apart <= CLOCKS_MAY_DIFFER_MS, detail)
            }
        };
        Check {
            name: "database",
            ok,
            detail,
        }
    }

    async fn zones(&self) -> Check {
        let ours = self.tzdb.version();
        let newest = tokio::time::timeout(PATIENCE, self.store.tzdb()).await;
        let (ok, detail) = match newest {
            Ok(Ok(Some(newest))) if ours < newest.as_str() => (
                false,
                format!("{ours} is older than {newest}, which another node books by; update this node"),
            ),
            Ok(Ok(_)) => (true, ours.to_owned()),
            Ok(Err(_)) | Err(_) => (
                false,
                format!("{ours}; the database can't tell which one others book by"),
            ),
        };
        Check {
            name: "time_zones",
            ok,
            detail,
        }
    }

    fn running(&self) -> Check {
        let ok = !self.stop.is_cancelled();
        Check {
            name: "running",
            ok,
            detail: if ok { "yes" } else { "stopping" }.to_owned(),
        }
    }
}
