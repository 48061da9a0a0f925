//! What happened in rooms and outlives them.

use crate::row::Fields;
use crate::{AuditRow, Store, StoreError, audit};
use heliograph_domain::visit::Fact;
use heliograph_domain::{TenantId, UnixMillis, VisitId};

const INSERT: &str = "INSERT INTO room_fact (institution, visit, session, cseq, kind, participant, at_ms)
    SELECT v.institution, v.id, $3, $4, $5, $6, $7 FROM visit v WHERE v.institution = $1 AND v.id = $2
    ON CONFLICT DO NOTHING";
const OF_VISIT: &str = "SELECT id, session, cseq, kind, participant, at_ms FROM room_fact
    WHERE institution = $1 AND visit = $2 ORDER BY at_ms, id";

impl Store {
    /// Writes a fact down, with its row of the audit; whether it was new. A visit that the institution does not have takes
    /// none.
    pub async fn put_fact(
        &self,
        institution: &TenantId,
        visit: VisitId,
        fact: &Fact,
        audit: &AuditRow,
    ) -> Result<bool, StoreError> {
        let cseq = i64::try_from(fact.cseq).map_err(|_| StoreError::Internal("cseq beyond 2^63".to_owned()))?;
        let mut transaction = self.begin().await?;
        let written = sqlx::query(INSERT)
            .bind(institution.as_str())
            .bind(visit.to_string())
            .bind(fact.session.as_str())
            .bind(cseq)
            .bind(fact.kind.as_str())
            .bind(fact.participant.map(|participant| participant.to_string()))
            .bind(fact.at.0)
            .execute(&mut *transaction)
            .await?;
        if written.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        audit::put(&mut transaction, institution, audit).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// All facts of a visit's room, in the order of its log.
    pub async fn facts(&self, institution: &TenantId, visit: VisitId) -> Result<Vec<Fact>, StoreError> {
        let rows = sqlx::query(OF_VISIT)
            .bind(institution.as_str())
            .bind(visit.to_string())
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                let fields = Fields::of(row, "room_fact", "id");
                Ok(Fact {
                    session: fields.text("session")?,
                    cseq: fields.number("cseq")?,
                    kind: fields.parse("kind")?,
                    participant: fields.maybe_parse("participant")?,
                    at: UnixMillis(fields.int("at_ms")?),
                })
            })
            .collect()
    }
}
