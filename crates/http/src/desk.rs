//! `POST /api/v1/desk/ticket`: a ticket for the desk's socket.

use crate::Edge;
use crate::caller::{Staff, StaffCookie};
use crate::problem::{Problem, ProblemBody};
use axum::extract::State;
use heliograph_app::desk::{self, DeskTicket};

/// Ask for a ticket to the desk
///
/// Good for 30 seconds and for one `hello` with `desk` on the WebSocket, which tells how the visits of your day stand.
#[utoipa::path(
    post, path = "/api/v1/desk/ticket", tag = "room", security(("staff" = [])),
    responses(
        (status = OK, body = DeskTicket),
        (status = UNAUTHORIZED, body = ProblemBody, content_type = "application/problem+json", description = "`unauthorized`"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json", description = "Any other problem")
    )
)]
pub(crate) async fn ticket(
    State(edge): State<Edge>,
    Staff(caller): Staff,
    StaffCookie(cookie): StaffCookie,
) -> Result<axum::Json<DeskTicket>, Problem> {
    let cookie = cookie.ok_or_else(|| Problem::internal("a member of staff without a cookie"))?;
    Ok(axum::Json(desk::ticket(&edge.app, &caller, &cookie)))
}
