//! `heliograph.v1`: every message, error and close code of the WebSocket protocol, and its limits.
//!
//! Frames are JSON objects in text messages, names in snake_case. A client sends `{type, c?, session?, …}`, the server
//! `{type, s?, p?, chain?, from?, session?, c?, at?, …}`. docs/PROTOCOL.md describes the rules; `fixtures/` holds one
//! example of each message, which this crate's tests and the web client's tests both read.
//!
//! The server is strict: an unknown type or field from a client is a typed error. A client is lenient: it skips what it
//! does not know ([`ServerFrame::parse`]).
#![deny(missing_docs)]

mod client;
mod code;
mod frame;
mod limits;
mod server;
mod to;
mod view;

pub use client::{
    Capabilities, Chat, ClientMessage, Decision, DeviceCheck, DeviceState, Fault, Hello, Ice, IceCandidate, LineLevel,
    Media, OutboxRange, PeerQuality, Position, Reset, Sdp, SdpKind, Target,
};
pub use code::{CloseCode, ErrorCode};
pub use frame::{BadFrame, ClientFrame, Header, ServerFrame, SharedFrame};
pub use limits::{Limits, OutOfRange, Timers};
pub use server::{IceServer, LeftWhy, NoticeKind, Resumed, ResyncWhy, ServerMessage};
pub use to::To;
pub use view::{ChatLine, DeskState, DeskVisit, Member, Phase, Presence, RoomView, SeatState, Waiting};

/// The WebSocket subprotocol that both sides name (RFC 6455 section 1.9).
pub const SUBPROTOCOL: &str = "heliograph.v1";
