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

impl Store {
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
