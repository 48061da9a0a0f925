//! `POST /api/v1/visits/{visit}/progress`: how far a page is before its person waits.

use crate::Edge;
use crate::caller::Devices;
use crate::json::Json;
use crate::problem::{Problem, ProblemBody};
use axum::extract::{Path, State, rejection::PathRejection};
use axum::http::StatusCode;
use heliograph_app::progress;
use heliograph_domain::visit::Progress;
use heliograph_domain::{ParticipantId, VisitId};
use serde::Deserialize;
use utoipa::ToSchema;

/// How far the page is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgressReport {
    progress: Progress,
    /// Needed only where a browser holds several links of the visit.
    #[serde(default)]
    participant: Option<ParticipantId>,
}

/// Tell the desk how far the page is
///
/// With the cookie of the device that redeemed the link, and only after the person did something. A step that was passed
/// before changes nothing.
#[utoipa::path(
    post, path = "/api/v1/visits/{visit}/progress", tag = "room", params(("visit" = VisitId, Path)),
    request_body = ProgressReport,
    responses(
        (status = NO_CONTENT, description = "The desk is told"),
        (status = UNAUTHORIZED, body = ProblemBody, content_type = "application/problem+json", description = "`unauthorized`"),
        (status = GONE, body = ProblemBody, content_type = "application/problem+json", description = "`visit_cancelled`"),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody, content_type = "application/problem+json",
            description = "`invalid_request` with `errors`"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json", description = "Any other problem")
    )
)]
pub(crate) async fn report(
    State(edge): State<Edge>,
    Devices(devices): Devices,
    visit: Result<Path<VisitId>, PathRejection>,
    Json(report): Json<ProgressReport>,
) -> Result<StatusCode, Problem> {
    let Path(visit) = visit.map_err(|_| Problem::not_found())?;
    let told = progress::report(&edge.app, &devices, visit, report.participant, report.progress).await;
    told.map(|()| StatusCode::NO_CONTENT)
        .map_err(|error| Problem::of(&error))
}
