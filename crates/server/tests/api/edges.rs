//! What holds for every route.

use crate::doors::{Clinic, PUBLIC, call, get, post};
use axum::http::Method;
use serde_json::json;

const CHANGING: [(Method, &str); 6] = [
    (Method::POST, "/api/v1/session"),
    (Method::DELETE, "/api/v1/session"),
    (Method::POST, "/api/v1/visits"),
    (Method::POST, "/api/v1/links/peek"),
    (Method::POST, "/api/v1/links/redeem"),
    (Method::POST, "/api/v1/visits/01890a5d-ac96-774b-bcce-b302099a8057/seat"),
];

#[tokio::test]
async fn pages_of_other_sites_can_change_nothing() {
    let clinic = Clinic::open().await;
    for (method, path) in CHANGING {
        for headers in [
            vec![("origin", "https://evil.example")],
            vec![("origin", "null")],
            vec![("sec-fetch-site", "cross-site")],
        ] {
            let mut asked = call(method.clone(), path)
                .header("host", "visits.example.org")
                .json(&json!({}));
            for (name, value) in headers {
                asked = asked.header(name, value);
            }
            clinic.send(asked).await.problem(403, "foreign_origin");
        }
        for origin in [PUBLIC, "https://desk.example.org", "https://inner.example"] {
            let asked = call(method.clone(), path)
                .header("host", "inner.example")
                .header("origin", origin);
            assert_ne!(clinic.send(asked.json(&json!({}))).await.status, 403, "{path} {origin}");
        }
    }
}

#[tokio::test]
async fn sockets_open_for_pages_of_ours_and_for_our_protocol_only() {
    let clinic = Clinic::open().await;
    let socket = || {
        get("/ws")
            .header("host", "visits.example.org")
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    };
    clinic
        .send(socket().header("origin", "https://evil.example"))
        .await
        .problem(403, "foreign_origin");
    clinic
        .send(get("/ws").header("origin", PUBLIC))
        .await
        .problem(400, "bad_upgrade");
    clinic.send(get("/ws")).await.problem(400, "bad_upgrade");
}

#[tokio::test]
async fn every_answer_carries_what_browsers_must_know() {
    let clinic = Clinic::open().await;
    for path in [
        "/v/",
        "/desk/",
        "/",
        "/api/v1/session",
        "/nowhere",
        "/healthz",
        "/metrics",
    ] {
        let answer = clinic.send(get(path)).await;
        let csp = answer.header("content-security-policy");
        for part in [
            "default-src 'self'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(csp.contains(part), "{path}: {csp}");
        }
        assert!(!csp.contains("unsafe"));
        assert_eq!(answer.header("permissions-policy"), "camera=(self), microphone=(self)");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(answer.header("strict-transport-security").starts_with("max-age="));
        assert!(!answer.header("cache-control").is_empty(), "{path}");
    }
    assert_eq!(
        clinic.send(get("/api/v1/session")).await.header("cache-control"),
        "no-store"
    );
}

#[tokio::test]
async fn the_id_of_a_request_comes_back_in_header_and_body() {
    let clinic = Clinic::open().await;
    let answer = clinic
        .send(get("/api/v1/session").header("x-request-id", "proxy-17_a"))
        .await;
    assert_eq!(answer.problem(401, "unauthorized")["request_id"], "proxy-17_a");
    for bad in ["has space", "", "semi;colon", &"a".repeat(65)] {
        let answer = clinic.send(get("/healthz").header("x-request-id", bad)).await;
        assert_eq!(answer.header("x-request-id").len(), 16, "{bad:?}");
    }
    let ids = [clinic.send(get("/healthz")).await, clinic.send(get("/healthz")).await];
    assert_ne!(ids[0].header("x-request-id"), ids[1].header("x-request-id"));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let clinic = Clinic::open().await;
    for path in [
        "/api",
        "/api/v1",
        "/api/v1/nope",
        "/api/v2/session",
        "/visit.html",
        "/assets/nope.js",
        "/../Cargo.toml",
    ] {
        clinic.send(get(path)).await.problem(404, "not_found");
    }
    for (method, path) in [
        (Method::PUT, "/api/v1/session"),
        (Method::POST, "/healthz"),
        (Method::DELETE, "/api/v1/visits"),
    ] {
        let answer = clinic.send(call(method, path)).await;
        answer.problem(405, "method_not_allowed");
        assert!(!answer.header("allow").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn bodies_are_json_within_the_limit() {
    let clinic = Clinic::open().await;
    let cookie = clinic.scheduler().await;
    for (method, path) in CHANGING.into_iter().filter(|(method, _)| method == Method::POST) {
        let asked = || {
            call(method.clone(), path)
                .cookie(&cookie)
                .header("idempotency-key", "k")
        };
        clinic.send(asked()).await.problem(415, "unsupported_media_type");
        clinic.send(asked().text("{")).await.problem(400, "bad_json");
        clinic.send(asked().text("")).await.problem(400, "bad_json");
        clinic.send(asked().text("[]")).await.problem(422, "invalid_request");
        let unknown = clinic
            .send(asked().json(&json!({"colour": 1})))
            .await
            .problem(422, "invalid_request");
        assert_eq!(unknown["errors"][0]["field"], "colour");
        let long = json!({"token": "x".repeat(64 * 1024)}).to_string();
        clinic.send(asked().text(&long)).await.problem(413, "too_large");
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_told_without_its_cause() {
    let clinic = Clinic::open().await;
    let cookie = clinic.scheduler().await;
    clinic.service.store.close().await;
    let answer = clinic.send(get("/api/v1/session").cookie(&cookie)).await;
    let problem = answer.problem(503, "store_unavailable");
    assert!(!problem.to_string().to_lowercase().contains("pool"), "{problem}");
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(
        clinic.send(get("/healthz")).await.status,
        200,
        "no reason to restart the process"
    );
    let ready = clinic.send(get("/readyz")).await;
    assert_eq!(ready.status, 503);
    assert_eq!(
        ready.json()["checks"][0],
        json!({"name": "database", "ok": false, "detail": "can't be reached"})
    );
}

#[tokio::test]
async fn a_service_that_stops_is_not_ready() {
    let clinic = Clinic::open().await;
    let ready = clinic.send(get("/readyz")).await;
    assert_eq!(
        (ready.status.as_u16(), ready.json()["ready"].as_bool()),
        (200, Some(true)),
        "{}",
        ready.text
    );
    clinic.stop.cancel();
    let ready = clinic.send(get("/readyz")).await;
    assert_eq!(
        (ready.status.as_u16(), ready.json()["ready"].as_bool()),
        (503, Some(false))
    );
}

#[tokio::test]
async fn figures_and_the_description_are_served() {
    let clinic = Clinic::open().await;
    let figures = clinic.send(get("/metrics")).await;
    assert!(figures.header("content-type").starts_with("text/plain"));
    let described = clinic.send(get("/api/v1/openapi.json")).await;
    assert_eq!(described.text, heliograph_http::openapi_json());
}

#[tokio::test]
async fn the_root_leads_to_the_desk() {
    let clinic = Clinic::open().await;
    let answer = clinic.send(get("/")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (307, "/desk/"));
    assert_eq!(clinic.send(get("/v")).await.header("location"), "/v/");
    assert_ne!(clinic.send(post("/v/")).await.status, 200);
}
