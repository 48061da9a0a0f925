use crate::clinic::{AL_HARBI, Clinic, HADDAD, KELLER, NOW, OKAFOR, RUIZ, START, device, keys, person, visit};
use heliograph_access::cookie::CookieHash;
use heliograph_access::desk_ticket;
use heliograph_app::booking::Booked;
use heliograph_app::desk::{self, DeskRow};
use heliograph_app::{Coded, progress, record, staff, visits};
use heliograph_domain::visit::{Fact, FactKind, Progress, Span};
use heliograph_domain::{UnixMillis, UnixSeconds, VisitId};

/// Signs in, and gives the session's cookie.
async fn cookie(clinic: &Clinic, number: u8) -> String {
    let token = clinic.sign_in_token(number, UnixSeconds(i64::MAX));
    staff::sign_in(&clinic.app, &token).await.unwrap().cookie
}

#[tokio::test]
async fn a_ticket_names_the_session_that_asked() {
    let clinic = Clinic::open().await;
    let cookie = cookie(&clinic, OKAFOR).await;
    let caller = staff::session(&clinic.app, &cookie).await.unwrap().unwrap();
    let ticket = desk::ticket(&clinic.app, &caller, &cookie);
    assert_eq!(ticket.expires_ms, NOW.millis().plus(30_000));
    assert!(!format!("{ticket:?}").contains(&ticket.ticket));
    let read = desk_ticket::verify(&keys(), &ticket.ticket, NOW.millis()).unwrap();
    assert_eq!((&read.institution, read.person), (&clinic.cedar, person(OKAFOR)));
    assert_eq!(read.session, CookieHash::of(&cookie).as_str());
}

#[tokio::test]
async fn a_desk_shows_the_person_s_own_day_while_the_session_lasts() {
    let clinic = Clinic::open().await;
    clinic.clock.set(START);
    let rights = async |number, session: &str| {
        desk::rights(&clinic.app, &clinic.cedar, person(number), session)
            .await
            .unwrap()
    };
    let cookie_of = cookie(&clinic, OKAFOR).await;
    let session = CookieHash::of(&cookie_of).as_str().to_owned();
    let seen = rights(OKAFOR, &session).await.unwrap();
    assert!(!seen.everything);
    // The first of December in Los Angeles, an hour before it and half an hour after it.
    let midnight = START.plus(16 * 3_600);
    let shown = Span {
        start: START.plus(-9 * 3_600),
        end: midnight.plus(1_800),
    };
    assert_eq!((seen.shown, seen.day_ends), (shown, midnight));
    assert_eq!(seen.until, START.plus(12 * 3_600).millis());
    let scheduler = CookieHash::of(&cookie(&clinic, HADDAD).await).as_str().to_owned();
    assert!(rights(HADDAD, &scheduler).await.unwrap().everything);

    assert_eq!(rights(OKAFOR, &scheduler).await, None, "somebody else's session");
    let elsewhere = desk::rights(&clinic.app, &clinic.harbour, person(OKAFOR), &session).await;
    assert_eq!(elsewhere.unwrap(), None);
    clinic.heard.take();
    staff::sign_out(&clinic.app, &cookie_of).await.unwrap();
    assert_eq!(clinic.heard.take(), [format!("cedar-street {session}")]);
    assert_eq!(rights(OKAFOR, &session).await, None);
}

/// The visits of the physician's list, and those that the desk's socket follows.
async fn list_and_socket(clinic: &Clinic) -> (Vec<VisitId>, Vec<VisitId>) {
    let caller = clinic.caller(OKAFOR).await;
    let list = visits::day(&clinic.app, &caller, None).await.unwrap();
    let session = CookieHash::of(&cookie(clinic, OKAFOR).await).as_str().to_owned();
    let rights = desk::rights(&clinic.app, &clinic.cedar, person(OKAFOR), &session).await;
    let shown = rights.unwrap().unwrap().shown;
    let rows = desk::rows(&clinic.app, &clinic.cedar, shown).await.unwrap();
    (
        list.visits.iter().map(|visit| visit.id).collect(),
        rows.iter().map(|row| row.visit).collect(),
    )
}

#[tokio::test]
async fn around_midnight_the_list_has_all_who_may_wait_or_be_in_a_visit_and_the_socket_follows_them() {
    let clinic = Clinic::open().await;
    let people = [(OKAFOR, "host"), (AL_HARBI, "patient")];
    let mut booked = Vec::new();
    for wall in [
        "2026-12-01T22:00",
        "2026-12-01T23:20",
        "2026-12-02T00:10",
        "2026-12-02T01:00",
    ] {
        booked.push(clinic.book(&visit(wall, &people)).await.unwrap().visit.id);
    }
    let [early, late, after, next] = booked[..] else {
        panic!("four visits")
    };
    let midnight = START.plus(16 * 3_600);
    let minutes = |minutes: i64| midnight.plus(minutes * 60);
    for (now, list) in [
        (minutes(-21), vec![early, late]),
        // The waiting room of the visit at 00:10 is open.
        (minutes(-20), vec![early, late, after]),
        (minutes(-8), vec![early, late, after]),
        // The links of the visit until 23:50 are good until 00:50.
        (minutes(5), vec![late, after, next]),
        (minutes(50), vec![after, next]),
    ] {
        clinic.clock.set(now);
        let (listed, followed) = list_and_socket(&clinic).await;
        assert_eq!(listed, list, "{now:?}");
        assert!(list.iter().all(|one| followed.contains(one)), "{now:?}: {followed:?}");
    }
}

async fn row(clinic: &Clinic, booked: &Booked) -> DeskRow {
    let one = desk::row(&clinic.app, &clinic.cedar, booked.visit.id)
        .await
        .unwrap()
        .unwrap();
    let all = desk::rows(&clinic.app, &clinic.cedar, Span::of(START, 60))
        .await
        .unwrap();
    assert_eq!(all, std::slice::from_ref(&one), "both ways tell the same");
    one
}

#[tokio::test]
async fn a_row_tells_whose_page_is_the_furthest_and_whether_the_visit_ended() {
    let clinic = Clinic::open().await;
    let people = [(OKAFOR, "host"), (AL_HARBI, "patient"), (RUIZ, "interpreter")];
    let booked = clinic.book(&visit("2026-12-01T08:00", &people)).await.unwrap();
    let (id, patient) = (booked.visit.id, booked.links[0].participant);
    assert_eq!(clinic.heard.take(), [format!("cedar-street {id}")]);
    let before = row(&clinic, &booked).await;
    assert_eq!(before.people, [person(OKAFOR), person(AL_HARBI), person(RUIZ)]);
    assert_eq!((before.reported, before.ended, before.cancelled), (None, None, false));

    let (hers, theirs) = (
        device(&clinic, &booked.links[0].token).await,
        device(&clinic, &booked.links[1].token).await,
    );
    let told = [
        (&hers, Progress::Opened, 0),
        (&theirs, Progress::Testing, 10),
        (&hers, Progress::Testing, 20),
        (&hers, Progress::CheckedIn, 30),
    ];
    let mut seen = Vec::new();
    for (devices, progress, s) in told {
        clinic.clock.set(NOW.plus(s));
        progress::report(&clinic.app, devices, id, None, progress)
            .await
            .unwrap();
        let (by, reported) = row(&clinic, &booked).await.reported.unwrap();
        seen.push((by == patient, reported.progress, reported.at.0 - NOW.millis().0));
    }
    assert_eq!(
        seen,
        [
            (true, Progress::Opened, 0),
            (false, Progress::Testing, 10_000),
            (false, Progress::Testing, 10_000),
            (true, Progress::CheckedIn, 30_000),
        ]
    );
    assert_eq!(clinic.heard.take().len(), 4);
    progress::report(&clinic.app, &hers, id, None, Progress::Opened)
        .await
        .unwrap();
    assert_eq!(clinic.heard.take(), [] as [String; 0], "a step back is none");

    for (cseq, kind, ended) in [
        (1, FactKind::End, Some(UnixMillis(71))),
        (2, FactKind::EndUndone, None),
        (3, FactKind::End, Some(UnixMillis(73))),
        (4, FactKind::Reopen, None),
    ] {
        let fact = Fact {
            session: "session-1".to_owned(),
            cseq,
            kind,
            participant: None,
            at: UnixMillis(70 + i64::try_from(cseq).unwrap()),
        };
        record::decision(&clinic.app, &clinic.cedar, id, patient, &fact)
            .await
            .unwrap();
        assert_eq!(row(&clinic, &booked).await.ended, ended);
    }
}

#[tokio::test]
async fn only_the_device_of_the_visit_reports_for_it() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    let devices = device(&clinic, &booked.links[0].token).await;
    let host = booked.visit.participants[0].participant;
    let nobody = crate::clinic::no_cookies();
    for (devices, id, participant) in [
        (&nobody, booked.visit.id, None),
        (&devices, VisitId::from_bytes([7; 16]), None),
        (&devices, booked.visit.id, Some(host)),
    ] {
        let refused = progress::report(&clinic.app, devices, id, participant, Progress::Opened).await;
        assert_eq!(refused.unwrap_err().code(), "unauthorized");
    }
    assert_eq!(row(&clinic, &booked).await.reported, None);
    let theirs = desk::row(&clinic.app, &clinic.harbour, booked.visit.id).await;
    assert_eq!(theirs.unwrap(), None);
    let stranger = CookieHash::of(&cookie(&clinic, KELLER).await).as_str().to_owned();
    let elsewhere = desk::rights(&clinic.app, &clinic.harbour, person(KELLER), &stranger).await;
    assert!(elsewhere.unwrap().unwrap().everything);
}
