//! Reading visits.

use crate::row::Fields;
use crate::{Store, StoreError};
use heliograph_domain::visit::{Anchor, Participant, Progress, Reported, Span, Visit};
use heliograph_domain::{ParticipantId, PersonId, Pii, TenantId, UnixMillis, UnixSeconds, VisitId};
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

macro_rules! visit_columns {
    () => {
        "SELECT v.id, v.ical_uid, v.sequence, v.version, v.status, v.service, v.start_s, v.end_s, v.anchor_person,
            v.anchor_zone, v.anchor_wall, v.anchor_offset_s, v.tzdb_version FROM visit v WHERE v.institution = $1 "
    };
}

macro_rules! participant_columns {
    () => {
        "SELECT p.id, p.visit, p.person, p.role, p.required, p.zone, p.promised_wall, p.promised_offset_s,
            p.link_generation, p.progress, p.progress_at_ms, n.legal_name, n.preferred_name, n.language
        FROM visit_participant p
        JOIN person n ON n.institution = p.institution AND n.id = p.person
        JOIN visit v ON v.institution = p.institution AND v.id = p.visit
        WHERE p.institution = $1 "
    };
}

const ONE: &str = concat!(visit_columns!(), "AND v.id = $2");
const ONE_PEOPLE: &str = concat!(participant_columns!(), "AND p.visit = $2 ORDER BY p.place");

macro_rules! of_participant {
    () => {
        "AND v.id = (SELECT visit FROM visit_participant WHERE institution = $1 AND id = $2) "
    };
}

const OF_PARTICIPANT: &str = concat!(visit_columns!(), of_participant!());
const OF_PARTICIPANT_PEOPLE: &str = concat!(participant_columns!(), of_participant!(), "ORDER BY p.place");

macro_rules! between {
    () => {
        "AND v.start_s < $3 AND v.end_s > $2 "
    };
}

const BETWEEN: &str = concat!(visit_columns!(), between!(), "ORDER BY v.start_s, v.id");
const BETWEEN_PEOPLE: &str = concat!(participant_columns!(), between!(), "ORDER BY p.place");

const LINK_HOME: &str = "SELECT participant, institution FROM link_home WHERE participant = $1";

impl Store {
    /// A visit of the institution.
    pub async fn visit(&self, institution: &TenantId, visit: VisitId) -> Result<Option<Visit>, StoreError> {
        self.one(institution, ONE, ONE_PEOPLE, visit.to_string()).await
    }

    /// The visit that a participant takes part in. It asks the database as much whether there is one or not.
    pub async fn visit_of(
        &self,
        institution: &TenantId,
        participant: ParticipantId,
    ) -> Result<Option<Visit>, StoreError> {
        self.one(
            institution,
            OF_PARTICIPANT,
            OF_PARTICIPANT_PEOPLE,
            participant.to_string(),
        )
        .await
    }

    /// All visits of the institution that touch a span, by start.
    pub async fn visits_between(&self, institution: &TenantId, span: Span) -> Result<Vec<Visit>, StoreError> {
        let rows = |statement: &'static str| {
            sqlx::query(statement)
                .bind(institution.as_str())
                .bind(span.start.0)
                .bind(span.end.0)
                .fetch_all(&self.readers)
        };
        let (visits, mut people) = (rows(BETWEEN).await?, by_visit(&rows(BETWEEN_PEOPLE).await?)?);
        visits.iter().map(|row| read_visit(row, &mut people)).collect()
    }

    /// The institution that a participant belongs to: the only question that is asked without knowing it.
    pub async fn link_home(&self, participant: ParticipantId) -> Result<Option<TenantId>, StoreError> {
        let row = sqlx::query(LINK_HOME)
            .bind(participant.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| Fields::of(&row, "link_home", "participant").parse("institution"))
            .transpose()
    }

    async fn one(
        &self,
        institution: &TenantId,
        visit: &'static str,
        people: &'static str,
        id: String,
    ) -> Result<Option<Visit>, StoreError> {
        let people = sqlx::query(people)
            .bind(institution.as_str())
            .bind(id.as_str())
            .fetch_all(&self.readers)
            .await?;
        let visit = sqlx::query(visit)
            .bind(institution.as_str())
            .bind(id)
            .fetch_optional(&self.readers)
            .await?;
        let mut people = by_visit(&people)?;
        visit.as_ref().map(|row| read_visit(row, &mut people)).transpose()
    }
}

fn by_visit(rows: &[AnyRow]) -> Result<BTreeMap<VisitId, Vec<Participant>>, StoreError> {
    let mut found: BTreeMap<VisitId, Vec<Participant>> = BTreeMap::new();
    for row in rows {
        let visit = Fields::of(row, "visit_participant", "id").parse("visit")?;
        found.entry(visit).or_default().push(read_participant(row)?);
    }
    Ok(found)
}

fn read_visit(row: &AnyRow, people: &mut BTreeMap<VisitId, Vec<Participant>>) -> Result<Visit, StoreError> {
    let fields = Fields::of(row, "visit", "id");
    let id = fields.parse("id")?;
    Ok(Visit {
        id,
        ical_uid: fields.text("ical_uid")?,
        sequence: fields.int("sequence")?,
        version: fields.int("version")?,
        status: fields.parse("status")?,
        service: fields.maybe_parse("service")?,
        span: Span {
            start: UnixSeconds(fields.int("start_s")?),
            end: UnixSeconds(fields.int("end_s")?),
        },
        anchor: Anchor {
            person: fields.maybe_parse("anchor_person")?,
            zone: fields.parse("anchor_zone")?,
            wall: fields.parse("anchor_wall")?,
            offset_s: fields.number("anchor_offset_s")?,
            tzdb_version: fields.text("tzdb_version")?,
        },
        participants: people.remove(&id).unwrap_or_default(),
    })
}

fn read_participant(row: &AnyRow) -> Result<Participant, StoreError> {
    let fields = Fields::of(row, "visit_participant", "id");
    let name = match fields.maybe_text("preferred_name")? {
        Some(preferred) => preferred,
        None => fields.text("legal_name")?,
    };
    Ok(Participant {
        id: fields.parse("id")?,
        person: fields.parse::<PersonId>("person")?,
        name: Pii::new(name),
        role: fields.parse("role")?,
        required: fields.int("required")? != 0,
        zone: fields.parse("zone")?,
        language: fields.parse("language")?,
        promised_wall: fields.parse("promised_wall")?,
        promised_offset_s: fields.number("promised_offset_s")?,
        link_generation: fields.number("link_generation")?,
        reported: read_reported(&fields)?,
    })
}

fn read_reported(fields: &Fields<'_>) -> Result<Option<Reported>, StoreError> {
    let Some(at) = fields.maybe_int("progress_at_ms")? else {
        return Ok(None);
    };
    let step = fields.int("progress")?;
    let progress = Progress::ALL.into_iter().find(|progress| rank(*progress) == step);
    let progress = progress.ok_or_else(|| fields.broken("progress", &format!("no step has the number {step}")))?;
    Ok(Some(Reported {
        progress,
        at: UnixMillis(at),
    }))
}

/// The number of a step in the database.
pub(crate) fn rank(progress: Progress) -> i64 {
    match progress {
        Progress::Opened => 1,
        Progress::Testing => 2,
        Progress::CheckedIn => 3,
    }
}
