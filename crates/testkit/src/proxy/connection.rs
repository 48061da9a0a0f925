//! One connection through the proxy.

use std::{collections::VecDeque, io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{Line, Way};

/// Bytes that a delayed line carries at once.
const UNDER_WAY: usize = 1024 * 1024;

/// What the line does in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Passes { after: Duration },
    Holds,
    Swallows,
}

impl Line {
    fn flow(self, way: Way) -> Flow {
        let concerns = |which: Way| which == Way::Both || which == way;
        match self {
            Line::Holds(which) if concerns(which) => Flow::Holds,
            Line::Swallows(which) if concerns(which) => Flow::Swallows,
            Line::Delays(which, after) if concerns(which) => Flow::Passes { after },
            Line::Passes | Line::Holds(_) | Line::Swallows(_) | Line::Delays(..) | Line::Resets | Line::Ends => {
                Flow::Passes { after: Duration::ZERO }
            }
        }
    }

    fn ends(self) -> bool {
        matches!(self, Line::Resets | Line::Ends)
    }
}

/// Both directions, until both are at their end.
pub(super) async fn run(client: TcpStream, server: SocketAddr, mut line: watch::Receiver<Line>) {
    // On a dead line nothing reaches the server, the wish to connect included.
    let reached = line
        .wait_for(|l| l.ends() || l.flow(Way::ToServer) != Flow::Holds)
        .await;
    let now = reached.map_or(Line::Resets, |line| *line);
    match now.flow(Way::ToServer) {
        _ if now.ends() => close(client, now),
        Flow::Swallows => into_the_hole(client, line).await,
        Flow::Passes { .. } | Flow::Holds => match TcpStream::connect(server).await {
            Ok(upstream) => join(client, upstream, line).await,
            Err(_) => close(client, Line::Resets),
        },
    }
}

/// A connection that the server never hears of.
async fn into_the_hole(mut client: TcpStream, mut line: watch::Receiver<Line>) {
    let mut sink = tokio::io::sink();
    let ended = tokio::select! {
        biased;
        ended = line.wait_for(|l| l.ends()) => ended.map(|line| *line).ok(),
        _ = tokio::io::copy(&mut client, &mut sink) => None,
    };
    if let Some(how) = ended {
        close(client, how);
    }
}

async fn join(mut client: TcpStream, mut upstream: TcpStream, mut line: watch::Receiver<Line>) {
    // Small frames must not wait for each other.
    let _ = client.set_nodelay(true);
    let _ = upstream.set_nodelay(true);
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = upstream.split();
    let there = Pump::new(from_client, to_server, line.clone(), Way::ToServer);
    let back = Pump::new(from_server, to_client, line.clone(), Way::ToClient);
    let ended = tokio::select! {
        biased;
        ended = line.wait_for(|l| l.ends()) => Some(ended.map_or(Line::Resets, |line| *line)),
        done = async { tokio::try_join!(there.run(), back.run()) } => done.is_err().then_some(Line::Resets),
    };
    if let Some(how) = ended {
        close(client, how);
        close(upstream, how);
    }
}

/// One direction of a connection.
struct Pump<'a> {
    from: ReadHalf<'a>,
    to: WriteHalf<'a>,
    line: watch::Receiver<Line>,
    way: Way,
    under_way: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    /// Bytes of this direction are lost, or nobody takes them any more: the rest is lost too.
    broken: bool,
    /// The sender has closed its side.
    over: bool,
}

impl<'a> Pump<'a> {
    fn new(from: ReadHalf<'a>, to: WriteHalf<'a>, line: watch::Receiver<Line>, way: Way) -> Self {
        Self {
            from,
            to,
            line,
            way,
            under_way: VecDeque::new(),
            bytes: 0,
            broken: false,
            over: false,
        }
    }

    /// Copies until the sender's side is closed and all of it has arrived, or is lost. An error: the sender was reset, and
    /// the other side is to hear of it.
    async fn run(mut self) -> io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let line = *self.line.borrow_and_update();
            let flow = if self.broken {
                Flow::Swallows
            } else {
                line.flow(self.way)
            };
            if flow == Flow::Swallows {
                self.broken |= !self.under_way.is_empty();
                self.under_way.clear();
                self.bytes = 0;
            }
            if self.over && self.under_way.is_empty() && flow != Flow::Holds {
                if flow != Flow::Swallows {
                    let _ = self.to.shutdown().await;
                }
                return Ok(());
            }
            let (moves, swallows) = (flow != Flow::Holds, flow == Flow::Swallows);
            let first = self.under_way.front().map(|(at, _)| *at);
            tokio::select! {
                biased;
                changed = self.line.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                }
                () = sleep_until(first.unwrap_or_else(Instant::now)), if moves && first.is_some() => self.deliver().await,
                read = self.from.read(&mut buffer), if moves && !self.over && self.bytes < UNDER_WAY => match read {
                    Ok(0) => self.over = true,
                    Ok(_) if swallows => self.broken = true,
                    Ok(length) => self.accept(&buffer[..length], flow),
                    Err(_) if swallows => return Ok(()),
                    Err(error) => return Err(error),
                },
            }
        }
    }

    fn accept(&mut self, bytes: &[u8], flow: Flow) {
        let after = match flow {
            Flow::Passes { after } => after,
            Flow::Holds | Flow::Swallows => Duration::ZERO,
        };
        // In a queue, nothing overtakes what was carried more slowly.
        self.bytes += bytes.len();
        self.under_way.push_back((Instant::now() + after, bytes.to_vec()));
    }

    /// A receiver that is gone tells the sender by the other direction, if that one passes.
    async fn deliver(&mut self) {
        if let Some((_, bytes)) = self.under_way.pop_front() {
            self.bytes -= bytes.len();
            self.broken |= self.to.write_all(&bytes).await.is_err();
        }
    }
}

fn close(stream: TcpStream, how: Line) {
    if how == Line::Resets {
        let _ = stream.set_zero_linger();
    }
    drop(stream);
}
