//! The commit of a booking: everything or nothing, in one transaction.

use crate::calendar::BOOKED;
use crate::row::Fields;
use crate::{Answer, AuditRow, OutboxRow, RequestKey, Store, StoreError, Stored, audit, idempotency, meta, outbox};
use heliograph_domain::visit::{Participant, Visit};
use heliograph_domain::{ResourceId, TenantId, UnixSeconds};
use heliograph_schedule::booking::Decision;
use sqlx::{Any, Transaction};

const RAISE_VERSION: &str = "UPDATE resource SET version = version + 1 WHERE id = $1 RETURNING id, version";
const DROP_EXPIRED: &str = "DELETE FROM claim /* any institution: an expired hold gives way whoever made it */
    WHERE resource = $1 AND expires_s <= $2 AND start_s < $4 AND end_s > $3";
const INSERT_VISIT: &str =
    "INSERT INTO visit (institution, id, ical_uid, sequence, version, status, service, start_s, end_s,
        anchor_person, anchor_zone, anchor_wall, anchor_offset_s, tzdb_version, created_s)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
const INSERT_PARTICIPANT: &str = "INSERT INTO visit_participant (institution, id, visit, place, person, role, required,
        status, zone, promised_wall, promised_offset_s, link_generation)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'booked', $8, $9, $10, $11)";
const INSERT_HOME: &str = "INSERT INTO link_home (participant, institution) VALUES ($1, $2)";
const INSERT_CLAIM: &str = "INSERT INTO claim (institution, visit, resource, start_s, end_s, state)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";

/// A visit to be booked, with all that belongs to it.
#[derive(Debug)]
pub struct Booking<'a> {
    /// The visit and its participants.
    pub visit: &'a Visit,
    /// Whose time is claimed from when to when, and what the decision saw.
    pub decision: &'a Decision,
    /// What the request is known by when it comes again.
    pub request: &'a RequestKey,
    /// What it is answered then.
    pub answer: &'a Answer,
    /// What is to be sent.
    pub outbox: &'a [OutboxRow],
    /// What the audit says.
    pub audit: &'a AuditRow,
    /// When it is booked.
    pub now: UnixSeconds,
}

/// What became of a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It stands.
    Booked,
    /// The request was seen before; nothing was changed.
    Repeated(Stored),
    /// Someone's calendar has changed since the decision; nothing was changed. Decide again.
    Lost,
}

impl Store {
    /// Books a visit, unless the request was answered before or a race was lost.
    pub async fn commit_booking(&self, institution: &TenantId, booking: &Booking<'_>) -> Result<Outcome, StoreError> {
        let mut transaction = self.begin().await?;
        match write(&mut transaction, institution, booking).await {
            Ok(Outcome::Booked) => {}
            Ok(other) => {
                transaction.rollback().await?;
                return Ok(other);
            }
            Err(StoreError::Conflict) => return Ok(Outcome::Lost),
            Err(error) => return Err(error),
        }
        match transaction.commit().await.map_err(StoreError::from) {
            Ok(()) => Ok(Outcome::Booked),
            Err(StoreError::Conflict) => Ok(Outcome::Lost),
            Err(error) => Err(error),
        }
    }
}

async fn write(
    transaction: &mut Transaction<'_, Any>,
    institution: &TenantId,
    booking: &Booking<'_>,
) -> Result<Outcome, StoreError> {
    // First of all, or a retry of a success would meet its own claim.
    if let Some(stored) =
        idempotency::take(transaction, institution, booking.request, booking.answer, booking.now).await?
    {
        return Ok(Outcome::Repeated(stored));
    }
    meta::check_tzdb(transaction, &booking.visit.anchor.tzdb_version).await?;
    // In ascending order of ids, as in every transaction that touches claims: otherwise two of them deadlock.
    for (resource, seen) in &booking.decision.versions {
        let row = sqlx::query(RAISE_VERSION)
            .bind(resource.0)
            .fetch_optional(&mut **transaction)
            .await?;
        let raised = row
            .map(|row| Fields::of(&row, "resource", "id").int("version"))
            .transpose()?;
        if raised != Some(seen + 1) {
            return Ok(Outcome::Lost);
        }
    }
    insert_visit(transaction, institution, booking.visit, booking.now).await?;
    for (place, participant) in booking.visit.participants.iter().enumerate() {
        insert_participant(transaction, institution, booking.visit, place, participant).await?;
    }
    for resource in booking.decision.versions.keys() {
        if !claim(transaction, institution, booking, *resource).await? {
            return Ok(Outcome::Lost);
        }
    }
    for row in booking.outbox {
        outbox::put(transaction, institution, booking.visit.id, row).await?;
    }
    audit::put(transaction, institution, booking.audit).await?;
    Ok(Outcome::Booked)
}

async fn insert_visit(
    transaction: &mut Transaction<'_, Any>,
    institution: &TenantId,
    visit: &Visit,
    now: UnixSeconds,
) -> Result<(), StoreError> {
    sqlx::query(INSERT_VISIT)
        .bind(institution.as_str())
        .bind(visit.id.to_string())
        .bind(visit.ical_uid.as_str())
        .bind(visit.sequence)
        .bind(visit.version)
        .bind(visit.status.as_str())
        .bind(visit.service.map(|service| service.to_string()))
        .bind(visit.span.start.0)
        .bind(visit.span.end.0)
        .bind(visit.anchor.person.map(|person| person.to_string()))
        .bind(visit.anchor.zone.name())
        .bind(visit.anchor.wall.to_string())
        .bind(i64::from(visit.anchor.offset_s))
        .bind(visit.anchor.tzdb_version.as_str())
        .bind(now.0)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

async fn insert_participant(
    transaction: &mut Transaction<'_, Any>,
    institution: &TenantId,
    visit: &Visit,
    place: usize,
    participant: &Participant,
) -> Result<(), StoreError> {
    sqlx::query(INSERT_PARTICIPANT)
        .bind(institution.as_str())
        .bind(participant.id.to_string())
        .bind(visit.id.to_string())
        .bind(i64::try_from(place).unwrap_or(i64::MAX))
        .bind(participant.person.to_string())
        .bind(participant.role.as_str())
        .bind(i64::from(participant.required))
        .bind(participant.zone.name())
        .bind(participant.promised_wall.to_string())
        .bind(i64::from(participant.promised_offset_s))
        .bind(i64::from(participant.link_generation))
        .execute(&mut **transaction)
        .await?;
    sqlx::query(INSERT_HOME)
        .bind(participant.id.to_string())
        .bind(institution.as_str())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Whether the claim could be made. The database is the last word: a row that overlaps another is not inserted.
async fn claim(
    transaction: &mut Transaction<'_, Any>,
    institution: &TenantId,
    booking: &Booking<'_>,
    resource: ResourceId,
) -> Result<bool, StoreError> {
    let span = booking.decision.claimed;
    sqlx::query(DROP_EXPIRED)
        .bind(resource.0)
        .bind(booking.now.0)
        .bind(span.start.0)
        .bind(span.end.0)
        .execute(&mut **transaction)
        .await?;
    let inserted = sqlx::query(INSERT_CLAIM)
        .bind(institution.as_str())
        .bind(booking.visit.id.to_string())
        .bind(resource.0)
        .bind(span.start.0)
        .bind(span.end.0)
        .bind(BOOKED)
        .execute(&mut **transaction)
        .await?;
    Ok(inserted.rows_affected() == 1)
}
