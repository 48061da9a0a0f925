use crate::clinic::{Clinic, NOW, START, no_cookies};
use heliograph_app::demo::{self, Demo};
use heliograph_app::links::{self, Peek, PeekedVisit};
use heliograph_app::{staff, visits};

async fn peek(clinic: &Clinic, token: &str) -> PeekedVisit {
    match links::peek(&clinic.app, token, &no_cookies()).await.unwrap() {
        Peek::No(seen) => seen,
        other => panic!("{other:?}"),
    }
}

async fn starts(clinic: &Clinic, demo: &Demo) -> Vec<i64> {
    let mut starts = Vec::new();
    for door in demo.patients.iter().chain(&demo.interpreted) {
        starts.push(peek(clinic, &door.token).await.start_s.0 - NOW.0);
    }
    starts
}

#[tokio::test]
async fn the_demo_can_be_tried_at_once() {
    let clinic = Clinic::empty().await;
    clinic.clock.set(NOW.plus(61));
    let demo = demo::create(&clinic.app).await.unwrap();
    let names: Vec<&str> = demo
        .patients
        .iter()
        .chain(&demo.interpreted)
        .map(|door| door.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["Maryam Al-Harbi", "Jun Santos", "Maryam Al-Harbi", "Sofía Ruiz"]
    );
    assert_eq!(starts(&clinic, &demo).await, [600, 1_800, 7_800, 7_800]);
    for door in &demo.patients {
        let seen = peek(&clinic, &door.token).await;
        assert!(seen.opens_ms <= seen.now_ms, "both may wait now");
        assert_eq!(door.local, seen.local);
        assert!(door.path().starts_with("/v/#"));
    }
    let physician = staff::sign_in(&clinic.app, &demo.physician.token).await.unwrap().caller;
    assert_eq!(
        visits::day(&clinic.app, &physician, None).await.unwrap().visits.len(),
        3
    );
    let scheduler = staff::sign_in(&clinic.app, &demo.scheduler.token).await.unwrap().caller;
    assert_eq!(
        visits::day(&clinic.app, &scheduler, None).await.unwrap().visits.len(),
        3
    );
    let stranger = staff::sign_in(&clinic.app, &demo.stranger.token).await.unwrap().caller;
    let theirs = visits::day(&clinic.app, &stranger, None).await.unwrap();
    assert_eq!(theirs.visits.len(), 1);
    assert!(!serde_json::to_string(&theirs).unwrap().contains("Maryam"));
}

#[tokio::test]
async fn shortly_before_midnight_the_physician_sees_both_patients_all_the_same() {
    let clinic = Clinic::empty().await;
    // 23:52 in Los Angeles.
    clinic.clock.set(START.plus(15 * 3_600 + 52 * 60));
    let demo = demo::create(&clinic.app).await.unwrap();
    let physician = staff::sign_in(&clinic.app, &demo.physician.token).await.unwrap().caller;
    let seen = visits::day(&clinic.app, &physician, None).await.unwrap();
    let starts: Vec<String> = seen
        .visits
        .iter()
        .map(|visit| visit.local[0].wall_start.to_string())
        .collect();
    assert_eq!(starts, ["2026-12-02T00:00", "2026-12-02T00:20"]);
}

#[tokio::test]
async fn made_again_it_keeps_what_is_not_over_and_adds_what_is() {
    let clinic = Clinic::empty().await;
    let first = demo::create(&clinic.app).await.unwrap();
    let again = demo::create(&clinic.app).await.unwrap();
    let tokens = |demo: &Demo| {
        demo.patients
            .iter()
            .chain(&demo.interpreted)
            .map(|d| d.token.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(tokens(&first), tokens(&again));

    // Maryam's visit is over, Jun's is not: only hers is made anew, beside his.
    clinic.clock.set(NOW.plus(1_800));
    let later = demo::create(&clinic.app).await.unwrap();
    assert_ne!(later.patients[0].token, first.patients[0].token);
    assert_eq!(later.patients[1].token, first.patients[1].token);
    assert_eq!(starts(&clinic, &later).await, [2_700, 1_500, 7_500, 7_500]);

    clinic.clock.set(START);
    let tomorrow = demo::create(&clinic.app).await.unwrap();
    assert_eq!(starts(&clinic, &tomorrow).await, [86_700, 87_900, 93_900, 93_900]);
}

#[tokio::test]
async fn a_start_in_the_hour_that_the_clocks_show_twice_is_booked_all_the_same() {
    let clinic = Clinic::empty().await;
    // 2027-11-07T09:10Z, the second 01:10 of that day in Los Angeles.
    clinic.clock.set(heliograph_domain::UnixSeconds(1_825_578_600));
    let demo = demo::create(&clinic.app).await.unwrap();
    assert_eq!(peek(&clinic, &demo.patients[0].token).await.start_s.0, 1_825_578_900);
    assert_eq!(
        peek(&clinic, &demo.patients[0].token).await.clinic.label,
        "Sun 2027-11-07T01:15-0800"
    );
}
