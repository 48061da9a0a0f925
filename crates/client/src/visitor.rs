//! A page with a socket.

use crate::{Page, Taken};
use futures::{SinkExt, StreamExt};
use heliograph_protocol::{ClientMessage, CloseCode, Header, SUBPROTOCOL, ServerFrame, ServerMessage};
use std::time::Duration;
use thiserror::Error;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

/// Why a visitor gets nothing more.
#[derive(Debug, Error)]
pub enum Ended {
    /// The server closed.
    #[error("the server closed: {0:?}")]
    Closed(Option<CloseCode>),
    /// The line failed.
    #[error("the line failed: {0}")]
    Line(#[from] Box<tungstenite::Error>),
    /// Nothing came that was waited for.
    #[error("nothing that was waited for came in {within:?}; last came: {last}")]
    Silence {
        /// How long was waited.
        within: Duration,
        /// The types that came instead.
        last: String,
    },
    /// A frame before this one is missing.
    #[error("a frame is missing before s = {0:?}")]
    Hole(Option<u64>),
    /// No frame of this protocol.
    #[error("a frame can't be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

impl From<tungstenite::Error> for Ended {
    fn from(error: tungstenite::Error) -> Ended {
        Ended::Line(Box::new(error))
    }
}

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a socket of the service at `base` and says a first frame.
pub(crate) async fn dial(base: &str, first: String) -> Result<Socket, Ended> {
    let address = format!("{}/ws", base.replacen("http", "ws", 1));
    let mut request = address.into_client_request()?;
    let protocol = SUBPROTOCOL.parse().expect("the name is plain ASCII");
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = connect_async(request).await?;
    socket.send(Message::text(first)).await?;
    Ok(socket)
}

/// A page with a socket.
pub struct Visitor {
    /// The page.
    pub page: Page,
    socket: Socket,
}

impl Visitor {
    /// Connects a page to `base` (such as `http://127.0.0.1:8080`) and says hello.
    pub async fn connect(
        base: &str,
        mut page: Page,
        ticket: Option<String>,
        takeover: Option<String>,
    ) -> Result<Visitor, Ended> {
        let hello = page.hello(ticket, takeover);
        Self::connect_saying(base, page, hello).await
    }

    /// Connects a page and says a first frame of the caller's own.
    pub async fn connect_saying(base: &str, page: Page, first: String) -> Result<Visitor, Ended> {
        let socket = dial(base, first).await?;
        Ok(Visitor { page, socket })
    }

    /// Sends a message.
    pub async fn send(&mut self, message: ClientMessage) -> Result<(), Ended> {
        let text = self.page.write(message);
        Ok(self.socket.send(Message::text(text)).await?)
    }

    /// Sends a text as it is.
    pub async fn send_raw(&mut self, text: &str) -> Result<(), Ended> {
        Ok(self.socket.send(Message::text(text.to_owned())).await?)
    }

    /// Sends a binary frame, which this protocol does not have.
    pub async fn send_bytes(&mut self, bytes: Vec<u8>) -> Result<(), Ended> {
        Ok(self.socket.send(Message::binary(bytes)).await?)
    }

    /// Sends again what was not acknowledged.
    pub async fn resend(&mut self) -> Result<(), Ended> {
        for text in self.page.unacknowledged() {
            self.socket.send(Message::text(text)).await?;
        }
        Ok(())
    }

    /// The next frame that counts.
    pub async fn next(&mut self) -> Result<(Header, Option<ServerMessage>, bool), Ended> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame = ServerFrame::parse(&text)?;
                    let s = frame.header.s;
                    match self.page.take(frame) {
                        Taken::Frame { header, message, acts } => {
                            return Ok((header, message.map(|message| *message), acts));
                        }
                        Taken::Old => {}
                        Taken::Hole => return Err(Ended::Hole(s)),
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    return Err(Ended::Closed(frame.and_then(|f| CloseCode::from_number(f.code.into()))));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(Ended::Closed(None)),
            }
        }
    }

    /// The first message that `wanted` takes; others before it are passed over.
    pub async fn until<T>(
        &mut self,
        within: Duration,
        mut wanted: impl FnMut(&Header, &ServerMessage) -> Option<T>,
    ) -> Result<T, Ended> {
        let mut seen = Vec::new();
        let found = timeout(within, async {
            loop {
                let (header, message, _) = self.next().await?;
                let Some(message) = message else { continue };
                if let Some(found) = wanted(&header, &message) {
                    return Ok(found);
                }
                seen.push(
                    format!("{message:?}")
                        .chars()
                        .take_while(|c| c.is_alphanumeric())
                        .collect::<String>(),
                );
            }
        })
        .await;
        found.unwrap_or_else(|_| {
            Err(Ended::Silence {
                within,
                last: seen.join(" "),
            })
        })
    }

    /// The close code, once the server closes; frames before it are passed over.
    pub async fn closed(&mut self, within: Duration) -> Result<Option<CloseCode>, Ended> {
        match self.until(within, |_, _| None::<()>).await {
            Err(Ended::Closed(code)) => Ok(code),
            Err(other) => Err(other),
            Ok(()) => Ok(None),
        }
    }

    /// Cuts the line without a goodbye; the page can connect again.
    pub fn cut(self) -> Page {
        self.page
    }
}
