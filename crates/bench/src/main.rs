//! Measures the service from outside. Each command starts a server of its own on a free port of 127.0.0.1 and ends it.

mod clinic;
mod idle;
mod process;

use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Measures a server binary; every load is bounded and stays on this machine.
#[derive(Parser)]
struct Cli {
    /// The server to measure.
    #[arg(long, default_value = "target/release/heliograph")]
    bin: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Memory of a joined socket that says nothing.
    Idle {
        /// How many sockets, two in each room.
        #[arg(long, default_value_t = 1_000)]
        sockets: usize,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Command::Idle { sockets } => idle::run(&cli.bin, sockets).await,
    }
}
