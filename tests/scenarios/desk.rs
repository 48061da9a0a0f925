//! The desk's socket: every state once and in order, whatever happens to the line, and what staff change from there.

use crate::{
    call::{Call, decision, snapshot},
    service::{Booked, SOON, Service},
};
use anyhow::{Context, Result};
use heliograph_client::{Api, Desk, Ended, Visitor};
use heliograph_domain::{Pii, VisitId};
use heliograph_protocol::{
    ClientMessage, CloseCode, DeskState, DeskVisit, DeviceCheck, Header, NoticeKind, ServerMessage,
};
use heliograph_testkit::{Proxy, proxy::Way};
use serde_json::json;
use std::time::{Duration, Instant};

const SCHEDULER: &str = "Noor Haddad";

fn states(rows: &[DeskVisit]) -> Vec<DeskState> {
    rows.iter().map(|row| row.state).collect()
}

async fn report(booked: &Booked, device: &Api, progress: &str) -> Result<()> {
    let path = format!("/api/v1/visits/{}/progress", booked.id()?);
    device.post(&path, &json!({ "progress": progress })).await?;
    Ok(())
}

/// Calls a visit off, as it is now.
async fn cancel(desk: &Api, visit: VisitId) -> Result<()> {
    let seen = desk.get(&format!("/api/v1/visits/{visit}")).await?;
    let body = json!({"reason": "the physician is ill", "version": seen["version"]});
    desk.post(&format!("/api/v1/visits/{visit}/cancel"), &body).await?;
    Ok(())
}

fn knock() -> ClientMessage {
    ClientMessage::Knock {
        device: DeviceCheck::default(),
    }
}

fn notice(_: &Header, message: &ServerMessage) -> Option<NoticeKind> {
    match message {
        ServerMessage::Notice { kind, .. } => Some(*kind),
        _ => None,
    }
}

#[tokio::test]
async fn a_visit_is_followed_from_the_booking_to_the_end() -> Result<()> {
    let service = Service::with(&[("SIGNALING__TIMERS__UNDO_END_MS", "300")]).await?;
    let (scheduler, physician) = (service.staff(SCHEDULER).await?, service.physician().await?);
    let mut desk = Desk::open(&scheduler).await?;
    let booked = service.book(&scheduler, &[("Maryam Al-Harbi", "patient")]).await?;
    let (id, seat) = (booked.id()?, booked.seat("patient")?);
    let mut seen = desk.until(SOON, id, DeskState::Scheduled).await?;

    let device = booked.device(&service, "patient").await?;
    for (progress, state) in [
        ("opened", DeskState::Opened),
        ("testing", DeskState::Testing),
        ("checked_in", DeskState::CheckedIn),
    ] {
        let told = Instant::now();
        report(&booked, &device, progress).await?;
        seen.extend(desk.until(SOON, id, state).await?);
        assert!(told.elapsed() < Duration::from_secs(1), "{:?}", told.elapsed());
    }
    let mut patient = booked.visit(&device, "patient").await?;
    patient.until(SOON, snapshot).await?;
    patient.send(knock()).await?;
    seen.extend(desk.until(SOON, id, DeskState::Waiting).await?);
    let mut host = booked.visit(&physician, "host").await?;
    host.send(ClientMessage::Admit(decision(seat))).await?;
    seen.extend(desk.until(SOON, id, DeskState::InVisit).await?);
    host.send(ClientMessage::Hold(decision(seat))).await?;
    seen.extend(desk.until(SOON, id, DeskState::OnHold).await?);
    host.send(ClientMessage::Admit(decision(seat))).await?;
    seen.extend(desk.until(SOON, id, DeskState::InVisit).await?);
    host.send(ClientMessage::End {}).await?;
    seen.extend(desk.until(SOON, id, DeskState::Ended).await?);
    assert_eq!(
        states(&seen),
        [
            DeskState::Scheduled,
            DeskState::Opened,
            DeskState::Testing,
            DeskState::CheckedIn,
            DeskState::Waiting,
            DeskState::InVisit,
            DeskState::OnHold,
            DeskState::InVisit,
            DeskState::Ended,
        ]
    );
    let about: Vec<_> = seen.iter().map(|row| row.by).collect();
    assert!(about[1..8].iter().all(|by| *by == Some(seat)), "{about:?}");
    Ok(())
}

#[tokio::test]
async fn a_desk_whose_line_was_lost_has_all_that_it_missed_and_then_each_change_once() -> Result<()> {
    let service = Service::start().await?;
    let scheduler = service.staff(SCHEDULER).await?;
    let proxy = Proxy::to(service.base.trim_start_matches("http://").parse()?).await?;
    let through = format!("http://{}", proxy.address());
    let mut desk = Desk::open_at(&scheduler, &through).await?;
    let booked = service.book(&scheduler, &[("Maryam Al-Harbi", "patient")]).await?;
    let id = booked.id()?;
    desk.until(SOON, id, DeskState::Scheduled).await?;

    // Silently: nothing closes, and nothing arrives any more.
    proxy.swallow(Way::Both);
    let device = booked.device(&service, "patient").await?;
    report(&booked, &device, "opened").await?;
    let mut patient = booked.visit(&device, "patient").await?;
    patient.until(SOON, snapshot).await?;
    patient.send(knock()).await?;
    patient
        .until(SOON, |_, m| matches!(m, ServerMessage::Ack { .. }).then_some(()))
        .await?;
    drop(desk);
    proxy.heal();
    let mut desk = Desk::open_at(&scheduler, &through).await?;
    assert_eq!(desk.state(id), Some(DeskState::Waiting));

    // Loudly, several times, while the patient goes and comes.
    for _ in 0..5 {
        proxy.cut();
        assert!(matches!(desk.next().await, Err(Ended::Line(_) | Ended::Closed(None))));
        proxy.heal();
        patient.send(ClientMessage::Unknock {}).await?;
        desk = Desk::open_at(&scheduler, &through).await?;
        if desk.state(id) != Some(DeskState::Testing) {
            desk.until(SOON, id, DeskState::Testing).await?;
        }
        patient.send(knock()).await?;
        assert_eq!(
            states(&desk.until(SOON, id, DeskState::Waiting).await?),
            [DeskState::Waiting]
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_cancellation_reaches_who_waits_and_the_desk_within_two_seconds() -> Result<()> {
    let service = Service::start().await?;
    let (scheduler, physician) = (service.staff(SCHEDULER).await?, service.physician().await?);
    let booked = service.book(&scheduler, &[("Maryam Al-Harbi", "patient")]).await?;
    let id = booked.id()?;
    let device = booked.device(&service, "patient").await?;
    let mut patient = booked.visit(&device, "patient").await?;
    patient.until(SOON, snapshot).await?;
    patient.send(knock()).await?;
    let mut desk = Desk::open(&physician).await?;
    if desk.state(id) != Some(DeskState::Waiting) {
        desk.until(SOON, id, DeskState::Waiting).await?;
    }

    let asked = Instant::now();
    cancel(&scheduler, id).await?;
    assert_eq!(patient.until(SOON, notice).await?, NoticeKind::Cancelled);
    assert_eq!(patient.closed(SOON).await?, Some(CloseCode::Expired));
    desk.until(SOON, id, DeskState::Ended).await?;
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());

    // The rights are gone, for the page and for its device.
    let page = patient.cut();
    let mut back = Visitor::connect(&service.base, page, None, None).await?;
    assert_eq!(back.closed(SOON).await?, Some(CloseCode::Expired));
    assert!(booked.ticket(&device).await.is_err());
    assert!(booked.ticket(&physician).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_visit_that_runs_is_not_cut_by_its_cancellation() -> Result<()> {
    let service = Service::start().await?;
    let mut call = Call::begin(&service).await?;
    let (id, physician) = (call.booked.id()?, service.physician().await?);
    let mut desk = Desk::open(&physician).await?;
    assert_eq!(desk.state(id), Some(DeskState::InVisit));
    cancel(&physician, id).await?;
    assert_eq!(call.patient.until(SOON, notice).await?, NoticeKind::Cancelled);
    assert_eq!(call.host.until(SOON, notice).await?, NoticeKind::Cancelled);
    // Both still hear each other.
    call.host
        .send(crate::call::line("still here", heliograph_protocol::To::All))
        .await?;
    assert_eq!(call.patient.until(SOON, crate::call::chat_id).await?, "still here");
    call.patient.send(ClientMessage::Bye {}).await?;
    desk.until(SOON, id, DeskState::Ended).await?;
    Ok(())
}

#[tokio::test]
async fn a_revoked_link_empties_the_seat_and_the_new_one_takes_it() -> Result<()> {
    let service = Service::start().await?;
    let mut call = Call::begin(&service).await?;
    let (id, seat) = (call.booked.id()?, call.booked.seat("patient")?);
    let scheduler = service.staff(SCHEDULER).await?;
    let path = format!("/api/v1/visits/{id}/participants/{seat}/revoke");
    let asked = Instant::now();
    let link = scheduler.post(&path, &json!({})).await?;
    assert_eq!(call.patient.until(SOON, notice).await?, NoticeKind::Revoked);
    assert_eq!(call.patient.closed(SOON).await?, Some(CloseCode::Expired));
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    let page = call.patient.cut();
    let mut back = Visitor::connect(&service.base, page, None, None).await?;
    assert_eq!(back.closed(SOON).await?, Some(CloseCode::Expired));
    assert!(call.booked.ticket(&call.device).await.is_err());

    let device = Api::new(&service.base);
    device
        .redeem(crate::service::token(link["url"].as_str().context("url")?)?)
        .await?;
    let mut patient = call.booked.visit(&device, "patient").await?;
    patient.until(SOON, snapshot).await?;
    Ok(())
}

#[tokio::test]
async fn a_lost_line_and_a_wish_to_be_called_are_seen() -> Result<()> {
    let timers = [
        ("SIGNALING__TIMERS__BEAT_MS", "100"),
        ("SIGNALING__TIMERS__LEASE_MS", "300"),
        ("SIGNALING__TIMERS__RECONNECTING_MS", "600"),
    ];
    let service = Service::with(&timers).await?;
    let call = Call::begin(&service).await?;
    let (id, seat) = (call.booked.id()?, call.booked.seat("patient")?);
    let mut desk = Desk::open(&service.staff(SCHEDULER).await?).await?;
    assert_eq!(desk.state(id), Some(DeskState::InVisit));
    let page = call.patient.cut();
    let lost = desk.until(SOON, id, DeskState::Lost).await?;
    assert_eq!((states(&lost), lost[0].by), (vec![DeskState::Lost], Some(seat)));
    let mut patient = Visitor::connect(&service.base, page, None, None).await?;
    assert_eq!(
        states(&desk.until(SOON, id, DeskState::InVisit).await?),
        [DeskState::InVisit]
    );
    let number = Pii::new("+966 11 555 0142".to_owned());
    patient.send(ClientMessage::CallMe { number }).await?;
    desk.until(SOON, id, DeskState::CallRequested).await?;
    Ok(())
}

#[tokio::test]
async fn a_new_process_knows_what_was_reported_called_off_and_ended() -> Result<()> {
    let mut service = Service::with(&[("SIGNALING__TIMERS__UNDO_END_MS", "100")]).await?;
    let scheduler = service.staff(SCHEDULER).await?;
    let booked = service.book(&scheduler, &[("Maryam Al-Harbi", "patient")]).await?;
    let device = booked.device(&service, "patient").await?;
    report(&booked, &device, "testing").await?;
    service.kill().await?;
    service.again().await?;
    let scheduler = scheduler.at(&service.base);
    let first = booked.id()?;
    assert_eq!(Desk::open(&scheduler).await?.state(first), Some(DeskState::Testing));

    cancel(&scheduler, first).await?;
    let mut call = Call::begin(&service).await?;
    call.host.send(ClientMessage::End {}).await?;
    call.patient
        .until(SOON, |_, m| matches!(m, ServerMessage::Ended { .. }).then_some(()))
        .await?;
    service.kill().await?;
    service.again().await?;
    let desk = Desk::open(&scheduler.at(&service.base)).await?;
    assert_eq!(desk.state(first), Some(DeskState::Ended));
    assert_eq!(desk.state(call.booked.id()?), Some(DeskState::Ended));
    Ok(())
}
