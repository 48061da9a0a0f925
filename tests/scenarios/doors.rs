//! Who gets in: tickets, secrets, links, origins.

use crate::{
    call::{Call, snapshot},
    service::{SOON, Service},
};
use anyhow::{Context, Result};
use heliograph_client::{Api, Ended, Visitor};
use heliograph_protocol::{CloseCode, ErrorCode, ServerMessage};
use reqwest::Method;
use serde_json::json;

async fn refused(visitor: &mut Visitor) -> Result<(ErrorCode, Option<CloseCode>)> {
    let code = visitor.until(SOON, |_, m| match m {
        ServerMessage::Error { code, .. } => Some(*code),
        _ => None,
    });
    Ok((code.await?, visitor.closed(SOON).await?))
}

#[tokio::test]
async fn a_ticket_works_once_for_its_own_seat() -> Result<()> {
    let service = Service::start().await?;
    let desk = service.physician().await?;
    let booked = service.book(&desk, &[("Maryam Al-Harbi", "patient")]).await?;
    let device = booked.device(&service, "patient").await?;
    let ticket = booked.ticket(&device).await?;
    let auth = (ErrorCode::Unauthorized, Some(CloseCode::Auth));

    let mut wrong_seat = Visitor::connect(&service.base, booked.page("host")?, Some(ticket.clone()), None).await?;
    assert_eq!(
        refused(&mut wrong_seat).await?,
        auth,
        "a patient's ticket opens no physician's seat"
    );
    let forged = format!("{}A", &ticket[..ticket.len() - 1]);
    let forged = if forged == ticket {
        format!("{}B", &ticket[..ticket.len() - 1])
    } else {
        forged
    };
    let mut forged = Visitor::connect(&service.base, booked.page("patient")?, Some(forged), None).await?;
    assert_eq!(refused(&mut forged).await?, auth);
    let mut none = Visitor::connect(&service.base, booked.page("patient")?, None, None).await?;
    assert_eq!(refused(&mut none).await?, auth);

    let mut good = Visitor::connect(&service.base, booked.page("patient")?, Some(ticket.clone()), None).await?;
    good.until(SOON, snapshot).await?;
    let mut replayed = Visitor::connect(&service.base, booked.page("patient")?, Some(ticket), None).await?;
    assert_eq!(refused(&mut replayed).await?, auth, "used twice");
    Ok(())
}

#[tokio::test]
async fn who_shows_too_much_that_is_not_ours_waits_and_a_good_page_does_not() -> Result<()> {
    let service = Service::start().await?;
    let desk = service.physician().await?;
    let booked = service.book(&desk, &[("Maryam Al-Harbi", "patient")]).await?;
    let device = booked.device(&service, "patient").await?;
    let page = booked.page("patient")?;
    let guess = async || -> Result<_> {
        let mut guess = Visitor::connect(&service.base, page.clone(), Some("forged".to_owned()), None).await?;
        let told = guess.until(SOON, |_, m| match m {
            ServerMessage::Error {
                code, retry_after_ms, ..
            } => Some((*code, *retry_after_ms)),
            _ => None,
        });
        Ok((told.await?, guess.closed(SOON).await?))
    };
    let mut guesses = 0;
    let (retry_after_ms, close) = loop {
        match guess().await? {
            ((ErrorCode::Unauthorized, None), Some(CloseCode::Auth)) => guesses += 1,
            ((ErrorCode::RateLimited, wait), close) => break (wait, close),
            other => anyhow::bail!("{other:?} after {guesses} guesses"),
        }
        anyhow::ensure!(guesses < 1_000, "guessing has no end");
    };
    assert!(guesses >= 100, "a hospital behind one address mistypes {guesses} times");
    assert!(retry_after_ms.is_some_and(|ms| ms > 0), "it is said how long");
    assert_eq!(close, Some(CloseCode::Rate));
    let mut good = Visitor::connect(&service.base, page, Some(booked.ticket(&device).await?), None).await?;
    good.until(SOON, snapshot).await?;
    Ok(())
}

#[tokio::test]
async fn a_resume_secret_belongs_to_one_page() -> Result<()> {
    let service = Service::start().await?;
    let call = Call::begin(&service).await?;
    let thief = call.booked.page("patient")?;
    let own = call.patient.page.clone().hello(None, None);
    let session = own
        .split("\"session\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .context("session")?;
    let hello = own.replace(session, "session-of-a-thief");
    let mut thief = Visitor::connect_saying(&service.base, thief, hello).await?;
    assert_eq!(
        refused(&mut thief).await?,
        (ErrorCode::Unauthorized, Some(CloseCode::Auth))
    );
    let mut owner = Visitor::connect_saying(&service.base, call.patient.page.clone(), own).await?;
    owner
        .until(SOON, |_, m| matches!(m, ServerMessage::Welcome { .. }).then_some(()))
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_second_device_learns_nothing() -> Result<()> {
    let service = Service::start().await?;
    let desk = service.physician().await?;
    let booked = service.book(&desk, &[("Maryam Al-Harbi", "patient")]).await?;
    let token = booked.link("patient")?;
    let first = Api::new(&service.base);
    let peek = first.post("/api/v1/links/peek", &json!({"token": token})).await?;
    assert_eq!(
        (&peek["institution_name"], &peek["bound"]),
        (&"Cedar Street Clinic".into(), &"no".into())
    );
    assert!(
        !peek.to_string().contains("Maryam"),
        "no name before the link is redeemed: {peek}"
    );
    first.redeem(&token).await?;
    first.redeem(&token).await?;

    let second = Api::new(&service.base);
    let peek = second.post("/api/v1/links/peek", &json!({"token": token})).await?;
    assert_eq!(peek, json!({"bound": "elsewhere"}));
    let redeem = second
        .ask(
            Method::POST,
            "/api/v1/links/redeem",
            &[],
            Some(&json!({"token": token})),
        )
        .await?;
    assert_eq!(
        (redeem.status.as_u16(), &redeem.body["code"]),
        (401, &"other_device".into())
    );
    assert!(!redeem.headers.contains_key("set-cookie"));
    let seat = second
        .ask(
            Method::POST,
            &format!("/api/v1/visits/{}/seat", booked.id()?),
            &[],
            Some(&json!({})),
        )
        .await?;
    assert!(!seat.status.is_success());
    Ok(())
}

#[tokio::test]
async fn a_hundred_looks_at_a_link_change_nothing() -> Result<()> {
    let service = Service::start().await?;
    let desk = service.physician().await?;
    let booked = service.book(&desk, &[("Maryam Al-Harbi", "patient")]).await?;
    let scanner = Api::new(&service.base);
    for i in 0..100 {
        let method = if i % 2 == 0 { Method::GET } else { Method::HEAD };
        let answer = scanner
            .ask(method, "/v/", &[("user-agent", "LinkScanner/1.0")], None)
            .await?;
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    scanner
        .post("/api/v1/links/peek", &json!({"token": booked.link("patient")?}))
        .await?;
    assert!(
        booked.device(&service, "patient").await.is_ok(),
        "the person's own POST still works"
    );
    Ok(())
}

#[tokio::test]
async fn a_page_of_another_origin_opens_no_socket() -> Result<()> {
    let service = Service::start().await?;
    let api = Api::new(&service.base);
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let foreign: Vec<_> = upgrade
        .iter()
        .copied()
        .chain([("origin", "https://elsewhere.example")])
        .collect();
    let answer = api.ask(Method::GET, "/ws", &foreign, None).await?;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["code"]),
        (403, &"foreign_origin".into())
    );
    Ok(())
}

#[tokio::test]
async fn a_socket_that_says_nothing_sensible_is_closed() -> Result<()> {
    let service = Service::with(&[("SIGNALING__TIMERS__HELLO_MS", "300")]).await?;
    let desk = service.physician().await?;
    let booked = service.book(&desk, &[("Maryam Al-Harbi", "patient")]).await?;
    let mut twice = booked.visit(&desk, "host").await?;
    twice.until(SOON, snapshot).await?;
    let hello = twice.page.clone().hello(Some("again".to_owned()), None);
    twice.send_raw(&hello).await?;
    let told = twice.until(SOON, |_, m| match m {
        ServerMessage::Error { code, .. } => Some(*code),
        _ => None,
    });
    assert_eq!(told.await?, ErrorCode::BadState);
    twice
        .send_raw(&format!(r#"{{"type":"ping","x":"{}"}}"#, "x".repeat(70_000)))
        .await
        .context("the frame is sent")?;
    let ended = twice.closed(SOON).await;
    assert!(
        matches!(ended, Ok(_) | Err(Ended::Line(_))),
        "a frame above the limit ends the socket: {ended:?}"
    );
    Ok(())
}
