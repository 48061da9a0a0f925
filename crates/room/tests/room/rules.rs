//! One test for each rule of the room.

use crate::support::{
    GUEST, HOST, INTERPRETER, Log, PATIENT, STAFF, admit, chat, decision, got, readers, refused, sdp, seat,
};
use heliograph_domain::{Role, UnixMillis};
use heliograph_protocol::{
    ClientMessage, CloseCode, DeviceCheck, ErrorCode, LeftWhy, Media, Phase, Presence, Reset, SeatState, ServerMessage,
    To,
};
use heliograph_room::{Body, ClaimOutcome};

fn knock() -> ClientMessage {
    ClientMessage::Knock {
        device: DeviceCheck::default(),
    }
}

#[test]
fn a_patient_waits_until_admitted_and_then_sees_the_room() {
    let mut log = Log::new().with(&[HOST, PATIENT]);
    assert_eq!(log.room.view(seat(PATIENT)).members, []);
    assert_eq!(readers(&log.say(PATIENT, knock())), [HOST]);
    let applied = log.say(HOST, admit(PATIENT));
    let Some(ServerMessage::Admitted { room: Some(room), .. }) = got(&applied, PATIENT) else {
        panic!("{applied:?}")
    };
    assert_eq!((room.state, room.members.len()), (SeatState::Admitted, 1));
    assert!(room.members[0].offerer, "the newcomer makes the first offer");
    let view = log.room.view(seat(HOST));
    assert!(!view.members[0].offerer);
    assert_eq!(view.members[0].generation, room.members[0].generation);
}

#[test]
fn exactly_one_of_a_pair_offers_and_one_is_polite() {
    let mut log = Log::new().with(&[HOST, PATIENT, INTERPRETER]);
    log.say(HOST, admit(PATIENT));
    log.say(HOST, admit(INTERPRETER));
    for (a, b) in [(HOST, PATIENT), (HOST, INTERPRETER), (PATIENT, INTERPRETER)] {
        let side = |me: u8, other: u8| {
            let view = log.room.view(seat(me));
            let member = view
                .members
                .iter()
                .find(|m| m.participant == seat(other))
                .unwrap()
                .clone();
            (member.offerer, member.polite, member.generation)
        };
        let ((offers_a, polite_a, gen_a), (offers_b, polite_b, gen_b)) = (side(a, b), side(b, a));
        assert!(offers_a != offers_b && polite_a != polite_b && gen_a == gen_b && gen_a > 0);
    }
}

#[test]
fn what_is_not_allowed_is_refused_to_its_sender_alone() {
    let mut log = Log::new().with(&[HOST, STAFF, PATIENT, GUEST]);
    let cases = [
        (PATIENT, sdp(HOST, 1), ErrorCode::NotAdmitted),
        (PATIENT, ClientMessage::Media(Media::default()), ErrorCode::NotAdmitted),
        (PATIENT, chat(To::All), ErrorCode::NotAdmitted),
        (PATIENT, chat(To::Seat(seat(GUEST))), ErrorCode::NotAdmitted),
        (PATIENT, admit(PATIENT), ErrorCode::Forbidden),
        (PATIENT, ClientMessage::End {}, ErrorCode::Forbidden),
        (STAFF, ClientMessage::End {}, ErrorCode::Forbidden),
        (STAFF, ClientMessage::Lock { locked: true }, ErrorCode::Forbidden),
        (HOST, admit(9), ErrorCode::NoSuchPeer),
        (HOST, admit(STAFF), ErrorCode::Forbidden),
        (HOST, ClientMessage::Hold(decision(PATIENT)), ErrorCode::BadState),
        (HOST, ClientMessage::UndoEnd {}, ErrorCode::BadState),
        (HOST, ClientMessage::Reopen {}, ErrorCode::BadState),
        (
            HOST,
            ClientMessage::AskMute {
                participant: seat(PATIENT),
            },
            ErrorCode::NoSuchPeer,
        ),
        (
            HOST,
            ClientMessage::Role {
                participant: seat(PATIENT),
                role: Role::Host,
            },
            ErrorCode::Forbidden,
        ),
        (HOST, sdp(PATIENT, 1), ErrorCode::NoSuchPeer),
        (HOST, sdp(HOST, 1), ErrorCode::NoSuchPeer),
        (HOST, knock(), ErrorCode::BadState),
        (
            HOST,
            ClientMessage::CallMe {
                number: heliograph_domain::Pii::new("+1".to_owned()),
            },
            ErrorCode::Forbidden,
        ),
    ];
    for (from, message, code) in cases {
        let kind = message.kind();
        let before = log.room.view(seat(HOST));
        let applied = log.say(from, message);
        assert_eq!(
            (refused(&applied, from), readers(&applied)),
            (Some(code), vec![from]),
            "{kind}"
        );
        assert_eq!(log.room.view(seat(HOST)), before, "{kind}");
    }
    let void = log.void(PATIENT, ErrorCode::TooLarge);
    assert_eq!(
        (refused(&void, PATIENT), readers(&void)),
        (Some(ErrorCode::TooLarge), vec![PATIENT])
    );
    assert_eq!(readers(&log.say(PATIENT, ClientMessage::Nop {})), [0; 0]);
}

#[test]
fn generations_fence_descriptions_and_candidates() {
    let mut log = Log::new().with(&[HOST, PATIENT]);
    log.say(HOST, admit(PATIENT));
    let now = log.room.view(seat(HOST)).members[0].generation;
    assert_eq!(readers(&log.say(HOST, sdp(PATIENT, now))), [PATIENT]);
    assert_eq!(
        refused(&log.say(HOST, sdp(PATIENT, now - 1)), HOST),
        Some(ErrorCode::Stale)
    );
    assert_eq!(
        refused(&log.say(HOST, sdp(PATIENT, now + 1)), HOST),
        Some(ErrorCode::BadState)
    );

    let reset = |to, generation| {
        ClientMessage::Reset(Reset {
            to: seat(to),
            pc: "av".to_owned(),
            generation,
        })
    };
    assert_eq!(readers(&log.say(HOST, reset(PATIENT, now + 1))), [PATIENT]);
    // The other side saw the dead connection too: its reset comes second and changes nothing.
    assert_eq!(
        refused(&log.say(PATIENT, reset(HOST, now + 1)), PATIENT),
        Some(ErrorCode::Stale)
    );
    assert_eq!(
        refused(&log.say(PATIENT, reset(HOST, now + 3)), PATIENT),
        Some(ErrorCode::BadState)
    );
    assert_eq!(refused(&log.say(HOST, sdp(PATIENT, now)), HOST), Some(ErrorCode::Stale));
    assert_eq!(readers(&log.say(HOST, sdp(PATIENT, now + 1))), [PATIENT]);
}

#[test]
fn a_reloaded_page_gets_a_new_connection_and_a_resumed_one_keeps_it() {
    let mut log = Log::new().with(&[HOST, PATIENT]);
    log.say(HOST, admit(PATIENT));
    let before = log.room.view(seat(HOST)).members[0].generation;
    assert_eq!(
        readers(&log.claim(PATIENT, "session-4")),
        [0; 0],
        "a resume is not news"
    );
    assert_eq!(log.room.view(seat(HOST)).members[0].generation, before);
    let applied = log.claim(PATIENT, "session-4-reloaded");
    let Some(ServerMessage::Joined { member }) = got(&applied, HOST) else {
        panic!("{applied:?}")
    };
    assert_eq!((member.generation, member.offerer), (before + 1, false));
}

#[test]
fn only_staff_hear_those_who_wait_and_they_hear_staff() {
    let mut log = Log::new().with(&[HOST, PATIENT, GUEST, INTERPRETER]);
    log.say(HOST, admit(INTERPRETER));
    assert_eq!(readers(&log.say(PATIENT, chat(To::Staff))), [HOST]);
    assert_eq!(readers(&log.say(PATIENT, chat(To::Seat(seat(HOST))))), [HOST]);
    assert_eq!(readers(&log.say(HOST, chat(To::Seat(seat(PATIENT))))), [PATIENT]);
    assert_eq!(
        refused(&log.say(INTERPRETER, chat(To::Seat(seat(PATIENT)))), INTERPRETER),
        Some(ErrorCode::NoSuchPeer)
    );
    assert_eq!(readers(&log.say(HOST, chat(To::All))), [INTERPRETER]);
    assert_eq!(log.room.view(seat(GUEST)).chat, []);
    assert_eq!(log.room.view(seat(PATIENT)).chat.len(), 3);
    assert_eq!(log.room.view(seat(INTERPRETER)).chat.len(), 1);
}

#[test]
fn staff_who_come_later_read_what_was_said_to_staff() {
    let mut log = Log::new().with(&[PATIENT]);
    assert_eq!(readers(&log.say(PATIENT, chat(To::Staff))), [0; 0]);
    log.claim(HOST, "session-1");
    assert_eq!(log.room.view(seat(HOST)).chat.len(), 1);
    log.claim(GUEST, "session-5");
    assert_eq!(log.room.view(seat(GUEST)).chat, []);
}

#[test]
fn hold_remove_and_deny_take_people_out() {
    let mut log = Log::new().with(&[HOST, PATIENT, INTERPRETER, GUEST]);
    log.say(HOST, admit(PATIENT));
    log.say(HOST, admit(INTERPRETER));
    assert_eq!(
        readers(&log.say(HOST, ClientMessage::Hold(decision(PATIENT)))),
        [HOST, INTERPRETER, PATIENT]
    );
    assert_eq!(
        refused(&log.say(PATIENT, sdp(HOST, 1)), PATIENT),
        Some(ErrorCode::NotAdmitted)
    );
    assert_eq!(log.room.view(seat(HOST)).waiting.len(), 2);
    assert_eq!(log.room.view(seat(INTERPRETER)).waiting, []);

    log.say(HOST, ClientMessage::Remove(decision(PATIENT)));
    assert_eq!(
        log.claim(PATIENT, "session-again").claim,
        Some(ClaimOutcome::Refused(CloseCode::Removed))
    );
    assert_eq!(
        refused(&log.say(HOST, admit(PATIENT)), HOST),
        Some(ErrorCode::NoSuchPeer),
        "removed stays out"
    );

    let denied = log.say(HOST, ClientMessage::Deny(decision(GUEST)));
    assert_eq!(readers(&denied), [HOST, GUEST], "staff see that nobody waits any more");
    assert_eq!(
        log.claim(GUEST, "session-again").claim,
        Some(ClaimOutcome::Refused(CloseCode::Denied))
    );
    log.say(HOST, admit(GUEST));
    assert!(
        matches!(
            log.claim(GUEST, "session-third").claim,
            Some(ClaimOutcome::Allowed { .. })
        ),
        "a mistake is mended"
    );
}

#[test]
fn a_full_or_locked_room_admits_nobody_more() {
    let mut log = Log::new().with(&[HOST, STAFF, PATIENT, INTERPRETER, GUEST]);
    log.say(HOST, admit(PATIENT));
    log.say(HOST, ClientMessage::Lock { locked: true });
    assert_eq!(
        refused(&log.say(HOST, admit(INTERPRETER)), HOST),
        Some(ErrorCode::RoomLocked)
    );
    log.say(HOST, ClientMessage::Lock { locked: false });
    log.say(HOST, admit(INTERPRETER));
    assert_eq!(refused(&log.say(HOST, admit(GUEST)), HOST), Some(ErrorCode::RoomFull));
    log.push(
        Some(seat(STAFF)),
        "session-2",
        heliograph_domain::entry::Audience::All,
        "bye",
        Body::Message(ClientMessage::Bye {}),
    );
    assert_eq!(refused(&log.say(HOST, admit(GUEST)), HOST), None);
}

#[test]
fn an_end_can_be_undone_until_it_is_due_and_reopened_for_a_while() {
    let mut log = Log::new().with(&[HOST, PATIENT]);
    log.say(HOST, admit(PATIENT));
    log.say(HOST, ClientMessage::End {});
    assert_eq!(log.room.next_deadline(), Some(UnixMillis(11_000)));
    log.say(HOST, ClientMessage::UndoEnd {});
    assert_eq!(readers(&log.due(11_000)), [0; 0], "an end that was undone never comes");

    log.say(HOST, ClientMessage::End {});
    log.now = 11_000;
    assert_eq!(readers(&log.due(11_000)), [HOST, PATIENT]);
    assert_eq!(
        log.room.phase(),
        Phase::Ended {
            reopen_until_ms: UnixMillis(1_811_000)
        }
    );
    assert_eq!(
        refused(&log.say(PATIENT, sdp(HOST, 1)), PATIENT),
        Some(ErrorCode::RoomEnded)
    );
    assert_eq!(
        log.claim(PATIENT, "session-again").claim,
        Some(ClaimOutcome::Refused(CloseCode::Ended))
    );
    assert!(matches!(
        log.claim(HOST, "session-1").claim,
        Some(ClaimOutcome::Allowed { .. })
    ));
    let applied = log.say(HOST, ClientMessage::Reopen {});
    assert!(matches!(got(&applied, PATIENT), Some(ServerMessage::Reopened { .. })));
    log.say(HOST, ClientMessage::End {});
    log.now = 21_000;
    log.due(21_000);
    log.now = 2_000_000;
    assert_eq!(
        refused(&log.say(HOST, ClientMessage::Reopen {}), HOST),
        Some(ErrorCode::TooLate)
    );
}

#[test]
fn presence_counts_only_for_the_attempt_that_has_the_seat() {
    let mut log = Log::new().with(&[HOST, PATIENT]);
    log.say(HOST, admit(PATIENT));
    let presence = |session: &str, attempt, left| Body::Presence {
        session: session.to_owned(),
        attempt,
        left,
    };
    let all = heliograph_domain::entry::Audience::All;
    let lapse = |log: &mut Log, attempt, left| {
        log.push(
            Some(seat(PATIENT)),
            "p",
            all,
            "presence",
            presence("session-4", attempt, left),
        )
    };
    assert_eq!(readers(&lapse(&mut log, 7, false)), [0; 0]);
    assert_eq!(readers(&lapse(&mut log, 1, false)), [HOST]);
    assert!(matches!(
        log.room.view(seat(HOST)).members[0].presence,
        Presence::Reconnecting { .. }
    ));
    assert_eq!(readers(&log.claim(PATIENT, "session-4")), [HOST], "back again");
    assert_eq!(
        readers(&lapse(&mut log, 1, true)),
        [0; 0],
        "the older attempt's lease means nothing"
    );
    let applied = lapse(&mut log, 2, true);
    assert!(matches!(
        got(&applied, HOST),
        Some(ServerMessage::Left { why: LeftWhy::Lost, .. })
    ));
    assert_eq!(
        log.room.state(seat(PATIENT)),
        Some(SeatState::Admitted),
        "admission lasts"
    );
}

#[test]
fn the_page_whose_line_was_lost_comes_back_as_itself_and_another_page_is_new() {
    let mut log = Log::new().with(&[HOST, PATIENT]);
    log.say(HOST, admit(PATIENT));
    let lapse = |log: &mut Log, attempt, left| {
        let session = "session-4".to_owned();
        let presence = Body::Presence { session, attempt, left };
        let all = heliograph_domain::entry::Audience::All;
        log.push(Some(seat(PATIENT)), "p", all, "presence", presence)
    };
    let generation = |log: &Log| log.room.view(seat(HOST)).members[0].generation;
    let before = generation(&log);
    lapse(&mut log, 1, false);
    lapse(&mut log, 1, true);
    let back = log.claim(PATIENT, "session-4");
    assert!(
        matches!(back.claim, Some(ClaimOutcome::Allowed { fresh: false, .. })),
        "{back:?}"
    );
    assert!(
        matches!(got(&back, HOST), Some(ServerMessage::Updated { member: Some(_), .. })),
        "{back:?}"
    );
    assert_eq!(generation(&log), before, "its media connections go on");

    lapse(&mut log, 2, false);
    lapse(&mut log, 2, true);
    let other = log.claim(PATIENT, "session-4b");
    assert!(
        matches!(other.claim, Some(ClaimOutcome::Allowed { fresh: true, .. })),
        "{other:?}"
    );
    assert!(generation(&log) > before);
}

#[test]
fn a_kind_of_a_later_release_is_passed_on_within_the_rules() {
    let mut log = Log::new().with(&[HOST, PATIENT, INTERPRETER]);
    log.say(HOST, admit(INTERPRETER));
    let all = heliograph_domain::entry::Audience::All;
    let from = |log: &mut Log, n: u8| log.push(Some(seat(n)), "session", all, "hologram", Body::Unknown);
    assert_eq!(readers(&from(&mut log, PATIENT)), [0; 0]);
    assert_eq!(readers(&from(&mut log, INTERPRETER)), [HOST]);
    assert!(log.room.met_unknown_kind());
}
