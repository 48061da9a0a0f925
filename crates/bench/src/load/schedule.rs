//! When messages are to be sent. Nobody asks whether the service is ready for the next one: a message that waits since the
//! service is slow was due when it was due, and its latency counts from then (no coordinated omission).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// So many messages a second, evenly.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    pub per_second: u64,
}

impl Schedule {
    /// When message `n`, counted from 0, is due after the beginning.
    pub fn due(self, n: u64) -> Duration {
        let nanos = u128::from(n) * 1_000_000_000 / u128::from(self.per_second.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The messages that became due up to `now`, when those before `next` are on their way: all of them, however late it is.
    pub fn ready(self, next: u64, now: Duration) -> impl Iterator<Item = (u64, Duration)> {
        (next..)
            .map(move |n| (n, self.due(n)))
            .take_while(move |(_, due)| *due <= now)
    }
}

/// A thread that keeps a schedule. The timers of an async runtime are too coarse: they would add up to a millisecond.
pub struct Pace {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<u64>>,
}

impl Pace {
    /// Calls `send(n, due)` for each message when it is due; `due` counts from `began`, as the schedule's start does.
    pub fn keep(schedule: Schedule, began: Instant, send: impl Fn(u64, Duration) + Send + 'static) -> Pace {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let offset = began.elapsed();
        let thread = thread::spawn(move || {
            let mut next = 0;
            while !told.load(Ordering::Relaxed) {
                let now = began.elapsed();
                for (n, due) in schedule.ready(next, now.saturating_sub(offset)) {
                    send(n, offset + due);
                    next = n + 1;
                }
                thread::park_timeout(
                    (offset + schedule.due(next))
                        .saturating_sub(began.elapsed())
                        .min(LOOK_UP),
                );
            }
            next
        });
        Pace {
            stop,
            thread: Some(thread),
        }
    }

    /// No more messages; how many there were.
    pub fn end(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or(0)
    }
}

impl Drop for Pace {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// How long the thread may sleep before it looks whether it is to stop.
const LOOK_UP: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn messages_are_even_and_do_not_drift() {
        let schedule = Schedule { per_second: 3 };
        assert_eq!(schedule.due(0), Duration::ZERO);
        assert_eq!(schedule.due(3 * 86_400), Duration::from_hours(24));
        assert_eq!(Schedule { per_second: 1_000 }.due(7), 7 * MS);
    }

    #[test]
    fn after_a_stall_all_that_was_due_goes_out_with_the_time_when_it_was_due() {
        let schedule = Schedule { per_second: 1_000 };
        let due = |next, now| schedule.ready(next, now).map(|(_, due)| due).collect::<Vec<_>>();
        assert_eq!(due(0, Duration::ZERO), [Duration::ZERO]);
        assert_eq!(due(1, MS / 2), []);
        // Four milliseconds in which nothing went out: four messages, the first of them three milliseconds late.
        assert_eq!(due(1, 4 * MS), [MS, 2 * MS, 3 * MS, 4 * MS]);
    }

    #[test]
    fn a_pace_counts_from_its_beginning_and_ends() {
        let began = Instant::now();
        let (sender, sent) = mpsc::channel();
        let pace = Pace::keep(Schedule { per_second: 10_000 }, began, move |n, due| {
            let _ = sender.send((n, due));
        });
        let first: Vec<_> = sent.iter().take(20).collect();
        let count = pace.end();
        assert!(count >= 20);
        assert_eq!(sent.iter().count() as u64 + 20, count);
        assert_eq!(first[19].0, 19);
        assert_eq!(first[19].1, first[0].1 + Schedule { per_second: 10_000 }.due(19));
    }
}
