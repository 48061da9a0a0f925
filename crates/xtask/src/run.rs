//! `cargo xtask run`: from a fresh clone to a running service with a demo clinic.

use std::{
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

use crate::{
    build::{self, Scope},
    install,
    shell::{self, Result},
};

pub fn command(args: &[OsString]) -> Result<ExitCode> {
    // Many tools want a `--` before arguments that are passed on; here it changes nothing.
    let passed_on = args.iter().filter(|a| *a != OsStr::new("--"));
    let (release, args): (Vec<_>, Vec<_>) = passed_on.partition(|a| *a == OsStr::new("--release"));
    install::node()?;
    let binary = build::server(Scope::Server {
        release: !release.is_empty(),
    })?;
    let mut serve = Command::new(binary);
    serve.args(["serve", "--demo"]).args(args);
    shell::announce(&serve);
    // The service takes this process's place, so that Ctrl-C and signals reach it and its exit status is ours.
    let error = serve.exec();
    Err(shell::cannot_start(&serve, &error))
}
