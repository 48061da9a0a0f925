//! Wall-clock rules: when somebody is available, in local time, and which instants that is.

use heliograph_domain::{
    visit::Span,
    zone::{LocalDate, TimeOfDay, Tzdb, WallTime, Weekday, Zone},
};
use std::collections::BTreeSet;

/// Availability that repeats every week, on the clocks of its zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Whose clocks the times are read on.
    pub zone: Zone,
    /// The local weekdays on which a window begins.
    pub days: BTreeSet<Weekday>,
    /// When it begins.
    pub start: TimeOfDay,
    /// When it ends; at or before `start` means on the next local day, so equal times are a whole day.
    pub end: TimeOfDay,
    /// The first local date on which a window may begin.
    pub valid_from: Option<LocalDate>,
    /// The last local date on which a window may begin.
    pub valid_until: Option<LocalDate>,
    /// Local dates on which no window begins. What began the evening before still ends in its morning.
    pub except: BTreeSet<LocalDate>,
}

impl Rule {
    /// The windows that begin on a local date from `first` to `last`, both included, in time order.
    pub fn spans(&self, tzdb: &Tzdb, first: LocalDate, last: LocalDate) -> Vec<Span> {
        let first = self.valid_from.map_or(first, |from| from.max(first));
        let last = self.valid_until.map_or(last, |until| until.min(last));
        dates(first, last)
            .filter(|date| self.days.contains(&date.weekday()) && !self.except.contains(date))
            .filter_map(|date| {
                let end_date = if self.end <= self.start {
                    date.plus_days(1)
                } else {
                    date
                };
                window(tzdb, &self.zone, date.at(self.start), end_date.at(self.end))
            })
            .collect()
    }
}

/// The instants between two wall times of a zone. A boundary that occurs twice is its first occurrence, one that the
/// clocks skip is the instant of the change; a window that holds no instant then is none.
pub fn window(tzdb: &Tzdb, zone: &Zone, start: WallTime, end: WallTime) -> Option<Span> {
    let (start, end) = (tzdb.boundary(zone, start), tzdb.boundary(zone, end));
    (start < end).then_some(Span { start, end })
}

fn dates(first: LocalDate, last: LocalDate) -> impl Iterator<Item = LocalDate> {
    let next = |date: &LocalDate| Some(date.plus_days(1)).filter(|next| next > date);
    std::iter::successors(Some(first), next).take_while(move |date| *date <= last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(zone: &str, days: &[Weekday], start: &str, end: &str) -> Rule {
        Rule {
            zone: zone.parse().unwrap(),
            days: days.iter().copied().collect(),
            start: start.parse().unwrap(),
            end: end.parse().unwrap(),
            valid_from: None,
            valid_until: None,
            except: BTreeSet::new(),
        }
    }

    fn labels(rule: &Rule, first: &str, last: &str) -> Vec<String> {
        let tzdb = Tzdb::bundled();
        let label = |at| tzdb.local(&rule.zone, at).label();
        let spans = rule.spans(&tzdb, first.parse().unwrap(), last.parse().unwrap());
        spans
            .into_iter()
            .map(|span| format!("{} {}", label(span.start), label(span.end)))
            .collect()
    }

    #[test]
    fn the_wall_clock_stays_when_the_offset_changes() {
        let rule = rule("America/Los_Angeles", &[Weekday::Fri, Weekday::Mon], "09:00", "17:00");
        assert_eq!(
            labels(&rule, "2027-03-12", "2027-03-15"),
            [
                "Fri 2027-03-12T09:00-0800 Fri 2027-03-12T17:00-0800",
                "Mon 2027-03-15T09:00-0700 Mon 2027-03-15T17:00-0700"
            ]
        );
    }

    #[test]
    fn an_end_before_the_start_lies_on_the_next_day() {
        let night = rule("Europe/Zurich", &[Weekday::Sat], "22:00", "06:00");
        assert_eq!(
            labels(&night, "2027-03-22", "2027-03-28"),
            ["Sat 2027-03-27T22:00+0100 Sun 2027-03-28T06:00+0200"]
        );
        let day = rule("Europe/Zurich", &[Weekday::Sun], "00:00", "00:00");
        let until_midnight = rule("Europe/Zurich", &[Weekday::Sun], "00:00", "24:00");
        let expected = ["Sun 2027-03-28T00:00+0100 Mon 2027-03-29T00:00+0200"];
        assert_eq!(labels(&day, "2027-03-22", "2027-03-28"), expected);
        assert_eq!(labels(&until_midnight, "2027-03-22", "2027-03-28"), expected);
    }

    #[test]
    fn a_window_inside_a_gap_is_none() {
        let rule = rule("America/New_York", &Weekday::ALL, "02:15", "02:45");
        let days = labels(&rule, "2027-03-13", "2027-03-15");
        assert_eq!(days.len(), 2);
        assert!(days.iter().all(|day| !day.contains("2027-03-14")));
    }

    #[test]
    fn validity_and_exceptions_are_local_dates() {
        let mut rule = rule("Pacific/Kiritimati", &Weekday::ALL, "20:00", "02:00");
        rule.valid_from = Some("2027-01-02".parse().unwrap());
        rule.valid_until = Some("2027-01-04".parse().unwrap());
        rule.except.insert("2027-01-03".parse().unwrap());
        assert_eq!(
            labels(&rule, "2026-12-01", "2027-02-01"),
            [
                "Sat 2027-01-02T20:00+1400 Sun 2027-01-03T02:00+1400",
                "Mon 2027-01-04T20:00+1400 Tue 2027-01-05T02:00+1400"
            ]
        );
    }

    #[test]
    fn the_last_date_of_the_calendar_ends_the_search() {
        let rule = rule("UTC", &Weekday::ALL, "09:00", "10:00");
        assert_eq!(labels(&rule, "9998-12-30", "9998-12-31").len(), 2);
        assert!(labels(&rule, "2027-01-02", "2027-01-01").is_empty());
    }
}
