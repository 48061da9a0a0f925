//! How far a page is before its person waits.

use crate::links::{self, DeviceCookies};
use crate::{App, Coded, StoreError};
use heliograph_domain::visit::{Progress, Reported, VisitStatus};
use heliograph_domain::{ParticipantId, VisitId};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum ProgressError {
    #[error("open the visit's link on this device")]
    Unauthorized,
    #[error("this visit was called off")]
    Cancelled,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Coded for ProgressError {
    fn code(&self) -> &'static str {
        match self {
            ProgressError::Unauthorized => "unauthorized",
            ProgressError::Cancelled => "visit_cancelled",
            ProgressError::Store(error) => error.code(),
        }
    }
}

/// Notes how far the page of a device is, for the desk. A step that was passed before changes nothing.
pub async fn report(
    app: &App,
    devices: &DeviceCookies,
    visit: VisitId,
    participant: Option<ParticipantId>,
    progress: Progress,
) -> Result<(), ProgressError> {
    let guest = links::guest(app, devices, visit, participant).await?;
    let guest = guest.ok_or(ProgressError::Unauthorized)?;
    if guest.visit.status == VisitStatus::Cancelled {
        return Err(ProgressError::Cancelled);
    }
    let reported = Reported {
        progress,
        at: app.now(),
    };
    if app
        .store
        .report(&guest.institution, guest.participant.id, reported)
        .await?
    {
        app.watch.visit_changed(&guest.institution, visit);
    }
    Ok(())
}
