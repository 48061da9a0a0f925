//! A TCP proxy that cuts, swallows, holds back and delays.
//!
//! It does what it is told and when: there is no chance in it.

mod connection;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From those who connect to the server behind.
    ToServer,
    /// From the server behind to those who connected.
    ToClient,
    /// Both.
    Both,
}

/// What the line between the two sides does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Passes all.
    Passes,
    /// Ends with RST on both sides, as a machine does that knows nothing of the connection. New ones end at once.
    Resets,
    /// Ends with FIN on both sides, as a process does that is stopped. New ones end at once.
    Ends,
    /// Nothing gets through, and neither side is told: a dead line on which TCP goes on retransmitting. What was sent
    /// meanwhile arrives once the line passes again, the wish to connect included.
    Holds(Way),
    /// A black hole: what is sent is taken and dropped, the end of the connection too. A connection that has lost bytes
    /// never brings anything that way again, whatever the line does later; new ones are as the line is then.
    Swallows(Way),
    /// All arrives in order, so much later.
    Delays(Way, Duration),
}

/// Listens on a free port of 127.0.0.1 and passes bytes to one server, until told otherwise. Dropping it ends it and
/// its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    lines: Arc<Mutex<Lines>>,
    task: JoinHandle<()>,
}

/// The line of new connections, and that of each open one by its number.
#[derive(Debug)]
struct Lines {
    new: Line,
    accepted: u64,
    open: BTreeMap<u64, watch::Sender<Line>>,
}

impl Proxy {
    /// Passes to `server`, which need not be up yet.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn to(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("no port for the proxy")?;
        let address = listener.local_addr()?;
        let lines = Arc::new(Mutex::new(Lines {
            new: Line::Passes,
            accepted: 0,
            open: BTreeMap::new(),
        }));
        let task = tokio::spawn(accept(listener, server, Arc::clone(&lines)));
        Ok(Self { address, lines, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the line of all connections, the future ones included.
    pub fn set(&self, line: Line) {
        let mut lines = self.lines();
        lines.new = line;
        let numbers: Vec<u64> = lines.open.keys().copied().collect();
        for number in numbers {
            lines.set(number, line);
        }
    }

    /// Sets the line of one open connection. `false` if it is not open.
    pub fn set_one(&self, connection: u64, line: Line) -> bool {
        self.lines().set(connection, line)
    }

    /// The open connections, oldest first. They are numbered from 1 as they come.
    pub fn open(&self) -> Vec<u64> {
        self.lines().open.keys().copied().collect()
    }

    /// How many connections came until now.
    pub fn accepted(&self) -> u64 {
        self.lines().accepted
    }

    /// [`Line::Resets`] for all, until it heals.
    pub fn cut(&self) {
        self.set(Line::Resets);
    }

    /// [`Line::Ends`] for all, until it heals.
    pub fn end(&self) {
        self.set(Line::Ends);
    }

    /// [`Line::Holds`] for all.
    pub fn hold(&self, way: Way) {
        self.set(Line::Holds(way));
    }

    /// [`Line::Swallows`] for all.
    pub fn swallow(&self, way: Way) {
        self.set(Line::Swallows(way));
    }

    /// [`Line::Delays`] for all.
    pub fn delay(&self, way: Way, by: Duration) {
        self.set(Line::Delays(way, by));
    }

    /// Passes again.
    pub fn heal(&self) {
        self.set(Line::Passes);
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        lock(&self.lines)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Lines {
    fn set(&mut self, number: u64, line: Line) -> bool {
        let ends = matches!(line, Line::Resets | Line::Ends);
        // One that is to end is out of reach from now on: a line that heals at once ends it all the same.
        let connection = if ends {
            self.open.remove(&number)
        } else {
            self.open.get(&number).cloned()
        };
        connection.is_some_and(|connection| connection.send(line).is_ok())
    }
}

fn lock(lines: &Mutex<Lines>) -> MutexGuard<'_, Lines> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, server: SocketAddr, lines: Arc<Mutex<Lines>>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let (number, line) = {
            let mut lines = lock(&lines);
            lines.accepted += 1;
            let (sender, line) = watch::channel(lines.new);
            let number = lines.accepted;
            lines.open.insert(number, sender);
            (number, line)
        };
        let lines = Arc::clone(&lines);
        connections.spawn(async move {
            connection::run(client, server, line).await;
            lock(&lines).open.remove(&number);
        });
    }
}

#[cfg(test)]
mod tests;
