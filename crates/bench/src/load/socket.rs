//! WebSockets that cost the generator little, from several addresses of this machine.

use anyhow::{Context, Result, bail};
use futures::{SinkExt, StreamExt};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, client::IntoClientRequest, protocol::WebSocketConfig},
};

/// An address has some 28,000 ports for outgoing connections.
const SOCKETS_PER_SOURCE: usize = 4_000;
/// As on the side of the service: the default costs 128 KiB for every socket.
const READ_BUFFER: usize = 4_096;
/// A line that takes nothing for so long is dead.
const WRITE: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(10);

/// How to get to a server.
#[derive(Debug, Clone)]
pub struct Door {
    pub server: SocketAddr,
    /// Such as `/ws`.
    pub path: String,
    pub protocol: Option<&'static str>,
    /// The address to come from.
    pub source: Option<Ipv4Addr>,
    /// The kernel's buffer for what was not read yet; else as it likes.
    pub receive_buffer: Option<u32>,
}

impl Door {
    /// The loopback address of the socket with this number, if the server has one too.
    pub fn source(server: SocketAddr, number: usize) -> Option<Ipv4Addr> {
        let last = u8::try_from(2 + number / SOCKETS_PER_SOURCE).unwrap_or(u8::MAX);
        let loopback = server.is_ipv4() && server.ip().is_loopback();
        loopback.then(|| Ipv4Addr::new(127, 0, 0, last))
    }
}

/// An open WebSocket.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    pub local: SocketAddr,
}

impl Socket {
    pub async fn open(door: &Door) -> Result<Socket> {
        timeout(CONNECT, Self::connect(door)).await.context("too slow")?
    }

    async fn connect(door: &Door) -> Result<Socket> {
        let tcp = match door.server {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if let Some(source) = door.source {
            tcp.bind(SocketAddr::from((source, 0)))?;
        }
        if let Some(bytes) = door.receive_buffer {
            tcp.set_recv_buffer_size(bytes)?;
        }
        tcp.set_nodelay(true)?;
        let tcp = tcp.connect(door.server).await?;
        let local = tcp.local_addr()?;
        let mut request = format!("ws://{}{}", door.server, door.path).into_client_request()?;
        if let Some(protocol) = door.protocol {
            request
                .headers_mut()
                .insert("sec-websocket-protocol", protocol.parse()?);
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0);
        let (stream, _) = client_async_with_config(request, tcp, Some(config)).await?;
        Ok(Socket { stream, local })
    }

    pub async fn send(&mut self, text: String) -> Result<()> {
        timeout(WRITE, self.stream.send(Message::text(text)))
            .await
            .context("the line takes nothing")??;
        Ok(())
    }

    /// The next text, or the close code. May be dropped and called again.
    pub async fn next(&mut self) -> Result<String, Option<u16>> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }
}

/// The address of `http://HOST:PORT`.
pub async fn resolve(url: &str) -> Result<SocketAddr> {
    let Some(authority) = url.strip_prefix("http://") else {
        bail!("{url} is no http:// address: the bench speaks no TLS, so measure behind the proxy that does");
    };
    let authority = authority.trim_end_matches('/');
    let with_port = if authority.contains(':') {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    };
    let mut found = tokio::net::lookup_host(&with_port)
        .await
        .with_context(|| format!("{with_port} can't be found"))?;
    found.next().with_context(|| format!("{with_port} has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_come_from_several_addresses_of_this_machine_only() {
        let here = "127.0.0.1:80".parse().unwrap();
        assert_eq!(Door::source(here, 0), Some(Ipv4Addr::new(127, 0, 0, 2)));
        assert_eq!(Door::source(here, 15_000), Some(Ipv4Addr::new(127, 0, 0, 5)));
        for elsewhere in ["192.0.2.1:80", "[::1]:80"] {
            assert_eq!(Door::source(elsewhere.parse().unwrap(), 0), None);
        }
    }
}
