//! Tickets for seats: who may sit where.

use crate::links::{self, DeviceCookies};
use crate::{App, Caller, Coded, StoreError};
use heliograph_access::ticket::{self, Ticket};
use heliograph_domain::visit::{Participant, Visit, VisitStatus};
use heliograph_domain::{ParticipantId, Pii, Role, TenantId, UnixMillis, VisitId};
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;
use utoipa::ToSchema;

/// All that a request shows about who asks for a seat. One browser may hold both kinds of cookies.
#[derive(Debug, Clone, Copy)]
pub struct SeatCaller<'a> {
    pub staff: Option<&'a Caller>,
    pub devices: &'a DeviceCookies,
}

/// The right to take a seat by WebSocket, once, within half a minute.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeatTicket {
    pub visit: VisitId,
    pub seat: ParticipantId,
    pub role: Role,
    #[schema(value_type = String)]
    pub name: Pii<String>,
    pub ticket: String,
    pub expires_ms: UnixMillis,
}

impl fmt::Debug for SeatTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeatTicket({}, {}, {}, [hidden])", self.visit, self.seat, self.role)
    }
}

#[derive(Debug, Error)]
pub enum SeatError {
    #[error("sign in, or open the visit's link on this device")]
    Unauthorized,
    #[error("there is no such visit, or no seat in it for the caller")]
    NotFound,
    #[error("this visit was called off")]
    Cancelled,
    #[error("this visit is over")]
    TooLate,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Coded for SeatError {
    fn code(&self) -> &'static str {
        match self {
            SeatError::Unauthorized => "unauthorized",
            SeatError::NotFound => "not_found",
            SeatError::Cancelled => "visit_cancelled",
            SeatError::TooLate => "too_late",
            SeatError::Store(error) => error.code(),
        }
    }
}

/// A ticket for the seat that is named, or for the caller's own: a member of staff sits in their own name only, a device in
/// the name of whose link it redeemed. How early and how late one may come
/// is judged when the seat is taken: a room that runs over keeps its people.
pub async fn ticket(
    app: &App,
    caller: SeatCaller<'_>,
    visit: VisitId,
    participant: Option<ParticipantId>,
) -> Result<SeatTicket, SeatError> {
    let place = match find(app, caller, visit, participant).await? {
        Some(place) => place,
        None if caller.staff.is_some() => return Err(SeatError::NotFound),
        None => return Err(SeatError::Unauthorized),
    };
    let now = app.now();
    if place.visit.status == VisitStatus::Cancelled {
        return Err(SeatError::Cancelled);
    }
    if now >= links::overrun_until(&place.visit) {
        return Err(SeatError::TooLate);
    }
    let seat = place.participant;
    let ticket = Ticket::issue(
        place.institution,
        visit,
        seat.id,
        seat.link_generation,
        now,
        app.entropy.as_ref(),
    );
    Ok(SeatTicket {
        visit,
        seat: seat.id,
        role: seat.role,
        name: seat.name,
        ticket: ticket::mint(&app.keys, &ticket),
        expires_ms: ticket.expires,
    })
}

struct Place {
    institution: TenantId,
    visit: Visit,
    participant: Participant,
}

/// Without a name, a session comes before device cookies: a desk does not know its participant, a link page does.
async fn find(
    app: &App,
    caller: SeatCaller<'_>,
    visit: VisitId,
    participant: Option<ParticipantId>,
) -> Result<Option<Place>, StoreError> {
    if let Some(staff) = caller.staff
        && let Some(place) = staff_place(app, staff, visit, participant).await?
    {
        return Ok(Some(place));
    }
    let guest = links::guest(app, caller.devices, visit, participant).await?;
    Ok(guest.map(|guest| Place {
        institution: guest.institution,
        visit: guest.visit,
        participant: guest.participant,
    }))
}

async fn staff_place(
    app: &App,
    staff: &Caller,
    visit: VisitId,
    participant: Option<ParticipantId>,
) -> Result<Option<Place>, StoreError> {
    let visit = app.store.visit(&staff.institution, visit).await?;
    Ok(visit.and_then(|visit| {
        let own = visit
            .participants
            .iter()
            .find(|one| one.person == staff.person)
            .cloned();
        own.filter(|one| participant.is_none_or(|participant| participant == one.id))
            .map(|participant| Place {
                institution: staff.institution.clone(),
                visit,
                participant,
            })
    }))
}
