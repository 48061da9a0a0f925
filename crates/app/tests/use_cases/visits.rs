use crate::clinic::{AL_HARBI, Clinic, HADDAD, KELLER, OKAFOR, RUIZ, SANTOS, START, visit};
use heliograph_app::{Coded, visits};

#[tokio::test]
async fn a_day_is_the_callers_own() {
    let clinic = Clinic::open().await;
    // 23:00 in Los Angeles is 08:00 of the next day in Zurich.
    let people = [(OKAFOR, "host"), (AL_HARBI, "patient"), (RUIZ, "interpreter")];
    let late = clinic.book(&visit("2026-12-01T23:00", &people)).await.unwrap().visit.id;
    let ids = |number: u8, day: &'static str| {
        let clinic = &clinic;
        async move {
            let caller = clinic.caller(number).await;
            let day = visits::day(&clinic.app, &caller, Some(day.parse().unwrap()))
                .await
                .unwrap();
            day.visits.iter().map(|visit| visit.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(ids(OKAFOR, "2026-12-01").await, [late]);
    assert_eq!(ids(OKAFOR, "2026-12-02").await, []);
    assert_eq!(ids(RUIZ, "2026-12-01").await, []);
    assert_eq!(ids(RUIZ, "2026-12-02").await, [late]);
}

#[tokio::test]
async fn without_a_day_it_is_today_and_the_viewers_zone_comes_first() {
    let clinic = Clinic::open().await;
    let people = [(OKAFOR, "host"), (RUIZ, "interpreter"), (SANTOS, "patient")];
    let id = clinic.book(&visit("2026-12-01T08:00", &people)).await.unwrap().visit.id;
    clinic.clock.set(START);
    let day = visits::day(&clinic.app, &clinic.caller(RUIZ).await, None)
        .await
        .unwrap();
    assert_eq!(
        (day.day.to_string().as_str(), day.zone.name()),
        ("2026-12-01", "Europe/Zurich")
    );
    assert_eq!((day.now_ms, day.tzdb_version.as_str()), (START.millis(), "2026f"));
    assert_eq!(day.visits.iter().map(|visit| visit.id).collect::<Vec<_>>(), [id]);
    assert_eq!(day.visits[0].local[0].label, "Tue 2026-12-01T17:00+0100");
    assert_eq!(day.visits[0].local[1].label, "Tue 2026-12-01T08:00-0800");
}

#[tokio::test]
async fn a_visit_is_seen_by_schedulers_and_by_those_who_take_part() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    for (number, sees) in [(HADDAD, true), (OKAFOR, true), (RUIZ, false), (KELLER, false)] {
        let caller = clinic.caller(number).await;
        let got = visits::get(&clinic.app, &caller, booked.visit.id).await;
        let day = visits::day(&clinic.app, &caller, Some("2026-12-01".parse().unwrap()))
            .await
            .unwrap();
        assert_eq!(day.visits.len(), usize::from(sees), "{number}");
        match got {
            Ok(visit) => assert_eq!((sees, &visit), (true, &booked.visit)),
            Err(error) => assert_eq!((sees, error.code()), (false, "not_found")),
        }
    }
}

#[tokio::test]
async fn the_json_has_the_names_that_clients_know() {
    let clinic = Clinic::open().await;
    let json = serde_json::to_value(clinic.booked().await.visit).unwrap();
    let keys = |value: &serde_json::Value| {
        let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys.join(" ")
    };
    assert_eq!(
        keys(&json),
        "anchor_wall anchor_zone end_s id local participants sequence service_name start_s status version"
    );
    assert_eq!(
        keys(&json["participants"][0]),
        "language local name participant person required role zone"
    );
    assert_eq!(keys(&json["local"][0]), "city label offset_s wall_end wall_start zone");
    assert_eq!(json["status"], "booked");
    assert_eq!(json["start_s"], START.0);
    assert_eq!(json["participants"][1]["name"], "Maryam Al-Harbi");
}
