//! The decision whether a visit can be booked, and what else could be.
//!
//! [`decide`] sees a [`Calendar`]: what the store knew at one moment. Between that moment and the commit someone else
//! may book; the versions in the [`Decision`] and the claim constraint of the database find that out.

use heliograph_domain::visit::{Buffers, Span};
use heliograph_domain::{PersonId, ResourceId, Role, StaffRole, UnixSeconds};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use thiserror::Error;

/// All starts and durations are multiples of this, in seconds.
pub const STEP_S: i64 = 300;
/// Longest visit, in seconds.
pub const MAX_DURATION_S: i64 = 8 * 3_600;
/// A visit may start this long ago, so that one can be booked for "now".
pub const LATEST_START_AGO_S: i64 = 300;
/// A visit starts at most so far ahead, in seconds: five years. Nobody plans further, and zones change until then.
pub const LONGEST_AHEAD_S: i64 = 5 * 366 * 86_400;
/// Alternatives start on a grid of this many seconds, counted from the wished start.
pub const ALTERNATIVE_STEP_S: i64 = 900;
/// Alternatives start at most this long after the wished start, in seconds.
pub const ALTERNATIVE_HORIZON_S: i64 = 14 * 86_400;
/// How many alternatives are offered.
pub const ALTERNATIVES: usize = 3;
/// How many people can take part.
pub const PEOPLE: std::ops::RangeInclusive<usize> = 2..=8;

/// How firm a claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimState {
    /// Kept for minutes, while someone makes up their mind.
    Hold,
    /// Offered, kept for hours or days.
    Tentative,
    /// Booked.
    Booked,
}

/// One human's time that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose time.
    pub resource: ResourceId,
    /// From when to when, buffers included.
    pub span: Span,
    /// How firmly.
    pub state: ClaimState,
    /// The first instant at which a hold or an offer counts for nothing; `None`: it lasts.
    pub expires: Option<UnixSeconds>,
}

impl Claim {
    fn holds(&self, now: UnixSeconds) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// What was known when the decision was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// The claims of the people asked for that touch [`BookingRequest::window`], of all institutions.
    pub claims: Vec<Claim>,
    /// The version of each person's calendar.
    pub versions: BTreeMap<ResourceId, i64>,
}

/// A person who is to take part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendee {
    /// Who.
    pub person: PersonId,
    /// The person's calendar.
    pub resource: ResourceId,
    /// As what.
    pub role: Role,
    /// What the person is in the institution; nothing for patients.
    pub staff_roles: Vec<StaffRole>,
}

impl Attendee {
    /// Why the person may not take part as that; what a role may do in a room, its person must be trusted with.
    fn misfit(&self) -> Option<&'static str> {
        let is = |role| self.staff_roles.contains(&role);
        match self.role {
            Role::Host if !is(StaffRole::Physician) => Some("must not be host, since the person is not a physician"),
            Role::Staff if self.staff_roles.is_empty() => {
                Some("must not be staff, since the person has no role in the institution")
            }
            Role::Interpreter if !is(StaffRole::Interpreter) => {
                Some("must not be interpreter, since the person is not one; a relative who helps is a guest")
            }
            Role::Host | Role::Staff | Role::Interpreter | Role::Patient | Role::Guest => None,
        }
    }
}

/// A wish for a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookingRequest {
    /// When it starts.
    pub start: UnixSeconds,
    /// How long it lasts, in seconds.
    pub duration_s: i64,
    /// The time around it that the service asks for.
    pub buffers: Buffers,
    /// Who takes part.
    pub attendees: Vec<Attendee>,
}

impl BookingRequest {
    /// All instants that a decision about this wish looks at. It makes sense for a wish without [`faults`] only.
    pub fn window(&self) -> Span {
        let first = self.claimed_at(self.start);
        Span {
            start: first.start,
            end: first.end.plus(ALTERNATIVE_HORIZON_S),
        }
    }

    fn claimed_at(&self, start: UnixSeconds) -> Span {
        self.buffers.around(Span::of(start, self.duration_s))
    }
}

/// A visit that can be booked, if nothing has changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// From the start to the end, without buffers.
    pub visit: Span,
    /// What is claimed of everybody, buffers included.
    pub claimed: Span,
    /// Everybody's calendar with the version that the decision rests on, in ascending order.
    pub versions: BTreeMap<ResourceId, i64>,
}

/// Why a visit cannot be booked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The wish itself is wrong.
    #[error("{} of the fields are not valid", .0.len())]
    Invalid(Vec<Invalid>),
    /// Somebody is busy then.
    #[error("{} of the people are busy then", conflicts.len())]
    Taken {
        /// Who, in the order of the request.
        conflicts: Vec<PersonId>,
        /// When everybody is free, see [`next_free`].
        alternatives: Vec<UnixSeconds>,
    },
}

/// One thing that is wrong with a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// Where.
    pub field: Field,
    /// What is wrong and what would be right.
    pub message: &'static str,
}

/// A part of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The start.
    Start,
    /// The duration.
    Duration,
    /// The people as a whole.
    Participants,
    /// One of the people, counted from 0.
    Participant(usize),
    /// The role of one of the people, counted from 0.
    Role(usize),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Start => f.write_str("start"),
            Field::Duration => f.write_str("duration"),
            Field::Participants => f.write_str("participants"),
            Field::Participant(index) => write!(f, "participants[{index}]"),
            Field::Role(index) => write!(f, "participants[{index}].role"),
        }
    }
}

/// Decides whether the wish can be booked.
pub fn decide(calendar: &Calendar, request: &BookingRequest, now: UnixSeconds) -> Result<Decision, Refusal> {
    let wrong = faults(request, now);
    if !wrong.is_empty() {
        return Err(Refusal::Invalid(wrong));
    }
    let claimed = request.claimed_at(request.start);
    let busy: BTreeSet<ResourceId> = calendar
        .claims
        .iter()
        .filter(|claim| claim.holds(now) && claim.span.overlaps(claimed))
        .map(|claim| claim.resource)
        .collect();
    let conflicts: Vec<PersonId> = request
        .attendees
        .iter()
        .filter(|one| busy.contains(&one.resource))
        .map(|one| one.person)
        .collect();
    if !conflicts.is_empty() {
        return Err(Refusal::Taken {
            conflicts,
            alternatives: next_free(calendar, request, now),
        });
    }
    Ok(Decision {
        visit: Span::of(request.start, request.duration_s),
        claimed,
        versions: request
            .attendees
            .iter()
            .map(|one| {
                (
                    one.resource,
                    calendar.versions.get(&one.resource).copied().unwrap_or_default(),
                )
            })
            .collect(),
    })
}

/// The next [`ALTERNATIVES`] starts at which everybody is free, the wished one among them if it is: in ascending order,
/// on the grid of [`ALTERNATIVE_STEP_S`], not in the past, not too far ahead, so far apart that all of them could be booked.
pub fn next_free(calendar: &Calendar, request: &BookingRequest, now: UnixSeconds) -> Vec<UnixSeconds> {
    let people: BTreeSet<ResourceId> = request.attendees.iter().map(|one| one.resource).collect();
    let mut busy: Vec<Span> = calendar
        .claims
        .iter()
        .filter(|claim| people.contains(&claim.resource) && claim.holds(now))
        .map(|claim| claim.span)
        .collect();
    busy.sort();
    let mut found = Vec::new();
    let mut free_from = UnixSeconds(i64::MIN);
    for step in 0..=ALTERNATIVE_HORIZON_S / ALTERNATIVE_STEP_S {
        let start = request.start.plus(step * ALTERNATIVE_STEP_S);
        let wanted = request.claimed_at(start);
        if start < now || start > now.plus(LONGEST_AHEAD_S) || wanted.start < free_from {
            continue;
        }
        free_from = if let Some(taken) = busy.iter().find(|span| span.overlaps(wanted)) {
            taken.end
        } else {
            found.push(start);
            wanted.end
        };
        if found.len() == ALTERNATIVES {
            break;
        }
    }
    found
}

/// What is wrong with the wish itself, whatever anybody's calendar says.
pub fn faults(request: &BookingRequest, now: UnixSeconds) -> Vec<Invalid> {
    let mut wrong = Vec::new();
    let mut check = |ok: bool, field: Field, message: &'static str| {
        if !ok {
            wrong.push(Invalid { field, message });
        }
    };
    check(
        request.start.0.rem_euclid(STEP_S) == 0,
        Field::Start,
        "must be a multiple of 5 minutes",
    );
    check(
        request.start.plus(LATEST_START_AGO_S) >= now,
        Field::Start,
        "must not lie in the past",
    );
    check(
        request.start <= now.plus(LONGEST_AHEAD_S),
        Field::Start,
        "must lie within the next five years",
    );
    check(
        request.duration_s.rem_euclid(STEP_S) == 0,
        Field::Duration,
        "must be a multiple of 5 minutes",
    );
    check(
        (STEP_S..=MAX_DURATION_S).contains(&request.duration_s),
        Field::Duration,
        "must be from 5 minutes to 8 hours",
    );
    check(
        PEOPLE.contains(&request.attendees.len()),
        Field::Participants,
        "must be 2 to 8 people",
    );
    let count = |is: fn(Role) -> bool| request.attendees.iter().filter(|one| is(one.role)).count();
    check(
        count(|role| role == Role::Host) > 0,
        Field::Participants,
        "must have a host",
    );
    check(
        count(|role| role == Role::Patient || role == Role::Guest) > 0 || count(Role::is_staff) > 1,
        Field::Participants,
        "must have a patient, a guest or a second member of staff beside the host",
    );
    let mut seen = BTreeSet::new();
    for (index, one) in request.attendees.iter().enumerate() {
        // Two records of one human share the calendar.
        check(
            seen.insert(one.resource),
            Field::Participant(index),
            "must not take part twice",
        );
        let misfit = one.misfit();
        check(misfit.is_none(), Field::Role(index), misfit.unwrap_or_default());
    }
    wrong
}

#[cfg(test)]
mod tests;
