//! What is wrong with a frame is told by code and number, and never by repeating a person's words.

use heliograph_protocol::{BadFrame, ClientFrame, ClientMessage, CloseCode, ErrorCode, Limits};

fn refused(text: &str) -> BadFrame {
    ClientFrame::parse(text).unwrap_err()
}

#[test]
fn bad_frames_say_what_is_wrong() {
    for (text, code, c) in [
        ("", ErrorCode::BadJson, None),
        ("[1]", ErrorCode::BadJson, None),
        ("{\"type\":\"end\",\"c\":1", ErrorCode::BadJson, None),
        (r#"{"c":4}"#, ErrorCode::UnknownType, Some(4)),
        (r#"{"type":7,"c":4}"#, ErrorCode::UnknownType, Some(4)),
        (r#"{"type":"teleport","c":4}"#, ErrorCode::UnknownType, Some(4)),
        (r#"{"type":"end"}"#, ErrorCode::BadMessage, None),
        (r#"{"type":"end","c":0}"#, ErrorCode::BadMessage, None),
        (r#"{"type":"end","c":9007199254740992}"#, ErrorCode::BadMessage, None),
        (r#"{"type":"ping","c":3}"#, ErrorCode::BadMessage, None),
        (r#"{"type":"end","c":4,"session":"x"}"#, ErrorCode::BadMessage, Some(4)),
        (
            r#"{"type":"lock","c":4,"locked":"yes"}"#,
            ErrorCode::BadMessage,
            Some(4),
        ),
        (
            r#"{"type":"admit","c":4,"participant":"Maryam"}"#,
            ErrorCode::BadMessage,
            Some(4),
        ),
        (
            r#"{"type":"sdp","c":4,"to":"*","pc":"av","generation":1,"kind":"offer","sdp":""}"#,
            ErrorCode::BadMessage,
            Some(4),
        ),
    ] {
        let bad = refused(text);
        assert_eq!((bad.code, bad.c), (code, c), "{text}");
    }
}

#[test]
fn an_error_repeats_no_value_of_the_frame() {
    for text in [
        r#"{"type":"admit","c":4,"participant":"canary-name"}"#,
        r#"{"type":"lock","c":4,"locked":"canary-name"}"#,
        r#"{"type":"role","c":4,"participant":"01938000-0000-7000-8000-000000000001","role":"canary-name"}"#,
        r#"{"type":"chat","c":4,"id":"1","text":["canary-name"],"to":"*"}"#,
        r#"{"type":"canary-name","c":4}"#,
    ] {
        let bad = refused(text);
        assert!(!bad.detail.contains("canary"), "{}", bad.detail);
    }
}

#[test]
fn limits_hold_at_their_edge() {
    let limits = Limits {
        sdp_bytes: 10,
        chat_chars: 3,
        ice_batch: 1,
        ..Limits::default()
    };
    let check = |text: &str| {
        ClientFrame::parse(text)
            .unwrap()
            .message
            .check(&limits)
            .map_err(|(code, _)| code)
    };
    let seat = "01938000-0000-7000-8000-000000000001";
    let sdp = |body: &str| {
        format!(r#"{{"type":"sdp","c":1,"to":"{seat}","pc":"av","generation":1,"kind":"offer","sdp":"{body}"}}"#)
    };
    assert_eq!(check(&sdp("0123456789")), Ok(()));
    assert_eq!(check(&sdp("0123456789a")), Err(ErrorCode::TooLarge));
    let chat = |body: &str| format!(r#"{{"type":"chat","c":1,"id":"1","text":"{body}","to":"*"}}"#);
    assert_eq!(check(&chat("شكر")), Ok(()));
    assert_eq!(check(&chat("four")), Err(ErrorCode::TooLarge));
    assert_eq!(check(&chat("")), Err(ErrorCode::BadMessage));
    let ice = |n: usize| {
        let list = vec![r#"{"candidate":""}"#; n].join(",");
        format!(r#"{{"type":"ice","c":1,"to":"{seat}","pc":"av","generation":1,"candidates":[{list}]}}"#)
    };
    assert_eq!(check(&ice(1)), Ok(()));
    assert_eq!(check(&ice(2)), Err(ErrorCode::TooLarge));
}

#[test]
fn only_durable_messages_carry_a_number() {
    let numbered = ClientMessage::KINDS
        .iter()
        .filter(|kind| ClientFrame::parse(&format!(r#"{{"type":"{kind}"}}"#)).is_err());
    assert!(numbered.count() > 20);
    assert!(ClientFrame::parse(r#"{"type":"ping"}"#).is_ok());
}

#[test]
fn close_codes_say_whether_to_come_back() {
    for code in CloseCode::ALL {
        assert_eq!(CloseCode::from_number(code.number()), Some(code));
        assert_eq!(code.reconnect(), code.number() < 4100);
    }
}
