//! The ports of signaling, served by the use cases.

use async_trait::async_trait;
use heliograph_app::{App, desk, record, rights};
use heliograph_domain::visit::{Fact as DomainFact, Progress, Span};
use heliograph_domain::{ParticipantId, PersonId, TenantId, UnixMillis, VisitId};
use heliograph_protocol::DeskState;
use heliograph_signaling::{
    Desk, DeskReport, DeskRights, DeskRow, Fact, Opening, Record, Rights, SeatRights, StoreAway,
};
use std::ops::Range;

/// What rooms ask, and what they have written down.
pub(super) struct RoomsOfApp(pub(super) App);

#[async_trait]
impl Rights for RoomsOfApp {
    async fn seat(
        &self,
        institution: &TenantId,
        visit: VisitId,
        seat: ParticipantId,
    ) -> Result<Option<SeatRights>, StoreAway> {
        let rights = rights::seat(&self.0, institution, visit, seat)
            .await
            .map_err(|error| away(&error))?;
        Ok(rights.map(|rights| SeatRights {
            role: rights.role,
            name: rights.name,
            language: rights.language,
            opens: rights.opens,
            until: rights.until,
            generation: rights.generation,
        }))
    }

    async fn opening(&self, institution: &TenantId, visit: VisitId) -> Result<Option<Opening>, StoreAway> {
        let opening = rights::opening(&self.0, institution, visit)
            .await
            .map_err(|error| away(&error))?;
        Ok(opening.map(|opening| Opening {
            admitted: opening.admitted,
            held: opening.held,
            removed: opening.removed,
            ended: opening.ended_at,
        }))
    }
}

#[async_trait]
impl Record for RoomsOfApp {
    async fn record(&self, institution: &TenantId, visit: VisitId, fact: &Fact) -> Result<(), StoreAway> {
        let decision = DomainFact {
            session: fact.session.clone(),
            cseq: fact.cseq,
            kind: fact.kind,
            participant: fact.participant,
            at: fact.at,
        };
        let written = record::decision(&self.0, institution, visit, fact.seat, &decision).await;
        written.map(drop).map_err(|error| away(&error))
    }
}

#[async_trait]
impl Desk for RoomsOfApp {
    async fn rights(
        &self,
        institution: &TenantId,
        person: PersonId,
        session: &str,
    ) -> Result<Option<DeskRights>, StoreAway> {
        let rights = desk::rights(&self.0, institution, person, session)
            .await
            .map_err(|error| away(&error))?;
        Ok(rights.map(|rights| DeskRights {
            everything: rights.everything,
            shown: millis(rights.shown),
            day_ends: rights.day_ends.millis(),
            until: rights.until,
        }))
    }

    async fn rows(&self, institution: &TenantId, span: Range<UnixMillis>) -> Result<Vec<DeskRow>, StoreAway> {
        let span = Span {
            start: span.start.seconds(),
            end: span.end.seconds(),
        };
        let rows = desk::rows(&self.0, institution, span)
            .await
            .map_err(|error| away(&error))?;
        Ok(rows.into_iter().map(on_the_desk).collect())
    }

    async fn row(&self, institution: &TenantId, visit: VisitId) -> Result<Option<DeskRow>, StoreAway> {
        let row = desk::row(&self.0, institution, visit)
            .await
            .map_err(|error| away(&error))?;
        Ok(row.map(on_the_desk))
    }
}

fn on_the_desk(row: desk::DeskRow) -> DeskRow {
    DeskRow {
        visit: row.visit,
        span: millis(row.span),
        people: row.people,
        version: row.version,
        cancelled: row.cancelled,
        reported: row.reported.map(|(by, reported)| DeskReport {
            state: match reported.progress {
                Progress::Opened => DeskState::Opened,
                Progress::Testing => DeskState::Testing,
                Progress::CheckedIn => DeskState::CheckedIn,
            },
            by,
            at: reported.at,
        }),
        ended: row.ended,
    }
}

fn millis(span: Span) -> Range<UnixMillis> {
    span.start.millis()..span.end.millis()
}

/// Rooms only have to know that they must try again; the cause is for the log.
fn away(cause: &dyn std::fmt::Display) -> StoreAway {
    tracing::error!(%cause, "a room could not ask or tell the store");
    StoreAway
}
