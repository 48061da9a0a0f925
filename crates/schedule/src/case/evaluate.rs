//! Cases against a database. What is right is decided by `domain::zone` and [`crate::rule`] alone.

use super::{Case, CaseFile, Question, WrittenRule, WrittenSpan};
use crate::rule::{Rule, window};
use heliograph_domain::{
    UnixSeconds,
    visit::Span,
    zone::{Tzdb, UtcText, Zone},
};
use std::fmt;
use thiserror::Error;

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The name of the case.
    pub name: String,
    /// The result.
    pub outcome: Outcome,
}

/// The result of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The answer is right.
    Passed,
    /// The answer is another one.
    Differs {
        /// The right answer by the file.
        expected: Answer,
        /// The answer.
        got: Answer,
    },
    /// Nothing answers this kind of question yet.
    NotYet,
}

/// An answer as text: instants, spans of them (`start/end`), or zones with their labels. Equal texts are equal answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer(Vec<String>);

/// The answers of a file are of another release than the database.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the answers are of tzdata {file}, but the database is {database}; use a database of release {file}")]
pub struct OtherRelease {
    /// The release of the file.
    pub file: String,
    /// The release of the database.
    pub database: String,
}

impl CaseFile {
    /// Answers every case by a database of the file's release, in the order of the file.
    pub fn evaluate(&self, tzdb: &Tzdb) -> Result<Vec<Report>, OtherRelease> {
        if tzdb.version() != self.tzdata {
            return Err(OtherRelease {
                file: self.tzdata.clone(),
                database: tzdb.version().to_owned(),
            });
        }
        let report = |case: &Case| Report {
            name: case.name.clone(),
            outcome: case.question.evaluate(tzdb),
        };
        Ok(self.cases.iter().map(report).collect())
    }
}

impl Question {
    fn evaluate(&self, tzdb: &Tzdb) -> Outcome {
        match self.answers(tzdb) {
            None => Outcome::NotYet,
            Some((expected, got)) if expected == got => Outcome::Passed,
            Some((expected, got)) => Outcome::Differs { expected, got },
        }
    }

    /// The right answer and ours.
    fn answers(&self, tzdb: &Tzdb) -> Option<(Answer, Answer)> {
        match self {
            Question::Window {
                zone,
                wall_start,
                wall_end,
                expected_utc,
            } => Some((
                Answer::written(expected_utc),
                Answer::spans(window(tzdb, zone, *wall_start, *wall_end)),
            )),
            Question::Instant {
                zone,
                wall_start,
                expected_utc,
            } => Some((
                Answer::instants(expected_utc),
                Answer::instant(tzdb.boundary(zone, *wall_start)),
            )),
            Question::Rule {
                zone,
                rule,
                expected_utc,
            } => {
                let spans = rule.read_in(zone).spans(tzdb, rule.from, rule.to);
                Some((Answer::written(expected_utc), Answer::spans(spans)))
            }
            Question::AddElapsed {
                zone,
                wall_start,
                minutes,
                expected_utc,
            } => {
                let end = tzdb.boundary(zone, *wall_start).plus(i64::from(*minutes) * 60);
                Some((Answer::instants(expected_utc), Answer::instant(end)))
            }
            Question::LocalLabel {
                zone,
                instant,
                expected_local,
                expected_utc,
            } => {
                let shown = zone
                    .iter()
                    .map(|zone| format!("{zone} {}", tzdb.local(zone, instant.0).label()));
                let expected = expected_local.iter().map(|(zone, label)| format!("{zone} {label}"));
                Some((
                    Answer(expected.chain(expected_utc.iter().map(UtcText::to_string)).collect()),
                    Answer(shown.chain([instant.to_string()]).collect()),
                ))
            }
            Question::Slots { .. } | Question::Series { .. } | Question::Collective { .. } => None,
        }
    }
}

impl WrittenRule {
    fn read_in(&self, zone: &Zone) -> Rule {
        Rule {
            zone: zone.clone(),
            days: self.days.clone(),
            start: self.start,
            end: self.end,
            valid_from: Some(self.from),
            valid_until: Some(self.to),
            except: self.except.clone(),
        }
    }
}

impl Answer {
    fn instant(at: UnixSeconds) -> Self {
        Self::instants(&[UtcText(at)])
    }

    fn instants(instants: &[UtcText]) -> Self {
        Self(instants.iter().map(UtcText::to_string).collect())
    }

    fn written(spans: &[WrittenSpan]) -> Self {
        Self(spans.iter().map(|[start, end]| format!("{start}/{end}")).collect())
    }

    fn spans(spans: impl IntoIterator<Item = Span>) -> Self {
        let written = spans.into_iter().map(|span| [UtcText(span.start), UtcText(span.end)]);
        Self::written(&written.collect::<Vec<_>>())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: &str = include_str!("../../../../tests/data/tz_cases.json");

    /// How many passed, differ and are not evaluated yet.
    fn totals(reports: &[Report]) -> (usize, usize, usize) {
        let count = |is: fn(&Outcome) -> bool| reports.iter().filter(|report| is(&report.outcome)).count();
        (
            count(|outcome| matches!(outcome, Outcome::Passed)),
            count(|outcome| matches!(outcome, Outcome::Differs { .. })),
            count(|outcome| matches!(outcome, Outcome::NotYet)),
        )
    }

    fn evaluate(text: &str) -> Vec<Report> {
        CaseFile::parse(text).unwrap().evaluate(&Tzdb::bundled()).unwrap()
    }

    #[test]
    fn the_verified_cases_pass_but_for_the_kinds_that_come_later() {
        assert_eq!(totals(&evaluate(CASES)), (33, 0, 6));
    }

    #[test]
    fn a_wrong_answer_is_reported_with_both_texts() {
        let wrong = CASES.replace("2027-03-14T17:00:00Z", "2027-03-14T18:00:00Z");
        let reports = evaluate(&wrong);
        assert_eq!(totals(&reports), (32, 1, 6));
        let differing = reports
            .iter()
            .find(|report| matches!(report.outcome, Outcome::Differs { .. }))
            .unwrap();
        assert_eq!(differing.name, "ny_afternoon_on_transition_day");
        let Outcome::Differs { expected, got } = &differing.outcome else {
            unreachable!()
        };
        assert_eq!(expected.to_string(), "[2027-03-14T18:00:00Z/2027-03-14T22:00:00Z]");
        assert_eq!(got.to_string(), "[2027-03-14T17:00:00Z/2027-03-14T22:00:00Z]");
    }

    /// Each evaluated kind notices a wrong answer: no kind passes by comparing nothing.
    #[test]
    fn every_evaluated_kind_can_differ() {
        for (kind, right, wrong) in [
            ("window", "2027-03-14T22:00:00Z", "2027-03-14T22:00:01Z"),
            ("instant", "2026-12-01T16:00:00Z", "2026-12-01T17:00:00Z"),
            ("rule", "2027-03-15T13:00:00Z", "2027-03-15T14:00:00Z"),
            ("add_elapsed", "2027-03-14T07:15:00Z", "2027-03-14T06:15:00Z"),
            ("local_label", "Sun 2027-03-14T23:30-1100", "Mon 2027-03-14T23:30-1100"),
        ] {
            let file = CaseFile::parse(&CASES.replace(right, wrong)).unwrap();
            let reports = file.evaluate(&Tzdb::bundled()).unwrap();
            assert!(totals(&reports).1 > 0, "{kind}");
        }
    }

    #[test]
    fn an_empty_window_is_an_empty_answer() {
        let case = |expected: &str| {
            format!(
                r#"{{"tzdata": "2026f", "cases": [{{"name": "in the gap", "kind": "window", "zone": "America/New_York",
                "wall_start": "2027-03-14T02:15", "wall_end": "2027-03-14T02:45", "expected_utc": {expected}}}]}}"#
            )
        };
        assert_eq!(totals(&evaluate(&case("[]"))), (1, 0, 0));
        let reports = evaluate(&case(r#"[["2027-03-14T07:00:00Z", "2027-03-14T07:00:00Z"]]"#));
        assert_eq!(totals(&reports), (0, 1, 0));
    }

    #[test]
    fn a_file_of_another_release_is_refused() {
        let other = CASES.replace("2026f", "2025b");
        let refused = CaseFile::parse(&other).unwrap().evaluate(&Tzdb::bundled()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the answers are of tzdata 2025b, but the database is 2026f; use a database of release 2025b"
        );
    }
}
