//! `POST /api/v1/visits/{visit}/seat`: a ticket for the WebSocket.

use crate::Edge;
use crate::caller::{Devices, MaybeStaff};
use crate::json::Json;
use crate::problem::{Problem, ProblemBody};
use axum::extract::{Path, State, rejection::PathRejection};
use heliograph_app::seat::{self, SeatCaller, SeatTicket};
use heliograph_domain::{ParticipantId, VisitId};
use serde::Deserialize;
use utoipa::ToSchema;

/// Which seat.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeatRequest {
    /// Needed only where a browser may sit in several.
    #[serde(default)]
    participant: Option<ParticipantId>,
}

/// Ask for a ticket to the room
///
/// Good for 30 seconds and for one `hello` on the WebSocket. A member of staff who takes part asks with their session, others
/// with the cookie of the device that redeemed their link.
#[utoipa::path(
    post, path = "/api/v1/visits/{visit}/seat", tag = "room", params(("visit" = VisitId, Path)), request_body = SeatRequest,
    responses(
        (status = OK, body = SeatTicket),
        (status = UNAUTHORIZED, body = ProblemBody, content_type = "application/problem+json", description = "`unauthorized`"),
        (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json", description = "`not_found`"),
        (status = GONE, body = ProblemBody, content_type = "application/problem+json",
            description = "`visit_cancelled`, `too_late`"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json", description = "Any other problem")
    )
)]
pub(crate) async fn seat(
    State(edge): State<Edge>,
    MaybeStaff(staff): MaybeStaff,
    Devices(devices): Devices,
    visit: Result<Path<VisitId>, PathRejection>,
    Json(request): Json<SeatRequest>,
) -> Result<axum::Json<SeatTicket>, Problem> {
    let Path(visit) = visit.map_err(|_| Problem::not_found())?;
    let caller = SeatCaller {
        staff: staff.as_ref(),
        devices: &devices,
    };
    let ticket = seat::ticket(&edge.app, caller, visit, request.participant).await;
    ticket.map(axum::Json).map_err(|error| Problem::of(&error))
}
