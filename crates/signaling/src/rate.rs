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

    /// Counts one message; returns the milliseconds to wait before the next is read.
    pub fn take(&mut self, now: UnixMillis) -> u64 {
        let elapsed = (now.0 - self.last.0).clamp(0, 3_600_000);
        self.last = now;
        self.tokens = (self.tokens + elapsed * self.per_s).min(self.most) - 1000;
        let debt = (-self.tokens).max(0);
        u64::try_from((debt + self.per_s - 1) / self.per_s).unwrap_or(0)
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
    }
}
