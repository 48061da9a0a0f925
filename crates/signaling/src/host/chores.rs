//! What a room does between two events: seats to free, a log to look at again, an outage to tell.

use super::{Connection, Host};
use heliograph_domain::ParticipantId;
use heliograph_protocol::{Header, ServerMessage};
use heliograph_roomlog::Away;
use std::time::Duration;
use tokio::time::Instant;

/// Since when the log can't be reached or written to, when that was seen last, and whether pages know.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Outage {
    since: Option<Instant>,
    last: Option<Instant>,
    told: bool,
}

impl Host {
    pub(super) fn has_chores(&self) -> bool {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= Instant::now());
        due(self.next_chore()) || (self.look_at.is_none() && !self.leaving.is_empty())
    }

    /// When the next of them is due.
    pub(super) fn next_chore(&self) -> Option<Instant> {
        let tell = self
            .away
            .since
            .filter(|_| !self.away.told)
            .map(|since| since + self.patience());
        let relays = self.connections.values().map(|connection| connection.relays_at);
        let others = [self.look_at, self.hold_until, tell].into_iter().flatten();
        others.chain(relays).min()
    }

    pub(super) async fn chores(&mut self) {
        if self.look_at.is_some_and(|at| at <= Instant::now()) {
            self.look_at = None;
            // A log that is away is looked at again later.
            drop(self.load().await);
        }
        if self.look_at.is_none() {
            self.free_seats().await;
        }
        if self.hold_until.is_some_and(|until| until <= Instant::now()) {
            self.hold_until = None;
            for frame in std::mem::take(&mut self.held) {
                self.frame(frame).await;
            }
        }
        self.renew_relays();
        let tell = self.away.since.filter(|_| !self.away.told);
        if tell.is_some_and(|since| since.elapsed() >= self.patience()) {
            self.away.told = true;
            self.tell_all(&ServerMessage::Degraded {});
        }
    }

    /// What was told of the relay servers is told anew before it ends.
    fn renew_relays(&mut self) {
        let due = |connection: &Connection| connection.relays_at <= Instant::now();
        let seats = self.connections.iter().filter(|(_, connection)| due(connection));
        for seat in seats.map(|(seat, _)| *seat).collect::<Vec<_>>() {
            self.tell_ice_servers(seat);
        }
    }

    /// How long an outage is before people are told: a page has sent again what it waits for.
    fn patience(&self) -> Duration {
        Duration::from_millis(2 * self.shared.settings.timers.retransmit_ms)
    }

    /// Notes whether the log took something.
    pub(super) fn noted<T>(&mut self, answer: Result<T, Away>) -> Result<T, Away> {
        match &answer {
            Ok(_) => self.over(),
            Err(away) => self.failed(away),
        }
        answer
    }

    /// Notes whether the log could be read. A full disk can be read too: who waits for a write sends it again meanwhile, after
    /// eight times `retransmit_ms` at the latest.
    pub(super) fn noted_read<T>(&mut self, answer: Result<T, Away>) -> Result<T, Away> {
        match &answer {
            Ok(_) if self.away.last.is_some_and(|last| last.elapsed() > 5 * self.patience()) => self.over(),
            Ok(_) => {}
            Err(away) => self.failed(away),
        }
        answer
    }

    /// An outage is logged once: whoever waits sends again and again.
    fn failed(&mut self, away: &Away) {
        if self.away.since.is_none() {
            tracing::warn!(visit = %self.key.visit, "the room's log can't be used: {away}");
        }
        self.away.last = Some(Instant::now());
        self.away.since = self.away.since.or(self.away.last);
    }

    fn over(&mut self) {
        let outage = std::mem::take(&mut self.away);
        if let Some(since) = outage.since {
            tracing::info!(visit = %self.key.visit, after_ms = since.elapsed().as_millis(), "the room's log works again");
        }
        if outage.told {
            self.tell_all(&ServerMessage::Recovered {});
        }
    }

    /// The subscription ended, or brought an entry of another history.
    pub(super) fn look_again(&mut self) {
        self.subscription = None;
        self.look_at = Some(Instant::now());
    }

    /// The log is away: it is looked at again, once in a while.
    pub(super) fn look_later(&mut self) {
        self.subscription = None;
        let wait = Duration::from_millis(self.shared.settings.timers.reconnect_min_ms);
        self.look_at = Some(Instant::now() + wait);
    }

    /// A log is there from before.
    pub(super) async fn wake(&mut self) {
        if let Err(away) = self.load().await {
            tracing::warn!(visit = %self.key.visit, "a room of before can't be read yet: {away}");
        }
    }

    async fn free_seats(&mut self) {
        while let Some(draft) = self.leaving.pop() {
            // A log that can't be reached frees the seat itself, when the lease ends.
            if let Err(away) = self.append(draft).await {
                tracing::warn!(visit = %self.key.visit, "a seat is not free yet: {away}");
            }
        }
    }

    pub(super) fn tell_all(&self, message: &ServerMessage) {
        for connection in self.connections.values() {
            connection.queue.tell(Header::default(), message);
        }
    }

    pub(super) fn show_out_of(&mut self, seat: ParticipantId, code: heliograph_protocol::CloseCode) {
        if let Some(connection) = self.connections.get(&seat) {
            let (id, session, attempt) = (connection.id.clone(), connection.session.clone(), connection.attempt);
            self.note_leaving(seat, &session, attempt, id);
        }
        self.close(seat, code);
    }
}
