//! `POST /api/v1/links/redeem`: binds a link to this device.

use super::LinkToken;
use crate::Edge;
use crate::caller::{self, Devices};
use crate::json::Json;
use crate::problem::{Problem, ProblemBody};
use axum::extract::State;
use axum::http::{HeaderMap, header::SET_COOKIE};
use heliograph_app::links::{self, RedeemedLink};

/// Redeem a link
///
/// Binds it to this device by the cookie `__Host-hg_<participant>`. The device may repeat it.
#[utoipa::path(
    post, path = "/api/v1/links/redeem", tag = "links", request_body = LinkToken,
    responses(
        (status = OK, body = RedeemedLink),
        (status = UNAUTHORIZED, body = ProblemBody, content_type = "application/problem+json",
            description = "`other_device`: another one was first"),
        (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json",
            description = "`link_unknown`: unknown, malformed, outdated or over"),
        (status = GONE, body = ProblemBody, content_type = "application/problem+json", description = "`visit_cancelled`"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json", description = "Any other problem")
    )
)]
pub(crate) async fn redeem(
    State(edge): State<Edge>,
    Devices(devices): Devices,
    Json(request): Json<LinkToken>,
) -> Result<(HeaderMap, axum::Json<RedeemedLink>), Problem> {
    let redeemed = links::redeem(&edge.app, &request.token, &devices)
        .await
        .map_err(|error| Problem::of(&error))?;
    let cookie = redeemed.cookie.map(|cookie| {
        (
            SET_COOKIE,
            caller::set_device(redeemed.link.participant, cookie.reveal()),
        )
    });
    Ok((cookie.into_iter().collect(), axum::Json(redeemed.link)))
}
