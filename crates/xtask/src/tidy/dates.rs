//! Dates in tests against the clock of the machine: what lies ahead today does not for ever.

use super::Finding;
use crate::tree::SourceFile;

const AGAINST_THE_CLOCK: [&str; 2] = ["tests/scenarios/", "tests/browser/src/"];

pub fn check(file: &SourceFile) -> Vec<Finding> {
    if !AGAINST_THE_CLOCK.iter().any(|folder| file.name.starts_with(folder)) {
        return Vec::new();
    }
    let dated = file.text.lines().enumerate().filter(|(_, line)| names_a_date(line));
    let text = "a date that will have passed one day, and then the test fails: compute it from now, as `dates.rs` does";
    dated
        .map(|(index, _)| Finding::new(&file.name, index + 1, text))
        .collect()
}

/// `20NN-NN-NN` of this century.
fn names_a_date(line: &str) -> bool {
    const SHAPE: &[u8] = b"20dd-dd-dd";
    let fits = |(byte, wanted): (&u8, &u8)| match wanted {
        b'd' => byte.is_ascii_digit(),
        exact => byte == exact,
    };
    let mut windows = line.as_bytes().windows(SHAPE.len());
    windows.any(|window| window.iter().zip(SHAPE).all(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(name: &str, text: &str) -> Vec<usize> {
        let (name, text) = (name.to_owned(), text.to_owned());
        check(&SourceFile { name, text }).iter().map(|one| one.line).collect()
    }

    #[test]
    fn dates_are_found_where_the_clock_is_the_machines() {
        let text = "let a = \"1970-01-01\";\nlet b = \"2027-06-01T09:00\";\n// 2027-06-0\nget(\"?day=2028-01-01\")";
        assert_eq!(lines("tests/scenarios/booking.rs", text), [2, 4]);
        assert_eq!(lines("tests/browser/src/clinic.ts", text), [2, 4]);
        assert_eq!(lines("crates/app/tests/use_cases/booking.rs", text), [] as [usize; 0]);
    }
}
