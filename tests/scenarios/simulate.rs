//! Faults that pages ask a development service for, and what any other service says to that.

use crate::{
    call::{Call, chat_id, decision, line, snapshot},
    service::{SOON, Service},
};
use anyhow::{Context, Result, ensure};
use heliograph_client::{Page, Visitor};
use heliograph_protocol::{ClientMessage, CloseCode, ErrorCode, Fault, Header, SeatState, ServerMessage, To};
use serde_json::json;
use std::os::unix::process::ExitStatusExt;

const DEVELOPMENT: [(&str, &str); 1] = [("DEVELOPMENT__SIMULATE", "true")];

fn simulate(what: Fault) -> ClientMessage {
    ClientMessage::Simulate { what }
}

fn error(_: &Header, message: &ServerMessage) -> Option<ErrorCode> {
    match message {
        ServerMessage::Error { code, .. } => Some(*code),
        _ => None,
    }
}

/// Whether the next welcome says that faults can be asked for.
fn offered(_: &Header, message: &ServerMessage) -> Option<bool> {
    match message {
        ServerMessage::Welcome { simulate, .. } => Some(*simulate),
        _ => None,
    }
}

/// How many repairs went by that plan.
async fn repairs(service: &Service, plan: &str) -> Result<u64> {
    let figures = reqwest::get(format!("{}/metrics", service.base)).await?.text().await?;
    let name = format!("heliograph_room_repairs_total{{plan=\"{plan}\"}} ");
    let count = figures.lines().find_map(|line| line.strip_prefix(&name));
    Ok(count.map_or(Ok(0), str::parse)?)
}

async fn desk(service: &Service) -> Result<Visitor> {
    let scheduler = service.staff("Noor Haddad").await?;
    let ticket = scheduler.post("/api/v1/desk/ticket", &json!({})).await?;
    let hello = json!({
        "type": "hello", "desk": true, "session": "deskOfSomebody01", "attempt": 1, "ticket": ticket["ticket"]
    });
    // A desk has no page of a visit; this one only reads frames.
    let page = Page::new(
        "01938000-0000-7000-8000-00000000000a".parse()?,
        "01938000-0000-7000-8000-000000000001".parse()?,
        "deskOfSomebody01".parse()?,
    );
    let mut desk = Visitor::connect_saying(&service.base, page, hello.to_string()).await?;
    let snapshot = |_: &Header, m: &ServerMessage| matches!(m, ServerMessage::DeskSnapshot { .. }).then_some(());
    desk.until(SOON, snapshot).await?;
    Ok(desk)
}

/// The room's log loses its newest entries, the process ends, and another begins. A beat in between would have the node repair
/// the log, so one page asks for both at once.
async fn lose_the_end(service: &mut Service, page: &mut Visitor) -> Result<()> {
    page.send(simulate(Fault::Rewind)).await?;
    page.send(simulate(Fault::Kill)).await?;
    let status = service.process.ended(SOON).await?;
    ensure!(status.signal().is_some(), "{status}: not as by a signal");
    service.again().await
}

#[tokio::test]
async fn a_log_that_is_rewound_is_repaired_by_its_node_and_no_line_is_lost() -> Result<()> {
    let service = Service::with(&DEVELOPMENT).await?;
    let mut call = Call::begin(&service).await?;
    for round in 1..=3_u64 {
        for n in 0..6 {
            call.host.send(line(&format!("{round}-{n}"), To::All)).await?;
            assert_eq!(call.patient.until(SOON, chat_id).await?, format!("{round}-{n}"));
        }
        call.patient.send(simulate(Fault::Rewind)).await?;
        let answer = format!("{round}-answer");
        call.patient.send(line(&answer, To::All)).await?;
        assert_eq!(call.host.until(SOON, chat_id).await?, answer);
        assert_eq!(
            repairs(&service, "extend").await?,
            round,
            "the log came back from the node"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_log_that_is_rewound_and_its_node_killed_is_repaired_by_the_pages() -> Result<()> {
    let mut service = Service::with(&DEVELOPMENT).await?;
    let mut call = Call::begin(&service).await?;
    for n in 0..6 {
        call.host.send(line(&format!("line-{n}"), To::All)).await?;
        assert_eq!(call.patient.until(SOON, chat_id).await?, format!("line-{n}"));
    }
    let all = |h: &Header, m: &ServerMessage| (matches!(m, ServerMessage::Ack { .. }) && h.c == Some(7)).then_some(());
    call.host.until(SOON, all).await?;
    lose_the_end(&mut service, &mut call.patient).await?;
    let mut host = Visitor::connect(&service.base, call.host.cut(), None, None).await?;
    let acked = host.until(SOON, |_, m| match m {
        ServerMessage::Welcome { acked, .. } => Some(acked.values().max().copied()),
        _ => None,
    });
    let acked = acked.await?.context("the host's own session")?;
    ensure!(acked < 7, "the log lost nothing: {acked}");
    host.resend().await?;
    let mut patient = Visitor::connect(&service.base, call.patient.cut(), None, None).await?;
    patient.send(line("after", To::All)).await?;
    // What is there already comes once more before.
    host.until(SOON, |h, m| chat_id(h, m).filter(|id| id == "after"))
        .await?;
    host.send(line("last", To::All)).await?;
    patient
        .until(SOON, |h, m| chat_id(h, m).filter(|id| id == "last"))
        .await?;
    let room = patient.page.room().context("a room")?;
    let lines: Vec<_> = room.chat.iter().map(|line| line.id.as_str()).collect();
    // Her own line is not told to her.
    assert_eq!(
        lines,
        ["line-0", "line-1", "line-2", "line-3", "line-4", "line-5", "last"]
    );
    Ok(())
}

#[tokio::test]
async fn whoever_was_inside_is_inside_again_though_the_log_lost_that() -> Result<()> {
    let mut service = Service::with(&DEVELOPMENT).await?;
    let mut call = Call::begin(&service).await?;
    // All but the first entry: the patient's coming and the physician's decision too.
    lose_the_end(&mut service, &mut call.patient).await?;
    let mut host = Visitor::connect(&service.base, call.host.cut(), None, None).await?;
    let room = host.until(SOON, snapshot).await?;
    ensure!(room.members.is_empty(), "the log lost nothing: {room:?}");
    let mut patient = Visitor::connect(&service.base, call.patient.cut(), None, None).await?;
    let room = patient.until(SOON, snapshot).await?;
    assert_eq!(room.state, SeatState::Admitted);
    host.until(SOON, |_, m| matches!(m, ServerMessage::Joined { .. }).then_some(()))
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_visit_that_was_ended_stays_ended_though_the_log_lost_that() -> Result<()> {
    let short = ("SIGNALING__TIMERS__UNDO_END_MS", "1");
    let mut service = Service::with(&[DEVELOPMENT[0], short]).await?;
    let mut call = Call::begin(&service).await?;
    call.host.send(ClientMessage::End {}).await?;
    assert_eq!(call.patient.closed(SOON).await?, Some(CloseCode::Ended));
    call.host
        .until(SOON, |_, m| matches!(m, ServerMessage::Ended { .. }).then_some(()))
        .await?;
    // From the end back to the patient's coming, and the physician is gone.
    lose_the_end(&mut service, &mut call.host).await?;
    let mut patient = Visitor::connect(&service.base, call.patient.cut(), None, None).await?;
    assert_eq!(patient.closed(SOON).await?, Some(CloseCode::Ended));
    Ok(())
}

#[tokio::test]
async fn who_was_removed_stays_out_though_the_log_lost_that() -> Result<()> {
    let mut service = Service::with(&DEVELOPMENT).await?;
    let mut call = Call::begin(&service).await?;
    let patient = call.booked.seat("patient")?;
    call.host.send(ClientMessage::Remove(decision(patient))).await?;
    assert_eq!(call.patient.closed(SOON).await?, Some(CloseCode::Removed));
    lose_the_end(&mut service, &mut call.host).await?;
    let mut patient = Visitor::connect(&service.base, call.patient.cut(), None, None).await?;
    assert_eq!(patient.closed(SOON).await?, Some(CloseCode::Removed));
    Ok(())
}

#[tokio::test]
async fn what_was_decided_stands_though_every_log_is_gone() -> Result<()> {
    for closed in [CloseCode::Removed, CloseCode::Ended] {
        let mut service = Service::with(&[("SIGNALING__TIMERS__UNDO_END_MS", "1")]).await?;
        let mut call = Call::begin(&service).await?;
        let decided = match closed {
            CloseCode::Removed => ClientMessage::Remove(decision(call.booked.seat("patient")?)),
            _ => ClientMessage::End {},
        };
        call.host.send(decided).await?;
        assert_eq!(call.patient.closed(SOON).await?, Some(closed));
        service.kill().await?;
        std::fs::remove_dir_all(service.folder().join("rooms"))?;
        service.again().await?;
        let mut patient = Visitor::connect(&service.base, call.patient.cut(), None, None).await?;
        assert_eq!(patient.closed(SOON).await?, Some(closed));
    }
    Ok(())
}

#[tokio::test]
async fn a_desk_can_end_the_process_and_has_no_log_of_its_own() -> Result<()> {
    let mut service = Service::with(&DEVELOPMENT).await?;
    service.process.line("development.simulate is on", SOON).await?;
    let mut desk = desk(&service).await?;
    desk.send_raw(r#"{"type":"simulate","what":"rewind"}"#).await?;
    assert_eq!(desk.until(SOON, error).await?, ErrorCode::BadState);
    desk.send_raw(r#"{"type":"simulate","what":"kill"}"#).await?;
    let status = service.process.ended(SOON).await?;
    ensure!(status.signal().is_some(), "{status}: not as by a signal");
    Ok(())
}

#[tokio::test]
async fn any_other_service_refuses_and_does_not_offer_it() -> Result<()> {
    let service = Service::start().await?;
    let call = Call::begin(&service).await?;
    let mut patient = Visitor::connect(&service.base, call.patient.cut(), None, None).await?;
    ensure!(!patient.until(SOON, offered).await?);
    let mut desk = desk(&service).await?;
    for what in [Fault::Kill, Fault::Rewind] {
        patient.send(simulate(what)).await?;
        assert_eq!(patient.until(SOON, error).await?, ErrorCode::Forbidden);
        desk.send(simulate(what)).await?;
        assert_eq!(desk.until(SOON, error).await?, ErrorCode::Forbidden);
    }
    ensure!(!service.process.output().contains("development.simulate"));
    let development = Service::with(&DEVELOPMENT).await?;
    let call = Call::begin(&development).await?;
    let mut patient = Visitor::connect(&development.base, call.patient.cut(), None, None).await?;
    ensure!(patient.until(SOON, offered).await?);
    Ok(())
}
