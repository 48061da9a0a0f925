//! `cargo xtask tidy`: the rules of the house that neither the compiler nor clippy can check.

mod arrows;
mod dates;
mod licences;
mod names;
mod npm;
mod pages;
mod rust_text;
mod sizes;
mod sql;
mod words;

use std::{
    ffi::OsString,
    fmt::{self, Display, Formatter},
    process::ExitCode,
};

use serde_json::Value;

use crate::{
    build::Scope,
    r#gen,
    shell::{self, Result},
    tree::{self, SourceFile},
};

/// One broken rule. `line` counts from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    file: String,
    line: usize,
    /// What, why, remedy.
    text: String,
}

impl Finding {
    fn new(file: &str, line: usize, text: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            text: text.into(),
        }
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.text)
    }
}

pub fn command(args: &[OsString]) -> Result<ExitCode> {
    if !args.is_empty() {
        return Err("`cargo xtask tidy` takes no arguments".to_owned());
    }
    // Both are told, whatever the first one says.
    let (rules, generated) = (check(), r#gen::check(Scope::Server { release: false }));
    rules.and(generated)?;
    Ok(ExitCode::SUCCESS)
}

/// The rules alone, without the generated files: prints one line per finding, and fails when there is one.
pub fn check() -> Result {
    let files = tree::files()?;
    let packages = arrows::packages(&metadata(&["--no-deps"])?, tree::root())?;
    let everything = metadata(&[])?;
    let deny = text_of(&files, licences::FILE)?;
    let architecture = text_of(&files, pages::ARCHITECTURE)?;
    let operations = text_of(&files, pages::OPERATIONS)?;

    let mut findings = arrows::check(&packages);
    findings.extend(pages::check(&packages, &files, architecture, operations));
    findings.extend(names::in_manifests(&packages));
    findings.extend(files.iter().flat_map(names::in_source));
    findings.extend(files.iter().filter_map(sizes::check));
    findings.extend(files.iter().flat_map(words::check));
    findings.extend(files.iter().flat_map(dates::check));
    findings.extend(files.iter().flat_map(npm::check));
    findings.extend(sql::check(&files));
    findings.extend(licences::check(&everything, deny));
    findings.sort();
    findings.dedup();

    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!(
                "tidy: {} packages and {} files keep the rules of the house",
                packages.len(),
                files.len()
            );
            Ok(())
        }
        n => Err(format!(
            "{n} of the rules of the house {} broken: mend what is listed above",
            if n == 1 { "is" } else { "are" }
        )),
    }
}

fn text_of<'a>(files: &'a [SourceFile], name: &str) -> Result<&'a str> {
    let file = files.iter().find(|file| file.name == name);
    file.map(|file| file.text.as_str())
        .ok_or_else(|| format!("{name} is missing: restore it with git"))
}

fn metadata(more: &[&str]) -> Result<Value> {
    let text = shell::capture(shell::cargo(["metadata", "--format-version", "1"]).args(more))?;
    serde_json::from_str(&text).map_err(|e| format!("the answer of `cargo metadata` can't be read: {e}"))
}
