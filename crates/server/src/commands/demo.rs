//! `heliograph demo`: the ways into the demo clinic, as text or JSON.

use super::Environment;
use crate::config::Config;
use crate::data::DataFolder;
use crate::wiring::Service;
use heliograph_access::link;
use heliograph_app::demo::{self, StaffDoor};
use heliograph_domain::visit::{Span, Visit};
use heliograph_domain::zone::{LocalTime, Zone};
use heliograph_domain::{ParticipantId, PersonId, Role, StaffRole, TenantId, UnixSeconds, VisitId};
use heliograph_http::Origin;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

/// Further ahead lies no visit of the demo, in seconds.
const AHEAD_S: i64 = 86_400;

/// All that is needed to try the demo.
#[derive(Serialize)]
pub(super) struct Doors {
    data: PathBuf,
    base_url: String,
    staff: Vec<Staff>,
    people: Vec<Somebody>,
    visits: Vec<DemoVisit>,
}

#[derive(Serialize)]
struct Somebody {
    institution: TenantId,
    person: PersonId,
    name: &'static str,
}

#[derive(Serialize)]
struct Staff {
    institution: TenantId,
    name: String,
    roles: Vec<StaffRole>,
    url: String,
}

#[derive(Serialize)]
struct DemoVisit {
    institution: TenantId,
    id: VisitId,
    start_s: UnixSeconds,
    participants: Vec<Guest>,
}

#[derive(Serialize)]
struct Guest {
    participant: ParticipantId,
    name: String,
    role: Role,
    zone: Zone,
    /// What the clock on the wall shows at the start.
    local: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

pub(super) fn run(read: &Environment, json: bool, people_only: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let config = &read.loaded.config;
    let data = DataFolder::open(&config.data.dir)?;
    let public = public_address(config, &data);
    let doors = super::runtime()?.block_on(async {
        let service = Service::open(config, &data, read.secret.clone()).await?;
        let doors = if people_only {
            people(&service, &data, &public).await
        } else {
            make(&service, &data, &public).await
        };
        service.store.close().await;
        doors
    })?;
    if json {
        Ok(writeln!(out, "{}", serde_json::to_string_pretty(&doors)?)?)
    } else {
        Ok(writeln!(out, "{}data        {}", lines(&doors), doors.data.display())?)
    }
}

/// Links lead to where the folder is served just now, else to where it would be.
fn public_address(config: &Config, data: &DataFolder) -> Origin {
    let served = data.served().and_then(|address| address.parse().ok());
    let configured = || config.http.public_url.clone();
    served
        .or_else(configured)
        .unwrap_or_else(|| Origin::http(config.http.listen.0))
}

/// Makes what is missing of the demo's people.
async fn people(service: &Service, data: &DataFolder, public: &Origin) -> anyhow::Result<Doors> {
    let made = demo::people(&service.app).await?;
    let mut doors = Doors {
        data: data.path().to_owned(),
        base_url: public.to_string(),
        staff: Vec::new(),
        people: Vec::new(),
        visits: Vec::new(),
    };
    for door in &made.staff {
        doors.staff.push(staff_door(service, door, public).await?);
    }
    doors.people.extend(made.everybody.into_iter().map(|one| Somebody {
        institution: one.institution,
        person: one.person,
        name: one.name,
    }));
    Ok(doors)
}

/// Makes what is missing of the demo.
pub(super) async fn make(service: &Service, data: &DataFolder, public: &Origin) -> anyhow::Result<Doors> {
    let made = demo::create(&service.app).await?;
    let mut doors = people(service, data, public).await?;
    let tokens = made.patients.iter().chain(&made.interpreted);
    let links: BTreeMap<ParticipantId, String> = tokens
        .filter_map(|door| {
            let participant = link::parse(&door.token)?.participant;
            Some((participant, format!("{public}{}", door.path())))
        })
        .collect();
    let institutions: BTreeSet<_> = doors.staff.iter().map(|one| one.institution.clone()).collect();
    for institution in institutions {
        let soon = Span::of(service.clock.now().seconds(), AHEAD_S);
        for visit in service.store.visits_between(&institution, soon).await? {
            doors.visits.push(demo_visit(service, &institution, &visit, &links));
        }
    }
    Ok(doors)
}

async fn staff_door(service: &Service, door: &StaffDoor, public: &Origin) -> anyhow::Result<Staff> {
    let person = service.store.person(&door.institution, door.person).await?;
    Ok(Staff {
        institution: door.institution.clone(),
        name: door.name.clone(),
        roles: person.map(|person| person.roles).unwrap_or_default(),
        url: format!("{public}{}", door.path()),
    })
}

fn demo_visit(
    service: &Service,
    institution: &TenantId,
    visit: &Visit,
    links: &BTreeMap<ParticipantId, String>,
) -> DemoVisit {
    let clock = |zone: &Zone| clock_text(service.tzdb.local(zone, visit.span.start));
    let participants = visit.participants.iter().map(|one| Guest {
        participant: one.id,
        name: one.name.reveal().clone(),
        role: one.role,
        local: format!("{} {}", one.zone.city(), clock(&one.zone)),
        zone: one.zone.clone(),
        url: links.get(&one.id).cloned(),
    });
    DemoVisit {
        institution: institution.clone(),
        id: visit.id,
        start_s: visit.span.start,
        participants: participants.collect(),
    }
}

fn clock_text(local: LocalTime) -> String {
    let wall = local.wall.to_string();
    wall.split_once('T').map_or(wall.clone(), |(_, time)| time.to_owned())
}

/// One line for each way in, the physician's first.
pub(super) fn lines(doors: &Doors) -> String {
    let staff = doors.staff.iter().map(|one| {
        let role = one.roles.first().map_or("staff", |role| role.as_str());
        let elsewhere = doors
            .staff
            .first()
            .is_some_and(|first| first.institution != one.institution);
        let place = if elsewhere {
            format!(", {}", one.institution)
        } else {
            String::new()
        };
        (role, format!("{}{place}", one.name), &one.url)
    });
    let guests = doors
        .visits
        .iter()
        .flat_map(|visit| &visit.participants)
        .filter_map(|one| {
            Some((
                one.role.as_str(),
                format!("{}, {}", one.name, one.local),
                one.url.as_ref()?,
            ))
        });
    let rows: Vec<_> = staff.chain(guests).collect();
    let width = rows
        .iter()
        .map(|(_, who, _)| who.chars().count())
        .max()
        .unwrap_or_default();
    let lines = rows
        .iter()
        .map(|(role, who, url)| format!("{role:<12}{who:<width$}  {url}"));
    lines.chain([String::new()]).collect::<Vec<_>>().join("\n")
}
