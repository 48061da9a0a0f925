use crate::clinic::{AL_HARBI, Clinic, NOW, OKAFOR, SANTOS, START, keys, no_cookies, visit};
use heliograph_access::link::{self, LinkScope};
use heliograph_app::Coded;
use heliograph_app::booking::{Booked, Link};
use heliograph_app::links::{self, DeviceCookies, LinkError, Peek, Redeemed};
use heliograph_domain::{ParticipantId, Role, UnixMillis, VisitId};

/// Redeems the link on a new device, and gives its cookies.
async fn redeem(clinic: &Clinic, link: &Link) -> DeviceCookies {
    let redeemed = links::redeem(&clinic.app, &link.token, &no_cookies()).await.unwrap();
    cookies(&redeemed)
}

fn cookies(redeemed: &Redeemed) -> DeviceCookies {
    let value = redeemed.cookie.as_ref().expect("a new device").reveal().to_owned();
    DeviceCookies::from([(redeemed.link.participant, value)])
}

async fn peek(clinic: &Clinic, token: &str) -> Result<Peek, LinkError> {
    links::peek(&clinic.app, token, &no_cookies()).await
}

#[tokio::test]
async fn a_look_tells_when_and_where_but_not_who() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    let Peek::No(seen) = peek(&clinic, &booked.links[0].token).await.unwrap() else {
        panic!()
    };
    assert_eq!(seen.institution_name, "Cedar Street Clinic");
    assert_eq!(seen.help_phone.as_deref(), Some("+1 323 555 0142"));
    assert_eq!((seen.start_s, seen.now_ms), (START, NOW.millis()));
    assert_eq!(seen.opens_ms, START.plus(-1_800).millis());
    assert_eq!(seen.local.label, "Tue 2026-12-01T19:00+0300");
    assert_eq!(seen.clinic.label, "Tue 2026-12-01T08:00-0800");

    let json = serde_json::to_value(peek(&clinic, &booked.links[0].token).await.unwrap()).unwrap();
    assert_eq!((&json["bound"], &json["status"]), (&"no".into(), &"booked".into()));
    for name in ["Maryam", "Harbi", "Amara", "Okafor"] {
        assert!(!json.to_string().contains(name), "{json}");
    }
}

#[tokio::test]
async fn looking_changes_nothing() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    for _ in 0..20 {
        assert!(matches!(peek(&clinic, &booked.links[0].token).await, Ok(Peek::No(_))));
    }
    let audit = clinic.store.audit_of(&clinic.cedar, booked.visit.id).await.unwrap();
    assert_eq!(audit.len(), 1);
}

#[tokio::test]
async fn the_device_that_redeemed_a_link_may_repeat_it() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    let link = &booked.links[0];
    let first = links::redeem(&clinic.app, &link.token, &no_cookies()).await.unwrap();
    assert_eq!(
        (first.link.visit, first.link.participant),
        (booked.visit.id, link.participant)
    );
    assert_eq!(
        (first.link.name.reveal().as_str(), first.link.role),
        ("Maryam Al-Harbi", Role::Patient)
    );
    assert_eq!(
        (first.link.language.as_str(), first.link.zone.name()),
        ("ar", "Asia/Riyadh")
    );

    let device = cookies(&first);
    let again = links::redeem(&clinic.app, &link.token, &device).await.unwrap();
    assert_eq!((&again.link, again.cookie.is_none()), (&first.link, true));
    assert!(matches!(
        links::peek(&clinic.app, &link.token, &device).await,
        Ok(Peek::Here(_))
    ));

    let audit = clinic.store.audit_of(&clinic.cedar, booked.visit.id).await.unwrap();
    let actions: Vec<&str> = audit.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(actions, ["visit_booked", "link_redeemed"]);
}

#[tokio::test]
async fn a_second_device_learns_nothing_and_is_refused() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    let link = &booked.links[0];
    let first = redeem(&clinic, link).await;
    let wrong = DeviceCookies::from([(link.participant, "made-up".to_owned())]);
    for device in [no_cookies(), wrong] {
        let error = links::redeem(&clinic.app, &link.token, &device).await.unwrap_err();
        assert_eq!(error.code(), "other_device");
        let seen = links::peek(&clinic.app, &link.token, &device).await.unwrap();
        assert_eq!(serde_json::to_string(&seen).unwrap(), r#"{"bound":"elsewhere"}"#);
    }
    assert!(links::redeem(&clinic.app, &link.token, &first).await.is_ok());
}

#[tokio::test]
async fn of_many_devices_at_once_one_is_bound() {
    let clinic = Clinic::open().await;
    let token = clinic.booked().await.links[0].token.clone();
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let (app, token) = (clinic.app.clone(), token.clone());
            tokio::spawn(async move { links::redeem(&app, &token, &DeviceCookies::new()).await })
        })
        .collect();
    let mut bound = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(redeemed) => bound += usize::from(redeemed.cookie.is_some()),
            Err(error) => assert_eq!(error.code(), "other_device"),
        }
    }
    assert_eq!(bound, 1);
}

fn forged(booked: &Booked, clinic: &Clinic) -> Vec<String> {
    let (visit, participant) = (booked.visit.id, booked.links[0].participant);
    let other_visit = VisitId::from_parts(UnixMillis(1), &[9; 10]);
    let nobody = ParticipantId::from_parts(UnixMillis(1), &[9; 10]);
    let scope = LinkScope {
        institution: &clinic.cedar,
        visit,
        participant,
        generation: 0,
    };
    let strangers = heliograph_access::Keys::new(heliograph_access::Secret::new(vec![8; 32]).unwrap(), Vec::new());
    let genuine = &booked.links[0].token;
    vec![
        link::mint(
            &keys(),
            &LinkScope {
                institution: &clinic.harbour,
                ..scope.clone()
            },
        ),
        link::mint(
            &keys(),
            &LinkScope {
                visit: other_visit,
                ..scope.clone()
            },
        ),
        link::mint(
            &keys(),
            &LinkScope {
                participant: nobody,
                ..scope.clone()
            },
        ),
        // A newer or an older generation than the one that counts.
        link::mint(
            &keys(),
            &LinkScope {
                generation: 1,
                ..scope.clone()
            },
        ),
        link::mint(&strangers, &scope),
        genuine[..64].to_owned(),
        genuine.to_owned() + "A",
        String::new(),
        "é".repeat(40),
    ]
}

#[tokio::test]
async fn forged_outdated_and_malformed_links_are_unknown() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    for token in forged(&booked, &clinic) {
        assert_eq!(
            peek(&clinic, &token).await.unwrap_err().code(),
            "link_unknown",
            "{token}"
        );
        let redeemed = links::redeem(&clinic.app, &token, &no_cookies()).await;
        assert_eq!(redeemed.unwrap_err().code(), "link_unknown", "{token}");
    }
    assert!(peek(&clinic, &booked.links[0].token).await.is_ok());
}

#[tokio::test]
async fn a_link_is_good_until_an_hour_after_the_end() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    let device = redeem(&clinic, &booked.links[0]).await;
    let participant = booked.links[0].participant;
    let end = booked.visit.end_s.plus(3_600);
    for (now, good) in [(end.plus(-1), true), (end, false)] {
        clinic.clock.set(now);
        assert_eq!(
            links::peek(&clinic.app, &booked.links[0].token, &device).await.is_ok(),
            good
        );
    }
    // A device that came in before may come back to a visit that runs over: whether it does, its room knows.
    let latest = booked.visit.end_s.plus(links::OVERRUN_S);
    for (now, good) in [(latest.plus(-1), true), (latest, false)] {
        clinic.clock.set(now);
        let guest = links::device(&clinic.app, participant, &device[&participant])
            .await
            .unwrap();
        assert_eq!(guest.is_some(), good);
    }
}

#[tokio::test]
async fn a_device_stands_for_the_participant_whose_link_it_redeemed_and_no_other() {
    let clinic = Clinic::open().await;
    let people = [(OKAFOR, "host"), (AL_HARBI, "patient"), (SANTOS, "guest")];
    let booked = clinic.book(&visit("2026-12-01T08:00", &people)).await.unwrap();
    let [maryam, jun] = [booked.links[0].participant, booked.links[1].participant];
    let device = redeem(&clinic, &booked.links[0]).await;
    redeem(&clinic, &booked.links[1]).await;

    let guest = links::device(&clinic.app, maryam, &device[&maryam])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (guest.institution, guest.visit.id, guest.participant.id),
        (clinic.cedar.clone(), booked.visit.id, maryam)
    );
    assert!(
        links::device(&clinic.app, jun, &device[&maryam])
            .await
            .unwrap()
            .is_none()
    );
    assert!(links::device(&clinic.app, maryam, "").await.unwrap().is_none());
    let nobody = ParticipantId::from_parts(UnixMillis(1), &[9; 10]);
    assert!(
        links::device(&clinic.app, nobody, &device[&maryam])
            .await
            .unwrap()
            .is_none()
    );
}
