//! A child process whose output is read, and which never outlives its test.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep, timeout},
};

/// Between two looks at something that does not tell when it changes.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// Its own children may keep its outputs open.
const LAST_WORDS: Duration = Duration::from_secs(1);
const LINES_KEPT: usize = 20_000;
const LINES_TOLD: usize = 40;

/// A running child. Dropping it kills it and waits for its end, so its ports and files are free afterwards; in a test
/// that fails, the end of its output is printed.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: watch::Receiver<Output>,
}

/// The lines of both outputs, as they came.
#[derive(Debug)]
struct Output {
    lines: VecDeque<String>,
    pipes_open: u8,
}

impl Process {
    /// Starts the command without standard input and with both outputs read.
    ///
    /// # Errors
    /// When the program can't be started.
    pub fn start(mut command: Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{name} can't be started"))?;
        let (sender, output) = watch::channel(Output {
            lines: VecDeque::new(),
            pipes_open: 2,
        });
        let sender = Arc::new(sender);
        if let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) {
            read_lines(stdout, Arc::clone(&sender));
            read_lines(stderr, sender);
        }
        Ok(Self { name, child, output })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed until now, both outputs.
    pub fn output(&self) -> String {
        self.output.borrow().tail(LINES_KEPT)
    }

    /// The first line that contains `text`, printed before or after this call.
    ///
    /// # Errors
    /// When `within` passes without such a line, or both outputs end.
    pub async fn line(&self, text: &str, within: Duration) -> Result<String> {
        let mut output = self.output.clone();
        let seen = timeout(within, output.wait_for(|o| o.find(text).is_some() || o.pipes_open == 0)).await;
        let line = match seen {
            Ok(Ok(output)) => output.find(text).ok_or("ended without printing"),
            Ok(Err(_)) => Err("ended without printing"),
            Err(_) => Err("did not print in time"),
        };
        line.map_err(|how| self.complaint(&format!("{how} a line with {text:?}")))
    }

    /// Waits until it accepts TCP connections at `address`.
    ///
    /// # Errors
    /// When `within` passes, or the process ends.
    pub async fn accepts(&mut self, address: SocketAddr, within: Duration) -> Result<()> {
        let what = format!("accept connections at {address}");
        self.until(&what, within, async || TcpStream::connect(address).await.ok().map(drop))
            .await
    }

    /// Waits until `GET path` over plain HTTP is answered with `status`.
    ///
    /// # Errors
    /// When `within` passes, or the process ends.
    pub async fn answers(&mut self, address: SocketAddr, path: &str, status: u16, within: Duration) -> Result<()> {
        let what = format!("answer {status} to GET http://{address}{path}");
        self.until(&what, within, async || {
            (get(address, path).await.ok()? == status).then_some(())
        })
        .await
    }

    /// Sends it a signal: `TERM`, `INT`, `KILL`, `STOP`, `CONT`, …
    ///
    /// # Errors
    /// When it has ended.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        // Asked first, since the id of a process that was waited for may belong to another.
        if let Some(status) = self.child.try_wait()? {
            bail!(self.complaint(&format!("has ended ({status}), so {signal:?} can't be sent to it")));
        }
        kill_process(Pid::from_child(&self.child), signal)
            .with_context(|| format!("{signal:?} can't be sent to {}", self.name))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When `within` passes.
    pub async fn ended(&mut self, within: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                bail!(self.complaint(&format!("did not end within {within:?}")));
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Blocks until it has ended: for `Drop`, after a signal that ends it.
    pub(crate) fn wait(&mut self) {
        let _ = self.child.wait();
    }

    async fn until<T>(&mut self, what: &str, within: Duration, ask: impl AsyncFn() -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + within;
        loop {
            if let Ok(Some(answer)) = tokio::time::timeout_at(deadline, ask()).await {
                return Ok(answer);
            }
            if let Some(status) = self.child.try_wait()? {
                self.last_words().await;
                bail!(self.complaint(&format!("ended ({status}) and did not {what}")));
            }
            if Instant::now() >= deadline {
                bail!(self.complaint(&format!("did not {what} within {within:?}")));
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// What it printed last may still be on its way when it has ended.
    async fn last_words(&self) {
        let mut output = self.output.clone();
        let _ = timeout(LAST_WORDS, output.wait_for(|o| o.pipes_open == 0)).await;
    }

    fn complaint(&self, how: &str) -> anyhow::Error {
        anyhow!(
            "{} {how}; its output ends with:\n{}",
            self.name,
            self.output.borrow().tail(LINES_TOLD)
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!(
                "{} ended with its test; its output ends with:\n{}",
                self.name,
                self.output.borrow().tail(LINES_TOLD)
            );
        }
    }
}

impl Output {
    fn find(&self, text: &str) -> Option<String> {
        self.lines.iter().find(|line| line.contains(text)).cloned()
    }

    fn tail(&self, count: usize) -> String {
        let from = self.lines.len().saturating_sub(count);
        self.lines
            .range(from..)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn read_lines(pipe: impl Read + Send + 'static, to: Arc<watch::Sender<Output>>) {
    thread::spawn(move || {
        let (mut pipe, mut line) = (BufReader::new(pipe), Vec::new());
        while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            to.send_modify(|output| {
                output.lines.push_back(text);
                if output.lines.len() > LINES_KEPT {
                    output.lines.pop_front();
                }
            });
            line.clear();
        }
        to.send_modify(|output| output.pipes_open -= 1);
    });
}

/// The status of `GET path`.
async fn get(address: SocketAddr, path: &str) -> Result<u16> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    // "HTTP/1.1 200"
    let mut start = [0; 12];
    stream.read_exact(&mut start).await?;
    Ok(std::str::from_utf8(&start)?
        .rsplit(' ')
        .next()
        .unwrap_or_default()
        .parse()?)
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, os::unix::process::ExitStatusExt};

    use super::*;
    use crate::Port;

    const SOON: Duration = Duration::from_secs(10);

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    /// Serves 503 until it has been asked three times, then 200.
    fn web_server(port: &Port) -> Command {
        let script = "let asked = 0; require('http').createServer((request, response) => {
            response.statusCode = ++asked > 3 ? 200 : 503; response.end(request.url);
        }).listen(process.argv[1], '127.0.0.1', () => console.log('listening'));";
        let mut command = Command::new("node");
        command.args(["-e", script, &port.number().to_string()]);
        command
    }

    #[tokio::test]
    async fn a_line_is_found_on_both_outputs_and_however_late_one_asks() {
        let process = Process::start(sh("echo one; echo two >&2; exec sleep 600")).unwrap();
        assert_eq!(process.line("tw", SOON).await.unwrap(), "two");
        assert_eq!(process.line("one", SOON).await.unwrap(), "one");
    }

    #[tokio::test]
    async fn a_line_that_never_comes_is_an_error_with_the_output() {
        let process = Process::start(sh("echo port taken; exit 1")).unwrap();
        let error = process.line("ready", SOON).await.unwrap_err().to_string();
        assert!(
            error.contains("ended without printing a line with \"ready\"") && error.contains("port taken"),
            "{error}"
        );
        let process = Process::start(sh("exec sleep 600")).unwrap();
        let error = process
            .line("ready", Duration::from_millis(50))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("did not print in time"), "{error}");
    }

    #[tokio::test]
    async fn a_server_is_waited_for_by_tcp_and_by_http() {
        let port = Port::free().unwrap();
        let mut process = Process::start(web_server(&port)).unwrap();
        process.accepts(port.address(), SOON).await.unwrap();
        process.answers(port.address(), "/readyz", 200, SOON).await.unwrap();
        drop(process);
        TcpListener::bind(port.address()).expect("its port is free once it is dropped");
    }

    #[tokio::test]
    async fn waiting_for_a_server_stops_when_it_ends() {
        let mut process = Process::start(sh("echo no config >&2; exit 2")).unwrap();
        let error = process
            .accepts(Port::free().unwrap().address(), SOON)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("exit status: 2") && error.contains("no config"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn signals_arrive() {
        let mut process = Process::start(sh(
            "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done",
        ))
        .unwrap();
        process.line("up", SOON).await.unwrap();
        process.signal(Signal::TERM).unwrap();
        assert_eq!(process.ended(SOON).await.unwrap().code(), Some(7));
        process.line("bye", SOON).await.unwrap();
        assert!(
            process
                .signal(Signal::TERM)
                .unwrap_err()
                .to_string()
                .contains("has ended")
        );

        let mut process = Process::start(sh("exec sleep 600")).unwrap();
        assert!(process.ended(Duration::from_millis(20)).await.is_err());
        process.signal(Signal::KILL).unwrap();
        assert_eq!(process.ended(SOON).await.unwrap().signal(), Some(9));
    }
}
