use crate::clinic::{AL_HARBI, Clinic, HADDAD, KELLER, NOW, OKAFOR, RUIZ, SANTOS, START, person, service, visit};
use heliograph_access::link;
use heliograph_app::Coded;
use heliograph_app::booking::{BookError, BookStart, BookVisit, Busy, Choose, book};
use heliograph_domain::{Role, StaffRole, UnixSeconds};
use heliograph_store::StoreError;

fn pair(wall: &str) -> BookVisit {
    visit(wall, &[(OKAFOR, "host"), (AL_HARBI, "patient")])
}

fn in_zone(wall: &str, zone: &str, choose: Option<Choose>) -> BookVisit {
    let start = BookStart {
        wall: wall.to_owned(),
        zone: zone.to_owned(),
        choose,
    };
    BookVisit { start, ..pair(wall) }
}

#[tokio::test]
async fn a_visit_at_eight_in_los_angeles_is_at_seven_in_the_evening_in_riyadh() {
    let clinic = Clinic::open().await;
    let people = [
        (OKAFOR, "host"),
        (AL_HARBI, "patient"),
        (RUIZ, "interpreter"),
        (SANTOS, "guest"),
    ];
    let request = BookVisit {
        service: Some(service().to_string()),
        ..visit("2026-12-01T08:00", &people)
    };
    let booked = clinic.book(&request).await.unwrap();

    assert_eq!((booked.visit.start_s, booked.visit.end_s), (START, START.plus(1_800)));
    assert_eq!(booked.visit.service_name, "Follow-up");
    assert_eq!(booked.visit.anchor_wall.to_string(), "2026-12-01T08:00");
    let labels: Vec<&str> = booked
        .visit
        .participants
        .iter()
        .map(|one| one.local.label.as_str())
        .collect();
    assert_eq!(
        labels,
        [
            "Tue 2026-12-01T08:00-0800",
            "Tue 2026-12-01T19:00+0300",
            "Tue 2026-12-01T17:00+0100",
            "Wed 2026-12-02T00:00+0800"
        ]
    );
    let riyadh = &booked.visit.participants[1].local;
    assert_eq!((riyadh.city.as_str(), riyadh.offset_s), ("Riyadh", 10_800));
    assert_eq!(riyadh.wall_end.to_string(), "2026-12-01T19:30");
    let zones: Vec<&str> = booked.visit.local.iter().map(|local| local.zone.name()).collect();
    assert_eq!(
        zones,
        ["America/Los_Angeles", "Asia/Riyadh", "Europe/Zurich", "Asia/Manila"]
    );
    let required: Vec<bool> = booked.visit.participants.iter().map(|one| one.required).collect();
    assert_eq!(required, [true, true, true, false]);
}

#[tokio::test]
async fn everybody_but_staff_gets_a_link_and_an_invitation_without_a_name() {
    let clinic = Clinic::open().await;
    let people = [
        (OKAFOR, "host"),
        (HADDAD, "staff"),
        (AL_HARBI, "patient"),
        (RUIZ, "interpreter"),
    ];
    let booked = clinic.book(&visit("2026-12-01T08:00", &people)).await.unwrap();
    let expected: Vec<_> = booked.visit.participants[2..]
        .iter()
        .map(|one| one.participant)
        .collect();
    assert_eq!(
        booked.links.iter().map(|link| link.participant).collect::<Vec<_>>(),
        expected
    );
    for link in &booked.links {
        assert_eq!(link::parse(&link.token).unwrap().participant, link.participant);
        assert_eq!(link.path(), format!("/v/#{}", link.token));
        assert!(!format!("{link:?}").contains(&link.token));
    }
    let outbox = clinic.store.outbox_of(&clinic.cedar, booked.visit.id).await.unwrap();
    assert_eq!(outbox.len(), 2);
    for row in &outbox {
        assert_eq!((row.kind.as_str(), row.due), ("invitation", NOW));
        assert!(
            expected
                .iter()
                .any(|participant| row.recipient == participant.to_string())
        );
        assert!(
            !row.payload.contains("Maryam") && !row.payload.contains("Sof"),
            "{}",
            row.payload
        );
    }
    let audit = clinic.store.audit_of(&clinic.cedar, booked.visit.id).await.unwrap();
    assert_eq!(
        audit.iter().map(|row| row.action.as_str()).collect::<Vec<_>>(),
        ["visit_booked"]
    );
    assert_eq!(audit[0].actor, format!("person:{}", person(HADDAD)));
}

#[tokio::test]
async fn a_person_may_be_elsewhere_that_day() {
    let clinic = Clinic::open().await;
    let mut request = pair("2026-12-01T08:00");
    request.participants[1].zone = Some("Asia/Calcutta".to_owned());
    let booked = clinic.book(&request).await.unwrap();
    assert_eq!(booked.visit.participants[1].local.label, "Tue 2026-12-01T21:30+0530");
}

#[tokio::test]
async fn a_wall_time_that_is_shown_twice_asks_which() {
    let clinic = Clinic::open().await;
    let error = clinic
        .book(&in_zone("2027-11-07T01:30", "America/New_York", None))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "wall_time_ambiguous");
    let BookError::WallTimeAmbiguous(candidates) = error else {
        panic!()
    };
    let told: Vec<_> = candidates
        .iter()
        .map(|c| (c.choose, c.start_s.0, c.offset_s, c.label.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Choose::First, 1_825_565_400, -14_400, "Sun 2027-11-07T01:30-0400"),
            (Choose::Second, 1_825_569_000, -18_000, "Sun 2027-11-07T01:30-0500")
        ]
    );
    for candidate in candidates {
        let request = in_zone("2027-11-07T01:30", "America/New_York", Some(candidate.choose));
        assert_eq!(clinic.book(&request).await.unwrap().visit.start_s, candidate.start_s);
    }
}

#[tokio::test]
async fn a_wall_time_that_is_skipped_asks_which() {
    let clinic = Clinic::open().await;
    let error = clinic
        .book(&in_zone("2027-03-14T02:30", "America/New_York", None))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "wall_time_missing");
    let BookError::WallTimeMissing(candidates) = error else {
        panic!()
    };
    let told: Vec<_> = candidates
        .iter()
        .map(|c| (c.choose, c.start_s.0, c.label.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Choose::First, 1_805_005_800, "Sun 2027-03-14T01:30-0500"),
            (Choose::Second, 1_805_009_400, "Sun 2027-03-14T03:30-0400")
        ]
    );
    let request = in_zone("2027-03-14T02:30", "America/New_York", Some(Choose::Second));
    let booked = clinic.book(&request).await.unwrap();
    assert_eq!(booked.visit.start_s, UnixSeconds(1_805_009_400));
    assert_eq!(booked.visit.anchor_wall.to_string(), "2027-03-14T03:30");
}

#[tokio::test]
async fn a_taken_time_names_who_is_busy_and_three_starts_that_can_be_booked() {
    let clinic = Clinic::open().await;
    clinic.booked().await;
    let request = visit("2026-12-01T08:15", &[(OKAFOR, "host"), (SANTOS, "patient")]);
    let error = clinic.book(&request).await.unwrap_err();
    assert_eq!(error.code(), "slot_taken");
    let BookError::Taken {
        conflicts,
        alternatives,
    } = error
    else {
        panic!()
    };
    assert_eq!(conflicts, [Busy { person: person(OKAFOR) }]);
    let labels: Vec<&str> = alternatives.iter().map(|one| one.label.as_str()).collect();
    assert_eq!(
        labels,
        [
            "Tue 2026-12-01T08:30-0800",
            "Tue 2026-12-01T09:00-0800",
            "Tue 2026-12-01T09:30-0800"
        ]
    );
    for label in labels {
        clinic
            .book(&visit(&label[4..20], &[(OKAFOR, "host"), (SANTOS, "patient")]))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_answer_even_when_its_time_has_passed() {
    let clinic = Clinic::open().await;
    let caller = clinic.caller(HADDAD).await;
    let request = pair("2026-12-01T08:00");
    let first = book(&clinic.app, &caller, &request, "key", "hash").await.unwrap();
    assert!(!first.replayed);
    clinic.clock.set(START.plus(3_600));
    let again = book(&clinic.app, &caller, &request, "key", "hash").await.unwrap();
    assert!(again.replayed);
    assert_eq!((again.visit, again.links), (first.visit, first.links));

    let other = book(&clinic.app, &caller, &pair("2026-12-03T08:00"), "key", "other hash")
        .await
        .unwrap_err();
    assert_eq!(other.code(), "idempotency_key_reused");
    let someone = clinic.caller(OKAFOR).await;
    let theirs = book(&clinic.app, &someone, &pair("2026-12-03T08:00"), "key", "hash")
        .await
        .unwrap();
    assert!(!theirs.replayed);
}

#[tokio::test]
async fn no_stored_answer_holds_a_link() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    let key = format!("{:?}", pair("2026-12-01T08:00"));
    let request = heliograph_store::RequestKey {
        caller: person(HADDAD),
        route: "POST /api/v1/visits",
        key: key.clone(),
        body_hash: key,
    };
    let stored = format!(
        "{:?}",
        clinic.store.answered(&clinic.cedar, &request).await.unwrap().unwrap()
    );
    assert!(stored.contains(&booked.visit.id.to_string()));
    assert!(!stored.contains(&booked.links[0].token), "{stored}");
}

#[tokio::test]
async fn the_same_request_sent_many_times_at_once_books_once() {
    let clinic = Clinic::open().await;
    let caller = clinic.caller(HADDAD).await;
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let (app, caller) = (clinic.app.clone(), caller.clone());
            tokio::spawn(async move {
                book(&app, &caller, &pair("2026-12-01T08:00"), "key", "hash")
                    .await
                    .unwrap()
            })
        })
        .collect();
    let (mut visits, mut new) = (std::collections::BTreeSet::new(), 0);
    for task in tasks {
        let booked = task.await.unwrap();
        visits.insert(booked.visit.id);
        new += usize::from(!booked.replayed);
    }
    assert_eq!((visits.len(), new), (1, 1));
}

#[tokio::test]
async fn many_different_times_of_one_physician_are_all_booked_at_once() {
    let clinic = Clinic::open().await;
    let caller = clinic.caller(HADDAD).await;
    let tasks: Vec<_> = (0..20)
        .map(|half_hour| {
            let (app, caller) = (clinic.app.clone(), caller.clone());
            let request = pair(&format!(
                "2026-12-01T{:02}:{:02}",
                8 + half_hour / 2,
                half_hour % 2 * 30
            ));
            let key = half_hour.to_string();
            tokio::spawn(async move { book(&app, &caller, &request, &key, &key).await.map(|_| ()) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_by_field() {
    let clinic = Clinic::open().await;
    let mut request = pair("2026-12-01T8:00");
    request.start.zone = "Europe/Zurch".to_owned();
    request.participants[1].role = "doctor".to_owned();
    request.participants[1].zone = Some("Mars".to_owned());
    request.service = Some("follow-up".to_owned());
    assert_eq!(
        fields(&clinic, &request).await,
        [
            "service",
            "start.wall",
            "start.zone",
            "participants[1].role",
            "participants[1].zone"
        ]
    );
    assert_eq!(fields(&clinic, &pair("2026-12-01T08:02")).await, ["start.wall"]);
    assert_eq!(fields(&clinic, &pair("2026-11-01T08:00")).await, ["start.wall"]);
    for minutes in [31, 0, -30, 485, i64::MAX] {
        let request = BookVisit {
            duration_min: minutes,
            ..pair("2026-12-01T08:00")
        };
        assert!(
            fields(&clinic, &request)
                .await
                .iter()
                .all(|field| field == "duration_min"),
            "{minutes}"
        );
    }
    let twice = visit(
        "2026-12-01T08:00",
        &[(OKAFOR, "host"), (AL_HARBI, "patient"), (AL_HARBI, "guest")],
    );
    assert_eq!(fields(&clinic, &twice).await, ["participants[2].person"]);
    let many = visit("2026-12-01T08:00", &[(OKAFOR, "host"); 100]);
    assert_eq!(fields(&clinic, &many).await, ["participants"]);
}

async fn fields(clinic: &Clinic, request: &BookVisit) -> Vec<String> {
    match clinic.book(request).await {
        Err(BookError::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn people_and_services_of_others_are_not_found() {
    let clinic = Clinic::open().await;
    let stranger = visit("2026-12-01T08:00", &[(OKAFOR, "host"), (KELLER, "guest")]);
    let nobody = visit("2026-12-01T08:00", &[(OKAFOR, "host"), (99, "guest")]);
    let unknown = BookVisit {
        service: Some(person(9).to_string()),
        ..nobody.clone()
    };
    let mut told = Vec::new();
    for request in [&stranger, &nobody, &unknown] {
        match clinic.book(request).await {
            Err(BookError::NotFound(errors)) => told.push(errors),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told[0], told[1], "somebody of another institution is nobody");
    let fields: Vec<_> = told[2].iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["service", "participants[1].person"]);
    let caller = clinic.caller(KELLER).await;
    let error = book(&clinic.app, &caller, &pair("2026-12-01T08:00"), "k", "h")
        .await
        .unwrap_err();
    assert_eq!(error.code(), "not_found");
}

#[tokio::test]
async fn interpreters_do_not_book() {
    let clinic = Clinic::open().await;
    let caller = clinic.caller(RUIZ).await;
    assert_eq!(caller.roles, [StaffRole::Interpreter]);
    let error = book(&clinic.app, &caller, &pair("2026-12-01T08:00"), "k", "h")
        .await
        .unwrap_err();
    assert_eq!(error.code(), "forbidden");
}

#[tokio::test]
async fn an_older_time_zone_database_books_nothing() {
    let clinic = Clinic::open().await;
    clinic.app.announce_tzdb().await.unwrap();
    clinic.booked().await;
    clinic.store.raise_tzdb("2099a").await.unwrap();
    let error = clinic.book(&pair("2026-12-02T08:00")).await.unwrap_err();
    assert!(
        matches!(error, BookError::Store(StoreError::OlderTzdb { .. })),
        "{error:?}"
    );
    assert_eq!(error.code(), "tzdb_outdated");
}

#[tokio::test]
async fn roles_stand_as_they_were_booked() {
    let clinic = Clinic::open().await;
    let people = [(OKAFOR, "host"), (HADDAD, "staff")];
    let booked = clinic.book(&visit("2026-12-01T08:00", &people)).await.unwrap();
    let roles: Vec<Role> = booked.visit.participants.iter().map(|one| one.role).collect();
    assert_eq!(roles, [Role::Host, Role::Staff]);
    assert!(booked.links.is_empty());
}
