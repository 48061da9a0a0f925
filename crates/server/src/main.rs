//! The binary. All it does is in the library of the same package.

use std::process::ExitCode;

fn main() -> ExitCode {
    heliograph_server::main()
}
