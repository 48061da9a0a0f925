//! How many tests passed and failed, read from the closing lines of the runners.

use std::fmt::{Display, Formatter, Result};

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

/// Whose closing lines to look for.
#[derive(Debug, Clone, Copy)]
pub enum Runner {
    CargoTest,
    Nextest,
    Playwright,
    Vitest,
    ZoneCheck,
}

impl Counts {
    /// `None` when the output has no closing line, which happens when a runner did not come to run a test.
    pub fn read(runner: Runner, output: &str) -> Option<Self> {
        let closing: Vec<&str> = output.lines().filter_map(|line| closing(runner, line.trim())).collect();
        let mut counts = Self::default();
        for (number, word) in closing.iter().flat_map(|line| numbered_words(line)) {
            match word {
                "passed" => counts.passed += number,
                "failed" | "differ" | "timed" | "flaky" | "interrupted" | "did" => counts.failed += number,
                "skipped" | "ignored" | "not" | "todo" => counts.skipped += number,
                _ => {}
            }
        }
        (!closing.is_empty()).then_some(counts)
    }

    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    pub fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl Display for Counts {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)
        } else {
            Ok(())
        }
    }
}

/// The part of a trimmed line that counts, if it is one of the runner's closing lines.
fn closing(runner: Runner, line: &str) -> Option<&str> {
    match runner {
        Runner::CargoTest => line.strip_prefix("test result: "),
        // "Summary [ 1.2s] 4 tests run: 3 passed (1 slow), 1 failed, 0 skipped"
        Runner::Nextest => line
            .strip_prefix("Summary")
            .and_then(|rest| rest.split_once("run: "))
            .map(|(_, counts)| counts),
        Runner::Vitest => line.strip_prefix("Tests "),
        // One line per word, "3 passed (4.2s)": a number first, and nothing else of the report looks like that.
        Runner::Playwright => {
            let (number, word) = numbered_words(line).next()?;
            let words = ["passed", "failed", "flaky", "skipped", "interrupted", "did"];
            (line.starts_with(&number.to_string()) && words.contains(&word)).then_some(line)
        }
        Runner::ZoneCheck => {
            (line.starts_with(|c: char| c.is_ascii_digit()) && line.contains(" passed")).then_some(line)
        }
    }
}

/// "3 passed (1 slow), 2 failed" → (3, passed), (1, slow), (2, failed).
fn numbered_words(line: &str) -> impl Iterator<Item = (u64, &str)> {
    let words: Vec<&str> = line
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    (1..words.len()).filter_map(move |i| Some((words[i - 1].parse().ok()?, words[i])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(runner: Runner, output: &str) -> (u64, u64, u64) {
        let counts = Counts::read(runner, output).unwrap();
        (counts.passed, counts.failed, counts.skipped)
    }

    #[test]
    fn cargo_test_has_one_line_per_binary() {
        let output = "running 5 tests\n\
            test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.00s\n\
            test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 12.34s\n";
        assert_eq!(read(Runner::CargoTest, output), (7, 1, 1));
    }

    #[test]
    fn nextest_has_a_summary() {
        let output = "        PASS [   0.003s] (1/2) xtask tests::a\n     Summary [   0.012s] 10/12 tests run: 8 passed (1 slow), 1 failed, 1 timed out, 2 skipped\n";
        assert_eq!(read(Runner::Nextest, output), (8, 2, 2));
        assert_eq!(
            read(
                Runner::Nextest,
                "     Summary [   0.012s] 1 test run: 1 passed, 0 skipped"
            ),
            (1, 0, 0)
        );
    }

    #[test]
    fn vitest_counts_tests_and_not_files() {
        let output = " Test Files  1 failed | 3 passed (4)\n      Tests  2 failed | 30 passed | 1 skipped (33)\n   Duration  1.2s\n";
        assert_eq!(read(Runner::Vitest, output), (30, 2, 1));
    }

    #[test]
    fn playwright_has_one_line_per_word() {
        let output = "Running 7 tests using 1 worker\n  1 failed\n    [chromium] › call.spec.ts:3:1 › 2 passed tests\n  1 flaky\n  1 did not run\n  4 passed (12.3s)\n";
        assert_eq!(read(Runner::Playwright, output), (4, 3, 0));
    }

    #[test]
    fn zone_check_counts_not_yet_as_neither() {
        assert_eq!(
            read(
                Runner::ZoneCheck,
                "w-1: expected 5, got 6\n32 passed, 1 differ, 6 not yet\n"
            ),
            (32, 1, 6)
        );
    }

    #[test]
    fn no_closing_line_is_not_zero_tests() {
        assert_eq!(Counts::read(Runner::Nextest, "error: could not compile `x`"), None);
    }
}
