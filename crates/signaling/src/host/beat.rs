//! What a hosted room does every few seconds: leases, deadlines, facts that wait, trimming.

use super::Host;
use heliograph_domain::ParticipantId;
use heliograph_protocol::CloseCode;
use heliograph_roomlog::{Beat, BeatAnswer, Mark, SeatBeat, Snapshot};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Entries after which a fold is worth keeping.
const SNAPSHOT_AFTER: usize = 64;
/// A log never grows beyond these, whoever has not read it.
const MOST_ENTRIES: usize = 4_096;
const MOST_BYTES: usize = 2 * 1024 * 1024;

impl Host {
    /// When the room's next deadline comes, by the runtime's clock.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let until = self.room.next_deadline()?;
        let ms = u64::try_from(until.0 - self.ports.clock.now().0).unwrap_or(0);
        Some(Instant::now() + Duration::from_millis(ms))
    }

    pub(super) async fn beat(&mut self) {
        self.facts.write(&self.ports, &self.key).await;
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
        match self.ports.log.beat(&self.key, beat).await {
            Ok(BeatAnswer { rewound: true, .. }) => self.start_over(),
            Ok(answer) => {
                for seat in answer.lapsed {
                    self.close(seat, CloseCode::Reclaim);
                }
                if let Err(away) = self.catch_up(answer.head).await {
                    tracing::warn!(visit = %self.key.visit, "what a beat appended could not be read: {away}");
                }
                self.trim(&answer.acked).await;
            }
            Err(away) => tracing::warn!(visit = %self.key.visit, "a beat did not reach the log: {away}"),
        }
    }

    /// The log is cut at a fold that every page has read up to, or where it would grow too long.
    async fn trim(&mut self, acked: &BTreeMap<ParticipantId, Mark>) {
        if self.room.met_unknown_kind() || !self.facts.is_empty() {
            return;
        }
        let full =
            self.ring.len() >= MOST_ENTRIES || self.ring.iter().map(|kept| kept.bytes).sum::<usize>() >= MOST_BYTES;
        if self.candidate.is_none() && self.ring.len() >= SNAPSHOT_AFTER {
            self.candidate = Some(self.room.clone());
        }
        let Some(candidate) = &self.candidate else { return };
        let read = |seat: ParticipantId| acked.get(&seat).is_some_and(|mark| mark.seq >= candidate.seq());
        if !full && !self.room.present().all(read) {
            return;
        }
        let mark = Mark {
            seq: candidate.seq(),
            chain: candidate.chain(),
        };
        let name = mark.chain.to_string();
        let data = self
            .sealer
            .seal(Self::snapshot_binding(&name, mark.seq), &candidate.to_snapshot())
            .into();
        match self
            .ports
            .log
            .snapshot(
                &self.key,
                Snapshot {
                    mark,
                    at: candidate.at(),
                    data,
                },
            )
            .await
        {
            Ok(taken) => {
                let candidate = self.candidate.take();
                if let (true, Some(base)) = (taken, candidate) {
                    self.ring.retain(|kept| kept.entry.header.seq > base.seq());
                    self.base = base;
                }
            }
            Err(away) => tracing::warn!(visit = %self.key.visit, "a snapshot was not taken: {away}"),
        }
    }
}
