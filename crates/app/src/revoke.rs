//! Making a person's link void and giving a new one.

use crate::booking::{self, Link};
use crate::cancel::may_change;
use crate::outbox::{self, RoomNotice};
use crate::{App, Caller, Coded, StoreError, links, visits};
use heliograph_domain::visit::{Participant, Visit, VisitStatus};
use heliograph_domain::{ParticipantId, VisitId};
use heliograph_store::{AuditRow, Revocation};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum RevokeError {
    #[error("your roles do not allow to change links")]
    Forbidden,
    #[error("there is no such visit, or nobody in it who comes by that link")]
    NotFound,
    #[error("this visit was called off")]
    Cancelled,
    #[error("this visit is over")]
    TooLate,
    #[error("somebody else is changing the same link: look again, then decide")]
    Changed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Coded for RevokeError {
    fn code(&self) -> &'static str {
        match self {
            RevokeError::Forbidden => "forbidden",
            RevokeError::NotFound => "not_found",
            RevokeError::Cancelled => "visit_cancelled",
            RevokeError::TooLate => "too_late",
            RevokeError::Changed => "visit_changed",
            RevokeError::Store(error) => error.code(),
        }
    }
}

/// Makes a person's link void: no device that redeemed it gets in any more, and a page that sits in the room is shown out.
/// The answer is the link that holds from now on.
pub async fn revoke(app: &App, caller: &Caller, id: VisitId, participant: ParticipantId) -> Result<Link, RevokeError> {
    let visit = visits::seen_by(app, caller, id).await?.ok_or(RevokeError::NotFound)?;
    let one = by_link(&visit, participant).ok_or(RevokeError::NotFound)?;
    if !may_change(caller) {
        return Err(RevokeError::Forbidden);
    }
    if visit.status == VisitStatus::Cancelled {
        return Err(RevokeError::Cancelled);
    }
    if app.now() >= links::good_until(&visit) {
        return Err(RevokeError::TooLate);
    }
    let newer = one.link_generation + 1;
    let revoked = Revocation {
        visit: id,
        participant,
        generation: one.link_generation,
        outbox: &[outbox::row(
            &RoomNotice::Revoked { participant },
            visit.sequence,
            format!("revoked-{participant}-{newer}"),
            app.now_s(),
        )],
        audit: &AuditRow {
            at: app.now(),
            actor: caller.actor(),
            action: "link_revoked".to_owned(),
            visit: Some(id),
            subject: Some(format!("participant:{participant}")),
        },
    };
    if !app.store.revoke_link(&caller.institution, &revoked).await? {
        return Err(RevokeError::Changed);
    }
    app.watch.visit_changed(&caller.institution, id);
    Ok(booking::link(app, &caller.institution, id, participant, newer))
}

fn by_link(visit: &Visit, participant: ParticipantId) -> Option<&Participant> {
    let mut all = visit.participants.iter();
    all.find(|one| one.id == participant && !one.role.is_staff())
}
