//! What holds in every order of arrival.

use crate::support::{Log, admit, chat, decision, role, sdp, seat};
use heliograph_domain::ParticipantId;
use heliograph_protocol::{ClientMessage, DeviceCheck, Media, Phase, Reset, SeatState, ServerMessage, To};
use heliograph_room::{Entry, Room};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A step of somebody: 1 to 9, staff and others.
#[derive(Debug, Clone)]
enum Step {
    Come(u8, u8),
    Say(u8, ClientMessage),
    Wait(i64),
    Due,
}

fn message() -> impl Strategy<Value = ClientMessage> {
    let other = 1u8..=9;
    prop_oneof![
        other.clone().prop_map(admit),
        other.clone().prop_map(|n| ClientMessage::Hold(decision(n))),
        other.clone().prop_map(|n| ClientMessage::Deny(decision(n))),
        other.clone().prop_map(|n| ClientMessage::Remove(decision(n))),
        other.clone().prop_map(|n| chat(To::Seat(seat(n)))),
        Just(chat(To::All)),
        Just(chat(To::Staff)),
        (other.clone(), 0u64..4).prop_map(|(n, g)| sdp(n, g)),
        (other.clone(), 1u64..4).prop_map(|(n, generation)| ClientMessage::Reset(Reset {
            to: seat(n),
            pc: "av".to_owned(),
            generation
        })),
        Just(ClientMessage::Media(Media {
            mic: true,
            ..Media::default()
        })),
        Just(ClientMessage::Knock {
            device: DeviceCheck::default()
        }),
        Just(ClientMessage::Unknock {}),
        other.prop_map(|n| ClientMessage::AskMute { participant: seat(n) }),
        any::<bool>().prop_map(|locked| ClientMessage::Lock { locked }),
        Just(ClientMessage::End {}),
        Just(ClientMessage::UndoEnd {}),
        Just(ClientMessage::Reopen {}),
        Just(ClientMessage::Bye {}),
        Just(ClientMessage::Nop {}),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1u8..=9, 0u8..3).prop_map(|(n, page)| Step::Come(n, page)),
        12 => (1u8..=9, message()).prop_map(|(n, message)| Step::Say(n, message)),
        1 => (0i64..20_000).prop_map(Step::Wait),
        1 => Just(Step::Due),
    ]
}

/// Plays the steps; calls `look` after each entry with the state before it.
fn play(steps: &[Step], mut look: impl FnMut(&Room, &Entry, &heliograph_room::Applied)) -> Log {
    let mut log = Log::new();
    for step in steps {
        let before = log.room.clone();
        let applied = match step {
            Step::Come(n, page) => log.claim(*n, &format!("session-{n}-{page}")),
            Step::Say(n, message) => log.say(*n, message.clone()),
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
                        let message = delivery.message.as_ref().unwrap();
                        assert!(matches!(message, ServerMessage::Refused { .. }), "{message:?}");
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
