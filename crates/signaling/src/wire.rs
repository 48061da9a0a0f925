//! A socket as this crate sees it, so that no web framework is named here.

use heliograph_protocol::CloseCode;
use thiserror::Error;

/// What comes from a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A text frame.
    Text(String),
    /// The answer to a ping.
    Pong,
    /// A frame above the limit: the socket can't be read further.
    TooLarge,
    /// Something that no client of ours sends, such as a binary frame.
    Other,
    /// The socket is closed or broken.
    Closed,
}

/// What goes to a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// A text frame.
    Text(String),
    /// A ping (RFC 6455 section 5.5.2).
    Ping,
    /// A close frame; nothing comes after it.
    Close(CloseCode),
}

/// The socket takes nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the socket is gone")]
pub struct Gone;
