//! What both engines must do with bookings.

use crate::clinic::{Clinic, HOUR, NOW, START, booking, person, span};
use heliograph_domain::{UnixMillis, UnixSeconds, VisitId};
use heliograph_schedule::booking::Refusal;
use heliograph_store::{Answer, Outcome, StoreError, Stored};

pub async fn two_hundred_overlapping_bookings_leave_exactly_one(clinic: &Clinic) {
    let mut drafts = Vec::new();
    for number in 0..200_u8 {
        // Starts 0 to 55 minutes late, so that all of these hours overlap; four patients take turns.
        let start = START.plus(i64::from(number % 12) * 300);
        drafts.push(clinic.draft(number, start, 2 + number % 4).await.unwrap());
    }
    let tasks: Vec<_> = drafts
        .into_iter()
        .map(|draft| {
            let (store, cedar) = (clinic.store.clone(), clinic.cedar.clone());
            tokio::spawn(async move { store.commit_booking(&cedar, &booking(&draft)).await.unwrap() })
        })
        .collect();
    let mut booked = 0;
    for task in tasks {
        match task.await.unwrap() {
            Outcome::Booked => booked += 1,
            Outcome::Lost => {}
            Outcome::Repeated(stored) => panic!("{stored:?}"),
        }
    }
    assert_eq!(booked, 1);
    assert_eq!(
        clinic
            .count("SELECT COUNT(*) FROM visit WHERE institution = 'cedar-street'")
            .await,
        1
    );
    assert_eq!(clinic.count("SELECT COUNT(*) FROM claim").await, 2);
    assert_eq!(
        clinic
            .count("SELECT COUNT(*) FROM idempotency WHERE institution = 'cedar-street'")
            .await,
        1
    );
}

pub async fn visits_stand_back_to_back(clinic: &Clinic) {
    clinic.book(1, START, 2).await;
    clinic.book(2, START.plus(HOUR), 3).await;
    clinic.book(3, START.plus(-HOUR), 4).await;
    let Err(Refusal::Taken { conflicts, .. }) = clinic.draft(4, START.plus(1_800), 5).await else {
        panic!()
    };
    assert_eq!(conflicts, [person(1)]);
}

pub async fn a_lost_race_leaves_nothing_behind(clinic: &Clinic) {
    let late = clinic.draft(2, START, 3).await.unwrap();
    clinic.book(1, START.plus(1_800), 2).await;
    assert_eq!(clinic.commit(&late).await, Outcome::Lost);

    // With the versions of today but a calendar that hid the claim, the constraint alone must refuse.
    let mut blind = late.clone();
    for (resource, version) in &mut blind.decision.versions {
        let calendar = clinic
            .store
            .calendar(&clinic.cedar, &[*resource], span(START, HOUR))
            .await
            .unwrap();
        *version = calendar.versions[resource];
    }
    assert_eq!(clinic.commit(&blind).await, Outcome::Lost);

    assert_eq!(clinic.store.visit(&clinic.cedar, late.visit.id).await.unwrap(), None);
    for participant in &late.visit.participants {
        assert_eq!(clinic.store.link_home(participant.id).await.unwrap(), None);
    }
    assert!(
        clinic
            .store
            .outbox_of(&clinic.cedar, late.visit.id)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        clinic
            .store
            .audit_of(&clinic.cedar, late.visit.id)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(clinic.store.answered(&clinic.cedar, &late.request).await.unwrap(), None);
    let patient = clinic.resource(3).await;
    let calendar = clinic
        .store
        .calendar(&clinic.cedar, &[patient], span(START, HOUR))
        .await
        .unwrap();
    assert_eq!((calendar.claims.len(), calendar.versions[&patient]), (0, 0));
}

pub async fn swapping_people_never_deadlocks(clinic: &Clinic) {
    for round in 0..10_u8 {
        let start = START.plus(i64::from(round) * HOUR);
        let one = clinic
            .draft_for(&clinic.cedar, round * 2, start, &[2, 3])
            .await
            .unwrap();
        let other = clinic
            .draft_for(&clinic.cedar, round * 2 + 1, start, &[3, 2])
            .await
            .unwrap();
        let (one, other) = tokio::join!(clinic.commit(&one), clinic.commit(&other));
        assert_eq!(
            [&one, &other]
                .iter()
                .filter(|outcome| ***outcome == Outcome::Booked)
                .count(),
            1,
            "{one:?} {other:?}"
        );
    }
}

pub async fn an_expired_hold_gives_way_and_a_living_one_does_not(clinic: &Clinic) {
    let (physician, visit) = (
        clinic.resource(1).await,
        clinic.book(1, START.plus(-9 * HOUR), 9).await.visit.id,
    );
    let hold = "INSERT INTO claim (institution, visit, resource, start_s, end_s, state, expires_s)
        VALUES ('cedar-street', $1, $2, $3, $4, 0, $5)";
    for (label, start, expires) in [("a", START, NOW.plus(1)), ("b", START.plus(2 * HOUR), NOW)] {
        // A claim's key is (visit, resource), so each hold needs a visit of its own.
        let other = VisitId::from_parts(UnixMillis(7), &[label.as_bytes()[0]; 10]);
        let copy =
            "INSERT INTO visit (institution, id, ical_uid, sequence, version, status, start_s, end_s, anchor_zone,
                anchor_wall, anchor_offset_s, tzdb_version, created_s)
            SELECT institution, $2, $2, 0, 0, status, start_s, end_s, anchor_zone, anchor_wall, anchor_offset_s,
                tzdb_version, created_s FROM visit WHERE institution = 'cedar-street' AND id = $1";
        sqlx::query(copy)
            .bind(visit.to_string())
            .bind(other.to_string())
            .execute(&clinic.raw)
            .await
            .unwrap();
        let held = sqlx::query(hold)
            .bind(other.to_string())
            .bind(physician.0)
            .bind(start.0)
            .bind(start.0 + HOUR)
            .bind(expires.0)
            .execute(&clinic.raw)
            .await
            .unwrap();
        assert_eq!(held.rows_affected(), 1);
    }
    assert!(matches!(clinic.draft(2, START, 2).await, Err(Refusal::Taken { .. })));
    clinic.book(3, START.plus(2 * HOUR), 2).await;
    assert_eq!(clinic.count("SELECT COUNT(*) FROM claim WHERE state = 0").await, 1);
}

pub async fn a_repeated_request_gets_the_stored_answer(clinic: &Clinic) {
    let first = clinic.book(1, START, 2).await;
    let answered = Stored::Answered(Answer {
        status: 201,
        body: "{\"number\":1}".to_owned(),
    });
    assert_eq!(
        clinic.store.answered(&clinic.cedar, &first.request).await.unwrap(),
        Some(answered.clone())
    );
    assert_eq!(clinic.commit(&first).await, Outcome::Repeated(answered));

    let mut other = first.clone();
    "another".clone_into(&mut other.request.body_hash);
    assert_eq!(clinic.commit(&other).await, Outcome::Repeated(Stored::OtherBody));
    other.request.caller = person(2);
    assert_eq!(
        clinic.store.answered(&clinic.cedar, &other.request).await.unwrap(),
        None
    );
    assert_eq!(
        clinic.store.answered(&clinic.harbour, &first.request).await.unwrap(),
        None
    );

    // The same request many times at once: one is done, all others are told what it was told.
    let draft = clinic.draft(3, START.plus(HOUR), 2).await.unwrap();
    let same: Vec<_> = (0..8)
        .map(|_| {
            let (store, cedar, draft) = (clinic.store.clone(), clinic.cedar.clone(), draft.clone());
            tokio::spawn(async move { store.commit_booking(&cedar, &booking(&draft)).await.unwrap() })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in same {
        outcomes.push(task.await.unwrap());
    }
    assert_eq!(
        outcomes.iter().filter(|outcome| **outcome == Outcome::Booked).count(),
        1
    );
    let told = Outcome::Repeated(Stored::Answered(draft.answer));
    assert_eq!(
        outcomes.iter().filter(|outcome| **outcome == told).count(),
        7,
        "{outcomes:?}"
    );
}

pub async fn a_visit_reads_back_as_it_was_booked(clinic: &Clinic) {
    let mut draft = clinic.book(1, START, 2).await;
    draft.visit.participants[0].name = heliograph_domain::Pii::new("Person 1".to_owned());
    draft.visit.participants[1].name = heliograph_domain::Pii::new("Person 2".to_owned());
    let later = clinic.book(2, START.plus(HOUR), 3).await.visit.id;
    let store = &clinic.store;
    assert_eq!(
        store.visit(&clinic.cedar, draft.visit.id).await.unwrap(),
        Some(draft.visit.clone())
    );
    let seat = draft.visit.participants[1].id;
    assert_eq!(
        store.visit_of(&clinic.cedar, seat).await.unwrap(),
        Some(draft.visit.clone())
    );
    assert_eq!(store.link_home(seat).await.unwrap(), Some(clinic.cedar.clone()));
    let ids = |visits: Vec<heliograph_domain::visit::Visit>| visits.iter().map(|v| v.id).collect::<Vec<_>>();
    let between = |start, seconds| store.visits_between(&clinic.cedar, span(start, seconds));
    assert_eq!(ids(between(START, 2 * HOUR).await.unwrap()), [draft.visit.id, later]);
    assert_eq!(ids(between(START.plus(HOUR), HOUR).await.unwrap()), [later]);
    assert_eq!(ids(between(START.plus(-HOUR), HOUR).await.unwrap()), []);
    assert_eq!(between(START, 1).await.unwrap(), [draft.visit]);
}

pub async fn a_booking_writes_its_outbox_and_audit_rows(clinic: &Clinic) {
    let draft = clinic.book(1, START, 2).await;
    assert_eq!(
        clinic.store.outbox_of(&clinic.cedar, draft.visit.id).await.unwrap(),
        draft.outbox
    );
    assert_eq!(
        clinic.store.audit_of(&clinic.cedar, draft.visit.id).await.unwrap(),
        [draft.audit]
    );
    let id =
        clinic.count("SELECT COUNT(*) FROM outbox WHERE institution = 'cedar-street' AND id LIKE '%:invitation:0:%'");
    assert_eq!(id.await, 1);
}

pub async fn a_human_is_not_booked_twice_by_two_institutions(clinic: &Clinic) {
    let human = clinic.resource(1).await;
    clinic.put(&clinic.harbour, 1, Some(human)).await;
    clinic.put(&clinic.harbour, 7, None).await;
    let theirs = clinic.draft_for(&clinic.harbour, 50, START, &[1, 7]).await.unwrap();
    clinic.book(1, START, 2).await;
    assert_eq!(clinic.commit_for(&clinic.harbour, &theirs).await, Outcome::Lost);
    let again = clinic.draft_for(&clinic.harbour, 51, START, &[1, 7]).await;
    assert!(matches!(again, Err(Refusal::Taken { .. })));
}

pub async fn an_older_time_zone_database_may_not_book(clinic: &Clinic) {
    let store = &clinic.store;
    for (told, newest) in [
        ("2026b", "2026b"),
        ("2026f", "2026f"),
        ("2025c", "2026f"),
        ("unknown", "2026f"),
    ] {
        store.raise_tzdb(told).await.unwrap();
        assert_eq!(store.tzdb().await.unwrap().as_deref(), Some(newest));
    }
    let mut draft = clinic.draft(1, START, 2).await.unwrap();
    "2026e".clone_into(&mut draft.visit.anchor.tzdb_version);
    let refused = store.commit_booking(&clinic.cedar, &booking(&draft)).await;
    assert!(matches!(refused, Err(StoreError::OlderTzdb { .. })), "{refused:?}");
    assert_eq!(store.visit(&clinic.cedar, draft.visit.id).await.unwrap(), None);
    "2026f".clone_into(&mut draft.visit.anchor.tzdb_version);
    assert_eq!(clinic.commit(&draft).await, Outcome::Booked);
}

pub async fn a_calendar_sees_what_reaches_into_its_window(clinic: &Clinic) {
    clinic.book(1, START, 2).await;
    clinic.book(2, START.plus(2 * HOUR), 2).await;
    let physician = clinic.resource(1).await;
    let starts = |window| async move {
        let calendar = clinic
            .store
            .calendar(&clinic.cedar, &[physician], window)
            .await
            .unwrap();
        calendar
            .claims
            .iter()
            .map(|claim| claim.span.start)
            .collect::<Vec<UnixSeconds>>()
    };
    let (one, two) = (START, START.plus(2 * HOUR));
    assert_eq!(starts(span(START, 3 * HOUR)).await, [one, two]);
    assert_eq!(starts(span(START.plus(HOUR - 1), 1)).await, [one]);
    assert_eq!(starts(span(START.plus(HOUR), HOUR)).await, []);
    assert_eq!(starts(span(START.plus(HOUR), HOUR + 1)).await, [two]);
    assert_eq!(starts(span(START.plus(-HOUR), HOUR)).await, []);
}
