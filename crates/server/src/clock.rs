//! The machine's clock and the system's generator: the only place that reads them.

use heliograph_domain::UnixMillis;
use heliograph_domain::clock::{Clock, Entropy};
use std::time::{SystemTime, UNIX_EPOCH};

pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "here the time comes in, for everybody")]
    fn now(&self) -> UnixMillis {
        // A clock before 1970 is told by `doctor`; nothing can be booked by it.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "here chance comes in, for everybody")]
    fn fill(&self, buffer: &mut [u8]) {
        // Without it no secret is safe, so there is nothing better to do than to stop.
        getrandom::fill(buffer).expect("the system gives random bytes");
    }
}
