//! `POST /api/v1/visits/{id}/participants/{participant}/revoke`: a new link in place of an old one.

use super::book::{VisitLink, link_url};
use crate::Edge;
use crate::caller::Staff;
use crate::problem::{Problem, ProblemBody};
use axum::extract::{Path, State, rejection::PathRejection};
use heliograph_app::revoke;
use heliograph_domain::{ParticipantId, VisitId};

/// Make a person's link void
///
/// No device that redeemed it gets in any more, and a page that sits in the room is shown out within two seconds. The answer
/// is the link that holds from now on: send it to its owner only.
#[utoipa::path(
    post, path = "/api/v1/visits/{id}/participants/{participant}/revoke", tag = "visits", security(("staff" = [])),
    params(("id" = VisitId, Path), ("participant" = ParticipantId, Path)),
    responses(
        (status = OK, body = VisitLink),
        (status = UNAUTHORIZED, body = ProblemBody, content_type = "application/problem+json", description = "`unauthorized`"),
        (status = FORBIDDEN, body = ProblemBody, content_type = "application/problem+json",
            description = "`forbidden`: schedulers, physicians and administrators revoke; `foreign_origin`"),
        (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json",
            description = "`not_found`: the host and staff too, since they come by no link"),
        (status = CONFLICT, body = ProblemBody, content_type = "application/problem+json",
            description = "`visit_changed`: somebody else revokes the same link"),
        (status = GONE, body = ProblemBody, content_type = "application/problem+json",
            description = "`visit_cancelled`, `too_late`"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json", description = "Any other problem")
    )
)]
pub(crate) async fn revoke(
    State(edge): State<Edge>,
    Staff(caller): Staff,
    path: Result<Path<(VisitId, ParticipantId)>, PathRejection>,
) -> Result<axum::Json<VisitLink>, Problem> {
    let Path((id, participant)) = path.map_err(|_| Problem::not_found())?;
    let link = revoke::revoke(&edge.app, &caller, id, participant).await;
    let link = link.map_err(|error| Problem::of(&error))?;
    Ok(axum::Json(VisitLink {
        participant: link.participant,
        url: link_url(&edge, &link.token),
    }))
}
