//! Calling a visit off.

use crate::outbox::{self, RoomNotice};
use crate::view::{FieldError, Visit};
use crate::{App, Caller, Coded, StoreError, visits};
use heliograph_domain::visit::VisitStatus;
use heliograph_domain::{Pii, StaffRole, VisitId};
use heliograph_store::{AuditRow, Cancellation};
use serde::Deserialize;
use thiserror::Error;
use utoipa::ToSchema;

const MOST_CHARS: usize = 500;

/// Why a visit is called off, and which state of it was looked at.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelVisit {
    /// For staff only; at most 500 characters.
    #[schema(value_type = String, max_length = 500)]
    pub reason: Pii<String>,
    /// The `version` of the visit as the caller saw it.
    pub version: i64,
}

#[derive(Debug, Error)]
pub enum CancelError {
    #[error("your roles do not allow to call visits off")]
    Forbidden,
    #[error("there is no such visit")]
    NotFound,
    #[error("a field is not valid")]
    Invalid(Vec<FieldError>),
    #[error("the visit was changed since you looked at it: look again, then decide")]
    Changed,
    #[error("this visit is over")]
    TooLate,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Coded for CancelError {
    fn code(&self) -> &'static str {
        match self {
            CancelError::Forbidden => "forbidden",
            CancelError::NotFound => "not_found",
            CancelError::Invalid(_) => "invalid_request",
            CancelError::Changed => "visit_changed",
            CancelError::TooLate => "too_late",
            CancelError::Store(error) => error.code(),
        }
    }
}

/// Calls a visit off: its people's time is free again, links lead to the news, and who waits is told. Repeated, it changes
/// nothing.
pub async fn cancel(app: &App, caller: &Caller, id: VisitId, request: &CancelVisit) -> Result<Visit, CancelError> {
    let reason = request.reason.reveal().trim();
    let visit = visits::seen_by(app, caller, id).await?.ok_or(CancelError::NotFound)?;
    if !may_change(caller) {
        return Err(CancelError::Forbidden);
    }
    check(reason).map_err(CancelError::Invalid)?;
    if visit.status == VisitStatus::Booked {
        if visit.version != request.version {
            return Err(CancelError::Changed);
        }
        if app.now_s() >= visit.span.end {
            return Err(CancelError::TooLate);
        }
        let sequence = visit.sequence + 1;
        let cancelled = Cancellation {
            visit: id,
            version: visit.version,
            reason,
            outbox: &[outbox::row(
                &RoomNotice::Cancelled {},
                sequence,
                "cancelled".to_owned(),
                app.now_s(),
            )],
            audit: &AuditRow {
                at: app.now(),
                actor: caller.actor(),
                action: "visit_cancelled".to_owned(),
                visit: Some(id),
                subject: None,
            },
        };
        if !app.store.cancel_visit(&caller.institution, &cancelled).await? {
            return Err(CancelError::Changed);
        }
        app.watch.visit_changed(&caller.institution, id);
    }
    visits::get(app, caller, id).await.map_err(|error| match error {
        visits::VisitError::NotFound => CancelError::NotFound,
        visits::VisitError::Store(error) => CancelError::Store(error),
    })
}

/// Who may book may change what is booked, as far as they see it.
pub(crate) fn may_change(caller: &Caller) -> bool {
    caller.is_any(&[StaffRole::Scheduler, StaffRole::Physician, StaffRole::Administrator])
}

fn check(reason: &str) -> Result<(), Vec<FieldError>> {
    let message = if reason.is_empty() {
        "say in a few words why"
    } else if reason.chars().count() > MOST_CHARS {
        "at most 500 characters"
    } else {
        return Ok(());
    };
    Err(vec![FieldError {
        field: "reason".to_owned(),
        message: message.to_owned(),
    }])
}
