//! Calling a visit off, making a link void, and how far a page is.

use crate::doors::{Answer, Clinic, PUBLIC, get, post};
use crate::socket::{Socket, close_code, hello, next, open};
use futures::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

async fn redeem(clinic: &Clinic, token: &str) -> (Value, String) {
    let answer = clinic
        .send(post("/api/v1/links/redeem").json(&json!({"token": token})))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    (answer.json(), answer.cookie())
}

async fn cancel(clinic: &Clinic, cookie: &str, visit: &str, body: Value) -> Answer {
    let path = format!("/api/v1/visits/{visit}/cancel");
    clinic.send(post(&path).cookie(cookie).json(&body)).await
}

async fn revoke(clinic: &Clinic, cookie: &str, visit: &Value, participant: &Value) -> Answer {
    let (visit, participant) = (visit.as_str().unwrap(), participant.as_str().unwrap());
    let path = format!("/api/v1/visits/{visit}/participants/{participant}/revoke");
    clinic.send(post(&path).cookie(cookie)).await
}

/// The first patient, in the waiting room.
async fn waits(clinic: &Clinic) -> (Value, Value, Socket) {
    let mut socket = open(clinic.listen().await, &[]).await.unwrap();
    let hello = hello(clinic).await;
    socket.send(Message::text(hello.to_string())).await.unwrap();
    let welcome = next(&mut socket, "welcome").await;
    next(&mut socket, "snapshot").await;
    (hello, welcome, socket)
}

#[tokio::test]
async fn who_waits_hears_that_the_visit_was_called_off_and_is_shown_out() {
    let clinic = Clinic::open().await;
    let (hello, _, mut socket) = waits(&clinic).await;
    let scheduler = clinic.scheduler().await;
    let answer = cancel(
        &clinic,
        &scheduler,
        hello["visit"].as_str().unwrap(),
        json!({"reason": "The physician is ill", "version": 0}),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let visit = answer.json();
    assert_eq!(
        (visit["status"].as_str(), &visit["sequence"], &visit["version"]),
        (Some("cancelled"), &json!(1), &json!(1))
    );
    assert!(!answer.text.contains("ill"), "the reason is for the records");
    let notice = next(&mut socket, "notice").await;
    assert_eq!(notice["kind"], "cancelled");
    assert!(notice["session"].as_str().unwrap().starts_with("o:"));
    assert_eq!(close_code(&mut socket).await, Some(4101));

    let peeked = post("/api/v1/links/peek").json(&json!({"token": clinic.demo.patients[0].token}));
    assert_eq!(clinic.send(peeked).await.json(), json!({"bound": "elsewhere"}));
    let seat = format!("/api/v1/visits/{}/seat", hello["visit"].as_str().unwrap());
    let physician = clinic.physician().await;
    clinic
        .send(post(&seat).cookie(&physician).json(&json!({})))
        .await
        .problem(410, "visit_cancelled");
}

#[tokio::test]
async fn a_visit_nobody_sits_in_is_called_off_and_its_row_is_done() {
    let clinic = Clinic::open().await;
    let visit = &clinic.visits("cedar-street").await[0];
    let scheduler = clinic.scheduler().await;
    let body = json!({"reason": "ill", "version": 0});
    let answer = cancel(&clinic, &scheduler, &visit.id.to_string(), body).await;
    assert_eq!(answer.status, 200);
    let store = &clinic.service.store;
    let now = visit.span.start;
    while !store.due_for_rooms(now, 9).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_cancellation_that_can_t_be_is_told_why() {
    let clinic = Clinic::open().await;
    let visits = clinic.visits("cedar-street").await;
    let (one, interpreted) = (visits[0].id.to_string(), visits[2].id.to_string());
    let (scheduler, physician) = (clinic.scheduler().await, clinic.physician().await);
    let good = json!({"reason": "ill", "version": 0});
    let path = format!("/api/v1/visits/{one}/cancel");
    clinic.send(post(&path).json(&good)).await.problem(401, "unauthorized");
    let foreign = post(&path)
        .cookie(&scheduler)
        .header("origin", "https://evil.example")
        .json(&good);
    clinic.send(foreign).await.problem(403, "foreign_origin");
    let interpreter = clinic.interpreter().await;
    let refused = cancel(&clinic, &interpreter, &interpreted, good.clone()).await;
    refused.problem(403, "forbidden");
    let refused = cancel(&clinic, &interpreter, &one, good.clone()).await;
    refused.problem(404, "not_found");
    let refused = cancel(&clinic, &physician, &one, json!({"reason": "ill", "version": 7})).await;
    refused.problem(409, "visit_changed");
    for (body, field) in [
        (json!({"reason": "", "version": 0}), "reason"),
        (json!({"reason": "x".repeat(501), "version": 0}), "reason"),
        (json!({"reason": "ill"}), "version"),
        (json!({"reason": "ill", "version": 0, "force": true}), "force"),
    ] {
        let problem = cancel(&clinic, &physician, &one, body)
            .await
            .problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    cancel(&clinic, &physician, "x", good.clone())
        .await
        .problem(404, "not_found");
    clinic.clock.forward(3 * 3_600);
    let refused = cancel(&clinic, &physician, &one, good).await;
    refused.problem(410, "too_late");
    let seen = clinic
        .send(get(&format!("/api/v1/visits/{one}")).cookie(&physician))
        .await;
    assert_eq!(seen.json()["status"], "booked");
}

#[tokio::test]
async fn a_link_that_was_revoked_holds_nobody_s_seat() {
    let clinic = Clinic::open().await;
    let (hello, welcome, mut socket) = waits(&clinic).await;
    let physician = clinic.physician().await;
    let answer = revoke(&clinic, &physician, &hello["visit"], &hello["seat"]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["participant"], hello["seat"]);
    assert_eq!(next(&mut socket, "notice").await["kind"], "revoked");
    assert_eq!(close_code(&mut socket).await, Some(4101));

    // Neither the secret of before brings the page back, nor the cookie of its device.
    let mut again = hello.clone();
    again["attempt"] = 2.into();
    again["secret"] = welcome["secret"].clone();
    again.as_object_mut().unwrap().remove("ticket");
    let mut socket = open(clinic.listen().await, &[]).await.unwrap();
    socket.send(Message::text(again.to_string())).await.unwrap();
    assert_eq!(next(&mut socket, "error").await["code"], "too_late");
    assert_eq!(close_code(&mut socket).await, Some(4101));
    let old = post("/api/v1/links/peek").json(&json!({"token": clinic.demo.patients[0].token}));
    clinic.send(old).await.problem(404, "link_unknown");

    let url = answer.json()["url"].as_str().unwrap().to_owned();
    let token = url.strip_prefix(&format!("{PUBLIC}/v/#")).unwrap();
    let (link, device) = redeem(&clinic, token).await;
    assert_eq!(link["participant"], hello["seat"]);
    let path = format!("/api/v1/visits/{}/seat", hello["visit"].as_str().unwrap());
    let seat = clinic.send(post(&path).cookie(&device).json(&json!({}))).await;
    assert_eq!(seat.status, 200, "{}", seat.text);
}

#[tokio::test]
async fn a_ticket_of_before_the_revocation_opens_nothing() {
    let clinic = Clinic::open().await;
    let hello = hello(&clinic).await;
    let scheduler = clinic.scheduler().await;
    let answer = revoke(&clinic, &scheduler, &hello["visit"], &hello["seat"]).await;
    assert_eq!(answer.status, 200);
    let mut socket = open(clinic.listen().await, &[]).await.unwrap();
    socket.send(Message::text(hello.to_string())).await.unwrap();
    assert_eq!(close_code(&mut socket).await, Some(4101));
}

#[tokio::test]
async fn links_are_revoked_by_those_who_may_and_only_where_there_is_one() {
    let clinic = Clinic::open().await;
    let visit = &clinic.visits("cedar-street").await[2];
    let (id, host) = (json!(visit.id), json!(visit.participants[0].id));
    let patient = json!(visit.participants[1].id);
    let interpreter = clinic.interpreter().await;
    revoke(&clinic, &interpreter, &id, &patient)
        .await
        .problem(403, "forbidden");
    revoke(&clinic, "", &id, &patient).await.problem(401, "unauthorized");
    let scheduler = clinic.scheduler().await;
    for participant in [
        host,
        json!("x"),
        json!(clinic.visits("cedar-street").await[0].participants[1].id),
    ] {
        revoke(&clinic, &scheduler, &id, &participant)
            .await
            .problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_page_reports_with_the_cookie_of_its_device() {
    let clinic = Clinic::open().await;
    let (link, device) = redeem(&clinic, &clinic.demo.patients[0].token).await;
    let path = format!("/api/v1/visits/{}/progress", link["visit"].as_str().unwrap());
    for progress in ["opened", "testing", "testing", "checked_in", "opened"] {
        let answer = clinic
            .send(post(&path).cookie(&device).json(&json!({"progress": progress})))
            .await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    }
    let opened = json!({"progress": "opened"});
    clinic
        .send(post(&path).json(&opened))
        .await
        .problem(401, "unauthorized");
    let physician = clinic.physician().await;
    clinic
        .send(post(&path).cookie(&physician).json(&opened))
        .await
        .problem(401, "unauthorized");
    let (other, _) = redeem(&clinic, &clinic.demo.patients[1].token).await;
    let others = format!("/api/v1/visits/{}/progress", other["visit"].as_str().unwrap());
    clinic
        .send(post(&others).cookie(&device).json(&opened))
        .await
        .problem(401, "unauthorized");
    let wrong = post(&path).cookie(&device).json(&json!({"progress": "waiting"}));
    clinic.send(wrong).await.problem(422, "invalid_request");
}
