//! What a hosted room does every few seconds: leases, deadlines, facts that wait, trimming.

use super::{Host, place};
use heliograph_domain::{
    ParticipantId,
    entry::seen_key,
    mutant::{Check, keeps},
};
use heliograph_protocol::CloseCode;
use heliograph_roomlog::{Beat, BeatAnswer, Clear, Mark, SeatBeat, Snapshot};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::Instant;

impl Host {
    /// When the room's next deadline comes, by the runtime's clock.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let until = self.room.next_deadline()?;
        let ms = u64::try_from(until.0 - self.now().0).unwrap_or(0);
        // A log that is away, or whose clock is behind, is not asked without a pause.
        let pause = Duration::from_millis(self.shared.settings.timers.reconnect_min_ms);
        let earliest = self.beaten.map(|beaten| beaten + pause);
        earliest.max(Some(Instant::now() + Duration::from_millis(ms)))
    }

    pub(super) async fn beat(&mut self) {
        self.beaten = Some(Instant::now());
        self.opened_lately = Vec::new();
        self.facts.write(&self.shared.ports, &self.key).await;
        if self.room.seq() == 0 {
            return;
        }
        let beat = Beat {
            mark: self.mark(),
            seats: self
                .connections
                .iter()
                .map(|(seat, connection)| SeatBeat {
                    seat: *seat,
                    session: connection.session.to_string(),
                    attempt: connection.attempt,
                    acked: connection.acked,
                })
                .collect(),
            deadline: self.room.next_deadline(),
        };
        let answer = self.shared.ports.log.beat(&self.key, beat).await;
        match self.noted_read(answer) {
            Ok(BeatAnswer { rewound: true, .. }) => {
                if let Err(away) = self.repair().await {
                    tracing::warn!(visit = %self.key.visit, "a log could not be repaired: {away}");
                }
            }
            Ok(answer) => {
                for seat in &answer.lapsed {
                    self.close(*seat, CloseCode::Reclaim);
                }
                self.tell_lost(&answer.seen);
                if let Err(away) = self.catch_up(answer.head).await {
                    tracing::warn!(visit = %self.key.visit, "what a beat appended could not be read: {away}");
                }
                self.trim(answer.first, &answer.acked).await;
            }
            Err(away) => tracing::warn!(visit = %self.key.visit, "a beat did not reach the log: {away}"),
        }
        self.look_at_rights().await;
    }

    /// Where the log has less of a session than its page was told, the page sends again.
    fn tell_lost(&self, seen: &BTreeMap<String, u64>) {
        for (seat, connection) in &self.connections {
            for session in self.room.sessions(*seat) {
                let there = seen.get(&seen_key(Some(*seat), session)).copied().unwrap_or(0);
                if there < self.room.seen(*seat, session) {
                    self.ack_as(connection, session, there, true);
                }
            }
        }
    }

    /// Who sat down while the store was away is asked about now; whoever waits beyond their time is shown out.
    async fn look_at_rights(&mut self) {
        let over = |seat: &ParticipantId| self.room.rights_until(*seat).is_some_and(|until| self.is_late(until));
        let ask = self.connections.iter().filter(|(seat, c)| c.unasked || over(seat));
        let ask: Vec<_> = ask.map(|(seat, _)| *seat).collect();
        for seat in ask {
            self.ask_rights(seat).await;
        }
    }

    /// The log is cut at a fold that every page has read up to, or where it would grow too long.
    async fn trim(&mut self, first: u64, acked: &BTreeMap<ParticipantId, Mark>) {
        if self.room.met_unknown_kind() || !self.facts.is_empty() {
            return;
        }
        let trim = self.shared.settings.trim;
        // Another node may have cut the log: then it is shorter than this node's ring.
        let in_log = || self.ring.iter().filter(|entry| entry.header.seq > first);
        let bytes = || in_log().map(|entry| entry.data.len()).sum::<usize>();
        let full = in_log().count() >= trim.most_entries || bytes() >= trim.most_bytes;
        if self.candidate.is_none() && self.ring.len() >= trim.worth_entries {
            self.candidate = Some(Box::new(self.room.clone()));
        }
        let Some(candidate) = &self.candidate else { return };
        let (mark, at) = (place(candidate), candidate.at());
        let read = |seat: ParticipantId| acked.get(&seat).is_some_and(|acked| self.has_read(*acked, mark));
        if !full && !self.room.present().all(read) && keeps(Check::ReadByAll) {
            return;
        }
        let name = mark.chain.to_string();
        let binding = Self::snapshot_binding(&name, mark.seq);
        let data = self.sealer.seal(binding, &candidate.to_snapshot()).into();
        let clear = self
            .base
            .as_ref()
            .map_or_else(Clear::default, |base| base.clear.clone());
        let folded = self.ring.iter().filter(|entry| entry.header.seq <= mark.seq);
        let clear = folded.fold(clear, |mut clear, entry| {
            clear.apply(entry);
            clear
        });
        let snapshot = Arc::new(Snapshot { mark, at, clear, data });
        self.candidate = None;
        let taken = self.shared.ports.log.snapshot(&self.key, Arc::clone(&snapshot)).await;
        match self.noted(taken) {
            Ok(true) => {
                let why = if full { "limit" } else { "acknowledged" };
                metrics::counter!("heliograph_room_snapshots_total", "why" => why).increment(1);
                self.ring.retain(|entry| entry.header.seq > mark.seq);
                self.ring.shrink_to_fit();
                self.base = Some(snapshot);
            }
            Ok(false) => {}
            Err(away) => tracing::warn!(visit = %self.key.visit, "a snapshot was not taken: {away}"),
        }
    }

    /// A page's place counts only if it is one of this history.
    fn has_read(&self, acked: Mark, mark: Mark) -> bool {
        acked.seq >= mark.seq && (acked == self.mark() || self.ring.iter().any(|entry| entry.mark() == acked))
    }
}
