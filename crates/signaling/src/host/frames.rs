//! What a joined page sends.

use super::{Frame, Host};
use heliograph_domain::{ParticipantId, SessionId, entry::Audience};
use heliograph_protocol::{ClientMessage, CloseCode, ErrorCode, Fault, Header, LineLevel, ServerMessage};
use heliograph_room::{Body, VoidData};
use heliograph_roomlog::{AppendAnswer, Mark};

/// Between two reports about a page's lines.
const REPORTS_MS: i64 = 5_000;
/// Frames that wait while a log is being repaired.
const MOST_HELD: usize = 256;

impl Host {
    pub(super) async fn frame(&mut self, frame: Frame) {
        let Some(connection) = self.connections.get(&frame.seat).filter(|c| c.id == frame.connection) else {
            return;
        };
        let own = connection.session.to_string();
        if frame.c.is_some() && self.hold_until.is_some() {
            // What finds no place here is sent again by its page.
            if self.held.len() < MOST_HELD {
                self.held.push(frame);
            }
            return;
        }
        let message = frame.message;
        let Some(c) = frame.c else {
            if let Ok(message) = &message {
                self.unnumbered(frame.seat, message).await;
            }
            return;
        };
        let session = match frame.session {
            None => own,
            Some(older) if self.room.sessions(frame.seat).any(|known| known == older.as_str()) => older.to_string(),
            // Only what the claim named are this page's own older lives.
            Some(older) => {
                self.refuse_at_once(frame.seat, &older, c, ErrorCode::BadState);
                return;
            }
        };
        let (draft, body) = match message {
            Ok(message) => {
                let plain = serde_json::to_vec(&message).expect("keys are texts and numbers are finite");
                let audience = audience(&message);
                let draft = self.sealed(
                    Some(frame.seat),
                    Some(frame.connection),
                    session.clone(),
                    c,
                    audience,
                    message.kind(),
                    &plain,
                );
                (draft, Body::Message(message))
            }
            Err(code) => {
                let void = VoidData { code };
                let plain = serde_json::to_vec(&void).expect("a code is a text");
                let draft = self.sealed(
                    Some(frame.seat),
                    Some(frame.connection),
                    session.clone(),
                    c,
                    Audience::Own,
                    "void",
                    &plain,
                );
                (draft, Body::Void(void))
            }
        };
        match self.append_read(draft, Some(body)).await {
            Ok(AppendAnswer::Dup { .. }) => {
                if let Some(connection) = self.connections.get(&frame.seat) {
                    connection.queue.note_repeated();
                }
                self.facts.write(&self.shared.ports, &self.key).await;
                self.ack_seat(frame.seat, &session, false);
            }
            Ok(AppendAnswer::Gap { session: missing, .. }) => {
                if let Ok(session) = session.parse() {
                    self.refuse_at_once(frame.seat, &session, c, ErrorCode::Gap);
                }
                self.ack_seat(frame.seat, &missing, true);
            }
            Ok(AppendAnswer::Unclaimed) => self.close(frame.seat, CloseCode::Reclaim),
            // What was not taken, the client keeps and sends again.
            Ok(AppendAnswer::Ok { .. } | AppendAnswer::Rewound) => {}
            Err(away) => tracing::debug!(visit = %self.key.visit, "an entry was not taken: {away}"),
        }
    }

    /// Messages that carry no number never reach the log.
    async fn unnumbered(&mut self, seat: ParticipantId, message: &ClientMessage) {
        let now = self.now();
        match message {
            ClientMessage::Ack { s, chain } => {
                if let Some(connection) = self.connections.get_mut(&seat) {
                    connection.acked = Some(Mark { seq: *s, chain: *chain });
                }
            }
            ClientMessage::IceServers {} => self.tell_ice_servers(seat),
            ClientMessage::Quality { peers } => {
                let mut reports = self.connections.get_mut(&seat).map(|c| &mut c.reports);
                if !reports.as_mut().is_some_and(|pace| pace.take(now, REPORTS_MS)) {
                    return;
                }
                for peer in peers {
                    let level = match peer.level {
                        LineLevel::Good => "good",
                        LineLevel::Weak => "weak",
                        LineLevel::Lost => "lost",
                    };
                    metrics::counter!("heliograph_line_reports_total", "level" => level).increment(1);
                }
            }
            ClientMessage::Simulate { what } => self.simulate(*what).await,
            ClientMessage::Hello(_)
            | ClientMessage::Ping {}
            | ClientMessage::Sdp(_)
            | ClientMessage::Ice(_)
            | ClientMessage::Reset(_)
            | ClientMessage::Media(_)
            | ClientMessage::Chat(_)
            | ClientMessage::Knock { .. }
            | ClientMessage::Unknock {}
            | ClientMessage::Admit(_)
            | ClientMessage::Deny(_)
            | ClientMessage::Hold(_)
            | ClientMessage::Role { .. }
            | ClientMessage::AskMute { .. }
            | ClientMessage::Remove(_)
            | ClientMessage::Lock { .. }
            | ClientMessage::Extend { .. }
            | ClientMessage::StepOut {}
            | ClientMessage::End {}
            | ClientMessage::UndoEnd {}
            | ClientMessage::Reopen {}
            | ClientMessage::CallMe { .. }
            | ClientMessage::Nop {}
            | ClientMessage::Bye {} => {}
        }
    }

    /// What a development service is asked for. That the log lost something is noticed as it would be after a fault.
    async fn simulate(&self, what: Fault) {
        let Some(port) = &self.shared.ports.simulate else {
            return;
        };
        match what {
            Fault::Kill => port.kill(),
            Fault::Rewind => {
                if let Err(away) = port.rewind(&self.key).await {
                    tracing::warn!(visit = %self.key.visit, "a log could not be rewound: {away}");
                }
            }
        }
    }

    /// The session is named: another one may have a message of the same number.
    fn refuse_at_once(&self, seat: ParticipantId, session: &SessionId, c: u64, code: ErrorCode) {
        if let Some(connection) = self.connections.get(&seat) {
            let error = ServerMessage::Error {
                code,
                for_c: Some(c),
                holder: None,
                retry_after_ms: None,
                detail: None,
            };
            let header = Header {
                session: Some(session.to_string()),
                ..Header::default()
            };
            connection.queue.tell(header, &error);
        }
    }

    fn ack_seat(&self, seat: ParticipantId, session: &str, back: bool) {
        if let Some(connection) = self.connections.get(&seat) {
            self.ack(connection, seat, session, back);
        }
    }
}

/// Whom a message is for. The fold decides whether they get it.
fn audience(message: &ClientMessage) -> Audience {
    match message {
        ClientMessage::Sdp(sdp) => Audience::Seat(sdp.to),
        ClientMessage::Ice(ice) => Audience::Seat(ice.to),
        ClientMessage::Reset(reset) => Audience::Seat(reset.to),
        ClientMessage::Chat(chat) => chat.to.into(),
        ClientMessage::AskMute { participant } => Audience::Seat(*participant),
        ClientMessage::Knock { .. } | ClientMessage::Unknock {} | ClientMessage::CallMe { .. } => Audience::Staff,
        ClientMessage::Nop {} => Audience::Own,
        ClientMessage::Media(_)
        | ClientMessage::Admit(_)
        | ClientMessage::Deny(_)
        | ClientMessage::Hold(_)
        | ClientMessage::Role { .. }
        | ClientMessage::Remove(_)
        | ClientMessage::Lock { .. }
        | ClientMessage::Extend { .. }
        | ClientMessage::StepOut {}
        | ClientMessage::End {}
        | ClientMessage::UndoEnd {}
        | ClientMessage::Reopen {}
        | ClientMessage::Bye {}
        | ClientMessage::Hello(_)
        | ClientMessage::Ack { .. }
        | ClientMessage::IceServers {}
        | ClientMessage::Quality { .. }
        | ClientMessage::Ping {}
        | ClientMessage::Simulate { .. } => Audience::All,
    }
}
