//! The process: its end, its health, its figures, its log.

use crate::{
    call::{Call, line},
    service::{SOON, Service},
};
use anyhow::Result;
use heliograph_client::{Api, Ended};
use heliograph_protocol::{CloseCode, ServerMessage, To};
use heliograph_testkit::Signal;
use reqwest::Method;
use std::time::{Duration, Instant};

#[tokio::test]
async fn ctrl_c_tells_the_pages_and_ends_soon() -> Result<()> {
    let mut service = Service::start().await?;
    let mut call = Call::begin(&service).await?;
    let began = Instant::now();
    service.process.signal(Signal::INT)?;
    call.patient
        .until(SOON, |_, m| {
            matches!(m, ServerMessage::Drain { restart: true, .. }).then_some(())
        })
        .await?;
    assert_eq!(call.patient.closed(SOON).await?, Some(CloseCode::Drained));
    let status = service.process.ended(Duration::from_secs(5)).await?;
    assert!(status.success(), "{status}");
    assert!(began.elapsed() < Duration::from_secs(5));
    Ok(())
}

#[tokio::test]
async fn health_readiness_and_figures_answer() -> Result<()> {
    let service = Service::start().await?;
    let call = Call::begin(&service).await?;
    let api = Api::new(&service.base);
    assert_eq!(api.ask(Method::GET, "/healthz", &[], None).await?.status, 200);
    let ready = api.get("/readyz").await?;
    assert_eq!(ready["ready"], true, "{ready}");
    let answer = api
        .ask(Method::GET, "/healthz", &[("x-request-id", "my-own-id")], None)
        .await?;
    assert_eq!(answer.headers["x-request-id"], "my-own-id");
    let missing = api.ask(Method::GET, "/api/v1/nothing", &[], None).await?;
    assert_eq!(missing.body["request_id"], missing.headers["x-request-id"].to_str()?);
    let figures = reqwest::get(format!("{}/metrics", service.base)).await?.text().await?;
    assert!(figures.contains("heliograph_room_entries_total"), "{figures}");
    drop(call);
    Ok(())
}

#[tokio::test]
async fn names_texts_and_tokens_stay_out_of_log_and_figures() -> Result<()> {
    let service = Service::with(&[("LOG__LEVEL", "debug")]).await?;
    let mut call = Call::begin(&service).await?;
    call.patient.send(line("canary-chat", To::All)).await?;
    call.host.until(SOON, crate::call::chat_id).await?;
    call.patient.send_raw(r#"{"type":"canary-type"}"#).await?;
    let told = call
        .patient
        .until(SOON, |_, m| matches!(m, ServerMessage::Error { .. }).then_some(()))
        .await;
    assert!(!matches!(told, Err(Ended::Closed(_))));
    let figures = reqwest::get(format!("{}/metrics", service.base)).await?.text().await?;
    let token = call.booked.link("patient")?;
    let log = service.process.output();
    assert!(
        log.contains("a socket joined"),
        "the log is as talkative as it gets: {log}"
    );
    for (what, text) in [("log", log), ("figures", figures)] {
        for canary in ["canary", "Maryam", "Okafor", token.as_str(), &token[22..]] {
            assert!(!text.contains(canary), "{canary} is in the {what}: {text}");
        }
    }
    Ok(())
}
