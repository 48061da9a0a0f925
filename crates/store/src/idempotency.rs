//! Answers that were given to requests with a key, so that a repeated request gets the same one.

use crate::row::Fields;
use crate::{Store, StoreError};
use heliograph_domain::{PersonId, TenantId, UnixSeconds};
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

const INSERT: &str = "INSERT INTO idempotency (institution, caller, route, key, body_hash, status, response, at_s)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
const SELECT: &str = "SELECT key, body_hash, status, response FROM idempotency
    WHERE institution = $1 AND caller = $2 AND route = $3 AND key = $4";
const FORGET: &str = "DELETE FROM idempotency WHERE institution = $1 AND at_s < $2";

/// Answers are kept this long, in seconds.
const KEPT_S: i64 = 48 * 3_600;

/// What a request is known by when it comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// Who asks.
    pub caller: PersonId,
    /// What for.
    pub route: &'static str,
    /// The key that the caller chose.
    pub key: String,
    /// A digest of the request's body: the same key with another body is a mistake.
    pub body_hash: String,
}

/// An answer that is kept. It must not hold a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// It was answered.
    Answered(Answer),
    /// Its key was used with another body.
    OtherBody,
}

impl Store {
    /// What was answered to a request, if it came before.
    pub async fn answered(&self, institution: &TenantId, request: &RequestKey) -> Result<Option<Stored>, StoreError> {
        let row = select(institution, request).fetch_optional(&self.readers).await?;
        row.as_ref().map(|row| read(row, request)).transpose()
    }
}

/// Takes the key for this transaction; what was answered before, if it is taken. A concurrent request with the same key is
/// waited for.
pub(crate) async fn take(
    transaction: &mut Transaction<'_, Any>,
    institution: &TenantId,
    request: &RequestKey,
    answer: &Answer,
    now: UnixSeconds,
) -> Result<Option<Stored>, StoreError> {
    sqlx::query(FORGET)
        .bind(institution.as_str())
        .bind(now.0 - KEPT_S)
        .execute(&mut **transaction)
        .await?;
    let taken = sqlx::query(INSERT)
        .bind(institution.as_str())
        .bind(request.caller.to_string())
        .bind(request.route)
        .bind(request.key.as_str())
        .bind(request.body_hash.as_str())
        .bind(i64::from(answer.status))
        .bind(answer.body.as_str())
        .bind(now.0)
        .execute(&mut **transaction)
        .await?;
    if taken.rows_affected() == 1 {
        return Ok(None);
    }
    let row = select(institution, request).fetch_one(&mut **transaction).await?;
    read(&row, request).map(Some)
}

fn select(institution: &TenantId, request: &RequestKey) -> sqlx::query::Query<'static, Any, sqlx::any::AnyArguments> {
    sqlx::query(SELECT)
        .bind(institution.as_str().to_owned())
        .bind(request.caller.to_string())
        .bind(request.route)
        .bind(request.key.clone())
}

fn read(row: &AnyRow, request: &RequestKey) -> Result<Stored, StoreError> {
    let fields = Fields::of(row, "idempotency", "key");
    if fields.text("body_hash")? != request.body_hash {
        return Ok(Stored::OtherBody);
    }
    Ok(Stored::Answered(Answer {
        status: fields.number("status")?,
        body: fields.text("response")?,
    }))
}
