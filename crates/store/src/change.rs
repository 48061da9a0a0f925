//! What becomes of a visit after it was booked.

use crate::visit::rank;
use crate::{AuditRow, OutboxRow, Store, StoreError, audit, outbox};
use heliograph_domain::visit::Reported;
use heliograph_domain::{ParticipantId, TenantId, VisitId};

const CANCEL: &str =
    "UPDATE visit SET status = 'cancelled', sequence = sequence + 1, version = version + 1, cancel_reason = $4
    WHERE institution = $1 AND id = $2 AND version = $3 AND status = 'booked'";
const RELEASE: &str = "DELETE FROM claim WHERE institution = $1 AND visit = $2";
const REVOKE_ALL: &str =
    "UPDATE visit_participant SET link_generation = link_generation + 1 WHERE institution = $1 AND visit = $2";
const REVOKE: &str = "UPDATE visit_participant SET link_generation = link_generation + 1
    WHERE institution = $1 AND visit = $2 AND id = $3 AND link_generation = $4";
const CHANGED: &str = "UPDATE visit SET version = version + 1 WHERE institution = $1 AND id = $2";
const REPORT: &str = "UPDATE visit_participant SET progress = $3, progress_at_ms = $4
    WHERE institution = $1 AND id = $2 AND progress < $3";

/// A visit that does not take place.
#[derive(Debug)]
pub struct Cancellation<'a> {
    /// Which.
    pub visit: VisitId,
    /// The version that was decided about.
    pub version: i64,
    /// Why, for staff.
    pub reason: &'a str,
    /// What is to be sent.
    pub outbox: &'a [OutboxRow],
    /// What the audit says.
    pub audit: &'a AuditRow,
}

/// A link that leads nowhere any more, and the devices that redeemed it with it.
#[derive(Debug)]
pub struct Revocation<'a> {
    /// In which visit.
    pub visit: VisitId,
    /// Whose.
    pub participant: ParticipantId,
    /// The generation that is void from now on.
    pub generation: u32,
    /// What is to be sent.
    pub outbox: &'a [OutboxRow],
    /// What the audit says.
    pub audit: &'a AuditRow,
}

impl Store {
    /// Calls a visit off, gives its people's time back and makes its links void. `false`: it has another version by now, or is called off already;
    /// nothing was changed.
    pub async fn cancel_visit(&self, institution: &TenantId, what: &Cancellation<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let cancelled = sqlx::query(CANCEL)
            .bind(institution.as_str())
            .bind(what.visit.to_string())
            .bind(what.version)
            .bind(what.reason)
            .execute(&mut *transaction)
            .await?;
        if cancelled.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        for all in [RELEASE, REVOKE_ALL] {
            sqlx::query(all)
                .bind(institution.as_str())
                .bind(what.visit.to_string())
                .execute(&mut *transaction)
                .await?;
        }
        for row in what.outbox {
            outbox::put(&mut transaction, institution, what.visit, row).await?;
        }
        audit::put(&mut transaction, institution, what.audit).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Makes a link void. `false`: it has another generation by now; nothing was changed.
    pub async fn revoke_link(&self, institution: &TenantId, what: &Revocation<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let revoked = sqlx::query(REVOKE)
            .bind(institution.as_str())
            .bind(what.visit.to_string())
            .bind(what.participant.to_string())
            .bind(i64::from(what.generation))
            .execute(&mut *transaction)
            .await?;
        if revoked.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        sqlx::query(CHANGED)
            .bind(institution.as_str())
            .bind(what.visit.to_string())
            .execute(&mut *transaction)
            .await?;
        for row in what.outbox {
            outbox::put(&mut transaction, institution, what.visit, row).await?;
        }
        audit::put(&mut transaction, institution, what.audit).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Notes how far a participant's page is; whether that is further than it was.
    pub async fn report(
        &self,
        institution: &TenantId,
        participant: ParticipantId,
        reported: Reported,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let written = sqlx::query(REPORT)
            .bind(institution.as_str())
            .bind(participant.to_string())
            .bind(rank(reported.progress))
            .bind(reported.at.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(written.rows_affected() == 1)
    }
}
