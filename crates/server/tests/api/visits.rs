use crate::doors::{Clinic, get};
use serde_json::json;

#[tokio::test]
async fn the_list_is_of_a_day_in_the_callers_own_zone() {
    let clinic = Clinic::open().await;
    let cookie = clinic.scheduler().await;
    let today = clinic.send(get("/api/v1/visits").cookie(&cookie)).await;
    assert_eq!(today.status, 200);
    let today = today.json();
    assert_eq!(today["day"], "2027-02-01");
    assert_eq!(today["zone"], "America/Los_Angeles");
    assert_eq!(today["tzdb_version"], clinic.service.tzdb.version());
    assert_eq!(today["now_ms"], crate::doors::START_MS);
    let starts: Vec<_> = today["visits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|visit| visit["start_s"].as_i64())
        .collect();
    assert_eq!(starts.len(), 3);
    assert!(starts.is_sorted());
    assert!(today["visits"][0].get("room").is_none(), "nobody opened the room");

    let other = clinic
        .send(get("/api/v1/visits?day=2027-02-03").cookie(&cookie))
        .await
        .json();
    assert_eq!(
        (other["day"].as_str(), &other["visits"]),
        (Some("2027-02-03"), &json!([]))
    );
}

#[tokio::test]
async fn a_day_that_is_none_is_named() {
    let clinic = Clinic::open().await;
    let cookie = clinic.scheduler().await;
    for day in ["2027-02-30", "today", ""] {
        let answer = clinic
            .send(get(&format!("/api/v1/visits?day={day}")).cookie(&cookie))
            .await;
        assert_eq!(answer.problem(422, "invalid_request")["errors"][0]["field"], "day");
    }
    let answer = clinic.send(get("/api/v1/visits?date=2027-02-03").cookie(&cookie)).await;
    assert_eq!(
        answer.problem(422, "invalid_request")["detail"],
        "date: there is no such parameter; expected day"
    );
}

#[tokio::test]
async fn lists_and_visits_are_for_staff() {
    let clinic = Clinic::open().await;
    let id = clinic.visits("cedar-street").await[0].id;
    clinic.send(get("/api/v1/visits")).await.problem(401, "unauthorized");
    clinic
        .send(get(&format!("/api/v1/visits/{id}")))
        .await
        .problem(401, "unauthorized");
}

#[tokio::test]
async fn what_is_no_visit_is_not_found() {
    let clinic = Clinic::open().await;
    let cookie = clinic.scheduler().await;
    for id in ["01890a5d-ac96-774b-bcce-b302099a8057", "1", "not-an-id", "%00"] {
        clinic
            .send(get(&format!("/api/v1/visits/{id}")).cookie(&cookie))
            .await
            .problem(404, "not_found");
    }
}
