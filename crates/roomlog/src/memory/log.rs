//! One room's log.

use crate::{
    AppendAnswer, Beat, BeatAnswer, ClaimAnswer, ClaimRequest, Draft, Leases, LogEntry, Mark, Snapshot, Subscription,
    Tail,
};
use bytes::Bytes;
use heliograph_domain::{
    ParticipantId, UnixMillis,
    entry::{Audience, EntryHeader, seen_key},
};
use std::collections::{BTreeMap, VecDeque};
use tokio::sync::mpsc;

/// Entries that a slow reader may be behind before it must read the log itself.
const SUBSCRIPTION: usize = 256;

pub(super) struct Log {
    base: Option<Snapshot>,
    entries: VecDeque<LogEntry>,
    head: Mark,
    at: UnixMillis,
    seen: BTreeMap<String, u64>,
    seats: BTreeMap<ParticipantId, Box<SeatRow>>,
    tickets: BTreeMap<String, (String, UnixMillis)>,
    last_sweep: Option<UnixMillis>,
    readers: Vec<mpsc::Sender<Box<LogEntry>>>,
}

struct SeatRow {
    session: String,
    attempt: u64,
    connection: String,
    claim_seq: u64,
    /// Leftovers of older page lives: an entry of a later session waits until these are in.
    before: Vec<(String, u64)>,
    lease: Lease,
    acked: Option<Mark>,
}

enum Lease {
    Online { until: UnixMillis },
    Reconnecting { until: UnixMillis },
}

impl Default for Log {
    fn default() -> Self {
        Log {
            base: None,
            entries: VecDeque::new(),
            head: Mark::START,
            at: UnixMillis(0),
            seen: BTreeMap::new(),
            seats: BTreeMap::new(),
            tickets: BTreeMap::new(),
            last_sweep: None,
            readers: Vec::new(),
        }
    }
}

impl Log {
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
        self.tickets.retain(|_, (_, expires)| *expires > now);
        let ClaimRequest {
            seat,
            row,
            takeover,
            ticket,
            sealed,
        } = claim;
        let current = self.seats.get(&seat);
        if let Some(held) = current
            && (&held.session, held.attempt, &held.connection) == (&row.session, row.attempt, &row.connection)
        {
            return ClaimAnswer::Granted { seq: held.claim_seq };
        }
        let name = format!("k:{}", row.session);
        if row.attempt <= self.seen(Some(seat), &name) {
            return ClaimAnswer::Stale;
        }
        if let Some(used) = ticket.as_ref().and_then(|t| self.tickets.get(&t.jti))
            && used.0 != row.connection
        {
            return ClaimAnswer::TicketUsed;
        }
        if let Some(held) = current {
            let own = held.session == row.session || row.outbox.iter().any(|span| span.session == held.session);
            if !own && takeover.as_ref() != Some(&held.session) {
                return ClaimAnswer::Taken {
                    holder: held.session.clone(),
                };
            }
        }
        if let Some(ticket) = ticket {
            self.tickets
                .insert(ticket.jti, (row.connection.clone(), ticket.expires));
        }
        for span in &row.outbox {
            let seen = self.seen.entry(seen_key(Some(seat), &span.session)).or_default();
            *seen = (*seen).max(span.first_c.saturating_sub(1));
        }
        let data = Bytes::from(row.with_sealed(&sealed));
        let acked = current.and_then(|held| held.acked);
        self.push(
            now,
            Some(seat),
            name,
            row.attempt,
            Audience::Own,
            "claim".to_owned(),
            data,
        );
        let before = row
            .outbox
            .iter()
            .filter(|span| span.session != row.session && span.next_c > 1);
        let held = SeatRow {
            before: before.map(|span| (span.session.clone(), span.next_c - 1)).collect(),
            session: row.session,
            attempt: row.attempt,
            connection: row.connection,
            claim_seq: self.head.seq,
            lease: Lease::Online {
                until: now.plus(leases.lease_ms),
            },
            acked,
        };
        self.seats.insert(seat, Box::new(held));
        ClaimAnswer::Granted { seq: self.head.seq }
    }

    pub fn append(&mut self, now: UnixMillis, mark: Mark, draft: Draft) -> AppendAnswer {
        if !self.knows(mark) {
            return AppendAnswer::Rewound;
        }
        if let Some(seat) = draft.from {
            let Some(row) = self
                .seats
                .get(&seat)
                .filter(|row| Some(&row.connection) == draft.connection.as_ref())
            else {
                return AppendAnswer::Unclaimed;
            };
            if let Some((session, acked)) = self.missing_before(seat, row, &draft.session) {
                return AppendAnswer::Gap { session, acked };
            }
        }
        let acked = self.seen(draft.from, &draft.session);
        if draft.cseq <= acked {
            return AppendAnswer::Dup { acked };
        }
        if draft.cseq > acked + 1 {
            return AppendAnswer::Gap {
                session: draft.session,
                acked,
            };
        }
        let freed = draft.from.filter(|seat| {
            self.seats
                .get(seat)
                .is_some_and(|row| draft.frees_seat_of(&row.session))
        });
        self.push(
            now,
            draft.from,
            draft.session,
            draft.cseq,
            draft.audience,
            draft.kind,
            draft.data,
        );
        if let Some(seat) = freed {
            self.seats.remove(&seat);
        }
        AppendAnswer::Ok {
            seq: self.head.seq,
            chain: self.head.chain,
            at: self.at,
        }
    }

    pub fn beat(&mut self, now: UnixMillis, beat: &Beat, leases: Leases) -> BeatAnswer {
        if !self.knows(beat.mark) {
            return BeatAnswer {
                rewound: true,
                ..BeatAnswer::default()
            };
        }
        let mut answer = BeatAnswer::default();
        for alive in &beat.seats {
            match self.seats.get_mut(&alive.seat) {
                Some(row)
                    if row.session == alive.session
                        && row.attempt == alive.attempt
                        && matches!(row.lease, Lease::Online { .. }) =>
                {
                    row.lease = Lease::Online {
                        until: now.plus(leases.lease_ms),
                    };
                    row.acked = alive.acked.or(row.acked);
                }
                Some(_) | None => answer.lapsed.push(alive.seat),
            }
        }
        self.sweep(now, leases);
        if let Some(deadline) = beat.deadline.filter(|deadline| *deadline <= now) {
            let name = format!("d:{}", deadline.0);
            if self.seen(None, &name) == 0 {
                self.push(now, None, name, 1, Audience::All, "due".to_owned(), Bytes::new());
            }
        }
        answer.head = self.head.seq;
        answer.seen.clone_from(&self.seen);
        answer.acked = self
            .seats
            .iter()
            .filter_map(|(seat, row)| Some((*seat, row.acked?)))
            .collect();
        answer
    }

    pub fn read_after(&self, seq: u64) -> Tail {
        let first = self.base.as_ref().map_or(0, |base| base.mark.seq);
        let base = if seq < first || seq == 0 {
            self.base.clone()
        } else {
            None
        };
        let entries = self
            .entries
            .iter()
            .filter(|entry| entry.header.seq > seq)
            .cloned()
            .collect();
        Tail { base, entries }
    }

    pub fn subscribe(&mut self) -> Subscription {
        let (sender, receiver) = mpsc::channel(SUBSCRIPTION);
        self.readers.push(sender);
        receiver
    }

    pub fn snapshot(&mut self, snapshot: Snapshot) -> bool {
        let first = self.base.as_ref().map_or(0, |base| base.mark.seq);
        if snapshot.mark.seq <= first || snapshot.mark.seq > self.head.seq || !self.knows(snapshot.mark) {
            return false;
        }
        self.entries.retain(|entry| entry.header.seq > snapshot.mark.seq);
        self.base = Some(snapshot);
        true
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
            .is_some_and(|entry| entry.header.chain == mark.chain)
    }

    fn seen(&self, seat: Option<ParticipantId>, session: &str) -> u64 {
        self.seen.get(&seen_key(seat, session)).copied().unwrap_or(0)
    }

    /// The oldest page life whose leftovers must come before an entry of `session`.
    fn missing_before(&self, seat: ParticipantId, row: &SeatRow, session: &str) -> Option<(String, u64)> {
        let older = row.before.iter().take_while(|(name, _)| name != session);
        older
            .map(|(name, last)| (name, *last, self.seen(Some(seat), name)))
            .find(|(_, last, acked)| acked < last)
            .map(|(name, _, acked)| (name.clone(), acked))
    }

    fn sweep(&mut self, now: UnixMillis, leases: Leases) {
        let late = self.last_sweep.is_some_and(|last| now.0 - last.0 > 2 * leases.beat_ms);
        self.last_sweep = Some(now);
        if late {
            for row in self.seats.values_mut() {
                match row.lease {
                    Lease::Online { .. } => {
                        row.lease = Lease::Online {
                            until: now.plus(leases.lease_ms),
                        }
                    }
                    Lease::Reconnecting { .. } => {
                        row.lease = Lease::Reconnecting {
                            until: now.plus(leases.reconnecting_ms),
                        }
                    }
                }
            }
            return;
        }
        let mut changes = Vec::new();
        for (seat, row) in &mut self.seats {
            match row.lease {
                Lease::Online { until } if until <= now => {
                    row.lease = Lease::Reconnecting {
                        until: now.plus(leases.reconnecting_ms),
                    };
                    changes.push((*seat, format!("p:{}:{}:reconnecting", row.session, row.attempt), false));
                }
                Lease::Reconnecting { until } if until <= now => {
                    changes.push((*seat, format!("p:{}:{}:left", row.session, row.attempt), true));
                }
                Lease::Online { .. } | Lease::Reconnecting { .. } => {}
            }
        }
        for (seat, name, left) in changes {
            if left {
                self.seats.remove(&seat);
            }
            self.push(
                now,
                Some(seat),
                name,
                1,
                Audience::All,
                "presence".to_owned(),
                Bytes::new(),
            );
        }
    }

    #[expect(clippy::too_many_arguments, reason = "these are exactly the parts of an entry")]
    fn push(
        &mut self,
        now: UnixMillis,
        from: Option<ParticipantId>,
        session: String,
        cseq: u64,
        audience: Audience,
        kind: String,
        data: Bytes,
    ) {
        self.at = self.at.max(now);
        let chain = self
            .head
            .chain
            .after(from, &session, cseq, audience, &kind, self.at, &data);
        self.head = Mark {
            seq: self.head.seq + 1,
            chain,
        };
        let seen = self.seen.entry(seen_key(from, &session)).or_default();
        *seen = (*seen).max(cseq);
        let header = EntryHeader {
            seq: self.head.seq,
            chain,
            from,
            session,
            cseq,
            audience,
            kind,
            at: self.at,
        };
        let entry = LogEntry { header, data };
        self.readers
            .retain(|reader| match reader.try_send(Box::new(entry.clone())) {
                Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => true,
                Err(mpsc::error::TrySendError::Closed(_)) => false,
            });
        self.entries.push_back(entry);
    }
}
