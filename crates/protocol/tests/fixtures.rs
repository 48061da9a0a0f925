//! Every message has a fixture, which reads and writes back unchanged; the web client's tests read the same files.
//! `hello.desk.json` is another form of `hello`.

use heliograph_protocol::{Capabilities, ClientFrame, ClientMessage, Limits, ServerFrame, ServerMessage, SharedFrame};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::PathBuf};

fn fixtures(side: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(side);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            (
                path.file_stem().unwrap().to_str().unwrap().to_owned(),
                fs::read_to_string(path).unwrap(),
            )
        })
        .collect()
}

fn kind(name: &str) -> &str {
    name.split('.').next().unwrap()
}

fn kinds(side: &str) -> BTreeSet<String> {
    let named = fixtures(side).into_iter();
    named.map(|(name, _)| kind(&name).to_owned()).collect()
}

#[test]
fn every_message_has_a_fixture() {
    assert_eq!(kinds("client"), ClientMessage::KINDS.map(str::to_owned).into());
    assert_eq!(kinds("server"), ServerMessage::KINDS.map(str::to_owned).into());
}

#[test]
fn client_fixtures_read_and_write_back_unchanged() {
    for (name, text) in fixtures("client") {
        let frame = ClientFrame::parse(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(frame.message.kind(), kind(&name));
        assert_eq!(frame.message.check(&Limits::default()), Ok(()), "{name}");
        let written: Value = serde_json::from_str(&frame.to_text()).unwrap();
        let mut expected: Value = serde_json::from_str(&text).unwrap();
        if name == "hello.desk" {
            // A desk has none to tell of; what is left out is written as it is understood.
            expected["capabilities"] = serde_json::to_value(Capabilities::default()).unwrap();
        }
        assert_eq!(written, expected, "{name}");
    }
}

#[test]
fn server_fixtures_read_and_write_back_unchanged() {
    for (name, text) in fixtures("server") {
        let frame = ServerFrame::parse(&text).unwrap();
        let message = frame.message.unwrap_or_else(|| panic!("{name} is not understood"));
        let shared = SharedFrame::new(frame.header.clone(), &message);
        let written = match frame.header.p {
            Some(p) => shared.for_reader(p),
            None => shared.into_text(),
        };
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["type"], kind(&name));
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value, "{name}");
    }
}

#[test]
fn every_client_fixture_with_an_unknown_field_is_refused() {
    for (name, text) in fixtures("client") {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        value["surprise"] = 1.into();
        let refused = ClientFrame::parse(&value.to_string()).unwrap_err();
        assert_eq!(refused.code, heliograph_protocol::ErrorCode::BadMessage, "{name}");
        assert_eq!(refused.c, value["c"].as_u64(), "{name}");
    }
}

#[test]
fn a_client_skips_what_it_does_not_know_and_keeps_its_place() {
    let frame = ServerFrame::parse(r#"{"type":"hologram","s":9,"p":8,"beam":true}"#).unwrap();
    assert_eq!(
        (frame.header.s, frame.header.p, frame.message),
        (Some(9), Some(8), None)
    );
    for (name, text) in fixtures("server") {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        value["surprise"] = 1.into();
        assert!(
            ServerFrame::parse(&value.to_string()).unwrap().message.is_some(),
            "{name}"
        );
    }
}
