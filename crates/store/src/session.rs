//! Members of staff who have signed in.

use crate::row::Fields;
use crate::{AuditRow, Store, StoreError, audit};
use heliograph_domain::{PersonId, TenantId, UnixSeconds};

const SWEEP: &str = "DELETE FROM staff_session WHERE institution = $1 AND expires_s <= $2";
const INSERT: &str = "INSERT INTO staff_session (institution, id_hash, person, created_s, last_seen_s, expires_s)
    VALUES ($1, $2, $3, $4, $5, $6)";
const SELECT: &str = "SELECT id_hash, person, last_seen_s, expires_s FROM staff_session
    WHERE institution = $1 AND id_hash = $2 AND expires_s > $3";
const SEEN: &str = "UPDATE staff_session SET last_seen_s = $3 WHERE institution = $1 AND id_hash = $2";
const DELETE: &str = "DELETE FROM staff_session WHERE institution = $1 AND id_hash = $2";

/// A session of a member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffSession {
    /// The hash of the session's cookie.
    pub hash: String,
    /// Who signed in.
    pub person: PersonId,
    /// When the person last did something.
    pub last_seen: UnixSeconds,
    /// The first instant at which it is over, whatever the person does.
    pub expires: UnixSeconds,
}

impl Store {
    /// Begins a session, and clears away those that are over.
    pub async fn begin_session(
        &self,
        institution: &TenantId,
        session: &StaffSession,
        audit: &AuditRow,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let now = session.last_seen.0;
        sqlx::query(SWEEP)
            .bind(institution.as_str())
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(INSERT)
            .bind(institution.as_str())
            .bind(session.hash.as_str())
            .bind(session.person.to_string())
            .bind(now)
            .bind(now)
            .bind(session.expires.0)
            .execute(&mut *transaction)
            .await?;
        audit::put(&mut transaction, institution, audit).await?;
        Ok(transaction.commit().await?)
    }

    /// The session with this hash, if it is not over at `now`.
    pub async fn session(
        &self,
        institution: &TenantId,
        hash: &str,
        now: UnixSeconds,
    ) -> Result<Option<StaffSession>, StoreError> {
        let row = sqlx::query(SELECT)
            .bind(institution.as_str())
            .bind(hash)
            .bind(now.0)
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| {
            let fields = Fields::of(&row, "staff_session", "id_hash");
            Ok(StaffSession {
                hash: fields.text("id_hash")?,
                person: fields.parse("person")?,
                last_seen: UnixSeconds(fields.int("last_seen_s")?),
                expires: UnixSeconds(fields.int("expires_s")?),
            })
        })
        .transpose()
    }

    /// Notes that the person was there at `now`.
    pub async fn touch_session(&self, institution: &TenantId, hash: &str, now: UnixSeconds) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(SEEN)
            .bind(institution.as_str())
            .bind(hash)
            .bind(now.0)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Ends a session; `None` if there was none.
    pub async fn end_session(
        &self,
        institution: &TenantId,
        hash: &str,
        audit: &AuditRow,
    ) -> Result<Option<()>, StoreError> {
        let mut transaction = self.begin().await?;
        let ended = sqlx::query(DELETE)
            .bind(institution.as_str())
            .bind(hash)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if ended == 0 {
            transaction.rollback().await?;
            return Ok(None);
        }
        audit::put(&mut transaction, institution, audit).await?;
        transaction.commit().await?;
        Ok(Some(()))
    }
}
