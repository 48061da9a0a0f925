//! Looking at visits.

use crate::view::{DayVisits, Viewer, Visit};
use crate::{App, Caller, Coded, StoreError, links};
use heliograph_domain::person::Institution;
use heliograph_domain::visit::{self, Service, Span};
use heliograph_domain::zone::{LocalDate, Zone};
use heliograph_domain::{StaffRole, UnixSeconds, VisitId};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum VisitError {
    #[error("there is no such visit")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Coded for VisitError {
    fn code(&self) -> &'static str {
        match self {
            VisitError::NotFound => "not_found",
            VisitError::Store(error) => error.code(),
        }
    }
}

/// The visits of a day of the caller's zone that the caller may see, by start. If none is named: today's, and those of
/// yesterday and tomorrow for which people may wait or be in the visit now.
pub async fn day(app: &App, caller: &Caller, day: Option<LocalDate>) -> Result<DayVisits, VisitError> {
    let now = app.now();
    let today = app.tzdb.local(&caller.zone, now.seconds()).wall.date();
    let span = match day {
        Some(day) => span_of(app, caller, day),
        None => with_those_of_now(span_of(app, caller, today), now.seconds()),
    };
    let day = day.unwrap_or(today);
    let (institution, services) = surroundings(app, caller).await?;
    let viewer = viewer(app, &caller.zone, &institution, &services);
    let visits = app.store.visits_between(&caller.institution, span).await?;
    Ok(DayVisits {
        day,
        zone: caller.zone.clone(),
        now_ms: now,
        tzdb_version: app.tzdb.version().to_owned(),
        visits: visits
            .iter()
            .filter(|visit| may_see(caller, visit))
            .map(|visit| viewer.visit(visit))
            .collect(),
    })
}

/// A date in the caller's zone.
pub(crate) fn span_of(app: &App, caller: &Caller, day: LocalDate) -> Span {
    let day = app.tzdb.day(&caller.zone, day);
    Span {
        start: day.start,
        end: day.end,
    }
}

/// A day that holds `now`, drawn out so that it touches each visit whose waiting room is open or whose links are good.
fn with_those_of_now(day: Span, now: UnixSeconds) -> Span {
    Span {
        start: day.start.min(now.plus(-links::GOOD_AFTER_END_S)),
        // The waiting room of a visit opens at the very second.
        end: day.end.max(now.plus(links::WAITING_OPENS_S + 1)),
    }
}

/// One visit.
pub async fn get(app: &App, caller: &Caller, visit: VisitId) -> Result<Visit, VisitError> {
    let visit = seen_by(app, caller, visit).await?.ok_or(VisitError::NotFound)?;
    let (institution, services) = surroundings(app, caller).await?;
    Ok(viewer(app, &caller.zone, &institution, &services).visit(&visit))
}

/// A visit, if the caller may see it.
pub(crate) async fn seen_by(app: &App, caller: &Caller, visit: VisitId) -> Result<Option<visit::Visit>, StoreError> {
    let visit = app.store.visit(&caller.institution, visit).await?;
    Ok(visit.filter(|visit| may_see(caller, visit)))
}

/// Schedulers and administrators see all visits of their institution, others those that they take part in.
pub(crate) fn sees_everything(caller: &Caller) -> bool {
    caller.is_any(&[StaffRole::Scheduler, StaffRole::Administrator])
}

fn may_see(caller: &Caller, visit: &visit::Visit) -> bool {
    sees_everything(caller) || visit.participants.iter().any(|one| one.person == caller.person)
}

pub(crate) fn viewer<'a>(
    app: &'a App,
    zone: &'a Zone,
    institution: &'a Institution,
    services: &[Service],
) -> Viewer<'a> {
    let services = services
        .iter()
        .map(|service| (service.id, service.name.clone()))
        .collect();
    Viewer {
        tzdb: &app.tzdb,
        zone,
        institution,
        services,
    }
}

async fn surroundings(app: &App, caller: &Caller) -> Result<(Institution, Vec<Service>), VisitError> {
    let institution = app
        .store
        .institution(&caller.institution)
        .await?
        .ok_or(VisitError::NotFound)?;
    Ok((institution, app.store.services(&caller.institution).await?))
}
