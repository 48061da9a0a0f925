//! Case files: questions about zones with known answers, for one release of the zone database.
//!
//! A file is one JSON object, a [`CaseFile`]; every case in it has a `kind`, the fields of that kind ([`Question`]) and
//! notes ([`Notes`]). Other fields are errors, so that a misspelt one is not passed over. Wall times are
//! `2027-03-14T13:00` (`24:00` ends the date), times of day `09:00`, instants `2027-03-14T17:00:00Z`.

mod evaluate;

pub use evaluate::{Answer, OtherRelease, Outcome, Report};

use heliograph_domain::zone::{LocalDate, TimeOfDay, UtcText, WallTime, Weekday, Zone};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use thiserror::Error;

/// A file of cases, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFile {
    /// The release that the answers are right for, such as `2026f`.
    pub tzdata: String,
    /// How wall times without exactly one instant are read, in words.
    pub policy: Option<String>,
    /// The cases, in the order of the file; the file may give their number as `count`, which is checked.
    pub cases: Vec<Case>,
}

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// A name that no other case of the file has.
    pub name: String,
    /// What is asked, and what is right.
    pub question: Question,
    /// What a reader may want to know.
    pub notes: Notes,
}

/// Fields that every kind may have and that no answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notes {
    /// What the case is about.
    pub why: Option<String>,
    /// The release of the answer; that of the file.
    pub tzdb: Option<String>,
    /// The oldest release that gives the same answer, as the Python package numbers it: `2026.6` is 2026f.
    pub same_since_tzdata: Option<String>,
    /// The answers of older releases.
    #[serde(default)]
    pub by_tzdata: Vec<OlderAnswer>,
}

/// What older releases answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OlderAnswer {
    /// The first release with that answer, as the Python package numbers it.
    pub from_tzdata: String,
    /// The answer.
    pub utc: Vec<UtcText>,
}

/// A span of instants in a file: `[start, end]`.
pub type WrittenSpan = [UtcText; 2];

/// What a case asks, by its `kind`. A wall time that is ambiguous or missing is read as the boundary of a window:
/// the first occurrence, or the instant of the change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// The instants between two wall times: one span, or none if the window is empty.
    Window {
        /// Whose clocks.
        zone: Zone,
        /// Where the window begins.
        wall_start: WallTime,
        /// Where it ends.
        wall_end: WallTime,
        /// The right answer.
        expected_utc: Vec<WrittenSpan>,
    },
    /// The instant of a wall time.
    Instant {
        /// Whose clocks.
        zone: Zone,
        /// The wall time.
        wall_start: WallTime,
        /// The right answer: one instant.
        expected_utc: Vec<UtcText>,
    },
    /// The windows of a weekly rule, in time order.
    Rule {
        /// Whose clocks.
        zone: Zone,
        /// The rule.
        rule: WrittenRule,
        /// The right answer.
        expected_utc: Vec<WrittenSpan>,
    },
    /// The instant so many minutes of elapsed time after a wall time.
    AddElapsed {
        /// Whose clocks.
        zone: Zone,
        /// The wall time.
        wall_start: WallTime,
        /// The minutes.
        minutes: u32,
        /// The right answer: one instant.
        expected_utc: Vec<UtcText>,
    },
    /// What the clocks of several zones show at an instant.
    LocalLabel {
        /// Whose clocks.
        zone: Vec<Zone>,
        /// The instant.
        instant: UtcText,
        /// The right answer: each zone with its label, such as `Tue 2027-03-16T00:30+1400`.
        expected_local: Vec<(Zone, String)>,
        /// The instant again.
        expected_utc: Vec<UtcText>,
    },
    /// The starts of the visits that fit a window, in elapsed time from its start. Not evaluated yet.
    Slots {
        /// Whose clocks.
        zone: Zone,
        /// Where the window begins.
        wall_start: WallTime,
        /// Where it ends.
        wall_end: WallTime,
        /// The length of a visit, and the step.
        slot_minutes: u32,
        /// The right answer.
        expected_utc: Vec<UtcText>,
    },
    /// The same wall time in so many weeks. Not evaluated yet.
    Series {
        /// Whose clocks.
        zone: Zone,
        /// The first of them.
        wall_start: WallTime,
        /// How many.
        count: u32,
        /// The right answer.
        expected_utc: Vec<UtcText>,
    },
    /// When the clocks of all zones show humane times. Not evaluated yet.
    Collective {
        /// Whose clocks.
        zone: Vec<Zone>,
        /// The first humane time of a day, and the first one after.
        humane: [TimeOfDay; 2],
        /// Where the search begins.
        from: UtcText,
        /// Where it ends.
        to: UtcText,
        /// The right answer.
        expected_utc: Vec<WrittenSpan>,
    },
}

/// A weekly rule in a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenRule {
    /// The local weekdays on which a window begins: `mon` to `sun`.
    pub days: BTreeSet<Weekday>,
    /// When it begins.
    pub start: TimeOfDay,
    /// When it ends; at or before `start` is on the next local day.
    pub end: TimeOfDay,
    /// The first local date.
    pub from: LocalDate,
    /// The last local date.
    pub to: LocalDate,
    /// Local dates on which no window begins.
    #[serde(default)]
    pub except: BTreeSet<LocalDate>,
}

/// Why a text is no case file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidCaseFile {
    /// The file as a whole is wrong.
    #[error("not a case file: {0}")]
    File(String),
    /// One case is wrong.
    #[error("case {case}: {why}")]
    Case {
        /// Its name, or its place in the file.
        case: String,
        /// What is wrong in it.
        why: String,
    },
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFile {
    policy: Option<String>,
    tzdata: String,
    count: Option<usize>,
    cases: Vec<Value>,
}

impl CaseFile {
    /// Reads a file. Every zone, kind and field must be known.
    pub fn parse(text: &str) -> Result<CaseFile, InvalidCaseFile> {
        let file: WrittenFile = serde_json::from_str(text).map_err(|error| InvalidCaseFile::File(error.to_string()))?;
        if let Some(count) = file.count.filter(|count| *count != file.cases.len()) {
            let why = format!("`count` is {count}, but there are {} cases", file.cases.len());
            return Err(InvalidCaseFile::File(why));
        }
        if file.cases.is_empty() {
            return Err(InvalidCaseFile::File(
                "`cases` is empty, so that nothing would be checked".to_owned(),
            ));
        }
        let mut names = BTreeSet::new();
        let cases = file.cases.into_iter().enumerate().map(|(index, written)| {
            let case = read_case(index, written, &file.tzdata)?;
            if names.insert(case.name.clone()) {
                Ok(case)
            } else {
                Err(wrong(&case.name, "another case has the same name"))
            }
        });
        let cases = cases.collect::<Result<_, _>>()?;
        Ok(CaseFile {
            tzdata: file.tzdata,
            policy: file.policy,
            cases,
        })
    }
}

fn read_case(index: usize, written: Value, tzdata: &str) -> Result<Case, InvalidCaseFile> {
    const NOTES: [&str; 4] = ["why", "tzdb", "same_since_tzdata", "by_tzdata"];

    let place = format!("number {}", index + 1);
    let Value::Object(mut fields) = written else {
        return Err(wrong(&place, "expected an object"));
    };
    let Some(Value::String(name)) = fields.remove("name") else {
        return Err(wrong(&place, "expected a text `name`"));
    };
    let (notes, question) = fields
        .into_iter()
        .partition(|(field, _)| NOTES.contains(&field.as_str()));
    let notes: Notes = read(&name, notes)?;
    if let Some(other) = notes.tzdb.as_ref().filter(|tzdb| *tzdb != tzdata) {
        return Err(wrong(
            &name,
            &format!("its answer is of tzdata {other}, those of the file are of {tzdata}"),
        ));
    }
    Ok(Case {
        question: read(&name, question)?,
        name,
        notes,
    })
}

fn read<T: DeserializeOwned>(case: &str, fields: Map<String, Value>) -> Result<T, InvalidCaseFile> {
    serde_json::from_value(Value::Object(fields)).map_err(|error| wrong(case, &error.to_string()))
}

fn wrong(case: &str, why: &str) -> InvalidCaseFile {
    InvalidCaseFile::Case {
        case: case.to_owned(),
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(case: &str) -> String {
        format!(r#"{{"tzdata": "2026f", "cases": [{case}]}}"#)
    }

    fn error(text: &str) -> String {
        CaseFile::parse(text).unwrap_err().to_string()
    }

    const INSTANT: &str = r#"{"name": "noon", "kind": "instant", "zone": "Europe/Zurich",
        "wall_start": "2027-07-01T12:00", "expected_utc": ["2027-07-01T10:00:00Z"]}"#;

    #[test]
    fn an_unknown_kind_is_an_error_that_names_the_case() {
        let error = error(&file(&INSTANT.replace("\"instant\"", "\"moment\"")));
        assert!(
            error.starts_with("case noon: unknown variant `moment`, expected one of `window`, `instant`"),
            "{error}"
        );
    }

    #[test]
    fn an_unknown_zone_is_an_error_that_names_the_case() {
        let error = error(&file(&INSTANT.replace("Zurich", "Zurch")));
        assert_eq!(
            error,
            "case noon: unknown zone \"Europe/Zurch\"; did you mean Europe/Zurich?"
        );
    }

    #[test]
    fn an_unknown_or_absent_field_is_an_error_that_names_the_case() {
        let extra = error(&file(&INSTANT.replace("\"zone\"", "\"minutes\": 5, \"zone\"")));
        assert!(extra.starts_with("case noon: unknown field `minutes`"), "{extra}");
        let absent = error(&file(
            r#"{"name": "noon", "kind": "instant", "zone": "UTC", "expected_utc": []}"#,
        ));
        assert_eq!(absent, "case noon: missing field `wall_start`");
        let nameless = error(&file(r#"{"kind": "instant"}"#));
        assert_eq!(nameless, "case number 1: expected a text `name`");
        let kindless = error(&file(r#"{"name": "noon"}"#));
        assert_eq!(kindless, "case noon: missing field `kind`");
    }

    #[test]
    fn wrong_times_are_errors_that_name_the_case() {
        let error = error(&file(&INSTANT.replace("T12:00", "T25:00")));
        assert!(
            error.starts_with("case noon: \"2027-07-01T25:00\" is not a wall time"),
            "{error}"
        );
    }

    #[test]
    fn a_file_that_contradicts_itself_is_an_error() {
        assert!(error(&file(&format!("{INSTANT}, {INSTANT}"))).contains("case noon: another case has the same name"));
        let count = format!(r#"{{"tzdata": "2026f", "count": 2, "cases": [{INSTANT}]}}"#);
        assert_eq!(error(&count), "not a case file: `count` is 2, but there are 1 cases");
        let release = error(&file(&INSTANT.replace("\"zone\"", "\"tzdb\": \"2025b\", \"zone\"")));
        assert_eq!(
            release,
            "case noon: its answer is of tzdata 2025b, those of the file are of 2026f"
        );
        assert!(error("[1, 2").starts_with("not a case file: "));
        assert!(error(r#"{"cases": []}"#).contains("missing field `tzdata`"));
    }

    #[test]
    fn a_file_that_checks_nothing_is_an_error() {
        assert_eq!(
            error(&file("")),
            "not a case file: `cases` is empty, so that nothing would be checked"
        );
    }
}
