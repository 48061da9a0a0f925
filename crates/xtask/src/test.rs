//! `cargo xtask test`: every check and test of the repository, one suite after the other.

mod counts;
mod suites;
mod watch;

use std::{
    ffi::OsString,
    process::ExitCode,
    time::{Duration, Instant},
};

use crate::shell::Result;
use counts::Counts;
use suites::{SUITES, Suite};

/// How a suite went.
struct Outcome {
    suite: &'static Suite,
    took: Duration,
    counts: Counts,
    failure: Option<String>,
}

pub fn command(args: &[OsString]) -> Result<ExitCode> {
    let names: Vec<_> = args.iter().map(|a| a.to_string_lossy()).collect();
    if names.iter().any(|name| name == "--list") {
        for suite in SUITES {
            println!("{:<12} {}", suite.name, suite.what);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = choose(&names)?;
    let outcomes: Vec<Outcome> = chosen.into_iter().map(outcome_of).collect();
    let all_well = outcomes.iter().all(|o| o.failure.is_none());
    print!("{}", table(&outcomes));
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The suites named, in the order of the list; all of them when none is named.
fn choose(names: &[impl AsRef<str>]) -> Result<Vec<&'static Suite>> {
    let known = |name: &str| SUITES.iter().any(|suite| suite.answers_to(name));
    if let Some(unknown) = names.iter().find(|name| !known(name.as_ref())) {
        let list: Vec<_> = SUITES.iter().map(|s| s.name).collect();
        return Err(format!(
            "there is no suite `{}`: choose from {}",
            unknown.as_ref(),
            list.join(", ")
        ));
    }
    let chosen = |suite: &&Suite| names.is_empty() || names.iter().any(|name| suite.answers_to(name.as_ref()));
    Ok(SUITES.iter().filter(chosen).collect())
}

fn outcome_of(suite: &'static Suite) -> Outcome {
    println!("\n== {}: {}", suite.name, suite.what);
    let start = Instant::now();
    let mut counts = Counts::default();
    let mut failure = (suite.run)(&mut counts).err();
    if failure.is_none() && counts.failed > 0 {
        failure = Some(format!("{} failed", counts.failed));
    }
    if let Some(failure) = &failure {
        println!("== {} failed: {failure}", suite.name);
    }
    Outcome {
        suite,
        took: start.elapsed(),
        counts,
        failure,
    }
}

/// The closing table; its last line counts single tests where they are known, and suites elsewhere.
fn table(outcomes: &[Outcome]) -> String {
    use std::fmt::Write as _;
    let mut text = format!("\n{:<12} {:<7} {:>8}  tests\n", "suite", "result", "seconds");
    let mut total = Counts::default();
    for Outcome {
        suite,
        took,
        counts,
        failure,
    } in outcomes
    {
        let result = if failure.is_some() { "FAILED" } else { "ok" };
        let tests = if counts.any() {
            counts.to_string()
        } else {
            String::new()
        };
        let row = format!("{:<12} {result:<7} {:>8.1}  {tests}", suite.name, took.as_secs_f64());
        let _ = writeln!(text, "{}", row.trim_end());
        total.add(counts);
        match failure {
            Some(_) if counts.failed == 0 => total.failed += 1,
            None if !counts.any() => total.passed += 1,
            Some(_) | None => {}
        }
    }
    for Outcome { suite, failure, .. } in outcomes {
        if let Some(failure) = failure {
            let _ = writeln!(text, "{}: {failure}", suite.name);
        }
    }
    let _ = writeln!(text, "\n{} passed, {} failed", total.passed, total.failed);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(name: &str, passed: u64, failed: u64, failure: Option<&str>) -> Outcome {
        let suite = SUITES.iter().find(|s| s.name == name).unwrap();
        let counts = Counts {
            passed,
            failed,
            skipped: 0,
        };
        Outcome {
            suite,
            took: Duration::from_millis(1234),
            counts,
            failure: failure.map(str::to_owned),
        }
    }

    #[test]
    fn the_last_line_counts_tests_where_known_and_suites_elsewhere() {
        let text = table(&[
            outcome("fmt", 0, 0, None),
            outcome("clippy", 0, 0, Some("`cargo clippy` failed")),
            outcome("rust", 40, 2, Some("2 failed")),
            outcome("browser", 3, 0, Some("the runner crashed")),
        ]);
        assert_eq!(text.lines().last(), Some("44 passed, 4 failed"));
        assert!(
            text.contains("rust         FAILED       1.2  40 passed, 2 failed"),
            "{text}"
        );
        assert!(text.contains("clippy: `cargo clippy` failed"), "{text}");
    }

    #[test]
    fn suites_are_chosen_by_name_in_their_own_order_and_web_means_all_of_its_suites() {
        let names = |chosen: Vec<&Suite>| chosen.iter().map(|s| s.name).collect::<Vec<_>>();
        assert_eq!(
            names(choose(&["web", "fmt"]).unwrap()),
            ["fmt", "web-lint", "web-check", "web-test"]
        );
        assert_eq!(choose(&[] as &[&str]).unwrap().len(), SUITES.len());
        assert!(
            SUITES.iter().all(|suite| suite.name.len() <= 12),
            "the table's first column"
        );
        assert_eq!(names(choose(&["browser-lint"]).unwrap()), ["browser-lint"]);
        assert!(
            choose(&["wep"])
                .err()
                .unwrap()
                .starts_with("there is no suite `wep`: choose from fmt, ")
        );
    }
}
