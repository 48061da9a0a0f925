//! Waiting, being let in and sent out; chat; the visit's end.

use crate::{
    Room,
    notify::{Outgoing, Refusal},
    room::{CHAT_TAIL, Line, Seat},
};
use heliograph_domain::{ParticipantId, Pii, Role, entry::EntryHeader};
use heliograph_protocol::{Chat, Decision, DeviceCheck, ErrorCode, Phase, SeatState, ServerMessage, To};
use std::collections::BTreeSet;

impl Room {
    fn require_staff(&self, id: ParticipantId) -> Result<(), Refusal> {
        if self.seats.get(&id).is_some_and(|seat| seat.is_staff()) {
            Ok(())
        } else {
            Err(ErrorCode::Forbidden)
        }
    }

    fn require_host(&self, id: ParticipantId) -> Result<(), Refusal> {
        self.require_staff(id)?;
        if self.role(id) == Some(Role::Host) {
            Ok(())
        } else {
            Err(ErrorCode::Forbidden)
        }
    }

    fn require_running(&self) -> Result<(), Refusal> {
        match self.phase {
            Phase::Open {} | Phase::Ending { .. } => Ok(()),
            Phase::Ended { .. } => Err(ErrorCode::RoomEnded),
        }
    }

    /// Somebody whom staff may decide about: in the room or waiting, and not staff.
    fn decided_about(&mut self, id: ParticipantId) -> Result<&mut Seat, Refusal> {
        let seat = self.seats.get_mut(&id).ok_or(ErrorCode::NoSuchPeer)?;
        if seat.role.is_staff() {
            return Err(ErrorCode::Forbidden);
        }
        if seat.state == SeatState::Removed {
            Err(ErrorCode::NoSuchPeer)
        } else {
            Ok(seat)
        }
    }

    pub(crate) fn knock(&mut self, out: &mut Outgoing, id: ParticipantId, device: DeviceCheck) -> Result<(), Refusal> {
        self.require_running()?;
        let at = self.at;
        let seat = self.seats.get_mut(&id).ok_or(ErrorCode::Forbidden)?;
        match seat.state {
            SeatState::Waiting | SeatState::Held => {}
            SeatState::Admitted => return Err(ErrorCode::BadState),
            SeatState::Denied | SeatState::Removed => return Err(ErrorCode::Forbidden),
        }
        if !seat.knocked {
            seat.since = at;
        }
        seat.knocked = true;
        seat.device = device;
        if let Some(waiting) = self.waiting(id) {
            out.give(self.staff_but(id), ServerMessage::Knocked { waiting });
        }
        Ok(())
    }

    pub(crate) fn unknock(&mut self, out: &mut Outgoing, id: ParticipantId) -> Result<(), Refusal> {
        let seat = self.seats.get_mut(&id).ok_or(ErrorCode::Forbidden)?;
        seat.knocked = false;
        if let Some(waiting) = self.waiting(id) {
            out.give(
                self.staff_but(id),
                ServerMessage::Updated {
                    member: None,
                    waiting: Some(waiting),
                },
            );
        }
        Ok(())
    }

    pub(crate) fn admit(&mut self, out: &mut Outgoing, from: ParticipantId, what: &Decision) -> Result<(), Refusal> {
        self.require_staff(from)?;
        self.require_running()?;
        let id = what.participant;
        let inside = |seat: &Seat| seat.state == SeatState::Admitted && !seat.presence.is_left();
        let full = self.seats_where(id, inside).len() >= self.most_admitted;
        let locked = self.locked;
        let at = self.at;
        let joins = self.joins + 1;
        let seat = self.decided_about(id)?;
        if seat.state == SeatState::Admitted {
            return Ok(());
        }
        if locked {
            return Err(ErrorCode::RoomLocked);
        }
        if full {
            return Err(ErrorCode::RoomFull);
        }
        seat.state = SeatState::Admitted;
        seat.knocked = false;
        seat.since = at;
        seat.called = None;
        seat.joined = joins;
        self.joins = joins;
        self.renew_pairs(id);
        let message = what.message.clone();
        out.give(
            [id],
            ServerMessage::Admitted {
                participant: id,
                message,
                room: Some(self.view(id)),
                member: None,
            },
        );
        for other in self.admitted_but(id) {
            let member = self.member(other, id);
            out.give(
                [other],
                ServerMessage::Admitted {
                    participant: id,
                    message: None,
                    room: None,
                    member,
                },
            );
        }
        Ok(())
    }

    pub(crate) fn deny(&mut self, out: &mut Outgoing, from: ParticipantId, what: &Decision) -> Result<(), Refusal> {
        self.require_staff(from)?;
        let id = what.participant;
        let seat = self.decided_about(id)?;
        if seat.state == SeatState::Admitted {
            return Err(ErrorCode::BadState);
        }
        seat.state = SeatState::Denied;
        seat.knocked = false;
        out.give(
            [id],
            ServerMessage::Denied {
                participant: id,
                message: what.message.clone(),
            },
        );
        out.give(
            self.staff_but(id),
            ServerMessage::Denied {
                participant: id,
                message: None,
            },
        );
        Ok(())
    }

    pub(crate) fn hold(&mut self, out: &mut Outgoing, from: ParticipantId, what: &Decision) -> Result<(), Refusal> {
        self.require_staff(from)?;
        let (id, at) = (what.participant, self.at);
        let seat = self.decided_about(id)?;
        if seat.state != SeatState::Admitted {
            return Err(ErrorCode::BadState);
        }
        seat.state = SeatState::Held;
        seat.knocked = true;
        seat.since = at;
        let held = |message, waiting| ServerMessage::Held {
            participant: id,
            message,
            waiting,
        };
        out.give([id], held(what.message.clone(), None));
        out.give(self.staff_but(id), held(None, self.waiting(id)));
        out.give(self.admitted_but(id), held(None, None));
        Ok(())
    }

    pub(crate) fn remove(&mut self, out: &mut Outgoing, from: ParticipantId, what: &Decision) -> Result<(), Refusal> {
        self.require_host(from)?;
        let id = what.participant;
        let seat = self.decided_about(id)?;
        let was = std::mem::replace(&mut seat.state, SeatState::Removed);
        seat.knocked = false;
        out.give(
            [id],
            ServerMessage::Removed {
                participant: id,
                message: what.message.clone(),
            },
        );
        let others = if was == SeatState::Admitted {
            self.admitted_but(id)
        } else {
            self.staff_but(id)
        };
        out.give(
            others,
            ServerMessage::Removed {
                participant: id,
                message: None,
            },
        );
        Ok(())
    }

    pub(crate) fn give_role(
        &mut self,
        out: &mut Outgoing,
        from: ParticipantId,
        id: ParticipantId,
        role: Role,
    ) -> Result<(), Refusal> {
        self.require_host(from)?;
        if role.is_staff() {
            return Err(ErrorCode::Forbidden);
        }
        let seat = self.decided_about(id)?;
        seat.role = role;
        let inside = seat.state == SeatState::Admitted;
        out.give([id], ServerMessage::Role { participant: id, role });
        let others = if inside {
            self.admitted_but(id)
        } else {
            self.staff_but(id)
        };
        out.give(others, ServerMessage::Role { participant: id, role });
        Ok(())
    }

    pub(crate) fn ask_mute(
        &mut self,
        out: &mut Outgoing,
        from: ParticipantId,
        id: ParticipantId,
    ) -> Result<(), Refusal> {
        self.require_host(from)?;
        if from == id || self.state(id) != Some(SeatState::Admitted) {
            return Err(ErrorCode::NoSuchPeer);
        }
        out.give([id], ServerMessage::AskMute {});
        Ok(())
    }

    pub(crate) fn lock(&mut self, out: &mut Outgoing, from: ParticipantId, locked: bool) -> Result<(), Refusal> {
        self.require_host(from)?;
        self.locked = locked;
        out.give(self.admitted_but(from), ServerMessage::Locked { locked });
        Ok(())
    }

    pub(crate) fn extend(&mut self, out: &mut Outgoing, from: ParticipantId, minutes: u32) -> Result<(), Refusal> {
        self.require_host(from)?;
        self.require_running()?;
        self.extended_min = self.extended_min.saturating_add(minutes);
        out.give(
            self.everybody(),
            ServerMessage::Extended {
                extended_min: self.extended_min,
            },
        );
        Ok(())
    }

    pub(crate) fn step_out(&mut self, out: &mut Outgoing, from: ParticipantId) -> Result<(), Refusal> {
        self.require_host(from)?;
        out.give(self.admitted_but(from), ServerMessage::SteppedOut { participant: from });
        Ok(())
    }

    pub(crate) fn end(&mut self, out: &mut Outgoing, from: ParticipantId) -> Result<(), Refusal> {
        self.require_host(from)?;
        match self.phase {
            Phase::Open {} => {}
            Phase::Ending { .. } => return Ok(()),
            Phase::Ended { .. } => return Err(ErrorCode::RoomEnded),
        }
        let until_ms = self.at.plus(self.deadlines.undo_end_ms);
        self.phase = Phase::Ending { until_ms };
        out.give(self.everybody(), ServerMessage::Ending { until_ms });
        Ok(())
    }

    pub(crate) fn undo_end(&mut self, out: &mut Outgoing, from: ParticipantId) -> Result<(), Refusal> {
        self.require_host(from)?;
        match self.phase {
            Phase::Ending { .. } => {}
            Phase::Open {} => return Err(ErrorCode::BadState),
            Phase::Ended { .. } => return Err(ErrorCode::RoomEnded),
        }
        self.phase = Phase::Open {};
        out.give(self.everybody(), ServerMessage::EndUndone {});
        Ok(())
    }

    pub(crate) fn reopen(&mut self, out: &mut Outgoing, from: ParticipantId) -> Result<(), Refusal> {
        self.require_host(from)?;
        match self.phase {
            Phase::Ended { reopen_until_ms } if self.at <= reopen_until_ms => {}
            Phase::Ended { .. } => return Err(ErrorCode::TooLate),
            Phase::Open {} | Phase::Ending { .. } => return Err(ErrorCode::BadState),
        }
        self.phase = Phase::Open {};
        for seat in self.everybody() {
            out.give([seat], ServerMessage::Reopened { room: self.view(seat) });
        }
        Ok(())
    }

    pub(crate) fn call_me(
        &mut self,
        out: &mut Outgoing,
        from: ParticipantId,
        number: &Pii<String>,
    ) -> Result<(), Refusal> {
        if self.role(from).is_some_and(Role::is_staff) {
            return Err(ErrorCode::Forbidden);
        }
        let at = self.at;
        if let Some(seat) = self.seats.get_mut(&from) {
            seat.called.get_or_insert(at);
        }
        let message = ServerMessage::CallRequested {
            participant: from,
            number: number.clone(),
        };
        out.give(self.staff_but(from), message);
        Ok(())
    }

    /// Inside, people talk to whom they name; between a person who waits and staff, both ways; nobody else.
    pub(crate) fn say(
        &mut self,
        out: &mut Outgoing,
        from: ParticipantId,
        header: &EntryHeader,
        chat: &Chat,
    ) -> Result<(), Refusal> {
        let sender = self.seats.get(&from).ok_or(ErrorCode::Forbidden)?;
        let (inside, staff) = (sender.state == SeatState::Admitted, sender.is_staff());
        if !sender.may_come() {
            return Err(ErrorCode::Forbidden);
        }
        // Whoever was inside before the room was opened anew reads it when they are back.
        let mut later = Vec::new();
        let readers = match chat.to {
            To::All if inside => {
                later.extend(self.to_come().filter(|id| *id != from));
                self.admitted_but(from)
            }
            To::All => return Err(ErrorCode::NotAdmitted),
            To::Staff => self.staff_but(from),
            To::Seat(id) if inside && self.to_come().any(|one| one == id) => {
                later.push(id);
                Vec::new()
            }
            To::Seat(id) => {
                let reader = self.seats.get(&id).filter(|seat| id != from && seat.may_come());
                let reader = reader.ok_or(ErrorCode::NoSuchPeer)?;
                let both_inside = inside && reader.state == SeatState::Admitted;
                if !both_inside && !staff && !reader.is_staff() {
                    return Err(if inside {
                        ErrorCode::NoSuchPeer
                    } else {
                        ErrorCode::NotAdmitted
                    });
                }
                vec![id]
            }
        };
        self.chat.push_back(Line {
            s: header.seq,
            from,
            id: chat.id.clone(),
            text: chat.text.clone(),
            to: chat.to,
            canned: chat.canned.clone(),
            at: header.at,
            heard: readers.iter().copied().chain(later).collect::<BTreeSet<_>>(),
            staff: matches!(chat.to, To::Staff | To::All),
        });
        while self.chat.len() > CHAT_TAIL {
            self.chat.pop_front();
        }
        let message = ServerMessage::Chat {
            id: chat.id.clone(),
            text: chat.text.clone(),
            to: chat.to,
            canned: chat.canned.clone(),
        };
        out.give(readers, message);
        Ok(())
    }
}
