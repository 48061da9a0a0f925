//! The demo clinic: two institutions, their people, and visits that start in the next minutes.

use crate::booking::{self, BookError, BookParticipant, BookStart, BookVisit, Choose};
use crate::view::{ViewerTime, viewer_time};
use crate::{App, Caller, StoreError, staff};
use heliograph_access::staff_link::{self, StaffLink};
use heliograph_domain::person::{Institution, Names};
use heliograph_domain::visit::{Buffers, Service, Span, Visit, VisitStatus};
use heliograph_domain::zone::{Resolved, Zone};
use heliograph_domain::{PersonId, Pii, Role, ServiceId, StaffRole, TenantId, UnixMillis, UnixSeconds};
use heliograph_store::NewPerson;
use std::collections::BTreeSet;
use std::fmt;
use thiserror::Error;

const CEDAR: &str = "cedar-street";
const HARBOUR: &str = "harbour-road";
/// Sign-in links of the demo are good this long, in seconds.
const LINK_GOOD_S: i64 = 30 * 86_400;
/// How far ahead a free time is looked for, in seconds.
const HORIZON_S: i64 = 12 * 3_600;
const STEP_S: i64 = 300;
const SHORT_MIN: i64 = 20;
const INTERPRETED_MIN: i64 = 40;
/// The interpreted visit is this much later, in seconds.
const LATER_S: i64 = 2 * 3_600;

// The demo's people keep their ids, so that making it again finds them.
const OKAFOR: u8 = 1;
const HADDAD: u8 = 2;
const AL_HARBI: u8 = 3;
const SANTOS: u8 = 4;
const RUIZ: u8 = 5;
const BRUNNER: u8 = 6;
const KELLER: u8 = 7;
const VIDAL: u8 = 8;
const VIDEO: u8 = 1;
const INTERPRETED: u8 = 2;

/// The ways into the demo.
#[derive(Debug)]
pub struct Demo {
    pub institution_name: String,
    pub physician: StaffDoor,
    pub scheduler: StaffDoor,
    /// Maryam Al-Harbi in Riyadh and Jun Santos in Manila, in the order of their visits.
    pub patients: Vec<VisitDoor>,
    /// The visit with an interpreter, later: the patient's and the interpreter's link.
    pub interpreted: Vec<VisitDoor>,
    /// The scheduler of the other institution, who sees nothing of this one.
    pub stranger: StaffDoor,
}

/// The demo without visits.
#[derive(Debug)]
pub struct People {
    /// The physician's door first, the other institution's scheduler's last.
    pub staff: [StaffDoor; 3],
    pub everybody: Vec<DemoPerson>,
}

/// Somebody of the demo.
#[derive(Debug)]
pub struct DemoPerson {
    pub institution: TenantId,
    pub person: PersonId,
    pub name: &'static str,
}

/// A sign-in link.
pub struct StaffDoor {
    pub institution: TenantId,
    pub person: PersonId,
    pub name: String,
    pub zone: Zone,
    pub token: String,
}

/// A visit link.
pub struct VisitDoor {
    pub name: String,
    /// The visit's time where the person is.
    pub local: ViewerTime,
    pub token: String,
}

impl StaffDoor {
    /// What follows the address of the service.
    pub fn path(&self) -> String {
        format!("/desk/#{}", self.token)
    }
}

impl VisitDoor {
    /// What follows the address of the service.
    pub fn path(&self) -> String {
        format!("/v/#{}", self.token)
    }
}

impl fmt::Debug for StaffDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StaffDoor({}, [hidden])", self.person)
    }
}

impl fmt::Debug for VisitDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VisitDoor({}, [hidden])", self.local.label)
    }
}

#[derive(Debug, Error)]
pub enum DemoError {
    #[error("a demo visit cannot be booked: {0}")]
    Book(#[from] BookError),
    #[error("the demo's institution or one of its people was removed")]
    Incomplete,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes what is missing of the demo's institutions and people, and no visits.
pub async fn people(app: &App) -> Result<People, DemoError> {
    let (cedar, harbour) = (tenant(CEDAR), tenant(HARBOUR));
    put_everybody(app, &cedar, &harbour).await?;
    let staff = [
        door(app, &caller(app, &cedar, OKAFOR).await?),
        door(app, &caller(app, &cedar, HADDAD).await?),
        door(app, &caller(app, &harbour, KELLER).await?),
    ];
    let row = |(institution, number, name, ..): Row| DemoPerson {
        institution: tenant(institution),
        person: person(number),
        name,
    };
    Ok(People {
        staff,
        everybody: everybody().map(row).into(),
    })
}

/// Makes what is missing of the demo. Visits that are not over are kept; for those that are, new ones are booked.
pub async fn create(app: &App) -> Result<Demo, DemoError> {
    let (cedar, harbour) = (tenant(CEDAR), tenant(HARBOUR));
    let [physician, scheduler_door, stranger_door] = people(app).await?.staff;
    let scheduler = caller(app, &cedar, HADDAD).await?;
    let now = app.now_s();
    // One step is left free before them, so that a visit can be booked for "now" as well.
    let soon = UnixSeconds(now.0 + (-now.0).rem_euclid(STEP_S) + STEP_S);
    let okafor = (OKAFOR, Role::Host);
    let mut patients = Vec::new();
    for patient in [AL_HARBI, SANTOS] {
        let people = [okafor, (patient, Role::Patient)];
        let visit = upcoming(app, &scheduler, VIDEO, SHORT_MIN, soon, &people).await?;
        patients.extend(doors(app, &cedar, &visit));
    }
    let people = [okafor, (AL_HARBI, Role::Patient), (RUIZ, Role::Interpreter)];
    let later = upcoming(
        app,
        &scheduler,
        INTERPRETED,
        INTERPRETED_MIN,
        soon.plus(LATER_S),
        &people,
    )
    .await?;
    let stranger = caller(app, &harbour, KELLER).await?;
    let people = [(BRUNNER, Role::Host), (VIDAL, Role::Patient)];
    upcoming(app, &stranger, VIDEO, SHORT_MIN, soon, &people).await?;

    Ok(Demo {
        institution_name: scheduler.institution_name.clone(),
        physician,
        interpreted: doors(app, &cedar, &later),
        scheduler: scheduler_door,
        patients,
        stranger: stranger_door,
    })
}

async fn put_everybody(app: &App, cedar: &TenantId, harbour: &TenantId) -> Result<(), StoreError> {
    let now = app.now_s();
    for (id, name, help_phone, home) in [
        (cedar, "Cedar Street Clinic", "+1 323 555 0142", "America/Los_Angeles"),
        (harbour, "Harbour Road Hospital", "+41 44 555 01 42", "Europe/Zurich"),
    ] {
        let institution = Institution {
            id: id.clone(),
            name: name.to_owned(),
            help_phone: Some(help_phone.to_owned()),
            zone: zone(home),
        };
        app.store.put_institution(&institution, now).await?;
        for (number, name, minutes) in [
            (VIDEO, "Video visit", SHORT_MIN),
            (INTERPRETED, "Visit with an interpreter", INTERPRETED_MIN),
        ] {
            let service = Service {
                id: service(number),
                name: name.to_owned(),
                duration_s: minutes * 60,
                buffers: Buffers::default(),
            };
            app.store.put_service(id, &service, now).await?;
        }
    }
    for (tenant, number, name, home, language, roles) in everybody() {
        let tenant = if tenant == CEDAR { cedar } else { harbour };
        let original_script = (number == AL_HARBI).then(|| Pii::new("مريم الحربي".to_owned()));
        let person = NewPerson {
            id: person(number),
            resource: None,
            names: Names {
                original_script,
                ..Names::legal(name)
            },
            language: language.parse().expect("a language tag of ours"),
            zone: zone(home),
            roles: roles.to_vec(),
        };
        app.store.put_person(tenant, &person, now).await?;
    }
    Ok(())
}

type Row = (
    &'static str,
    u8,
    &'static str,
    &'static str,
    &'static str,
    &'static [StaffRole],
);

/// Institution, number, name, home, language, what they are.
fn everybody() -> [Row; 8] {
    let (physician, scheduler): (&[_], &[_]) = (&[StaffRole::Physician], &[StaffRole::Scheduler]);
    [
        (CEDAR, OKAFOR, "Dr Amara Okafor", "America/Los_Angeles", "en", physician),
        (CEDAR, HADDAD, "Noor Haddad", "America/Los_Angeles", "en", scheduler),
        (CEDAR, AL_HARBI, "Maryam Al-Harbi", "Asia/Riyadh", "ar", &[]),
        (CEDAR, SANTOS, "Jun Santos", "Asia/Manila", "en", &[]),
        (
            CEDAR,
            RUIZ,
            "Sofía Ruiz",
            "Europe/Zurich",
            "en",
            &[StaffRole::Interpreter],
        ),
        (HARBOUR, BRUNNER, "Dr Lena Brunner", "Europe/Zurich", "de", physician),
        (HARBOUR, KELLER, "Urs Keller", "Europe/Zurich", "de", scheduler),
        (HARBOUR, VIDAL, "Tomás Vidal", "Europe/Madrid", "es", &[]),
    ]
}

/// A visit of exactly these people that is not over, or a new one at the first free time from `earliest` on.
async fn upcoming(
    app: &App,
    caller: &Caller,
    kind: u8,
    minutes: i64,
    earliest: UnixSeconds,
    people: &[(u8, Role)],
) -> Result<Visit, DemoError> {
    let wanted: BTreeSet<PersonId> = people.iter().map(|(number, _)| person(*number)).collect();
    let span = Span::of(app.now_s(), HORIZON_S);
    let found = app
        .store
        .visits_between(&caller.institution, span)
        .await?
        .into_iter()
        .find(|visit| {
            visit.status == VisitStatus::Booked
                && visit.participants.iter().map(|one| one.person).collect::<BTreeSet<_>>() == wanted
        });
    if let Some(visit) = found {
        return Ok(visit);
    }
    let mut start = earliest;
    loop {
        let request = request(app, caller, kind, minutes, start, people);
        let key = format!("demo {start:?} {wanted:?}");
        match booking::book(app, caller, &request, &key, &key).await {
            Ok(booked) => {
                let visit = app.store.visit(&caller.institution, booked.visit.id).await?;
                let visit = visit.ok_or(DemoError::Incomplete)?;
                if visit.status == VisitStatus::Booked {
                    return Ok(visit);
                }
                // The answer of before, to a visit that was called off since.
                start = start.plus(STEP_S);
            }
            Err(BookError::Taken { .. }) if start < earliest.plus(HORIZON_S) => start = start.plus(STEP_S),
            Err(error) => return Err(error.into()),
        }
    }
}

fn request(app: &App, caller: &Caller, kind: u8, minutes: i64, start: UnixSeconds, people: &[(u8, Role)]) -> BookVisit {
    let wall = app.tzdb.local(&caller.zone, start).wall;
    let choose = match app.tzdb.resolve(&caller.zone, wall) {
        Resolved::Ambiguous { first: _, second } if second == start => Choose::Second,
        Resolved::Ambiguous { .. } | Resolved::Unique(_) | Resolved::Missing { .. } => Choose::First,
    };
    BookVisit {
        service: Some(service(kind).to_string()),
        start: BookStart {
            wall: wall.to_string(),
            zone: caller.zone.to_string(),
            choose: Some(choose),
        },
        duration_min: minutes,
        participants: people
            .iter()
            .map(|(number, role)| BookParticipant {
                person: person(*number).to_string(),
                role: role.to_string(),
                zone: None,
            })
            .collect(),
    }
}

fn doors(app: &App, institution: &TenantId, visit: &Visit) -> Vec<VisitDoor> {
    let links = booking::links(app, institution, visit);
    let of = |link: &booking::Link| visit.participants.iter().find(|one| one.id == link.participant);
    links
        .into_iter()
        .filter_map(|link| {
            of(&link).map(|one| VisitDoor {
                name: one.name.reveal().clone(),
                local: viewer_time(&app.tzdb, &one.zone, visit.span),
                token: link.token,
            })
        })
        .collect()
}

fn door(app: &App, caller: &Caller) -> StaffDoor {
    let link = StaffLink {
        institution: caller.institution.clone(),
        person: caller.person,
        expires_s: app.now_s().plus(LINK_GOOD_S),
    };
    StaffDoor {
        institution: caller.institution.clone(),
        person: caller.person,
        name: caller.name.reveal().clone(),
        zone: caller.zone.clone(),
        token: staff_link::mint(&app.keys, &link),
    }
}

async fn caller(app: &App, institution: &TenantId, number: u8) -> Result<Caller, DemoError> {
    staff::load(app, institution, person(number))
        .await?
        .ok_or(DemoError::Incomplete)
}

fn tenant(text: &str) -> TenantId {
    text.parse().expect("an id of ours")
}

fn zone(name: &str) -> Zone {
    Zone::parse(name).expect("a zone of ours")
}

fn person(number: u8) -> PersonId {
    PersonId::from_parts(UnixMillis(0), &[number; 10])
}

fn service(number: u8) -> ServiceId {
    ServiceId::from_parts(UnixMillis(0), &[number; 10])
}
