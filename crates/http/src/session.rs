//! `/api/v1/session`: staff sign in by a link, ask who they are, and sign out.

use crate::Edge;
use crate::caller::{self, Staff, StaffCookie};
use crate::json::Json;
use crate::problem::{Problem, ProblemBody};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header::SET_COOKIE};
use heliograph_app::{Caller, staff};
use serde::Deserialize;
use utoipa::ToSchema;

/// A sign-in link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// What follows `/desk/#` in the link.
    token: String,
}

type Cookie = [(HeaderName, HeaderValue); 1];

/// Sign in
///
/// Redeems a sign-in link. The answer sets the cookie `__Host-hg_staff`.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "session", request_body = SignIn,
    responses(
        (status = NO_CONTENT, description = "Signed in"),
        (status = UNAUTHORIZED, body = ProblemBody, content_type = "application/problem+json",
            description = "`unauthorized`: the link is not valid any more"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json", description = "Any other problem")
    )
)]
pub(crate) async fn sign_in(
    State(edge): State<Edge>,
    Json(request): Json<SignIn>,
) -> Result<(StatusCode, Cookie), Problem> {
    let signed_in = staff::sign_in(&edge.app, &request.token)
        .await
        .map_err(|error| Problem::of(&error))?;
    Ok((
        StatusCode::NO_CONTENT,
        [(SET_COOKIE, caller::set_staff(&signed_in.cookie, staff::SESSION_S))],
    ))
}

/// Who is signed in
#[utoipa::path(
    get, path = "/api/v1/session", tag = "session", security(("staff" = [])),
    responses(
        (status = OK, body = Caller),
        (status = UNAUTHORIZED, body = ProblemBody, content_type = "application/problem+json",
            description = "`unauthorized`: nobody"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json", description = "Any other problem")
    )
)]
pub(crate) async fn who(Staff(caller): Staff) -> axum::Json<Caller> {
    axum::Json(caller)
}

/// Sign out
///
/// Does the same when nobody is signed in.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "session", security(("staff" = [])),
    responses(
        (status = NO_CONTENT, description = "Nobody is signed in any more"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json", description = "Any other problem")
    )
)]
pub(crate) async fn sign_out(
    State(edge): State<Edge>,
    StaffCookie(cookie): StaffCookie,
) -> Result<(StatusCode, Cookie), Problem> {
    if let Some(cookie) = cookie {
        staff::sign_out(&edge.app, &cookie)
            .await
            .map_err(|error| Problem::of(&error))?;
    }
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, caller::set_staff("", 0))]))
}
