//! Two institutions with people, and bookings for them.

use heliograph_domain::person::{Institution, Names};
use heliograph_domain::visit::{Anchor, Buffers, Participant, Service, Span, Visit, VisitStatus};
use heliograph_domain::zone::Zone;
use heliograph_domain::{
    ParticipantId, PersonId, ResourceId, Role, ServiceId, StaffRole, TenantId, UnixMillis, UnixSeconds, VisitId,
};
use heliograph_schedule::booking::{Attendee, BookingRequest, Decision, Refusal, decide};
use heliograph_store::{Answer, AuditRow, Booking, NewPerson, OutboxRow, Outcome, RequestKey, Store};
use sqlx::AnyPool;

/// 2026-12-01T16:00:00Z.
pub const START: UnixSeconds = UnixSeconds(1_796_140_800);
pub const NOW: UnixSeconds = UnixSeconds(START.0 - 86_400);
pub const HOUR: i64 = 3_600;

/// A store with two institutions; each has a physician (1) and patients (2 to 9).
pub struct Clinic {
    pub store: Store,
    /// Goes past the store, for what it offers no way to.
    pub raw: AnyPool,
    pub cedar: TenantId,
    pub harbour: TenantId,
}

pub fn person(number: u8) -> PersonId {
    PersonId::from_parts(UnixMillis(1), &[number; 10])
}

pub fn service() -> Service {
    Service {
        id: ServiceId::from_parts(UnixMillis(1), &[1; 10]),
        name: "Video visit".to_owned(),
        duration_s: 1_800,
        buffers: Buffers::default(),
    }
}

fn zone() -> Zone {
    Zone::parse("Asia/Riyadh").unwrap()
}

/// A visit that is about to be booked.
#[derive(Clone)]
pub struct Draft {
    pub visit: Visit,
    pub decision: Decision,
    pub request: RequestKey,
    pub answer: Answer,
    pub outbox: Vec<OutboxRow>,
    pub audit: AuditRow,
}

impl Clinic {
    pub async fn open(url: &str) -> Self {
        let store = Store::open(url).await.unwrap();
        assert_eq!(store.pending_migrations().await.unwrap(), 0);
        let clinic = Self {
            store,
            raw: AnyPool::connect(url).await.unwrap(),
            cedar: "cedar-street".parse().unwrap(),
            harbour: "harbour-road".parse().unwrap(),
        };
        for tenant in [&clinic.cedar, &clinic.harbour] {
            let institution = Institution {
                id: tenant.clone(),
                name: "A clinic".to_owned(),
                help_phone: Some("+1 323 555 0142".to_owned()),
                zone: Zone::parse("America/Los_Angeles").unwrap(),
            };
            clinic.store.put_institution(&institution, NOW).await.unwrap();
            clinic.store.put_service(tenant, &service(), NOW).await.unwrap();
        }
        for number in 1..=9 {
            clinic.put(&clinic.cedar, number, None).await;
        }
        clinic
    }

    pub async fn close(&self) {
        self.raw.close().await;
        self.store.close().await;
    }

    pub async fn put(&self, tenant: &TenantId, number: u8, resource: Option<ResourceId>) {
        let person = NewPerson {
            id: person(number),
            resource,
            names: Names::legal(&format!("Person {number}")),
            language: "ar".parse().unwrap(),
            zone: zone(),
            roles: if number == 1 {
                vec![StaffRole::Physician, StaffRole::Administrator]
            } else {
                Vec::new()
            },
        };
        self.store.put_person(tenant, &person, NOW).await.unwrap();
    }

    pub async fn resource(&self, number: u8) -> ResourceId {
        self.store
            .person(&self.cedar, person(number))
            .await
            .unwrap()
            .unwrap()
            .resource
    }

    /// What is decided on the calendar as it is now: a visit of one hour from `start` with the physician and a patient.
    pub async fn draft(&self, number: u8, start: UnixSeconds, patient: u8) -> Result<Draft, Refusal> {
        self.draft_for(&self.cedar, number, start, &[1, patient]).await
    }

    pub async fn draft_for(
        &self,
        tenant: &TenantId,
        number: u8,
        start: UnixSeconds,
        people: &[u8],
    ) -> Result<Draft, Refusal> {
        let mut attendees = Vec::new();
        for (place, who) in people.iter().enumerate() {
            let resource = self.store.person(tenant, person(*who)).await.unwrap().unwrap().resource;
            let role = if place == 0 { Role::Host } else { Role::Patient };
            attendees.push(Attendee {
                person: person(*who),
                resource,
                role,
                staff_roles: if place == 0 {
                    vec![StaffRole::Physician]
                } else {
                    Vec::new()
                },
            });
        }
        let wish = BookingRequest {
            start,
            duration_s: HOUR,
            buffers: Buffers::default(),
            attendees,
        };
        let resources: Vec<ResourceId> = wish.attendees.iter().map(|one| one.resource).collect();
        let calendar = self.store.calendar(tenant, &resources, wish.window()).await.unwrap();
        let decision = decide(&calendar, &wish, NOW)?;
        Ok(draft(number, &wish, decision))
    }

    pub async fn commit(&self, draft: &Draft) -> Outcome {
        self.commit_for(&self.cedar, draft).await
    }

    pub async fn commit_for(&self, tenant: &TenantId, draft: &Draft) -> Outcome {
        self.store.commit_booking(tenant, &booking(draft)).await.unwrap()
    }

    pub async fn book(&self, number: u8, start: UnixSeconds, patient: u8) -> Draft {
        let draft = self.draft(number, start, patient).await.unwrap();
        assert_eq!(self.commit(&draft).await, Outcome::Booked);
        draft
    }

    pub async fn run(&self, statement: &'static str) -> Result<u64, sqlx::Error> {
        sqlx::query(statement)
            .execute(&self.raw)
            .await
            .map(|done| done.rows_affected())
    }

    pub async fn count(&self, statement: &'static str) -> i64 {
        sqlx::query_scalar(statement).fetch_one(&self.raw).await.unwrap()
    }
}

pub fn booking(draft: &Draft) -> Booking<'_> {
    Booking {
        visit: &draft.visit,
        decision: &draft.decision,
        request: &draft.request,
        answer: &draft.answer,
        outbox: &draft.outbox,
        audit: &draft.audit,
        now: NOW,
    }
}

fn draft(number: u8, wish: &BookingRequest, decision: Decision) -> Draft {
    let id = VisitId::from_parts(UnixMillis(9), &[number; 10]);
    let participants = wish
        .attendees
        .iter()
        .enumerate()
        .map(|(place, one)| {
            let place = u8::try_from(place).unwrap();
            Participant {
                id: ParticipantId::from_parts(UnixMillis(9), &[0, 0, 0, 0, 0, 0, 0, 0, number, place]),
                person: one.person,
                name: heliograph_domain::Pii::new(String::new()),
                role: one.role,
                required: true,
                zone: zone(),
                language: "ar".parse().unwrap(),
                promised_wall: "2026-12-01T19:00".parse().unwrap(),
                promised_offset_s: 10_800,
                link_generation: 0,
                reported: None,
            }
        })
        .collect::<Vec<_>>();
    let recipient = participants[1].id.to_string();
    Draft {
        visit: Visit {
            id,
            ical_uid: format!("{id}@heliograph"),
            sequence: 0,
            version: 0,
            status: VisitStatus::Booked,
            service: Some(service().id),
            span: decision.visit,
            anchor: Anchor {
                person: None,
                zone: Zone::parse("America/Los_Angeles").unwrap(),
                wall: "2026-12-01T08:00".parse().unwrap(),
                offset_s: -28_800,
                tzdb_version: "2026f".to_owned(),
            },
            participants,
        },
        decision,
        request: RequestKey {
            caller: person(1),
            route: "POST /api/v1/visits",
            key: format!("key-{number}"),
            body_hash: format!("hash-{number}"),
        },
        answer: Answer {
            status: 201,
            body: format!("{{\"number\":{number}}}"),
        },
        outbox: vec![OutboxRow {
            kind: "invitation".to_owned(),
            sequence: 0,
            recipient,
            due: NOW,
            payload: "{}".to_owned(),
        }],
        audit: AuditRow {
            at: NOW.millis(),
            actor: format!("person:{}", person(1)),
            action: "visit_booked".to_owned(),
            visit: Some(id),
            subject: None,
        },
    }
}

pub fn span(start: UnixSeconds, seconds: i64) -> Span {
    Span::of(start, seconds)
}
