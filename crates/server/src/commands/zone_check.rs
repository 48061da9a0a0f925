//! `heliograph zone check FILE`: answers the questions of a case file and tells where the answers differ.

use anyhow::Context;
use heliograph_domain::zone::Tzdb;
use heliograph_schedule::case::{CaseFile, Outcome};
use std::{convert::Infallible, fs, io::Write, path::PathBuf, str::FromStr};

/// Check conversions between local times and instants against a file of cases with known answers.
#[derive(Debug, clap::Args)]
pub struct ZoneCheckArgs {
    /// The case file (JSON; docs/ZONES.md describes it).
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The zone database: the bundled one, the system's, or a folder of compiled zones.
    #[arg(long, value_name = "bundled|system|DIR", default_value = "bundled")]
    tz: TzChoice,
}

/// Which database answers.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TzChoice {
    Bundled,
    System,
    Dir(PathBuf),
}

impl FromStr for TzChoice {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "bundled" => Self::Bundled,
            "system" => Self::System,
            dir => Self::Dir(dir.into()),
        })
    }
}

impl TzChoice {
    fn load(&self) -> anyhow::Result<Tzdb> {
        match self {
            TzChoice::Bundled => Ok(Tzdb::bundled()),
            TzChoice::System => Tzdb::system()
                .context("this system has no usable zone database; install its tzdata package, or use --tz bundled"),
            TzChoice::Dir(dir) => Ok(Tzdb::from_dir(dir)?),
        }
    }
}

/// Writes one line per case that differs, and the totals last. True when no case differs; a file that cannot be
/// read, or of another release than the database, is an error.
pub fn run(args: &ZoneCheckArgs, out: &mut dyn Write) -> anyhow::Result<bool> {
    let path = args.file.display();
    let text = fs::read_to_string(&args.file).with_context(|| format!("cannot read the case file {path}"))?;
    let file = CaseFile::parse(&text).with_context(|| format!("{path} cannot be checked"))?;
    let tzdb = args.tz.load()?;
    let reports = file.evaluate(&tzdb).with_context(|| {
        format!("{path} cannot be checked by this database; --tz bundled|system|DIR chooses another")
    })?;

    let (mut passed, mut differ, mut not_yet) = (0, 0, 0);
    for report in reports {
        match report.outcome {
            Outcome::Passed => passed += 1,
            Outcome::Differs { expected, got } => {
                differ += 1;
                writeln!(out, "{}: expected {expected}, got {got}", report.name)?;
            }
            Outcome::NotYet => not_yet += 1,
        }
    }
    writeln!(out, "{passed} passed, {differ} differ, {not_yet} not yet")?;
    Ok(differ == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: &str = include_str!("../../../../tests/data/tz_cases.json");

    /// What is written for a case file, and the verdict.
    fn check(text: &str, tz: TzChoice) -> anyhow::Result<(String, bool)> {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join("cases.json");
        fs::write(&file, text)?;
        let mut out = Vec::new();
        let agrees = run(&ZoneCheckArgs { file, tz }, &mut out)?;
        Ok((String::from_utf8(out)?, agrees))
    }

    #[test]
    fn the_verified_cases_agree() {
        let (out, agrees) = check(CASES, TzChoice::Bundled).unwrap();
        assert_eq!(out, "33 passed, 0 differ, 6 not yet\n");
        assert!(agrees);
    }

    #[test]
    fn a_case_that_differs_has_a_line_and_decides_the_verdict() {
        let wrong = CASES.replace("2024-05-10T05:00:00Z", "2024-05-10T04:00:00Z");
        let (out, agrees) = check(&wrong, TzChoice::Bundled).unwrap();
        assert_eq!(
            out,
            "drift_almaty_2024: expected [2024-05-10T04:00:00Z], got [2024-05-10T05:00:00Z]\n\
             32 passed, 1 differ, 6 not yet\n"
        );
        assert!(!agrees);
    }

    #[test]
    fn another_release_is_an_error_with_the_remedy() {
        let error = check(&CASES.replace("2026f", "2025b"), TzChoice::Bundled).unwrap_err();
        let message = format!("{error:#}");
        assert!(
            message.contains("the answers are of tzdata 2025b, but the database is 2026f"),
            "{message}"
        );
        assert!(message.contains("--tz bundled|system|DIR"), "{message}");
    }

    #[test]
    fn what_cannot_be_read_is_an_error_that_names_it() {
        let error = format!(
            "{:#}",
            check(&CASES.replace("Asia/Riyadh", "Asia/Riadh"), TzChoice::Bundled).unwrap_err()
        );
        assert!(
            error.contains("case riyadh_sunday_to_thursday: unknown zone \"Asia/Riadh\""),
            "{error}"
        );
        let error = format!(
            "{:#}",
            check(CASES, TzChoice::Dir("/nonexistent/zones".into())).unwrap_err()
        );
        assert!(error.contains("/nonexistent/zones"), "{error}");
        let empty = check(r#"{"tzdata": "2026f", "cases": []}"#, TzChoice::Bundled).unwrap_err();
        assert!(format!("{empty:#}").contains("`cases` is empty"), "{empty:#}");
        let args = ZoneCheckArgs {
            file: "/nonexistent/cases.json".into(),
            tz: TzChoice::Bundled,
        };
        let error = format!("{:#}", run(&args, &mut Vec::new()).unwrap_err());
        assert!(error.contains("/nonexistent/cases.json"), "{error}");
    }
}
