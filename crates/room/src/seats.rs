//! Who sits where: claims, presence, leaving.

use crate::{
    ClaimData, ClaimOutcome, Room,
    notify::{Outgoing, Refusal},
    room::{Holder, Seat},
};
use heliograph_domain::{
    ParticipantId,
    entry::{ClaimRow, seen_key},
};
use heliograph_protocol::{
    CloseCode, DeviceCheck, ErrorCode, LeftWhy, Media, Phase, Presence, SeatState, ServerMessage,
};

impl Room {
    /// A page takes a seat. Whether it may is judged by the log (who holds the seat) and here (who may be in the room).
    pub(crate) fn claim(
        &mut self,
        out: &mut Outgoing,
        id: ParticipantId,
        row: &ClaimRow,
        data: &ClaimData,
    ) -> ClaimOutcome {
        if let Some(code) = self.why_not(id, row, data) {
            return ClaimOutcome::Refused(code);
        }
        let acked = self.note_outbox(id, row);
        let fresh = self.known_page(id).is_none_or(|session| session != row.session);
        let was_online = self
            .seats
            .get(&id)
            .is_some_and(|seat| seat.presence == Presence::Online {});
        self.sit(id, row, data, fresh);
        if fresh {
            self.renew_pairs(id);
        }
        if fresh || !was_online {
            self.tell_of_arrival(out, id, fresh);
        }
        ClaimOutcome::Allowed { acked, fresh }
    }

    /// The page that has the seat, or had it until its line was lost.
    fn known_page(&self, id: ParticipantId) -> Option<&str> {
        let seat = self.seats.get(&id)?;
        let holder = seat.holder.as_ref().map(|holder| &holder.session);
        holder.or(seat.last.as_ref()).map(String::as_str)
    }

    fn why_not(&self, id: ParticipantId, row: &ClaimRow, data: &ClaimData) -> Option<CloseCode> {
        let mut sessions = row.outbox.iter().map(|span| &span.session).chain([&row.session]);
        if sessions.any(|session| self.is_of_another(id, session)) {
            return Some(CloseCode::Auth);
        }
        match self.state(id).or(data.stands) {
            Some(SeatState::Removed) => return Some(CloseCode::Removed),
            Some(SeatState::Denied) => return Some(CloseCode::Denied),
            Some(SeatState::Waiting | SeatState::Admitted | SeatState::Held) | None => {}
        }
        match self.phase {
            Phase::Ended { reopen_until_ms } if !data.role.is_staff() || self.at > reopen_until_ms => {
                Some(CloseCode::Ended)
            }
            Phase::Open {} | Phase::Ending { .. } | Phase::Ended { .. } => None,
        }
    }

    /// Whether a session is known under another seat: marks are kept by its name alone.
    fn is_of_another(&self, id: ParticipantId, session: &str) -> bool {
        let own = seen_key(Some(id), session);
        self.seen
            .keys()
            .any(|key| *key != own && key.split_once(':').is_some_and(|(_, name)| name == session))
    }

    /// What the page no longer holds can't come any more; what the log has, the page is told.
    fn note_outbox(&mut self, id: ParticipantId, row: &ClaimRow) -> std::collections::BTreeMap<String, u64> {
        let mut acked = std::collections::BTreeMap::new();
        for span in &row.outbox {
            let seen = self.seen.entry(seen_key(Some(id), &span.session)).or_default();
            *seen = (*seen).max(span.first_c.saturating_sub(1));
            acked.insert(span.session.clone(), *seen);
        }
        acked
    }

    fn sit(&mut self, id: ParticipantId, row: &ClaimRow, data: &ClaimData, fresh: bool) {
        if fresh {
            self.joins += 1;
        }
        let (at, joins, seq) = (self.at, self.joins, self.seq);
        let state = match (data.role.is_staff(), self.state(id)) {
            (true, _) => SeatState::Admitted,
            (false, Some(state)) => state,
            (false, None) => data.stands.unwrap_or(SeatState::Waiting),
        };
        let seat = self.seats.entry(id).or_insert_with(|| {
            Box::new(Seat {
                role: data.role,
                name: data.name.clone(),
                language: data.language.clone(),
                capabilities: data.capabilities,
                rights_until: data.rights_until,
                holder: None,
                state,
                presence: Presence::Online {},
                media: Media::default(),
                device: DeviceCheck::default(),
                knocked: false,
                since: at,
                lost: None,
                last: None,
                called: None,
                joined: joins,
                delivered: seq,
            })
        });
        seat.name = data.name.clone();
        seat.language = data.language.clone();
        seat.capabilities = data.capabilities;
        seat.rights_until = data.rights_until;
        seat.state = state;
        seat.presence = Presence::Online {};
        seat.lost = None;
        seat.last = None;
        seat.holder = Some(Holder {
            session: row.session.clone(),
            attempt: row.attempt,
            connection: row.connection.clone(),
            outbox: row.outbox.clone(),
        });
        if fresh {
            seat.joined = joins;
            seat.media = Media::default();
        }
    }

    fn tell_of_arrival(&mut self, out: &mut Outgoing, id: ParticipantId, fresh: bool) {
        if let Some(waiting) = self.waiting(id) {
            out.give(
                self.staff_but(id),
                ServerMessage::Updated {
                    member: None,
                    waiting: Some(waiting),
                },
            );
            return;
        }
        // Who was removed is nobody's member, whatever becomes of the line.
        if self.state(id) != Some(SeatState::Admitted) {
            return;
        }
        for other in self.admitted_but(id) {
            if let Some(member) = self.member(other, id) {
                let updated = ServerMessage::Updated {
                    member: Some(member.clone()),
                    waiting: None,
                };
                out.give(
                    [other],
                    if fresh {
                        ServerMessage::Joined { member }
                    } else {
                        updated
                    },
                );
            }
        }
    }

    /// A lease ran out. It counts only while the same attempt of the same session still has the seat.
    pub(crate) fn presence(&mut self, out: &mut Outgoing, id: ParticipantId, session: &str, attempt: u64, left: bool) {
        if self.holder(id).is_none_or(|(s, a, _)| s != session || a != attempt) {
            return;
        }
        if left {
            self.leave(out, id, LeftWhy::Lost);
            return;
        }
        let since_ms = self.at;
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.presence = Presence::Reconnecting { since_ms };
            seat.lost.get_or_insert(since_ms);
        }
        self.tell_of_arrival(out, id, false);
    }

    pub(crate) fn bye(&mut self, out: &mut Outgoing, id: ParticipantId, session: &str) -> Result<(), Refusal> {
        if self.holder(id).is_none_or(|(s, _, _)| s != session) {
            return Err(ErrorCode::Stale);
        }
        self.leave(out, id, LeftWhy::Bye);
        Ok(())
    }

    /// The seat is free again; who sat there stays admitted, or goes on waiting.
    fn leave(&mut self, out: &mut Outgoing, id: ParticipantId, why: LeftWhy) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        seat.presence = Presence::Left { why };
        let holder = seat.holder.take();
        match why {
            LeftWhy::Bye => {
                seat.lost = None;
                seat.media = Media::default();
            }
            // `lost` is since it was `reconnecting`. Who was shown out never was.
            LeftWhy::Lost => seat.last = holder.map(|holder| holder.session),
        }
        let readers = if seat.state == SeatState::Admitted {
            self.admitted_but(id)
        } else {
            self.staff_but(id)
        };
        out.give(readers, ServerMessage::Left { participant: id, why });
    }
}
