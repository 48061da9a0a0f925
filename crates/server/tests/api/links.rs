use crate::doors::{Clinic, get, post};
use serde_json::json;

const PEEK: &str = "/api/v1/links/peek";
const REDEEM: &str = "/api/v1/links/redeem";

#[tokio::test]
async fn a_link_tells_when_and_where_and_names_nobody() {
    let clinic = Clinic::open().await;
    let door = &clinic.demo.patients[0];
    let peek = clinic.send(post(PEEK).json(&json!({"token": door.token}))).await;
    assert_eq!(peek.status, 200);
    assert!(peek.headers.get("set-cookie").is_none());
    let body = peek.json();
    assert_eq!(body["bound"], "no");
    assert_eq!(body["institution_name"], "Cedar Street Clinic");
    assert_eq!(body["help_phone"], "+1 323 555 0142");
    assert_eq!(body["local"]["zone"], "Asia/Riyadh");
    assert_eq!(body["clinic"]["zone"], "America/Los_Angeles");
    assert_eq!(
        body["opens_ms"].as_i64().unwrap(),
        (body["start_s"].as_i64().unwrap() - 1_800) * 1000
    );
    for secret in ["Maryam", "Harbi", "Okafor", "Amara"] {
        assert!(!peek.text.contains(secret), "{}", peek.text);
    }
}

#[tokio::test]
async fn the_first_device_is_bound_and_others_learn_nothing() {
    let clinic = Clinic::open().await;
    let token = json!({"token": clinic.demo.patients[0].token});
    let first = clinic.send(post(REDEEM).json(&token)).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let body = first.json();
    assert_eq!(
        (body["name"].as_str(), body["role"].as_str()),
        (Some("Maryam Al-Harbi"), Some("patient"))
    );
    let line = first.header("set-cookie");
    let name = format!("__Host-hg_{}=", body["participant"].as_str().unwrap());
    assert!(
        line.starts_with(&name) && line.ends_with("Path=/; Max-Age=15552000; HttpOnly; Secure; SameSite=Strict"),
        "{line}"
    );

    let device = first.cookie();
    let again = clinic.send(post(REDEEM).cookie(&device).json(&token)).await;
    assert_eq!((again.status, again.json()), (first.status, body));
    assert!(again.headers.get("set-cookie").is_none());
    assert_eq!(
        clinic.send(post(PEEK).cookie(&device).json(&token)).await.json()["bound"],
        "here"
    );

    let other = clinic.send(post(PEEK).json(&token)).await;
    assert_eq!(other.json(), json!({"bound": "elsewhere"}));
    clinic
        .send(post(REDEEM).json(&token))
        .await
        .problem(401, "other_device");
    let forged = device.split('=').next().unwrap().to_owned() + "=AAAA";
    clinic
        .send(post(REDEEM).cookie(&forged).json(&token))
        .await
        .problem(401, "other_device");
}

#[tokio::test]
async fn what_is_no_link_is_unknown_whatever_is_wrong_with_it() {
    let clinic = Clinic::open().await;
    let good = clinic.demo.patients[0].token.clone();
    let other = &clinic.demo.patients[1].token;
    let mixed = format!("{}{}", &good[..22], &other[22..]);
    let mut answers = Vec::new();
    for token in [
        "",
        "x",
        &good[1..],
        &mixed,
        &"A".repeat(65),
        &clinic.demo.physician.token,
    ] {
        for path in [PEEK, REDEEM] {
            let answer = clinic.send(post(path).json(&json!({"token": token}))).await;
            let mut body = answer.problem(404, "link_unknown");
            body["request_id"] = json!(null);
            answers.push(body);
        }
    }
    assert!(
        answers.windows(2).all(|pair| pair[0] == pair[1]),
        "no answer tells more than another"
    );
    clinic.clock.forward(86_400);
    clinic
        .send(post(PEEK).json(&json!({"token": good})))
        .await
        .problem(404, "link_unknown");
}

#[tokio::test]
async fn a_hundred_looks_change_nothing_and_the_link_still_works() {
    let clinic = Clinic::open().await;
    let token = &clinic.demo.patients[0].token;
    let files = || {
        let mut files: Vec<_> = std::fs::read_dir(clinic.folder.path())
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension != "sqlite3-shm"));
        files.sort();
        files
            .into_iter()
            .map(|file| (std::fs::read(&file).unwrap(), file))
            .collect::<Vec<_>>()
    };
    let before = files();
    for turn in 0..100 {
        let method = if turn % 2 == 0 {
            axum::http::Method::GET
        } else {
            axum::http::Method::HEAD
        };
        let agent = ["Mozilla/5.0", "WhatsApp/2", "Slackbot-LinkExpanding 1.0", "SafeLinks"][turn % 4];
        for path in [
            "/v/",
            "/v",
            "/desk/",
            "/",
            PEEK,
            REDEEM,
            "/api/v1/session",
            "/api/v1/visits",
            "/healthz",
            "/readyz",
        ] {
            let path = format!("{path}?token={token}");
            let answer = clinic
                .send(crate::doors::call(method.clone(), &path).header("user-agent", agent))
                .await;
            assert!(answer.headers.get("set-cookie").is_none(), "{path}");
        }
    }
    assert!(before == files(), "the database is as it was");
    let redeemed = clinic.send(post(REDEEM).json(&json!({"token": token}))).await;
    assert_eq!(redeemed.status, 200);
}

#[tokio::test]
async fn links_are_posted_only() {
    let clinic = Clinic::open().await;
    for path in [PEEK, REDEEM] {
        let answer = clinic.send(get(path)).await;
        answer.problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), "POST");
    }
}

#[tokio::test]
async fn who_sends_many_wrong_links_has_to_wait_and_right_ones_from_there_pass() {
    let clinic = Clinic::open().await;
    let good = json!({"token": clinic.demo.patients[0].token});
    for turn in 0..100 {
        let path = [PEEK, REDEEM, "/api/v1/session"][turn % 3];
        assert_eq!(clinic.send(post(PEEK).json(&good)).await.status, 200);
        assert!(
            [401, 404].contains(
                &clinic
                    .send(post(path).json(&json!({"token": "x"})))
                    .await
                    .status
                    .as_u16()
            )
        );
    }
    let answer = clinic.send(post(PEEK).json(&json!({"token": "x"}))).await;
    answer.problem(429, "rate_limited");
    assert_eq!(answer.header("retry-after"), "1");

    // Whoever shares the address with the guesser comes in: by a link, with a device that is known, as staff.
    assert_eq!(clinic.send(post(PEEK).json(&good)).await.status, 200);
    let redeemed = clinic.send(post(REDEEM).json(&good)).await;
    assert_eq!(redeemed.status, 200, "{}", redeemed.text);
    let device = redeemed.cookie();
    let again = clinic.send(post(REDEEM).cookie(&device).json(&good)).await;
    assert_eq!(again.status, 200, "{}", again.text);
    clinic.scheduler().await;
    // Unknown ones all get the same answer, whatever is wrong with them.
    let mixed = format!(
        "{}{}",
        &clinic.demo.patients[0].token[..22],
        &clinic.demo.patients[1].token[22..]
    );
    for (path, token) in [(REDEEM, mixed.as_str()), ("/api/v1/session", "x"), (PEEK, "")] {
        let answer = clinic.send(post(path).json(&json!({"token": token}))).await;
        answer.problem(429, "rate_limited");
    }
}
