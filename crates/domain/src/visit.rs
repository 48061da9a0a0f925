//! Visits: what is booked, who takes part, and what happened in the room.

mod standing;

pub use standing::Standing;

use crate::zone::{WallTime, Zone};
use crate::{Language, ParticipantId, PersonId, Pii, Role, ServiceId, UnixMillis, UnixSeconds, VisitId};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// Instants from `start` up to, but without, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first instant.
    pub start: UnixSeconds,
    /// The first instant after it.
    pub end: UnixSeconds,
}

impl Span {
    /// The span of so many seconds from an instant on.
    pub fn of(start: UnixSeconds, seconds: i64) -> Self {
        Self {
            start,
            end: start.plus(seconds),
        }
    }

    /// Whether two spans share an instant; spans that only touch do not.
    pub fn overlaps(self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Its length in seconds.
    pub fn seconds(self) -> i64 {
        self.end.0 - self.start.0
    }
}

/// Time that people need around a visit, in seconds, multiples of five minutes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Buffers {
    /// Kept free before the start.
    pub before_s: i64,
    /// Kept free after the end.
    pub after_s: i64,
}

impl Buffers {
    /// A visit's span with the buffers on both sides: what its people are busy for.
    #[must_use]
    pub fn around(self, span: Span) -> Span {
        Span {
            start: span.start.plus(-self.before_s),
            end: span.end.plus(self.after_s),
        }
    }
}

/// What can be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The institution's name for it.
    pub id: ServiceId,
    /// Its name for people.
    pub name: String,
    /// Its usual length in seconds.
    pub duration_s: i64,
    /// The time around it.
    pub buffers: Buffers,
}

/// Whether a visit will take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VisitStatus {
    /// It will.
    Booked,
    /// It was called off.
    Cancelled,
}

/// The promise that a visit was made from: when a newer time zone database moves it, this stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Whose availability rule made it, if one did.
    pub person: Option<PersonId>,
    /// The zone that was named.
    pub zone: Zone,
    /// What the clocks of that zone were said to show at the start.
    pub wall: WallTime,
    /// Seconds that the zone was said to be ahead of UTC then.
    pub offset_s: i32,
    /// The release of the database that said so.
    pub tzdb_version: String,
}

/// A booked visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Its id, also of its room.
    pub id: VisitId,
    /// Its name in people's calendars.
    pub ical_uid: String,
    /// Counts what its people were told; goes up on every change of time, people or status.
    pub sequence: i64,
    /// Counts every change of the row.
    pub version: i64,
    /// Whether it will take place.
    pub status: VisitStatus,
    /// What was booked, if it was a named service.
    pub service: Option<ServiceId>,
    /// From the start to the end, without buffers.
    pub span: Span,
    /// The promise that it was made from.
    pub anchor: Anchor,
    /// Who takes part, in the order of the booking.
    pub participants: Vec<Participant>,
}

/// One person's place in one visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Its id, also of the seat in the room.
    pub id: ParticipantId,
    /// Who it is.
    pub person: PersonId,
    /// The name to show.
    pub name: Pii<String>,
    /// What the person does in the visit.
    pub role: Role,
    /// Whether the visit makes no sense without the person.
    pub required: bool,
    /// The zone in which the person was told the time.
    pub zone: Zone,
    /// The language that the person reads.
    pub language: Language,
    /// What the person's clocks were said to show at the start.
    pub promised_wall: WallTime,
    /// Seconds that the person's zone was said to be ahead of UTC then.
    pub promised_offset_s: i32,
    /// The generation of the person's link: older ones are void.
    pub link_generation: u32,
    /// How far the person's page said that it is, and since when.
    pub reported: Option<Reported>,
}

/// How far a page is before its person waits. The next one is never taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// The link was opened.
    Opened,
    /// The device check runs.
    Testing,
    /// Place, number and consent are given.
    CheckedIn,
}

/// What a page reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reported {
    /// How far it is.
    pub progress: Progress,
    /// When it said so.
    pub at: UnixMillis,
}

/// What happened in a room and outlives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// Someone who waited was let in.
    Admit,
    /// Someone who was in was sent back to waiting.
    Hold,
    /// Someone was removed for good.
    Remove,
    /// Someone who waited was turned away.
    Deny,
    /// The visit was ended.
    End,
    /// The end was taken back.
    EndUndone,
    /// The visit was opened again after its end.
    Reopen,
    /// A page took its seat with a ticket.
    Join,
}

impl FactKind {
    /// Every kind, in order.
    pub const ALL: [FactKind; 8] = [
        FactKind::Admit,
        FactKind::Hold,
        FactKind::Remove,
        FactKind::Deny,
        FactKind::End,
        FactKind::EndUndone,
        FactKind::Reopen,
        FactKind::Join,
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            FactKind::Admit => "admit",
            FactKind::Hold => "hold",
            FactKind::Remove => "remove",
            FactKind::Deny => "deny",
            FactKind::End => "end",
            FactKind::EndUndone => "end_undone",
            FactKind::Reopen => "reopen",
            FactKind::Join => "join",
        }
    }
}

/// A fact of a room, with the number that its sender gave it: `(session, cseq)` is unique in a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The page life that numbered it, or a name of the service's own.
    pub session: String,
    /// The number within the session.
    pub cseq: u64,
    /// What happened.
    pub kind: FactKind,
    /// To whom, where it concerns one person.
    pub participant: Option<ParticipantId>,
    /// When the room's log took it.
    pub at: UnixMillis,
}

impl VisitStatus {
    /// Every status, in order.
    pub const ALL: [VisitStatus; 2] = [VisitStatus::Booked, VisitStatus::Cancelled];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            VisitStatus::Booked => "booked",
            VisitStatus::Cancelled => "cancelled",
        }
    }
}

impl Progress {
    /// Every step, in order.
    pub const ALL: [Progress; 3] = [Progress::Opened, Progress::Testing, Progress::CheckedIn];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Progress::Opened => "opened",
            Progress::Testing => "testing",
            Progress::CheckedIn => "checked_in",
        }
    }
}

/// A text that names no status, step or kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown name {0:?}")]
pub struct UnknownName(pub String);

macro_rules! named {
    ($name:ident) => {
        impl FromStr for $name {
            type Err = UnknownName;
            fn from_str(text: &str) -> Result<Self, UnknownName> {
                Self::ALL
                    .into_iter()
                    .find(|n| n.as_str() == text)
                    .ok_or_else(|| UnknownName(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

named!(VisitStatus);
named!(Progress);
named!(FactKind);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_touch_do_not_overlap() {
        let span = |start, end| Span {
            start: UnixSeconds(start),
            end: UnixSeconds(end),
        };
        assert!(!span(0, 10).overlaps(span(10, 20)));
        assert!(span(0, 11).overlaps(span(10, 20)));
        assert!(span(12, 13).overlaps(span(10, 20)));
        let buffers = Buffers {
            before_s: 300,
            after_s: 600,
        };
        assert_eq!(buffers.around(span(1_000, 2_000)), span(700, 2_600));
    }

    #[test]
    fn names_read_back() {
        for kind in FactKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        for progress in Progress::ALL {
            assert_eq!(progress.as_str().parse(), Ok(progress));
            assert_eq!(serde_json::to_value(progress).unwrap(), progress.as_str());
        }
        assert!("ended".parse::<FactKind>().is_err());
    }
}
