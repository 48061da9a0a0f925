//! The room's place in the log: loading, following, appending.

use super::{Connection, Host};
use crate::Opening;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heliograph_domain::{
    ParticipantId, Role,
    entry::{Audience, EntryHeader},
    mutant::{Check, keeps},
};
use heliograph_protocol::{CloseCode, Header, Phase, SeatState, ServerMessage, SharedFrame};
use heliograph_room::{Applied, Body, ClaimOutcome, Deadlines, Delivery, Entry, Opened, RULES};
use heliograph_roomlog::{AppendAnswer, Away, Draft, LogEntry, Subscription};
use std::sync::Arc;

impl Host {
    /// Makes sure that the log has its first entry and that the fold is level with it.
    pub(super) async fn load(&mut self) -> Result<(), Away> {
        if self.subscription.is_some() && self.room.seq() > 0 {
            return Ok(());
        }
        let loaded = self.try_load().await;
        if loaded.is_err() {
            self.look_later();
        }
        loaded
    }

    async fn try_load(&mut self) -> Result<(), Away> {
        let subscription = self.shared.ports.log.subscribe(&self.key).await;
        self.subscription = Some(self.noted_read(subscription)?);
        self.catch_up_all().await?;
        if self.room.rules() > RULES {
            return Err(Away("a newer release opened this room".to_owned()));
        }
        self.found |= self.room.seq() > 0;
        if self.room.seq() == 0 {
            let opening = self
                .shared
                .ports
                .rights
                .opening(&self.key.institution, self.key.visit)
                .await;
            let opening = opening.map_err(|away| Away(away.to_string()))?;
            let opening = opening.filter(|_| keeps(Check::Opening)).unwrap_or_default();
            if opening != Opening::default() {
                // The room was there before: another node may still hold what its log lost.
                self.hold();
            }
            let mut nonce = [0; 16];
            self.shared.ports.entropy.fill(&mut nonce);
            let opened = Opened {
                nonce: URL_SAFE_NO_PAD.encode(nonce),
                rules: RULES,
                admitted: opening.admitted,
                held: opening.held,
                removed: opening.removed,
                ended: opening.ended,
                deadlines: Deadlines {
                    undo_end_ms: i64::try_from(self.shared.settings.timers.undo_end_ms).unwrap_or(i64::MAX / 4),
                    reopen_ms: i64::try_from(self.shared.settings.timers.reopen_ms).unwrap_or(i64::MAX / 4),
                },
                most_admitted: self.shared.settings.limits.admitted,
            };
            let plain = serde_json::to_vec(&opened).expect("texts and numbers are always JSON");
            // Another node may have opened it meanwhile: then this one is a duplicate, and the log is read again.
            let draft = self.sealed(None, None, "open".to_owned(), 1, Audience::All, "opened", &plain);
            self.append(draft).await?;
            self.catch_up_all().await?;
        }
        Ok(())
    }

    /// Appends, and applies everything up to the new entry. A log that does not have this node's place is repaired first.
    pub(super) async fn append(&mut self, draft: Draft) -> Result<AppendAnswer, Away> {
        self.append_read(draft, None).await
    }

    /// Appends what this node has in the clear, and need not open again.
    pub(super) async fn append_read(&mut self, draft: Draft, body: Option<Body>) -> Result<AppendAnswer, Away> {
        for _ in 0..2 {
            let answer = self
                .shared
                .ports
                .log
                .append(&self.key, self.mark(), draft.clone())
                .await;
            // Only an entry that is written shows that the log can be written again.
            let answer = match answer {
                Ok(AppendAnswer::Ok { .. }) | Err(_) => self.noted(answer)?,
                Ok(_) => self.noted_read(answer)?,
            };
            match answer {
                AppendAnswer::Ok { seq, .. } => {
                    if !keeps(Check::AckAfterApply) {
                        self.ack_unseen(&draft);
                    }
                    metrics::counter!("heliograph_room_entries_total").increment(1);
                    self.in_clear = body.map(|body| Box::new((draft, body)));
                    let caught_up = self.catch_up(seq).await;
                    self.in_clear = None;
                    caught_up?;
                    let (chain, at) = (self.room.chain(), self.room.at());
                    return Ok(AppendAnswer::Ok { seq, chain, at });
                }
                AppendAnswer::Rewound => Box::pin(self.repair()).await?,
                other @ (AppendAnswer::Dup { .. } | AppendAnswer::Gap { .. } | AppendAnswer::Unclaimed) => {
                    return Ok(other);
                }
            }
        }
        Ok(AppendAnswer::Rewound)
    }

    /// Applies what the subscription brought, then reads what it left out.
    pub(super) async fn catch_up(&mut self, seq: u64) -> Result<(), Away> {
        while self.room.seq() < seq {
            match self.subscription.as_mut().map(Subscription::try_recv) {
                Some(Ok(entry)) if entry.header.seq <= self.room.seq() + 1 => self.take(entry).await,
                Some(Ok(_) | Err(_)) | None => return self.catch_up_all().await,
            }
        }
        Ok(())
    }

    /// An entry from the subscription; a hole before it is filled from the log.
    pub(super) async fn follow(&mut self, entry: Arc<LogEntry>) {
        if entry.header.seq <= self.room.seq() + 1 {
            self.take(entry).await;
        } else if let Err(away) = self.catch_up_all().await {
            tracing::warn!(visit = %self.key.visit, "a hole in the log could not be filled: {away}");
        }
    }

    /// Reads on to the log's end.
    pub(super) async fn catch_up_all(&mut self) -> Result<(), Away> {
        let tail = self.shared.ports.log.read_after(&self.key, self.mark()).await;
        let Some(tail) = self.noted_read(tail)? else {
            return Box::pin(self.repair()).await;
        };
        if let Some(base) = tail.base {
            if self.room.seq() > 0 {
                // The log was trimmed beyond this node's place.
                return Box::pin(self.repair()).await;
            }
            self.room = self.open_snapshot(&base)?;
            self.base = Some(base);
            self.ring.clear();
        }
        let first = self.ring.is_empty();
        for entry in tail.entries {
            let opened = self.fold(entry).await;
            self.opened_lately.extend(opened.filter(|_| first));
        }
        Ok(())
    }

    pub(super) async fn take(&mut self, kept: Arc<LogEntry>) {
        self.fold(kept).await;
    }

    /// Applies the next entry: opens it, delivers what it means, acknowledges it to its sender. `None`: it is not the next.
    async fn fold(&mut self, kept: Arc<LogEntry>) -> Option<Entry> {
        let LogEntry { header, data } = &*kept;
        if header.seq != self.room.seq() + 1 {
            return None;
        }
        let parts = (
            header.from,
            header.session.as_str(),
            header.cseq,
            header.audience,
            header.kind.as_str(),
            header.at,
        );
        let chain = self
            .room
            .chain()
            .after(parts.0, parts.1, parts.2, parts.3, parts.4, parts.5, data);
        if chain != header.chain {
            tracing::warn!(visit = %self.key.visit, seq = header.seq, "an entry does not follow from the one before");
            self.look_again();
            return None;
        }
        let entry = match self.in_clear.take_if(|own| kept.is_of(&own.0)) {
            Some(in_clear) => Entry {
                header: header.clone(),
                body: in_clear.1,
            },
            None => self.open(&kept),
        };
        let applied = self.room.apply(&entry);
        self.ring.push(kept);
        self.after_claim(&entry, &applied);
        self.deliver(&entry.header, &applied.deliveries);
        self.facts.note(&entry, &applied);
        if !self.facts.is_empty() {
            self.facts.write(&self.shared.ports, &self.key).await;
        }
        self.acknowledge(&entry);
        self.show_out(&entry);
        self.publish();
        Some(entry)
    }

    /// A claim that holds ends whatever socket of the seat was there before. A repair may bring a claim of an earlier life of
    /// the page that has the seat by now: then the page comes back and claims anew.
    fn after_claim(&mut self, entry: &Entry, applied: &Applied) {
        let (Some(seat), Body::Claim(row, _)) = (entry.header.from, &entry.body) else {
            return;
        };
        match &applied.claim {
            Some(ClaimOutcome::Allowed { .. }) => {
                let other = self.connections.get(&seat).filter(|c| c.id != row.connection);
                let code = other.map(|c| {
                    if c.is_of(&row.session) {
                        CloseCode::Reclaim
                    } else {
                        CloseCode::Superseded
                    }
                });
                if let Some(code) = code {
                    self.close(seat, code);
                }
            }
            Some(ClaimOutcome::Refused(code)) => self.refused = Some((row.connection.clone(), *code)),
            None => {}
        }
    }

    fn deliver(&self, header: &EntryHeader, deliveries: &[Delivery]) {
        for delivery in deliveries {
            let readers = delivery
                .to
                .iter()
                .filter_map(|(seat, p)| Some((self.connections.get(seat)?, *p)));
            let mut frame = None;
            for (connection, p) in readers {
                let frame = frame.get_or_insert_with(|| frame_of(header, delivery));
                connection.queue.send(frame.for_reader(p));
            }
        }
    }

    /// A sender hears that its message is taken when this node's fold has it, and the store where that must know.
    fn acknowledge(&self, entry: &Entry) {
        match (&entry.body, entry.header.from) {
            (Body::Message(_) | Body::Void(_) | Body::Unknown, Some(seat)) => {
                if let Some(connection) = self.connections.get(&seat) {
                    self.ack(connection, seat, &entry.header.session, false);
                }
            }
            (Body::Opened(_) | Body::Claim(..) | Body::Presence { .. } | Body::Due(_) | Body::Notice(_), _)
            | (Body::Message(_) | Body::Void(_) | Body::Unknown, None) => {}
        }
    }

    pub(super) fn ack(&self, connection: &Connection, seat: ParticipantId, session: &str, back: bool) {
        let c = self.facts.acknowledged(seat, session, self.room.seen(seat, session));
        self.ack_as(connection, session, c, back);
    }

    /// What [`Check::AckAfterApply`] is there against.
    fn ack_unseen(&self, draft: &Draft) {
        let connection = draft.from.and_then(|seat| self.connections.get(&seat));
        if let Some(connection) = connection.filter(|_| draft.connection.is_some()) {
            self.ack_as(connection, &draft.session, draft.cseq, false);
        }
    }

    pub(super) fn ack_as(&self, connection: &Connection, session: &str, c: u64, back: bool) {
        let header = Header {
            session: Some(session.to_owned()),
            c: Some(c),
            at: Some(self.room.at()),
            ..Header::default()
        };
        connection.queue.tell(header, &ServerMessage::Ack { back });
    }

    /// Closes the sockets of those whom the entry sent out.
    fn show_out(&mut self, entry: &Entry) {
        match entry.header.kind.as_str() {
            "remove" | "deny" | "due" => {}
            _ => return,
        }
        let codes = self
            .connections
            .iter()
            .filter_map(|(seat, c)| Some((*seat, self.shown_out(*seat, c.role)?)));
        let out: Vec<_> = codes.collect();
        for (seat, code) in out {
            self.show_out_of(seat, code);
        }
    }

    /// Why a person's socket is closed, by where they stand.
    pub(super) fn shown_out(&self, seat: ParticipantId, role: Role) -> Option<CloseCode> {
        match self.room.state(seat) {
            Some(SeatState::Removed) => Some(CloseCode::Removed),
            Some(SeatState::Denied) => Some(CloseCode::Denied),
            Some(SeatState::Waiting | SeatState::Admitted | SeatState::Held) | None => {
                let ended = matches!(self.room.phase(), Phase::Ended { .. });
                (ended && !role.is_staff()).then_some(CloseCode::Ended)
            }
        }
    }
}

/// The frame of a delivery, for all its readers but for `p`.
pub(super) fn frame_of(header: &EntryHeader, delivery: &Delivery) -> SharedFrame {
    let place = Header {
        s: Some(header.seq),
        p: None,
        chain: Some(header.chain),
        from: header.from,
        session: Some(header.session.clone()),
        c: Some(header.cseq),
        at: Some(header.at),
    };
    match &delivery.message {
        Some(message) => SharedFrame::new(place, message),
        None => SharedFrame::unknown(place, &header.kind),
    }
}
