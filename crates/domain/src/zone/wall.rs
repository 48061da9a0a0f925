//! Times of day, and what the clocks of a zone show.

use super::{
    date::{LocalDate, Weekday},
    text::{digits, excerpt, text_form},
};
use jiff::{SignedDuration, civil};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// Minutes in a day whose clocks are not moved.
const DAY_MIN: u16 = 24 * 60;

/// A minute of a day on a wall clock, as text `09:00`; `24:00` is the end of the day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct TimeOfDay(u16);

/// A text that is no time of day.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a time of day such as 09:00 (00:00 to 24:00)")]
pub struct InvalidTimeOfDay(pub String);

impl TimeOfDay {
    /// The start of the day.
    pub const MIDNIGHT: TimeOfDay = TimeOfDay(0);

    /// The time so many minutes after midnight, 0 to 1440.
    pub fn new(minute: u16) -> Option<Self> {
        (minute <= DAY_MIN).then_some(Self(minute))
    }

    /// Minutes after midnight, 0 to 1440.
    pub fn minute(self) -> u16 {
        self.0
    }
}

impl FromStr for TimeOfDay {
    type Err = InvalidTimeOfDay;
    fn from_str(text: &str) -> Result<Self, InvalidTimeOfDay> {
        let parse = || {
            let (hour, minute) = text.split_once(':')?;
            Self::new(digits(hour, 2)? * 60 + digits(minute, 2).filter(|minute| *minute < 60)?)
        };
        parse().ok_or_else(|| InvalidTimeOfDay(excerpt(text)))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

text_form!(TimeOfDay, InvalidTimeOfDay);

/// A date and a minute of that day, as text `2027-03-14T13:00`. `24:00` is the end of the date: the same wall time as
/// `00:00` of the next one, though not equal to it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WallTime {
    date: LocalDate,
    time: TimeOfDay,
}

/// A text that is no wall time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a wall time such as 2027-03-14T13:00 (years 1 to 9998, 00:00 to 24:00, no seconds, no offset)")]
pub struct InvalidWallTime(pub String);

impl WallTime {
    /// The wall time at a minute of a date, 0 to 1440.
    pub fn new(date: LocalDate, minute: u16) -> Option<Self> {
        TimeOfDay::new(minute).map(|time| Self::at(date, time))
    }

    /// The wall time at a time of a date.
    pub fn at(date: LocalDate, time: TimeOfDay) -> Self {
        Self { date, time }
    }

    /// The first minute of a date.
    pub fn midnight(date: LocalDate) -> Self {
        Self::at(date, TimeOfDay::MIDNIGHT)
    }

    /// The date.
    pub fn date(self) -> LocalDate {
        self.date
    }

    /// The minute of the day, 0 to 1440.
    pub fn minute(self) -> u16 {
        self.time.minute()
    }

    pub(super) fn to_civil(self) -> civil::DateTime {
        let midnight = self.date.to_civil().at(0, 0, 0, 0);
        midnight.saturating_add(SignedDuration::from_mins(self.minute().into()))
    }

    pub(super) fn from_civil(local: civil::DateTime) -> Self {
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        Self::at(LocalDate::from_civil(local.date()), TimeOfDay(minute))
    }
}

impl FromStr for WallTime {
    type Err = InvalidWallTime;
    fn from_str(text: &str) -> Result<Self, InvalidWallTime> {
        let parse = || {
            let (date, time) = text.split_once('T')?;
            Some(Self::at(date.parse().ok()?, time.parse().ok()?))
        };
        parse().ok_or_else(|| InvalidWallTime(excerpt(text)))
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}", self.date, self.time)
    }
}

text_form!(WallTime, InvalidWallTime);

impl utoipa::ToSchema for WallTime {}

impl utoipa::PartialSchema for WallTime {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some(
                "A date and a minute of that day in a zone that is named beside it.",
            ))
            .pattern(Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$"))
            .into()
    }
}

/// What the clocks of a zone show at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// Date and minute; seconds are cut off.
    pub wall: WallTime,
    /// Seconds that the zone is ahead of UTC (negative: behind).
    pub offset_s: i32,
    /// The weekday of the date.
    pub weekday: Weekday,
}

impl LocalTime {
    /// Weekday, date, time and offset, so that no two instants of different minutes read the same:
    /// `Tue 2027-03-16T00:30+1400`.
    pub fn label(&self) -> String {
        format!("{} {}{}", self.weekday.label(), self.wall, offset_text(self.offset_s))
    }
}

/// `+1400`; with seconds where history has them: `-004430`.
fn offset_text(offset_s: i32) -> String {
    let sign = if offset_s < 0 { '-' } else { '+' };
    let s = offset_s.unsigned_abs();
    let text = format!("{sign}{:02}{:02}", s / 3600, s / 60 % 60);
    if s.is_multiple_of(60) {
        text
    } else {
        format!("{text}{:02}", s % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_times_read_back_what_they_print_and_others_are_refused() {
        for text in ["2027-03-14T00:00", "2027-03-14T23:59", "2027-03-14T24:00"] {
            assert_eq!(text.parse::<WallTime>().unwrap().to_string(), text);
        }
        for bad in [
            "2027-03-14T24:01",
            "2027-03-14T1:00",
            "2027-03-14T12:60",
            "2027-03-14T13:00Z",
            "2027-03-14 13:00",
        ] {
            assert!(bad.parse::<WallTime>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_end_of_a_date_is_the_start_of_the_next() {
        for (end, next) in [
            ("2027-02-28T24:00", civil::date(2027, 3, 1)),
            ("9998-12-31T24:00", civil::date(9999, 1, 1)),
        ] {
            assert_eq!(end.parse::<WallTime>().unwrap().to_civil(), next.at(0, 0, 0, 0));
        }
    }

    #[test]
    fn offsets_print_seconds_only_where_there_are_some() {
        assert_eq!(
            [0, 50_400, -39_600, -2_670].map(offset_text),
            ["+0000", "+1400", "-1100", "-004430"]
        );
    }
}
