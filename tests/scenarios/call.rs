//! A call: waiting, being let in, offers and answers, the end.

use crate::{
    service::{Booked, SOON, Service},
    sides::FAST,
};
use anyhow::Result;
use heliograph_client::{Api, Visitor};
use heliograph_domain::{ParticipantId, Pii, UnixMillis};
use heliograph_protocol::{
    Chat, ClientMessage, CloseCode, Decision, DeviceCheck, ErrorCode, Header, LineLevel, PeerQuality, Sdp, SdpKind,
    SeatState, ServerMessage, To,
};
use heliograph_testkit::{Proxy, Way};

pub fn decision(participant: ParticipantId) -> Decision {
    Decision {
        participant,
        message: None,
    }
}

pub fn line(id: &str, to: To) -> ClientMessage {
    ClientMessage::Chat(Chat {
        id: id.to_owned(),
        text: Pii::new(format!("text {id}")),
        to,
        canned: None,
    })
}

/// A physician and a patient, the patient admitted.
pub struct Call {
    pub booked: Booked,
    pub device: Api,
    pub host: Visitor,
    pub patient: Visitor,
}

impl Call {
    pub async fn begin(service: &Service) -> Result<Call> {
        let desk = service.physician().await?;
        let booked = service.book(&desk, &[("Maryam Al-Harbi", "patient")]).await?;
        let device = booked.device(service, "patient").await?;
        let mut patient = booked.visit(&device, "patient").await?;
        patient.until(SOON, snapshot).await?;
        patient
            .send(ClientMessage::Knock {
                device: DeviceCheck::default(),
            })
            .await?;
        let mut host = booked.visit(&desk, "host").await?;
        host.until(SOON, snapshot).await?;
        host.send(ClientMessage::Admit(decision(booked.seat("patient")?)))
            .await?;
        patient
            .until(SOON, |_, m| matches!(m, ServerMessage::Admitted { .. }).then_some(()))
            .await?;
        host.until(SOON, |_, m| matches!(m, ServerMessage::Ack { .. }).then_some(()))
            .await?;
        Ok(Call {
            booked,
            device,
            host,
            patient,
        })
    }

    /// The host removes the patient, whose page is told so.
    async fn remove_patient(&mut self) -> Result<()> {
        let removal = ClientMessage::Remove(decision(self.booked.seat("patient")?));
        self.host.send(removal).await?;
        let told = |_: &Header, m: &ServerMessage| matches!(m, ServerMessage::Removed { .. }).then_some(());
        Ok(self.patient.until(SOON, told).await?)
    }
}

pub fn snapshot(_: &Header, message: &ServerMessage) -> Option<heliograph_protocol::RoomView> {
    match message {
        ServerMessage::Snapshot { room, .. } => Some(room.clone()),
        _ => None,
    }
}

pub fn chat_id(_: &Header, message: &ServerMessage) -> Option<String> {
    match message {
        ServerMessage::Chat { id, .. } => Some(id.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn knock_admit_offer_answer_end() -> Result<()> {
    let service = Service::with(&[("SIGNALING__TIMERS__UNDO_END_MS", "300")]).await?;
    let desk = service.physician().await?;
    let booked = service.book(&desk, &[("Maryam Al-Harbi", "patient")]).await?;
    let (host_seat, patient_seat) = (booked.seat("host")?, booked.seat("patient")?);
    let mut host = booked.visit(&desk, "host").await?;
    let room = host.until(SOON, snapshot).await?;
    assert_eq!((room.state, room.waiting.len()), (SeatState::Admitted, 0));

    let device = booked.device(&service, "patient").await?;
    let mut patient = booked.visit(&device, "patient").await?;
    let room = patient.until(SOON, snapshot).await?;
    assert_eq!((room.state, room.members.len()), (SeatState::Waiting, 0));
    patient
        .send(ClientMessage::Knock {
            device: DeviceCheck::default(),
        })
        .await?;
    let knocked = host.until(SOON, |_, m| match m {
        ServerMessage::Knocked { waiting } => Some(waiting.participant),
        _ => None,
    });
    assert_eq!(knocked.await?, patient_seat);
    let brief = desk.get(&format!("/api/v1/visits/{}", booked.id()?)).await?;
    assert_eq!(
        brief["room"]["waiting"][0]["knocked"], true,
        "the desk's list shows who waits: {brief}"
    );

    host.send(ClientMessage::Admit(decision(patient_seat))).await?;
    let members = patient
        .until(SOON, |_, m| match m {
            ServerMessage::Admitted { room: Some(room), .. } => Some(room.members.clone()),
            _ => None,
        })
        .await?;
    assert!(members[0].offerer);
    let offer = Sdp {
        to: host_seat,
        pc: "av".to_owned(),
        generation: members[0].generation,
        kind: SdpKind::Offer,
        sdp: "v=0 offer".to_owned(),
    };
    patient.send(ClientMessage::Sdp(offer.clone())).await?;
    let (from, sdp) = host
        .until(SOON, |header, m| match m {
            ServerMessage::Sdp {
                sdp,
                kind: SdpKind::Offer,
                ..
            } => Some((header.from, sdp.clone())),
            _ => None,
        })
        .await?;
    assert_eq!((from, sdp.as_str()), (Some(patient_seat), "v=0 offer"));
    host.send(ClientMessage::Sdp(Sdp {
        to: patient_seat,
        kind: SdpKind::Answer,
        ..offer
    }))
    .await?;
    patient
        .until(SOON, |_, m| {
            matches!(
                m,
                ServerMessage::Sdp {
                    kind: SdpKind::Answer,
                    ..
                }
            )
            .then_some(())
        })
        .await?;

    host.send(ClientMessage::End {}).await?;
    patient
        .until(SOON, |_, m| matches!(m, ServerMessage::Ending { .. }).then_some(()))
        .await?;
    patient
        .until(SOON, |_, m| matches!(m, ServerMessage::Ended { .. }).then_some(()))
        .await?;
    assert_eq!(patient.closed(SOON).await?, Some(CloseCode::Ended));
    host.until(SOON, |_, m| matches!(m, ServerMessage::Ended { .. }).then_some(()))
        .await?;

    // The end outlives the room: nobody but staff comes back in.
    let mut late = booked.visit(&device, "patient").await?;
    assert_eq!(late.closed(SOON).await?, Some(CloseCode::Ended));
    host.send(ClientMessage::Reopen {}).await?;
    host.until(SOON, |_, m| matches!(m, ServerMessage::Reopened { .. }).then_some(()))
        .await?;
    let mut back = booked.visit(&device, "patient").await?;
    assert_eq!(
        back.until(SOON, snapshot).await?.state,
        SeatState::Admitted,
        "nobody needs to be admitted twice"
    );
    Ok(())
}

#[tokio::test]
async fn an_end_can_be_undone() -> Result<()> {
    let service = Service::with(&[("SIGNALING__TIMERS__UNDO_END_MS", "60000")]).await?;
    let mut call = Call::begin(&service).await?;
    call.host.send(ClientMessage::End {}).await?;
    call.patient
        .until(SOON, |_, m| matches!(m, ServerMessage::Ending { .. }).then_some(()))
        .await?;
    call.host.send(ClientMessage::UndoEnd {}).await?;
    call.patient
        .until(SOON, |_, m| matches!(m, ServerMessage::EndUndone {}).then_some(()))
        .await?;
    call.patient.send(line("after", To::All)).await?;
    assert_eq!(call.host.until(SOON, chat_id).await?, "after");
    Ok(())
}

#[tokio::test]
async fn who_is_removed_is_closed_and_stays_out() -> Result<()> {
    let service = Service::start().await?;
    let mut call = Call::begin(&service).await?;
    call.remove_patient().await?;
    assert_eq!(call.patient.closed(SOON).await?, Some(CloseCode::Removed));
    let mut again = call.booked.visit(&call.device, "patient").await?;
    assert_eq!(again.closed(SOON).await?, Some(CloseCode::Removed));
    Ok(())
}

#[tokio::test]
async fn who_is_closed_hears_why_though_much_of_what_they_sent_is_unread() -> Result<()> {
    let service = Service::start().await?;
    let mut call = Call::begin(&service).await?;
    // Far above the rate: the service has not read all of it when it closes.
    for _ in 0..400 {
        call.patient.send_raw("{}").await?;
    }
    call.remove_patient().await?;
    for _ in 0..400 {
        call.patient.send_raw("{}").await?;
    }
    assert_eq!(call.patient.closed(SOON).await?, Some(CloseCode::Removed));
    Ok(())
}

#[tokio::test]
async fn a_line_on_which_nothing_comes_is_closed_by_the_server() -> Result<()> {
    let service = Service::with(&FAST).await?;
    let call = Call::begin(&service).await?;
    let proxy = Proxy::to(service.base.trim_start_matches("http://").parse()?).await?;
    let line = format!("http://{}", proxy.address());
    let mut patient = Visitor::connect(&line, call.patient.cut(), None, None).await?;
    patient
        .until(SOON, |_, m| matches!(m, ServerMessage::Welcome { .. }).then_some(()))
        .await?;
    proxy.swallow(Way::ToServer);
    assert_eq!(patient.closed(SOON).await?, Some(CloseCode::Heartbeat));
    Ok(())
}

#[tokio::test]
async fn what_a_patient_may_not_do_is_refused_and_the_number_is_used() -> Result<()> {
    let service = Service::start().await?;
    let mut call = Call::begin(&service).await?;
    call.patient.send(ClientMessage::End {}).await?;
    let refused = |h: &Header, m: &ServerMessage| match m {
        ServerMessage::Refused { for_c, code } => Some((h.c, *for_c, *code)),
        _ => None,
    };
    assert_eq!(
        call.patient.until(SOON, refused).await?,
        (Some(2), 2, ErrorCode::Forbidden)
    );

    // A numbered message that can't be read takes its number too, and the next one goes on.
    call.patient
        .send_raw(r#"{"type":"chat","c":3,"id":"x","text":5,"to":"*"}"#)
        .await?;
    assert_eq!(
        call.patient.until(SOON, refused).await?,
        (Some(3), 3, ErrorCode::BadMessage)
    );
    call.patient
        .send_raw(r#"{"type":"chat","c":4,"id":"four","text":"hello","to":"*"}"#)
        .await?;
    assert_eq!(call.host.until(SOON, chat_id).await?, "four");

    // One without a number gets an error, and the socket stays.
    for (text, code) in [
        ("{", ErrorCode::BadJson),
        (r#"{"type":"dance"}"#, ErrorCode::UnknownType),
        (r#"{"type":"end"}"#, ErrorCode::BadMessage),
    ] {
        call.patient.send_raw(text).await?;
        let got = call.patient.until(SOON, |_, m| match m {
            ServerMessage::Error { code, .. } => Some(*code),
            _ => None,
        });
        assert_eq!(got.await?, code);
    }
    Ok(())
}

#[tokio::test]
async fn nobody_who_waits_is_heard_by_the_others() -> Result<()> {
    let service = Service::start().await?;
    let desk = service.physician().await?;
    let booked = service
        .book(&desk, &[("Maryam Al-Harbi", "patient"), ("Sofía Ruiz", "interpreter")])
        .await?;
    let mut host = booked.visit(&desk, "host").await?;
    host.until(SOON, snapshot).await?;
    let interpreter_device = booked.device(&service, "interpreter").await?;
    let mut interpreter = booked.visit(&interpreter_device, "interpreter").await?;
    interpreter.until(SOON, snapshot).await?;
    host.send(ClientMessage::Admit(decision(booked.seat("interpreter")?)))
        .await?;
    interpreter
        .until(SOON, |_, m| matches!(m, ServerMessage::Admitted { .. }).then_some(()))
        .await?;

    let device = booked.device(&service, "patient").await?;
    let mut patient = booked.visit(&device, "patient").await?;
    patient.until(SOON, snapshot).await?;
    patient.send(line("to-all", To::All)).await?;
    patient
        .send(line("to-interpreter", To::Seat(booked.seat("interpreter")?)))
        .await?;
    patient.send(line("to-staff", To::Staff)).await?;
    assert_eq!(host.until(SOON, chat_id).await?, "to-staff");
    host.send(line("marker", To::All)).await?;
    assert_eq!(interpreter.until(SOON, chat_id).await?, "marker");
    Ok(())
}

#[tokio::test]
async fn relay_servers_are_told_again_before_they_end() -> Result<()> {
    let servers = r#"[{urls = ["turn:relay.example"], username = "u", credential = "c"}]"#;
    let service = Service::with(&[("ICE__SERVERS", servers), ("ICE__LIFETIME_S", "3")]).await?;
    let mut call = Call::begin(&service).await?;
    let mut last = None;
    for _ in 0..3 {
        let told = call.patient.until(SOON, |_, m| match m {
            ServerMessage::IceServers { servers, expires_at_ms } => Some((servers.clone(), *expires_at_ms)),
            _ => None,
        });
        let (servers, ends) = told.await?;
        assert_eq!(servers[0].urls, ["turn:relay.example"]);
        let longer = last.map(|last: UnixMillis| ends.0 - last.0);
        assert!(longer.is_none_or(|ms| (1_900..3_000).contains(&ms)), "{longer:?}");
        last = Some(ends);
    }
    Ok(())
}

#[tokio::test]
async fn reports_about_lines_count_once_in_five_seconds_and_never_are_an_error() -> Result<()> {
    let service = Service::start().await?;
    let mut call = Call::begin(&service).await?;
    let host = call.booked.seat("host")?;
    for level in [LineLevel::Weak, LineLevel::Lost, LineLevel::Good] {
        let peers = vec![PeerQuality {
            participant: host,
            level,
            rtt_ms: None,
            loss_permille: None,
        }];
        call.patient.send(ClientMessage::Quality { peers }).await?;
    }
    call.patient.send(line("after", To::All)).await?;
    let answer = call.patient.until(SOON, |_, m| match m {
        ServerMessage::Error { code, .. } => Some(Some(*code)),
        ServerMessage::Ack { .. } => Some(None),
        _ => None,
    });
    assert_eq!(answer.await?, None);
    let figures = reqwest::get(format!("{}/metrics", service.base)).await?.text().await?;
    let reports: Vec<_> = figures
        .lines()
        .filter(|line| line.starts_with("heliograph_line_reports_total{"))
        .collect();
    assert_eq!(reports, ["heliograph_line_reports_total{level=\"weak\"} 1"]);
    Ok(())
}
