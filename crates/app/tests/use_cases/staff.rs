use crate::clinic::{AL_HARBI, Clinic, NOW, OKAFOR};
use heliograph_app::{Coded, staff};

#[tokio::test]
async fn a_sign_in_link_begins_a_session_of_twelve_hours() {
    let clinic = Clinic::open().await;
    let signed = staff::sign_in(&clinic.app, &clinic.sign_in_token(OKAFOR, NOW.plus(60)))
        .await
        .unwrap();
    assert_eq!(signed.caller.institution_name, "Cedar Street Clinic");
    assert_eq!(signed.caller.name.reveal(), "Dr Amara Okafor");
    assert!(!format!("{signed:?}").contains(&signed.cookie));
    for (now, valid) in [(NOW.plus(12 * 3_600 - 1), true), (NOW.plus(12 * 3_600), false)] {
        clinic.clock.set(now);
        let caller = staff::session(&clinic.app, &signed.cookie).await.unwrap();
        assert_eq!(caller, valid.then(|| signed.caller.clone()));
    }
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let clinic = Clinic::open().await;
    let token = clinic.sign_in_token(OKAFOR, NOW.plus(60));
    let (one, other) = (
        staff::sign_in(&clinic.app, &token).await.unwrap(),
        staff::sign_in(&clinic.app, &token).await.unwrap(),
    );
    assert_ne!(one.cookie, other.cookie);
    staff::sign_out(&clinic.app, &one.cookie).await.unwrap();
    assert_eq!(staff::session(&clinic.app, &one.cookie).await.unwrap(), None);
    assert!(staff::session(&clinic.app, &other.cookie).await.unwrap().is_some());
    staff::sign_out(&clinic.app, &one.cookie).await.unwrap();
}

#[tokio::test]
async fn expired_forged_and_patients_links_sign_nobody_in() {
    let clinic = Clinic::open().await;
    let good = clinic.sign_in_token(OKAFOR, NOW.plus(60));
    let visit_link = clinic.booked().await.links[0].token.clone();
    for token in [
        clinic.sign_in_token(OKAFOR, NOW),
        clinic.sign_in_token(AL_HARBI, NOW.plus(60)),
        clinic.sign_in_token(99, NOW.plus(60)),
        good[1..].to_owned(),
        visit_link,
        String::new(),
    ] {
        let error = staff::sign_in(&clinic.app, &token).await.unwrap_err();
        assert_eq!(error.code(), "unauthorized", "{token}");
    }
}

#[tokio::test]
async fn a_made_up_cookie_is_no_session() {
    let clinic = Clinic::open().await;
    let signed = staff::sign_in(&clinic.app, &clinic.sign_in_token(OKAFOR, NOW.plus(60)))
        .await
        .unwrap();
    let secret = signed.cookie.split_once('.').unwrap().1;
    let elsewhere = format!("harbour-road.{secret}");
    for cookie in ["", ".", "cedar-street", "cedar-street.", secret, &elsewhere] {
        assert_eq!(staff::session(&clinic.app, cookie).await.unwrap(), None, "{cookie}");
        staff::sign_out(&clinic.app, cookie).await.unwrap();
    }
    assert!(staff::session(&clinic.app, &signed.cookie).await.unwrap().is_some());
}
