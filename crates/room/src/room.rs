//! The room itself, and what applying an entry gives.

use crate::{ClaimData, Deadlines, Entry};
use heliograph_domain::{
    Language, ParticipantId, Pii, Role, UnixMillis,
    entry::{Chain, OutboxSpan},
};
use heliograph_protocol::{Capabilities, CloseCode, DeviceCheck, Media, Phase, Presence, SeatState, ServerMessage, To};
use litemap::LiteMap;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The number of the rules in this crate. A log is folded by the number in its `opened` entry.
pub const RULES: u32 = 1;

/// Lines of chat that a snapshot keeps.
pub(crate) const CHAT_TAIL: usize = 200;

/// One visit's room. Equal logs give equal rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    pub(crate) seq: u64,
    pub(crate) chain: Chain,
    pub(crate) at: UnixMillis,
    pub(crate) nonce: String,
    pub(crate) rules: u32,
    pub(crate) deadlines: Deadlines,
    /// People in the media mesh.
    pub(crate) most_admitted: usize,
    /// Most rooms hold two or three people: a sorted list is a small map.
    pub(crate) seats: LiteMap<ParticipantId, Box<Seat>>,
    /// What the store remembers of people who have not come yet.
    pub(crate) remembered: BTreeMap<ParticipantId, SeatState>,
    pub(crate) pairs: LiteMap<String, Pair>,
    pub(crate) seen: LiteMap<String, u64>,
    pub(crate) chat: VecDeque<Line>,
    pub(crate) phase: Phase,
    pub(crate) locked: bool,
    pub(crate) extended_min: u32,
    pub(crate) joins: u64,
    pub(crate) met_unknown_kind: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seat {
    pub role: Role,
    pub name: Pii<String>,
    pub language: Language,
    pub capabilities: Capabilities,
    pub rights_until: UnixMillis,
    pub holder: Option<Holder>,
    pub state: SeatState,
    pub presence: Presence,
    pub media: Media,
    pub device: DeviceCheck,
    pub knocked: bool,
    /// Since when the person waits, is held or admitted.
    pub since: UnixMillis,
    /// Since when the line is lost; it stays when the lease ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<UnixMillis>,
    /// The page whose lease ended: when it comes back it is the one that the others know, and its media connections go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// When the person asked for a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<UnixMillis>,
    /// The newest page has the highest number: it makes the first offer.
    pub joined: u64,
    /// The seq of the last frame for this seat: the next frame's `p`.
    pub delivered: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub session: String,
    pub attempt: u64,
    pub connection: String,
    pub outbox: Vec<OutboxSpan>,
}

/// The generations of a pair's media connections: `base` goes up when a page is new, a reset counts on top of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pair {
    pub base: u64,
    pub resets: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub s: u64,
    pub from: ParticipantId,
    pub id: String,
    pub text: Pii<String>,
    pub to: To,
    pub canned: Option<String>,
    pub at: UnixMillis,
    pub heard: BTreeSet<ParticipantId>,
    pub staff: bool,
}

/// What an entry means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Who gets which frame; at most one frame a seat.
    pub deliveries: Vec<Delivery>,
    /// For a claim: whether it holds.
    pub claim: Option<ClaimOutcome>,
}

/// One frame for one or more seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The seats, each with the seq of the frame before: `p`.
    pub to: Vec<(ParticipantId, u64)>,
    /// What they get; `None` for a kind that this release does not know.
    pub message: Option<ServerMessage>,
}

/// Whether a claim holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The seat is the page's. The log has so much of each session of its outbox.
    Allowed {
        /// Highest number in the log, by session.
        acked: BTreeMap<String, u64>,
        /// Nobody had the seat, or another page: this one is new in the room, and its media connections begin anew.
        fresh: bool,
    },
    /// The page is closed with this code.
    Refused(CloseCode),
}

impl Room {
    /// The room before the first entry.
    pub fn new() -> Room {
        Room {
            seq: 0,
            chain: Chain::START,
            at: UnixMillis(0),
            nonce: String::new(),
            rules: RULES,
            deadlines: Deadlines {
                undo_end_ms: 0,
                reopen_ms: 0,
            },
            most_admitted: 0,
            seats: LiteMap::new(),
            remembered: BTreeMap::new(),
            pairs: LiteMap::new(),
            seen: LiteMap::new(),
            chat: VecDeque::new(),
            phase: Phase::Open {},
            locked: false,
            extended_min: 0,
            joins: 0,
            met_unknown_kind: false,
        }
    }

    /// Takes the next entry of the log: `seq` is one above the room's.
    pub fn apply(&mut self, entry: &Entry) -> Applied {
        debug_assert_eq!(entry.header.seq, self.seq + 1, "entries are applied in order");
        crate::apply::apply(self, entry)
    }

    /// The number of the rules by which the log is folded.
    pub fn rules(&self) -> u32 {
        self.rules
    }

    /// The seq of the last entry applied.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The chain at that seq.
    pub fn chain(&self) -> Chain {
        self.chain
    }

    /// The instant of the last entry.
    pub fn at(&self) -> UnixMillis {
        self.at
    }

    /// The highest number accepted of a seat's session, 0 for none.
    pub fn seen(&self, seat: ParticipantId, session: &str) -> u64 {
        self.seen
            .get(&heliograph_domain::entry::seen_key(Some(seat), session))
            .copied()
            .unwrap_or(0)
    }

    /// The highest number accepted by session name, over all seats, of what may act on a page.
    pub fn marks(&self) -> BTreeMap<String, u64> {
        let acts = |session: &str| !["k:", "p:", "d:"].iter().any(|name| session.starts_with(name));
        self.seen
            .iter()
            .filter_map(|(key, c)| key.split_once(':').map(|(_, session)| (session.to_owned(), *c)))
            .filter(|(session, _)| acts(session))
            .collect()
    }

    /// The next instant at which something falls due.
    pub fn next_deadline(&self) -> Option<UnixMillis> {
        match self.phase {
            Phase::Ending { until_ms } => Some(until_ms),
            Phase::Open {} | Phase::Ended { .. } => None,
        }
    }

    /// The page that holds a seat: session, attempt, connection.
    pub fn holder(&self, seat: ParticipantId) -> Option<(&str, u64, &str)> {
        let holder = self.seats.get(&seat)?.holder.as_ref()?;
        Some((&holder.session, holder.attempt, &holder.connection))
    }

    /// The sessions that a seat's page still holds numbers of, oldest first.
    pub fn sessions(&self, seat: ParticipantId) -> impl Iterator<Item = &str> {
        let holder = self.seats.get(&seat).and_then(|seat| seat.holder.as_ref());
        holder
            .into_iter()
            .flat_map(|holder| &holder.outbox)
            .map(|span| span.session.as_str())
    }

    /// Where a person stands; `None` for somebody who never came.
    pub fn state(&self, seat: ParticipantId) -> Option<SeatState> {
        self.seats
            .get(&seat)
            .map(|seat| seat.state)
            .or_else(|| self.remembered.get(&seat).copied())
    }

    /// Who was inside before the room was opened anew, and is not back yet.
    pub(crate) fn to_come(&self) -> impl Iterator<Item = ParticipantId> {
        let inside = self
            .remembered
            .iter()
            .filter(|(_, state)| **state == SeatState::Admitted);
        inside.map(|(id, _)| *id).filter(|id| !self.seats.contains_key(id))
    }

    /// A person's role; `None` for somebody who never came.
    pub fn role(&self, seat: ParticipantId) -> Option<Role> {
        self.seats.get(&seat).map(|seat| seat.role)
    }

    /// Until when a person may sit here, as the last claim said.
    pub fn rights_until(&self, seat: ParticipantId) -> Option<UnixMillis> {
        self.seats.get(&seat).map(|seat| seat.rights_until)
    }

    /// Until when anybody may sit here; `None` before the first claim.
    pub fn last_rights(&self) -> Option<UnixMillis> {
        self.seats.values().map(|seat| seat.rights_until).max()
    }

    /// By how much the visit was extended, in milliseconds: for so much longer people may come in.
    pub fn extended_ms(&self) -> i64 {
        i64::from(self.extended_min) * 60_000
    }

    /// A claim by what the room knows of a person, for a resume while the store is away.
    pub fn remembered_claim(&self, seat: ParticipantId, capabilities: Capabilities) -> Option<ClaimData> {
        self.seats.get(&seat).map(|seat| ClaimData {
            role: seat.role,
            name: seat.name.clone(),
            language: seat.language.clone(),
            rights_until: seat.rights_until,
            capabilities,
            stands: None,
        })
    }

    /// Where the visit stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether somebody admitted is there.
    pub fn is_occupied(&self) -> bool {
        self.seats
            .values()
            .any(|seat| seat.state == SeatState::Admitted && !seat.presence.is_left())
    }

    /// The seats of which nobody has left.
    pub fn present(&self) -> impl Iterator<Item = ParticipantId> {
        self.seats
            .iter()
            .filter(|(_, seat)| !seat.presence.is_left())
            .map(|(id, _)| *id)
    }

    /// Whether an entry of a later release was passed on: such a room makes no snapshot.
    pub fn met_unknown_kind(&self) -> bool {
        self.met_unknown_kind
    }

    /// The room as bytes; equal rooms give equal bytes.
    pub fn to_snapshot(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("keys are texts and numbers are finite")
    }

    /// The room of these bytes.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Room, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::new()
    }
}
