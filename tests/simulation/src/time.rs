//! Virtual time: the runtime's paused clock, and wall clocks that may be wrong.

use heliograph_domain::{UnixMillis, clock::Clock};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// What the clocks show when a history begins.
pub const BEGIN: UnixMillis = UnixMillis(1_800_000_000_000);

/// Milliseconds since the history began. They only grow.
#[derive(Debug, Clone, Copy)]
pub struct Time(Instant);

impl Time {
    pub fn begin() -> Time {
        Time(Instant::now())
    }

    pub fn now(self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub fn at(self, ms: u64) -> Instant {
        self.0 + Duration::from_millis(ms)
    }
}

/// The clock of one machine: it goes with time, and is set to another time once in a while.
#[derive(Debug, Clone)]
pub struct Wall {
    time: Time,
    wrong_ms: Arc<AtomicI64>,
}

impl Wall {
    pub fn new(time: Time, wrong_ms: i64) -> Wall {
        let wrong_ms = Arc::new(AtomicI64::new(wrong_ms));
        Wall { time, wrong_ms }
    }

    pub fn step(&self, wrong_ms: i64) {
        self.wrong_ms.store(wrong_ms, Ordering::Relaxed);
    }
}

impl Clock for Wall {
    fn now(&self) -> UnixMillis {
        let since = i64::try_from(self.time.now()).unwrap_or(i64::MAX);
        BEGIN.plus(since + self.wrong_ms.load(Ordering::Relaxed))
    }
}

pub async fn pause(ms: u64) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}
