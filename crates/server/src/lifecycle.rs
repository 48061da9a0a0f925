//! From the first signal to the end of the process.

use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What is under way has this long after the first signal. A supervisor's patience, and Ctrl-C's, is 5 s.
const GRACE: Duration = Duration::from_secs(4);
/// Some supervisors send a signal to the process and to its group: what comes so soon is the same one.
const SAME_SIGNAL: Duration = Duration::from_millis(300);

/// Every task is tracked by `tasks` and watches `stop`.
pub struct Lifecycle {
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
    interrupt: Signal,
    terminate: Signal,
}

impl Lifecycle {
    /// From now on signals no longer end the process at once.
    pub fn begin() -> anyhow::Result<Self> {
        Ok(Self {
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for a signal, tells everybody to stop, and waits until they did: at most 5 s, and not after a second signal.
    pub async fn run(mut self) {
        self.signal().await;
        tracing::info!("stopping: no new requests, rooms are told");
        self.stop.cancel();
        self.tasks.close();
        let tasks = self.tasks.clone();
        tokio::select! {
            () = tasks.wait() => tracing::info!("stopped"),
            () = tokio::time::sleep(GRACE) => {
                tracing::warn!(tasks = tasks.len(), "stopped, although some tasks were not done");
            }
            () = self.second_signal() => tracing::warn!(tasks = tasks.len(), "stopped at once by a second signal"),
        }
    }

    async fn second_signal(&mut self) {
        let first = tokio::time::Instant::now();
        while first.elapsed() < SAME_SIGNAL {
            self.signal().await;
        }
    }

    async fn signal(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
