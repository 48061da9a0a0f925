//! What callers get to see. All of it has a JSON form and a schema.

use heliograph_domain::person::Institution;
use heliograph_domain::visit::{Span, VisitStatus};
use heliograph_domain::zone::{LocalDate, Tzdb, WallTime, Zone};
use heliograph_domain::{Language, ParticipantId, PersonId, Pii, Role, UnixMillis, UnixSeconds, VisitId, visit};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a visit without a named service is called.
const UNNAMED_SERVICE: &str = "Visit";

/// A visit, with its time in the zones of those who look at it and take part in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Visit {
    pub id: VisitId,
    pub service_name: String,
    pub status: VisitStatus,
    /// Goes up on every change of time, people or status.
    pub sequence: i64,
    /// Goes up on every change.
    pub version: i64,
    pub start_s: UnixSeconds,
    pub end_s: UnixSeconds,
    /// The zone that was named at the booking.
    pub anchor_zone: Zone,
    /// What that zone's clocks were said to show at the start.
    pub anchor_wall: WallTime,
    pub participants: Vec<VisitParticipant>,
    /// The viewer's own zone first, then the institution's, then those of the participants.
    pub local: Vec<ViewerTime>,
    /// Absent while nobody has opened the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomBrief>,
}

/// Somebody who takes part in a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VisitParticipant {
    pub participant: ParticipantId,
    pub person: PersonId,
    #[schema(value_type = String)]
    pub name: Pii<String>,
    pub role: Role,
    pub zone: Zone,
    pub language: Language,
    /// Whether the visit makes no sense without the person.
    pub required: bool,
    pub local: ViewerTime,
}

/// A visit's time as clocks of one zone show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ViewerTime {
    pub zone: Zone,
    pub city: String,
    pub wall_start: WallTime,
    pub wall_end: WallTime,
    /// Seconds that the zone is ahead of UTC at the start.
    pub offset_s: i32,
    /// Weekday, date, time and offset of the start, such as `Tue 2026-12-01T19:00+0300`.
    pub label: String,
}

/// The visits of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayVisits {
    pub day: LocalDate,
    /// The zone that the day is counted in.
    pub zone: Zone,
    pub now_ms: UnixMillis,
    pub tzdb_version: String,
    pub visits: Vec<Visit>,
}

/// How a room stands, as far as the list of visits shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomBrief {
    pub phase: RoomPhase,
    pub waiting: Vec<RoomWaiting>,
    /// Who is admitted and there.
    pub present: Vec<ParticipantId>,
}

/// Whether a room can be entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoomPhase {
    Open,
    /// It ends in seconds, unless that is taken back.
    Ending,
    Ended,
}

/// Somebody who waits to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomWaiting {
    pub participant: ParticipantId,
    pub since_ms: UnixMillis,
    /// Whether the person said that they are ready.
    pub knocked: bool,
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Where, such as `participants[1].zone`.
    pub field: String,
    pub message: String,
}

/// A visit's time in a zone.
pub(crate) fn viewer_time(tzdb: &Tzdb, zone: &Zone, span: Span) -> ViewerTime {
    let (start, end) = (tzdb.local(zone, span.start), tzdb.local(zone, span.end));
    ViewerTime {
        zone: zone.clone(),
        city: zone.city(),
        wall_start: start.wall,
        wall_end: end.wall,
        offset_s: start.offset_s,
        label: start.label(),
    }
}

/// Makes views of an institution's visits.
pub(crate) struct Viewer<'a> {
    pub(crate) tzdb: &'a Tzdb,
    pub(crate) zone: &'a Zone,
    pub(crate) institution: &'a Institution,
    pub(crate) services: BTreeMap<heliograph_domain::ServiceId, String>,
}

impl Viewer<'_> {
    pub(crate) fn visit(&self, visit: &visit::Visit) -> Visit {
        let participants: Vec<VisitParticipant> = visit
            .participants
            .iter()
            .map(|one| VisitParticipant {
                participant: one.id,
                person: one.person,
                name: one.name.clone(),
                role: one.role,
                zone: one.zone.clone(),
                language: one.language.clone(),
                required: one.required,
                local: viewer_time(self.tzdb, &one.zone, visit.span),
            })
            .collect();
        let mut zones = vec![self.zone];
        for zone in std::iter::once(&self.institution.zone).chain(participants.iter().map(|one| &one.zone)) {
            if !zones.contains(&zone) {
                zones.push(zone);
            }
        }
        let local = zones
            .into_iter()
            .map(|zone| viewer_time(self.tzdb, zone, visit.span))
            .collect();
        let service = visit.service.and_then(|service| self.services.get(&service).cloned());
        Visit {
            id: visit.id,
            service_name: service.unwrap_or_else(|| UNNAMED_SERVICE.to_owned()),
            status: visit.status,
            sequence: visit.sequence,
            version: visit.version,
            start_s: visit.span.start,
            end_s: visit.span.end,
            anchor_zone: visit.anchor.zone.clone(),
            anchor_wall: visit.anchor.wall,
            participants,
            local,
            room: None,
        }
    }
}
