//! What an entry says, once its data is opened.

use heliograph_domain::{
    Language, ParticipantId, Pii, Role, UnixMillis,
    entry::{ClaimRow, EntryHeader},
};
use heliograph_protocol::{Capabilities, ClientMessage, ErrorCode, NoticeKind, SeatState};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An entry of a room's log with its data opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What stands in the clear.
    pub header: EntryHeader,
    /// What it says.
    pub body: Body,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// The first entry of a log: what the store knows of the visit.
    Opened(Opened),
    /// A page takes a seat.
    Claim(ClaimRow, ClaimData),
    /// A durable message of a client.
    Message(ClientMessage),
    /// The place of a message whose content could not be read, or that was refused in a log before a repair.
    Void(VoidData),
    /// A seat's lease ran out: `reconnecting`, then left. Its name is `p:<session>:<attempt>:<state>`.
    Presence {
        /// The session that it is about.
        session: String,
        /// The attempt that it is about.
        attempt: u64,
        /// The line is lost for good.
        left: bool,
    },
    /// A deadline has come. Its name is `d:<milliseconds>`.
    Due(UnixMillis),
    /// Something about the visit as it was booked, from the outbox.
    Notice(Notice),
    /// A kind of a later release: passed on to its audience as it is.
    Unknown,
}

/// What the store knows of a visit when its log begins. `rules` is the number by which every release folds this log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Random; with `(seq, chain)` it names this history.
    pub nonce: String,
    /// The number of the room's rules.
    pub rules: u32,
    /// Who was admitted.
    pub admitted: Vec<ParticipantId>,
    /// Who was sent back to waiting.
    pub held: Vec<ParticipantId>,
    /// Who was removed.
    pub removed: Vec<ParticipantId>,
    /// When the visit ended, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<UnixMillis>,
    /// How long an end can be undone, how long an ended visit reopened.
    pub deadlines: Deadlines,
    /// How many people may be admitted at once.
    pub most_admitted: usize,
}

/// The spans that decide about ends, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadlines {
    /// From `end` to the end.
    pub undo_end_ms: i64,
    /// From the end to the last moment of a `reopen`.
    pub reopen_ms: i64,
}

impl Opened {
    /// The state that the store remembers of a seat.
    pub(crate) fn states(&self) -> impl Iterator<Item = (ParticipantId, SeatState)> {
        let admitted = self.admitted.iter().map(|seat| (*seat, SeatState::Admitted));
        let held = self.held.iter().map(|seat| (*seat, SeatState::Held));
        let removed = self.removed.iter().map(|seat| (*seat, SeatState::Removed));
        admitted.chain(held).chain(removed)
    }
}

/// What a claim says under seal: who sits down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimData {
    /// What the person does in the visit.
    pub role: Role,
    /// The name.
    pub name: Pii<String>,
    /// The language.
    pub language: Language,
    /// Until when the person may sit here.
    pub rights_until: UnixMillis,
    /// What the page can do.
    pub capabilities: Capabilities,
    /// Where the store says that the person stands, if the log may have lost that. It counts for somebody whom the log does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands: Option<SeatState>,
}

/// Why a message has no content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidData {
    /// What its sender is told.
    pub code: ErrorCode,
}

/// Something about the visit as it was booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What.
    pub kind: NoticeKind,
    /// `moved`: the new start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<UnixMillis>,
    /// `late`: about how many minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// The one person whom it concerns; nobody else is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant: Option<ParticipantId>,
}

/// An entry's data does not have the form of its kind.
#[derive(Debug, Error)]
#[error("entry {seq} of kind {kind}: {why}")]
pub struct Unreadable {
    seq: u64,
    kind: String,
    why: &'static str,
}

impl Body {
    /// Kinds whose data is empty and in the clear, since the log itself appends them.
    pub fn is_unsealed(kind: &str) -> bool {
        matches!(kind, "presence" | "due")
    }

    /// Reads an entry's opened data. A claim brings its row, which stood in the clear.
    pub fn read(header: &EntryHeader, row: Option<ClaimRow>, data: &[u8]) -> Result<Body, Unreadable> {
        let unreadable = |why| Unreadable {
            seq: header.seq,
            kind: header.kind.clone(),
            why,
        };
        let json = |_| unreadable("its data has another form");
        match header.kind.as_str() {
            "opened" => serde_json::from_slice(data).map(Body::Opened).map_err(json),
            "claim" => {
                let row = row.ok_or_else(|| unreadable("its row is missing"))?;
                serde_json::from_slice(data)
                    .map(|data| Body::Claim(row, data))
                    .map_err(json)
            }
            "void" => serde_json::from_slice(data).map(Body::Void).map_err(json),
            "notice" => serde_json::from_slice(data).map(Body::Notice).map_err(json),
            "presence" => read_presence(&header.session).ok_or_else(|| unreadable("its session has another form")),
            "due" => {
                let at = header.session.strip_prefix("d:").and_then(|ms| ms.parse().ok());
                at.map(|ms| Body::Due(UnixMillis(ms)))
                    .ok_or_else(|| unreadable("its session has another form"))
            }
            kind if ClientMessage::KINDS.contains(&kind) => {
                serde_json::from_slice(data).map(Body::Message).map_err(json)
            }
            _ => Ok(Body::Unknown),
        }
    }
}

fn read_presence(name: &str) -> Option<Body> {
    let (rest, state) = name.strip_prefix("p:")?.rsplit_once(':')?;
    let (session, attempt) = rest.rsplit_once(':')?;
    let left = match state {
        "reconnecting" => false,
        "left" => true,
        _ => return None,
    };
    Some(Body::Presence {
        session: session.to_owned(),
        attempt: attempt.parse().ok()?,
        left,
    })
}
