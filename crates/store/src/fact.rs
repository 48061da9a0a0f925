//! What happened in rooms and outlives them.

use crate::row::Fields;
use crate::{AuditRow, Store, StoreError, audit};
use heliograph_domain::visit::{Fact, Span};
use heliograph_domain::{TenantId, UnixMillis, VisitId};
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

const INSERT: &str = "INSERT INTO room_fact (institution, visit, session, cseq, kind, participant, at_ms)
    SELECT v.institution, v.id, $3, $4, $5, $6, $7 FROM visit v WHERE v.institution = $1 AND v.id = $2
    ON CONFLICT DO NOTHING";
const OF_VISIT: &str = "SELECT id, session, cseq, kind, participant, at_ms FROM room_fact
    WHERE institution = $1 AND visit = $2 ORDER BY at_ms, id";

const ENDS_BETWEEN: &str = "SELECT f.id, f.visit, f.session, f.cseq, f.kind, f.participant, f.at_ms FROM room_fact f
    JOIN visit v ON v.institution = f.institution AND v.id = f.visit
    WHERE f.institution = $1 AND v.start_s < $3 AND v.end_s > $2 AND f.kind IN ('end', 'end_undone', 'reopen')
    ORDER BY f.at_ms, f.id";

impl Store {
    /// The facts about ends of all visits that touch a span, in the order of their logs.
    pub async fn ends_between(
        &self,
        institution: &TenantId,
        span: Span,
    ) -> Result<BTreeMap<VisitId, Vec<Fact>>, StoreError> {
        let rows = sqlx::query(ENDS_BETWEEN)
            .bind(institution.as_str())
            .bind(span.start.0)
            .bind(span.end.0)
            .fetch_all(&self.readers)
            .await?;
        let mut found: BTreeMap<VisitId, Vec<Fact>> = BTreeMap::new();
        for row in &rows {
            let visit = Fields::of(row, "room_fact", "id").parse("visit")?;
            found.entry(visit).or_default().push(read(row)?);
        }
        Ok(found)
    }

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
        rows.iter().map(read).collect()
    }
}

fn read(row: &AnyRow) -> Result<Fact, StoreError> {
    let fields = Fields::of(row, "room_fact", "id");
    Ok(Fact {
        session: fields.text("session")?,
        cseq: fields.number("cseq")?,
        kind: fields.parse("kind")?,
        participant: fields.maybe_parse("participant")?,
        at: UnixMillis(fields.int("at_ms")?),
    })
}
