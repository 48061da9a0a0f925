use crate::{ErrorCode, Limits, To};
use heliograph_domain::{Language, ParticipantId, Pii, Role, SessionId, VisitId, entry::Chain, zone::Zone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a client sends. [`ClientMessage::durable`] tells which ones carry a number and enter the room's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// The first message of a socket.
    Hello(Box<Hello>),
    /// A session description for one peer (RFC 8829).
    Sdp(Sdp),
    /// ICE candidates for one peer (RFC 8838).
    Ice(Ice),
    /// Both sides build a new media connection, with the next generation.
    Reset(Reset),
    /// What the sender's devices do; the last one holds.
    Media(Media),
    /// A line of text.
    Chat(Chat),
    /// "I am ready": the person waits to be admitted.
    Knock {
        /// What the device check found.
        device: DeviceCheck,
    },
    /// Takes the knock back.
    Unknock {},
    /// Lets a waiting person in.
    Admit(Decision),
    /// Sends a waiting person away.
    Deny(Decision),
    /// Sends an admitted person back to waiting.
    Hold(Decision),
    /// Gives a person another role; never host or staff.
    Role {
        /// Who.
        participant: ParticipantId,
        /// The new role.
        role: Role,
    },
    /// Asks a person to mute the microphone.
    AskMute {
        /// Who.
        participant: ParticipantId,
    },
    /// Removes a person for good.
    Remove(Decision),
    /// Locks or unlocks the room: nobody more is admitted while it is locked.
    Lock {
        /// The new state.
        locked: bool,
    },
    /// Makes the visit longer.
    Extend {
        /// By how many minutes, 5 to 60.
        minutes: u32,
    },
    /// The sender leaves; the room stays open.
    StepOut {},
    /// Ends the visit for all after the time in which it can be undone.
    End {},
    /// Takes an end back while that is possible.
    UndoEnd {},
    /// Opens an ended visit again while that is possible.
    Reopen {},
    /// Asks the desk to call by phone.
    CallMe {
        /// The number that the person confirmed.
        #[schema(value_type = String)]
        number: Pii<String>,
    },
    /// Takes the place of a message that was withdrawn or refused.
    Nop {},
    /// What the client has taken, so that the log may be trimmed.
    Ack {
        /// Room seq of the last frame taken.
        s: u64,
        /// Its chain.
        chain: Chain,
    },
    /// Asks for relay servers.
    IceServers {},
    /// How the lines to the peers are.
    Quality {
        /// One row per peer.
        peers: Vec<PeerQuality>,
    },
    /// A sign of life; answered by `pong`.
    Ping {},
    /// Asks a development service for a fault; any other refuses it.
    Simulate {
        /// Which.
        what: Fault,
    },
    /// The page goes away on purpose.
    Bye {},
}

/// The first message of a socket: for a seat of a visit, or for the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The visit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<VisitId>,
    /// The seat in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat: Option<ParticipantId>,
    /// True for the desk's socket, which has no seat.
    #[serde(default, skip_serializing_if = "is_false")]
    pub desk: bool,
    /// This life of the page.
    pub session: SessionId,
    /// Counts up with each connection of the session, from 1.
    pub attempt: u64,
    /// What was numbered and may still have to be resent: oldest session first, the own one last.
    #[serde(default)]
    pub outbox: Vec<OutboxRange>,
    /// A single-use ticket; needed unless `secret` is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The resume secret of an earlier `welcome` of this session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The last frame that the client took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Position>,
    /// The highest `c` that acted, by session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<BTreeMap<String, u64>>,
    /// The holder from `seat_taken` whom the person wants to take the seat from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takeover: Option<String>,
    /// What the client can do.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// The device's time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// The language of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Language>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// What a `hello` is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A seat of a visit.
    Seat(VisitId, ParticipantId),
    /// The desk.
    Desk,
}

impl Hello {
    /// What this hello is for, or what is wrong with it.
    pub fn target(&self) -> Result<Target, &'static str> {
        match (self.desk, self.visit, self.seat) {
            (true, None, None) => Ok(Target::Desk),
            (false, Some(visit), Some(seat)) => Ok(Target::Seat(visit, seat)),
            (true, _, _) => Err("a desk's hello names no visit and no seat"),
            (false, _, _) => Err("hello needs visit and seat, or desk"),
        }
    }
}

/// Numbers of one session that a client still holds: `first_c` is the lowest it can resend, `next_c` the next it would give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutboxRange {
    /// The session that numbered them.
    pub session: SessionId,
    /// The lowest number that can be resent.
    pub first_c: u64,
    /// One above the highest number given.
    pub next_c: u64,
}

/// A place in a room's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Room seq.
    pub s: u64,
    /// Chain at that seq.
    pub chain: Chain,
}

/// What a client can do, as far as the other side must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Capabilities {
    /// It sends and takes candidates one by one (RFC 8838); otherwise all of them stand in the description.
    pub trickle: bool,
    /// It can roll back an offer well enough to be the polite side (RFC 8829 section 4.1.10.2).
    pub rollback: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            trickle: true,
            rollback: true,
        }
    }
}

/// Whether a description offers or answers (RFC 3264).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SdpKind {
    /// Offers.
    Offer,
    /// Answers.
    Answer,
}

/// A session description for one peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sdp {
    /// The peer.
    pub to: ParticipantId,
    /// Which media connection of the pair, such as `av`; at most 16 characters.
    pub pc: String,
    /// Which life of that connection.
    pub generation: u64,
    /// Offer or answer.
    pub kind: SdpKind,
    /// The description (RFC 8866).
    pub sdp: String,
}

/// Candidates for one peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ice {
    /// The peer.
    pub to: ParticipantId,
    /// Which media connection of the pair.
    pub pc: String,
    /// Which life of that connection.
    pub generation: u64,
    /// At most `limits.ice_batch` of them.
    pub candidates: Vec<IceCandidate>,
}

/// One ICE candidate (RFC 8839 section 5.1); an empty `candidate` says that there are no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IceCandidate {
    /// The candidate attribute.
    pub candidate: String,
    /// The media identification that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// The index of the media description that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_m_line_index: Option<u16>,
    /// The ICE user fragment of its generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}

/// Asks for a new media connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// The peer.
    pub to: ParticipantId,
    /// Which media connection of the pair.
    pub pc: String,
    /// The next generation: the present one + 1.
    pub generation: u64,
}

/// What a person's devices do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "four devices, each on or off")]
pub struct Media {
    /// The microphone is on.
    pub mic: bool,
    /// The camera is on.
    pub camera: bool,
    /// A screen is shared.
    pub screen: bool,
    /// The person signs: the picture must not fall below 20 frames per second.
    pub signing: bool,
}

/// A line of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Chat {
    /// The sender's own name for the line; at most 64 characters.
    pub id: String,
    /// At most 4,000 characters; empty if `canned` is there.
    #[schema(value_type = String)]
    pub text: Pii<String>,
    /// For whom.
    pub to: To,
    /// A text of the client's own catalogue, shown in the reader's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canned: Option<String>,
}

/// A decision about a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Who.
    pub participant: ParticipantId,
    /// A line for that person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub message: Option<Pii<String>>,
}

/// How one device did in the check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// Works.
    Ok,
    /// The person or the browser refused it.
    Blocked,
    /// There is none.
    Missing,
    /// Another program uses it.
    Busy,
    /// Not tried.
    #[default]
    Unknown,
}

/// What the device check found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeviceCheck {
    /// The camera.
    pub camera: DeviceState,
    /// The microphone.
    pub microphone: DeviceState,
    /// The loudspeaker.
    pub speaker: DeviceState,
}

/// A line's quality in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineLevel {
    /// Picture and sound.
    Good,
    /// Sound first.
    Weak,
    /// Nothing arrives.
    Lost,
}

/// How the line to one peer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeerQuality {
    /// The peer.
    pub participant: ParticipantId,
    /// In a word.
    pub level: LineLevel,
    /// Round trip, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<u32>,
    /// Packets lost, in thousandths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_permille: Option<u32>,
}

/// What a development service does to itself when it is asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The process ends at once, without a word to anybody.
    Kill,
    /// The log of the sender's room loses its newest entries.
    Rewind,
}

impl ClientMessage {
    /// Whether the message is numbered and enters the room's log.
    pub fn durable(&self) -> bool {
        match self {
            ClientMessage::Hello(_)
            | ClientMessage::Ack { .. }
            | ClientMessage::IceServers {}
            | ClientMessage::Quality { .. }
            | ClientMessage::Ping {}
            | ClientMessage::Simulate { .. } => false,
            ClientMessage::Sdp(_)
            | ClientMessage::Ice(_)
            | ClientMessage::Reset(_)
            | ClientMessage::Media(_)
            | ClientMessage::Chat(_)
            | ClientMessage::Knock { .. }
            | ClientMessage::Unknock {}
            | ClientMessage::Admit(_)
            | ClientMessage::Deny(_)
            | ClientMessage::Hold(_)
            | ClientMessage::Role { .. }
            | ClientMessage::AskMute { .. }
            | ClientMessage::Remove(_)
            | ClientMessage::Lock { .. }
            | ClientMessage::Extend { .. }
            | ClientMessage::StepOut {}
            | ClientMessage::End {}
            | ClientMessage::UndoEnd {}
            | ClientMessage::Reopen {}
            | ClientMessage::CallMe { .. }
            | ClientMessage::Nop {}
            | ClientMessage::Bye {} => true,
        }
    }

    /// The `type` on the wire, which is also the kind of the log entry.
    pub fn kind(&self) -> &'static str {
        match self {
            ClientMessage::Hello(_) => "hello",
            ClientMessage::Sdp(_) => "sdp",
            ClientMessage::Ice(_) => "ice",
            ClientMessage::Reset(_) => "reset",
            ClientMessage::Media(_) => "media",
            ClientMessage::Chat(_) => "chat",
            ClientMessage::Knock { .. } => "knock",
            ClientMessage::Unknock {} => "unknock",
            ClientMessage::Admit(_) => "admit",
            ClientMessage::Deny(_) => "deny",
            ClientMessage::Hold(_) => "hold",
            ClientMessage::Role { .. } => "role",
            ClientMessage::AskMute { .. } => "ask_mute",
            ClientMessage::Remove(_) => "remove",
            ClientMessage::Lock { .. } => "lock",
            ClientMessage::Extend { .. } => "extend",
            ClientMessage::StepOut {} => "step_out",
            ClientMessage::End {} => "end",
            ClientMessage::UndoEnd {} => "undo_end",
            ClientMessage::Reopen {} => "reopen",
            ClientMessage::CallMe { .. } => "call_me",
            ClientMessage::Nop {} => "nop",
            ClientMessage::Ack { .. } => "ack",
            ClientMessage::IceServers {} => "ice_servers",
            ClientMessage::Quality { .. } => "quality",
            ClientMessage::Ping {} => "ping",
            ClientMessage::Simulate { .. } => "simulate",
            ClientMessage::Bye {} => "bye",
        }
    }

    /// Every `type` that a client may send.
    pub const KINDS: [&str; 28] = [
        "hello",
        "sdp",
        "ice",
        "reset",
        "media",
        "chat",
        "knock",
        "unknock",
        "admit",
        "deny",
        "hold",
        "role",
        "ask_mute",
        "remove",
        "lock",
        "extend",
        "step_out",
        "end",
        "undo_end",
        "reopen",
        "call_me",
        "nop",
        "ack",
        "ice_servers",
        "quality",
        "ping",
        "simulate",
        "bye",
    ];

    /// Checks what a type alone can't say: lengths and counts.
    pub fn check(&self, limits: &Limits) -> Result<(), (ErrorCode, String)> {
        match self {
            ClientMessage::Hello(hello) => {
                require(hello.attempt > 0, "attempt counts from 1")?;
                require(hello.outbox.len() <= 16, "outbox has more than 16 sessions")?;
                let ranges = hello.outbox.iter().all(|o| 0 < o.first_c && o.first_c <= o.next_c);
                require(ranges, "outbox needs 1 <= first_c <= next_c")
            }
            ClientMessage::Sdp(sdp) => {
                require_name("pc", &sdp.pc, 16)?;
                at_most("sdp in bytes", sdp.sdp.len(), limits.sdp_bytes)
            }
            ClientMessage::Ice(ice) => {
                require_name("pc", &ice.pc, 16)?;
                at_most("number of candidates", ice.candidates.len(), limits.ice_batch)
            }
            ClientMessage::Reset(reset) => require_name("pc", &reset.pc, 16),
            ClientMessage::Chat(chat) => {
                require_name("id", &chat.id, 64)?;
                require(!chat.text.reveal().is_empty() || chat.canned.is_some(), "text is empty")?;
                require(
                    chat.canned.as_ref().is_none_or(|name| name.len() <= 64),
                    "canned has more than 64 characters",
                )?;
                check_text(chat.text.reveal(), limits)
            }
            ClientMessage::Admit(decision)
            | ClientMessage::Deny(decision)
            | ClientMessage::Hold(decision)
            | ClientMessage::Remove(decision) => match &decision.message {
                Some(message) => check_text(message.reveal(), limits),
                None => Ok(()),
            },
            ClientMessage::Extend { minutes } => require((5..=60).contains(minutes), "minutes must be 5 to 60"),
            ClientMessage::CallMe { number } => require(
                (3..=32).contains(&number.reveal().len()),
                "number must have 3 to 32 characters",
            ),
            ClientMessage::Quality { peers } => require(peers.len() <= 8, "more peers than a room holds"),
            ClientMessage::Media(_)
            | ClientMessage::Knock { .. }
            | ClientMessage::Unknock {}
            | ClientMessage::Role { .. }
            | ClientMessage::AskMute { .. }
            | ClientMessage::Lock { .. }
            | ClientMessage::StepOut {}
            | ClientMessage::End {}
            | ClientMessage::UndoEnd {}
            | ClientMessage::Reopen {}
            | ClientMessage::Nop {}
            | ClientMessage::Ack { .. }
            | ClientMessage::IceServers {}
            | ClientMessage::Ping {}
            | ClientMessage::Simulate { .. }
            | ClientMessage::Bye {} => Ok(()),
        }
    }
}

fn require(ok: bool, why: &str) -> Result<(), (ErrorCode, String)> {
    if ok {
        Ok(())
    } else {
        Err((ErrorCode::BadMessage, why.to_owned()))
    }
}

fn require_name(field: &str, value: &str, most: usize) -> Result<(), (ErrorCode, String)> {
    require(
        (1..=most).contains(&value.len()),
        &format!("{field} must have 1 to {most} characters"),
    )
}

fn at_most(what: &str, is: usize, limit: usize) -> Result<(), (ErrorCode, String)> {
    if is <= limit {
        Ok(())
    } else {
        Err((ErrorCode::TooLarge, format!("{what} is {is}, the limit is {limit}")))
    }
}

fn check_text(text: &str, limits: &Limits) -> Result<(), (ErrorCode, String)> {
    at_most("text in bytes", text.len(), limits.chat_bytes)?;
    at_most("text in characters", text.chars().count(), limits.chat_chars)
}
