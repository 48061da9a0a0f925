//! `POST /api/v1/visits/{id}/cancel`: calls a visit off.

use crate::Edge;
use crate::caller::Staff;
use crate::json::Json;
use crate::problem::{Problem, ProblemBody};
use axum::extract::{Path, State, rejection::PathRejection};
use heliograph_app::cancel::{self, CancelError, CancelVisit};
use heliograph_app::view::Visit;
use heliograph_domain::VisitId;

impl From<CancelError> for Problem {
    fn from(error: CancelError) -> Self {
        let problem = Problem::of(&error);
        match error {
            CancelError::Invalid(errors) => Problem::invalid(errors),
            CancelError::Forbidden
            | CancelError::NotFound
            | CancelError::Changed
            | CancelError::TooLate
            | CancelError::Store(_) => problem,
        }
    }
}

/// Call a visit off
///
/// Who waits is told within two seconds and shown out; a visit that runs is not cut. Its people's time is free again.
/// Repeated, it changes nothing.
#[utoipa::path(
    post, path = "/api/v1/visits/{id}/cancel", tag = "visits", security(("staff" = [])), params(("id" = VisitId, Path)),
    request_body = CancelVisit,
    responses(
        (status = OK, body = Visit),
        (status = UNAUTHORIZED, body = ProblemBody, content_type = "application/problem+json", description = "`unauthorized`"),
        (status = FORBIDDEN, body = ProblemBody, content_type = "application/problem+json",
            description = "`forbidden`: schedulers, physicians and administrators call off; `foreign_origin`"),
        (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json",
            description = "`not_found`: another institution's visit too"),
        (status = CONFLICT, body = ProblemBody, content_type = "application/problem+json",
            description = "`visit_changed`: it has another `version` by now"),
        (status = GONE, body = ProblemBody, content_type = "application/problem+json", description = "`too_late`"),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody, content_type = "application/problem+json",
            description = "`invalid_request` with `errors`"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json", description = "Any other problem")
    )
)]
pub(crate) async fn cancel(
    State(edge): State<Edge>,
    Staff(caller): Staff,
    id: Result<Path<VisitId>, PathRejection>,
    Json(request): Json<CancelVisit>,
) -> Result<axum::Json<Visit>, Problem> {
    let Path(id) = id.map_err(|_| Problem::not_found())?;
    let visit = cancel::cancel(&edge.app, &caller, id, &request).await?;
    Ok(axum::Json(super::with_room(&edge, &caller, visit)))
}
