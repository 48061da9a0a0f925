use crate::doors::{Clinic, call, get, post};
use axum::http::Method;
use serde_json::json;

#[tokio::test]
async fn a_sign_in_link_opens_a_session_that_ends_by_signing_out() {
    let clinic = Clinic::open().await;
    let answer = clinic
        .send(post("/api/v1/session").json(&json!({"token": clinic.demo.physician.token})))
        .await;
    assert_eq!(answer.status, 204);
    let line = answer.header("set-cookie");
    assert!(line.starts_with("__Host-hg_staff="), "{line}");
    for attribute in ["Path=/", "HttpOnly", "Secure", "SameSite=Strict", "Max-Age=43200"] {
        assert!(line.contains(attribute), "{line}");
    }

    let cookie = answer.cookie();
    let who = clinic.send(get("/api/v1/session").cookie(&cookie)).await;
    assert_eq!(
        who.json(),
        json!({
            "institution": "cedar-street", "institution_name": "Cedar Street Clinic", "name": "Dr Amara Okafor",
            "person": clinic.demo.physician.person, "roles": ["physician"], "zone": "America/Los_Angeles", "language": "en"
        })
    );

    let out = clinic
        .send(call(Method::DELETE, "/api/v1/session").cookie(&cookie))
        .await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    let who = clinic.send(get("/api/v1/session").cookie(&cookie)).await;
    who.problem(401, "unauthorized");
}

#[tokio::test]
async fn nobody_can_sign_out_too() {
    let clinic = Clinic::open().await;
    assert_eq!(clinic.send(call(Method::DELETE, "/api/v1/session")).await.status, 204);
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let clinic = Clinic::open().await;
    let cookie = clinic.scheduler().await;
    clinic.clock.forward(12 * 3_600);
    clinic
        .send(get("/api/v1/session").cookie(&cookie))
        .await
        .problem(401, "unauthorized");
}

#[tokio::test]
async fn what_is_no_session_is_unauthorized() {
    let clinic = Clinic::open().await;
    for cookie in [
        "",
        "__Host-hg_staff=",
        "__Host-hg_staff=x",
        "__Host-hg_staff=cedar-street.x",
        "hg_staff=x",
    ] {
        clinic
            .send(get("/api/v1/session").cookie(cookie))
            .await
            .problem(401, "unauthorized");
    }
}

#[tokio::test]
async fn what_is_no_sign_in_link_is_refused() {
    let clinic = Clinic::open().await;
    let good = &clinic.demo.physician.token;
    for token in ["", "x", &good[1..], &format!("{good}x"), &clinic.demo.patients[0].token] {
        let answer = clinic
            .send(post("/api/v1/session").json(&json!({"token": token})))
            .await;
        answer.problem(401, "unauthorized");
    }
    clinic.clock.forward(31 * 86_400);
    let answer = clinic.send(post("/api/v1/session").json(&json!({"token": good}))).await;
    answer.problem(401, "unauthorized");
}
