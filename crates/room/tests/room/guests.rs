//! What the desk is told of a room.

use crate::support::*;
use heliograph_domain::{Pii, UnixMillis, entry::Audience};
use heliograph_protocol::{ClientMessage, DeviceCheck, NoticeKind};
use heliograph_room::{Body, Notice, Standing};

/// Who stands where, and since when.
fn stand(log: &Log) -> Vec<(u8, Standing, i64)> {
    let number = |id| (1..=9).find(|n| seat(*n) == id).unwrap();
    let guests = log.room.guests();
    guests
        .map(|one| (number(one.participant), one.standing, one.since.0))
        .collect()
}

fn say_at(log: &mut Log, now: i64, n: u8, message: ClientMessage) {
    log.now = now;
    log.say(n, message);
}

fn knock() -> ClientMessage {
    ClientMessage::Knock {
        device: DeviceCheck::default(),
    }
}

fn lapse(log: &mut Log, now: i64, left: bool) {
    let presence = Body::Presence {
        session: "session-4".to_owned(),
        attempt: 1,
        left,
    };
    log.now = now;
    log.push(
        Some(seat(PATIENT)),
        &format!("p:session-4:1:{left}"),
        Audience::All,
        "presence",
        presence,
    );
}

#[test]
fn a_guest_stands_where_they_were_put_since_that_moment() {
    let mut log = Log::new().with(&[HOST, PATIENT]);
    assert_eq!(stand(&log), [(PATIENT, Standing::Arrived, 1_000)]);
    say_at(&mut log, 2_000, PATIENT, knock());
    assert_eq!(stand(&log), [(PATIENT, Standing::Waiting, 2_000)]);
    say_at(&mut log, 3_000, HOST, admit(PATIENT));
    assert_eq!(stand(&log), [(PATIENT, Standing::InVisit, 3_000)]);
    say_at(&mut log, 4_000, HOST, ClientMessage::Hold(decision(PATIENT)));
    assert_eq!(stand(&log), [(PATIENT, Standing::Held, 4_000)]);
    say_at(&mut log, 5_000, HOST, ClientMessage::Remove(decision(PATIENT)));
    assert_eq!(stand(&log), []);
}

#[test]
fn a_lost_line_stays_lost_until_the_page_is_back_and_a_goodbye_is_none() {
    let mut log = Log::new().with(&[HOST, PATIENT]);
    log.say(HOST, admit(PATIENT));
    lapse(&mut log, 2_000, false);
    assert_eq!(stand(&log), [(PATIENT, Standing::Lost, 2_000)]);
    lapse(&mut log, 47_000, true);
    assert_eq!(stand(&log), [(PATIENT, Standing::Lost, 2_000)]);
    log.now = 50_000;
    log.claim(PATIENT, "session-4b");
    assert_eq!(stand(&log), [(PATIENT, Standing::InVisit, 1_000)]);
    log.push(
        Some(seat(PATIENT)),
        "session-4b",
        Audience::All,
        "bye",
        Body::Message(ClientMessage::Bye {}),
    );
    assert_eq!(stand(&log), []);
}

#[test]
fn whose_seat_the_service_freed_has_no_lost_line() {
    let mut log = Log::new().with(&[HOST, PATIENT]);
    lapse(&mut log, 2_000, true);
    assert_eq!(stand(&log), []);
}

#[test]
fn a_call_is_wished_for_until_the_person_is_admitted() {
    let mut log = Log::new().with(&[HOST, PATIENT]);
    let call = || ClientMessage::CallMe {
        number: Pii::new("+1 323 555 0199".to_owned()),
    };
    say_at(&mut log, 2_000, PATIENT, call());
    say_at(&mut log, 3_000, PATIENT, call());
    assert_eq!(stand(&log), [(PATIENT, Standing::CallRequested, 2_000)]);
    lapse(&mut log, 4_000, false);
    lapse(&mut log, 4_500, true);
    assert_eq!(stand(&log), [(PATIENT, Standing::CallRequested, 2_000)]);
    say_at(&mut log, 5_000, HOST, admit(PATIENT));
    assert_eq!(stand(&log), [(PATIENT, Standing::Lost, 4_000)]);
}

#[test]
fn an_end_has_its_instant() {
    let mut log = Log::new().with(&[HOST, PATIENT]);
    assert_eq!(log.room.ended_at(), None);
    say_at(&mut log, 2_000, HOST, ClientMessage::End {});
    assert_eq!(log.room.ended_at(), None);
    log.now = 12_000;
    log.due(12_000);
    assert_eq!(log.room.ended_at(), Some(UnixMillis(12_000)));
    say_at(&mut log, 13_000, HOST, ClientMessage::Reopen {});
    assert_eq!(log.room.ended_at(), None);
}

#[test]
fn a_notice_that_concerns_one_person_is_told_to_nobody_else() {
    let mut log = Log::new().with(&[HOST, PATIENT, INTERPRETER]);
    let mut tell = |name: &str, kind, participant| {
        let notice = Notice {
            kind,
            start_ms: None,
            minutes: None,
            participant,
        };
        let applied = log.push(None, name, Audience::All, "notice", Body::Notice(notice));
        readers(&applied)
    };
    assert_eq!(tell("o:1", NoticeKind::Cancelled, None), [HOST, INTERPRETER, PATIENT]);
    assert_eq!(tell("o:2", NoticeKind::Revoked, Some(seat(PATIENT))), [PATIENT]);
    assert_eq!(tell("o:3", NoticeKind::Revoked, Some(seat(GUEST))), [0; 0]);
}
