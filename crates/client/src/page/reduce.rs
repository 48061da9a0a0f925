//! What a frame changes of the room as its reader sees it.

use heliograph_domain::{ParticipantId, UnixMillis};
use heliograph_protocol::{
    ChatLine, Header, LeftWhy, Media, Member, Phase, Presence, RoomView, SeatState, ServerMessage, Waiting,
};

/// Lines of chat that are kept.
const CHAT_KEPT: usize = 200;

/// The room after one frame, as its reader `me` sees it.
pub(super) fn reduce(room: &mut RoomView, header: &Header, message: &ServerMessage, me: ParticipantId) {
    match message {
        ServerMessage::Snapshot { room: whole, .. }
        | ServerMessage::Reopened { room: whole }
        | ServerMessage::Admitted { room: Some(whole), .. } => room.clone_from(whole),
        ServerMessage::Joined { member } => put_member(room, member),
        ServerMessage::Updated { member, waiting } => {
            if let Some(member) = member {
                put_member(room, member);
            }
            if let Some(waiting) = waiting {
                put_waiting(room, waiting);
            }
        }
        ServerMessage::Left { participant, why } => {
            if let Some(member) = member(room, *participant) {
                member.presence = Presence::Left { why: *why };
                // A page whose line was lost comes back as it was.
                if *why == LeftWhy::Bye {
                    member.media = Media::default();
                }
            }
            if let Some(waiting) = waiting(room, *participant) {
                waiting.presence = Presence::Left { why: *why };
            }
        }
        ServerMessage::Knocked { waiting } => put_waiting(room, waiting),
        ServerMessage::Admitted {
            participant, member, ..
        } => match member {
            Some(_) | None if *participant == me => room.state = SeatState::Admitted,
            Some(member) => put_member(room, member),
            None => {}
        },
        ServerMessage::Denied { participant, .. } if *participant == me => room.state = SeatState::Denied,
        ServerMessage::Denied { participant, .. } => {
            if let Some(waiting) = waiting(room, *participant) {
                (waiting.state, waiting.knocked) = (SeatState::Denied, false);
            }
        }
        ServerMessage::Held { participant, .. } if *participant == me => shut(room, SeatState::Held),
        ServerMessage::Held {
            participant, waiting, ..
        } => {
            drop_person(room, *participant);
            if let Some(waiting) = waiting {
                put_waiting(room, waiting);
            }
        }
        ServerMessage::Removed { participant, .. } if *participant == me => shut(room, SeatState::Removed),
        ServerMessage::Removed { participant, .. } => drop_person(room, *participant),
        ServerMessage::Reset { generation, .. } => {
            if let Some(member) = header.from.and_then(|from| member(room, from)) {
                member.generation = *generation;
            }
        }
        ServerMessage::Media { media } => {
            if let Some(member) = header.from.and_then(|from| member(room, from)) {
                member.media = *media;
            }
        }
        ServerMessage::Chat { id, text, to, canned } => {
            let (Some(s), Some(from)) = (header.s, header.from) else {
                return;
            };
            room.chat.retain(|line| line.s != s);
            room.chat.push(ChatLine {
                s,
                from,
                id: id.clone(),
                text: text.clone(),
                to: *to,
                canned: canned.clone(),
                at_ms: header.at.unwrap_or(UnixMillis(0)),
            });
            let old = room.chat.len().saturating_sub(CHAT_KEPT);
            room.chat.drain(..old);
        }
        ServerMessage::Role { participant, role } if *participant == me => room.role = *role,
        ServerMessage::Role { participant, role } => {
            if let Some(member) = member(room, *participant) {
                member.role = *role;
            }
            if let Some(waiting) = waiting(room, *participant) {
                waiting.role = *role;
            }
        }
        ServerMessage::Locked { locked } => room.locked = *locked,
        ServerMessage::Extended { extended_min } => room.extended_min = *extended_min,
        ServerMessage::Ending { until_ms } => room.phase = Phase::Ending { until_ms: *until_ms },
        ServerMessage::EndUndone {} => room.phase = Phase::Open {},
        ServerMessage::Ended { reopen_until_ms } => {
            room.phase = Phase::Ended {
                reopen_until_ms: *reopen_until_ms,
            }
        }
        // Who steps out says goodbye next; the room has them until then.
        ServerMessage::SteppedOut { .. }
        | ServerMessage::Welcome { .. }
        | ServerMessage::Resync { .. }
        | ServerMessage::Ack { .. }
        | ServerMessage::Sdp { .. }
        | ServerMessage::Ice { .. }
        | ServerMessage::AskMute {}
        | ServerMessage::CallRequested { .. }
        | ServerMessage::Refused { .. }
        | ServerMessage::Notice { .. }
        | ServerMessage::IceServers { .. }
        | ServerMessage::Drain { .. }
        | ServerMessage::Degraded {}
        | ServerMessage::Recovered {}
        | ServerMessage::Error { .. }
        | ServerMessage::Pong { .. }
        | ServerMessage::DeskSnapshot { .. }
        | ServerMessage::Desk(_) => {}
    }
}

fn member(room: &mut RoomView, id: ParticipantId) -> Option<&mut Member> {
    room.members.iter_mut().find(|member| member.participant == id)
}

fn waiting(room: &mut RoomView, id: ParticipantId) -> Option<&mut Waiting> {
    room.waiting.iter_mut().find(|waiting| waiting.participant == id)
}

fn put_member(room: &mut RoomView, new: &Member) {
    room.waiting.retain(|waiting| waiting.participant != new.participant);
    match member(room, new.participant) {
        Some(member) => member.clone_from(new),
        None => room.members.push(new.clone()),
    }
}

fn put_waiting(room: &mut RoomView, new: &Waiting) {
    room.members.retain(|member| member.participant != new.participant);
    match waiting(room, new.participant) {
        Some(waiting) => waiting.clone_from(new),
        None => room.waiting.push(new.clone()),
    }
}

fn drop_person(room: &mut RoomView, id: ParticipantId) {
    room.members.retain(|member| member.participant != id);
    room.waiting.retain(|waiting| waiting.participant != id);
}

/// The reader is sent out and sees nobody.
fn shut(room: &mut RoomView, state: SeatState) {
    room.state = state;
    room.members.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ME: &str = "01938000-0000-7000-8000-000000000001";
    const OTHER: &str = "01938000-0000-7000-8000-000000000002";

    fn view(state: &str, members: &Value) -> Value {
        json!({
            "state": state, "role": "host", "phase": {"is": "open"}, "locked": false, "extended_min": 0,
            "members": members, "waiting": [], "chat": []
        })
    }

    fn member(mic: bool) -> Value {
        json!({
            "participant": OTHER, "role": "patient", "name": "Maryam", "language": "ar", "presence": {"is": "online"},
            "media": {"mic": mic}, "capabilities": {}, "generation": 1, "offerer": true, "polite": false
        })
    }

    fn waiting(state: &str) -> Value {
        json!({
            "participant": OTHER, "role": "patient", "name": "Maryam", "language": "ar", "state": state,
            "presence": {"is": "online"}, "since_ms": 5, "knocked": true, "device": {}
        })
    }

    /// The room after these frames, each `{type, …}` from the other person.
    fn after(frames: &[Value]) -> RoomView {
        let mut room: RoomView = serde_json::from_value(view("admitted", &json!([]))).unwrap();
        for (s, frame) in (1..).zip(frames) {
            let header = Header {
                s: Some(s),
                from: OTHER.parse().ok(),
                ..Header::default()
            };
            reduce(
                &mut room,
                &header,
                &serde_json::from_value(frame.clone()).unwrap(),
                ME.parse().unwrap(),
            );
        }
        room
    }

    #[test]
    fn a_person_is_in_one_list_at_a_time() {
        let knocked = json!({"type": "knocked", "waiting": waiting("waiting")});
        let admitted = json!({"type": "admitted", "participant": OTHER, "member": member(false)});
        let held = json!({"type": "held", "participant": OTHER, "waiting": waiting("held")});
        let removed = json!({"type": "removed", "participant": OTHER});
        let counts = |frames: &[Value]| {
            let room = after(frames);
            (room.members.len(), room.waiting.len())
        };
        assert_eq!(counts(std::slice::from_ref(&knocked)), (0, 1));
        assert_eq!(counts(&[knocked.clone(), admitted.clone(), admitted.clone()]), (1, 0));
        assert_eq!(counts(&[knocked.clone(), admitted.clone(), held.clone()]), (0, 1));
        assert_eq!(counts(&[knocked, admitted, held, removed]), (0, 0));
    }

    #[test]
    fn what_others_do_is_followed() {
        let frames = [
            json!({"type": "joined", "member": member(false)}),
            json!({"type": "media", "media": {"mic": true}}),
            json!({"type": "reset", "pc": "av", "generation": 2}),
            json!({"type": "role", "participant": OTHER, "role": "guest"}),
            json!({"type": "locked", "locked": true}),
            json!({"type": "extended", "extended_min": 15}),
            json!({"type": "ending", "until_ms": 9}),
            json!({"type": "left", "participant": OTHER, "why": "lost"}),
            json!({"type": "left", "participant": OTHER, "why": "bye"}),
        ];
        let room = after(&frames[..7]);
        let other = &room.members[0];
        assert!(other.media.mic && other.generation == 2);
        assert_eq!(other.role.to_string(), "guest");
        let lost = &after(&frames[..8]).members[0];
        assert!(lost.media.mic && lost.presence == Presence::Left { why: LeftWhy::Lost });
        let gone = &after(&frames).members[0];
        assert!(!gone.media.mic && gone.presence == Presence::Left { why: LeftWhy::Bye });
        assert!(room.locked && room.extended_min == 15 && matches!(room.phase, Phase::Ending { .. }));
        let undone = after(&[json!({"type": "ending", "until_ms": 9}), json!({"type": "end_undone"})]);
        assert_eq!(undone.phase, Phase::Open {});
    }

    #[test]
    fn who_is_sent_out_sees_nobody_and_who_comes_back_sees_all() {
        let joined = json!({"type": "joined", "member": member(true)});
        for (kind, state) in [("held", SeatState::Held), ("removed", SeatState::Removed)] {
            let room = after(&[joined.clone(), json!({"type": kind, "participant": ME})]);
            assert_eq!((room.state, room.members.len()), (state, 0));
        }
        let denied = after(&[json!({"type": "denied", "participant": ME})]);
        assert_eq!(denied.state, SeatState::Denied);
        let whole = view("admitted", &json!([member(true)]));
        for back in [
            json!({"type": "admitted", "participant": ME, "room": whole}),
            json!({"type": "reopened", "room": whole}),
            json!({"type": "snapshot", "marks": {}, "room": whole}),
        ] {
            let room = after(&[json!({"type": "held", "participant": ME}), back]);
            assert_eq!((room.state, room.members.len()), (SeatState::Admitted, 1));
        }
    }

    #[test]
    fn the_chat_keeps_its_last_lines() {
        let line = |i: u32| json!({"type": "chat", "id": i.to_string(), "text": "x", "to": "*"});
        let room = after(&(0..210).map(line).collect::<Vec<_>>());
        assert_eq!((room.chat.len(), room.chat[199].id.as_str()), (200, "209"));
    }
}
