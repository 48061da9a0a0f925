//! Booking a visit.

mod answer;
mod request;

pub use answer::{Alternative, BookError, Booked, Busy, Candidate, Link};
pub use request::{BookParticipant, BookStart, BookVisit, Choose};

use crate::{App, Caller, StoreError, links, view, visits};
use heliograph_access::link::{self, LinkScope};
use heliograph_domain::person::{Institution, Person};
use heliograph_domain::visit::{Anchor, Participant, Service, Visit, VisitStatus};
use heliograph_domain::zone::Resolved;
use heliograph_domain::{ParticipantId, ResourceId, Role, StaffRole, TenantId, UnixSeconds, VisitId};
use heliograph_schedule::booking::{self as plan, Attendee, BookingRequest, Calendar, Decision, Refusal, decide};
use heliograph_store::{Answer, AuditRow, Booking, OutboxRow, Outcome, RequestKey, Stored};
use request::Wish;

const ROUTE: &str = "POST /api/v1/visits";
const CREATED: u16 = 201;
/// Whoever books anything for one of the same people in the meantime makes the decision stale, though not wrong. Each lost
/// race means that another booking was made, so many at once all come through; this bounds how long one may lose.
const ATTEMPTS: usize = 32;

/// Books a visit. The same key with the same body (told by its hash) gets the same answer for 48 hours.
pub async fn book(
    app: &App,
    caller: &Caller,
    request: &BookVisit,
    idempotency_key: &str,
    body_hash: &str,
) -> Result<Booked, BookError> {
    if !caller.is_any(&[StaffRole::Scheduler, StaffRole::Physician, StaffRole::Administrator]) {
        return Err(BookError::Forbidden);
    }
    let key = RequestKey {
        caller: caller.person,
        route: ROUTE,
        key: idempotency_key.to_owned(),
        body_hash: body_hash.to_owned(),
    };
    // Before anything is judged: a repeated request may lie in the past by now, and would meet its own claim.
    if let Some(stored) = app.store.answered(&caller.institution, &key).await? {
        return repeat(app, caller, stored).await;
    }
    let wish = request.parse().map_err(BookError::Invalid)?;
    let ready = prepare(app, caller, wish).await?;
    let faults = plan::faults(&ready.request, app.now_s());
    if !faults.is_empty() {
        return Err(refused(app, &ready, Refusal::Invalid(faults)));
    }
    for _ in 0..ATTEMPTS {
        let decision = match decide(&calendar(app, caller, &ready).await?, &ready.request, app.now_s()) {
            Ok(decision) => decision,
            Err(refusal) => {
                // The same request may have been booked on another connection meanwhile.
                if let Some(stored) = app.store.answered(&caller.institution, &key).await? {
                    return repeat(app, caller, stored).await;
                }
                return Err(refused(app, &ready, refusal));
            }
        };
        match commit(app, caller, &key, &ready, &decision).await? {
            Committed::Booked(booked) => return Ok(*booked),
            Committed::Repeated(stored) => return repeat(app, caller, stored).await,
            Committed::Lost => {}
        }
    }
    let alternatives = plan::next_free(&calendar(app, caller, &ready).await?, &ready.request, app.now_s());
    Err(refused(
        app,
        &ready,
        Refusal::Taken {
            conflicts: Vec::new(),
            alternatives,
        },
    ))
}

/// A wish whose people, service and instant are known.
struct Ready {
    institution: Institution,
    service: Option<Service>,
    people: Vec<(Person, request::WishPerson)>,
    anchor: Anchor,
    request: BookingRequest,
}

enum Committed {
    Booked(Box<Booked>),
    Repeated(Stored),
    Lost,
}

async fn prepare(app: &App, caller: &Caller, wish: Wish) -> Result<Ready, BookError> {
    let tenant = &caller.institution;
    let institution = app.store.institution(tenant).await?;
    let institution = institution.ok_or_else(|| BookError::NotFound(Vec::new()))?;
    let mut unknown = Vec::new();
    let service = match wish.service {
        Some(id) => {
            let services = app.store.services(tenant).await?;
            let found = services.into_iter().find(|service| service.id == id);
            if found.is_none() {
                unknown.push(request::unknown("service"));
            }
            found
        }
        None => None,
    };
    let mut people = Vec::new();
    for (index, one) in wish.people.iter().enumerate() {
        match app.store.person(tenant, one.person).await? {
            Some(person) => people.push((person, one.clone())),
            None => unknown.push(request::unknown(&format!("participants[{index}].person"))),
        }
    }
    if !unknown.is_empty() {
        return Err(BookError::NotFound(unknown));
    }
    let start = resolve(app, &wish)?;
    let local = app.tzdb.local(&wish.zone, start);
    Ok(Ready {
        institution,
        anchor: Anchor {
            person: None,
            zone: wish.zone,
            wall: local.wall,
            offset_s: local.offset_s,
            tzdb_version: app.tzdb.version().to_owned(),
        },
        request: BookingRequest {
            start,
            duration_s: wish.duration_s,
            buffers: service.as_ref().map(|service| service.buffers).unwrap_or_default(),
            attendees: people
                .iter()
                .map(|(person, wish)| Attendee {
                    person: person.id,
                    resource: person.resource,
                    role: wish.role,
                    staff_roles: person.roles.clone(),
                })
                .collect(),
        },
        service,
        people,
    })
}

fn resolve(app: &App, wish: &Wish) -> Result<UnixSeconds, BookError> {
    let chosen = |first, second| match wish.choose {
        Some(Choose::First) => Ok(first),
        Some(Choose::Second) => Ok(second),
        None => Err([(Choose::First, first), (Choose::Second, second)]
            .map(|(choose, start_s)| {
                let local = app.tzdb.local(&wish.zone, start_s);
                Candidate {
                    choose,
                    start_s,
                    offset_s: local.offset_s,
                    label: local.label(),
                }
            })
            .to_vec()),
    };
    match app.tzdb.resolve(&wish.zone, wish.wall) {
        Resolved::Unique(at) => Ok(at),
        Resolved::Ambiguous { first, second } => chosen(first, second).map_err(BookError::WallTimeAmbiguous),
        Resolved::Missing {
            first,
            second,
            transition: _,
        } => chosen(first, second).map_err(BookError::WallTimeMissing),
    }
}

async fn calendar(app: &App, caller: &Caller, ready: &Ready) -> Result<Calendar, StoreError> {
    let resources: Vec<ResourceId> = ready.request.attendees.iter().map(|one| one.resource).collect();
    app.store
        .calendar(&caller.institution, &resources, ready.request.window())
        .await
}

fn refused(app: &App, ready: &Ready, refusal: Refusal) -> BookError {
    match refusal {
        Refusal::Invalid(wrong) => BookError::Invalid(wrong.iter().map(request::field_error).collect()),
        Refusal::Taken {
            conflicts,
            alternatives,
        } => BookError::Taken {
            conflicts: conflicts.into_iter().map(|person| Busy { person }).collect(),
            alternatives: alternatives
                .into_iter()
                .map(|start_s| Alternative {
                    start_s,
                    label: app.tzdb.local(&ready.anchor.zone, start_s).label(),
                })
                .collect(),
        },
    }
}

async fn commit(
    app: &App,
    caller: &Caller,
    key: &RequestKey,
    ready: &Ready,
    decision: &Decision,
) -> Result<Committed, StoreError> {
    let visit = draw_up(app, ready, decision);
    let view = visits::viewer(app, &caller.zone, &ready.institution, ready.service.as_slice()).visit(&visit);
    let body = serde_json::to_string(&view).map_err(|error| StoreError::Internal(error.to_string()))?;
    let outcome = app
        .store
        .commit_booking(
            &caller.institution,
            &Booking {
                visit: &visit,
                decision,
                request: key,
                // Links are made anew for a repeated request, so that no stored answer holds one.
                answer: &Answer { status: CREATED, body },
                outbox: &invitations(&visit, app.now_s()),
                audit: &AuditRow {
                    at: app.now(),
                    actor: caller.actor(),
                    action: "visit_booked".to_owned(),
                    visit: Some(visit.id),
                    subject: None,
                },
                now: app.now_s(),
            },
        )
        .await?;
    Ok(match outcome {
        Outcome::Booked => {
            app.watch.visit_changed(&caller.institution, visit.id);
            Committed::Booked(Box::new(Booked {
                links: links(app, &caller.institution, &visit),
                visit: view,
                replayed: false,
            }))
        }
        Outcome::Repeated(stored) => Committed::Repeated(stored),
        Outcome::Lost => Committed::Lost,
    })
}

fn draw_up(app: &App, ready: &Ready, decision: &Decision) -> Visit {
    let (at, random) = app.id_parts();
    let id = VisitId::from_parts(at, &random);
    let participants = ready
        .people
        .iter()
        .map(|(person, wish)| {
            let zone = wish.zone.as_ref().unwrap_or(&person.zone).clone();
            let promised = app.tzdb.local(&zone, decision.visit.start);
            let (at, random) = app.id_parts();
            Participant {
                id: ParticipantId::from_parts(at, &random),
                person: person.id,
                name: person.names.shown().clone(),
                role: wish.role,
                required: is_required(wish.role),
                zone,
                language: person.language.clone(),
                promised_wall: promised.wall,
                promised_offset_s: promised.offset_s,
                link_generation: 0,
                reported: None,
            }
        })
        .collect();
    Visit {
        id,
        ical_uid: format!("{id}@heliograph"),
        sequence: 0,
        version: 0,
        status: VisitStatus::Booked,
        service: ready.service.as_ref().map(|service| service.id),
        span: decision.visit,
        anchor: ready.anchor.clone(),
        participants,
    }
}

fn is_required(role: Role) -> bool {
    match role {
        Role::Host | Role::Interpreter | Role::Patient => true,
        Role::Staff | Role::Guest => false,
    }
}

fn invitations(visit: &Visit, now: UnixSeconds) -> Vec<OutboxRow> {
    come_by_link(visit)
        .map(|one| OutboxRow {
            kind: "invitation".to_owned(),
            sequence: visit.sequence,
            recipient: one.id.to_string(),
            due: now,
            payload: serde_json::json!({ "visit": visit.id, "participant": one.id }).to_string(),
        })
        .collect()
}

/// The links of everybody who does not sign in.
pub(crate) fn links(app: &App, institution: &TenantId, visit: &Visit) -> Vec<Link> {
    come_by_link(visit)
        .map(|one| link(app, institution, visit.id, one.id, links::in_hand(visit, one)))
        .collect()
}

/// One person's link.
pub(crate) fn link(
    app: &App,
    institution: &TenantId,
    visit: VisitId,
    participant: ParticipantId,
    generation: u32,
) -> Link {
    let scope = LinkScope {
        institution,
        visit,
        participant,
        generation,
    };
    Link {
        participant,
        token: link::mint(&app.keys, &scope),
    }
}

fn come_by_link(visit: &Visit) -> impl Iterator<Item = &Participant> {
    visit.participants.iter().filter(|one| !one.role.is_staff())
}

async fn repeat(app: &App, caller: &Caller, stored: Stored) -> Result<Booked, BookError> {
    let answer = match stored {
        Stored::Answered(answer) => answer,
        Stored::OtherBody => return Err(BookError::KeyReused),
    };
    let visit: view::Visit = serde_json::from_str(&answer.body)
        .map_err(|error| StoreError::Internal(format!("a stored answer: {error}")))?;
    let links = match app.store.visit(&caller.institution, visit.id).await? {
        Some(booked) => links(app, &caller.institution, &booked),
        None => Vec::new(),
    };
    Ok(Booked {
        visit,
        links,
        replayed: true,
    })
}
