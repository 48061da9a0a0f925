//! Words that must not stand in sources, and names that modules must not have.

use std::path::Path;

use super::{Finding, arrows, rust_text::RustText};
use crate::tree::SourceFile;

/// What must not be written, and why and what instead.
type Word = (&'static str, &'static str);

const IN_RUST: &[Word] = &[
    (
        "#[ignore",
        "a test that does not run proves nothing: make it run, or delete it",
    ),
    (
        "thread::sleep",
        "a sleep is too long or too short: wait for a condition, or inject the clock",
    ),
];

/// In layer 0, where the same values must give the same values in every process.
const IN_PURE: &[Word] = &[("HashMap", ORDER), ("HashSet", ORDER)];
const ORDER: &str =
    "its order is another one in every run, and with it what is made of it: use BTreeMap, BTreeSet or LiteMap";

const IN_SCRIPTS: &[Word] = &[
    (
        "test.skip",
        "a test that does not run proves nothing: make it run, or delete it",
    ),
    (
        "it.skip",
        "a test that does not run proves nothing: make it run, or delete it",
    ),
    (
        "describe.skip",
        "tests that do not run prove nothing: make them run, or delete them",
    ),
    (".only(", "it keeps all other tests from running: remove it"),
    (
        "waitForTimeout",
        "a sleep is too long or too short: wait for a condition (`expect.poll`, a locator)",
    ),
];

/// Written in two parts each, so that this file passes its own check.
const REGISTRIES: &[&str] = &[
    concat!("registry.npm", "js.org"),
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("rust-lang/crates.io", "-index"),
    concat!("pypi", ".org"),
    concat!("files.python", "hosted.org"),
    concat!("deb.debian", ".org"),
    concat!("://", "registry."),
];

const LOCK_FILES: &[&str] = &["Cargo.lock", "package-lock.json"];

const VAGUE_NAMES: &[&str] = &["manager", "managers", "util", "utils", "helper", "helpers"];

pub fn check(file: &SourceFile) -> Vec<Finding> {
    let finding = |line, word: &str, text: &str| Finding::new(&file.name, line, format!("`{word}`: {text}"));
    let mut findings: Vec<Finding> = vague_name(file).into_iter().collect();
    if file.has_extension(&["rs"]) {
        let pure = file.package().is_some_and(arrows::is_pure);
        for (number, line) in RustText::new(&file.text).code_lines() {
            let said = said(IN_RUST, line).chain(said(IN_PURE, line).filter(|_| pure));
            findings.extend(said.map(|(word, why)| finding(number, word, why)));
        }
    }
    if file.has_extension(&["ts", "js", "mjs", "svelte"]) {
        for (index, line) in file.text.lines().enumerate() {
            findings.extend(said(IN_SCRIPTS, line).map(|(word, why)| finding(index + 1, word, why)));
        }
    }
    if !Path::new(&file.name)
        .file_name()
        .is_some_and(|name| LOCK_FILES.iter().any(|lock| name == *lock))
    {
        for (index, line) in file.text.lines().enumerate() {
            let why =
                "the name of a registry's host: leave that to each machine's configuration, and name the package only";
            findings.extend(
                REGISTRIES
                    .iter()
                    .filter(|host| line.contains(**host))
                    .map(|host| finding(index + 1, host, why)),
            );
        }
    }
    findings
}

fn said(words: &'static [Word], line: &str) -> impl Iterator<Item = &'static Word> {
    words.iter().filter(move |(word, _)| line.contains(word))
}

/// A module whose name says nothing, as a file or as a folder.
fn vague_name(file: &SourceFile) -> Option<Finding> {
    if !file.has_extension(&["rs", "ts", "js", "mjs", "svelte"]) {
        return None;
    }
    let stem = |part: &str| part.split('.').next().unwrap_or("").to_lowercase();
    let vague = file
        .name
        .split('/')
        .map(stem)
        .find(|name| VAGUE_NAMES.contains(&name.as_str()))?;
    let text = format!(
        "a module called `{vague}` says nothing of what it does and gathers everything: name it after what it holds"
    );
    Some(Finding::new(&file.name, 1, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, text: &str) -> Vec<String> {
        let file = SourceFile {
            name: name.to_owned(),
            text: text.to_owned(),
        };
        check(&file).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn tests_that_hide_or_sleep_are_found() {
        let rust = found(
            "crates/app/tests/a.rs",
            "#[test]\n#[ignore = \"slow\"]\nfn a() { std::thread::sleep(d) }",
        );
        assert_eq!(rust.len(), 2);
        assert!(
            rust[0].starts_with("crates/app/tests/a.rs:2: `#[ignore`: a test that does not run"),
            "{}",
            rust[0]
        );
        let script = found(
            "tests/browser/a.spec.ts",
            "test.skip('x');\ntest.only('y');\nawait page.waitForTimeout(5);",
        );
        assert_eq!(script.len(), 3);
    }

    #[test]
    fn layer_0_has_no_collections_without_an_order() {
        let text = "use std::collections::{BTreeMap,\n    HashMap, HashSet}; // HashMap";
        let found_in = |name: &str| found(name, text).len();
        assert_eq!(
            (found_in("crates/room/src/a.rs"), found_in("crates/protocol/tests/a.rs")),
            (2, 2)
        );
        assert_eq!(found_in("crates/signaling/src/a.rs"), 0);
    }

    #[test]
    fn texts_and_comments_may_speak_of_them() {
        assert_eq!(
            found("crates/app/src/a.rs", "// thread::sleep\nlet a = \"#[ignore\";"),
            [] as [&str; 0]
        );
    }

    #[test]
    fn hosts_of_registries_are_found_outside_of_lock_files() {
        let text = format!("a\n\"https://{}/x\"", REGISTRIES[0]);
        assert!(found("web-client/.npmrc", &text)[0].starts_with("web-client/.npmrc:2: "));
        assert_eq!(found("web-client/package-lock.json", &text), [] as [&str; 0]);
    }

    #[test]
    fn vague_modules_are_found_as_files_and_folders() {
        assert_eq!(found("crates/app/src/utils.rs", "").len(), 1);
        assert_eq!(found("web-client/src/helpers/time.ts", "").len(), 1);
        assert_eq!(found("web-client/src/call/helper.test.ts", "").len(), 1);
        assert_eq!(found("crates/app/src/visits.rs", ""), [] as [&str; 0]);
    }
}
