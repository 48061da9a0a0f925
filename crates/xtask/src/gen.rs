//! `cargo xtask gen`: files that are made from code and kept in the repository.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use crate::{
    build::{self, Scope},
    shell::{self, Result},
    tree,
};

/// The generated files, in the order in which they are made.
pub const FILES: [&str; 2] = [OPENAPI, SCHEMA];
const OPENAPI: &str = "docs/openapi.json";
const SCHEMA: &str = "web-client/src/api/schema.ts";

pub fn command(args: &[OsString]) -> Result<ExitCode> {
    match args {
        [] => write(),
        [flag] if flag == "--check" => check(Scope::Server { release: false }),
        _ => Err("`cargo xtask gen` knows only `--check`".to_owned()),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn write() -> Result {
    for (name, made) in make(Scope::Server { release: false })? {
        let place = tree::root().join(name);
        // Untouched when equal: a newer file would have the web client built again.
        if same(&made, &place) {
            println!("{name} is up to date");
            continue;
        }
        let folder = place.parent().unwrap_or(tree::root());
        fs::create_dir_all(folder)
            .and_then(|()| fs::copy(&made, &place))
            .map_err(|e| format!("{name} can't be written: {e}"))?;
        println!("{name} is written");
    }
    Ok(())
}

/// Fails when a generated file differs from what the code gives now.
pub fn check(scope: Scope) -> Result {
    let stale: Vec<&str> = make(scope)?
        .into_iter()
        .filter(|(name, made)| !same(made, &tree::root().join(name)))
        .map(|(name, _)| name)
        .collect();
    if stale.is_empty() {
        println!("generated files are up to date: {}", FILES.join(", "));
        return Ok(());
    }
    Err(format!(
        "out of date: {}; run `cargo xtask gen` and commit the result",
        stale.join(", ")
    ))
}

/// Makes all generated files under `target/gen`.
fn make(scope: Scope) -> Result<[(&'static str, PathBuf); 2]> {
    let folder = tree::root().join("target/gen");
    let (openapi, schema) = (folder.join("openapi.json"), folder.join("schema.ts"));
    let server = build::server(scope)?;
    fs::create_dir_all(&folder).map_err(|e| format!("{} can't be made: {e}", tree::name(&folder)))?;

    let mut describe = Command::new(server);
    describe.arg("openapi").current_dir(tree::root());
    shell::announce(&describe);
    let text = shell::capture(&mut describe)?;
    fs::write(&openapi, text).map_err(|e| format!("{} can't be written: {e}", tree::name(&openapi)))?;

    let mut types = Command::new("npx");
    types
        .args(["--no", "--", "openapi-typescript"])
        .arg(&openapi)
        .arg("-o")
        .arg(&schema)
        .current_dir(build::web_folder());
    shell::run(&mut types)?;
    Ok([(OPENAPI, openapi), (SCHEMA, schema)])
}

fn same(a: &Path, b: &Path) -> bool {
    matches!((fs::read(a), fs::read(b)), (Ok(a), Ok(b)) if a == b)
}
