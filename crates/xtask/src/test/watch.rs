//! Runs a command, shows what it prints line by line and keeps it, and stops every process that it leaves behind.

use std::{
    fs,
    io::{self, BufRead, BufReader, PipeReader, Write},
    process::{self, Command, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use crate::shell::{self, Result};

/// Everything that a command starts inherits this variable, however far it detaches itself.
const MARK: &str = "XTASK_TEST_RUN";
static RUNS: AtomicU32 = AtomicU32::new(0);
const GRACE: Duration = Duration::from_secs(5);

pub struct Watched {
    pub ok: bool,
    pub output: String,
}

pub fn watch(mut command: Command) -> Result<Watched> {
    shell::announce(&command);
    let (reader, writer) = io::pipe().map_err(|e| format!("no pipe can be made: {e}"))?;
    let second = writer.try_clone().map_err(|e| format!("no pipe can be made: {e}"))?;
    // Counts are read from the output: no colours, which would stand between the words.
    command
        .env("NO_COLOR", "1")
        .env_remove("FORCE_COLOR")
        .env("CARGO_TERM_COLOR", "never");
    let run = format!("{}-{}", process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
    command
        .env(MARK, &run)
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(second);
    let mut child = command.spawn().map_err(|e| shell::cannot_start(&command, &e))?;
    drop(command); // and with it our ends of the pipe, so that its end is seen

    let (sender, printed) = mpsc::channel();
    thread::spawn(move || sender.send(copy_lines(reader)));
    let status = child.wait().map_err(|e| format!("its end can't be waited for: {e}"))?;
    // Whoever is still about may hold the pipe open for ever.
    let output = printed.recv_timeout(GRACE).ok();
    stop_leftovers(&run);
    let output = output.or_else(|| printed.recv_timeout(GRACE).ok()).unwrap_or_default();
    Ok(Watched {
        ok: status.success(),
        output,
    })
}

fn copy_lines(from: PipeReader) -> String {
    let (mut from, mut all, mut line) = (BufReader::new(from), String::new(), Vec::new());
    while from.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        let _ = io::stdout().write_all(&line);
        all.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
    all
}

fn stop_leftovers(run: &str) {
    let left = leftovers(run);
    if left.is_empty() {
        return;
    }
    let names: Vec<_> = left.iter().map(|(pid, name)| format!("{name} ({pid})")).collect();
    println!("stopping what was left running: {}", names.join(", "));
    let pids = left.iter().map(|(pid, _)| pid);
    let _ = Command::new("sh")
        .args(["-c", r#"kill -KILL "$@" 2>/dev/null"#, "sh"])
        .args(pids)
        .status();
    let start = Instant::now();
    while !leftovers(run).is_empty() && start.elapsed() < GRACE {
        thread::yield_now();
    }
}

/// Process ids and names of those that carry our mark. Empty where there is no `/proc`.
fn leftovers(run: &str) -> Vec<(String, String)> {
    let mark = format!("{MARK}={run}");
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let carries_mark = |pid: &str| {
        fs::read(format!("/proc/{pid}/environ")).is_ok_and(|env| env.split(|b| *b == 0).any(|v| v == mark.as_bytes()))
    };
    let pids = processes
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let left = pids
        .filter(|name| name.bytes().all(|b| b.is_ascii_digit()))
        .filter(|pid| carries_mark(pid));
    left.map(|pid| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        (pid, name.trim().to_owned())
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_outputs_are_kept_in_order_and_the_status_is_told() {
        let seen = watch(sh("echo one; echo two >&2; echo three; exit 3")).unwrap();
        assert!(!seen.ok);
        assert_eq!(seen.output, "one\ntwo\nthree\n");
    }

    #[test]
    fn a_process_left_behind_is_stopped_even_when_it_left_its_session() {
        let seen = watch(sh("setsid sleep 600 >/dev/null 2>&1 & echo $!")).unwrap();
        assert!(seen.ok);
        let pid = seen.output.trim();
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(
            state.is_empty() || state.contains(") Z "),
            "process {pid} still runs: {state}"
        );
    }
}
