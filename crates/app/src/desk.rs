//! What the desk's socket needs: who may open it, and how visits stand as far as the store knows.

use crate::{App, Caller, StoreError, links, staff, visits};
use heliograph_access::cookie::CookieHash;
use heliograph_access::desk_ticket::{self, DeskTicket as Ticket};
use heliograph_domain::visit::{Fact, Reported, Span, Standing, Visit, VisitStatus};
use heliograph_domain::{ParticipantId, PersonId, TenantId, UnixMillis, UnixSeconds, VisitId};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::fmt;
use utoipa::ToSchema;

/// The right to open the desk's socket, once, within half a minute.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeskTicket {
    pub ticket: String,
    pub expires_ms: UnixMillis,
}

impl fmt::Debug for DeskTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeskTicket([hidden])")
    }
}

/// A ticket for the caller, whose session has this cookie.
pub fn ticket(app: &App, caller: &Caller, cookie: &str) -> DeskTicket {
    let ticket = Ticket::issue(
        caller.institution.clone(),
        caller.person,
        CookieHash::of(cookie).as_str().to_owned(),
        app.now(),
        app.entropy.as_ref(),
    );
    DeskTicket {
        ticket: desk_ticket::mint(&app.keys, &ticket),
        expires_ms: ticket.expires,
    }
}

/// What a member of staff may see on the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskRights {
    /// All visits of the institution, and not only those that the person takes part in.
    pub everything: bool,
    /// The person's own day, with all that the list of visits may show at any time of it.
    pub shown: Span,
    /// When that day ends, and another one is to be shown.
    pub day_ends: UnixSeconds,
    /// When the session ends, whatever happens.
    pub until: UnixMillis,
}

/// What somebody may see whose session has this hash; `None` if there is no such session.
pub async fn rights(
    app: &App,
    institution: &TenantId,
    person: PersonId,
    session: &str,
) -> Result<Option<DeskRights>, StoreError> {
    let now = app.now_s();
    let session = app.store.session(institution, session, now).await?;
    let Some(session) = session.filter(|session| session.person == person) else {
        return Ok(None);
    };
    let Some(caller) = staff::load(app, institution, person).await? else {
        return Ok(None);
    };
    let today = app.tzdb.local(&caller.zone, now).wall.date();
    let day = visits::span_of(app, &caller, today);
    Ok(Some(DeskRights {
        everything: visits::sees_everything(&caller),
        shown: Span {
            start: day.start.plus(-links::GOOD_AFTER_END_S),
            end: day.end.plus(links::WAITING_OPENS_S),
        },
        day_ends: day.end,
        until: session.expires.millis(),
    }))
}

/// How a visit stands as far as the store knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskRow {
    pub visit: VisitId,
    pub span: Span,
    /// Who takes part.
    pub people: Vec<PersonId>,
    pub version: i64,
    pub cancelled: bool,
    /// Whose page is the furthest.
    pub reported: Option<(ParticipantId, Reported)>,
    /// When it was ended in its room, if it is.
    pub ended: Option<UnixMillis>,
}

/// All visits of the institution that touch a span.
pub async fn rows(app: &App, institution: &TenantId, span: Span) -> Result<Vec<DeskRow>, StoreError> {
    let visits = app.store.visits_between(institution, span).await?;
    let ends = app.store.ends_between(institution, span).await?;
    let none = Vec::new();
    let row = |visit: &Visit| row_of(visit, ends.get(&visit.id).unwrap_or(&none));
    Ok(visits.iter().map(row).collect())
}

/// One of them.
pub async fn row(app: &App, institution: &TenantId, visit: VisitId) -> Result<Option<DeskRow>, StoreError> {
    let Some(visit) = app.store.visit(institution, visit).await? else {
        return Ok(None);
    };
    let facts = app.store.facts(institution, visit.id).await?;
    Ok(Some(row_of(&visit, &facts)))
}

fn row_of(visit: &Visit, facts: &[Fact]) -> DeskRow {
    let reports = visit
        .participants
        .iter()
        .filter_map(|one| Some((one.id, one.reported?)));
    DeskRow {
        visit: visit.id,
        span: visit.span,
        people: visit.participants.iter().map(|one| one.person).collect(),
        version: visit.version,
        cancelled: visit.status == VisitStatus::Cancelled,
        reported: reports.max_by_key(|(_, reported)| (reported.progress, Reverse(reported.at))),
        ended: Standing::of(facts).ended,
    }
}
