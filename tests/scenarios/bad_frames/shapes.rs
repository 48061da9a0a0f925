//! Frames of a wrong shape: truncated, oversized, of other types, with a field more or less.

use super::{
    bend::{Fixture, fixtures},
    clinic::{Clinic, judge},
};
use crate::service::SOON;
use anyhow::{Result, bail, ensure};
use heliograph_client::{Ended, Visitor};
use heliograph_protocol::{ErrorCode, ServerMessage};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// All wrong shapes of a message that carries this number.
fn wrong(fixture: &Fixture, c: u64, session: &str) -> Vec<String> {
    let fixture = fixture.numbered(c, session);
    let optional = |text: &String| judge(text).is_err();
    let mut all = fixture.truncated();
    all.extend(fixture.wrong_types());
    all.extend(fixture.unknown_fields());
    // Some may be missing.
    all.extend(fixture.missing_fields().into_iter().filter(optional));
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_in_every_wrong_shape_gets_a_typed_error() -> Result<()> {
    let clinic = Clinic::open().await?;
    let mut bad = clinic.bad_member().await?;
    let mut told: BTreeMap<ErrorCode, usize> = BTreeMap::new();
    for fixture in fixtures()? {
        for which in 0..wrong(&fixture, 1, &bad.session()).len() {
            let text = &wrong(&fixture, bad.c + 1, &bad.session())[which];
            *told.entry(bad.refused(text).await?).or_default() += 1;
        }
    }
    println!(
        "wrong shapes by code: {told:?}; the others: {}",
        clinic.nobody_noticed().await?
    );
    for code in [ErrorCode::BadJson, ErrorCode::BadMessage, ErrorCode::UnknownType] {
        ensure!(told.get(&code).is_some_and(|count| *count > 20), "{code:?}: {told:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_wrong_first_frame_closes_the_socket() -> Result<()> {
    let clinic = Clinic::open().await?;
    let mut count = 0;
    for fixture in fixtures()? {
        let first = if fixture.name == "hello" {
            wrong(&fixture, 1, "")
        } else {
            vec![fixture.text()]
        };
        for text in first {
            let (code, close) = clinic.first_frame(&text).await?;
            ensure!(code.is_some(), "no error for {text}");
            ensure!(
                close.is_some_and(|close| close.number() >= 4100),
                "{close:?} for {text}"
            );
            count += 1;
        }
    }
    println!("{count} first frames; the others: {}", clinic.nobody_noticed().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_above_the_limit_ends_its_socket_and_the_page_comes_back() -> Result<()> {
    let clinic = Clinic::open().await?;
    let mut visitor = clinic.bad_member().await?.visitor;
    for fixture in fixtures()? {
        visitor.send_raw(&fixture.oversized()).await?;
        let too_large = visitor.until(SOON, |_, m| match m {
            ServerMessage::Error { code, .. } => Some(*code),
            _ => None,
        });
        match too_large.await {
            Ok(ErrorCode::TooLarge) => {
                let ended = visitor.closed(SOON).await;
                ensure!(
                    matches!(ended, Ok(_) | Err(Ended::Line(_))),
                    "{}: {ended:?}",
                    fixture.name
                );
            }
            // What was sent and not read may have the system cut the connection before the error is seen.
            Err(Ended::Line(_) | Ended::Closed(_)) => {}
            other => bail!("{}: {other:?}", fixture.name),
        }
        visitor = Visitor::connect(&clinic.service.base, visitor.cut(), None, None).await?;
        visitor
            .until(SOON, |_, m| matches!(m, ServerMessage::Welcome { .. }).then_some(()))
            .await?;
    }
    let (code, _) = clinic.first_frame(&" ".repeat(66_000)).await?;
    ensure!(code.is_none_or(|code| code == ErrorCode::TooLarge), "{code:?}");
    println!("oversized frames; the others: {}", clinic.nobody_noticed().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_part_above_its_limit_is_refused_and_takes_its_number() -> Result<()> {
    let clinic = Clinic::open().await?;
    let mut bad = clinic.bad_member().await?;
    let long = |length: usize| json!("x".repeat(length));
    let wide = |length: usize| json!("é".repeat(length));
    let list = |one: Value, count: usize| Value::Array(vec![one; count]);
    let quality = json!({"participant": clinic.patient()?, "level": "good"});
    for (name, field, value, code) in [
        ("sdp", "sdp", long(49_153), ErrorCode::TooLarge),
        ("sdp", "sdp", wide(24_577), ErrorCode::TooLarge),
        ("sdp", "pc", long(17), ErrorCode::BadMessage),
        ("sdp", "pc", long(0), ErrorCode::BadMessage),
        ("reset", "pc", long(17), ErrorCode::BadMessage),
        ("ice", "pc", long(17), ErrorCode::BadMessage),
        (
            "ice",
            "candidates",
            list(json!({"candidate": ""}), 21),
            ErrorCode::TooLarge,
        ),
        ("chat", "text", long(4_001), ErrorCode::TooLarge),
        ("chat", "text", json!("🧑".repeat(4_097)), ErrorCode::TooLarge),
        ("chat", "text", long(0), ErrorCode::BadMessage),
        ("chat", "id", long(65), ErrorCode::BadMessage),
        ("chat", "id", long(0), ErrorCode::BadMessage),
        ("chat", "canned", long(65), ErrorCode::BadMessage),
        ("admit", "message", long(4_001), ErrorCode::TooLarge),
        ("deny", "message", long(4_001), ErrorCode::TooLarge),
        ("hold", "message", wide(4_001), ErrorCode::TooLarge),
        ("remove", "message", long(16_385), ErrorCode::TooLarge),
        ("extend", "minutes", json!(4), ErrorCode::BadMessage),
        ("extend", "minutes", json!(61), ErrorCode::BadMessage),
        ("extend", "minutes", json!(u32::MAX), ErrorCode::BadMessage),
        ("call_me", "number", long(33), ErrorCode::BadMessage),
        ("call_me", "number", long(2), ErrorCode::BadMessage),
        ("quality", "peers", list(quality, 9), ErrorCode::BadMessage),
    ] {
        let mut fixture = fixtures()?
            .into_iter()
            .find(|one| one.name == name)
            .unwrap()
            .numbered(bad.c + 1, &bad.session());
        fixture.fields.insert(field.to_owned(), value);
        let told = bad.refused(&fixture.text()).await?;
        ensure!(told == code, "{name} {field}: {told:?}");
    }
    println!(
        "parts above their limits; the others: {}",
        clinic.nobody_noticed().await?
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_text_is_an_error_and_the_socket_stays() -> Result<()> {
    let clinic = Clinic::open().await?;
    let mut bad = clinic.bad_member().await?;
    for bytes in [vec![], vec![0xff; 100], br#"{"type":"ping"}"#.to_vec()] {
        bad.visitor.send_bytes(bytes).await?;
        let answers = bad.answers().await?;
        ensure!(
            answers.contains(&super::clinic::Answer::Error(ErrorCode::BadJson)),
            "{answers:?}"
        );
    }
    println!("binary frames; the others: {}", clinic.nobody_noticed().await?);
    Ok(())
}
