//! `GET /ws`: the door of the WebSocket. It looks at the origin, the subprotocol and the sizes; who may sit where is judged
//! at `hello`.

use crate::Edge;
use crate::address::client;
use crate::exchange::RequestId;
use crate::headers::foreign_origin;
use crate::problem::{Code, Problem, ProblemBody};
use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::http::{HeaderMap, header::SEC_WEBSOCKET_PROTOCOL, request::Parts};
use axum::response::Response;
use futures::{Sink, SinkExt, Stream, StreamExt, future};
use heliograph_protocol::SUBPROTOCOL;
use heliograph_signaling::{Gone, Incoming, Outgoing};
use tokio_tungstenite::tungstenite;

/// Bytes read at once: the default costs 128 KiB for every idle socket. Longer frames take more reads. Each frame makes room for
/// as much again, so a buffer of less than two `hello`s of 620 bytes would become one of 2 KiB.
const READ_BUFFER: usize = 1280;
/// Bytes that may wait to be written.
const WRITE_BUFFER: usize = 1024 * 1024;

/// Open a WebSocket
///
/// Subprotocol `heliograph.v1`. The client sends `ClientMessage`, the server `ServerMessage` with `Header`, each as one text
/// frame of at most 64 KiB.
#[utoipa::path(
    get, path = "/ws", tag = "room",
    responses(
        (status = SWITCHING_PROTOCOLS, description = "The socket is open; `hello` is expected within 5 s"),
        (status = BAD_REQUEST, body = ProblemBody, content_type = "application/problem+json",
            description = "`bad_upgrade`: no WebSocket of version 13, or another subprotocol"),
        (status = FORBIDDEN, body = ProblemBody, content_type = "application/problem+json", description = "`foreign_origin`")
    )
)]
pub(crate) async fn open(
    State(edge): State<Edge>,
    Extension(id): Extension<RequestId>,
    parts: Parts,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    if !edge.origins.admit(&parts.uri, &parts.headers) {
        return Err(foreign_origin());
    }
    let upgrade = upgrade.map_err(|rejection| Problem::new(Code::BadUpgrade, format!("{}.", rejection.body_text())))?;
    if !speaks_ours(&parts.headers) {
        return Err(Problem::new(
            Code::BadUpgrade,
            format!("This service speaks the subprotocol {SUBPROTOCOL} only."),
        ));
    }
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER)
        .max_message_size(edge.frame_bytes)
        .max_frame_size(edge.frame_bytes)
        .protocols([SUBPROTOCOL]);
    let (rooms, guesses) = (edge.rooms, edge.guesses);
    let address = client(&parts.extensions, &parts.headers, &edge.proxies);
    Ok(upgrade.on_upgrade(move |socket| {
        // A task of its own carries nothing of the socket's beginning.
        let (incoming, outgoing) = halves(socket);
        let wrong = move || guesses.guessed(address);
        tokio::spawn(rooms.serve(incoming, outgoing, id.as_str().to_owned(), wrong));
        future::ready(())
    }))
}

/// A client that offers no subprotocol is no browser page of another service.
fn speaks_ours(headers: &HeaderMap) -> bool {
    let mut offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter().peekable();
    offered.peek().is_none()
        || offered
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .any(|one| one.trim() == SUBPROTOCOL)
}

/// The socket in the words of signaling, which names no web framework.
fn halves(
    socket: WebSocket,
) -> (
    impl Stream<Item = Incoming> + Send + Unpin + 'static,
    impl Sink<Outgoing, Error = Gone> + Send + Unpin + 'static,
) {
    let (sink, stream) = socket.split();
    let outgoing = sink
        .sink_map_err(|_| Gone)
        .with(|outgoing| future::ready(Ok(message(outgoing))));
    (stream.map(|message| message.map_or_else(failure, incoming)), outgoing)
}

fn incoming(message: Message) -> Incoming {
    match message {
        Message::Text(text) => Incoming::Text(text.as_str().to_owned()),
        Message::Binary(_) => Incoming::Other,
        // Both are signs of life; the answer to a ping is sent by the socket itself.
        Message::Ping(_) | Message::Pong(_) => Incoming::Pong,
        Message::Close(_) => Incoming::Closed,
    }
}

fn failure(error: axum::Error) -> Incoming {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => Incoming::TooLarge,
        Some(_) | None => Incoming::Closed,
    }
}

fn message(outgoing: Outgoing) -> Message {
    match outgoing {
        Outgoing::Text(text) => Message::Text(text.into()),
        Outgoing::Ping => Message::Ping(axum::body::Bytes::new()),
        Outgoing::Close(code) => Message::Close(Some(CloseFrame {
            code: code.number(),
            reason: code.reason().into(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn other_subprotocols_are_refused_and_none_is_fine() {
        let speaks = |lines: &[&'static str]| {
            let lines = lines
                .iter()
                .map(|line| (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(line)));
            speaks_ours(&lines.collect())
        };
        assert!(speaks(&[]) && speaks(&["heliograph.v1"]) && speaks(&["chat, heliograph.v1"]));
        assert!(!speaks(&["chat"]) && !speaks(&["heliograph.v2"]) && !speaks(&[""]));
    }
}
