//! The port: what every log must do. docs/ARCHITECTURE.md, "A room is an ordered log", says why.

use crate::Clear;
use async_trait::async_trait;
use bytes::Bytes;
use futures::channel::mpsc;
use heliograph_domain::{
    ParticipantId, TenantId, UnixMillis, VisitId,
    entry::{Audience, Chain, ClaimRow, EntryHeader},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use thiserror::Error;

/// Which room.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomKey {
    /// The institution that the visit belongs to.
    pub institution: TenantId,
    /// The visit.
    pub visit: VisitId,
}

/// An entry as it lies in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// In the clear.
    pub header: EntryHeader,
    /// Sealed; a claim's begins with its row, `presence` and `due` have none.
    pub data: Bytes,
}

impl LogEntry {
    /// The entry that a draft becomes after `head`, whose instant was `at`.
    pub fn after(head: Mark, at: UnixMillis, draft: Draft) -> LogEntry {
        let Draft {
            from,
            session,
            cseq,
            audience,
            kind,
            data,
            connection: _,
        } = draft;
        let chain = head.chain.after(from, &session, cseq, audience, &kind, at, &data);
        let header = EntryHeader {
            seq: head.seq + 1,
            chain,
            from,
            session,
            cseq,
            audience,
            kind,
            at,
        };
        LogEntry { header, data }
    }

    /// Whether it came of this draft, as far as a draft says.
    pub fn is_of(&self, draft: &Draft) -> bool {
        let header = &self.header;
        self.data == draft.data
            && (header.from, header.cseq, header.audience) == (draft.from, draft.cseq, draft.audience)
            && (&header.session, &header.kind) == (&draft.session, &draft.kind)
    }

    /// The same entry, to be appended elsewhere.
    pub fn draft(&self) -> Draft {
        let header = &self.header;
        Draft {
            from: header.from,
            connection: None,
            session: header.session.clone(),
            cseq: header.cseq,
            audience: header.audience,
            kind: header.kind.clone(),
            data: self.data.clone(),
        }
    }

    /// Its place.
    pub fn mark(&self) -> Mark {
        Mark {
            seq: self.header.seq,
            chain: self.header.chain,
        }
    }
}

/// How far a node has folded a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The last entry's seq, 0 for none.
    pub seq: u64,
    /// The chain there.
    pub chain: Chain,
}

impl Default for Mark {
    fn default() -> Mark {
        Mark::START
    }
}

impl Mark {
    /// Nothing folded.
    pub const START: Mark = Mark {
        seq: 0,
        chain: Chain::START,
    };
}

/// The log can't be reached. What was asked may or may not have been done: asking again is safe.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the room log can't be reached: {0}")]
pub struct Away(pub String);

impl From<crate::JournalError> for Away {
    fn from(error: crate::JournalError) -> Away {
        Away(error.to_string())
    }
}

/// A page asks for a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRequest {
    /// The seat.
    pub seat: ParticipantId,
    /// Session, attempt, connection, outbox, ticket.
    pub row: ClaimRow,
    /// The session that the person was shown as holder and wants to take the seat from.
    pub takeover: Option<String>,
    /// The sealed part of the entry's data.
    pub sealed: Bytes,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimAnswer {
    /// It is the entry `seq`. The same attempt of the same connection gets the same answer again.
    Granted {
        /// Its seq: whether it holds is told by the fold at this place.
        seq: u64,
    },
    /// A later attempt of the session was there before.
    Stale,
    /// Another page has the seat.
    Taken {
        /// Its session.
        holder: String,
    },
    /// The ticket was used by another connection.
    TicketUsed,
    /// The node's mark is not in the log.
    Rewound,
    /// The log has no first entry yet.
    Empty,
}

/// An entry to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The seat, for a client's entry.
    pub from: Option<ParticipantId>,
    /// The connection that brought it: it must have the seat. `None` for what a node appends in its own right: the service's
    /// entries, and a client's when a log is repaired.
    pub connection: Option<String>,
    /// The session that numbered it.
    pub session: String,
    /// Its number there.
    pub cseq: u64,
    /// Who it is for.
    pub audience: Audience,
    /// What it is.
    pub kind: String,
    /// Sealed.
    pub data: Bytes,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppendAnswer {
    /// It has this place.
    Ok {
        /// Its seq.
        seq: u64,
        /// The chain there.
        chain: Chain,
        /// When the log took it.
        at: UnixMillis,
    },
    /// It was there before; so much of the session is in the log.
    Dup {
        /// The highest number accepted.
        acked: u64,
    },
    /// One before it is missing.
    Gap {
        /// In this session.
        session: String,
        /// The highest number accepted there.
        acked: u64,
    },
    /// The connection does not have the seat.
    Unclaimed,
    /// The node's mark is not in the log.
    Rewound,
}

/// A node tells which of its seats are alive, every few seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// How far the node has folded.
    pub mark: Mark,
    /// The seats whose sockets it has.
    pub seats: Vec<SeatBeat>,
    /// The room's next deadline, which the log turns into a `due` entry when it has come.
    pub deadline: Option<UnixMillis>,
}

/// One living seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatBeat {
    /// The seat.
    pub seat: ParticipantId,
    /// The session that has it.
    pub session: String,
    /// The attempt.
    pub attempt: u64,
    /// What its page has taken.
    pub acked: Option<Mark>,
}

/// What a beat found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BeatAnswer {
    /// The node's mark is not in the log.
    pub rewound: bool,
    /// The seq of the log's last entry.
    pub head: u64,
    /// The seq at which the log was cut last, 0 for never.
    pub first: u64,
    /// Seats of this beat that the log no longer counts as theirs: the page must claim again.
    pub lapsed: Vec<ParticipantId>,
    /// The highest number accepted, by `seat:session`.
    pub seen: BTreeMap<String, u64>,
    /// What each seat's page has taken, as far as it told.
    pub acked: BTreeMap<ParticipantId, Mark>,
}

/// Leases, in milliseconds of the log's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leases {
    /// Between two beats. A sweep that finds the last one more than two beats old expires nothing: an outage makes nobody leave.
    pub beat_ms: i64,
    /// How long a seat counts as online without a beat.
    pub lease_ms: i64,
    /// How long it is `reconnecting` before it has left.
    pub reconnecting_ms: i64,
}

/// A fold, sealed, that replaces all entries up to its mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Where it stands.
    pub mark: Mark,
    /// The log's instant there.
    pub at: UnixMillis,
    /// What the entries up to there say in the clear.
    pub clear: Clear,
    /// The sealed fold.
    pub data: Bytes,
}

/// What is in a log after a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The snapshot to start from, if the mark was trimmed (or nothing was folded yet).
    pub base: Option<Arc<Snapshot>>,
    /// The entries after the base or the mark.
    pub entries: Vec<Arc<LogEntry>>,
}

impl Tail {
    /// The mark of the last entry, as far as this tail reaches; `None` if it is empty.
    pub fn head(&self) -> Option<Mark> {
        let last = self.entries.last().map(|entry| entry.mark());
        last.or_else(|| self.base.as_ref().map(|base| base.mark))
    }
}

/// New entries of a room, in order. It may skip some when its reader is slow: a hole in `seq` is filled by `read_after`.
/// It ends when the log was replaced: whoever reads it compares its mark and subscribes again.
pub type Subscription = mpsc::Receiver<Arc<LogEntry>>;

/// Ordered logs, one for each room.
#[async_trait]
pub trait RoomLog: Send + Sync + 'static {
    /// Gives a seat to a page, or says why not. A granted claim is an entry.
    async fn claim(&self, room: &RoomKey, mark: Mark, claim: ClaimRequest) -> Result<ClaimAnswer, Away>;

    /// Appends an entry.
    async fn append(&self, room: &RoomKey, mark: Mark, draft: Draft) -> Result<AppendAnswer, Away>;

    /// Renews leases, sweeps those that ran out, appends what is due.
    async fn beat(&self, room: &RoomKey, beat: Beat) -> Result<BeatAnswer, Away>;

    /// Everything after a mark; `None` if the mark is not in the log. [`Mark::START`] is in every log. A mark before the
    /// snapshot can't be judged: the answer then begins with the snapshot.
    async fn read_after(&self, room: &RoomKey, mark: Mark) -> Result<Option<Tail>, Away>;

    /// All entries from now on.
    async fn subscribe(&self, room: &RoomKey) -> Result<Subscription, Away>;

    /// Trims the log to a snapshot; `false` if it is not newer, or not of this log.
    async fn snapshot(&self, room: &RoomKey, snapshot: Arc<Snapshot>) -> Result<bool, Away>;

    /// Replaces what is in the log, if its last entry still is `expected`; otherwise `false`. [`crate::repair`] says by what.
    async fn mend(
        &self,
        room: &RoomKey,
        expected: Mark,
        base: Option<Arc<Snapshot>>,
        entries: Vec<Arc<LogEntry>>,
    ) -> Result<bool, Away>;

    /// Removes a room whose time is over.
    async fn forget(&self, room: &RoomKey) -> Result<(), Away>;
}
