use crate::{Capabilities, DeviceCheck, LeftWhy, Media, To};
use heliograph_domain::{Language, ParticipantId, Pii, Role, UnixMillis, VisitId};
use serde::{Deserialize, Serialize};

/// Where a person stands in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeatState {
    /// Not admitted yet.
    Waiting,
    /// In the room.
    Admitted,
    /// Was admitted, waits again.
    Held,
    /// Was sent away.
    Denied,
    /// Was removed for good.
    Removed,
}

/// Whether a person's page is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Presence {
    /// Connected.
    Online {},
    /// The line is lost; the page is expected back.
    Reconnecting {
        /// Since when.
        since_ms: UnixMillis,
    },
    /// Gone.
    Left {
        /// Why.
        why: LeftWhy,
    },
}

impl Presence {
    /// Whether the person is gone, for whatever reason.
    pub fn is_left(&self) -> bool {
        matches!(self, Presence::Left { .. })
    }
}

/// An admitted person, as one other person in the room sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Member {
    /// Who.
    pub participant: ParticipantId,
    /// What they do in the visit.
    pub role: Role,
    /// Their name.
    #[schema(value_type = String)]
    pub name: Pii<String>,
    /// Their language.
    pub language: Language,
    /// Whether their page is connected.
    pub presence: Presence,
    /// What their devices do.
    pub media: Media,
    /// What their page can do.
    pub capabilities: Capabilities,
    /// The generation of the media connection between the reader and them.
    pub generation: u64,
    /// The reader makes the first offer of that generation.
    pub offerer: bool,
    /// The reader is the polite side: it rolls back when offers collide.
    pub polite: bool,
}

/// Somebody who waits, as staff see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Waiting {
    /// Who.
    pub participant: ParticipantId,
    /// What they do in the visit.
    pub role: Role,
    /// Their name.
    #[schema(value_type = String)]
    pub name: Pii<String>,
    /// Their language.
    pub language: Language,
    /// Waiting for the first time, held or denied.
    pub state: SeatState,
    /// Whether their page is connected.
    pub presence: Presence,
    /// Since when they wait.
    pub since_ms: UnixMillis,
    /// They said that they are ready.
    pub knocked: bool,
    /// What their device check found.
    pub device: DeviceCheck,
}

/// One line of the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChatLine {
    /// Room seq.
    pub s: u64,
    /// Who wrote it.
    pub from: ParticipantId,
    /// The writer's own name for the line.
    pub id: String,
    /// The text.
    #[schema(value_type = String)]
    pub text: Pii<String>,
    /// For whom.
    pub to: To,
    /// A text of the client's catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canned: Option<String>,
    /// When.
    pub at_ms: UnixMillis,
}

/// Where the visit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Phase {
    /// Goes on.
    Open {},
    /// Ends soon, unless it is undone.
    Ending {
        /// When it ends.
        until_ms: UnixMillis,
    },
    /// Over.
    Ended {
        /// Until when it can be reopened.
        reopen_until_ms: UnixMillis,
    },
}

/// The whole room, as one person sees it. It replaces what the client had and is never merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RoomView {
    /// The reader's own state.
    pub state: SeatState,
    /// The reader's own role.
    pub role: Role,
    /// Where the visit stands.
    pub phase: Phase,
    /// Nobody more is admitted.
    pub locked: bool,
    /// Minutes added to the booked end.
    pub extended_min: u32,
    /// The others in the room; empty while the reader waits.
    pub members: Vec<Member>,
    /// Who waits; empty for everybody but staff.
    pub waiting: Vec<Waiting>,
    /// The end of the chat, as far as it is meant for the reader.
    pub chat: Vec<ChatLine>,
}

/// A visit's state in a word, for the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeskState {
    /// Nothing happened yet.
    Scheduled,
    /// The link was opened.
    Opened,
    /// The device check runs.
    Testing,
    /// Place, number and consent are given.
    CheckedIn,
    /// Somebody waits to be admitted.
    Waiting,
    /// Goes on.
    InVisit,
    /// Everybody was sent back to waiting.
    OnHold,
    /// Somebody's line is lost.
    Lost,
    /// Somebody asked for a call.
    CallRequested,
    /// Over.
    Ended,
}

/// One visit on the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeskVisit {
    /// The visit.
    pub visit: VisitId,
    /// Its state.
    pub state: DeskState,
    /// Since when.
    pub since_ms: UnixMillis,
    /// Whom it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ParticipantId>,
}
