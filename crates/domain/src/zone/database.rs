//! Conversions by one loaded database.

use super::{LocalTime, WallTime, Zone, date::LocalDate};
use crate::UnixSeconds;
use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, Offset, TimeZone},
};
use std::{collections::BTreeMap, fmt, ops::Range, sync::Arc};

/// One release of the IANA time zone database, read once: later changes of its files have no effect. Cheap to clone.
#[derive(Clone)]
pub struct Tzdb(Arc<Loaded>);

struct Loaded {
    version: Option<String>,
    zones: BTreeMap<&'static str, TimeZone>,
}

const UNIX_EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// The instants at which the clocks of a zone show a wall time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// Once, as nearly always.
    Unique(UnixSeconds),
    /// Twice, since the clocks are set back in between.
    Ambiguous {
        /// The earlier instant.
        first: UnixSeconds,
        /// The later instant.
        second: UnixSeconds,
    },
    /// Never, since the clocks are set forward over it. The two candidates are what people may mean, in time order.
    Missing {
        /// Read with the offset that is valid after the gap: lies before the transition, the clocks show less.
        first: UnixSeconds,
        /// Read with the offset that was valid before the gap: lies at or after the transition, the clocks show more.
        second: UnixSeconds,
        /// The instant at which the clocks are set forward.
        transition: UnixSeconds,
    },
}

impl Resolved {
    /// The instants that a person may choose among, in time order: one if the wall time is unique, else two.
    pub fn candidates(self) -> Vec<UnixSeconds> {
        match self {
            Resolved::Unique(at) => vec![at],
            Resolved::Ambiguous { first, second } | Resolved::Missing { first, second, .. } => vec![first, second],
        }
    }
}

impl Tzdb {
    /// `zones` has every name of [`Zone::all`].
    pub(super) fn new(version: Option<String>, zones: BTreeMap<&'static str, TimeZone>) -> Self {
        Self(Arc::new(Loaded { version, zones }))
    }

    /// The release, such as `2026f`; `unknown` if the files do not tell.
    pub fn version(&self) -> &str {
        self.0.version.as_deref().unwrap_or("unknown")
    }

    /// The instants at which the clocks of a zone show a wall time. Exact.
    pub fn resolve(&self, zone: &Zone, wall: WallTime) -> Resolved {
        let tz = self.rules(zone);
        let shown = wall.to_civil();
        let shown_s = shown.duration_since(UNIX_EPOCH).as_secs();
        let with = |offset: Offset| UnixSeconds(shown_s - i64::from(offset.seconds()));
        match tz.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => Resolved::Unique(with(offset)),
            AmbiguousOffset::Fold { before, after } => Resolved::Ambiguous {
                first: with(before),
                second: with(after),
            },
            AmbiguousOffset::Gap { before, after } => {
                let (first, second) = (with(after), with(before));
                let transition = tz
                    .following(timestamp(first))
                    .find(|transition| transition.offset() == after)
                    .map_or(second, |transition| UnixSeconds(transition.timestamp().as_second()));
                Resolved::Missing {
                    first,
                    second,
                    transition,
                }
            }
        }
    }

    /// The instant of a wall time that bounds a window: the first of two, and the transition where there is none.
    pub fn boundary(&self, zone: &Zone, wall: WallTime) -> UnixSeconds {
        match self.resolve(zone, wall) {
            Resolved::Unique(at) => at,
            Resolved::Ambiguous { first, .. } => first,
            Resolved::Missing { transition, .. } => transition,
        }
    }

    /// What the clocks of a zone show at an instant of the years 1 to 9998 (others read as the nearest of these).
    pub fn local(&self, zone: &Zone, at: UnixSeconds) -> LocalTime {
        let at = timestamp(at);
        let offset = self.rules(zone).to_offset(at);
        let wall = WallTime::from_civil(offset.to_datetime(at));
        LocalTime {
            wall,
            offset_s: offset.seconds(),
            weekday: wall.date().weekday(),
        }
    }

    /// A local date, from its first instant to the first instant of the next date: 23, 24 or 25 hours as a rule, and
    /// none for a date that a zone skipped.
    pub fn day(&self, zone: &Zone, date: LocalDate) -> Range<UnixSeconds> {
        let start = self.boundary(zone, WallTime::midnight(date));
        start..self.boundary(zone, WallTime::midnight(date.plus_days(1)))
    }

    /// Seconds that a zone is ahead of UTC at an instant.
    pub(super) fn offset_s(&self, zone: &Zone, at: UnixSeconds) -> i32 {
        self.rules(zone).to_offset(timestamp(at)).seconds()
    }

    /// The instants after `from` at which the rules of a zone change, up to `until`.
    pub(super) fn transitions(&self, zone: &Zone, from: UnixSeconds, until: UnixSeconds) -> Vec<UnixSeconds> {
        let transitions = self.rules(zone).following(timestamp(from));
        transitions
            .map(|t| UnixSeconds(t.timestamp().as_second()))
            .take_while(|at| *at < until)
            .collect()
    }

    fn rules(&self, zone: &Zone) -> &TimeZone {
        // A database is made only with every name that a `Zone` can have, see `source::load`.
        &self.0.zones[zone.name()]
    }
}

impl fmt::Debug for Tzdb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tzdb({})", self.version())
    }
}

pub(super) fn timestamp(at: UnixSeconds) -> Timestamp {
    // The first second of the year 1 and the last of the year 9998, a day inside for the offset.
    const RANGE: (i64, i64) = (-62_135_596_800 + 86_400, 253_370_764_799 - 86_400);
    Timestamp::from_second(at.0.clamp(RANGE.0, RANGE.1)).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn wall(text: &str) -> WallTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_wall_time_is_unique_or_double_or_missing() {
        let (tzdb, ny) = (Tzdb::bundled(), zone("America/New_York"));
        assert_eq!(
            tzdb.resolve(&ny, wall("2027-03-14T13:00")),
            Resolved::Unique(UnixSeconds(1_805_043_600))
        );
        let (first, second) = (UnixSeconds(1_825_565_400), UnixSeconds(1_825_569_000));
        assert_eq!(
            tzdb.resolve(&ny, wall("2027-11-07T01:30")),
            Resolved::Ambiguous { first, second }
        );
        let (first, second, transition) = (
            UnixSeconds(1_805_005_800),
            UnixSeconds(1_805_009_400),
            UnixSeconds(1_805_007_600),
        );
        assert_eq!(
            tzdb.resolve(&ny, wall("2027-03-14T02:30")),
            Resolved::Missing {
                first,
                second,
                transition
            }
        );
        assert_eq!(tzdb.local(&ny, first).label(), "Sun 2027-03-14T01:30-0500");
        assert_eq!(tzdb.local(&ny, transition).label(), "Sun 2027-03-14T03:00-0400");
        assert_eq!(tzdb.local(&ny, second).label(), "Sun 2027-03-14T03:30-0400");
    }

    #[test]
    fn a_day_begins_with_its_first_instant() {
        let tzdb = Tzdb::bundled();
        let hours = |name: &str, date: &str| {
            let day = tzdb.day(&zone(name), date.parse().unwrap());
            (day.end.0 - day.start.0) / 3600
        };
        assert_eq!(hours("Europe/Zurich", "2027-01-01"), 24);
        assert_eq!(hours("Africa/Cairo", "2027-04-30"), 23);
        assert_eq!(hours("Atlantic/Azores", "2027-10-31"), 25);
        assert_eq!(hours("Pacific/Apia", "2011-12-30"), 0);
    }

    #[test]
    fn instants_outside_the_calendar_read_as_the_nearest_inside() {
        let tzdb = Tzdb::bundled();
        for name in ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"] {
            assert_eq!(tzdb.local(&zone(name), UnixSeconds(i64::MAX)).wall.date().year(), 9998);
            assert_eq!(tzdb.local(&zone(name), UnixSeconds(i64::MIN)).wall.date().year(), 1);
            for edge in ["0001-01-01T00:00", "9998-12-31T24:00"] {
                assert_eq!(tzdb.resolve(&zone(name), wall(edge)).candidates().len(), 1);
            }
        }
    }
}
