//! Pages that tell what the code has: crates, tests that guard the invariants, figures.

use super::{Finding, arrows::Package, rust_text::RustText};
use crate::tree::SourceFile;

/// The page with the table of crates and the invariants.
pub const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
/// The page with the table of figures.
pub const OPERATIONS: &str = "docs/OPERATIONS.md";

pub fn check(packages: &[Package], files: &[SourceFile], architecture: &str, operations: &str) -> Vec<Finding> {
    let mut findings = crates(packages, architecture);
    findings.extend(guards(files, architecture));
    findings.extend(figures(files, operations));
    findings
}

/// Every crate has a row.
fn crates(packages: &[Package], page: &str) -> Vec<Finding> {
    let row = |name: &str| {
        let cell = format!("| `{name}` |");
        page.lines().any(|line| line.starts_with('|') && line.contains(&cell))
    };
    let missing = packages.iter().filter(|package| !row(&package.folder));
    let finding = |package: &Package| {
        let text = format!(
            "the crate `{}` has no row in the table of crates: add it there",
            package.folder
        );
        Finding::new(ARCHITECTURE, 1, text)
    };
    missing.map(finding).collect()
}

/// Every test that guards an invariant is there: what stands in `…` after "Tests:", to the end of its item.
fn guards(files: &[SourceFile], page: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let (mut within, mut told) = (false, false);
    for (index, line) in page.lines().enumerate() {
        if line.starts_with("## ") {
            within = line == "## Invariants";
        }
        // Each item begins with its number.
        if line.starts_with(|c: char| c.is_ascii_digit()) {
            told = false;
        }
        let names = match line.split_once("Tests:") {
            Some((_, names)) => {
                told = true;
                names
            }
            None => line,
        };
        if !within || !told {
            continue;
        }
        for name in names.split('`').skip(1).step_by(2) {
            let definition = format!("fn {name}(");
            let rust = |file: &&SourceFile| file.has_extension(&["rs"]);
            if !files.iter().filter(rust).any(|file| file.text.contains(&definition)) {
                let text = format!("there is no test `{name}`: name the one that guards the invariant now");
                found.push(Finding::new(ARCHITECTURE, index + 1, text));
            }
        }
    }
    found
}

/// Every figure that the service counts is explained.
fn figures(files: &[SourceFile], page: &str) -> Vec<Finding> {
    let shipped = |file: &&SourceFile| file.has_extension(&["rs"]) && file.name.contains("/src/");
    let service = |file: &&SourceFile| {
        !["bench", "client", "testkit", "xtask", "tests"].contains(&file.package().unwrap_or("tests"))
    };
    let mut found = Vec::new();
    for file in files.iter().filter(shipped).filter(service) {
        let text = RustText::new(&file.text);
        let calls = ["counter!(", "gauge!(", "histogram!("];
        let calls = calls.iter().flat_map(|call| text.code.match_indices(call));
        for (at, _) in calls {
            let Some(name) = text.literals.iter().find(|literal| literal.place.start > at) else {
                continue;
            };
            let explained = ["`", "{"]
                .iter()
                .any(|end| page.contains(&format!("`{}{end}", name.text)));
            if !explained {
                let line = text.code[..at].matches('\n').count() + 1;
                let text = format!("the figure `{}` is not explained: add a row to {OPERATIONS}", name.text);
                found.push(Finding::new(&file.name, line, text));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{super::arrows::tests::package, *};

    fn file(name: &str, text: &str) -> SourceFile {
        SourceFile {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    fn lines(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_crate_that_the_page_does_not_name_is_found() {
        let page = "| layer | crate |\n| side | `bench` | measures |\nbeside `client` | a |";
        let found = crates(&[package("bench", "", &[]), package("client", "", &[])], page);
        let expected = "docs/ARCHITECTURE.md:1: the crate `client` has no row in the table of crates: add it there";
        assert_eq!(lines(&found), [expected]);
    }

    #[test]
    fn a_test_of_an_invariant_that_is_gone_is_found_at_its_line() {
        let page =
            "## Invariants\n1. **`x` is.** By `y`. Tests: `a`,\n   `b` (so many).\n2. Or `z`.\n## Crates\nTests: `c`";
        let files = [
            file("crates/app/tests/a.rs", "#[test]\nfn a() {}"),
            file("a.md", "fn b()"),
        ];
        let found = lines(&guards(&files, page));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("docs/ARCHITECTURE.md:3: there is no test `b`"),
            "{}",
            found[0]
        );
    }

    #[test]
    fn a_figure_that_the_page_does_not_explain_is_found() {
        let source = "\nmetrics::counter!(\n  \"joins_total\", \"why\" => \"a\").increment(1);\nmetrics::gauge!(\"rooms\").set(1);";
        let files = [
            file("crates/signaling/src/a.rs", source),
            file("crates/bench/src/a.rs", source),
        ];
        let found = lines(&figures(&files, "| `rooms` | so many |\njoins_total"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("crates/signaling/src/a.rs:2: the figure `joins_total`"),
            "{}",
            found[0]
        );
        assert_eq!(figures(&files, "| `joins_total{why}`, `rooms` |"), []);
    }
}
