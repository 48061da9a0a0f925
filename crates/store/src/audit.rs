//! Who did what: rows that are only ever added, in the transaction of what they tell.

use crate::row::Fields;
use crate::{Store, StoreError};
use heliograph_domain::{TenantId, UnixMillis, VisitId};
use sqlx::{Any, Transaction};

const INSERT: &str =
    "INSERT INTO audit (institution, at_ms, actor, action, visit, subject) VALUES ($1, $2, $3, $4, $5, $6)";
const OF_VISIT: &str = "SELECT id, at_ms, actor, action, visit, subject FROM audit
    WHERE institution = $1 AND visit = $2 ORDER BY id";

/// One row of the audit. It holds ids, never a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub at: UnixMillis,
    /// Who: a kind and an id, such as `person:…`, `participant:…`, `session:…`.
    pub actor: String,
    /// What, such as `visit_booked`.
    pub action: String,
    /// In which visit.
    pub visit: Option<VisitId>,
    /// To whom or what.
    pub subject: Option<String>,
}

impl Store {
    /// What was done in a visit, in order.
    pub async fn audit_of(&self, institution: &TenantId, visit: VisitId) -> Result<Vec<AuditRow>, StoreError> {
        let rows = sqlx::query(OF_VISIT)
            .bind(institution.as_str())
            .bind(visit.to_string())
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                let fields = Fields::of(row, "audit", "id");
                Ok(AuditRow {
                    at: UnixMillis(fields.int("at_ms")?),
                    actor: fields.text("actor")?,
                    action: fields.text("action")?,
                    visit: fields.maybe_parse("visit")?,
                    subject: fields.maybe_text("subject")?,
                })
            })
            .collect()
    }
}

pub(crate) async fn put(
    transaction: &mut Transaction<'_, Any>,
    institution: &TenantId,
    row: &AuditRow,
) -> Result<(), StoreError> {
    sqlx::query(INSERT)
        .bind(institution.as_str())
        .bind(row.at.0)
        .bind(row.actor.as_str())
        .bind(row.action.as_str())
        .bind(row.visit.map(|visit| visit.to_string()))
        .bind(row.subject.as_deref())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
