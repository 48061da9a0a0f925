use serde::{Deserialize, Serialize};

/// Why the server did not do what a message asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The frame is no JSON object.
    BadJson,
    /// A field is missing, unknown or of the wrong form.
    BadMessage,
    /// No message has this type.
    UnknownType,
    /// The frame, or a part of it, is above its limit.
    TooLarge,
    /// This `hello` shows nothing of this service, and so did too many from its address; wait `retry_after_ms`.
    RateLimited,
    /// No valid ticket or resume secret.
    Unauthorized,
    /// The ticket was good and is too old: fetch another.
    TokenExpired,
    /// The role may not do this.
    Forbidden,
    /// The sender is not admitted.
    NotAdmitted,
    /// The person named is not in the room.
    NoSuchPeer,
    /// Another page holds the seat (`holder` says which); ask the person, then send `takeover`.
    SeatTaken,
    /// Meant for an older state: an old generation, an attempt that was overtaken.
    Stale,
    /// Nobody more fits in.
    RoomFull,
    /// The host locked the room.
    RoomLocked,
    /// The visit is over.
    RoomEnded,
    /// The waiting room is not open yet; `retry_after_ms` says how long.
    TooEarly,
    /// The link's or visit's time is over.
    TooLate,
    /// Not possible in the present state, such as undoing an end that nobody asked for.
    BadState,
    /// A message before this one is missing; `acked` of the session comes with it.
    Gap,
    /// The store or the log can't be reached; the server tries again.
    StoreUnavailable,
    /// A fault of the server's own; it is logged under the request id.
    Internal,
}

impl ErrorCode {
    /// Every code, in order.
    pub const ALL: [ErrorCode; 21] = [
        ErrorCode::BadJson,
        ErrorCode::BadMessage,
        ErrorCode::UnknownType,
        ErrorCode::TooLarge,
        ErrorCode::RateLimited,
        ErrorCode::Unauthorized,
        ErrorCode::TokenExpired,
        ErrorCode::Forbidden,
        ErrorCode::NotAdmitted,
        ErrorCode::NoSuchPeer,
        ErrorCode::SeatTaken,
        ErrorCode::Stale,
        ErrorCode::RoomFull,
        ErrorCode::RoomLocked,
        ErrorCode::RoomEnded,
        ErrorCode::TooEarly,
        ErrorCode::TooLate,
        ErrorCode::BadState,
        ErrorCode::Gap,
        ErrorCode::StoreUnavailable,
        ErrorCode::Internal,
    ];
}

/// Why the server closed a WebSocket (RFC 6455 section 7.4.2, private use). Below 4100 the client reconnects, from 4100 on it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// The seat must be claimed again: reconnect.
    Reclaim = 4000,
    /// The client read too slowly: reconnect and resume.
    Slow = 4001,
    /// No sign of life: reconnect.
    Heartbeat = 4002,
    /// Too many wrong `hello`s, or a frame that is too large to read: reconnect after the wait.
    Rate = 4008,
    /// The node is being drained: reconnect elsewhere.
    Drained = 4009,
    /// No valid credential.
    Auth = 4100,
    /// The credential's time is over.
    Expired = 4101,
    /// The person was removed.
    Removed = 4102,
    /// The person was not let in.
    Denied = 4103,
    /// The visit is over.
    Ended = 4104,
    /// Another page of the person took the seat.
    Superseded = 4109,
}

impl CloseCode {
    /// Every code, in order.
    pub const ALL: [CloseCode; 11] = [
        CloseCode::Reclaim,
        CloseCode::Slow,
        CloseCode::Heartbeat,
        CloseCode::Rate,
        CloseCode::Drained,
        CloseCode::Auth,
        CloseCode::Expired,
        CloseCode::Removed,
        CloseCode::Denied,
        CloseCode::Ended,
        CloseCode::Superseded,
    ];

    /// The number on the wire.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The code of a number.
    pub fn from_number(number: u16) -> Option<CloseCode> {
        Self::ALL.into_iter().find(|code| code.number() == number)
    }

    /// Whether the client should come back by itself.
    pub fn reconnect(self) -> bool {
        self.number() < 4100
    }

    /// The reason text beside the number.
    pub fn reason(self) -> &'static str {
        match self {
            CloseCode::Reclaim => "reclaim",
            CloseCode::Slow => "slow",
            CloseCode::Heartbeat => "heartbeat",
            CloseCode::Rate => "rate",
            CloseCode::Drained => "drained",
            CloseCode::Auth => "auth",
            CloseCode::Expired => "expired",
            CloseCode::Removed => "removed",
            CloseCode::Denied => "denied",
            CloseCode::Ended => "ended",
            CloseCode::Superseded => "superseded",
        }
    }
}
