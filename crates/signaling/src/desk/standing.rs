//! A visit's state in a word, from what the store and the room know.

use crate::{DeskRow, RoomBrief};
use heliograph_domain::UnixMillis;
use heliograph_protocol::{DeskState, DeskVisit};
use heliograph_room::{Guest, Standing};
use std::cmp::Reverse;

/// How a visit stands. What asks staff to do something comes first; a report counts only until its person waits.
pub(super) fn stands(row: &DeskRow, room: Option<&RoomBrief>) -> DeskVisit {
    let foremost = room.and_then(|room| foremost(&room.guests));
    let goes_on = foremost.is_some_and(|guest| guest.standing == Standing::InVisit);
    let show = |state, since_ms, by| DeskVisit {
        visit: row.visit,
        state,
        since_ms,
        by,
    };
    if let Some(since) = ended(row, room) {
        return show(DeskState::Ended, since, None);
    }
    // A visit that runs is not cut by its booking.
    if row.cancelled && !goes_on {
        return show(DeskState::Ended, row.span.start, None);
    }
    match foremost {
        Some(guest) if guest.standing != Standing::Arrived => {
            show(state_of(guest.standing), guest.since, Some(guest.participant))
        }
        Some(guest) => match row.reported {
            Some(report) if report.state != DeskState::Opened => show(report.state, report.at, Some(report.by)),
            Some(_) | None => show(DeskState::Testing, guest.since, Some(guest.participant)),
        },
        None => match row.reported {
            Some(report) => show(report.state, report.at, Some(report.by)),
            None => show(DeskState::Scheduled, row.visit.made_at(), None),
        },
    }
}

fn ended(row: &DeskRow, room: Option<&RoomBrief>) -> Option<UnixMillis> {
    match room {
        Some(room) => room.ended,
        None => row.ended,
    }
}

fn foremost(guests: &[Guest]) -> Option<&Guest> {
    guests
        .iter()
        .max_by_key(|guest| (urgency(guest.standing), Reverse(guest.since)))
}

fn urgency(standing: Standing) -> u8 {
    match standing {
        Standing::Arrived => 0,
        Standing::Held => 1,
        Standing::InVisit => 2,
        Standing::Lost => 3,
        Standing::Waiting => 4,
        Standing::CallRequested => 5,
    }
}

fn state_of(standing: Standing) -> DeskState {
    match standing {
        Standing::Arrived => DeskState::Testing,
        Standing::Waiting => DeskState::Waiting,
        Standing::Held => DeskState::OnHold,
        Standing::InVisit => DeskState::InVisit,
        Standing::Lost => DeskState::Lost,
        Standing::CallRequested => DeskState::CallRequested,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DeskReport;
    use crate::desk::samples::{brief, row, seat};
    use heliograph_domain::ParticipantId;

    const PATIENT: u8 = 1;
    const INTERPRETER: u8 = 2;

    fn shown(row: &DeskRow, guests: &[(u8, Standing, i64)]) -> (DeskState, i64, Option<ParticipantId>) {
        let visit = stands(row, Some(&brief(10, 5, guests)));
        (visit.state, visit.since_ms.0, visit.by)
    }

    #[test]
    fn a_page_s_reports_count_until_its_person_waits() {
        let mut row = row(1);
        let made = stands(&row, None);
        assert_eq!((made.state, made.since_ms), (DeskState::Scheduled, row.visit.made_at()));
        for state in [DeskState::Opened, DeskState::Testing, DeskState::CheckedIn] {
            row.reported = Some(DeskReport {
                state,
                by: seat(PATIENT),
                at: UnixMillis(3),
            });
            let visit = stands(&row, None);
            assert_eq!(
                (visit.state, visit.since_ms, visit.by),
                (state, UnixMillis(3), Some(seat(PATIENT)))
            );
            let arrived = shown(&row, &[(PATIENT, Standing::Arrived, 7)]);
            let told = if state == DeskState::Opened {
                (DeskState::Testing, 7)
            } else {
                (state, 3)
            };
            assert_eq!((arrived.0, arrived.1), told);
            assert_eq!(
                shown(&row, &[(PATIENT, Standing::Waiting, 8)]),
                (DeskState::Waiting, 8, Some(seat(PATIENT)))
            );
        }
    }

    #[test]
    fn what_asks_for_something_comes_first_and_the_longest_of_it() {
        use Standing::{Arrived, CallRequested, Held, InVisit, Lost, Waiting};
        let row = row(1);
        for (patient, interpreter, state, by) in [
            (Held, Held, DeskState::OnHold, PATIENT),
            (InVisit, Held, DeskState::InVisit, PATIENT),
            (Arrived, InVisit, DeskState::InVisit, INTERPRETER),
            (InVisit, Lost, DeskState::Lost, INTERPRETER),
            (Lost, Waiting, DeskState::Waiting, INTERPRETER),
            (Waiting, Waiting, DeskState::Waiting, PATIENT),
            (CallRequested, Waiting, DeskState::CallRequested, PATIENT),
        ] {
            let guests = [(PATIENT, patient, 7), (INTERPRETER, interpreter, 9)];
            let shown = shown(&row, &guests);
            assert_eq!(
                (shown.0, shown.2),
                (state, Some(seat(by))),
                "{patient:?} {interpreter:?}"
            );
        }
    }

    #[test]
    fn an_end_is_told_by_the_room_and_by_the_store_where_there_is_no_room() {
        let mut row = row(1);
        row.ended = Some(UnixMillis(4));
        assert_eq!(stands(&row, None).state, DeskState::Ended);
        // Reopened in the room.
        assert_eq!(shown(&row, &[(PATIENT, Standing::InVisit, 5)]).0, DeskState::InVisit);
        row.ended = None;
        let mut room = brief(10, 5, &[(PATIENT, Standing::InVisit, 5)]);
        room.ended = Some(UnixMillis(9));
        let visit = stands(&row, Some(&room));
        assert_eq!((visit.state, visit.since_ms), (DeskState::Ended, UnixMillis(9)));
    }

    #[test]
    fn a_cancelled_visit_is_over_unless_it_runs() {
        let mut row = row(1);
        row.cancelled = true;
        assert_eq!(stands(&row, None).state, DeskState::Ended);
        assert_eq!(shown(&row, &[(PATIENT, Standing::Waiting, 5)]).0, DeskState::Ended);
        assert_eq!(shown(&row, &[(PATIENT, Standing::InVisit, 5)]).0, DeskState::InVisit);
    }
}
