//! `POST /api/v1/links/peek`: what a link tells before it is redeemed.

use super::LinkToken;
use crate::Edge;
use crate::caller::Devices;
use crate::json::Json;
use crate::problem::{Problem, ProblemBody};
use axum::extract::State;
use heliograph_app::links::{self, Peek};

/// Look at a link
///
/// Tells when and where, and names nobody. Once another device has redeemed the link, it tells only that.
#[utoipa::path(
    post, path = "/api/v1/links/peek", tag = "links", request_body = LinkToken,
    responses(
        (status = OK, body = Peek),
        (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json",
            description = "`link_unknown`: unknown, malformed, outdated or over"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json", description = "Any other problem")
    )
)]
pub(crate) async fn peek(
    State(edge): State<Edge>,
    Devices(devices): Devices,
    Json(request): Json<LinkToken>,
) -> Result<axum::Json<Peek>, Problem> {
    let peek = links::peek(&edge.app, &request.token, &devices)
        .await
        .map_err(|error| Problem::of(&error))?;
    Ok(axum::Json(peek))
}
