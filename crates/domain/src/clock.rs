//! Instants, and the two ports through which time and chance come in.

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds. Bookings count in these.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct UnixSeconds(pub i64);

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds. Rooms count in these.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct UnixMillis(pub i64);

impl UnixSeconds {
    /// This instant, `seconds` later (or earlier, if negative).
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0 + seconds)
    }

    /// The same instant in milliseconds.
    pub fn millis(self) -> UnixMillis {
        UnixMillis(self.0 * 1000)
    }
}

impl UnixMillis {
    /// This instant, `ms` milliseconds later (or earlier, if negative).
    #[must_use]
    pub fn plus(self, ms: i64) -> Self {
        Self(self.0 + ms)
    }

    /// The second that this instant lies in.
    pub fn seconds(self) -> UnixSeconds {
        UnixSeconds(self.0.div_euclid(1000))
    }
}

/// Where the time comes from. Only `server` implements it with the machine's clock; tests set it.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> UnixMillis;
}

/// Where chance comes from. Only `server` implements it with the system's generator.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `buffer` with bytes that nobody can foretell.
    fn fill(&self, buffer: &mut [u8]);
}
