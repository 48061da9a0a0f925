//! Numbers that are no numbers, go backwards, or are far away.

use super::clinic::{Answer, Bad, Clinic};
use crate::{call::snapshot, service::SOON};
use anyhow::{Context, Result, ensure};
use heliograph_client::Visitor;
use heliograph_protocol::{ErrorCode, Resumed, ServerMessage};
use serde_json::{Value, json};

const FAR: u64 = 1 << 52;

fn chat(c: &Value) -> String {
    json!({"type": "chat", "c": c, "id": "x", "text": "x", "to": "staff"}).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_is_none_or_the_wrong_one_is_told() -> Result<()> {
    let clinic = Clinic::open().await?;
    let mut bad = clinic.bad_member().await?;
    let none = [
        json!(0),
        json!(-1),
        json!(1.5),
        json!("1"),
        json!(null),
        json!(1_u64 << 53),
        json!(u64::MAX),
        json!(1e30),
    ];
    for c in &none {
        let answers = bad.send(&chat(c), false).await?;
        ensure!(answers == [Answer::Error(ErrorCode::BadMessage)], "{c}: {answers:?}");
    }
    let unnumbered = json!({"type": "chat", "id": "x", "text": "x", "to": "staff"}).to_string();
    let answers = bad.send(&unnumbered, false).await?;
    ensure!(answers == [Answer::Error(ErrorCode::BadMessage)], "{answers:?}");
    for back in [bad.c, 1, bad.c / 2] {
        let now = bad.c;
        let answers = bad.send(&chat(&json!(back)), false).await?;
        ensure!(answers == [Answer::Acked(now, false)], "{back} again: {answers:?}");
    }
    for far in [bad.c + 40, FAR, (1 << 53) - 1] {
        let now = bad.c;
        let answers = bad.send(&chat(&json!(far)), false).await?;
        let told = [Answer::Error(ErrorCode::Gap), Answer::Acked(now, true)];
        ensure!(answers == told, "{far}: {answers:?}");
    }
    println!("wrong numbers; the others: {}", clinic.nobody_noticed().await?);
    Ok(())
}

async fn resume(clinic: &Clinic, bad: Bad, change: impl FnOnce(&mut Value)) -> Result<(Bad, Resumed)> {
    let mut page = bad.visitor.cut();
    let mut hello: Value = serde_json::from_str(&page.hello(None, None))?;
    change(&mut hello);
    let mut visitor = Visitor::connect_saying(&clinic.service.base, page, hello.to_string()).await?;
    let resumed = visitor.until(SOON, |_, m| match m {
        ServerMessage::Welcome { resumed, .. } => Some(*resumed),
        _ => None,
    });
    let resumed = resumed
        .await
        .with_context(|| hello.to_string().chars().take(600).collect::<String>())?;
    Ok((Bad { visitor, c: bad.c }, resumed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_that_the_log_never_had_is_resynced_and_nobody_else() -> Result<()> {
    let clinic = Clinic::open().await?;
    let mut bad = clinic.bad_member().await?;
    for last in [
        json!({"s": FAR, "chain": "0123456789abcdef"}),
        json!({"s": u64::MAX, "chain": "0000000000000000"}),
        json!({"s": 0, "chain": "ffffffffffffffff"}),
        json!({"s": 1, "chain": "ffffffffffffffff"}),
    ] {
        let resumed;
        (bad, resumed) = resume(&clinic, bad, |hello| hello["last"] = last.clone()).await?;
        ensure!(resumed == Resumed::Resync, "{last}: {resumed:?}");
        bad.visitor.until(SOON, snapshot).await?;
        ensure!(bad.answers().await?.is_empty(), "{last}");
    }
    let acks = [json!(FAR), json!(u64::MAX), json!(0)];
    for s in acks {
        let ack = json!({"type": "ack", "s": s, "chain": "0123456789abcdef"}).to_string();
        let answers = bad.send(&ack, false).await?;
        ensure!(
            answers.iter().all(|answer| matches!(answer, Answer::Error(_))),
            "{s}: {answers:?}"
        );
    }
    let marks: serde_json::Map<_, _> = (0..1_000).map(|i| (format!("session-{i}"), json!(u64::MAX))).collect();
    let (mut bad, _) = resume(&clinic, bad, |hello| hello["marks"] = marks.into()).await?;
    bad.answers().await?;
    println!("far places; the others: {}", clinic.nobody_noticed().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn huge_outboxes_harm_only_their_own_page() -> Result<()> {
    let clinic = Clinic::open().await?;
    let own = |hello: &Value| hello["session"].clone();
    let outboxes: [fn(&Value) -> Value; 5] = [
        |own| json!([{"session": own, "first_c": 1, "next_c": (1_u64 << 53) - 1}]),
        |own| json!([{"session": "older-session-1", "first_c": 1, "next_c": 1}, {"session": own, "first_c": 1, "next_c": u64::MAX}]),
        |own| json!([{"session": "older-session-2", "first_c": FAR, "next_c": FAR}, {"session": own, "first_c": 1, "next_c": 2}]),
        |own| json!([{"session": own, "first_c": FAR, "next_c": FAR + 1}]),
        |own| {
            let older = (0..15)
                .map(|i| json!({"session": format!("older-session-{i}"), "first_c": u64::MAX, "next_c": u64::MAX}));
            Value::Array(
                older
                    .chain([json!({"session": own, "first_c": 1, "next_c": 1})])
                    .collect(),
            )
        },
    ];
    let mut bad = clinic.bad_page().await?;
    for outbox in outboxes {
        bad.answers().await?;
        (bad, _) = resume(&clinic, bad, |hello| hello["outbox"] = outbox(&own(hello))).await?;
        // It goes on under whatever number it has now; the person's next page takes the seat.
        for c in [bad.c + 1, FAR] {
            bad.visitor.send_raw(&chat(&json!(c))).await?;
        }
        bad = clinic.bad_page_after(&bad).await?;
    }
    let mut hello = clinic.hello().await?;
    let older = json!({"session": "older-session", "first_c": 1, "next_c": 1});
    hello["outbox"] = Value::Array(vec![older; 17]);
    let (code, _) = clinic.first_frame(&hello.to_string()).await?;
    ensure!(code == Some(ErrorCode::BadMessage), "{code:?}");
    println!("huge outboxes; the others: {}", clinic.nobody_noticed().await?);
    Ok(())
}
