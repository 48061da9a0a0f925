//! Measures the service from outside: see `heliograph-bench --help` and docs/PERFORMANCE.md.

mod baseline;
mod cli;
mod clinic;
mod figures;
mod load;
mod machine;
mod report;
mod scenario;

use anyhow::Result;
use clap::Parser;
use cli::{Cli, Command, Common};
use figures::Figures;
use std::process::ExitCode;

/// Something was lost, doubled or reordered.
const BROKEN: u8 = 1;
/// There are no figures.
const FAILED: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    run(Cli::parse().command).await.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::from(FAILED)
    })
}

async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Idle(options) => Ok(show(&scenario::idle::run(&options).await?, &options.common)),
        Command::Relay(options) => Ok(show(&scenario::relay::run(&options).await?, &options.common)),
        Command::JoinStorm(options) => Ok(show(&scenario::join_storm::run(&options).await?, &options.common)),
        Command::ResumeStorm(options) => Ok(show(&scenario::resume_storm::run(&options).await?, &options.common)),
        Command::Stalled(options) => Ok(show(&scenario::stalled::run(&options).await?, &options.common)),
        Command::Soak(options) => Ok(show(&scenario::soak::run(&options).await?, &options.common)),
        Command::Flood(options) => Ok(show(&scenario::flood::run(&options).await?, &options.common)),
        Command::Baseline { listen } => baseline::serve(listen).await.map(|()| ExitCode::SUCCESS),
        Command::Report(options) => report::run(&options).map(code),
    }
}

fn show(figures: &Figures, common: &Common) -> ExitCode {
    if !common.json {
        println!("{}", figures.text());
    }
    println!("{}", figures.line());
    code(figures.broken())
}

fn code(broken: bool) -> ExitCode {
    if broken {
        ExitCode::from(BROKEN)
    } else {
        ExitCode::SUCCESS
    }
}
