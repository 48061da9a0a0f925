use super::Desks;
use super::board::{Board, Watcher};
use super::samples::{brief, person, row, visit};
use crate::queue::{self, Drained};
use crate::{DeskReport, DeskRights, DeskRow, Outgoing};
use futures::FutureExt;
use heliograph_access::desk_ticket::DeskTicket;
use heliograph_access::ticket::LIFE_MS;
use heliograph_domain::UnixMillis;
use heliograph_protocol::{CloseCode, DeskState, ServerFrame, ServerMessage};
use heliograph_room::Standing::{Arrived, InVisit, Waiting};

const NOW: UnixMillis = UnixMillis(5);

fn rights(everything: bool, shown: std::ops::Range<i64>) -> DeskRights {
    DeskRights {
        everything,
        shown: UnixMillis(shown.start)..UnixMillis(shown.end),
        day_ends: UnixMillis(shown.end),
        until: UnixMillis(100_000),
    }
}

/// Somebody who looks, and the number of their place.
fn look(board: &mut Board, number: u8, everything: bool) -> (u64, Drained) {
    let (queue, drained) = queue::queue();
    let place = board.enter(Watcher {
        person: person(number),
        session: format!("session-{number}"),
        rights: rights(everything, 0..10_000),
        queue,
        ready: false,
    });
    (place, drained)
}

fn next(drained: &mut Drained) -> Option<Outgoing> {
    drained.next().now_or_never()
}

fn message(drained: &mut Drained) -> Option<(Option<u64>, i64, ServerMessage)> {
    match next(drained)? {
        Outgoing::Text(text) => {
            let frame = ServerFrame::parse(&text).unwrap();
            Some((frame.header.s, frame.header.at.unwrap().0, frame.message.unwrap()))
        }
        other => panic!("{other:?}"),
    }
}

/// Visit and state of the next delta.
fn delta(drained: &mut Drained) -> Option<(heliograph_domain::VisitId, DeskState)> {
    match message(drained)?.2 {
        ServerMessage::Desk(row) => Some((row.visit, row.state)),
        other => panic!("{other:?}"),
    }
}

fn snapshot(drained: &mut Drained) -> Vec<(heliograph_domain::VisitId, DeskState)> {
    match message(drained) {
        Some((_, _, ServerMessage::DeskSnapshot { visits })) => {
            visits.into_iter().map(|row| (row.visit, row.state)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn reported(number: u8, state: DeskState, at: i64) -> DeskRow {
    let report = DeskReport {
        state,
        by: super::samples::seat(number),
        at: UnixMillis(at),
    };
    DeskRow {
        reported: Some(report),
        ..row(number)
    }
}

#[test]
fn a_snapshot_comes_first_and_then_each_change_once() {
    let mut board = Board::default();
    let (place, mut drained) = look(&mut board, 1, true);
    // Heard while the store is read.
    board.know(reported(1, DeskState::Opened, 3), None, NOW);
    board.know(row(1), Some(brief(7, 4, &[(1, Waiting, 6)])), NOW);
    board.know(row(2), None, NOW);
    assert_eq!(next(&mut drained), None);
    board.snapshot(place, NOW);
    assert_eq!(
        snapshot(&mut drained),
        [(visit(1), DeskState::Waiting), (visit(2), DeskState::Scheduled)]
    );

    board.room(visit(1), || brief(8, 5, &[(1, Waiting, 6)]));
    assert_eq!(delta(&mut drained), None);
    board.room(visit(1), || brief(9, 6, &[(1, InVisit, 9)]));
    let (s, at, changed) = message(&mut drained).unwrap();
    assert_eq!((s, at), (Some(6), 9));
    assert!(matches!(changed, ServerMessage::Desk(row) if row.state == DeskState::InVisit && row.since_ms.0 == 9));
    board.know(reported(2, DeskState::Testing, 11), None, UnixMillis(12));
    let (s, at, _) = message(&mut drained).unwrap();
    assert_eq!((s, at), (Some(0), 12));
    board.know(row(3), None, NOW);
    assert_eq!(delta(&mut drained), Some((visit(3), DeskState::Scheduled)));
    assert_eq!(next(&mut drained), None);
}

#[test]
fn what_was_overtaken_changes_nothing() {
    let mut board = Board::default();
    let (place, mut drained) = look(&mut board, 1, true);
    board.know(
        reported(1, DeskState::CheckedIn, 5),
        Some(brief(9, 6, &[(1, InVisit, 9)])),
        NOW,
    );
    board.snapshot(place, NOW);
    snapshot(&mut drained);
    for older in [
        brief(9, 5, &[(1, Waiting, 6)]),
        brief(8, 7, &[]),
        brief(9, 6, &[]),
        brief(20, 0, &[]),
    ] {
        board.room(visit(1), || older);
    }
    board.know(
        DeskRow {
            cancelled: true,
            ..row(1)
        },
        None,
        NOW,
    );
    board.know(reported(1, DeskState::Opened, 4), None, NOW);
    assert_eq!(delta(&mut drained), None);
    board.room(visit(1), || brief(10, 7, &[]));
    assert_eq!(delta(&mut drained), Some((visit(1), DeskState::CheckedIn)));
    let cancelled = DeskRow {
        cancelled: true,
        version: 1,
        ..row(1)
    };
    board.know(cancelled, None, NOW);
    assert_eq!(delta(&mut drained), Some((visit(1), DeskState::Ended)));
}

#[test]
fn everybody_sees_their_own_visits_of_their_own_day() {
    let mut board = Board::default();
    let (one, mut hers) = look(&mut board, 1, false);
    let (two, mut all) = look(&mut board, 9, true);
    let tomorrow = DeskRow {
        span: UnixMillis(10_000)..UnixMillis(11_000),
        ..row(1)
    };
    board.know(tomorrow, None, NOW);
    board.know(row(2), None, NOW);
    board.snapshot(one, NOW);
    board.snapshot(two, NOW);
    assert_eq!(snapshot(&mut hers), []);
    assert_eq!(snapshot(&mut all), [(visit(2), DeskState::Scheduled)]);
    board.room(visit(2), || brief(9, 6, &[(2, Arrived, 9)]));
    assert_eq!(delta(&mut hers), None);
    assert_eq!(delta(&mut all), Some((visit(2), DeskState::Testing)));

    assert!(board.leave(two));
    // What only the other one saw is forgotten.
    board.room(visit(2), || unreachable!("nobody looks"));
    assert!(!board.leave(one));
}

#[test]
fn who_does_not_read_is_closed_and_the_end_of_a_session_closes_its_desks() {
    let mut board = Board::default();
    let (one, mut slow) = look(&mut board, 1, true);
    let (two, mut other) = look(&mut board, 2, true);
    board.know(row(1), None, NOW);
    board.snapshot(one, NOW);
    board.snapshot(two, NOW);
    snapshot(&mut slow);
    snapshot(&mut other);
    for s in 1..=600 {
        let standing = if s % 2 == 0 { Arrived } else { InVisit };
        board.room(visit(1), || brief(10, s, &[(1, standing, 9)]));
        while next(&mut other).is_some() {}
    }
    assert_eq!(next(&mut slow), Some(Outgoing::Close(CloseCode::Slow)));
    assert_eq!(next(&mut other), None);
    board.end_session("session-2");
    assert_eq!(next(&mut other), Some(Outgoing::Close(CloseCode::Auth)));
}

#[test]
fn a_ticket_is_used_once_and_never_in_another_life_of_the_service() {
    let desks = Desks::new(UnixMillis(1_000));
    let ticket = |jti: &str, issued: i64| DeskTicket {
        institution: "cedar-street".parse().unwrap(),
        person: person(1),
        session: "session-1".to_owned(),
        jti: jti.to_owned(),
        expires: UnixMillis(issued + LIFE_MS),
    };
    let now = UnixMillis(2_000);
    assert!(desks.use_ticket(&ticket("one", 1_000), now));
    assert!(!desks.use_ticket(&ticket("one", 1_000), now));
    assert!(desks.use_ticket(&ticket("two", 1_500), now));
    assert!(!desks.use_ticket(&ticket("old", 999), now));
}
