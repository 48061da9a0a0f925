//! A connection's rate limit as back-pressure: the next frame is not read before it may come.

use heliograph_domain::UnixMillis;
use heliograph_protocol::Limits;

/// A token bucket in thousandths of a message.
#[derive(Debug, Clone)]
pub(crate) struct Rate {
    tokens: i64,
    most: i64,
    per_s: i64,
    last: UnixMillis,
}

impl Rate {
    pub fn new(limits: &Limits, now: UnixMillis) -> Rate {
        let most = i64::from(limits.burst) * 1000;
        Rate {
            tokens: most,
            most,
            per_s: i64::from(limits.messages_per_s.max(1)),
            last: now,
        }
    }

    /// So many messages cost nothing.
    pub fn give_back(&mut self, messages: u32) {
        self.tokens = (self.tokens + i64::from(messages) * 1000).min(self.most);
    }

    /// Counts one message; returns the milliseconds to wait before the next is read.
    pub fn take(&mut self, now: UnixMillis) -> u64 {
        let elapsed = (now.0 - self.last.0).clamp(0, 3_600_000);
        self.last = now;
        self.tokens = (self.tokens + elapsed * self.per_s).min(self.most) - 1000;
        let debt = (-self.tokens).max(0);
        u64::try_from((debt + self.per_s - 1) / self.per_s).unwrap_or(0)
    }
}

/// What may come once in a while: what comes sooner is dropped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pace {
    last: Option<UnixMillis>,
}

impl Pace {
    /// Whether one may come now. A clock that was set back holds nobody up.
    pub fn take(&mut self, now: UnixMillis, every_ms: i64) -> bool {
        let soon = self.last.is_some_and(|last| (0..every_ms).contains(&(now.0 - last.0)));
        if !soon {
            self.last = Some(now);
        }
        !soon
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_the_pace_holds() {
        let limits = Limits {
            burst: 3,
            messages_per_s: 10,
            ..Limits::default()
        };
        let mut rate = Rate::new(&limits, UnixMillis(0));
        assert_eq!([0; 3].map(|_: i32| rate.take(UnixMillis(0))), [0, 0, 0]);
        assert_eq!(rate.take(UnixMillis(0)), 100);
        assert_eq!(rate.take(UnixMillis(100)), 100);
        assert_eq!(rate.take(UnixMillis(10_000)), 0);
        rate.give_back(1_000);
        assert_eq!([0; 3].map(|_: i32| rate.take(UnixMillis(10_000))), [0, 0, 0]);
        assert_eq!(rate.take(UnixMillis(10_000)), 100, "no more than a burst");
        rate.give_back(1);
        assert_eq!(rate.take(UnixMillis(10_000)), 100, "one that cost nothing");
    }

    #[test]
    fn one_comes_and_those_that_follow_too_soon_do_not() {
        let mut pace = Pace::default();
        let taken = [0, 1, 4_999, 5_000, 9_999, 10_001, 9_000].map(|ms| pace.take(UnixMillis(ms), 5_000));
        assert_eq!(taken, [true, false, false, true, false, true, true]);
    }
}
