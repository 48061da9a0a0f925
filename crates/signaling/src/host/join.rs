//! A page takes its seat: claim, welcome, and what it missed.

use super::{Connection, Host, Join, word::Word};
use crate::{rate::Pace, seal::Binding, session};
use bytes::Bytes;
use heliograph_domain::{
    ParticipantId, Role,
    entry::{Audience, ClaimRow, OutboxSpan},
};
use heliograph_protocol::{CloseCode, ErrorCode, Header, Resumed, ResyncWhy, ServerMessage, SharedFrame};
use heliograph_room::ClaimData;
use heliograph_roomlog::{Away, ClaimAnswer, ClaimRequest};
use std::time::Duration;
use tokio::time::Instant;

/// How long a node that can't reach its store or log asks pages to wait.
const RETRY_MS: u64 = 1_000;

impl Host {
    pub(super) async fn join(&mut self, join: Join) {
        if let Err(away) = self.try_join(&join).await {
            tracing::warn!(visit = %self.key.visit, "a page could not join: {away}");
            let retry = Some(RETRY_MS);
            turn_away(&join, ErrorCode::StoreUnavailable, CloseCode::Reclaim, None, retry);
        }
    }

    async fn try_join(&mut self, join: &Join) -> Result<(), Away> {
        self.load().await?;
        let Some(mut data) = self.claim_data(join) else {
            turn_away(join, ErrorCode::TooLate, CloseCode::Expired, None, None);
            return Ok(());
        };
        match self.last_word(join.seat, data.role).await? {
            Word::In(stands) => data.stands = stands,
            Word::Out(error, code) => {
                turn_away(join, error, code, None, None);
                return Ok(());
            }
        }
        let row = row_of(join);
        self.refused = None;
        match self.claim(join, &row, &data).await? {
            ClaimAnswer::Granted { seq } => self.catch_up(seq).await?,
            ClaimAnswer::Stale => {
                join.queue.close(CloseCode::Reclaim);
                return Ok(());
            }
            ClaimAnswer::Taken { holder } => {
                // Who was shown out may still have the seat's lease: then the reason is that, and not another page.
                match self.shown_out(join.seat, data.role) {
                    Some(code) => turn_away(join, ErrorCode::Forbidden, code, None, None),
                    None => turn_away(join, ErrorCode::SeatTaken, CloseCode::Superseded, Some(holder), None),
                }
                return Ok(());
            }
            ClaimAnswer::TicketUsed => {
                turn_away(join, ErrorCode::Unauthorized, CloseCode::Auth, None, None);
                return Ok(());
            }
            ClaimAnswer::Rewound | ClaimAnswer::Empty => {
                return Err(Away("the log is being repaired".to_owned()));
            }
        }
        if let Some((_, code)) = self
            .refused
            .take()
            .filter(|(connection, _)| connection == &join.connection)
        {
            let error = match code {
                CloseCode::Ended => ErrorCode::RoomEnded,
                CloseCode::Reclaim
                | CloseCode::Slow
                | CloseCode::Heartbeat
                | CloseCode::Rate
                | CloseCode::Drained
                | CloseCode::Auth
                | CloseCode::Expired
                | CloseCode::Removed
                | CloseCode::Denied
                | CloseCode::Superseded => ErrorCode::Forbidden,
            };
            turn_away(join, error, code, None, None);
            self.note_leaving(
                join.seat,
                &join.hello.session,
                join.hello.attempt,
                join.connection.clone(),
            );
            return Ok(());
        }
        if self
            .room
            .holder(join.seat)
            .is_none_or(|(_, _, connection)| connection != join.connection)
        {
            join.queue.close(CloseCode::Reclaim);
            return Ok(());
        }
        self.welcome(join, data.role)?;
        // Another node may have taken the decision between the claim and now.
        if let Some(code) = self.shown_out(join.seat, data.role) {
            self.show_out_of(join.seat, code);
        }
        Ok(())
    }

    /// A log that does not have this node's place is repaired, and asked once more.
    async fn claim(&mut self, join: &Join, row: &ClaimRow, data: &ClaimData) -> Result<ClaimAnswer, Away> {
        let claim = self.claim_request(join, row, data);
        let answer = self.shared.ports.log.claim(&self.key, self.mark(), claim.clone()).await;
        match self.noted(answer)? {
            ClaimAnswer::Rewound | ClaimAnswer::Empty => {}
            answer @ (ClaimAnswer::Granted { .. }
            | ClaimAnswer::Stale
            | ClaimAnswer::Taken { .. }
            | ClaimAnswer::TicketUsed) => return Ok(answer),
        }
        self.repair().await?;
        let answer = self.shared.ports.log.claim(&self.key, self.mark(), claim).await;
        self.noted(answer)
    }

    /// Who sits down; `None` when the time is over.
    fn claim_data(&self, join: &Join) -> Option<ClaimData> {
        let capabilities = join.hello.capabilities;
        let data = match &join.rights {
            Some(rights) => Some(ClaimData {
                role: rights.role,
                name: rights.name.clone(),
                language: rights.language.clone(),
                rights_until: rights.until,
                capabilities,
                stands: None,
            }),
            None => self.room.remembered_claim(join.seat, capabilities),
        };
        data.filter(|data| !self.is_late(data.rights_until))
    }

    fn claim_request(&self, join: &Join, row: &ClaimRow, data: &ClaimData) -> ClaimRequest {
        let plain = serde_json::to_vec(data).expect("texts and numbers are always JSON");
        let session = format!("k:{}", row.session);
        let binding = Binding {
            from: Some(join.seat),
            session: &session,
            cseq: row.attempt,
            audience: Audience::Own,
            kind: "claim",
        };
        ClaimRequest {
            seat: join.seat,
            row: row.clone(),
            takeover: join.hello.takeover.clone(),
            sealed: Bytes::from(self.sealer.seal(binding, &plain)),
        }
    }

    fn welcome(&mut self, join: &Join, role: Role) -> Result<(), Away> {
        let hello = &join.hello;
        let sessions = hello.outbox.iter().map(|range| &range.session);
        let older = sessions.filter(|session| **session != hello.session);
        let connection = Connection {
            id: join.connection.clone(),
            session: hello.session.clone(),
            heir_of: older.cloned().collect(),
            attempt: hello.attempt,
            generation: join.generation,
            role,
            queue: join.queue.clone(),
            acked: None,
            unasked: join.rights.is_none(),
            relays_at: Instant::now(),
            reports: Pace::default(),
        };
        let acked = self.acked(join.seat);
        let resumed = match hello.last {
            None => Resumed::New,
            Some(last) if self.has(last) => Resumed::Full,
            Some(_) => Resumed::Resync,
        };
        let secret = session::secret(
            &self.shared.ports.keys,
            &self.key,
            join.seat,
            join.generation,
            &hello.session,
        );
        let now = self.now();
        let here = self.here();
        let welcome = ServerMessage::Welcome {
            secret,
            acked,
            resumed,
            server_time_ms: now,
            timers: self.shared.settings.timers.clone(),
            limits: self.shared.settings.limits.clone(),
            simulate: self.shared.ports.simulate.is_some(),
        };
        let mut frames = vec![
            SharedFrame::new(
                Header {
                    session: Some(hello.session.to_string()),
                    ..here.clone()
                },
                &welcome,
            )
            .into_text(),
        ];
        match (resumed, hello.last) {
            (Resumed::Full, Some(last)) if last.s == self.room.seq() => {}
            (Resumed::Full, Some(last)) => {
                // Another page had the seat meanwhile, so the others see a new one: then it must know that too.
                if self.replay(join.seat, last.s, |_, _| true, &mut frames)? {
                    frames.push(self.snapshot_frame(join.seat, here));
                }
            }
            (Resumed::Resync, _) | (Resumed::Full, None) => {
                frames.extend(self.resync(join.seat, ResyncWhy::NotInLog)?);
            }
            (Resumed::New, _) => {
                // What was refused of an older page life is told to its heir.
                let own = |session: &str| hello.outbox.iter().any(|span| span.session.as_str() == session);
                let told =
                    |session: &str, m: &ServerMessage| matches!(m, ServerMessage::Refused { .. }) && own(session);
                if !hello.outbox.is_empty() {
                    self.replay(join.seat, 0, told, &mut frames)?;
                }
                frames.push(self.snapshot_frame(join.seat, here));
            }
        }
        connection.queue.send_backlog(frames);
        self.connections.insert(join.seat, Box::new(connection));
        self.tell_ice_servers(join.seat);
        metrics::counter!("heliograph_joins_total", "resumed" => resumed_name(resumed)).increment(1);
        Ok(())
    }

    /// Tells a page the relay servers. What they take is good from now on, however long the visit goes on.
    pub(super) fn tell_ice_servers(&mut self, seat: ParticipantId) {
        let settings = &self.shared.settings;
        let life_ms = settings.ice_lifetime_ms;
        let message = ServerMessage::IceServers {
            servers: settings.ice_servers.clone(),
            expires_at_ms: self.now().plus(i64::try_from(life_ms).unwrap_or(i64::MAX / 4)),
        };
        if let Some(connection) = self.connections.get_mut(&seat) {
            connection.queue.tell(Header::default(), &message);
            connection.relays_at = Instant::now() + Duration::from_millis(life_ms / 3 * 2);
        }
    }
}

fn turn_away(join: &Join, code: ErrorCode, close: CloseCode, holder: Option<String>, retry_after_ms: Option<u64>) {
    let error = ServerMessage::Error {
        code,
        for_c: None,
        holder,
        retry_after_ms,
        detail: None,
    };
    join.queue.tell(Header::default(), &error);
    join.queue.close(close);
}

fn row_of(join: &Join) -> ClaimRow {
    let hello = &join.hello;
    let span = |o: &heliograph_protocol::OutboxRange| OutboxSpan {
        session: o.session.to_string(),
        first_c: o.first_c,
        next_c: o.next_c,
    };
    ClaimRow {
        session: hello.session.to_string(),
        attempt: hello.attempt,
        connection: join.connection.clone(),
        outbox: hello.outbox.iter().map(span).collect(),
        ticket: join.ticket.clone(),
    }
}

fn resumed_name(resumed: Resumed) -> &'static str {
    match resumed {
        Resumed::Full => "full",
        Resumed::Resync => "resync",
        Resumed::New => "new",
    }
}
