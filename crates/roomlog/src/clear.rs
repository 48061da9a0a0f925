//! What a log knows without reading sealed data: a fold of headers and claim rows.

use crate::LogEntry;
use heliograph_domain::{
    ParticipantId, UnixMillis,
    entry::{ClaimRow, EntryHeader, seen_key},
};
use litemap::LiteMap;
use serde::{Deserialize, Serialize};

/// What was accepted, who has which seat, which tickets are used. Equal logs give equal values, so that a log can be
/// rebuilt from its entries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clear {
    /// The highest number accepted, by `seat:session`.
    pub seen: LiteMap<String, u64>,
    /// Who has which seat.
    pub seats: LiteMap<ParticipantId, Box<SeatRow>>,
    /// Used tickets: the connection, and when they may be forgotten.
    pub tickets: LiteMap<String, (String, UnixMillis)>,
}

/// How far the clocks of nodes and log may be apart: a used ticket is known for so much longer than it is good.
const SKEW_MS: i64 = 5 * 60 * 1000;

/// The page that has a seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatRow {
    /// Its session.
    pub session: String,
    /// Its attempt.
    pub attempt: u64,
    /// Its socket.
    pub connection: String,
    /// The claim's seq.
    pub claim_seq: u64,
    /// Leftovers of older page lives, oldest first: an entry of a later session waits until these are in.
    pub before: Vec<(String, u64)>,
}

impl Clear {
    /// Takes the next entry.
    pub fn apply(&mut self, entry: &LogEntry) {
        let header = &entry.header;
        let seen = self.seen.entry(seen_key(header.from, &header.session)).or_default();
        *seen = (*seen).max(header.cseq);
        let Some(seat) = header.from else { return };
        if header.kind == "claim" {
            if let Some((row, _)) = ClaimRow::split(&entry.data) {
                self.claim(seat, header, row);
            }
        } else if self.seats.get(&seat).is_some_and(|row| frees(header, &row.session)) {
            self.seats.remove(&seat);
        }
    }

    fn claim(&mut self, seat: ParticipantId, header: &EntryHeader, row: ClaimRow) {
        self.tickets.retain(|_, (_, expires)| expires.plus(SKEW_MS) > header.at);
        if let Some(ticket) = row.ticket {
            self.tickets
                .insert(ticket.jti, (row.connection.clone(), ticket.expires));
        }
        for span in &row.outbox {
            let seen = self.seen.entry(seen_key(Some(seat), &span.session)).or_default();
            *seen = (*seen).max(span.first_c.saturating_sub(1));
        }
        let older = row
            .outbox
            .into_iter()
            .filter(|span| span.session != row.session && span.next_c > 1);
        let held = SeatRow {
            before: older.map(|span| (span.session, span.next_c - 1)).collect(),
            session: row.session,
            attempt: row.attempt,
            connection: row.connection,
            claim_seq: header.seq,
        };
        self.seats.insert(seat, Box::new(held));
    }

    /// The highest number accepted of a session, 0 for none.
    pub fn seen(&self, seat: Option<ParticipantId>, session: &str) -> u64 {
        self.seen.get(&seen_key(seat, session)).copied().unwrap_or(0)
    }

    /// The oldest page life whose leftovers must come before an entry of `session`, and what is in of it.
    pub(crate) fn missing_before(&self, seat: ParticipantId, row: &SeatRow, session: &str) -> Option<(String, u64)> {
        let older = row.before.iter().take_while(|(name, _)| name != session);
        older
            .map(|(name, last)| (name, *last, self.seen(Some(seat), name)))
            .find(|(_, last, acked)| acked < last)
            .map(|(name, _, acked)| (name.clone(), acked))
    }

    /// Whether everything that was accepted there was accepted here too.
    pub fn covers(&self, other: &Clear) -> bool {
        other
            .seen
            .iter()
            .all(|(key, number)| self.seen.get(key).is_some_and(|here| here >= number))
    }
}

/// Whether a seat that `session` has is free after this entry: its page said `bye`, its lease ran out, or its node showed
/// it out (`p:<session>:<attempt>:left`).
fn frees(header: &EntryHeader, session: &str) -> bool {
    let shown_out = header
        .session
        .strip_prefix("p:")
        .and_then(|rest| rest.strip_prefix(session));
    match header.kind.as_str() {
        "bye" => header.session == session,
        "presence" => shown_out.is_some_and(|rest| rest.starts_with(':') && rest.ends_with(":left")),
        _ => false,
    }
}
