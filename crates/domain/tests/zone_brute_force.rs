//! `resolve`, `boundary` and `day` against a reference that knows no offsets: it looks at the clock in every minute.

use heliograph_domain::{
    UnixSeconds,
    zone::{LocalDate, Resolved, TimeOfDay, Tzdb, WallTime, Zone},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const DAY_S: i64 = 86_400;

/// What the clocks of a zone show, minute by minute, over the two dates from `first` and all instants around them.
struct Watched {
    shown: Vec<(UnixSeconds, WallTime)>,
    instants: BTreeMap<WallTime, Vec<UnixSeconds>>,
    first: LocalDate,
}

impl Watched {
    fn new(tzdb: &Tzdb, zone: &Zone, first: LocalDate) -> Self {
        // No zone is more than a day from UTC, and a date that is skipped takes a day more.
        let start = tzdb.boundary(&Zone::utc(), WallTime::midnight(first));
        let minutes = (start.0 - 2 * DAY_S..start.0 + 4 * DAY_S).step_by(60).map(UnixSeconds);
        let shown: Vec<_> = minutes.map(|at| (at, tzdb.local(zone, at).wall)).collect();
        let mut instants: BTreeMap<WallTime, Vec<UnixSeconds>> = BTreeMap::new();
        for (at, wall) in &shown {
            instants.entry(*wall).or_default().push(*at);
        }
        Self { shown, instants, first }
    }

    /// Every minute that a calendar and a clock could show on the two dates.
    fn walls(&self) -> impl Iterator<Item = WallTime> {
        let dates = [self.first, self.first.plus_days(1)];
        dates
            .into_iter()
            .flat_map(|date| (0..24 * 60).filter_map(move |minute| WallTime::new(date, minute)))
    }

    fn instants(&self, wall: WallTime) -> &[UnixSeconds] {
        self.instants.get(&wall).map_or(&[], Vec::as_slice)
    }

    /// The minute in which the clocks pass over a wall time that they never show.
    fn passed(&self, wall: WallTime) -> UnixSeconds {
        let pair = self.shown.windows(2).find(|pair| pair[0].1 < wall && wall < pair[1].1);
        pair.expect("the clocks pass every wall time")[1].0
    }
}

fn check(tzdb: &Tzdb, zone: &Zone, first: LocalDate) -> Result<(), TestCaseError> {
    let watched = Watched::new(tzdb, zone, first);
    let mut last_boundary = UnixSeconds(i64::MIN);
    for wall in watched.walls() {
        let resolved = tzdb.resolve(zone, wall);
        let boundary = match (watched.instants(wall), resolved) {
            ([seen], Resolved::Unique(at)) => {
                prop_assert_eq!(*seen, at, "{} {}", zone, wall);
                at
            }
            ([a, b], Resolved::Ambiguous { first, second }) => {
                prop_assert_eq!((*a, *b), (first, second), "{} {}", zone, wall);
                first
            }
            (
                [],
                Resolved::Missing {
                    first,
                    second,
                    transition,
                },
            ) => {
                prop_assert_eq!(watched.passed(wall), transition, "{} {}", zone, wall);
                // Each candidate is off by the length of the gap, one to either side of it.
                let off = |at| seconds_of(tzdb.local(zone, at).wall) - seconds_of(wall);
                prop_assert_eq!(off(first), first.0 - second.0, "{} {}", zone, wall);
                prop_assert_eq!(off(second), second.0 - first.0, "{} {}", zone, wall);
                prop_assert!(first < transition && transition <= second, "{} {}", zone, wall);
                transition
            }
            (seen, resolved) => return Err(TestCaseError::fail(format!("{zone} {wall}: {seen:?}, {resolved:?}"))),
        };
        prop_assert_eq!(tzdb.boundary(zone, wall), boundary, "{} {}", zone, wall);
        prop_assert!(last_boundary <= boundary, "{} {}: boundaries go back", zone, wall);
        last_boundary = boundary;
    }
    for date in [first, first.plus_days(1)] {
        let day = tzdb.day(zone, date);
        let begins = watched
            .shown
            .iter()
            .find(|(_, wall)| wall.date() >= date)
            .map(|(at, _)| *at);
        let ends = watched
            .shown
            .iter()
            .find(|(_, wall)| wall.date() > date)
            .map(|(at, _)| *at);
        prop_assert_eq!((begins, ends), (Some(day.start), Some(day.end)), "{} {}", zone, date);
        let end_of_day = date.at(TimeOfDay::new(24 * 60).expect("24:00"));
        prop_assert_eq!(tzdb.boundary(zone, end_of_day), day.end);
    }
    Ok(())
}

/// A wall time as a number, by the clocks of UTC that never move.
fn seconds_of(wall: WallTime) -> i64 {
    Tzdb::bundled().boundary(&Zone::utc(), wall).0
}

/// The next date on which the clocks of a zone are moved, or the date itself when they are not for a year.
fn next_change(tzdb: &Tzdb, zone: &Zone, date: LocalDate) -> LocalDate {
    let offset = |date| tzdb.local(zone, tzdb.day(zone, date).start).offset_s;
    (0..366)
        .map(|days| date.plus_days(days))
        .find(|date| offset(*date) != offset(date.plus_days(1)))
        .unwrap_or(date)
}

fn zones() -> impl Strategy<Value = Zone> {
    proptest::sample::select(Zone::all().collect::<Vec<_>>()).prop_map(|name| name.parse().expect("a listed zone"))
}

/// Since 1973 every offset is a whole number of minutes, so the reference sees all.
fn dates() -> impl Strategy<Value = LocalDate> {
    (1973_i16..2100, 0_i64..366).prop_map(|(year, day)| LocalDate::new(year, 1, 1).expect("new year").plus_days(day))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_two_dates_agree_with_the_clock(zone in zones(), date in dates()) {
        check(&Tzdb::bundled(), &zone, date)?;
    }

    #[test]
    fn dates_on_which_clocks_are_moved_agree_with_the_clock(zone in zones(), date in dates()) {
        let tzdb = Tzdb::bundled();
        check(&tzdb, &zone, next_change(&tzdb, &zone, date))?;
    }
}

#[test]
fn the_odd_changes_of_history_agree_with_the_clock() {
    let tzdb = Tzdb::bundled();
    for (zone, date) in [
        ("Pacific/Apia", "2011-12-29"),      // a date skipped
        ("Pacific/Kwajalein", "1993-08-20"), // a date skipped, by its old offset
        ("America/Juneau", "1983-10-30"),    // two hours back
        ("Antarctica/Troll", "2027-03-27"),  // two hours ahead
        ("Antarctica/Casey", "2009-10-17"),  // three hours back
        ("Australia/Lord_Howe", "2027-04-03"),
        ("Pacific/Chatham", "2027-09-25"),
        ("Africa/Casablanca", "2027-02-06"), // Ramadan
        ("Africa/Cairo", "2027-10-28"),      // 24:00 back to 23:00
        ("Atlantic/Azores", "2027-10-30"),   // midnight twice
        ("Asia/Pyongyang", "2018-05-04"),    // half an hour ahead, at 23:30
        ("Asia/Kathmandu", "1985-12-31"),    // a quarter of an hour ahead
        ("America/Caracas", "2007-12-08"),
    ] {
        check(&tzdb, &zone.parse().unwrap(), date.parse().unwrap()).unwrap();
    }
}
