//! One entry at its place: the rules that hold for all kinds, then the kind's own.

use crate::{
    Applied, Body, ClaimOutcome, Entry, Notice, Opened, Room,
    notify::{Outgoing, Refusal},
};
use heliograph_domain::{
    ParticipantId, UnixMillis,
    entry::{Audience, EntryHeader, seen_key},
};
use heliograph_protocol::{ClientMessage, ErrorCode, Phase, SeatState, ServerMessage};

pub(crate) fn apply(room: &mut Room, entry: &Entry) -> Applied {
    let header = &entry.header;
    room.seq = header.seq;
    room.chain = header.chain;
    room.at = header.at;
    let key = seen_key(header.from, &header.session);
    let seen = room.seen.entry(key).or_default();
    *seen = (*seen).max(header.cseq);

    let mut out = Outgoing::default();
    let mut claim = None;
    match (&entry.body, header.from) {
        (Body::Opened(opened), _) => room.open(opened),
        (Body::Claim(row, data), Some(seat)) => claim = Some(room.claim(&mut out, seat, row, data)),
        (Body::Message(message), Some(seat)) => {
            if let Err(code) = room.message(&mut out, seat, header, message) {
                refuse(&mut out, seat, header, code);
            }
        }
        (Body::Void(void), Some(seat)) => refuse(&mut out, seat, header, void.code),
        (Body::Presence { session, attempt, left }, Some(seat)) => {
            room.presence(&mut out, seat, session, *attempt, *left);
        }
        (Body::Due(at), _) => room.due(&mut out, *at),
        (Body::Notice(notice), _) => {
            let concerned = |seat: &ParticipantId| notice.participant.is_none_or(|one| one == *seat);
            out.give(room.everybody().into_iter().filter(concerned), notice.message());
        }
        (Body::Unknown, from) => room.unknown(&mut out, from, header.audience),
        // A seat's entry without a seat: nothing that this service writes.
        (Body::Claim(..) | Body::Message(_) | Body::Void(_) | Body::Presence { .. }, None) => {}
    }
    if matches!(claim, Some(ClaimOutcome::Refused(_))) {
        out = Outgoing::default();
    }
    Applied {
        deliveries: out.deliver(room),
        claim,
    }
}

/// The sender learns that the entry was not allowed; its place in the log is taken.
fn refuse(out: &mut Outgoing, seat: ParticipantId, header: &EntryHeader, code: Refusal) {
    out.give(
        [seat],
        ServerMessage::Refused {
            for_c: header.cseq,
            code,
        },
    );
}

impl Room {
    fn open(&mut self, opened: &Opened) {
        self.nonce.clone_from(&opened.nonce);
        self.rules = opened.rules;
        self.deadlines = opened.deadlines;
        self.most_admitted = opened.most_admitted;
        self.remembered.extend(opened.states());
        if let Some(ended) = opened.ended {
            self.phase = Phase::Ended {
                reopen_until_ms: ended.plus(opened.deadlines.reopen_ms),
            };
        }
    }

    fn message(
        &mut self,
        out: &mut Outgoing,
        from: ParticipantId,
        header: &EntryHeader,
        message: &ClientMessage,
    ) -> Result<(), Refusal> {
        let state = self.seats.get(&from).ok_or(ErrorCode::Forbidden)?.state;
        match state {
            SeatState::Removed => return Err(ErrorCode::Forbidden),
            SeatState::Waiting | SeatState::Admitted | SeatState::Held | SeatState::Denied => {}
        }
        match message {
            ClientMessage::Sdp(sdp) => self.sdp(out, from, sdp),
            ClientMessage::Ice(ice) => self.ice(out, from, ice),
            ClientMessage::Reset(reset) => self.reset(out, from, reset),
            ClientMessage::Media(media) => self.media(out, from, *media),
            ClientMessage::Chat(chat) => self.say(out, from, header, chat),
            ClientMessage::Knock { device } => self.knock(out, from, *device),
            ClientMessage::Unknock {} => self.unknock(out, from),
            ClientMessage::Admit(decision) => self.admit(out, from, decision),
            ClientMessage::Deny(decision) => self.deny(out, from, decision),
            ClientMessage::Hold(decision) => self.hold(out, from, decision),
            ClientMessage::Remove(decision) => self.remove(out, from, decision),
            ClientMessage::Role { participant, role } => self.give_role(out, from, *participant, *role),
            ClientMessage::AskMute { participant } => self.ask_mute(out, from, *participant),
            ClientMessage::Lock { locked } => self.lock(out, from, *locked),
            ClientMessage::Extend { minutes } => self.extend(out, from, *minutes),
            ClientMessage::StepOut {} => self.step_out(out, from),
            ClientMessage::End {} => self.end(out, from),
            ClientMessage::UndoEnd {} => self.undo_end(out, from),
            ClientMessage::Reopen {} => self.reopen(out, from),
            ClientMessage::CallMe { number } => self.call_me(out, from, number),
            ClientMessage::Bye {} => self.bye(out, from, &header.session),
            ClientMessage::Nop {} => Ok(()),
            ClientMessage::Hello(_)
            | ClientMessage::Ack { .. }
            | ClientMessage::IceServers {}
            | ClientMessage::Quality { .. }
            | ClientMessage::Ping {}
            | ClientMessage::Simulate { .. } => Err(ErrorCode::BadMessage),
        }
    }

    fn due(&mut self, out: &mut Outgoing, at: UnixMillis) {
        match self.phase {
            Phase::Ending { until_ms } if until_ms == at => {
                let reopen_until_ms = at.plus(self.deadlines.reopen_ms);
                self.phase = Phase::Ended { reopen_until_ms };
                out.give(self.everybody(), ServerMessage::Ended { reopen_until_ms });
            }
            Phase::Ending { .. } | Phase::Open {} | Phase::Ended { .. } => {}
        }
    }

    /// An entry of a later release: its audience learns its place, nobody more than the rules allow.
    fn unknown(&mut self, out: &mut Outgoing, from: Option<ParticipantId>, audience: Audience) {
        self.met_unknown_kind = true;
        let admitted = |seat: &ParticipantId| self.state(*seat) == Some(SeatState::Admitted);
        let seats = match (from, audience) {
            (None, Audience::All | Audience::Own) => self.everybody(),
            (None, Audience::Staff) => self
                .seats
                .iter()
                .filter(|(_, s)| s.is_staff())
                .map(|(id, _)| *id)
                .collect(),
            (None, Audience::Seat(seat)) => vec![seat],
            (Some(from), Audience::Own) => vec![from],
            (Some(from), Audience::Staff) => self.staff_but(from),
            (Some(from), Audience::All) if admitted(&from) => self.admitted_but(from),
            (Some(from), Audience::Seat(seat)) if admitted(&from) && admitted(&seat) => vec![seat],
            (Some(_), Audience::All | Audience::Seat(_)) => Vec::new(),
        };
        out.give(seats, None);
    }
}

impl Notice {
    fn message(&self) -> ServerMessage {
        ServerMessage::Notice {
            kind: self.kind,
            start_ms: self.start_ms,
            minutes: self.minutes,
        }
    }
}
