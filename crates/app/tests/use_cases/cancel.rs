use crate::clinic::{AL_HARBI, Clinic, HADDAD, KELLER, OKAFOR, RUIZ, START, device, keys, no_cookies, visit};
use heliograph_access::link::{self, LinkScope};
use heliograph_app::cancel::{CancelError, CancelVisit, cancel};
use heliograph_app::links::{self, Peek};
use heliograph_app::outbox::{self, RoomNotice};
use heliograph_app::progress;
use heliograph_app::revoke::revoke;
use heliograph_app::seat::{self, SeatCaller};
use heliograph_app::view::Visit;
use heliograph_app::{Coded, rights};
use heliograph_domain::visit::{Progress, VisitStatus};
use heliograph_domain::{Pii, VisitId};

fn request(reason: &str, version: i64) -> CancelVisit {
    CancelVisit {
        reason: Pii::new(reason.to_owned()),
        version,
    }
}

async fn by(clinic: &Clinic, number: u8, id: VisitId, reason: &str, version: i64) -> Result<Visit, CancelError> {
    let caller = clinic.caller(number).await;
    cancel(&clinic.app, &caller, id, &request(reason, version)).await
}

#[tokio::test]
async fn a_cancelled_visit_is_told_to_its_room_and_lets_nobody_in() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    let (id, link) = (booked.visit.id, &booked.links[0]);
    let devices = device(&clinic, &link.token).await;
    clinic.heard.take();

    let cancelled = by(&clinic, HADDAD, id, " ill ", 0).await.unwrap();
    assert_eq!(
        (cancelled.status, cancelled.sequence, cancelled.version),
        (VisitStatus::Cancelled, 1, 1)
    );
    assert_eq!(clinic.heard.take(), [format!("cedar-street {id}")]);
    let due = outbox::due(&clinic.app, 9).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].visit, due[0].institution.as_str()), (id, "cedar-street"));
    assert_eq!(*due[0].notice.as_ref().unwrap(), RoomNotice::Cancelled {});
    outbox::done(&clinic.app, &due[0]).await.unwrap();
    assert!(outbox::due(&clinic.app, 9).await.unwrap().is_empty());

    let audit = clinic.store.audit_of(&clinic.cedar, id).await.unwrap();
    assert_eq!(audit.last().unwrap().action, "visit_cancelled");
    assert_eq!(
        rights::seat(&clinic.app, &clinic.cedar, id, link.participant)
            .await
            .unwrap(),
        None
    );
    let caller = SeatCaller {
        staff: None,
        devices: &devices,
    };
    let refused = seat::ticket(&clinic.app, caller, id, None).await.unwrap_err();
    assert_eq!(refused.code(), "visit_cancelled");
    let refused = progress::report(&clinic.app, &devices, id, None, Progress::Testing).await;
    assert_eq!(refused.unwrap_err().code(), "visit_cancelled");
    // The link leads to the news.
    match links::peek(&clinic.app, &link.token, &no_cookies()).await.unwrap() {
        Peek::Elsewhere {} => {}
        other => panic!("{other:?}"),
    }
    match links::peek(&clinic.app, &link.token, &devices).await.unwrap() {
        Peek::Here(seen) => assert_eq!(seen.status, VisitStatus::Cancelled),
        other => panic!("{other:?}"),
    }
    // What was in the store is void, so that nothing that was given out would open another door either.
    let stored = clinic.store.visit(&clinic.cedar, id).await.unwrap().unwrap();
    let generations: Vec<_> = stored.participants.iter().map(|one| one.link_generation).collect();
    assert_eq!(generations, [1, 1]);
    // The time is free again.
    clinic
        .book(&visit("2026-12-01T08:00", &[(OKAFOR, "host"), (AL_HARBI, "patient")]))
        .await
        .unwrap();
}

#[tokio::test]
async fn only_the_links_that_were_good_lead_to_the_news_and_none_is_redeemed_any_more() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    let (id, older) = (booked.visit.id, &booked.links[0]);
    let caller = clinic.caller(HADDAD).await;
    let newer = revoke(&clinic.app, &caller, id, older.participant).await.unwrap();
    by(&clinic, HADDAD, id, "ill", 1).await.unwrap();
    match links::peek(&clinic.app, &newer.token, &no_cookies()).await.unwrap() {
        Peek::No(seen) => assert_eq!(seen.status, VisitStatus::Cancelled),
        other => panic!("{other:?}"),
    }
    let refused = links::redeem(&clinic.app, &newer.token, &no_cookies()).await;
    assert_eq!(refused.unwrap_err().code(), "visit_cancelled");
    let refused = links::peek(&clinic.app, &older.token, &no_cookies()).await;
    assert_eq!(refused.unwrap_err().code(), "link_unknown");
    let next = LinkScope {
        institution: &clinic.cedar,
        visit: id,
        participant: older.participant,
        generation: 2,
    };
    let refused = links::peek(&clinic.app, &link::mint(&keys(), &next), &no_cookies()).await;
    assert_eq!(refused.unwrap_err().code(), "link_unknown");
}

#[tokio::test]
async fn cancelling_again_changes_nothing() {
    let clinic = Clinic::open().await;
    let id = clinic.booked().await.visit.id;
    by(&clinic, OKAFOR, id, "ill", 0).await.unwrap();
    clinic.heard.take();
    let again = by(&clinic, OKAFOR, id, "ill", 0).await.unwrap();
    assert_eq!((again.status, again.version), (VisitStatus::Cancelled, 1));
    assert_eq!(clinic.heard.take(), [] as [String; 0]);
    assert_eq!(outbox::due(&clinic.app, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_may_not_be_cancelled_stays() {
    let clinic = Clinic::open().await;
    let people = [(OKAFOR, "host"), (AL_HARBI, "patient"), (RUIZ, "interpreter")];
    let id = clinic.book(&visit("2026-12-01T08:00", &people)).await.unwrap().visit.id;
    let nowhere = VisitId::from_bytes([7; 16]);
    for (number, id, reason, version, code) in [
        (RUIZ, id, "ill", 0, "forbidden"),
        (KELLER, id, "ill", 0, "not_found"),
        (HADDAD, nowhere, "ill", 0, "not_found"),
        (HADDAD, id, "  ", 0, "invalid_request"),
        (HADDAD, id, &"x".repeat(501), 0, "invalid_request"),
        (HADDAD, id, "ill", 1, "visit_changed"),
    ] {
        let refused = by(&clinic, number, id, reason, version).await.unwrap_err();
        assert_eq!(refused.code(), code);
    }
    clinic.clock.set(START.plus(1_800));
    assert_eq!(by(&clinic, HADDAD, id, "ill", 0).await.unwrap_err().code(), "too_late");
    let seen = clinic.store.visit(&clinic.cedar, id).await.unwrap().unwrap();
    assert_eq!((seen.status, seen.version), (VisitStatus::Booked, 0));
    assert!(outbox::due(&clinic.app, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_row_that_was_tried_in_vain_lets_others_go_first() {
    let clinic = Clinic::open().await;
    let id = clinic.booked().await.visit.id;
    by(&clinic, HADDAD, id, "ill", 0).await.unwrap();
    let now = crate::clinic::NOW;
    let mut at = now;
    for wait in [1, 2, 3, 4, 5, 5] {
        clinic.clock.set(at);
        let due = outbox::due(&clinic.app, 9).await.unwrap();
        outbox::put_off(&clinic.app, &due[0]).await.unwrap();
        clinic.clock.set(at.plus(wait - 1));
        assert!(outbox::due(&clinic.app, 9).await.unwrap().is_empty(), "{wait}");
        at = at.plus(wait);
    }
}
