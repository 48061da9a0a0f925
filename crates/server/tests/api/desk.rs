//! The desk's socket over a real connection.

use crate::doors::{Clinic, get, post};
use crate::socket::{Socket, close_code, hello, next, open};
use futures::SinkExt;
use heliograph_domain::VisitId;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio_tungstenite::tungstenite::Message;

async fn ticket(clinic: &Clinic, cookie: &str) -> String {
    let answer = clinic.send(post("/api/v1/desk/ticket").cookie(cookie)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["expires_ms"], crate::doors::START_MS + 30_000);
    answer.json()["ticket"].as_str().unwrap().to_owned()
}

fn desk_hello(ticket: &str) -> Value {
    json!({"type": "hello", "desk": true, "session": "deskOfSomebody01", "attempt": 1, "ticket": ticket})
}

async fn say(clinic: &Clinic, hello: &Value) -> Socket {
    let mut socket = open(clinic.listen().await, &[]).await.unwrap();
    socket.send(Message::text(hello.to_string())).await.unwrap();
    socket
}

/// A desk with its snapshot: visits and how they stand.
async fn look(clinic: &Clinic, cookie: &str) -> (Socket, Vec<(Value, Value)>) {
    let mut socket = say(clinic, &desk_hello(&ticket(clinic, cookie).await)).await;
    let snapshot = next(&mut socket, "desk_snapshot").await;
    let rows = snapshot["visits"].as_array().unwrap();
    let rows = rows.iter().map(|row| (row["visit"].clone(), row["state"].clone()));
    (socket, rows.collect())
}

async fn refused(clinic: &Clinic, hello: &Value) -> (Value, Option<u16>) {
    let mut socket = say(clinic, hello).await;
    let error = next(&mut socket, "error").await;
    (error["code"].clone(), close_code(&mut socket).await)
}

async fn report(clinic: &Clinic, token: &str, progress: &str) -> Value {
    let redeemed = clinic
        .send(post("/api/v1/links/redeem").json(&json!({"token": token})))
        .await;
    let visit = redeemed.json()["visit"].clone();
    let path = format!("/api/v1/visits/{}/progress", visit.as_str().unwrap());
    let body = json!({"progress": progress});
    let answer = clinic.send(post(&path).cookie(&redeemed.cookie()).json(&body)).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    visit
}

fn ids(rows: &[(Value, Value)]) -> BTreeSet<VisitId> {
    let parse = |id: &Value| id.as_str().unwrap().parse().unwrap();
    rows.iter().map(|(id, _)| parse(id)).collect()
}

#[tokio::test]
async fn each_looks_at_their_own_visits_and_no_other_institution_hears() {
    let clinic = Clinic::open().await;
    let own = clinic.visits("cedar-street").await;
    let theirs = clinic.visits("harbour-road").await;
    let (mut desk, rows) = look(&clinic, &clinic.scheduler().await).await;
    assert_eq!(ids(&rows), own.iter().map(|visit| visit.id).collect());
    assert!(rows.iter().all(|(_, state)| state == "scheduled"));
    let (_interpreter, rows) = look(&clinic, &clinic.interpreter().await).await;
    assert_eq!(ids(&rows), BTreeSet::from([own[2].id]));
    let (mut stranger, rows) = look(&clinic, &clinic.stranger().await).await;
    assert_eq!(ids(&rows), BTreeSet::from([theirs[0].id]));

    let visit = report(&clinic, &clinic.demo.patients[0].token, "opened").await;
    let told = next(&mut desk, "desk").await;
    assert_eq!((&told["visit"], told["state"].as_str()), (&visit, Some("opened")));
    assert_eq!((&told["at"], &told["s"]), (&json!(crate::doors::START_MS), &json!(0)));
    let body = json!({"reason": "ill", "version": 0});
    let path = format!("/api/v1/visits/{}/cancel", theirs[0].id);
    let cancelled = post(&path).cookie(&clinic.stranger().await).json(&body);
    assert_eq!(clinic.send(cancelled).await.status, 200);
    // The first that the stranger hears is their own visit, and the scheduler hears the next of theirs.
    let told = next(&mut stranger, "desk").await;
    assert_eq!(
        (&told["visit"], told["state"].as_str()),
        (&json!(theirs[0].id), Some("ended"))
    );
    let visit = report(&clinic, &clinic.demo.patients[1].token, "opened").await;
    assert_eq!(next(&mut desk, "desk").await["visit"], visit);
}

#[tokio::test]
async fn a_visit_that_is_booked_or_called_off_appears_at_once() {
    let clinic = Clinic::open().await;
    let scheduler = clinic.scheduler().await;
    let (mut desk, rows) = look(&clinic, &scheduler).await;
    let people = &clinic.visits("cedar-street").await[0].participants;
    let book = |wall: &str| {
        post("/api/v1/visits")
            .cookie(&scheduler)
            .header("idempotency-key", wall)
            .json(&json!({
                "start": {"wall": wall, "zone": "America/Los_Angeles"}, "duration_min": 30,
                "participants": [{"person": people[0].person, "role": "host"}, {"person": people[1].person, "role": "patient"}]
            }))
    };
    // Tomorrow's are not shown.
    assert_eq!(clinic.send(book("2027-02-02T10:00")).await.status, 201);
    let booked = clinic.send(book("2027-02-01T20:00")).await.json();
    let told = next(&mut desk, "desk").await;
    assert_eq!(
        (&told["visit"], told["state"].as_str()),
        (&booked["id"], Some("scheduled"))
    );
    assert!(!rows.iter().any(|(id, _)| *id == booked["id"]));
    let path = format!("/api/v1/visits/{}/cancel", booked["id"].as_str().unwrap());
    let body = json!({"reason": "ill", "version": 0});
    clinic.send(post(&path).cookie(&scheduler).json(&body)).await;
    let told = next(&mut desk, "desk").await;
    assert_eq!((&told["visit"], told["state"].as_str()), (&booked["id"], Some("ended")));
    let (_, rows) = look(&clinic, &scheduler).await;
    assert!(
        rows.contains(&(booked["id"].clone(), json!("ended"))),
        "a new snapshot says the same"
    );
}

#[tokio::test]
async fn a_desk_only_listens() {
    let clinic = Clinic::open().await;
    let (mut desk, _) = look(&clinic, &clinic.physician().await).await;
    for text in [
        json!({"type": "end", "c": 1}).to_string(),
        json!({"type": "ack", "s": 1, "chain": "0123456789abcdef"}).to_string(),
    ] {
        desk.send(Message::text(text)).await.unwrap();
        assert_eq!(next(&mut desk, "error").await["code"], "forbidden");
    }
    desk.send(Message::text(desk_hello("x").to_string())).await.unwrap();
    assert_eq!(next(&mut desk, "error").await["code"], "bad_state");
    desk.send(Message::text(r#"{"type":"ping"}"#)).await.unwrap();
    assert_eq!(next(&mut desk, "pong").await["server_time_ms"], crate::doors::START_MS);
}

#[tokio::test]
async fn a_ticket_opens_one_desk_for_half_a_minute() {
    let clinic = Clinic::open().await;
    let physician = clinic.physician().await;
    let used = ticket(&clinic, &physician).await;
    let mut desk = say(&clinic, &desk_hello(&used)).await;
    next(&mut desk, "desk_snapshot").await;
    assert_eq!(
        refused(&clinic, &desk_hello(&used)).await,
        (json!("unauthorized"), Some(4100))
    );
    assert_eq!(
        refused(&clinic, &desk_hello("x.y")).await,
        (json!("unauthorized"), Some(4100))
    );
    let mut none = desk_hello("");
    none.as_object_mut().unwrap().remove("ticket");
    assert_eq!(refused(&clinic, &none).await, (json!("unauthorized"), Some(4100)));

    let patient = hello(&clinic).await;
    let seats = patient["ticket"].as_str().unwrap().to_owned();
    assert_eq!(
        refused(&clinic, &desk_hello(&seats)).await,
        (json!("unauthorized"), Some(4100))
    );
    let mut both = patient.clone();
    both["desk"] = true.into();
    assert_eq!(refused(&clinic, &both).await, (json!("bad_message"), Some(4100)));
    let mut seat = patient;
    seat["ticket"] = ticket(&clinic, &physician).await.into();
    assert_eq!(refused(&clinic, &seat).await, (json!("unauthorized"), Some(4100)));

    let old = ticket(&clinic, &physician).await;
    clinic.clock.forward(30);
    assert_eq!(
        refused(&clinic, &desk_hello(&old)).await,
        (json!("token_expired"), Some(4100))
    );
    clinic
        .send(post("/api/v1/desk/ticket"))
        .await
        .problem(401, "unauthorized");
    clinic
        .send(get("/api/v1/desk/ticket").cookie(&physician))
        .await
        .problem(405, "method_not_allowed");
}

#[tokio::test]
async fn signing_out_closes_the_desk_and_voids_its_tickets() {
    let clinic = Clinic::open().await;
    let (physician, scheduler) = (clinic.physician().await, clinic.scheduler().await);
    let (mut desk, _) = look(&clinic, &physician).await;
    let (mut other, _) = look(&clinic, &scheduler).await;
    let unused = ticket(&clinic, &physician).await;
    let out = crate::doors::call(axum::http::Method::DELETE, "/api/v1/session");
    assert_eq!(clinic.send(out.cookie(&physician)).await.status, 204);
    assert_eq!(close_code(&mut desk).await, Some(4100));
    assert_eq!(
        refused(&clinic, &desk_hello(&unused)).await,
        (json!("unauthorized"), Some(4100))
    );
    other.send(Message::text(r#"{"type":"ping"}"#)).await.unwrap();
    next(&mut other, "pong").await;
}

#[tokio::test]
async fn a_service_that_stops_tells_its_desks() {
    let clinic = Clinic::open().await;
    let (mut desk, _) = look(&clinic, &clinic.physician().await).await;
    clinic.stop.cancel();
    assert_eq!(next(&mut desk, "drain").await["restart"], true);
    assert_eq!(close_code(&mut desk).await, Some(4009));
}
