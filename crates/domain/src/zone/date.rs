//! Dates and weekdays of the calendar on the wall. None is a span of instants until a zone is named.

use super::{
    text::{digits, excerpt, text_form},
    wall::{TimeOfDay, WallTime},
};
use jiff::civil;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// A text that names no weekday.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown weekday {0:?}; expected mon, tue, wed, thu, fri, sat or sun")]
pub struct UnknownWeekday(pub String);

impl Weekday {
    /// Every weekday, Monday first (ISO 8601).
    pub const ALL: [Weekday; 7] = [
        Weekday::Mon,
        Weekday::Tue,
        Weekday::Wed,
        Weekday::Thu,
        Weekday::Fri,
        Weekday::Sat,
        Weekday::Sun,
    ];

    /// The name on the wire and in the database: `mon` to `sun`.
    pub fn as_str(self) -> &'static str {
        match self {
            Weekday::Mon => "mon",
            Weekday::Tue => "tue",
            Weekday::Wed => "wed",
            Weekday::Thu => "thu",
            Weekday::Fri => "fri",
            Weekday::Sat => "sat",
            Weekday::Sun => "sun",
        }
    }

    /// The English abbreviation that labels begin with: `Mon` to `Sun`.
    pub(super) fn label(self) -> &'static str {
        match self {
            Weekday::Mon => "Mon",
            Weekday::Tue => "Tue",
            Weekday::Wed => "Wed",
            Weekday::Thu => "Thu",
            Weekday::Fri => "Fri",
            Weekday::Sat => "Sat",
            Weekday::Sun => "Sun",
        }
    }
}

impl FromStr for Weekday {
    type Err = UnknownWeekday;
    fn from_str(text: &str) -> Result<Self, UnknownWeekday> {
        Self::ALL
            .into_iter()
            .find(|day| day.as_str() == text)
            .ok_or_else(|| UnknownWeekday(text.to_owned()))
    }
}

impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A date of the Gregorian calendar in the years 1 to 9998, as text `2027-03-14`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = Date)]
pub struct LocalDate(civil::Date);

/// A text that is no date.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a date such as 2027-03-14 (years 1 to 9998)")]
pub struct InvalidDate(pub String);

impl LocalDate {
    // A year of room at either end keeps every offset and every next day inside what jiff can count.
    const MIN: civil::Date = civil::date(1, 1, 1);
    const MAX: civil::Date = civil::date(9998, 12, 31);

    /// The date of that year, month (1–12) and day (1–31), if there is one.
    pub fn new(year: i16, month: u8, day: u8) -> Option<Self> {
        let date = civil::Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()?;
        (Self::MIN..=Self::MAX).contains(&date).then_some(Self(date))
    }

    /// The year, 1 to 9998.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u8 {
        self.0.month().unsigned_abs()
    }

    /// The day of the month, 1 to 31.
    pub fn day(self) -> u8 {
        self.0.day().unsigned_abs()
    }

    /// The day of the week.
    pub fn weekday(self) -> Weekday {
        match self.0.weekday() {
            civil::Weekday::Monday => Weekday::Mon,
            civil::Weekday::Tuesday => Weekday::Tue,
            civil::Weekday::Wednesday => Weekday::Wed,
            civil::Weekday::Thursday => Weekday::Thu,
            civil::Weekday::Friday => Weekday::Fri,
            civil::Weekday::Saturday => Weekday::Sat,
            civil::Weekday::Sunday => Weekday::Sun,
        }
    }

    /// The date so many days later (or earlier, if negative); the first or last date if that leaves the range.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        Self::from_civil(
            self.0
                .saturating_add(jiff::SignedDuration::from_secs(days.saturating_mul(86_400))),
        )
    }

    /// This date at a time of day.
    pub fn at(self, time: TimeOfDay) -> WallTime {
        WallTime::at(self, time)
    }

    pub(super) fn to_civil(self) -> civil::Date {
        self.0
    }

    pub(super) fn from_civil(date: civil::Date) -> Self {
        Self(date.clamp(Self::MIN, Self::MAX))
    }
}

impl FromStr for LocalDate {
    type Err = InvalidDate;
    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        let parse = || {
            let (year, rest) = text.split_once('-')?;
            let (month, day) = rest.split_once('-')?;
            Self::new(
                digits(year, 4)?.try_into().ok()?,
                digits(month, 2)?.try_into().ok()?,
                digits(day, 2)?.try_into().ok()?,
            )
        };
        parse().ok_or_else(|| InvalidDate(excerpt(text)))
    }
}

impl fmt::Display for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year(), self.month(), self.day())
    }
}

text_form!(LocalDate, InvalidDate);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_back_what_they_print_and_others_are_refused() {
        for text in ["2027-03-14", "2028-02-29", "0001-01-01", "9998-12-31"] {
            assert_eq!(text.parse::<LocalDate>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "2027-3-14",
            "2027-02-29",
            "2027-00-01",
            "20270314",
            "+027-03-14",
            "2027-03-14 ",
            "9999-01-01",
        ] {
            assert!(bad.parse::<LocalDate>().is_err(), "{bad:?}");
        }
        let told = "9999-01-01".parse::<LocalDate>().unwrap_err().to_string();
        assert!(told.ends_with("(years 1 to 9998)"), "{told}");
    }

    #[test]
    fn days_are_counted_across_months_and_years_and_stop_at_the_ends() {
        let date = |text: &str| text.parse::<LocalDate>().unwrap();
        assert_eq!(date("2026-12-31").plus_days(1), date("2027-01-01"));
        assert_eq!(date("2028-03-01").plus_days(-1), date("2028-02-29"));
        assert_eq!(date("2027-03-14").weekday(), Weekday::Sun);
        assert_eq!(date("9998-12-30").plus_days(i64::MAX), date("9998-12-31"));
        assert_eq!(date("0001-01-02").plus_days(i64::MIN), date("0001-01-01"));
    }
}
