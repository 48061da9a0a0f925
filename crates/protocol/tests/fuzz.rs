//! Frames that nobody of ours sends: fixtures, bent at random. A failure prints the bent frame, made as short as it gets,
//! and every run its seed: `HELIOGRAPH_FUZZ_SEED=… cargo test -p heliograph-protocol --test fuzz` runs it again.

mod mutate;

use heliograph_protocol::{ClientFrame, ClientMessage, Header, Limits, ServerFrame, SharedFrame};
use mutate::{Bent, bent, runner};
use proptest::prelude::*;
use std::cell::Cell;

const CASES: u32 = 4_000;
const FIXTURES_FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

/// Reads a frame as both sides do: nothing panics, what is read is written so that it reads the same, and nothing that
/// passes the checks is above a limit. A fuzzer may call it with any bytes.
pub fn fuzz_frame(data: &[u8]) {
    // A WebSocket gives no other text.
    let Ok(text) = std::str::from_utf8(data) else { return };
    let limits = Limits::default();
    match ClientFrame::parse(text) {
        Ok(frame) => {
            let written = frame.to_text();
            assert_eq!(
                ClientFrame::parse(&written).as_ref(),
                Ok(&frame),
                "written as {written}"
            );
            assert!(frame.c.is_none_or(|c| (1..1 << 53).contains(&c)), "c of {written}");
            assert_eq!(frame.c.is_some(), frame.message.durable(), "{written}");
            if frame.message.check(&limits).is_ok() {
                assert_eq!(above_a_limit(&frame.message, &limits), None, "{written}");
            }
        }
        Err(bad) => {
            assert!(bad.c.is_none_or(|c| (1..1 << 53).contains(&c)), "{bad}");
            assert!(bad.detail.len() <= 400, "{bad}");
        }
    }
    if let Ok(frame) = ServerFrame::parse(text)
        && let Some(message) = &frame.message
    {
        let header = Header {
            p: None,
            ..frame.header.clone()
        };
        let shared = SharedFrame::new(header, message);
        let written = match frame.header.p {
            Some(p) => shared.for_reader(p),
            None => shared.into_text(),
        };
        assert_eq!(
            ServerFrame::parse(&written).ok().as_ref(),
            Some(&frame),
            "written as {written}"
        );
    }
}

/// What of a message is above its limit, said once more and in other words than the message's own check.
fn above_a_limit(message: &ClientMessage, limits: &Limits) -> Option<String> {
    let value = serde_json::to_value(message).unwrap();
    let bytes = |field: &str| value[field].as_str().map_or(0, str::len);
    let list = |field: &str| value[field].as_array().map_or(0, Vec::len);
    let chars = |field: &str| value[field].as_str().map_or(0, |text| text.chars().count());
    let is = [
        ("sdp", bytes("sdp"), limits.sdp_bytes),
        ("text", bytes("text"), limits.chat_bytes),
        ("text in characters", chars("text"), limits.chat_chars),
        ("message", bytes("message"), limits.chat_bytes),
        ("message in characters", chars("message"), limits.chat_chars),
        ("candidates", list("candidates"), limits.ice_batch),
        ("outbox", list("outbox"), 16),
        ("peers", list("peers"), 8),
        ("pc", bytes("pc"), 16),
        ("id", bytes("id"), 64),
        ("canned", bytes("canned"), 64),
        ("number", bytes("number"), 32),
        ("session", bytes("session"), 64),
        (
            "minutes",
            value["minutes"]
                .as_u64()
                .map_or(0, |minutes| usize::try_from(minutes).unwrap()),
            60,
        ),
    ];
    let above = is.into_iter().find(|(_, is, most)| is > most);
    above.map(|(what, is, most)| format!("{what} is {is}, the limit is {most}"))
}

#[test]
fn no_bent_frame_panics_or_reads_otherwise_when_written() {
    let (refused, read) = (Cell::new(0), Cell::new(0));
    let ran = runner(CASES).run(&bent(), |Bent(bytes)| {
        fuzz_frame(&bytes);
        let reads = std::str::from_utf8(&bytes).is_ok_and(|text| ClientFrame::parse(text).is_ok());
        let count = if reads { &read } else { &refused };
        count.set(count.get() + 1);
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
    println!("{CASES} frames: {} refused, {} read", refused.get(), read.get());
    let fair = CASES / 50;
    assert!(
        refused.get() > fair && read.get() > fair,
        "the changes are too tame or too wild"
    );
}

#[test]
fn no_place_of_a_fixture_takes_what_it_must_not() {
    let mut count = 0;
    for Bent(bytes) in mutate::each_place_bent() {
        fuzz_frame(&bytes);
        count += 1;
    }
    println!("{count} frames with one place bent");
    assert!(count > 5_000, "{count}");
}

#[test]
fn no_bytes_at_all_panic() {
    let ran = runner(CASES / 10).run(&proptest::collection::vec(any::<u8>(), 0..200), |bytes| {
        fuzz_frame(&bytes);
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
}
