//! One room's log as a state machine without I/O: every call is one step, and time is given.

use crate::{
    AppendAnswer, Beat, BeatAnswer, ClaimAnswer, ClaimRequest, Clear, Draft, Leases, LogEntry, Mark, Snapshot, Tail,
};
use bytes::Bytes;
use heliograph_domain::{
    ParticipantId, UnixMillis,
    entry::Audience,
    mutant::{Check, keeps},
};
use litemap::LiteMap;
use std::{collections::VecDeque, sync::Arc};

/// One room's log.
#[derive(Debug, Clone, Default)]
pub struct Log {
    base: Option<Arc<Snapshot>>,
    entries: VecDeque<Arc<LogEntry>>,
    head: Mark,
    at: UnixMillis,
    clear: Clear,
    /// What a fold of entries can't tell: who is alive, and what pages have taken.
    alive: LiteMap<ParticipantId, Alive>,
    last_sweep: Option<UnixMillis>,
}

#[derive(Debug, Clone)]
struct Alive {
    lease: Lease,
    acked: Option<Mark>,
}

#[derive(Debug, Clone, Copy)]
enum Lease {
    Online { until: UnixMillis },
    Reconnecting { until: UnixMillis },
}

impl Log {
    /// A log of these entries; every seat counts as online from `now`.
    pub fn restore(base: Option<Arc<Snapshot>>, entries: Vec<Arc<LogEntry>>, now: UnixMillis, leases: Leases) -> Log {
        let mut log = Log::default();
        log.put(base, entries, now, leases);
        log
    }

    /// Gives a seat to a page, or says why not.
    pub fn claim(&mut self, now: UnixMillis, mark: Mark, claim: ClaimRequest, leases: Leases) -> ClaimAnswer {
        if self.head.seq == 0 {
            return if mark.seq == 0 {
                ClaimAnswer::Empty
            } else {
                ClaimAnswer::Rewound
            };
        }
        if !self.knows(mark) {
            return ClaimAnswer::Rewound;
        }
        let ClaimRequest {
            seat,
            row,
            takeover,
            sealed,
        } = claim;
        let current = self.clear.seats.get(&seat);
        if let Some(held) = current
            && (&held.session, held.attempt, &held.connection) == (&row.session, row.attempt, &row.connection)
        {
            return ClaimAnswer::Granted { seq: held.claim_seq };
        }
        let used = row.ticket.as_ref().and_then(|t| self.clear.tickets.get(&t.jti));
        if used.is_some_and(|(connection, _)| connection != &row.connection) {
            return ClaimAnswer::TicketUsed;
        }
        let name = format!("k:{}", row.session);
        // What another page of the seat has read says nothing about this one.
        let same_page = current.is_some_and(|held| held.session == row.session);
        if row.attempt <= self.clear.seen(Some(seat), &name) {
            return ClaimAnswer::Stale;
        }
        if let Some(held) = current {
            let own = held.session == row.session || row.outbox.iter().any(|span| span.session == held.session);
            let shown = takeover.as_ref() == Some(&held.session);
            if !own && !shown && (takeover.is_none() || keeps(Check::ShownHolder)) {
                return ClaimAnswer::Taken {
                    holder: held.session.clone(),
                };
            }
        }
        self.push(
            now,
            Draft {
                from: Some(seat),
                connection: None,
                session: name,
                cseq: row.attempt,
                audience: Audience::Own,
                kind: "claim".to_owned(),
                data: row.with_sealed(&sealed).into_boxed_slice().into(),
            },
        );
        let until = now.plus(leases.lease_ms);
        let acked = self
            .alive
            .get(&seat)
            .and_then(|alive| alive.acked)
            .filter(|_| same_page);
        let lease = Lease::Online { until };
        self.alive.insert(seat, Alive { lease, acked });
        ClaimAnswer::Granted { seq: self.head.seq }
    }

    /// Appends an entry.
    pub fn append(&mut self, now: UnixMillis, mark: Mark, draft: Draft) -> AppendAnswer {
        if !self.knows(mark) {
            return AppendAnswer::Rewound;
        }
        if let (Some(seat), Some(connection)) = (draft.from, &draft.connection) {
            let row = self.clear.seats.get(&seat);
            let Some(row) = row.filter(|row| &row.connection == connection || !keeps(Check::Connection)) else {
                return AppendAnswer::Unclaimed;
            };
            let missing = self.clear.missing_before(seat, row, &draft.session);
            if let Some((session, acked)) = missing.filter(|_| keeps(Check::OlderLivesFirst)) {
                return AppendAnswer::Gap { session, acked };
            }
        }
        let acked = self.clear.seen(draft.from, &draft.session);
        if draft.cseq <= acked && keeps(Check::Dup) {
            return AppendAnswer::Dup { acked };
        }
        if draft.cseq > acked + 1 && keeps(Check::Gap) {
            return AppendAnswer::Gap {
                session: draft.session,
                acked,
            };
        }
        self.push(now, draft);
        AppendAnswer::Ok {
            seq: self.head.seq,
            chain: self.head.chain,
            at: self.at,
        }
    }

    /// Renews leases, sweeps those that ran out, appends what is due.
    pub fn beat(&mut self, now: UnixMillis, beat: &Beat, leases: Leases) -> BeatAnswer {
        if !self.knows(beat.mark) {
            return BeatAnswer {
                rewound: true,
                ..BeatAnswer::default()
            };
        }
        let mut answer = BeatAnswer::default();
        for one in &beat.seats {
            let row = self.clear.seats.get(&one.seat);
            let holds = row.is_some_and(|row| row.session == one.session && row.attempt == one.attempt);
            match self.alive.get_mut(&one.seat).filter(|_| holds) {
                Some(alive) if matches!(alive.lease, Lease::Online { .. }) => {
                    let until = now.plus(leases.lease_ms);
                    alive.lease = Lease::Online { until };
                    alive.acked = one.acked.or(alive.acked);
                }
                Some(_) | None => answer.lapsed.push(one.seat),
            }
        }
        self.sweep(now, leases);
        if let Some(deadline) = beat.deadline.filter(|deadline| *deadline <= now) {
            let name = format!("d:{}", deadline.0);
            if self.clear.seen(None, &name) == 0 {
                self.push(now, own_entry(None, name, "due"));
            }
        }
        answer.head = self.head.seq;
        answer.first = self.base.as_ref().map_or(0, |base| base.mark.seq);
        answer.seen = self.clear.seen.iter().map(|(key, c)| (key.clone(), *c)).collect();
        let acked = self
            .alive
            .iter()
            .filter_map(|(seat, alive)| Some((*seat, alive.acked?)));
        answer.acked = acked.collect();
        answer
    }

    /// Everything after a mark; `None` if it is not in the log.
    pub fn read_after(&self, mark: Mark) -> Option<Tail> {
        if !self.knows(mark) {
            return None;
        }
        let first = self.base.as_ref().map_or(0, |base| base.mark.seq);
        let base = self.base.clone().filter(|_| mark.seq < first);
        let after = self.entries.iter().filter(|entry| entry.header.seq > mark.seq);
        let entries = after.cloned().collect();
        Some(Tail { base, entries })
    }

    /// The entries after a seq that was the head before.
    pub fn since(&self, seq: u64) -> impl Iterator<Item = &Arc<LogEntry>> {
        let new = usize::try_from(self.head.seq.saturating_sub(seq)).unwrap_or(usize::MAX);
        self.entries.iter().skip(self.entries.len().saturating_sub(new))
    }

    /// Trims the log to a snapshot; `false` if it is not newer, or not of this log.
    pub fn snapshot(&mut self, snapshot: Arc<Snapshot>) -> bool {
        let first = self.base.as_ref().map_or(0, |base| base.mark.seq);
        if snapshot.mark.seq <= first || snapshot.mark.seq > self.head.seq || !self.knows(snapshot.mark) {
            return false;
        }
        self.entries.retain(|entry| entry.header.seq > snapshot.mark.seq);
        self.base = Some(snapshot);
        true
    }

    /// Replaces everything, if the last entry still is `expected`.
    pub fn mend(
        &mut self,
        now: UnixMillis,
        expected: Mark,
        base: Option<Arc<Snapshot>>,
        entries: Vec<Arc<LogEntry>>,
        leases: Leases,
    ) -> bool {
        let same = self.head == expected;
        if same {
            self.put(base, entries, now, leases);
        }
        same
    }

    /// Takes back what came after `seq`, as if it had never been.
    pub fn take_back(&mut self, seq: u64, now: UnixMillis, leases: Leases) {
        let (kept, lost): (Vec<_>, Vec<_>) = self.entries.iter().cloned().partition(|entry| entry.header.seq <= seq);
        self.put(self.base.clone(), kept, now, leases);
        // Whose lost line was not told is told of at the next sweep.
        for entry in lost.iter().filter(|entry| entry.header.kind == "presence") {
            let alive = entry.header.from.and_then(|seat| self.alive.get_mut(&seat));
            if let Some(alive) = alive.filter(|_| entry.header.session.ends_with(":reconnecting")) {
                alive.lease = Lease::Online { until: now };
            }
        }
    }

    /// The last entry's mark.
    pub fn head(&self) -> Mark {
        self.head
    }

    /// The last entry's instant.
    pub fn at(&self) -> UnixMillis {
        self.at
    }

    /// The snapshot and the entries after it.
    pub fn parts(&self) -> (Option<&Arc<Snapshot>>, impl Iterator<Item = &Arc<LogEntry>>) {
        (self.base.as_ref(), self.entries.iter())
    }

    /// Whether a node's mark is a place of this log. A place before the snapshot can't be judged: the node reads on.
    fn knows(&self, mark: Mark) -> bool {
        let first = self.base.as_ref().map_or(Mark::START, |base| base.mark);
        if mark.seq > self.head.seq {
            return false;
        }
        if mark.seq <= first.seq {
            return mark.seq < first.seq || mark.chain == first.chain;
        }
        let index = usize::try_from(mark.seq - first.seq - 1).unwrap_or(usize::MAX);
        self.entries
            .get(index)
            .is_some_and(|entry| entry.header.chain == mark.chain || !keeps(Check::Chain))
    }

    fn sweep(&mut self, now: UnixMillis, leases: Leases) {
        let late = self.last_sweep.is_some_and(|last| now.0 - last.0 > 2 * leases.beat_ms);
        self.last_sweep = Some(now);
        let mut told = Vec::new();
        for (seat, alive) in &mut self.alive {
            let Some(row) = self.clear.seats.get(seat) else {
                continue;
            };
            let name = |state| format!("p:{}:{}:{state}", row.session, row.attempt);
            let (online, away) = (now.plus(leases.lease_ms), now.plus(leases.reconnecting_ms));
            match alive.lease {
                Lease::Online { .. } if late => alive.lease = Lease::Online { until: online },
                Lease::Reconnecting { .. } if late => alive.lease = Lease::Reconnecting { until: away },
                Lease::Online { until } if until <= now => {
                    alive.lease = Lease::Reconnecting { until: away };
                    told.push((*seat, name("reconnecting")));
                }
                Lease::Reconnecting { until } if until <= now => told.push((*seat, name("left"))),
                Lease::Online { .. } | Lease::Reconnecting { .. } => {}
            }
        }
        for (seat, name) in told {
            // A restored log counts everybody as online; whom it had missed already is not told again.
            if self.clear.seen(Some(seat), &name) == 0 {
                self.push(now, own_entry(Some(seat), name, "presence"));
            }
        }
    }

    fn push(&mut self, now: UnixMillis, draft: Draft) {
        self.at = self.at.max(now);
        let entry = LogEntry::after(self.head, self.at, draft);
        self.head = entry.mark();
        self.clear.apply(&entry);
        if let Some(seat) = entry.header.from.filter(|seat| !self.clear.seats.contains_key(seat)) {
            self.alive.remove(&seat);
        }
        self.entries.push_back(Arc::new(entry));
    }

    fn put(&mut self, base: Option<Arc<Snapshot>>, entries: Vec<Arc<LogEntry>>, now: UnixMillis, leases: Leases) {
        self.clear = base.as_ref().map_or_else(Clear::default, |base| base.clear.clone());
        self.at = base.as_ref().map_or(UnixMillis(0), |base| base.at);
        self.head = base.as_ref().map_or(Mark::START, |base| base.mark);
        for entry in &entries {
            self.clear.apply(entry);
            self.at = entry.header.at;
            self.head = entry.mark();
        }
        self.base = base;
        self.entries = entries.into();
        self.alive.retain(|seat, _| self.clear.seats.contains_key(seat));
        let until = now.plus(leases.lease_ms);
        for seat in self.clear.seats.keys() {
            let lease = Lease::Online { until };
            self.alive.entry(*seat).or_insert(Alive { lease, acked: None });
        }
    }
}

/// What the log itself appends: empty and in the clear.
fn own_entry(from: Option<ParticipantId>, session: String, kind: &str) -> Draft {
    Draft {
        from,
        connection: None,
        session,
        cseq: 1,
        audience: Audience::All,
        kind: kind.to_owned(),
        data: Bytes::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heliograph_domain::entry::ClaimRow;

    const LEASES: Leases = Leases {
        beat_ms: 5,
        lease_ms: 15,
        reconnecting_ms: 45,
    };

    fn beat(log: &mut Log, now: i64) -> Vec<String> {
        let before = log.head().seq;
        let beat = Beat {
            mark: log.head(),
            seats: Vec::new(),
            deadline: None,
        };
        log.beat(UnixMillis(now), &beat, LEASES);
        log.since(before).map(|entry| entry.header.session.clone()).collect()
    }

    #[test]
    fn a_lost_line_that_could_not_be_written_is_told_at_the_next_sweep() {
        let mut log = Log::default();
        log.append(UnixMillis(0), Mark::START, own_entry(None, "open".to_owned(), "opened"));
        let claim = ClaimRequest {
            seat: "01938000-0000-7000-8000-000000000001".parse().unwrap(),
            row: ClaimRow {
                session: "session-1".to_owned(),
                attempt: 1,
                connection: "c1".to_owned(),
                outbox: Vec::new(),
                ticket: None,
            },
            takeover: None,
            sealed: Bytes::new(),
        };
        log.claim(UnixMillis(0), log.head(), claim, LEASES);
        for now in [5, 10] {
            assert_eq!(beat(&mut log, now), [""; 0]);
        }
        let before = log.head().seq;
        assert_eq!(beat(&mut log, 15), ["p:session-1:1:reconnecting"]);
        log.take_back(before, UnixMillis(15), LEASES);
        assert_eq!(beat(&mut log, 20), ["p:session-1:1:reconnecting"]);
        assert_eq!(beat(&mut log, 25), [""; 0]);
    }
}
