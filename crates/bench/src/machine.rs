//! What the kernel says of processes and sockets, and how many files one may open.

use anyhow::{Context, Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    fs,
    net::{IpAddr, SocketAddr},
    process,
    time::{Duration, Instant},
};

/// Files that a process needs beside its sockets: the database, 256 journals, connections of the API.
const OTHER_FILES: u64 = 600;
/// `TCP_ESTABLISHED`.
const ESTABLISHED: &str = "01";

/// Resident memory in KiB (`VmRSS` of `/proc/PID/status`).
pub fn resident_kb(pid: u32) -> Result<u64> {
    let status = read(&format!("/proc/{pid}/status"))?;
    vm_rss(&status).with_context(|| format!("/proc/{pid}/status has no VmRSS"))
}

fn vm_rss(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Time that a process has used in user and kernel mode (`utime` and `stime` of `/proc/PID/stat`).
fn cpu(pid: u32) -> Result<Duration> {
    let stat = read(&format!("/proc/{pid}/stat"))?;
    let ticks = ticks(&stat).with_context(|| format!("/proc/{pid}/stat has no utime"))?;
    Ok(Duration::from_millis(
        ticks * 1_000 / rustix::param::clock_ticks_per_second(),
    ))
}

/// Fields 14 and 15; the name before them may contain spaces and brackets.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

/// Whether a signal has stopped every thread of a process.
pub fn is_stopped(pid: u32) -> Result<bool> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).with_context(|| format!("there is no process {pid}"))?;
    for task in tasks {
        let stat = task?.path().join("stat");
        // A thread may end while we look.
        if fs::read_to_string(stat).is_ok_and(|stat| state(&stat) != Some("T")) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Field 3.
fn state(stat: &str) -> Option<&str> {
    stat.rsplit_once(')')?.1.split_whitespace().next()
}

/// Whether the server's end of a connection on this machine is open. Our own end does not see that it was closed while it
/// does not read.
pub fn is_open(server: SocketAddr, client: SocketAddr) -> Result<bool> {
    Ok(established(&read("/proc/net/tcp")?, server, client))
}

fn established(table: &str, server: SocketAddr, client: SocketAddr) -> bool {
    let (Some(server), Some(client)) = (hex(server), hex(client)) else {
        return false;
    };
    table.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        fields.next() == Some(&server) && fields.next() == Some(&client) && fields.next() == Some(ESTABLISHED)
    })
}

/// As in `/proc/net/tcp`: the address in the machine's own byte order.
fn hex(address: SocketAddr) -> Option<String> {
    match address.ip() {
        IpAddr::V4(ip) => Some(format!(
            "{:08X}:{:04X}",
            u32::from_ne_bytes(ip.octets()),
            address.port()
        )),
        IpAddr::V6(_) => None,
    }
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("{path} can't be read"))
}

/// Lets this process, and those that it starts, open so many sockets.
pub fn allow_sockets(sockets: u64) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let (needed, most) = (sockets + OTHER_FILES, limit.maximum.unwrap_or(u64::MAX));
    if needed > most {
        bail!(
            "{sockets} sockets need {needed} open files, and {most} are allowed: take fewer, or raise the hard limit \
             (ulimit -Hn)"
        );
    }
    if limit.current.is_some_and(|current| current < needed) {
        let raised = Rlimit {
            current: Some(needed.max(most.min(65_536))),
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, raised).context("the limit of open files can't be raised")?;
    }
    Ok(())
}

/// The most sockets that [`allow_sockets`] would allow.
pub fn most_sockets() -> u64 {
    let most = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    most.saturating_sub(OTHER_FILES)
}

/// Measures a server's and our own use of the processor from its start to its stop.
pub struct Meter {
    server: Option<u32>,
    began: Instant,
    server_cpu: Option<Duration>,
    own_cpu: Duration,
}

/// What was used.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    pub wall: Duration,
    /// Of the server; none if it is not ours to look at.
    pub server: Option<Duration>,
    pub own: Duration,
}

impl Meter {
    pub fn start(server: Option<u32>) -> Result<Meter> {
        Ok(Meter {
            server,
            began: Instant::now(),
            server_cpu: server.map(cpu).transpose()?,
            own_cpu: cpu(process::id())?,
        })
    }

    pub fn stop(self) -> Result<Spent> {
        let server = match (self.server, self.server_cpu) {
            (Some(pid), Some(before)) => Some(cpu(pid)?.saturating_sub(before)),
            (Some(_) | None, _) => None,
        };
        Ok(Spent {
            wall: self.began.elapsed(),
            server,
            own: cpu(process::id())?.saturating_sub(self.own_cpu),
        })
    }
}

impl Spent {
    /// Microseconds of the server for each of `count`.
    #[expect(clippy::cast_precision_loss, reason = "counts of messages are far below 2^52")]
    pub fn micros_per(self, count: u64) -> Option<f64> {
        let server = self.server.filter(|_| count > 0)?;
        Some(server.as_secs_f64() * 1e6 / count as f64)
    }

    /// Seconds of the server in a second.
    pub fn server_cores(self) -> Option<f64> {
        Some(self.server?.as_secs_f64() / self.wall.as_secs_f64())
    }

    /// Our own seconds in a second.
    pub fn own_cores(self) -> f64 {
        self.own.as_secs_f64() / self.wall.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_time_are_read_from_the_lines_of_the_kernel() {
        let status = "Name:\tbench\nVmHWM:\t    9999 kB\nVmRSS:\t    5124 kB\nThreads:\t1\n";
        assert_eq!(vm_rss(status), Some(5_124));
        assert_eq!(vm_rss("Name:\tzombie\n"), None);
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194304 100 0 0 0 250 31 0 0 20 0 3 0 100 1000 200 1";
        assert_eq!(ticks(stat), Some(281));
        assert_eq!(ticks("7 (x) S 1"), None);
        assert_eq!((state(stat), state("7")), (Some("S"), None));
    }

    #[test]
    fn this_process_has_memory_and_uses_time() {
        let meter = Meter::start(Some(process::id())).unwrap();
        assert!(resident_kb(process::id()).unwrap() > 500);
        let spent = meter.stop().unwrap();
        assert_eq!(spent.micros_per(0), None);
        assert!(spent.micros_per(1).is_some() && spent.wall > Duration::ZERO);
    }

    #[test]
    fn a_closed_end_is_seen_in_the_table_of_connections() {
        let (server, client) = ("127.0.0.1:8080".parse().unwrap(), "127.0.0.2:40000".parse().unwrap());
        let table = |state: &str| {
            let row = format!("0: 0100007F:1F90 0200007F:9C40 {state} 00000000:00000000 00:00000000");
            format!("  sl  local_address rem_address   st tx_queue rx_queue\n   {row}\n")
        };
        assert!(established(&table("01"), server, client));
        assert!(!established(&table("04"), server, client));
        assert!(!established(&table("01"), client, server));
        assert!(!established("", server, client));
    }

    #[test]
    fn more_sockets_than_the_machine_allows_are_refused_with_a_remedy() {
        let error = allow_sockets(1 << 40).unwrap_err().to_string();
        assert!(error.contains("ulimit -Hn"), "{error}");
        allow_sockets(1).unwrap();
    }
}
