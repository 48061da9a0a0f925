use crate::doors::{Call, Clinic, PUBLIC, get, post};
use heliograph_domain::visit::Visit;
use serde_json::{Value, json};

/// A booking of the demo's physician and first patient.
fn wish(visits: &[Visit], wall: &str, zone: &str) -> Value {
    let [host, patient] = [0, 1].map(|index| visits[0].participants[index].person);
    json!({
        "start": {"wall": wall, "zone": zone}, "duration_min": 30,
        "participants": [{"person": host, "role": "host"}, {"person": patient, "role": "patient"}]
    })
}

fn book(cookie: &str, key: &str, body: &Value) -> Call {
    post("/api/v1/visits")
        .cookie(cookie)
        .header("idempotency-key", key)
        .json(body)
}

#[tokio::test]
async fn a_visit_is_booked_by_wall_time_and_its_link_leads_to_it() {
    let clinic = Clinic::open().await;
    let (cookie, visits) = (clinic.scheduler().await, clinic.visits("cedar-street").await);
    let answer = clinic
        .send(book(
            &cookie,
            "k-1",
            &wish(&visits, "2027-02-02T08:00", "America/Los_Angeles"),
        ))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.header("idempotent-replay"), "");
    let visit = answer.json();
    assert_eq!(visit["start_s"], 1_801_584_000);
    assert_eq!(visit["end_s"], 1_801_584_000 + 1_800);
    assert_eq!(visit["status"], "booked");
    assert_eq!(visit["anchor_wall"], "2027-02-02T08:00");
    let patient = &visit["participants"][1];
    assert_eq!(patient["local"]["label"], "Tue 2027-02-02T19:00+0300");
    assert_eq!(patient["local"]["city"], "Riyadh");

    let links = visit["links"].as_array().unwrap();
    assert_eq!(links.len(), 1, "the host signs in");
    assert_eq!(links[0]["participant"], patient["participant"]);
    let url = links[0]["url"].as_str().unwrap();
    let token = url.strip_prefix(&format!("{PUBLIC}/v/#")).unwrap();
    let peek = clinic
        .send(post("/api/v1/links/peek").json(&json!({"token": token})))
        .await;
    assert_eq!(peek.json()["start_s"], visit["start_s"]);

    let path = format!("/api/v1/visits/{}", visit["id"].as_str().unwrap());
    let one = clinic.send(get(&path).cookie(&cookie)).await.json();
    assert_eq!(one["participants"], visit["participants"]);
    assert!(one.get("links").is_none(), "links are told once");
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_answer() {
    let clinic = Clinic::open().await;
    let (cookie, visits) = (clinic.scheduler().await, clinic.visits("cedar-street").await);
    let body = wish(&visits, "2027-02-02T08:00", "America/Los_Angeles");
    let first = clinic.send(book(&cookie, "k-1", &body)).await;
    // The same request in another spelling.
    let spelt = book(&cookie, "k-1", &body).text(&serde_json::to_string_pretty(&body).unwrap());
    let again = clinic.send(spelt).await;
    assert_eq!(
        (again.status, again.header("idempotent-replay")),
        (first.status, "true")
    );
    assert_eq!(again.json(), first.json());
    assert_eq!(clinic.visits("cedar-street").await.len(), visits.len() + 1);

    let mut other = body.clone();
    other["duration_min"] = json!(25);
    clinic
        .send(book(&cookie, "k-1", &other))
        .await
        .problem(422, "idempotency_key_reused");
    // Keys belong to their caller.
    let physician = clinic.physician().await;
    clinic
        .send(book(&physician, "k-1", &body))
        .await
        .problem(409, "slot_taken");
}

#[tokio::test]
async fn a_booking_without_a_usable_key_is_refused() {
    let clinic = Clinic::open().await;
    let (cookie, visits) = (clinic.scheduler().await, clinic.visits("cedar-street").await);
    let body = wish(&visits, "2027-02-02T08:00", "America/Los_Angeles");
    let without = post("/api/v1/visits").cookie(&cookie).json(&body);
    clinic.send(without).await.problem(400, "idempotency_key_missing");
    for bad in ["", "has space", "späte", &"k".repeat(129)] {
        clinic
            .send(book(&cookie, bad, &body))
            .await
            .problem(400, "idempotency_key_missing");
    }
    assert_eq!(clinic.send(book(&cookie, &"k".repeat(128), &body)).await.status, 201);
}

#[tokio::test]
async fn a_time_that_is_shown_twice_or_never_is_asked_back_with_both_candidates() {
    let clinic = Clinic::open().await;
    let (cookie, visits) = (clinic.scheduler().await, clinic.visits("cedar-street").await);
    let zone = "America/New_York";

    let mut body = wish(&visits, "2027-11-07T01:30", zone);
    let problem = clinic
        .send(book(&cookie, "k-1", &body))
        .await
        .problem(422, "wall_time_ambiguous");
    assert_eq!(
        problem["candidates"],
        json!([
            {"choose": "first", "start_s": 1_825_565_400, "offset_s": -14_400, "label": "Sun 2027-11-07T01:30-0400"},
            {"choose": "second", "start_s": 1_825_569_000, "offset_s": -18_000, "label": "Sun 2027-11-07T01:30-0500"}
        ])
    );
    body["start"]["choose"] = json!("second");
    assert_eq!(
        clinic.send(book(&cookie, "k-2", &body)).await.json()["start_s"],
        1_825_569_000
    );

    let mut body = wish(&visits, "2027-03-14T02:30", zone);
    let problem = clinic
        .send(book(&cookie, "k-3", &body))
        .await
        .problem(422, "wall_time_missing");
    assert_eq!(problem["candidates"][0]["label"], "Sun 2027-03-14T01:30-0500");
    assert_eq!(problem["candidates"][1]["label"], "Sun 2027-03-14T03:30-0400");
    body["start"]["choose"] = json!("first");
    assert_eq!(
        clinic.send(book(&cookie, "k-4", &body)).await.json()["start_s"],
        1_805_005_800
    );
}

#[tokio::test]
async fn a_time_that_is_taken_is_answered_with_who_and_with_three_others() {
    let clinic = Clinic::open().await;
    let (cookie, visits) = (clinic.scheduler().await, clinic.visits("cedar-street").await);
    let body = wish(&visits, "2027-02-02T08:00", "America/Los_Angeles");
    assert_eq!(clinic.send(book(&cookie, "k-1", &body)).await.status, 201);
    let mut other = body.clone();
    other["participants"][1]["person"] = json!(visits[1].participants[1].person);
    let problem = clinic
        .send(book(&cookie, "k-2", &other))
        .await
        .problem(409, "slot_taken");
    assert_eq!(
        problem["conflicts"],
        json!([{"person": body["participants"][0]["person"]}])
    );
    let alternatives = problem["alternatives"].as_array().unwrap();
    assert_eq!(alternatives.len(), 3);
    assert_eq!(
        alternatives[0],
        json!({"start_s": 1_801_585_800, "label": "Tue 2027-02-02T08:30-0800"})
    );
}

#[tokio::test]
async fn wrong_fields_are_named() {
    let clinic = Clinic::open().await;
    let (cookie, visits) = (clinic.scheduler().await, clinic.visits("cedar-street").await);
    let good = wish(&visits, "2027-02-02T08:00", "America/Los_Angeles");
    for (pointer, value, field) in [
        ("/start/wall", json!("tomorrow"), "start.wall"),
        ("/start/zone", json!("Europe/Zurch"), "start.zone"),
        ("/start/choose", json!("third"), "start.choose"),
        ("/duration_min", json!(7), "duration_min"),
        ("/duration_min", json!("long"), "duration_min"),
        ("/participants/1/role", json!("doctor"), "participants[1].role"),
        ("/participants/1/person", json!("nobody"), "participants[1].person"),
        ("/participants", json!([]), "participants"),
        ("/colour", json!("red"), "colour"),
    ] {
        let mut body = good.clone();
        match body.pointer_mut(pointer) {
            Some(place) => *place = value,
            None if pointer == "/colour" => body["colour"] = value,
            None => body["start"]["choose"] = value,
        }
        let problem = clinic
            .send(book(&cookie, "k", &body))
            .await
            .problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        assert!(problem["detail"].as_str().unwrap().starts_with(field), "{problem}");
    }
    let mut body = good;
    body.as_object_mut().unwrap().remove("start");
    let problem = clinic
        .send(book(&cookie, "k", &body))
        .await
        .problem(422, "invalid_request");
    assert_eq!(problem["errors"][0]["field"], "start");
}

#[tokio::test]
async fn only_staff_with_the_right_role_book() {
    let clinic = Clinic::open().await;
    let visits = clinic.visits("cedar-street").await;
    let body = wish(&visits, "2027-02-02T08:00", "America/Los_Angeles");
    clinic.send(book("", "k", &body)).await.problem(401, "unauthorized");
    let device = clinic
        .send(post("/api/v1/links/redeem").json(&json!({"token": clinic.demo.patients[0].token})))
        .await;
    clinic
        .send(book(&device.cookie(), "k", &body))
        .await
        .problem(401, "unauthorized");
    let interpreter = clinic.interpreter().await;
    clinic
        .send(book(&interpreter, "k", &body))
        .await
        .problem(403, "forbidden");
}

#[tokio::test]
async fn a_patient_gets_no_role_of_staff_and_nobody_books_years_ahead() {
    let clinic = Clinic::open().await;
    let (cookie, visits) = (clinic.scheduler().await, clinic.visits("cedar-street").await);
    let wish = wish(&visits, "2027-02-02T08:00", "America/Los_Angeles");
    let patient = &visits[1].participants[1];
    for role in ["host", "staff", "interpreter"] {
        let mut body = wish.clone();
        let people = body["participants"].as_array_mut().unwrap();
        people.push(json!({"person": patient.person, "role": role}));
        let answer = clinic.send(book(&cookie, role, &body)).await;
        let errors = answer.problem(422, "invalid_request")["errors"].clone();
        assert_eq!(errors.as_array().unwrap().len(), 1, "{errors}");
        assert_eq!(errors[0]["field"], "participants[2].role");
        let message = errors[0]["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!("must not be {role}, since the person")),
            "{message}"
        );
    }
    assert_eq!(clinic.visits("cedar-street").await.len(), visits.len());

    let mut far = wish.clone();
    far["start"]["wall"] = json!("2032-03-01T08:00");
    let answer = clinic.send(book(&cookie, "far", &far)).await;
    let errors = answer.problem(422, "invalid_request")["errors"].clone();
    assert_eq!(
        errors,
        json!([{"field": "start.wall", "message": "must lie within the next five years"}])
    );
    let mut beyond = wish.clone();
    beyond["start"]["wall"] = json!("9999-12-31T23:55");
    let answer = clinic.send(book(&cookie, "beyond", &beyond)).await;
    let errors = answer.problem(422, "invalid_request")["errors"].clone();
    assert!(
        errors[0]["message"].as_str().unwrap().contains("years 1 to 9998"),
        "{errors}"
    );
    let mut ahead = wish;
    ahead["start"]["wall"] = json!("2031-12-31T08:00");
    assert_eq!(clinic.send(book(&cookie, "ahead", &ahead)).await.status, 201);
}
