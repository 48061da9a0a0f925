//! Lost lines, reloads, second pages: nothing is lost, doubled or reordered, and a seat has one owner.

use crate::{
    call::{Call, chat_id, decision, line, snapshot},
    service::{SOON, Service},
};
use anyhow::{Context, Result};
use heliograph_client::{Ended, Visitor};
use heliograph_protocol::{ClientMessage, CloseCode, ErrorCode, Header, LeftWhy, Presence, Resumed, ServerMessage, To};
use heliograph_testkit::{Proxy, proxy::Way};
use std::time::Duration;

fn resumed(_: &Header, message: &ServerMessage) -> Option<Resumed> {
    match message {
        ServerMessage::Welcome { resumed, .. } => Some(*resumed),
        _ => None,
    }
}

#[tokio::test]
async fn a_page_whose_line_is_cut_misses_nothing() -> Result<()> {
    let service = Service::start().await?;
    let mut call = Call::begin(&service).await?;
    let mut got = Vec::new();
    for round in 0..5 {
        let page = call.patient.cut();
        assert!(page.can_resume());
        for i in 0..20 {
            call.host.send(line(&format!("{round}-{i}"), To::All)).await?;
        }
        call.patient = Visitor::connect(&service.base, page, None, None).await?;
        assert_eq!(call.patient.until(SOON, resumed).await?, Resumed::Full);
        for _ in 0..20 {
            got.push(call.patient.until(SOON, chat_id).await?);
        }
    }
    let sent: Vec<_> = (0..5)
        .flat_map(|round| (0..20).map(move |i| format!("{round}-{i}")))
        .collect();
    assert_eq!(got, sent);
    Ok(())
}

#[tokio::test]
async fn what_was_sent_into_a_silent_hole_arrives_once_after_the_resume() -> Result<()> {
    let service = Service::start().await?;
    let mut call = Call::begin(&service).await?;
    let proxy = Proxy::to(service.base.trim_start_matches("http://").parse()?).await?;
    let through = format!("http://{}", proxy.address());
    let page = call.patient.cut();
    call.patient = Visitor::connect(&through, page, None, None).await?;
    call.patient.until(SOON, resumed).await?;
    call.patient.send(line("before", To::All)).await?;
    assert_eq!(call.host.until(SOON, chat_id).await?, "before");

    proxy.swallow(Way::Both);
    for i in 0..10 {
        call.patient.send(line(&format!("hole-{i}"), To::All)).await?;
        call.host.send(line(&format!("answer-{i}"), To::All)).await?;
    }
    let page = call.patient.cut();
    proxy.heal();
    call.patient = Visitor::connect(&through, page, None, None).await?;
    assert_eq!(call.patient.until(SOON, resumed).await?, Resumed::Full);
    call.patient.resend().await?;
    for i in 0..10 {
        assert_eq!(call.patient.until(SOON, chat_id).await?, format!("answer-{i}"));
        assert_eq!(call.host.until(SOON, chat_id).await?, format!("hole-{i}"));
    }
    // Sending all of it again changes nothing: the next line is the next that arrives.
    call.patient.resend().await?;
    call.patient.send(line("last", To::All)).await?;
    assert_eq!(call.host.until(SOON, chat_id).await?, "last");
    Ok(())
}

#[tokio::test]
async fn a_second_page_asks_before_it_takes_the_seat() -> Result<()> {
    let service = Service::start().await?;
    let mut call = Call::begin(&service).await?;
    let mut second = call.booked.visit(&call.device, "patient").await?;
    let holder = second
        .until(SOON, |_, m| match m {
            ServerMessage::Error {
                code: ErrorCode::SeatTaken,
                holder,
                ..
            } => Some(holder.clone()),
            _ => None,
        })
        .await?
        .context("holder")?;
    assert_eq!(second.closed(SOON).await?, Some(CloseCode::Superseded));

    let ticket = call.booked.ticket(&call.device).await?;
    let mut second = Visitor::connect(&service.base, second.cut(), Some(ticket), Some(holder)).await?;
    assert_eq!(second.until(SOON, snapshot).await?.members.len(), 1);
    assert_eq!(call.patient.closed(SOON).await?, Some(CloseCode::Superseded));
    let generation = call.host.until(SOON, |_, m| match m {
        ServerMessage::Joined { member } => Some(member.generation),
        _ => None,
    });
    assert_eq!(generation.await?, 2, "a new page needs a new media connection");
    Ok(())
}

#[tokio::test]
async fn a_page_that_reconnects_closes_its_own_older_socket() -> Result<()> {
    let service = Service::start().await?;
    let mut call = Call::begin(&service).await?;
    let page = call.patient.page.clone();
    let mut newer = Visitor::connect(&service.base, page, None, None).await?;
    newer.until(SOON, resumed).await?;
    assert_eq!(call.patient.closed(SOON).await?, Some(CloseCode::Reclaim));
    call.host.send(line("still here", To::All)).await?;
    assert_eq!(newer.until(SOON, chat_id).await?, "still here");
    Ok(())
}

#[tokio::test]
async fn a_lost_line_is_shown_and_then_the_seat_is_free() -> Result<()> {
    let fast = [
        ("SIGNALING__TIMERS__BEAT_MS", "100"),
        ("SIGNALING__TIMERS__LEASE_MS", "300"),
        ("SIGNALING__TIMERS__RECONNECTING_MS", "600"),
    ];
    let service = Service::with(&fast).await?;
    let mut call = Call::begin(&service).await?;
    drop(call.patient.cut());
    let lost = call.host.until(SOON, |_, m| match m {
        ServerMessage::Updated {
            member: Some(member), ..
        } => Some(member.presence),
        _ => None,
    });
    assert!(matches!(lost.await?, Presence::Reconnecting { .. }));
    call.host
        .until(SOON, |_, m| {
            matches!(m, ServerMessage::Left { why: LeftWhy::Lost, .. }).then_some(())
        })
        .await?;
    let mut again = call.booked.visit(&call.device, "patient").await?;
    assert_eq!(
        again.until(SOON, snapshot).await?.members.len(),
        1,
        "no question, and still admitted"
    );
    Ok(())
}

/// Sends `count` long lines, never more than the outbox may hold unacknowledged.
async fn talk(host: &mut Visitor, count: u64) -> Result<()> {
    let text = "x".repeat(3_900);
    for i in 1..=count {
        let text = heliograph_domain::Pii::new(text.clone());
        let chat = heliograph_protocol::Chat {
            id: format!("{i}"),
            text,
            to: To::All,
            canned: None,
        };
        host.send(ClientMessage::Chat(chat)).await?;
        if i % 30 == 0 || i == count {
            // The admission was number 1.
            let all =
                |h: &Header, m: &ServerMessage| (matches!(m, ServerMessage::Ack { .. }) && h.c > Some(i)).then_some(());
            host.until(SOON, all).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_resume_may_be_longer_than_the_queue() -> Result<()> {
    let service = Service::with(&[("SIGNALING__LIMITS__BURST", "5000")]).await?;
    let mut call = Call::begin(&service).await?;
    let page = call.patient.cut();
    talk(&mut call.host, 400).await?;
    call.patient = Visitor::connect(&service.base, page, None, None).await?;
    assert_eq!(call.patient.until(SOON, resumed).await?, Resumed::Full);
    for i in 1..=400 {
        assert_eq!(call.patient.until(SOON, chat_id).await?, i.to_string());
    }
    Ok(())
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_closed_and_told_to_resync() -> Result<()> {
    let settings = [
        ("SIGNALING__TIMERS__WRITE_STALL_MS", "300"),
        ("SIGNALING__TIMERS__BEAT_MS", "100"),
        ("SIGNALING__LIMITS__BURST", "5000"),
    ];
    let service = Service::with(&settings).await?;
    let mut call = Call::begin(&service).await?;
    // The patient's socket is not read while the host talks: its buffers fill up, the server's memory must not.
    talk(&mut call.host, 4_000).await?;
    let ended = loop {
        match call.patient.until(SOON, chat_id).await {
            Ok(id) => assert_ne!(id, "4000", "the server kept everything for a reader that did not read"),
            Err(ended) => break ended,
        }
    };
    assert!(
        matches!(ended, Ended::Closed(Some(CloseCode::Slow) | None) | Ended::Line(_)),
        "{ended}"
    );
    let mut again = Visitor::connect(&service.base, call.patient.cut(), None, None).await?;
    assert_eq!(again.until(SOON, resumed).await?, Resumed::Resync);
    let room = again.until(SOON, snapshot).await?;
    assert_eq!(room.chat.last().map(|line| line.id.as_str()), Some("4000"));
    talk(&mut call.host, 1).await?;
    assert_eq!(again.until(SOON, chat_id).await?, "1");
    Ok(())
}

#[tokio::test]
async fn a_restart_needs_no_click_and_forgets_no_decision() -> Result<()> {
    let mut service = Service::start().await?;
    let call = Call::begin(&service).await?;
    let (host, patient) = (call.host.cut(), call.patient.cut());
    service.process.signal(heliograph_testkit::Signal::KILL)?;
    service.process.ended(SOON).await?;
    service.again().await?;
    let mut host = Visitor::connect(&service.base, host, None, None).await?;
    assert_eq!(host.until(SOON, resumed).await?, Resumed::Full);
    let mut patient = Visitor::connect(&service.base, patient, None, None).await?;
    assert_eq!(
        patient.until(SOON, resumed).await?,
        Resumed::Full,
        "the journal has every frame"
    );
    patient.resend().await?;
    host.resend().await?;
    patient.send(line("after the restart", To::All)).await?;
    assert_eq!(host.until(SOON, chat_id).await?, "after the restart");
    host.send(ClientMessage::Hold(decision(call.booked.seat("patient")?)))
        .await?;
    host.until(Duration::from_secs(20), |_, m| {
        matches!(m, ServerMessage::Held { .. }).then_some(())
    })
    .await?;
    Ok(())
}
