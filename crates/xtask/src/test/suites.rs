//! The suites, in the order in which they run.

use std::{path::PathBuf, process::Command};

use super::{
    counts::{Counts, Runner},
    watch::watch,
};
use crate::{
    build::{self, Scope},
    r#gen, install,
    shell::{self, Result},
    tidy, tree,
};

pub struct Suite {
    pub name: &'static str,
    pub what: &'static str,
    pub run: fn(&mut Counts) -> Result,
}

impl Suite {
    /// By its own name, or by `web` for the three of the web client.
    pub fn answers_to(&self, name: &str) -> bool {
        self.name == name || (name == "web" && ["web-lint", "web-check", "web-test"].contains(&self.name))
    }
}

pub const SUITES: &[Suite] = &[
    Suite {
        name: "fmt",
        what: "Rust is formatted",
        run: fmt,
    },
    Suite {
        name: "web-build",
        what: "the web client builds",
        run: |_| build::web_client_anew(),
    },
    Suite {
        name: "clippy",
        what: "Rust without warnings",
        run: clippy,
    },
    Suite {
        name: "tidy",
        what: "the rules of the house",
        run: |_| tidy::check(),
    },
    Suite {
        name: "build",
        what: "all of Rust compiles",
        run: |_| build::server(Scope::Workspace).map(drop),
    },
    Suite {
        name: "gen-check",
        what: "generated files are up to date",
        run: |_| r#gen::check(Scope::Workspace),
    },
    Suite {
        name: "rust",
        what: "unit, property and whole-service tests",
        run: rust,
    },
    Suite {
        name: "simulation",
        what: "10,000 histories of rooms, and the checks that they need",
        run: simulation,
    },
    Suite {
        name: "web-lint",
        what: "eslint",
        run: |_| web_script("lint"),
    },
    Suite {
        name: "web-check",
        what: "svelte-check",
        run: |_| web_script("check"),
    },
    Suite {
        name: "web-test",
        what: "vitest",
        run: web_test,
    },
    Suite {
        name: "zone",
        what: "the cases of tests/data/tz_cases.json",
        run: zone,
    },
    Suite {
        name: "browser-lint",
        what: "types and eslint of the browser tests",
        run: browser_lint,
    },
    Suite {
        name: "browser",
        what: "real browsers against the real server",
        run: browser,
    },
];

fn fmt(_: &mut Counts) -> Result {
    must(shell::cargo(["fmt", "--all", "--check"]), "run `cargo fmt --all`")
}

fn clippy(_: &mut Counts) -> Result {
    // The server embeds the web client at compile time.
    build::web_client()?;
    must(
        shell::cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        "mend what is listed above",
    )
}

fn rust(counts: &mut Counts) -> Result {
    install::debian(&[&install::POSTGRESQL])?;
    // Tests across processes start the binary.
    build::server(Scope::Workspace)?;
    let has_nextest = shell::cargo(["nextest", "--version"])
        .output()
        .is_ok_and(|o| o.status.success());
    if !has_nextest {
        return count(
            shell::cargo([
                "test",
                "--workspace",
                "--exclude",
                "heliograph-simulation",
                "--no-fail-fast",
            ]),
            Runner::CargoTest,
            counts,
        );
    }
    let tests = count(
        shell::cargo([
            "nextest",
            "run",
            "--workspace",
            "--no-fail-fast",
            "--exclude",
            "heliograph-simulation",
        ]),
        Runner::Nextest,
        counts,
    );
    // nextest leaves out the examples in the documentation.
    tests.and(count(
        shell::cargo(["test", "--workspace", "--doc", "--no-fail-fast"]),
        Runner::CargoTest,
        counts,
    ))
}

/// A suite of its own, since it turns on a feature that nothing else may have, and needs both cores.
fn simulation(counts: &mut Counts) -> Result {
    // The whole workspace is named so that dependencies have the features of the other suites, and are not compiled anew.
    let test = [
        "test",
        "--workspace",
        "--features",
        "heliograph-simulation/mutants",
        "--test",
        "histories",
        "--test",
        "mutants",
        "--no-fail-fast",
    ];
    let told = ["--", "--nocapture", "--test-threads=1"];
    count(shell::cargo(test.into_iter().chain(told)), Runner::CargoTest, counts).and(some_ran(counts))
}

fn web_script(script: &str) -> Result {
    install::npm_packages(&build::web_folder())?;
    must(
        shell::npm(&build::web_folder(), ["run", script]),
        "mend what is listed above",
    )
}

fn web_test(counts: &mut Counts) -> Result {
    install::npm_packages(&build::web_folder())?;
    count(shell::npm(&build::web_folder(), ["test"]), Runner::Vitest, counts).and(some_ran(counts))
}

fn zone(counts: &mut Counts) -> Result {
    let mut check = Command::new(build::server(Scope::Workspace)?);
    check
        .args(["zone", "check", "tests/data/tz_cases.json"])
        .current_dir(tree::root());
    count(check, Runner::ZoneCheck, counts).and(some_ran(counts))
}

fn browser_lint(_: &mut Counts) -> Result {
    let folder = browser_folder();
    install::npm_packages(&folder)?;
    let remedy = "mend what is listed above";
    // Both are told, whatever the first one says.
    let (types, lint) = (
        must(shell::npm(&folder, ["run", "check"]), remedy),
        must(shell::npm(&folder, ["run", "lint"]), remedy),
    );
    types.and(lint)
}

fn browser_folder() -> PathBuf {
    tree::root().join("tests/browser")
}

fn browser(counts: &mut Counts) -> Result {
    let folder = browser_folder();
    install::debian(&[&install::CHROMIUM])?;
    install::npm_packages(&folder)?;
    build::server(Scope::Workspace)?;
    count(shell::npm(&folder, ["test"]), Runner::Playwright, counts).and(some_ran(counts))
}

/// Runs a command that has no counts.
fn must(command: Command, remedy: &str) -> Result {
    let line = shell::line(&command);
    if watch(command)?.ok {
        Ok(())
    } else {
        Err(format!("`{line}` failed: {remedy}"))
    }
}

/// Runs a test runner and adds what it counted.
fn count(command: Command, runner: Runner, counts: &mut Counts) -> Result {
    let line = shell::line(&command);
    let seen = watch(command)?;
    let read = Counts::read(runner, &seen.output);
    counts.add(&read.unwrap_or_default());
    match (seen.ok, read) {
        (true, Some(_)) => Ok(()),
        (true, None) => Err(format!(
            "`{line}` ended well but ran no test: its closing line is missing"
        )),
        (false, Some(Counts { failed: 1.., .. })) => Err(format!("`{line}`: see the tests that failed above")),
        (false, Some(_) | None) => Err(format!(
            "`{line}` failed before its tests could end: see its messages above"
        )),
    }
}

fn some_ran(counts: &Counts) -> Result {
    if counts.passed + counts.failed > 0 {
        Ok(())
    } else {
        Err("no test ran: restore the tests or the pattern that finds them".to_owned())
    }
}
