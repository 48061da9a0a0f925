//! Entries in any order, with any content, from anybody.

use crate::mutate::{Bent, bent, each_place_bent, runner};
use heliograph_domain::{
    Language, ParticipantId, Pii, Role, UnixMillis,
    entry::{Audience, ClaimRow, EntryHeader, OutboxSpan},
};
use heliograph_protocol::{Capabilities, ClientFrame, ErrorCode};
use heliograph_room::{Body, ClaimData, Deadlines, Entry, Opened, RULES, Room, VoidData};
use proptest::{prelude::*, sample::select};

const CASES: u32 = 300;

/// One entry of a log.
#[derive(Debug, Clone)]
enum Step {
    Claim(u8, u8),
    Say(u8, Bent),
    /// Whatever lies in the log under this kind.
    Raw(u8, &'static str, Vec<u8>),
    Presence(u8, String),
    Due(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let kinds = vec![
        "opened", "claim", "void", "notice", "presence", "due", "chat", "admit", "hologram", "",
    ];
    prop_oneof![
        3 => (1..6_u8, 0..3_u8).prop_map(|(seat, page)| Step::Claim(seat, page)),
        12 => (1..6_u8, bent()).prop_map(|(seat, frame)| Step::Say(seat, frame)),
        2 => (1..6_u8, select(kinds), bent()).prop_map(|(seat, kind, Bent(data))| Step::Raw(seat, kind, data)),
        1 => (1..6_u8, "p:s-[1-5]-[0-2]:[0-3]:(left|reconnecting|)").prop_map(|(seat, name)| Step::Presence(seat, name)),
        1 => any::<i64>().prop_map(Step::Due),
    ]
}

fn seat(n: u8) -> ParticipantId {
    ParticipantId::from_parts(UnixMillis(1), &[n; 10])
}

/// A frame about people of this room: the fixtures name two who are in none.
fn about_us(bytes: &[u8], n: u8) -> String {
    let text = String::from_utf8_lossy(bytes);
    let (host, patient) = (seat(1).to_string(), seat(1 + n % 5).to_string());
    text.replace("01938000-0000-7000-8000-000000000002", &host)
        .replace("01938000-0000-7000-8000-000000000001", &patient)
}

fn body(step: &Step, header: &mut EntryHeader) -> Body {
    match step {
        Step::Claim(n, page) => {
            let session = format!("s-{n}-{page}");
            header.session = format!("k:{session}");
            let row = ClaimRow {
                session: session.clone(),
                attempt: header.seq,
                connection: header.seq.to_string(),
                outbox: vec![OutboxSpan {
                    session,
                    first_c: 1,
                    next_c: u64::MAX,
                }],
                ticket: None,
            };
            let role = [Role::Host, Role::Staff, Role::Interpreter, Role::Patient, Role::Guest][usize::from(n - 1)];
            let data = ClaimData {
                role,
                name: Pii::new("Maryam".to_owned()),
                language: "ar".parse::<Language>().unwrap(),
                rights_until: UnixMillis(i64::MAX),
                capabilities: Capabilities::default(),
                stands: None,
            };
            Body::Claim(row, data)
        }
        Step::Say(n, Bent(bytes)) => {
            header.session = format!("s-{n}-0");
            match ClientFrame::parse(&about_us(bytes, *n)) {
                Ok(frame) => {
                    frame.message.kind().clone_into(&mut header.kind);
                    header.cseq = frame.c.unwrap_or(1);
                    Body::Message(frame.message)
                }
                Err(bad) => Body::Void(VoidData { code: bad.code }),
            }
        }
        Step::Raw(_, kind, data) => {
            (*kind).clone_into(&mut header.kind);
            let row = ClaimRow::split(data).map(|(row, _)| row);
            Body::read(header, row, data).unwrap_or(Body::Unknown)
        }
        Step::Presence(_, name) => {
            (header.session, header.kind) = (name.clone(), "presence".to_owned());
            Body::read(header, None, &[]).unwrap_or(Body::Void(VoidData {
                code: ErrorCode::Internal,
            }))
        }
        Step::Due(at) => Body::Due(UnixMillis(*at)),
    }
}

fn from(step: &Step) -> Option<ParticipantId> {
    match step {
        Step::Claim(n, _) | Step::Say(n, _) | Step::Raw(n, ..) | Step::Presence(n, _) => Some(seat(*n)),
        Step::Due(_) => None,
    }
}

fn opened() -> Body {
    Body::Opened(Opened {
        nonce: "nonce".to_owned(),
        rules: RULES,
        admitted: vec![seat(4)],
        held: vec![],
        removed: vec![],
        ended: None,
        most_admitted: 4,
        deadlines: Deadlines {
            undo_end_ms: 10_000,
            reopen_ms: 1_800_000,
        },
    })
}

/// Folds the steps, and the same from a snapshot in the middle.
fn fold(steps: &[Step]) {
    let (mut room, mut other) = (Room::new(), None);
    for i in 0..=steps.len() {
        let step = i.checked_sub(1).map(|i| &steps[i]);
        let mut header = EntryHeader {
            seq: room.seq() + 1,
            chain: room.chain(),
            from: step.and_then(from),
            session: "open".to_owned(),
            cseq: 1,
            audience: [Audience::All, Audience::Staff, Audience::Own, Audience::Seat(seat(3))][i % 4],
            kind: "opened".to_owned(),
            at: UnixMillis(room.at().0 + 500),
        };
        let body = step.map_or_else(opened, |step| body(step, &mut header));
        let session = header.session.as_str();
        let (from, kind, at) = (header.from, header.kind.as_str(), header.at);
        header.chain = room
            .chain()
            .after(from, session, header.cseq, header.audience, kind, at, b"");
        let entry = Entry { header, body };
        let applied = room.apply(&entry);
        if let Some(other) = &mut other {
            assert_eq!(Room::apply(other, &entry), applied, "from the snapshot on");
        }
        if i == steps.len() / 2 {
            other = Some(Room::from_snapshot(&room.to_snapshot()).unwrap());
        }
        for n in 1..6 {
            room.view(seat(n));
        }
        drop((room.marks(), room.next_deadline(), room.last_rights()));
    }
    let other = other.expect("there is a middle");
    assert_eq!(other.to_snapshot(), room.to_snapshot());
}

#[test]
fn no_entry_panics_the_fold_and_a_snapshot_goes_on_like_the_room() {
    let ran = runner(CASES).run(&proptest::collection::vec(step(), 1..60), |steps| {
        fold(&steps);
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Whatever is readable, said twice by each of five people who are all in the room.
#[test]
fn every_place_of_a_fixture_bent_is_folded() {
    let come = (1..6).map(|n| Step::Claim(n, 0));
    let let_in = (3..6).map(|n| {
        let admit = format!(r#"{{"type":"admit","c":1,"participant":"{}"}}"#, seat(n));
        Step::Say(1, Bent(admit.into_bytes()))
    });
    let before: Vec<_> = come.chain(let_in).collect();
    let readable = each_place_bent().filter(|Bent(bytes)| ClientFrame::parse(&String::from_utf8_lossy(bytes)).is_ok());
    let mut count = 0;
    for frame in readable {
        let said = (1..6).flat_map(|n| [Step::Say(n, frame.clone()), Step::Say(n, frame.clone())]);
        fold(&before.iter().cloned().chain(said).collect::<Vec<_>>());
        count += 1;
    }
    println!("{count} frames, each said ten times");
    assert!(count > 500, "{count}");
}
