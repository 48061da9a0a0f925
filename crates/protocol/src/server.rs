use crate::{DeskVisit, ErrorCode, IceCandidate, Limits, Media, Member, RoomView, SdpKind, Timers, To, Waiting};
use heliograph_domain::{ParticipantId, Pii, Role, UnixMillis};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the server sends, beside the fields of [`crate::Header`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The seat is the client's. The header's `s` and `chain` are the head of the room.
    Welcome {
        /// The resume secret of this session.
        secret: String,
        /// What the log has of each session of the outbox; it may be lower than the client thought: resend.
        acked: BTreeMap<String, u64>,
        /// Whether the frames that were missed follow.
        resumed: Resumed,
        /// The server's clock.
        server_time_ms: UnixMillis,
        /// All timers.
        timers: Timers,
        /// All limits.
        limits: Limits,
        /// This is a development service: it takes `simulate`.
        #[serde(default, skip_serializing_if = "is_false")]
        simulate: bool,
    },
    /// The client's place is not in the log: every kept frame and a snapshot follow.
    Resync {
        /// Why.
        why: ResyncWhy,
        /// What the log has of each session of the outbox.
        acked: BTreeMap<String, u64>,
    },
    /// The whole room at the header's `s` and `chain`.
    Snapshot {
        /// The highest `c` by session; a new page takes them as its own, a continuing one keeps its own.
        marks: BTreeMap<String, u64>,
        /// The room.
        room: RoomView,
    },
    /// Everything of the header's `session` up to `c` is in the log.
    Ack {
        /// The log lost some: `c` is lower than what was acknowledged before; resend from there.
        #[serde(default, skip_serializing_if = "is_false")]
        back: bool,
    },
    /// Somebody who is admitted came, with a new page.
    Joined {
        /// Who.
        member: Member,
    },
    /// Something about a person changed.
    Updated {
        /// Somebody in the room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member: Option<Member>,
        /// Somebody who waits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waiting: Option<Waiting>,
    },
    /// Somebody went.
    Left {
        /// Who.
        participant: ParticipantId,
        /// Why.
        why: LeftWhy,
    },
    /// Somebody waits and is ready (to staff).
    Knocked {
        /// Who.
        waiting: Waiting,
    },
    /// Somebody was let in.
    Admitted {
        /// Who.
        participant: ParticipantId,
        /// A line for that person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        message: Option<Pii<String>>,
        /// For that person: the room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomView>,
        /// For the others: the new member.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member: Option<Member>,
    },
    /// Somebody was sent away.
    Denied {
        /// Who.
        participant: ParticipantId,
        /// A line for that person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        message: Option<Pii<String>>,
    },
    /// Somebody was sent back to waiting: close the media connection with them.
    Held {
        /// Who.
        participant: ParticipantId,
        /// A line for that person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        message: Option<Pii<String>>,
        /// For staff: the row among those who wait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waiting: Option<Waiting>,
    },
    /// A description from the header's `from`.
    Sdp {
        /// Which media connection of the pair.
        pc: String,
        /// Which life of it.
        generation: u64,
        /// Offer or answer.
        kind: SdpKind,
        /// The description.
        sdp: String,
    },
    /// Candidates from the header's `from`.
    Ice {
        /// Which media connection of the pair.
        pc: String,
        /// Which life of it.
        generation: u64,
        /// The candidates.
        candidates: Vec<IceCandidate>,
    },
    /// The header's `from` starts a new media connection with the reader.
    Reset {
        /// Which media connection of the pair.
        pc: String,
        /// The new life of it.
        generation: u64,
    },
    /// What the devices of the header's `from` do.
    Media {
        /// The new state.
        media: Media,
    },
    /// A line of text from the header's `from`.
    Chat {
        /// The writer's own name for the line.
        id: String,
        /// The text.
        #[schema(value_type = String)]
        text: Pii<String>,
        /// For whom.
        to: To,
        /// A text of the client's catalogue, shown in the reader's language.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        canned: Option<String>,
    },
    /// Somebody has another role.
    Role {
        /// Who.
        participant: ParticipantId,
        /// The new role.
        role: Role,
    },
    /// The header's `from` asks the reader to mute.
    AskMute {},
    /// The room was locked or unlocked.
    Locked {
        /// The new state.
        locked: bool,
    },
    /// The visit was made longer.
    Extended {
        /// Minutes added to the booked end, in all.
        extended_min: u32,
    },
    /// Somebody was removed for good: close the media connection with them.
    Removed {
        /// Who.
        participant: ParticipantId,
        /// A line for that person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        message: Option<Pii<String>>,
    },
    /// A physician left for a while; the room stays open.
    SteppedOut {
        /// Who.
        participant: ParticipantId,
    },
    /// The visit ends at `until_ms` unless it is undone.
    Ending {
        /// When.
        until_ms: UnixMillis,
    },
    /// The end was taken back.
    EndUndone {},
    /// The visit is over: close all media connections.
    Ended {
        /// Until when it can be reopened.
        reopen_until_ms: UnixMillis,
    },
    /// The visit goes on.
    Reopened {
        /// The room as the reader sees it now.
        room: RoomView,
    },
    /// Somebody asks for a call by phone (to staff).
    CallRequested {
        /// Who.
        participant: ParticipantId,
        /// The number.
        #[schema(value_type = String)]
        number: Pii<String>,
    },
    /// A message of the reader's was not allowed at its place. It stays under its number as a `nop`.
    Refused {
        /// Its number, in the header's `session`.
        for_c: u64,
        /// Why.
        code: ErrorCode,
    },
    /// Something about the visit as it was booked.
    Notice {
        /// What.
        kind: NoticeKind,
        /// `moved`: the new start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start_ms: Option<UnixMillis>,
        /// `late`: about how many minutes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minutes: Option<u32>,
    },
    /// Relay and address servers (RFC 8489, RFC 8656).
    IceServers {
        /// The servers.
        servers: Vec<IceServer>,
        /// When the credentials end.
        expires_at_ms: UnixMillis,
    },
    /// The node goes away: open a new socket first, then this one closes.
    Drain {
        /// Within this time.
        within_ms: u64,
        /// There is no other node: the service comes back by itself.
        restart: bool,
    },
    /// The log can't be reached: what is sent now waits.
    Degraded {},
    /// The log is back.
    Recovered {},
    /// A message could not be taken.
    Error {
        /// Why.
        code: ErrorCode,
        /// Its number, where it had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_c: Option<u64>,
        /// `seat_taken`: who holds the seat, for `takeover`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        holder: Option<String>,
        /// When to try again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
        /// What exactly, in English, for developers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// The answer to `ping`.
    Pong {
        /// The server's clock.
        server_time_ms: UnixMillis,
    },
    /// All visits of the desk.
    DeskSnapshot {
        /// The visits.
        visits: Vec<DeskVisit>,
    },
    /// One visit of the desk changed.
    Desk(DeskVisit),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// What follows a `welcome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resumed {
    /// Exactly the frames that were missed.
    Full,
    /// `resync`, every kept frame, a snapshot.
    Resync,
    /// The page is new: a snapshot.
    New,
}

/// Why the frames that were missed can't be sent alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResyncWhy {
    /// The client's place was trimmed from the log, or the log never had it.
    NotInLog,
    /// The log was repaired.
    Mended,
}

/// Why somebody went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeftWhy {
    /// On purpose.
    Bye,
    /// The line was lost for too long.
    Lost,
}

/// What a notice tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// The visit does not take place.
    Cancelled,
    /// The visit has another start.
    Moved,
    /// Another physician takes the visit.
    Replaced,
    /// The physician is late.
    Late,
    /// The reader's link was replaced by a new one: this page may not come back.
    Revoked,
}

/// One relay or address server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct IceServer {
    /// Its addresses (RFC 7064, RFC 7065).
    pub urls: Vec<String>,
    /// The user name, where it asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl ServerMessage {
    /// Every `type` that the server sends.
    pub const KINDS: [&str; 37] = [
        "welcome",
        "resync",
        "snapshot",
        "ack",
        "joined",
        "updated",
        "left",
        "knocked",
        "admitted",
        "denied",
        "held",
        "sdp",
        "ice",
        "reset",
        "media",
        "chat",
        "role",
        "ask_mute",
        "locked",
        "extended",
        "removed",
        "stepped_out",
        "ending",
        "end_undone",
        "ended",
        "reopened",
        "call_requested",
        "refused",
        "notice",
        "ice_servers",
        "drain",
        "degraded",
        "recovered",
        "error",
        "pong",
        "desk_snapshot",
        "desk",
    ];
}
