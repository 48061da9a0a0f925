//! The command line, and the bounds of every load.

use crate::{clinic::Clinic, load::message::Kind};
use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand, value_parser};
use std::{env, net::SocketAddr, path::PathBuf, time::Duration};

/// Measures the service from outside. Every load is bounded; unless --url says otherwise it goes to a server that the bench
/// starts on a free port of 127.0.0.1, with a bare relay (`baseline`) measured in the same run. The last line of output is
/// one JSON object. Exit status 1: messages were lost, doubled or reordered; 2: the measurement failed.
#[derive(Parser)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Memory and processor time of people who say nothing.
    Idle(Idle),
    /// Processor time and latency of a message from one to another.
    Relay(Relay),
    /// Everybody comes at once.
    JoinStorm(Storm),
    /// The server is killed (kill -9) and started again, and everybody comes back at once.
    ResumeStorm(ResumeStorm),
    /// Somebody does not read any more while others talk to them.
    Stalled(Stalled),
    /// A long talk over lines that fail.
    Soak(Soak),
    /// As many acknowledged messages as the server takes; with two settings, their ratio.
    Flood(Flood),
    /// The bare relay that figures are compared with.
    Baseline {
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
    /// Runs the scenarios and writes their tables into a page of documentation.
    Report(Report),
}

/// What every scenario takes.
#[derive(Args, Clone)]
pub struct Common {
    /// How long to measure.
    #[arg(long, default_value_t = 20, value_parser = value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// Nothing but the JSON object.
    #[arg(long)]
    pub json: bool,
    /// The server to start; else the one beside this program.
    #[arg(long)]
    bin: Option<PathBuf>,
    /// A setting of that server, such as rooms.journal=false; may be given several times.
    #[arg(long = "config-set", value_name = "KEY=VALUE")]
    pub config_set: Vec<String>,
    /// A server that runs already, such as `http://127.0.0.1:8080`. Needs --people.
    #[arg(long, requires = "people")]
    url: Option<String>,
    /// What `heliograph demo --people-only --json` printed for that server.
    #[arg(long)]
    people: Option<PathBuf>,
    /// That server's process, if it is on this machine; else memory and processor time are not measured.
    #[arg(long, requires = "url")]
    pid: Option<u32>,
}

impl Common {
    pub fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// The part of the time before a measurement in which caches fill up.
    pub fn warm_up(&self) -> Duration {
        (self.time() / 5).min(Duration::from_secs(3))
    }

    pub async fn clinic(&self) -> Result<Clinic> {
        self.clinic_with(&[]).await
    }

    /// With more settings of a server of our own.
    pub async fn clinic_with(&self, settings: &[String]) -> Result<Clinic> {
        if let (Some(url), Some(people)) = (&self.url, &self.people) {
            return Clinic::at(url, people, self.pid).await;
        }
        let bin = match &self.bin {
            Some(bin) => bin.clone(),
            None => env::current_exe()?.with_file_name("heliograph"),
        };
        let settings: Vec<_> = self.config_set.iter().chain(settings).cloned().collect();
        Clinic::start(&bin, &settings).await
    }

    /// For scenarios that need the server to be their own.
    pub fn own_server(&self) -> Result<()> {
        if self.url.is_some() {
            bail!("this scenario needs a server of its own: leave --url out");
        }
        Ok(())
    }
}

/// How people talk.
#[derive(Args, Clone)]
pub struct Talk {
    /// Messages a second, of all together.
    #[arg(long, default_value_t = 1_000, value_parser = value_parser!(u64).range(1..=50_000))]
    pub rate: u64,
    #[command(flatten)]
    pub message: Message,
}

/// How a message looks.
#[derive(Args, Clone)]
pub struct Message {
    /// Bytes of a message's frame.
    #[arg(long, default_value_t = 1_200, value_parser = value_parser!(u64).range(200..=48_000))]
    bytes: u64,
    /// What is sent.
    #[arg(long, value_enum, default_value = "sdp")]
    kind: Kind,
}

impl Message {
    pub fn form(&self) -> Result<crate::load::message::Form> {
        Ok(crate::load::message::Form::new(self.kind, usize::try_from(self.bytes)?))
    }
}

#[derive(Args)]
pub struct Idle {
    /// How many sockets, two in a room; several numbers give the slope too.
    #[arg(long, value_delimiter = ',', default_value = "1000", value_parser = sockets)]
    pub sockets: Vec<u64>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Args)]
pub struct Relay {
    /// Rooms of two people. Where sockets do not suffice for two in each, the last rooms have one person.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u64).range(1..=30_000))]
    pub rooms: u64,
    #[command(flatten)]
    pub talk: Talk,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Args)]
pub struct Storm {
    /// How many people.
    #[arg(long, default_value_t = 1_000, value_parser = sockets)]
    pub sockets: u64,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Args)]
pub struct ResumeStorm {
    /// How many people.
    #[arg(long, default_value_t = 1_000, value_parser = sockets)]
    pub sockets: u64,
    /// How often the server is killed.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=100))]
    pub kills: u32,
    #[command(flatten)]
    pub talk: Talk,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Args)]
pub struct Stalled {
    /// How many people; one of them stops reading.
    #[arg(long, default_value_t = 100, value_parser = sockets)]
    pub sockets: u64,
    /// Messages a second to the one who does not read.
    #[arg(long = "stalled-rate", default_value_t = 250, value_parser = value_parser!(u64).range(1..=10_000))]
    pub its_rate: u64,
    /// Bytes of each of them.
    #[arg(long = "stalled-bytes", default_value_t = 4_000, value_parser = value_parser!(u64).range(200..=48_000))]
    pub its_bytes: u64,
    #[command(flatten)]
    pub talk: Talk,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Args)]
pub struct Soak {
    /// How many people.
    #[arg(long, default_value_t = 100, value_parser = sockets)]
    pub sockets: u64,
    /// The lines that fail, each shared by a part of the people.
    #[arg(long, default_value_t = 8, value_parser = value_parser!(u64).range(1..=100))]
    pub lines: u64,
    /// Faults begin so many milliseconds after each other, more or less.
    #[arg(long, default_value_t = 1_000, value_parser = value_parser!(u64).range(50..=600_000))]
    pub fault_every_ms: u64,
    /// Gives the same faults again.
    #[arg(long)]
    pub seed: Option<u64>,
    #[command(flatten)]
    pub talk: Talk,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Args)]
pub struct Flood {
    /// How many people.
    #[arg(long, default_value_t = 100, value_parser = sockets)]
    pub sockets: u64,
    /// Messages that each may have unacknowledged.
    #[arg(long, default_value_t = 8, value_parser = value_parser!(u64).range(1..=32))]
    pub open: u64,
    /// A setting of a second server, such as rooms.journal=false, for the ratio; may be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    pub versus: Vec<String>,
    /// How often the two take turns.
    #[arg(long, default_value_t = 2, value_parser = value_parser!(u32).range(1..=20))]
    pub rounds: u32,
    #[command(flatten)]
    pub message: Message,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Args)]
pub struct Report {
    /// The page; a table stands between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`.
    #[arg(long, default_value = "docs/PERFORMANCE.md")]
    pub out: PathBuf,
    /// Tables to write, else all.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Figures of earlier runs, one JSON object a line, in place of runs.
    #[arg(long)]
    pub from: Option<PathBuf>,
    /// Keeps the JSON objects, one a line.
    #[arg(long)]
    pub keep: Option<PathBuf>,
}

/// A number of sockets: two or more, and even, since people sit in twos.
fn sockets(text: &str) -> Result<u64> {
    let number: u64 = text.parse().context("no whole number")?;
    if !(2..=60_000).contains(&number) || number % 2 == 1 {
        bail!("must be an even number from 2 to 60000");
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn loads_without_bounds_are_refused() {
        let refused = |args: &[&str]| Cli::try_parse_from([&["bench"], args].concat()).is_err();
        assert!(!refused(&["relay", "--rate", "1000", "--rooms", "10"]));
        assert!(refused(&["relay", "--rate", "1000000"]));
        assert!(refused(&["relay", "--seconds", "1000000"]));
        assert!(refused(&["idle", "--sockets", "1000,99999999"]) && refused(&["idle", "--sockets", "7"]));
        assert!(refused(&["relay", "--url", "http://127.0.0.1:1"]), "--people is needed");
    }
}
