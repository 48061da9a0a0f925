//! The form of what lies in a log. A change here breaks logs that exist: it needs a new kind or a new `rules` number.

use crate::support::{HOST, Log, PATIENT, admit, chat, seat};
use heliograph_domain::{
    UnixMillis,
    entry::{Audience, Chain, ClaimRow, EntryHeader},
};
use heliograph_protocol::To;
use heliograph_room::{Body, Room};
use serde_json::{Value, json};

fn read(kind: &str, session: &str, row: Option<ClaimRow>, data: &Value) -> Body {
    let header = EntryHeader {
        seq: 1,
        chain: Chain::START,
        from: None,
        session: session.to_owned(),
        cseq: 1,
        audience: Audience::All,
        kind: kind.to_owned(),
        at: UnixMillis(1),
    };
    let data = if data.is_null() {
        Vec::new()
    } else {
        serde_json::to_vec(data).unwrap()
    };
    Body::read(&header, row, &data).unwrap()
}

#[test]
fn entries_keep_their_form() {
    let opened = json!({
        "nonce": "bm9uY2U", "rules": 1,
        "admitted": [seat(4)], "held": [seat(3)], "removed": [seat(5)], "ended": 1_000,
        "deadlines": {"undo_end_ms": 10_000, "reopen_ms": 1_800_000},
        "most_admitted": 4
    });
    let Body::Opened(body) = read("opened", "open", None, &opened) else {
        panic!()
    };
    assert_eq!(serde_json::to_value(body).unwrap(), opened);

    let row = json!({
        "session": "session-1", "attempt": 2, "connection": "c1",
        "outbox": [{"session": "session-0", "first_c": 3, "next_c": 5}]
    });
    let row: ClaimRow = serde_json::from_value(row).unwrap();
    let claim = json!({
        "role": "patient", "name": "Maryam Al-Harbi", "language": "ar", "rights_until": 5_000,
        "capabilities": {"trickle": true, "rollback": false}
    });
    let Body::Claim(back, body) = read("claim", "k:session-1", Some(row.clone()), &claim) else {
        panic!()
    };
    assert_eq!((back, serde_json::to_value(body).unwrap()), (row, claim));

    let void = json!({"code": "too_large"});
    let Body::Void(body) = read("void", "session-1", None, &void) else {
        panic!()
    };
    assert_eq!(serde_json::to_value(body).unwrap(), void);

    let notice = json!({"kind": "moved", "start_ms": 7_000});
    let Body::Notice(body) = read("notice", "o:17", None, &notice) else {
        panic!()
    };
    assert_eq!(serde_json::to_value(body).unwrap(), notice);

    let lapsed = Body::Presence {
        session: "session-1".to_owned(),
        attempt: 2,
        left: false,
    };
    assert_eq!(
        read("presence", "p:session-1:2:reconnecting", None, &Value::Null),
        lapsed
    );
    assert_eq!(
        read("due", "d:1796140800000", None, &Value::Null),
        Body::Due(UnixMillis(1_796_140_800_000))
    );
    assert_eq!(read("hologram", "session-1", None, &json!({})), Body::Unknown);
}

/// The fold of a small log, as its snapshot's bytes: what an older release wrote, this one must read.
#[test]
fn a_snapshot_keeps_its_form() {
    let mut log = Log::new().with(&[HOST, PATIENT]);
    log.say(PATIENT, chat(To::Staff));
    log.say(HOST, admit(PATIENT));
    let snapshot: Value = serde_json::from_slice(&log.room.to_snapshot()).unwrap();
    insta::assert_json_snapshot!(snapshot, { ".chain" => "[chain]" });
    let kept = Room::from_snapshot(&log.room.to_snapshot()).unwrap();
    assert_eq!(kept, log.room);
}
