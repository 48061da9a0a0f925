//! What was sent and what came of it, for all people of a run.

use super::{message::Stamp, tally::Tally};
use anyhow::Result;
use hdrhistogram::Histogram;
use std::{
    collections::BTreeMap,
    ops::AddAssign,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// The longest latency that is told apart, in microseconds.
const LONGEST_US: u64 = 600_000_000;
const DIGITS: u8 = 3;

/// One direction of a room.
#[derive(Debug, Default)]
pub struct Stream {
    sent: AtomicU64,
    acked: AtomicU64,
    came: Mutex<Tally>,
}

impl Stream {
    /// The next message, which is due then.
    pub fn send(&self, due: Duration) -> Stamp {
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        Stamp { number, due }
    }

    /// So many of the sender's messages are acknowledged.
    pub fn acked(&self, count: u64) {
        self.acked.store(count, Ordering::Relaxed);
    }

    /// Sent and not acknowledged.
    pub fn open(&self) -> u64 {
        let acked = self.acked.load(Ordering::Relaxed);
        self.sent.load(Ordering::Relaxed).saturating_sub(acked)
    }

    fn totals(&self) -> Totals {
        let came = locked(&self.came);
        let sent = self.sent.load(Ordering::Relaxed);
        Totals {
            sent,
            acked: self.acked.load(Ordering::Relaxed),
            delivered: came.delivered(),
            lost: came.lost(sent),
            doubled: came.doubled,
            reordered: came.reordered,
        }
    }
}

/// Counts of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub sent: u64,
    pub acked: u64,
    pub delivered: u64,
    pub lost: u64,
    pub doubled: u64,
    pub reordered: u64,
}

impl Totals {
    /// Nothing is missing, neither at the receiver nor in what the sender was told.
    pub fn settled(&self, acknowledged: bool) -> bool {
        self.lost == 0 && (!acknowledged || self.acked >= self.sent)
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.acked += other.acked;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.reordered += other.reordered;
    }
}

/// Everything that is counted in a run.
pub struct Ledger {
    began: Instant,
    streams: Mutex<Vec<Arc<Stream>>>,
    latencies: Mutex<Latencies>,
    /// First deliveries.
    delivered: AtomicU64,
    /// `ack` frames that people sent.
    pub ack_frames: AtomicU64,
    /// Messages that the service refused.
    pub refused: AtomicU64,
    /// Why pages stopped that do not come back, and how many.
    stopped: Mutex<BTreeMap<String, u64>>,
}

struct Latencies {
    /// Messages that were due before this are not counted.
    from: Duration,
    histogram: Histogram<u64>,
}

impl Ledger {
    pub fn new() -> Result<Arc<Ledger>> {
        let latencies = Latencies {
            from: Duration::ZERO,
            histogram: histogram()?,
        };
        Ok(Arc::new(Ledger {
            began: Instant::now(),
            streams: Mutex::default(),
            latencies: Mutex::new(latencies),
            delivered: AtomicU64::new(0),
            ack_frames: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            stopped: Mutex::default(),
        }))
    }

    /// All times of the run count from here.
    pub fn began(&self) -> Instant {
        self.began
    }

    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Another direction of a room.
    pub fn stream(&self) -> Arc<Stream> {
        let stream = Arc::new(Stream::default());
        locked(&self.streams).push(Arc::clone(&stream));
        stream
    }

    /// A message came.
    pub fn came(&self, stream: &Stream, stamp: Stamp) {
        let now = self.now();
        if !locked(&stream.came).take(stamp.number) {
            return;
        }
        self.delivered.fetch_add(1, Ordering::Relaxed);
        let mut latencies = locked(&self.latencies);
        if stamp.due >= latencies.from {
            let waited = now.saturating_sub(stamp.due).as_micros();
            latencies
                .histogram
                .saturating_record(u64::try_from(waited).unwrap_or(LONGEST_US).max(1));
        }
    }

    /// A page does not come back.
    pub fn stopped(&self, why: String) {
        *locked(&self.stopped).entry(why).or_default() += 1;
    }

    /// Why pages do not come back, and how many.
    pub fn stops(&self) -> BTreeMap<String, u64> {
        locked(&self.stopped).clone()
    }

    /// How many messages came, each counted once.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Latencies count from now on.
    pub fn warm(&self) {
        let mut latencies = locked(&self.latencies);
        latencies.from = self.now();
        latencies.histogram.reset();
    }

    /// The latency that `percent` of the messages did not exceed, in milliseconds; none if nothing came.
    pub fn latency_ms(&self, percent: f64) -> Option<f64> {
        quantile_ms(&locked(&self.latencies).histogram, percent)
    }

    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for stream in locked(&self.streams).iter() {
            totals += stream.totals();
        }
        totals
    }
}

/// A histogram of microseconds.
pub fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_max(LONGEST_US, DIGITS)?)
}

/// The value of microseconds that `percent` did not exceed, in milliseconds.
pub fn quantile_ms(histogram: &Histogram<u64>, percent: f64) -> Option<f64> {
    let micros = u32::try_from(histogram.value_at_quantile(percent / 100.0)).unwrap_or(u32::MAX);
    (!histogram.is_empty()).then(|| f64::from(micros) / 1000.0)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(ledger: &Ledger, number: u64, ago: Duration) -> Stamp {
        Stamp {
            number,
            due: ledger.now().saturating_sub(ago),
        }
    }

    #[test]
    fn totals_are_those_of_all_streams() {
        let ledger = Ledger::new().unwrap();
        let (one, other) = (ledger.stream(), ledger.stream());
        for _ in 0..3 {
            one.send(Duration::ZERO);
        }
        other.send(Duration::ZERO);
        for number in [1, 3, 3] {
            ledger.came(&one, stamp(&ledger, number, Duration::ZERO));
        }
        one.acked(2);
        let totals = ledger.totals();
        assert_eq!(
            (totals.sent, totals.delivered, totals.lost, totals.doubled),
            (4, 2, 2, 1)
        );
        assert_eq!((one.open(), ledger.delivered()), (1, 2));
        assert!(!totals.settled(false));
    }

    #[test]
    fn latency_counts_from_when_a_message_was_due_and_once() {
        let ledger = Ledger::new().unwrap();
        let stream = ledger.stream();
        assert_eq!(ledger.latency_ms(50.0), None);
        std::thread::yield_now();
        let due = Stamp {
            number: 1,
            due: Duration::ZERO,
        };
        let waited = ledger.now();
        ledger.came(&stream, due);
        ledger.came(&stream, due);
        assert!(ledger.latency_ms(100.0).unwrap() * 1000.0 + 1.0 >= u32::try_from(waited.as_micros()).unwrap().into());
        assert_eq!(locked(&ledger.latencies).histogram.len(), 1);
    }

    #[test]
    fn what_was_due_before_the_start_of_the_measurement_is_left_out() {
        let ledger = Ledger::new().unwrap();
        let stream = ledger.stream();
        let early = stamp(&ledger, 1, Duration::ZERO);
        ledger.warm();
        ledger.came(&stream, early);
        assert_eq!(ledger.latency_ms(99.0), None);
        ledger.came(&stream, stamp(&ledger, 2, Duration::ZERO));
        assert!(ledger.latency_ms(99.0).is_some());
    }
}
