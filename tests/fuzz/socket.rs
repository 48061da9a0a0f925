//! A socket that says whatever comes to its mind, in a room with somebody who talks on.

use crate::mutate::{Bent, bent, each_place_bent, runner};
use heliograph_protocol::{ClientFrame, ClientMessage, Limits, ServerMessage};
use heliograph_signaling::Incoming;
use heliograph_tests::stage::{Stage, host, patient, visit};
use tokio::runtime::Runtime;

const CASES: u32 = 60;

/// A service that takes any number of frames.
fn stage() -> Stage {
    Stage::with_limits(Limits {
        messages_per_s: 1_000_000,
        burst: 1_000_000,
        ..Limits::default()
    })
}

/// Somebody's frames, with our people in place of those of the fixtures.
fn ours(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let replaced = [
        ("01938000-0000-7000-8000-00000000000a", visit().to_string()),
        ("01938000-0000-7000-8000-000000000001", patient().to_string()),
        ("01938000-0000-7000-8000-000000000002", host().to_string()),
    ];
    replaced
        .iter()
        .fold(text.into_owned(), |text, (theirs, our)| text.replace(theirs, our))
}

/// Numbers a frame that can be read, so that it gets beyond the numbers.
fn numbered(text: String, c: &mut u64) -> String {
    match ClientFrame::parse(&text) {
        Ok(frame) if frame.c.is_some() => {
            *c += 1;
            let frame = ClientFrame {
                c: Some(*c),
                session: None,
                ..frame
            };
            frame.to_text()
        }
        Ok(_) | Err(_) => text,
    }
}

/// All these frames on sockets of the patient, in small numbers, while the physician talks on.
async fn survive(frames: impl Iterator<Item = Vec<u8>>) -> u32 {
    let stage = stage();
    let (mut host_page, mut host) = stage.comes(host()).await;
    let (mut holder, mut sent) = (None, 0);
    let frames: Vec<_> = frames.collect();
    for some in frames.chunks(20) {
        let mut page = stage.page(patient());
        let socket = stage.join(&mut page, holder.take()).await;
        let mut c = 0;
        for (i, frame) in some.iter().enumerate() {
            let odd = [Incoming::Pong, Incoming::Other, Incoming::TooLarge];
            if i % 7 == 6 {
                socket.send(odd[i % 3].clone());
            }
            socket.say(numbered(ours(frame), &mut c));
            sent += 1;
        }
        socket.end().await;
        holder = Some(page.session().to_string());
        let said = host_page.write(ClientMessage::Nop {});
        host.say(said);
        let own = host_page.session().to_string();
        let last = host_page.open();
        host.until(&mut host_page, |message| matches!(message, ServerMessage::Ack { .. }))
            .await;
        assert!(host_page.open() < last, "{own} was not heard");
    }
    host.end().await;
    sent
}

#[test]
fn no_bent_frame_ends_a_room_or_a_session_otherwise_than_by_a_close() {
    let runtime = Runtime::new().unwrap();
    let frames = proptest::collection::vec(bent(), 1..40);
    let ran = runner(CASES).run(&frames, |frames| {
        runtime.block_on(survive(frames.into_iter().map(|Bent(bytes)| bytes)));
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn no_first_frame_panics_a_session() {
    let runtime = Runtime::new().unwrap();
    let ran = runner(CASES).run(&bent(), |Bent(bytes)| {
        runtime.block_on(async {
            let stage = stage();
            let socket = stage.open();
            let mut page = stage.page(patient());
            let hello = page.hello(Some(stage.ticket(patient())), None);
            // Half of them are a good hello with something of the frame in it.
            let bent = ours(&bytes);
            let mixed = match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&bent) {
                Ok(fields) if bytes.len() % 2 == 0 => {
                    let mut all: serde_json::Map<_, _> = serde_json::from_str(&hello).expect("a hello");
                    all.extend(
                        fields
                            .into_iter()
                            .filter(|(name, _)| name != "type" && name != "ticket"),
                    );
                    serde_json::Value::Object(all).to_string()
                }
                Ok(_) | Err(_) => bent,
            };
            socket.say(mixed);
            socket.end().await;
        });
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn every_place_of_a_fixture_bent_is_survived() {
    let runtime = Runtime::new().unwrap();
    let frames = each_place_bent().step_by(23).map(|Bent(bytes)| bytes);
    let sent = runtime.block_on(survive(frames));
    println!("{sent} frames");
}
