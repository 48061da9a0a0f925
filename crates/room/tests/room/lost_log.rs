//! What the store remembers of people whom the log does not know, or not any more.

use crate::support::{GUEST, HOST, INTERPRETER, Log, PATIENT, chat, seat};
use heliograph_protocol::{CloseCode, SeatState, To};
use heliograph_room::{ClaimOutcome, Deadlines, Opened, RULES};

fn opened() -> Opened {
    Opened {
        nonce: "n".to_owned(),
        rules: RULES,
        admitted: Vec::new(),
        held: Vec::new(),
        removed: Vec::new(),
        ended: None,
        deadlines: Deadlines {
            undo_end_ms: 1,
            reopen_ms: 1,
        },
        most_admitted: 4,
    }
}

#[test]
fn an_emptied_log_brings_nobody_back_in() {
    let mut log = Log::opened(Opened {
        admitted: vec![seat(PATIENT)],
        held: vec![seat(INTERPRETER)],
        removed: vec![seat(GUEST)],
        ..opened()
    });
    assert_eq!(
        log.claim(GUEST, "session-5").claim,
        Some(ClaimOutcome::Refused(CloseCode::Removed))
    );
    log.claim(PATIENT, "session-4");
    log.claim(INTERPRETER, "session-3");
    assert_eq!(log.room.state(seat(PATIENT)), Some(SeatState::Admitted));
    assert_eq!(log.room.state(seat(INTERPRETER)), Some(SeatState::Held));
}

#[test]
fn what_the_store_says_of_a_person_counts_where_the_log_knows_nothing_of_them() {
    let mut log = Log::new().with(&[HOST, INTERPRETER]);
    log.claim_as(PATIENT, "session-4", Some(SeatState::Admitted));
    assert_eq!(log.room.state(seat(PATIENT)), Some(SeatState::Admitted));
    let removed = log.claim_as(GUEST, "session-5", Some(SeatState::Removed));
    assert_eq!(removed.claim, Some(ClaimOutcome::Refused(CloseCode::Removed)));
    log.claim_as(INTERPRETER, "session-3", Some(SeatState::Admitted));
    assert_eq!(
        log.room.state(seat(INTERPRETER)),
        Some(SeatState::Waiting),
        "the log knows"
    );
}

#[test]
fn what_is_said_again_in_an_emptied_log_is_read_by_those_who_come_back_later() {
    let emptied = || {
        Log::opened(Opened {
            admitted: vec![seat(PATIENT), seat(GUEST)],
            ..opened()
        })
    };
    let lines = |log: &Log, n: u8| log.room.view(seat(n)).chat.len();

    let mut log = emptied();
    log.claim(PATIENT, "session-4");
    log.say(PATIENT, chat(To::All));
    log.say(PATIENT, chat(To::Seat(seat(GUEST))));
    log.claim(HOST, "session-1");
    log.claim(GUEST, "session-5");
    log.claim(INTERPRETER, "session-3");
    assert_eq!(
        [HOST, GUEST, INTERPRETER].map(|n| lines(&log, n)),
        [1, 2, 0],
        "whoever was not inside reads nothing"
    );

    let mut log = emptied();
    log.claim(HOST, "session-1");
    log.say(HOST, chat(To::All));
    log.say(HOST, chat(To::Seat(seat(PATIENT))));
    log.claim(PATIENT, "session-4");
    log.claim(GUEST, "session-5");
    assert_eq!([PATIENT, GUEST].map(|n| lines(&log, n)), [2, 1]);
}
