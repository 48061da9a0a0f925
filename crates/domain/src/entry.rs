//! The header of a log entry, and the chain that two logs are compared by.

use crate::{ParticipantId, UnixMillis};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// Who an entry is for. It is resolved to people by the fold, at the entry's own place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Audience {
    /// Everybody who is admitted.
    All,
    /// Whoever may admit.
    Staff,
    /// Nobody but the sender.
    Own,
    /// One participant.
    Seat(ParticipantId),
}

/// A text that names no audience.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown audience: expected all, staff, self or a participant id")]
pub struct InvalidAudience;

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Audience::All => f.write_str("all"),
            Audience::Staff => f.write_str("staff"),
            Audience::Own => f.write_str("self"),
            Audience::Seat(seat) => seat.fmt(f),
        }
    }
}

impl FromStr for Audience {
    type Err = InvalidAudience;
    fn from_str(text: &str) -> Result<Self, InvalidAudience> {
        match text {
            "all" => Ok(Audience::All),
            "staff" => Ok(Audience::Staff),
            "self" => Ok(Audience::Own),
            seat => seat.parse().map(Audience::Seat).map_err(|_| InvalidAudience),
        }
    }
}

impl TryFrom<String> for Audience {
    type Error = InvalidAudience;
    fn try_from(text: String) -> Result<Self, InvalidAudience> {
        text.parse()
    }
}

impl From<Audience> for String {
    fn from(audience: Audience) -> String {
        audience.to_string()
    }
}

/// What lies in the clear beside an entry's sealed data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryHeader {
    /// Counts up by one in a room, from 1.
    pub seq: u64,
    /// Agrees in two logs only if all entries up to this one agree.
    pub chain: Chain,
    /// The seat that it comes from; `None` for what the service itself appends.
    pub from: Option<ParticipantId>,
    /// The page life that numbered it, or a name of the service's own (`o:`, `k:`, `p:`, `d:` and a rest).
    pub session: String,
    /// The number within the session, from 1.
    pub cseq: u64,
    /// Who it is for.
    pub audience: Audience,
    /// What it is; an older release passes on kinds that it does not know.
    pub kind: String,
    /// When the log took it: never lower than the entry before.
    pub at: UnixMillis,
}

/// What a claim says in the clear: the log and the fold both keep their rows by it. It stands as one line of JSON before
/// the sealed part of a claim's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRow {
    /// The page life that claims the seat.
    pub session: String,
    /// Counts up with each connection of the session.
    pub attempt: u64,
    /// The socket, named by its node.
    pub connection: String,
    /// Numbers that the page still holds, oldest session first, its own last.
    pub outbox: Vec<OutboxSpan>,
    /// The ticket that it came with: it is used by this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Ticket>,
}

/// A single-use ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its random name.
    pub jti: String,
    /// When it may be forgotten.
    pub expires: UnixMillis,
}

/// Numbers of one session that a page still holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxSpan {
    /// The session that numbered them.
    pub session: String,
    /// The lowest number that can be resent.
    pub first_c: u64,
    /// One above the highest number given.
    pub next_c: u64,
}

impl ClaimRow {
    /// The claim's data: this row as a line of JSON, a newline, the sealed part.
    pub fn with_sealed(&self, sealed: &[u8]) -> Vec<u8> {
        let mut data = serde_json::to_vec(self).expect("texts and numbers are always JSON");
        data.push(b'\n');
        data.extend_from_slice(sealed);
        data
    }

    /// Takes a claim's data apart: the row and the sealed part.
    pub fn split(data: &[u8]) -> Option<(ClaimRow, &[u8])> {
        let line = data.iter().position(|byte| *byte == b'\n')?;
        let mut row: ClaimRow = serde_json::from_slice(&data[..line]).ok()?;
        // It stays for as long as the page has the seat.
        row.outbox.shrink_to_fit();
        Some((row, &data[line + 1..]))
    }
}

/// The key of `seen`: numbers count per seat and session; the service itself has no seat.
pub fn seen_key(seat: Option<ParticipantId>, session: &str) -> String {
    match seat {
        Some(seat) => format!("{seat}:{session}"),
        None => format!(":{session}"),
    }
}

/// The first 16 hexadecimal digits of a SHA-1 over an entry and the chain before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct Chain([u8; 8]);

impl Chain {
    /// The chain before the first entry.
    pub const START: Chain = Chain([0; 8]);

    /// The chain after an entry: the first eight bytes of `sha1(prev "\n" from "\n" session "\n" cseq "\n" audience "\n"
    /// kind "\n" at "\n" sha1(data))`, every part as text, digests as lower-case hexadecimal, `from` empty for the service itself.
    #[must_use]
    #[expect(
        clippy::too_many_arguments,
        reason = "these are exactly the parts that the chain covers"
    )]
    pub fn after(
        self,
        from: Option<ParticipantId>,
        session: &str,
        cseq: u64,
        audience: Audience,
        kind: &str,
        at: UnixMillis,
        data: &[u8],
    ) -> Chain {
        let from = from.map(|seat| seat.to_string()).unwrap_or_default();
        let data = hex(&Sha1::digest(data));
        let text = format!(
            "{self}\n{from}\n{session}\n{cseq}\n{audience}\n{kind}\n{}\n{data}",
            at.0
        );
        let digest = Sha1::digest(text);
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Chain(first)
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a string takes all text");
            text
        })
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no chain.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected 16 lower-case hexadecimal digits")]
pub struct InvalidChain;

impl FromStr for Chain {
    type Err = InvalidChain;
    fn from_str(text: &str) -> Result<Self, InvalidChain> {
        if text.len() != 16 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(InvalidChain);
        }
        u64::from_str_radix(text, 16)
            .map(|n| Chain(n.to_be_bytes()))
            .map_err(|_| InvalidChain)
    }
}

impl TryFrom<String> for Chain {
    type Error = InvalidChain;
    fn try_from(text: String) -> Result<Self, InvalidChain> {
        text.parse()
    }
}

impl From<Chain> for String {
    fn from(chain: Chain) -> String {
        chain.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_an_entry_changes_the_chain() {
        let seat = ParticipantId::from_parts(UnixMillis(1), &[7; 10]);
        let base = Chain::START.after(
            Some(seat),
            "session-1",
            1,
            Audience::All,
            "chat",
            UnixMillis(5),
            b"data",
        );
        let others = [
            base.after(
                Some(seat),
                "session-1",
                1,
                Audience::All,
                "chat",
                UnixMillis(5),
                b"data",
            ),
            Chain::START.after(None, "session-1", 1, Audience::All, "chat", UnixMillis(5), b"data"),
            Chain::START.after(
                Some(seat),
                "session-2",
                1,
                Audience::All,
                "chat",
                UnixMillis(5),
                b"data",
            ),
            Chain::START.after(
                Some(seat),
                "session-1",
                2,
                Audience::All,
                "chat",
                UnixMillis(5),
                b"data",
            ),
            Chain::START.after(
                Some(seat),
                "session-1",
                1,
                Audience::Staff,
                "chat",
                UnixMillis(5),
                b"data",
            ),
            Chain::START.after(
                Some(seat),
                "session-1",
                1,
                Audience::All,
                "void",
                UnixMillis(5),
                b"data",
            ),
            Chain::START.after(
                Some(seat),
                "session-1",
                1,
                Audience::All,
                "chat",
                UnixMillis(6),
                b"data",
            ),
            Chain::START.after(
                Some(seat),
                "session-1",
                1,
                Audience::All,
                "chat",
                UnixMillis(5),
                b"other",
            ),
        ];
        assert!(others.iter().all(|chain| *chain != base));
        assert_eq!(base.to_string().parse(), Ok(base));
    }

    /// Computed with Python's hashlib from the documented text, so that a log written elsewhere agrees.
    #[test]
    fn the_chain_is_the_documented_digest() {
        let chain = Chain::START.after(None, "open", 1, Audience::All, "opened", UnixMillis(0), b"");
        assert_eq!(chain.to_string(), "c554d5966ef3c1b3");
    }
}
