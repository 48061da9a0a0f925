//! The room as one person sees it.

use crate::{Room, room::Line};
use heliograph_domain::{ParticipantId, Role};
use heliograph_protocol::{ChatLine, Member, RoomView, SeatState, Waiting};

impl Room {
    /// The whole room as one person sees it. Somebody who waits sees nobody; only staff see who waits.
    pub fn view(&self, reader: ParticipantId) -> RoomView {
        let me = self.seats.get(&reader);
        let state = self.state(reader).unwrap_or(SeatState::Waiting);
        let inside = state == SeatState::Admitted;
        let staff = me.is_some_and(|seat| seat.is_staff());
        let members = self
            .admitted_but(reader)
            .into_iter()
            .filter_map(|other| self.member(reader, other));
        RoomView {
            state,
            role: me.map_or(Role::Guest, |seat| seat.role),
            phase: self.phase,
            locked: self.locked,
            extended_min: self.extended_min,
            members: if inside { members.collect() } else { Vec::new() },
            waiting: if staff { self.waiting_list() } else { Vec::new() },
            chat: self
                .chat
                .iter()
                .filter(|line| line.is_for(reader, staff))
                .map(Line::view)
                .collect(),
        }
    }

    /// An admitted person as another one sees them.
    pub(crate) fn member(&self, reader: ParticipantId, other: ParticipantId) -> Option<Member> {
        let (me, seat) = (self.seats.get(&reader)?, self.seats.get(&other)?);
        let offerer = me.joined > seat.joined;
        let polite = match (me.capabilities.rollback, seat.capabilities.rollback) {
            (true, false) => true,
            (false, true) => false,
            (true, true) | (false, false) => offerer,
        };
        Some(Member {
            participant: other,
            role: seat.role,
            name: seat.name.clone(),
            language: seat.language.clone(),
            presence: seat.presence,
            media: seat.media,
            capabilities: seat.capabilities,
            generation: self.generation(reader, other, crate::media::MAIN),
            offerer,
            polite,
        })
    }

    /// Everybody who waits, was held or denied.
    pub(crate) fn waiting_list(&self) -> Vec<Waiting> {
        self.seats.keys().filter_map(|seat| self.waiting(*seat)).collect()
    }

    /// One person's row among those who wait; `None` for somebody who does not.
    pub(crate) fn waiting(&self, id: ParticipantId) -> Option<Waiting> {
        let seat = self.seats.get(&id)?;
        match seat.state {
            SeatState::Admitted | SeatState::Removed => None,
            SeatState::Waiting | SeatState::Held | SeatState::Denied => Some(Waiting {
                participant: id,
                role: seat.role,
                name: seat.name.clone(),
                language: seat.language.clone(),
                state: seat.state,
                presence: seat.presence,
                since_ms: seat.since,
                knocked: seat.knocked,
                device: seat.device,
            }),
        }
    }
}

impl Line {
    fn is_for(&self, reader: ParticipantId, staff: bool) -> bool {
        self.from == reader || self.heard.contains(&reader) || (staff && self.staff)
    }

    fn view(&self) -> ChatLine {
        ChatLine {
            s: self.s,
            from: self.from,
            id: self.id.clone(),
            text: self.text.clone(),
            to: self.to,
            canned: self.canned.clone(),
            at_ms: self.at,
        }
    }
}
