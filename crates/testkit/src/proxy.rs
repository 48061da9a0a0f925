//! A TCP proxy that cuts and swallows.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
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

/// Listens on a free port of 127.0.0.1 and passes bytes to one server, until told otherwise. Dropping it ends it and
/// its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    line: watch::Sender<Line>,
    task: JoinHandle<()>,
}

/// The state of the line between the two sides.
#[derive(Debug, Clone, Copy)]
struct Line {
    mode: Mode,
    /// Connections of an earlier generation are reset. A cut that is healed at once still cuts.
    generation: u64,
}

#[derive(Debug, Clone, Copy)]
enum Mode {
    Passes,
    Cut,
    Swallows(Way),
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
        let (line, state) = watch::channel(Line {
            mode: Mode::Passes,
            generation: 0,
        });
        let task = tokio::spawn(accept(listener, server, state));
        Ok(Self { address, line, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resets all connections, and every new one, until it heals.
    pub fn cut(&self) {
        self.line.send_modify(|line| {
            *line = Line {
                mode: Mode::Cut,
                generation: line.generation + 1,
            }
        });
    }

    /// Nothing gets through, and neither side is told: a dead line, on which TCP goes on retransmitting. What was
    /// sent meanwhile arrives once it heals.
    pub fn swallow(&self, way: Way) {
        self.line.send_modify(|line| line.mode = Mode::Swallows(way));
    }

    /// Passes again.
    pub fn heal(&self) {
        self.line.send_modify(|line| line.mode = Mode::Passes);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    fn passes(&self, way: Way) -> bool {
        match self.mode {
            Mode::Passes => true,
            Mode::Cut => false,
            Mode::Swallows(swallowed) => swallowed != Way::Both && swallowed != way,
        }
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, line: watch::Receiver<Line>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(client, server, line.clone()));
    }
}

async fn connection(mut client: TcpStream, server: SocketAddr, mut line: watch::Receiver<Line>) {
    let generation = line.borrow().generation;
    let is_cut = |l: &Line| l.generation != generation || matches!(l.mode, Mode::Cut);
    // On a dead line nothing reaches the server, the wish to connect included.
    let _ = line.wait_for(|l| is_cut(l) || l.passes(Way::ToServer)).await;
    if is_cut(&line.borrow()) {
        return reset(client);
    }
    let Ok(mut upstream) = TcpStream::connect(server).await else {
        return reset(client);
    };

    let (from_client, to_client) = client.split();
    let (from_server, to_server) = upstream.split();
    let there = pump(from_client, to_server, line.clone(), Way::ToServer);
    let back = pump(from_server, to_client, line.clone(), Way::ToClient);
    let passed = tokio::select! {
        biased;
        _ = line.wait_for(is_cut) => false,
        passed = async { tokio::try_join!(there, back) } => passed.is_ok(),
    };
    if !passed {
        reset(client);
        reset(upstream);
    }
}

/// Copies one way while the line passes, and passes the end on.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut line: watch::Receiver<Line>,
    way: Way,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let _ = line.wait_for(|l| l.passes(way)).await;
        let length = tokio::select! {
            biased;
            _ = line.changed() => continue,
            length = from.read(&mut buffer) => length?,
        };
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..length]).await?;
    }
}

/// Closes with RST, as a machine does that knows nothing of the connection.
fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
    drop(stream);
}

#[cfg(test)]
mod tests {
    use std::{io::ErrorKind, time::Duration};

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);
    const NOTHING_COMES: Duration = Duration::from_millis(100);

    /// A proxy, the listener behind it, and a connection through it as both ends see it.
    async fn connected() -> (Proxy, TcpListener, TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::to(listener.local_addr().unwrap()).await.unwrap();
        let client = TcpStream::connect(proxy.address()).await.unwrap();
        let (server, _) = timeout(SOON, listener.accept()).await.unwrap().unwrap();
        (proxy, listener, client, server)
    }

    async fn receive(stream: &mut TcpStream, within: Duration) -> Option<io::Result<String>> {
        let mut buffer = [0; 64];
        let read = timeout(within, stream.read(&mut buffer)).await.ok()?;
        Some(read.map(|length| String::from_utf8_lossy(&buffer[..length]).into_owned()))
    }

    async fn text(stream: &mut TcpStream) -> String {
        receive(stream, SOON).await.expect("something comes").unwrap()
    }

    #[tokio::test]
    async fn bytes_pass_both_ways_and_so_does_the_end() {
        let (_proxy, _listener, mut client, mut server) = connected().await;
        client.write_all(b"hello").await.unwrap();
        assert_eq!(text(&mut server).await, "hello");
        server.write_all(b"good day").await.unwrap();
        assert_eq!(text(&mut client).await, "good day");
        client.shutdown().await.unwrap();
        assert_eq!(text(&mut server).await, "");
        server.write_all(b"last words").await.unwrap();
        assert_eq!(text(&mut client).await, "last words");
    }

    #[tokio::test]
    async fn a_cut_resets_what_is_open_and_what_is_new_until_it_heals() {
        let (proxy, listener, mut client, mut server) = connected().await;
        proxy.cut();
        for side in [&mut client, &mut server] {
            assert_eq!(
                receive(side, SOON).await.unwrap().unwrap_err().kind(),
                ErrorKind::ConnectionReset
            );
        }
        let mut early = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(
            receive(&mut early, SOON).await.unwrap().unwrap_err().kind(),
            ErrorKind::ConnectionReset
        );
        proxy.heal();
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        let (mut server, _) = timeout(SOON, listener.accept()).await.unwrap().unwrap();
        client.write_all(b"again").await.unwrap();
        assert_eq!(text(&mut server).await, "again");
    }

    #[tokio::test]
    async fn a_cut_that_heals_at_once_still_cuts() {
        let (proxy, _listener, mut client, _server) = connected().await;
        proxy.cut();
        proxy.heal();
        assert_eq!(
            receive(&mut client, SOON).await.unwrap().unwrap_err().kind(),
            ErrorKind::ConnectionReset
        );
    }

    #[tokio::test]
    async fn a_black_hole_tells_nobody_and_delivers_when_it_heals() {
        let (proxy, _listener, mut client, mut server) = connected().await;
        proxy.swallow(Way::Both);
        client.write_all(b"anyone there?").await.unwrap();
        server.write_all(b"hello?").await.unwrap();
        assert!(receive(&mut server, NOTHING_COMES).await.is_none());
        assert!(receive(&mut client, NOTHING_COMES).await.is_none());
        proxy.heal();
        assert_eq!(text(&mut server).await, "anyone there?");
        assert_eq!(text(&mut client).await, "hello?");
    }

    #[tokio::test]
    async fn one_way_can_be_swallowed_alone() {
        let (proxy, _listener, mut client, mut server) = connected().await;
        proxy.swallow(Way::ToServer);
        client.write_all(b"lost").await.unwrap();
        server.write_all(b"found").await.unwrap();
        assert_eq!(text(&mut client).await, "found");
        assert!(receive(&mut server, NOTHING_COMES).await.is_none());
        proxy.swallow(Way::ToClient);
        assert_eq!(text(&mut server).await, "lost");
    }

    #[tokio::test]
    async fn new_connections_wait_while_the_line_is_dead() {
        let (proxy, listener, ..) = connected().await;
        proxy.swallow(Way::Both);
        let _client = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(timeout(NOTHING_COMES, listener.accept()).await.is_err());
        proxy.heal();
        timeout(SOON, listener.accept()).await.unwrap().unwrap();
    }
}
