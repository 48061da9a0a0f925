//! What a room must know: who may sit in it, and how it opens.

use crate::{App, StoreError, links};
use heliograph_domain::visit::{Fact, FactKind, Standing, VisitStatus};
use heliograph_domain::{Language, ParticipantId, Pii, Role, TenantId, UnixMillis, VisitId};

/// The right to sit in a visit's room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatRights {
    pub role: Role,
    pub name: Pii<String>,
    pub language: Language,
    /// Not before this; staff may come at any time.
    pub opens: UnixMillis,
    /// Not after this, unless the room runs over.
    pub until: UnixMillis,
    /// The generation of the person's link; what an older one gave is void.
    pub generation: u32,
}

/// How a room opens: what is known of it from before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    pub admitted: Vec<ParticipantId>,
    pub held: Vec<ParticipantId>,
    pub removed: Vec<ParticipantId>,
    pub ended: bool,
    /// When it was ended, if it is.
    pub ended_at: Option<UnixMillis>,
    /// The visit's start and end.
    pub start: UnixMillis,
    pub end: UnixMillis,
}

/// Who may sit in a seat now and until when; `None` if nobody may.
pub async fn seat(
    app: &App,
    institution: &TenantId,
    visit: VisitId,
    seat: ParticipantId,
) -> Result<Option<SeatRights>, StoreError> {
    let visit = app.store.visit(institution, visit).await?;
    Ok(visit
        .filter(|visit| visit.status == VisitStatus::Booked)
        .and_then(|visit| {
            let (opens, until) = (links::opens(&visit), links::good_until(&visit));
            visit
                .participants
                .into_iter()
                .find(|one| one.id == seat)
                .map(|one| SeatRights {
                    opens: if one.role.is_staff() {
                        UnixMillis::default()
                    } else {
                        opens
                    },
                    role: one.role,
                    name: one.name,
                    language: one.language,
                    until,
                    generation: one.link_generation,
                })
        }))
}

/// How a visit's room opens; `None` if it does not.
pub async fn opening(app: &App, institution: &TenantId, visit: VisitId) -> Result<Option<Opening>, StoreError> {
    let Some(visit) = app.store.visit(institution, visit).await? else {
        return Ok(None);
    };
    let facts = app.store.facts(institution, visit.id).await?;
    let open = visit.status == VisitStatus::Booked;
    Ok(open.then(|| fold(&facts, visit.span.start.millis(), visit.span.end.millis())))
}

fn fold(facts: &[Fact], start: UnixMillis, end: UnixMillis) -> Opening {
    let standing = Standing::of(facts);
    Opening {
        admitted: standing.who(FactKind::Admit),
        held: standing.who(FactKind::Hold),
        removed: standing.who(FactKind::Remove),
        ended: standing.ended.is_some(),
        ended_at: standing.ended,
        start,
        end,
    }
}
