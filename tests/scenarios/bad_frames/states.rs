//! Good frames at the wrong time, by the wrong person, or in the name of another.

use super::{
    bend::{Fixture, fixtures},
    clinic::{Answer, Bad, Clinic},
};
use crate::service::SOON;
use anyhow::{Result, ensure};
use heliograph_domain::ParticipantId;
use heliograph_protocol::{CloseCode, ErrorCode, ServerMessage};
use serde_json::{Value, json};

/// The same frame about these people.
fn about(fixture: &Fixture, bad: &Bad, peer: ParticipantId) -> Fixture {
    let mut fixture = fixture.numbered(bad.c + 1, &bad.session());
    for field in ["to", "participant"] {
        if let Some(value) = fixture.fields.get_mut(field) {
            *value = json!(peer);
        }
    }
    fixture
}

/// What belongs to physicians and their staff.
const STAFFS: [&str; 12] = [
    "admit", "deny", "hold", "role", "ask_mute", "remove", "lock", "extend", "step_out", "end", "undo_end", "reopen",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_reaches_nobody_but_staff_with_any_message() -> Result<()> {
    let clinic = Clinic::open().await?;
    let mut bad = clinic.bad_page().await?;
    for fixture in fixtures()?.iter().filter(|one| one.is_numbered() && one.name != "bye") {
        for seat in ["interpreter", "host"] {
            let text = about(fixture, &bad, clinic.booked.seat(seat)?).text();
            let c = bad.c + 1;
            let answers = bad.send(&text, true).await?;
            let refused = answers
                .iter()
                .any(|answer| matches!(answer, Answer::Refused(for_c, _) if *for_c == c));
            let allowed = ["knock", "unknock", "call_me", "nop"].contains(&fixture.name.as_str())
                || (fixture.name == "chat" && seat == "host");
            ensure!(refused != allowed, "{} to the {seat}: {answers:?}", fixture.name);
        }
    }
    let heard = clinic.interpreter.heard(|m| {
        let own = matches!(m, ServerMessage::Chat { id, .. } if id.starts_with(clinic.host.name));
        let before = matches!(m, ServerMessage::Admitted { .. } | ServerMessage::IceServers { .. });
        (!own && !before).then(|| format!("{m:?}"))
    });
    ensure!(heard.is_empty(), "the interpreter heard {heard:?}");
    println!(
        "messages of somebody who waits; the others: {}",
        clinic.nobody_noticed().await?
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patient_does_nothing_that_belongs_to_staff() -> Result<()> {
    let clinic = Clinic::open().await?;
    let mut bad = clinic.bad_member().await?;
    let all = fixtures()?;
    for name in STAFFS {
        let fixture = all.iter().find(|one| one.name == name).expect("a fixture of each");
        let c = bad.c + 1;
        let answers = bad
            .send(&about(fixture, &bad, clinic.booked.seat("interpreter")?).text(), true)
            .await?;
        ensure!(
            answers.contains(&Answer::Refused(c, ErrorCode::Forbidden)),
            "{name}: {answers:?}"
        );
    }
    for (name, code) in [
        ("knock", ErrorCode::BadState),
        ("sdp", ErrorCode::BadState),
        ("reset", ErrorCode::BadState),
    ] {
        let fixture = all.iter().find(|one| one.name == name).expect("a fixture of each");
        let mut fixture = about(fixture, &bad, clinic.booked.seat("host")?);
        fixture
            .fields
            .entry("generation")
            .and_modify(|generation| *generation = json!(99));
        let c = bad.c + 1;
        let answers = bad.send(&fixture.text(), true).await?;
        ensure!(answers.contains(&Answer::Refused(c, code)), "{name}: {answers:?}");
    }
    let nobody = about(
        &all[all.iter().position(|one| one.name == "sdp").unwrap()],
        &bad,
        "01938000-0000-7000-8000-0000000000ff".parse()?,
    );
    let c = bad.c + 1;
    let answers = bad.send(&nobody.text(), true).await?;
    ensure!(
        answers.contains(&Answer::Refused(c, ErrorCode::NoSuchPeer)),
        "{answers:?}"
    );
    let hello = clinic.hello().await?.to_string();
    let answers = bad.send(&hello, false).await?;
    ensure!(
        answers == [Answer::Error(ErrorCode::BadState)],
        "a second hello: {answers:?}"
    );
    println!("what belongs to staff; the others: {}", clinic.nobody_noticed().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_session_neither_speaks_for_its_owner_nor_silences_it() -> Result<()> {
    let clinic = Clinic::open().await?;
    let host_session = clinic.host.keeper.look(|page| page.session().to_string());
    let mut bad = clinic.bad_member().await?;
    let forged = |c: u64, session: &str| {
        json!({"type": "chat", "c": c, "session": session, "id": "forged", "text": "x", "to": "*"}).to_string()
    };
    // More than its owner has numbered until the end of this test.
    for c in (1..=200).chain([1 << 52]) {
        let answers = bad.send(&forged(c, &host_session), false).await?;
        ensure!(answers == [Answer::Error(ErrorCode::BadState)], "{c}: {answers:?}");
    }
    // As if it were an older life of the same page, with numbers far ahead of the owner's.
    let mut page = bad.visitor.cut();
    let mut hello: Value = serde_json::from_str(&page.hello(None, None))?;
    let own = hello["session"].clone();
    hello["outbox"] = json!([
        {"session": host_session, "first_c": 1_u64 << 52, "next_c": (1_u64 << 52) + 1},
        {"session": own, "first_c": 1, "next_c": bad.c + 1}
    ]);
    let mut forger = heliograph_client::Visitor::connect_saying(&clinic.service.base, page, hello.to_string()).await?;
    forger.send_raw(&forged(1 << 52, &host_session)).await?;
    forger.send_raw(r#"{"type":"ping"}"#).await?;
    let refused = forger.until(SOON, |_, m| match m {
        ServerMessage::Error { code, .. } => Some(*code),
        ServerMessage::Pong { .. } => {
            panic!("the physician's session was taken for an older life of the patient's page")
        }
        _ => None,
    });
    ensure!(refused.await? == ErrorCode::Forbidden);
    ensure!(forger.closed(SOON).await? == Some(CloseCode::Auth));
    let host = clinic.booked.seat("host")?;
    for _ in 0..3 {
        let participant = clinic.booked.seat("interpreter")?;
        clinic
            .host
            .say(heliograph_protocol::ClientMessage::AskMute { participant })?;
    }
    let asked = |m: &ServerMessage| matches!(m, ServerMessage::AskMute {}).then_some(());
    clinic.interpreter.hears(3, asked).await?;
    let as_host = clinic.interpreter.heard_of(host, |m| {
        matches!(m, ServerMessage::Chat { id, .. } if id == "forged").then_some(())
    });
    ensure!(as_host.is_empty(), "somebody spoke as the physician");
    println!("forged sessions; the others: {}", clinic.nobody_noticed().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickets_secrets_and_origins_that_are_not_good_open_nothing() -> Result<()> {
    let clinic = Clinic::open().await?;
    let bad = clinic.bad_member().await?;
    let auth = (Some(ErrorCode::Unauthorized), Some(CloseCode::Auth));
    let used = clinic.booked.ticket(&clinic.device).await?;
    let mut first = clinic.hello().await?;
    (first["ticket"], first["takeover"]) = (json!(used), json!(bad.visitor.page.session().as_str()));
    let page = clinic.booked.page("patient")?;
    let mut taken = heliograph_client::Visitor::connect_saying(&clinic.service.base, page, first.to_string()).await?;
    taken.until(SOON, crate::call::snapshot).await?;
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut hello = first.clone();
        hello["session"] = json!("session-of-a-thief");
        change(&mut hello);
        hello.to_string()
    };
    for text in [
        changed(&|_| {}),
        changed(&|hello| hello["seat"] = json!(clinic.booked.seat("host").unwrap())),
        changed(&|hello| hello["visit"] = json!("01938000-0000-7000-8000-00000000000a")),
        changed(&|hello| hello["ticket"] = json!("")),
        changed(&|hello| hello["ticket"] = json!("A".repeat(60_000))),
        changed(&|hello| (hello["ticket"], hello["secret"]) = (json!(null), json!("cedar-street.AAAA"))),
        changed(&|hello| (hello["ticket"], hello["secret"]) = (json!(null), json!("no-point"))),
        changed(&|hello| hello["ticket"] = json!(null)),
    ] {
        let told = clinic.first_frame(&text).await?;
        ensure!(
            told == auth,
            "{told:?} for {}",
            text.chars().take(400).collect::<String>()
        );
    }
    clinic.foreign_origin().await?;
    println!("bad credentials; the others: {}", clinic.nobody_noticed().await?);
    Ok(())
}
