//! What holds in every order of arrival.

use crate::support::{Log, admit, chat, decision, role, sdp, seat};
use heliograph_domain::entry::{Audience, Chain};
use heliograph_domain::{ParticipantId, Pii, Role, UnixMillis};
use heliograph_protocol::{
    Capabilities, ClientMessage, DeviceCheck, ErrorCode, Fault, Hello, Ice, IceCandidate, Media, NoticeKind, Phase,
    Reset, SeatState, ServerMessage, To,
};
use heliograph_room::{Body, Entry, Notice, Room};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use std::collections::{BTreeMap, BTreeSet};

/// A step of somebody: 1 to 9, staff and others.
#[derive(Debug, Clone)]
enum Step {
    Come(u8, u8),
    Say(u8, ClientMessage),
    Void(u8, ErrorCode),
    /// The lease of somebody's page runs out: of the page that sits there, or of one before it.
    Lose(u8, u8, bool),
    Notice(Notice),
    /// An entry of a later release, from somebody or from the service.
    Unknown(Option<u8>, Audience),
    Wait(i64),
    Due,
}

/// Every kind of message, those that never enter a log as well: a fold must not rely on the door.
fn message() -> impl Strategy<Value = ClientMessage> {
    let other = 1u8..=9;
    prop_oneof![decisions(other.clone()), media(other), of_the_room(), never_in_a_log()]
}

fn decisions(other: std::ops::RangeInclusive<u8>) -> impl Strategy<Value = ClientMessage> {
    prop_oneof![
        4 => other.clone().prop_map(admit),
        1 => other.clone().prop_map(|n| ClientMessage::Hold(decision(n))),
        1 => other.clone().prop_map(|n| ClientMessage::Deny(decision(n))),
        1 => other.clone().prop_map(|n| ClientMessage::Remove(decision(n))),
        1 => other.clone().prop_map(|n| ClientMessage::AskMute { participant: seat(n) }),
        1 => (other, any_role()).prop_map(|(n, role)| ClientMessage::Role { participant: seat(n), role }),
    ]
}

fn any_role() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![
        Role::Host,
        Role::Staff,
        Role::Interpreter,
        Role::Patient,
        Role::Guest,
    ])
}

fn media(other: std::ops::RangeInclusive<u8>) -> impl Strategy<Value = ClientMessage> {
    let pc = || "av".to_owned();
    prop_oneof![
        other.clone().prop_map(|n| chat(To::Seat(seat(n)))),
        Just(chat(To::All)),
        Just(chat(To::Staff)),
        (other.clone(), 0u64..4).prop_map(|(n, g)| sdp(n, g)),
        (other.clone(), 0u64..4).prop_map(move |(n, generation)| ClientMessage::Ice(Ice {
            to: seat(n),
            pc: pc(),
            generation,
            candidates: vec![IceCandidate {
                candidate: String::new(),
                sdp_mid: None,
                sdp_m_line_index: None,
                username_fragment: None,
            }],
        })),
        (other, 1u64..4).prop_map(move |(n, generation)| ClientMessage::Reset(Reset {
            to: seat(n),
            pc: pc(),
            generation
        })),
        any::<bool>().prop_map(|mic| ClientMessage::Media(Media {
            mic,
            ..Media::default()
        })),
    ]
}

fn of_the_room() -> impl Strategy<Value = ClientMessage> {
    prop_oneof![
        Just(ClientMessage::Knock {
            device: DeviceCheck::default()
        }),
        Just(ClientMessage::Unknock {}),
        any::<bool>().prop_map(|locked| ClientMessage::Lock { locked }),
        (5u32..=60).prop_map(|minutes| ClientMessage::Extend { minutes }),
        Just(ClientMessage::StepOut {}),
        Just(ClientMessage::End {}),
        Just(ClientMessage::UndoEnd {}),
        Just(ClientMessage::Reopen {}),
        Just(ClientMessage::CallMe {
            number: Pii::new("+1 323 555 0142".to_owned())
        }),
        Just(ClientMessage::Bye {}),
        Just(ClientMessage::Nop {}),
    ]
}

fn never_in_a_log() -> impl Strategy<Value = ClientMessage> {
    let hello = Hello {
        visit: None,
        seat: None,
        desk: true,
        session: "session-0".parse().unwrap(),
        attempt: 1,
        outbox: Vec::new(),
        ticket: None,
        secret: None,
        last: None,
        marks: None,
        takeover: None,
        capabilities: Capabilities::default(),
        zone: None,
        locale: None,
    };
    prop::sample::select(vec![
        ClientMessage::Hello(Box::new(hello)),
        ClientMessage::Ack {
            s: 1,
            chain: Chain::START,
        },
        ClientMessage::IceServers {},
        ClientMessage::Quality { peers: Vec::new() },
        ClientMessage::Ping {},
        ClientMessage::Simulate { what: Fault::Kill },
    ])
}

fn notice() -> impl Strategy<Value = Notice> {
    let kinds = vec![
        NoticeKind::Cancelled,
        NoticeKind::Moved,
        NoticeKind::Replaced,
        NoticeKind::Late,
        NoticeKind::Revoked,
    ];
    (prop::sample::select(kinds), prop::option::of(1u8..=9)).prop_map(|(kind, concerned)| Notice {
        kind,
        start_ms: (kind == NoticeKind::Moved).then_some(UnixMillis(2_000)),
        minutes: (kind == NoticeKind::Late).then_some(10),
        participant: concerned.map(seat),
    })
}

fn audience() -> impl Strategy<Value = Audience> {
    prop_oneof![
        Just(Audience::All),
        Just(Audience::Staff),
        Just(Audience::Own),
        (1u8..=9).prop_map(|n| Audience::Seat(seat(n))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let void = prop::sample::select(vec![ErrorCode::TooLarge, ErrorCode::BadMessage, ErrorCode::UnknownType]);
    prop_oneof![
        6 => (1u8..=9, 0u8..3).prop_map(|(n, page)| Step::Come(n, page)),
        24 => (1u8..=9, message()).prop_map(|(n, message)| Step::Say(n, message)),
        1 => (1u8..=9, void).prop_map(|(n, code)| Step::Void(n, code)),
        1 => (1u8..=9, 0u8..3, any::<bool>()).prop_map(|(n, page, left)| Step::Lose(n, page, left)),
        1 => notice().prop_map(Step::Notice),
        1 => (prop::option::of(1u8..=9), audience()).prop_map(|(n, audience)| Step::Unknown(n, audience)),
        2 => (0i64..20_000).prop_map(Step::Wait),
        2 => Just(Step::Due),
    ]
}

#[test]
fn every_kind_of_message_and_of_entry_is_played() {
    let mut runner = TestRunner::deterministic();
    let mut sample = || step().new_tree(&mut runner).unwrap().current();
    let mut kinds = BTreeSet::new();
    let steps: Vec<Step> = (0..4_000).map(|_| sample()).collect();
    play(&steps, |_, entry, _| {
        kinds.insert(entry.header.kind.clone());
    });
    let others = ["claim", "void", "presence", "notice", "hologram", "due"];
    let expected = ClientMessage::KINDS.into_iter().chain(others);
    let missing: Vec<_> = expected.filter(|kind| !kinds.contains(*kind)).collect();
    assert!(missing.is_empty(), "never played: {missing:?}");
}

/// Plays the steps; calls `look` after each entry with the state before it.
fn play(steps: &[Step], mut look: impl FnMut(&Room, &Entry, &heliograph_room::Applied)) -> Log {
    let mut log = Log::new();
    for step in steps {
        let before = log.room.clone();
        let applied = match step {
            Step::Come(n, page) => log.claim(*n, &format!("session-{n}-{page}")),
            Step::Say(n, message) => {
                let holder = log.room.holder(seat(*n)).map(|(session, _, _)| session.to_owned());
                log.say_in(*n, &holder.unwrap_or_else(|| format!("session-{n}-0")), message.clone())
            }
            Step::Void(n, code) => log.void(*n, *code),
            Step::Lose(n, page, left) => log.lose(*n, &format!("session-{n}-{page}"), *left),
            Step::Notice(notice) => {
                let name = format!("n:{}", log.entries.len());
                log.push(None, &name, Audience::All, "notice", Body::Notice(notice.clone()))
            }
            Step::Unknown(n, audience) => {
                let session = n.map_or("s".to_owned(), |n| format!("session-{n}"));
                log.push(n.map(seat), &session, *audience, "hologram", Body::Unknown)
            }
            Step::Wait(ms) => {
                log.now += ms;
                continue;
            }
            Step::Due => match log.room.next_deadline() {
                Some(at) => {
                    log.now = log.now.max(at.0);
                    log.due(at.0)
                }
                None => continue,
            },
        };
        look(&before, log.entries.last().unwrap(), &applied);
    }
    log
}

fn number(id: ParticipantId) -> u8 {
    (1..=9).find(|n| seat(*n) == id).unwrap()
}

/// Content of a person: what they say, show or offer, and not that they are there.
fn is_content(message: &ServerMessage) -> bool {
    matches!(
        message,
        ServerMessage::Chat { .. }
            | ServerMessage::Sdp { .. }
            | ServerMessage::Ice { .. }
            | ServerMessage::Reset { .. }
            | ServerMessage::Media { .. }
            | ServerMessage::CallRequested { .. }
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_from_somebody_who_is_not_admitted_reaches_anyone_but_staff(steps in proptest::collection::vec(step(), 1..120)) {
        play(&steps, |before, entry, applied| {
            let Some(from) = entry.header.from else { return };
            if before.state(from) == Some(SeatState::Admitted) || role(number(from)).is_staff() {
                return;
            }
            for delivery in &applied.deliveries {
                for (to, _) in &delivery.to {
                    let staff = role(number(*to)).is_staff();
                    assert!(*to == from || staff, "{:?} reached {:?}", delivery.message, number(*to));
                    if *to == from && !staff {
                        // A kind of a later release tells its sender its place and nothing else.
                        let message = delivery.message.as_ref();
                        assert!(matches!(message, None | Some(ServerMessage::Refused { .. })), "{message:?}");
                    }
                }
            }
        });
    }

    #[test]
    fn content_between_people_who_are_not_staff_needs_both_inside(steps in proptest::collection::vec(step(), 1..120)) {
        play(&steps, |before, entry, applied| {
            let Some(from) = entry.header.from else { return };
            for delivery in applied.deliveries.iter().filter(|d| d.message.as_ref().is_some_and(is_content)) {
                for (to, _) in &delivery.to {
                    if role(number(*to)).is_staff() || role(number(from)).is_staff() {
                        continue;
                    }
                    assert_eq!(before.state(from), Some(SeatState::Admitted));
                    assert_eq!(before.state(*to), Some(SeatState::Admitted));
                    assert!(!matches!(before.phase(), Phase::Ended { .. }) || matches!(delivery.message, Some(ServerMessage::Chat { .. })));
                }
            }
        });
    }

    #[test]
    fn somebody_who_waits_sees_nobody(steps in proptest::collection::vec(step(), 1..120)) {
        let log = play(&steps, |_, _, _| {});
        for n in 1..=9 {
            let view = log.room.view(seat(n));
            if view.state != SeatState::Admitted {
                assert!(view.members.is_empty() && view.waiting.is_empty());
            }
            if !role(n).is_staff() {
                assert!(view.waiting.is_empty());
            }
        }
    }

    #[test]
    fn equal_logs_give_equal_rooms_byte_for_byte(steps in proptest::collection::vec(step(), 1..120), cut in 0usize..120) {
        let log = play(&steps, |_, _, _| {});
        let fold = |entries: &[Entry], mut room: Room| {
            let frames: Vec<_> = entries.iter().map(|entry| room.apply(entry)).collect();
            (room, frames)
        };
        let (whole, frames) = fold(&log.entries, Room::new());
        prop_assert_eq!(whole.to_snapshot(), log.room.to_snapshot());
        // From a snapshot at any place on, the same room and the same frames.
        let cut = cut.min(log.entries.len());
        let (half, _) = fold(&log.entries[..cut], Room::new());
        let (rest, tail) = fold(&log.entries[cut..], Room::from_snapshot(&half.to_snapshot()).unwrap());
        prop_assert_eq!(rest.to_snapshot(), whole.to_snapshot());
        prop_assert_eq!(&tail[..], &frames[cut..]);
    }

    #[test]
    fn each_seat_gets_at_most_one_frame_an_entry_in_an_unbroken_row(steps in proptest::collection::vec(step(), 1..120)) {
        let mut last: BTreeMap<ParticipantId, u64> = BTreeMap::new();
        play(&steps, |before, entry, applied| {
            let mut here = Vec::new();
            for (to, p) in applied.deliveries.iter().flat_map(|d| &d.to) {
                assert!(!here.contains(to), "two frames of one entry");
                here.push(*to);
                if let Some(last) = last.get(to) {
                    assert_eq!(p, last, "p names the frame before");
                }
                assert!(*p < entry.header.seq && before.seq() < entry.header.seq);
                last.insert(*to, entry.header.seq);
            }
        });
    }
}
