//! `GET /api/v1/visits/{id}`: one visit.

use crate::Edge;
use crate::caller::Staff;
use crate::problem::{Problem, ProblemBody};
use axum::extract::{Path, State, rejection::PathRejection};
use heliograph_app::view::Visit;
use heliograph_app::visits;
use heliograph_domain::VisitId;

/// One visit
#[utoipa::path(
    get, path = "/api/v1/visits/{id}", tag = "visits", security(("staff" = [])), params(("id" = VisitId, Path)),
    responses(
        (status = OK, body = Visit),
        (status = UNAUTHORIZED, body = ProblemBody, content_type = "application/problem+json", description = "`unauthorized`"),
        (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json",
            description = "`not_found`: another institution's visit too"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json", description = "Any other problem")
    )
)]
pub(crate) async fn one(
    State(edge): State<Edge>,
    Staff(caller): Staff,
    id: Result<Path<VisitId>, PathRejection>,
) -> Result<axum::Json<Visit>, Problem> {
    let Path(id) = id.map_err(|_| Problem::not_found())?;
    let visit = visits::get(&edge.app, &caller, id)
        .await
        .map_err(|error| Problem::of(&error))?;
    Ok(axum::Json(super::with_room(&edge, &caller, visit)))
}
