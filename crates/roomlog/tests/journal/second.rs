//! A second process: the same test once more, told by a variable which folder it works on.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

const FOLDER: &str = "JOURNAL_TEST_FOLDER";

/// The folder, in the second process.
#[expect(
    clippy::disallowed_methods,
    reason = "there is no other way to tell a test something"
)]
pub fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// A command that runs one test of this program, through another program if one is given.
pub fn command(through: Option<Command>, test: &str, folder: &Path) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = match through {
        Some(mut through) => {
            through.arg(program);
            through
        }
        None => Command::new(program),
    };
    command.args(["--exact", test, "--nocapture"]).env(FOLDER, folder);
    command
}

/// A process that ends with this value.
pub struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub fn start(mut command: Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Running { child, lines }
    }

    /// What follows this word on the next line that has it.
    pub fn next(&mut self, word: &str) -> String {
        loop {
            let line = self.lines.next().expect("the process ended").unwrap();
            if let Some((_, rest)) = line.split_once(word) {
                return rest.trim().to_owned();
            }
        }
    }

    /// Kills it, and gives what it still said, as [`Running::next`] does.
    pub fn kill(mut self, word: &str) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let rest = self.lines.by_ref().map(Result::unwrap);
        rest.filter_map(|line| Some(line.split_once(word)?.1.trim().to_owned()))
            .collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be over already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs it to its end, which must be a good one, and must have said this.
pub fn succeed(mut command: Command, said: &str) {
    let output = command.output().unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success() && text.contains(said), "{text}");
}
