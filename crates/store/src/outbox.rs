//! What is to be sent, written in the transaction of what it tells.

use crate::row::Fields;
use crate::{Store, StoreError};
use heliograph_domain::{TenantId, UnixSeconds, VisitId};
use sqlx::{Any, Transaction};

const INSERT: &str =
    "INSERT INTO outbox (institution, id, visit, kind, sequence, recipient, due_s, locked_until_s, attempts,
        payload)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8) ON CONFLICT DO NOTHING";
const OF_VISIT: &str = "SELECT id, kind, sequence, recipient, due_s, payload FROM outbox
    WHERE institution = $1 AND visit = $2 ORDER BY due_s, id";
const DUE_FOR_ROOMS: &str = "SELECT institution, id, visit, attempts, payload FROM outbox
    /* any institution: one task of the service tells all rooms */
    WHERE kind = 'room' AND done_s IS NULL AND due_s <= $1 AND locked_until_s <= $1 ORDER BY due_s, id LIMIT $2";
const DONE: &str = "UPDATE outbox SET done_s = $3 WHERE institution = $1 AND id = $2 AND done_s IS NULL";
const PUT_OFF: &str = "UPDATE outbox SET locked_until_s = $3, attempts = attempts + 1
    WHERE institution = $1 AND id = $2 AND done_s IS NULL";

/// What the kind of rows for rooms is called.
pub const ROOM: &str = "room";

/// One message to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// What it is, such as `invitation`.
    pub kind: String,
    /// The sequence of the visit that it tells of; it is dropped when the visit has moved on.
    pub sequence: i64,
    /// Whom it is for: a participant id, or a name of the service's own.
    pub recipient: String,
    /// When it is to be sent.
    pub due: UnixSeconds,
    /// What the sender needs, as JSON; nothing about a person but ids.
    pub payload: String,
}

/// What a room is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomRow {
    /// The institution of the visit.
    pub institution: TenantId,
    /// The row's name, unique in the institution.
    pub id: String,
    /// The visit, and so its room.
    pub visit: VisitId,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// What happened, as JSON.
    pub payload: String,
}

impl Store {
    /// What rooms are to be told by `now`, of all institutions, the oldest first.
    pub async fn due_for_rooms(&self, now: UnixSeconds, most: u32) -> Result<Vec<RoomRow>, StoreError> {
        let rows = sqlx::query(DUE_FOR_ROOMS)
            .bind(now.0)
            .bind(i64::from(most))
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                let fields = Fields::of(row, "outbox", "id");
                Ok(RoomRow {
                    institution: fields.parse("institution")?,
                    id: fields.text("id")?,
                    visit: fields.parse("visit")?,
                    attempts: fields.number("attempts")?,
                    payload: fields.text("payload")?,
                })
            })
            .collect()
    }

    /// A row is done. Repeated, it changes nothing.
    pub async fn outbox_done(&self, institution: &TenantId, id: &str, now: UnixSeconds) -> Result<(), StoreError> {
        self.outbox_set(DONE, institution, id, now).await
    }

    /// A row was tried in vain and waits until an instant.
    pub async fn outbox_put_off(&self, institution: &TenantId, id: &str, until: UnixSeconds) -> Result<(), StoreError> {
        self.outbox_set(PUT_OFF, institution, id, until).await
    }

    async fn outbox_set(
        &self,
        statement: &'static str,
        institution: &TenantId,
        id: &str,
        instant: UnixSeconds,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(statement)
            .bind(institution.as_str())
            .bind(id)
            .bind(instant.0)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// What was to be sent about a visit, sent or not, by due time.
    pub async fn outbox_of(&self, institution: &TenantId, visit: VisitId) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = sqlx::query(OF_VISIT)
            .bind(institution.as_str())
            .bind(visit.to_string())
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                let fields = Fields::of(row, "outbox", "id");
                Ok(OutboxRow {
                    kind: fields.text("kind")?,
                    sequence: fields.int("sequence")?,
                    recipient: fields.text("recipient")?,
                    due: UnixSeconds(fields.int("due_s")?),
                    payload: fields.text("payload")?,
                })
            })
            .collect()
    }
}

pub(crate) async fn put(
    transaction: &mut Transaction<'_, Any>,
    institution: &TenantId,
    visit: VisitId,
    row: &OutboxRow,
) -> Result<(), StoreError> {
    sqlx::query(INSERT)
        .bind(institution.as_str())
        .bind(format!("{visit}:{}:{}:{}", row.kind, row.sequence, row.recipient))
        .bind(visit.to_string())
        .bind(row.kind.as_str())
        .bind(row.sequence)
        .bind(row.recipient.as_str())
        .bind(row.due.0)
        .bind(row.payload.as_str())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
