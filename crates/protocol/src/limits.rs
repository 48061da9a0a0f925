use serde::{Deserialize, Serialize};

/// Nothing that a timer is for takes longer, in milliseconds: a day.
const LONGEST_MS: u64 = 86_400_000;
/// Any message but a description or a long text fits.
const SMALLEST_FRAME: u64 = 4_096;
/// A node holds frames of many sockets in memory.
const LARGEST_FRAME: u64 = 1_048_576;
/// A mesh of more people is too much for anybody's line.
const MOST_ADMITTED: u64 = 8;

/// A timer or limit by which nobody could work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfRange {
    /// The name of the field.
    pub field: &'static str,
    /// Its value.
    pub value: u64,
    /// What would be right: "at least 1".
    pub expected: String,
    /// The field that it was compared with.
    pub than: Option<&'static str>,
}

#[derive(Default)]
struct Checked(Vec<OutOfRange>);

impl Checked {
    fn check(&mut self, good: bool, (field, value): Field, than: Option<&'static str>, expected: String) {
        // The first fault of a field is enough.
        if !good && self.0.iter().all(|fault| fault.field != field) {
            self.0.push(OutOfRange {
                field,
                value,
                expected,
                than,
            });
        }
    }

    fn within(&mut self, field: Field, least: u64, most: u64) {
        self.check(field.1 >= least, field, None, format!("at least {least}"));
        self.check(field.1 <= most, field, None, format!("at most {most}"));
    }

    fn less(&mut self, small: Field, large: Field) {
        let expected = format!("less than {} ({})", large.0, large.1);
        self.check(small.1 < large.1, small, Some(large.0), expected);
    }

    fn not_more(&mut self, small: Field, large: Field) {
        let expected = format!("at most {} ({})", large.0, large.1);
        self.check(small.1 <= large.1, small, Some(large.0), expected);
    }

    fn all(self) -> Result<(), Vec<OutOfRange>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

/// A name and its value.
type Field = (&'static str, u64);

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

impl Limits {
    /// Whether a service can work by these limits; else all that is wrong.
    pub fn check(&self) -> Result<(), Vec<OutOfRange>> {
        let number = |name, value: usize| (name, u64::try_from(value).unwrap_or(u64::MAX));
        let frame = number("frame_bytes", self.frame_bytes);
        let sdp = number("sdp_bytes", self.sdp_bytes);
        let chat = number("chat_bytes", self.chat_bytes);
        let chars = number("chat_chars", self.chat_chars);
        let mut checked = Checked::default();
        checked.within(frame, SMALLEST_FRAME, LARGEST_FRAME);
        for positive in [
            sdp,
            chat,
            chars,
            number("ice_batch", self.ice_batch),
            ("messages_per_s", self.messages_per_s.into()),
            ("burst", self.burst.into()),
            number("in_flight", self.in_flight),
        ] {
            checked.within(positive, 1, u32::MAX.into());
        }
        checked.within(number("admitted", self.admitted), 2, MOST_ADMITTED);
        checked.less(sdp, frame);
        checked.less(chat, frame);
        checked.not_more(chars, chat);
        checked.all()
    }
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
    /// Silence of a line after which the server sends a WebSocket ping.
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

impl Timers {
    /// Whether a service can work by these timers; else all that is wrong.
    pub fn check(&self) -> Result<(), Vec<OutOfRange>> {
        let (ping, dead) = (
            ("server_ping_ms", self.server_ping_ms),
            ("server_dead_ms", self.server_dead_ms),
        );
        let (min, max) = (
            ("reconnect_min_ms", self.reconnect_min_ms),
            ("reconnect_max_ms", self.reconnect_max_ms),
        );
        let (beat, lease) = (("beat_ms", self.beat_ms), ("lease_ms", self.lease_ms));
        let mut checked = Checked::default();
        for positive in [
            ("hello_ms", self.hello_ms),
            ("ping_ms", self.ping_ms),
            ("dead_ms", self.dead_ms),
            ping,
            dead,
            ("write_stall_ms", self.write_stall_ms),
            ("retransmit_ms", self.retransmit_ms),
            min,
            max,
            beat,
            lease,
            ("reconnecting_ms", self.reconnecting_ms),
            ("still_new_ms", self.still_new_ms),
        ] {
            checked.within(positive, 1, LONGEST_MS);
        }
        // At once, or not at all.
        for any in [
            ("ice_coalesce_ms", self.ice_coalesce_ms),
            ("undo_end_ms", self.undo_end_ms),
            ("reopen_ms", self.reopen_ms),
        ] {
            checked.within(any, 0, LONGEST_MS);
        }
        checked.less(ping, dead);
        checked.less(beat, lease);
        checked.not_more(min, max);
        checked.all()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn told(checked: Result<(), Vec<OutOfRange>>) -> Vec<String> {
        let line = |fault: &OutOfRange| format!("{} {}, {}", fault.field, fault.value, fault.expected);
        checked.err().unwrap_or_default().iter().map(line).collect()
    }

    fn timers(change: impl Fn(&mut Timers)) -> Vec<String> {
        let mut timers = Timers::default();
        change(&mut timers);
        told(timers.check())
    }

    fn limits(change: impl Fn(&mut Limits)) -> Vec<String> {
        let mut limits = Limits::default();
        change(&mut limits);
        told(limits.check())
    }

    #[test]
    fn the_defaults_are_good() {
        assert_eq!((timers(|_| ()), limits(|_| ())), (Vec::new(), Vec::new()));
    }

    #[test]
    fn timers_that_would_spin_or_never_end_are_told() {
        assert_eq!(timers(|t| t.beat_ms = 0), ["beat_ms 0, at least 1"]);
        assert_eq!(timers(|t| t.server_ping_ms = 0), ["server_ping_ms 0, at least 1"]);
        assert_eq!(
            timers(|t| t.hello_ms = u64::MAX),
            [format!("hello_ms {}, at most 86400000", u64::MAX)]
        );
        assert_eq!(
            timers(|t| (t.undo_end_ms, t.reopen_ms, t.ice_coalesce_ms) = (0, 0, 0)),
            Vec::<String>::new()
        );
        let mut fields = serde_json::to_value(Timers::default()).unwrap();
        fields
            .as_object_mut()
            .unwrap()
            .values_mut()
            .for_each(|value| *value = 0.into());
        let all_zero: Timers = serde_json::from_value(fields).unwrap();
        assert_eq!(all_zero.check().unwrap_err().len(), 13);
    }

    #[test]
    fn timers_that_contradict_each_other_are_told() {
        assert_eq!(
            timers(|t| t.beat_ms = 15_000),
            ["beat_ms 15000, less than lease_ms (15000)"]
        );
        assert_eq!(
            timers(|t| t.server_dead_ms = 5_000),
            ["server_ping_ms 5000, less than server_dead_ms (5000)"]
        );
        assert_eq!(
            timers(|t| t.reconnect_max_ms = 100),
            ["reconnect_min_ms 250, at most reconnect_max_ms (100)"]
        );
    }

    #[test]
    fn limits_that_leave_no_room_are_told() {
        assert_eq!(
            limits(|l| l.frame_bytes = 10),
            [
                "frame_bytes 10, at least 4096",
                "sdp_bytes 49152, less than frame_bytes (10)",
                "chat_bytes 16384, less than frame_bytes (10)"
            ]
        );
        assert_eq!(
            limits(|l| l.sdp_bytes = 65_536),
            ["sdp_bytes 65536, less than frame_bytes (65536)"]
        );
        assert_eq!(
            limits(|l| l.chat_chars = 20_000),
            ["chat_chars 20000, at most chat_bytes (16384)"]
        );
        assert_eq!(limits(|l| l.messages_per_s = 0), ["messages_per_s 0, at least 1"]);
        assert_eq!(limits(|l| l.admitted = 1), ["admitted 1, at least 2"]);
        assert_eq!(limits(|l| l.admitted = 9), ["admitted 9, at most 8"]);
    }
}
