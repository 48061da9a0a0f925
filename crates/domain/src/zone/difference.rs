//! Where two databases disagree.

use super::{Tzdb, Zone};
use crate::UnixSeconds;
use chrono::{DateTime, Offset, TimeZone};

const WEEK_S: usize = 7 * 86_400;

/// A zone whose clocks two databases set differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The zone.
    pub zone: Zone,
    /// An instant at which they differ; the first one that was seen.
    pub at: UnixSeconds,
    /// Seconds ahead of UTC by the database that was asked.
    pub ours_s: i32,
    /// Seconds ahead of UTC by the other one.
    pub theirs_s: i32,
}

impl Tzdb {
    /// The zones that another database sets differently at some time between two instants, each once. Differences that
    /// last less than a week and touch no transition of ours may be missed.
    pub fn differences(&self, other: &Tzdb, from: UnixSeconds, until: UnixSeconds) -> Vec<Difference> {
        self.compare(from, until, |zone, at| other.offset_s(zone, at))
    }

    /// The same against the rules that chrono-tz carries, of the release [`Tzdb::cross_check_version`]: an
    /// independent reader, so an unexpected zone in the list hints at a defect of either.
    pub fn cross_check(&self, from: UnixSeconds, until: UnixSeconds) -> Vec<Difference> {
        self.compare(from, until, |zone, at| {
            compiled_offset_s(zone, at).unwrap_or_else(|| self.offset_s(zone, at))
        })
    }

    /// The release that [`Tzdb::cross_check`] compares with.
    pub fn cross_check_version() -> &'static str {
        chrono_tz::IANA_TZDB_VERSION
    }

    fn compare(
        &self,
        from: UnixSeconds,
        until: UnixSeconds,
        theirs: impl Fn(&Zone, UnixSeconds) -> i32,
    ) -> Vec<Difference> {
        let weekly = || (from.0..until.0).step_by(WEEK_S).map(UnixSeconds);
        let zones = Zone::all().filter_map(|name| Zone::parse(name).ok());
        zones
            .filter_map(|zone| {
                let around = self
                    .transitions(&zone, from, until)
                    .into_iter()
                    .flat_map(|at| [at.plus(-1), at]);
                let differs = |at: UnixSeconds| {
                    let (ours_s, theirs_s) = (self.offset_s(&zone, at), theirs(&zone, at));
                    (ours_s != theirs_s).then(|| Difference {
                        zone: zone.clone(),
                        at,
                        ours_s,
                        theirs_s,
                    })
                };
                weekly()
                    .chain(around)
                    .filter_map(differs)
                    .min_by_key(|difference| difference.at)
            })
            .collect()
    }
}

fn compiled_offset_s(zone: &Zone, at: UnixSeconds) -> Option<i32> {
    let compiled = zone.name().parse::<chrono_tz::Tz>().ok()?;
    let utc = DateTime::from_timestamp(at.0, 0)?.naive_utc();
    Some(compiled.offset_from_utc_datetime(&utc).fix().local_minus_utc())
}
