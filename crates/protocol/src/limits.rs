use serde::{Deserialize, Serialize};

/// The limits of a connection, told in `welcome`; a client checks them before it numbers a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of one frame.
    pub frame_bytes: usize,
    /// Bytes of one session description.
    pub sdp_bytes: usize,
    /// Bytes of one chat text.
    pub chat_bytes: usize,
    /// Characters of one chat text.
    pub chat_chars: usize,
    /// Candidates in one `ice` message.
    pub ice_batch: usize,
    /// Messages per second, in the long run.
    pub messages_per_s: u32,
    /// Messages at once.
    pub burst: u32,
    /// Durable messages that may be unacknowledged.
    pub in_flight: usize,
    /// People in the media mesh.
    pub admitted: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: 64 * 1024,
            sdp_bytes: 48 * 1024,
            chat_bytes: 16 * 1024,
            chat_chars: 4_000,
            ice_batch: 20,
            messages_per_s: 30,
            burst: 120,
            in_flight: 32,
            admitted: 4,
        }
    }
}

/// All timers in milliseconds, told in `welcome`, so that tests can run them faster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timers {
    /// From the socket's opening to `hello`.
    pub hello_ms: u64,
    /// Between two `ping` of a client.
    pub ping_ms: u64,
    /// Silence after a `ping` that means a dead line.
    pub dead_ms: u64,
    /// Between two WebSocket pings of the server.
    pub server_ping_ms: u64,
    /// Silence after which the server closes with 4002.
    pub server_dead_ms: u64,
    /// A pending write after which the server closes with 4001.
    pub write_stall_ms: u64,
    /// Between two resends of what was not acknowledged.
    pub retransmit_ms: u64,
    /// The first wait before a reconnect; it doubles.
    pub reconnect_min_ms: u64,
    /// The longest wait before a reconnect.
    pub reconnect_max_ms: u64,
    /// Between two renewals of the leases of a room.
    pub beat_ms: u64,
    /// How long a seat counts as online without a renewal.
    pub lease_ms: u64,
    /// How long a seat is `reconnecting` before it has `left`.
    pub reconnecting_ms: u64,
    /// How long a media connection may stay `new` before a `reset`.
    pub still_new_ms: u64,
    /// How long candidates are collected for one `ice` message.
    pub ice_coalesce_ms: u64,
    /// How long an `end` can be undone.
    pub undo_end_ms: u64,
    /// How long an ended visit can be reopened.
    pub reopen_ms: u64,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            hello_ms: 5_000,
            ping_ms: 4_000,
            dead_ms: 3_000,
            server_ping_ms: 5_000,
            server_dead_ms: 20_000,
            write_stall_ms: 5_000,
            retransmit_ms: 1_000,
            reconnect_min_ms: 250,
            reconnect_max_ms: 5_000,
            beat_ms: 5_000,
            lease_ms: 15_000,
            reconnecting_ms: 45_000,
            still_new_ms: 1_200,
            ice_coalesce_ms: 50,
            undo_end_ms: 10_000,
            reopen_ms: 30 * 60 * 1000,
        }
    }
}
