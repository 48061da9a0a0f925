//! The service as the scenarios start it.

use std::process::ExitCode;

fn main() -> ExitCode {
    heliograph_server::main()
}
