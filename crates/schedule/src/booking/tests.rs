use super::*;
use heliograph_domain::UnixMillis;
use proptest::prelude::*;

/// 2026-12-01T16:00:00Z.
const START: UnixSeconds = UnixSeconds(1_796_140_800);
const NOW: UnixSeconds = UnixSeconds(START.0 - 3_600);
const MIN: i64 = 60;

fn attendee(number: u8, role: Role) -> Attendee {
    Attendee {
        person: PersonId::from_parts(UnixMillis(1), &[number; 10]),
        resource: ResourceId(i64::from(number)),
        role,
        staff_roles: match role {
            Role::Host => vec![StaffRole::Physician],
            Role::Staff => vec![StaffRole::Scheduler],
            Role::Interpreter => vec![StaffRole::Interpreter],
            Role::Patient | Role::Guest => Vec::new(),
        },
    }
}

fn request() -> BookingRequest {
    BookingRequest {
        start: START,
        duration_s: 30 * MIN,
        buffers: Buffers::default(),
        attendees: vec![attendee(1, Role::Host), attendee(2, Role::Patient)],
    }
}

fn booked(resource: i64, start: UnixSeconds, minutes: i64) -> Claim {
    Claim {
        resource: ResourceId(resource),
        span: Span::of(start, minutes * MIN),
        state: ClaimState::Booked,
        expires: None,
    }
}

fn calendar(claims: Vec<Claim>) -> Calendar {
    Calendar {
        claims,
        versions: (1..=9).map(|id| (ResourceId(id), id * 10)).collect(),
    }
}

fn fields(request: &BookingRequest) -> Vec<String> {
    match decide(&calendar(Vec::new()), request, NOW) {
        Err(Refusal::Invalid(wrong)) => wrong.iter().map(|w| format!("{} {}", w.field, w.message)).collect(),
        other => panic!("{other:?}"),
    }
}

fn alternatives(claims: Vec<Claim>, request: &BookingRequest) -> Vec<i64> {
    match decide(&calendar(claims), request, NOW) {
        Err(Refusal::Taken { alternatives, .. }) => alternatives.iter().map(|at| (at.0 - START.0) / MIN).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_calendar_takes_the_visit_with_its_buffers_and_versions() {
    let request = BookingRequest {
        buffers: Buffers {
            before_s: 300,
            after_s: 600,
        },
        ..request()
    };
    let decision = decide(&calendar(Vec::new()), &request, NOW).unwrap();
    assert_eq!(decision.visit, Span::of(START, 1_800));
    assert_eq!(
        decision.claimed,
        Span {
            start: START.plus(-300),
            end: START.plus(2_400)
        }
    );
    assert_eq!(
        decision.versions,
        BTreeMap::from([(ResourceId(1), 10), (ResourceId(2), 20)])
    );
}

#[test]
fn visits_may_stand_back_to_back_but_not_within_a_buffer() {
    let around = vec![
        booked(1, START.plus(-30 * MIN), 30),
        booked(1, START.plus(30 * MIN), 30),
    ];
    assert!(decide(&calendar(around.clone()), &request(), NOW).is_ok());
    let request = BookingRequest {
        buffers: Buffers {
            before_s: 0,
            after_s: 300,
        },
        ..request()
    };
    assert!(matches!(
        decide(&calendar(around), &request, NOW),
        Err(Refusal::Taken { .. })
    ));
}

#[test]
fn who_is_busy_is_named_in_the_order_of_the_request() {
    let mut request = request();
    request.attendees = vec![
        attendee(3, Role::Host),
        attendee(2, Role::Patient),
        attendee(1, Role::Interpreter),
    ];
    let claims = vec![booked(1, START, 30), booked(3, START, 30), booked(9, START, 30)];
    let Err(Refusal::Taken { conflicts, .. }) = decide(&calendar(claims), &request, NOW) else {
        panic!()
    };
    assert_eq!(conflicts, [request.attendees[0].person, request.attendees[2].person]);
}

#[test]
fn alternatives_are_the_next_three_that_could_all_be_booked() {
    assert_eq!(alternatives(vec![booked(1, START, 30)], &request()), [30, 60, 90]);
    let busy = vec![booked(1, START, 20), booked(2, START.plus(70 * MIN), 60)];
    assert_eq!(alternatives(busy, &request()), [30, 135, 165]);
    let buffered = BookingRequest {
        buffers: Buffers {
            before_s: 300,
            after_s: 300,
        },
        ..request()
    };
    assert_eq!(alternatives(vec![booked(1, START, 30)], &buffered), [45, 90, 135]);
}

#[test]
fn alternatives_end_after_fourteen_days() {
    let all = booked(1, START, 14 * 24 * 60);
    assert_eq!(alternatives(vec![all.clone()], &request()), [14 * 24 * 60]);
    let longer = Claim {
        span: Span {
            end: all.span.end.plus(1),
            ..all.span
        },
        ..all
    };
    assert!(alternatives(vec![longer], &request()).is_empty());
}

#[test]
fn alternatives_never_lie_in_the_past() {
    let now = START.plus(4 * MIN);
    let Err(Refusal::Taken { alternatives, .. }) = decide(&calendar(vec![booked(1, START, 5)]), &request(), now) else {
        panic!()
    };
    assert_eq!(alternatives[0], START.plus(15 * MIN));
    assert_eq!(
        next_free(&calendar(Vec::new()), &request(), now)[0],
        START.plus(15 * MIN)
    );
}

#[test]
fn a_hold_counts_until_the_instant_it_expires() {
    let hold = |expires| Claim {
        state: ClaimState::Hold,
        expires: Some(expires),
        ..booked(1, START, 30)
    };
    assert!(matches!(
        decide(&calendar(vec![hold(NOW.plus(1))]), &request(), NOW),
        Err(Refusal::Taken { .. })
    ));
    assert!(decide(&calendar(vec![hold(NOW)]), &request(), NOW).is_ok());
}

#[test]
fn times_off_the_grid_and_in_the_past_are_refused_by_name() {
    let with = |start: i64, duration_s| BookingRequest {
        start: UnixSeconds(start),
        duration_s,
        ..request()
    };
    assert_eq!(
        fields(&with(START.0 + 60, 1_800)),
        ["start must be a multiple of 5 minutes"]
    );
    assert_eq!(fields(&with(NOW.0 - 600, 1_800)), ["start must not lie in the past"]);
    assert_eq!(
        fields(&with(START.0, 1_801)),
        ["duration must be a multiple of 5 minutes"]
    );
    for wrong in [0, -300, 8 * 3_600 + 300] {
        assert_eq!(
            fields(&with(START.0, wrong)),
            ["duration must be from 5 minutes to 8 hours"]
        );
    }
    assert!(decide(&calendar(Vec::new()), &with(NOW.0 - 300, 300), NOW).is_ok());
}

#[test]
fn a_visit_lies_within_the_next_five_years() {
    let latest = NOW.0 + 5 * 366 * 86_400;
    let at = |start| BookingRequest {
        start: UnixSeconds(start),
        ..request()
    };
    assert!(decide(&calendar(Vec::new()), &at(latest), NOW).is_ok());
    assert_eq!(fields(&at(latest + 300)), ["start must lie within the next five years"]);
    // No alternative lies beyond.
    assert!(alternatives(vec![booked(1, UnixSeconds(latest), 30)], &at(latest)).is_empty());
}

#[test]
fn nobody_gets_a_role_in_the_room_that_the_institution_did_not_give() {
    let with = |role, staff_roles: &[StaffRole]| BookingRequest {
        attendees: vec![
            attendee(1, Role::Host),
            attendee(2, Role::Patient),
            Attendee {
                staff_roles: staff_roles.to_vec(),
                ..attendee(3, role)
            },
        ],
        ..request()
    };
    let (scheduler, physician) = (StaffRole::Scheduler, StaffRole::Physician);
    let (interpreter, administrator) = (StaffRole::Interpreter, StaffRole::Administrator);
    for (role, staff_roles, fine) in [
        (Role::Host, &[][..], false),
        (Role::Host, &[scheduler, interpreter], false),
        (Role::Host, &[administrator], false),
        (Role::Host, &[administrator, physician], true),
        (Role::Staff, &[], false),
        (Role::Staff, &[scheduler], true),
        (Role::Staff, &[physician], true),
        (Role::Staff, &[interpreter], true),
        (Role::Interpreter, &[], false),
        (Role::Interpreter, &[physician], false),
        (Role::Interpreter, &[interpreter], true),
        (Role::Patient, &[physician], true),
        (Role::Guest, &[], true),
    ] {
        let request = with(role, staff_roles);
        if fine {
            assert!(
                decide(&calendar(Vec::new()), &request, NOW).is_ok(),
                "{role} {staff_roles:?}"
            );
        } else {
            let wrong = fields(&request);
            let expected = format!("participants[2].role must not be {role}, since ");
            assert_eq!(wrong.len(), 1, "{role} {staff_roles:?}");
            assert!(wrong[0].starts_with(&expected), "{}", wrong[0]);
        }
    }
}

#[test]
fn the_company_must_make_sense() {
    let with = |people: &[(u8, Role)]| BookingRequest {
        attendees: people.iter().map(|(number, role)| attendee(*number, *role)).collect(),
        ..request()
    };
    let two = "participants must be 2 to 8 people";
    let host = "participants must have a host";
    let beside = "participants must have a patient, a guest or a second member of staff beside the host";
    assert_eq!(fields(&with(&[(1, Role::Host)])), [two, beside]);
    assert_eq!(fields(&with(&[(1, Role::Patient), (2, Role::Staff)])), [host]);
    assert_eq!(fields(&with(&[(1, Role::Host), (2, Role::Interpreter)])), [beside]);
    assert_eq!(
        fields(&with(&[(1, Role::Host), (2, Role::Patient), (1, Role::Guest)])),
        ["participants[2] must not take part twice"]
    );
    let many: Vec<_> = (1..=9).map(|number| (number, Role::Host)).collect();
    assert_eq!(fields(&with(&many)), [two]);
    for fine in [[(1, Role::Host), (2, Role::Guest)], [(1, Role::Host), (2, Role::Staff)]] {
        assert!(decide(&calendar(Vec::new()), &with(&fine), NOW).is_ok());
    }
}

prop_compose! {
    fn any_claim()(resource in 1..=4_i64, start in -30..400_i64, steps in 1..40_i64, kind in 0..3, left in -2..2_i64)
        -> Claim {
        let (state, expires) = match kind {
            0 => (ClaimState::Hold, Some(NOW.plus(left))),
            1 => (ClaimState::Tentative, Some(NOW.plus(left))),
            _ => (ClaimState::Booked, None),
        };
        Claim { resource: ResourceId(resource), span: Span::of(START.plus(start * STEP_S), steps * STEP_S), state, expires }
    }
}

prop_compose! {
    fn any_request()(steps in 1..24_i64, before in 0..4_i64, after in 0..4_i64, guest in any::<bool>()) -> BookingRequest {
        let mut request = request();
        request.duration_s = steps * STEP_S;
        request.buffers = Buffers { before_s: before * STEP_S, after_s: after * STEP_S };
        if guest {
            request.attendees.push(attendee(3, Role::Guest));
        }
        request
    }
}

/// Asks every claim about every instant of the grid, and shares no code with the decision.
fn free(claims: &[Claim], request: &BookingRequest, start: UnixSeconds) -> bool {
    let from = start.0 - request.buffers.before_s;
    let until = start.0 + request.duration_s + request.buffers.after_s;
    (from..until).step_by(300).all(|at| {
        claims.iter().all(|claim| {
            !request.attendees.iter().any(|one| one.resource == claim.resource)
                || claim.expires.is_some_and(|expires| expires <= NOW)
                || !(claim.span.start.0..claim.span.end.0).contains(&at)
        })
    })
}

proptest! {
    #[test]
    fn decisions_never_overlap_claims_and_alternatives_are_the_first_free_ones(
        claims in proptest::collection::vec(any_claim(), 0..30), request in any_request()
    ) {
        match decide(&calendar(claims.clone()), &request, NOW) {
            Ok(decision) => {
                prop_assert!(free(&claims, &request, request.start));
                prop_assert_eq!(decision.versions.len(), request.attendees.len());
            }
            Err(Refusal::Taken { conflicts, alternatives }) => {
                prop_assert!(!free(&claims, &request, request.start));
                prop_assert!(!conflicts.is_empty());
                let length = request.duration_s + request.buffers.before_s + request.buffers.after_s;
                let mut expected: Vec<UnixSeconds> = Vec::new();
                for step in 1..=14 * 96 {
                    let start = START.plus(step * 900);
                    let apart = expected.last().is_none_or(|last| start.0 - last.0 >= length);
                    if expected.len() < 3 && apart && free(&claims, &request, start) {
                        expected.push(start);
                    }
                }
                prop_assert_eq!(alternatives, expected);
            }
            Err(Refusal::Invalid(wrong)) => prop_assert!(false, "{:?}", wrong),
        }
    }
}
