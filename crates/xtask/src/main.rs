//! The commands of this repository: run, test, tidy, gen.

mod build;
mod r#gen;
mod install;
mod run;
mod shell;
mod test;
mod tidy;
mod tree;

use std::{env, ffi::OsString, process::ExitCode};

const HELP: &str = "\
The commands of this repository.

  cargo xtask run [--release] [ARG…]   build everything, start the service with the demo clinic
                                       (ARG… goes to `heliograph serve`: --listen ADDR:PORT, --data DIR, --config FILE)
  cargo xtask test [SUITE…]            run all checks and tests, or only the suites named (`test --list` names them)
  cargo xtask tidy                     check the rules of the house (arrows between crates, sizes, names, SQL, licences) and the generated files
  cargo xtask gen [--check]            write the generated files, or say which of them are out of date

`run` and `test` install what is missing and say so.";

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.to_string_lossy().into_owned(), rest),
        None => ("help".to_owned(), &args[..]),
    };
    if matches!(command.as_str(), "help" | "-h" | "--help") || rest.iter().any(|a| a == "-h" || a == "--help") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let outcome = match command.as_str() {
        "run" => run::command(rest),
        "test" => test::command(rest),
        "tidy" => tidy::command(rest),
        "gen" => r#gen::command(rest),
        _ => Err(format!(
            "there is no command `{command}`: say one of run, test, tidy, gen (`cargo xtask help` explains them)"
        )),
    };
    outcome.unwrap_or_else(|sentence| {
        eprintln!("cargo xtask: {sentence}");
        ExitCode::FAILURE
    })
}
