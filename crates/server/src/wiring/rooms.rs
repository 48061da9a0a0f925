//! The ports of signaling, served by the use cases.

use async_trait::async_trait;
use heliograph_app::{App, record, rights};
use heliograph_domain::visit::{Fact as DomainFact, FactKind};
use heliograph_domain::{ParticipantId, TenantId, VisitId};
use heliograph_signaling::{Fact, Opening, Record, Rights, SeatRights, StoreAway};

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
        let kind = match fact.kind {
            "undo_end" => FactKind::EndUndone,
            other => other.parse().map_err(|_| away(&format!("no fact is called {other}")))?,
        };
        let decision = DomainFact {
            session: fact.session.clone(),
            cseq: fact.cseq,
            kind,
            participant: fact.participant,
            at: fact.at,
        };
        let written = record::decision(&self.0, institution, visit, fact.seat, &decision).await;
        written.map(drop).map_err(|error| away(&error))
    }
}

/// Rooms only have to know that they must try again; the cause is for the log.
fn away(cause: &dyn std::fmt::Display) -> StoreAway {
    tracing::error!(%cause, "a room could not ask or tell the store");
    StoreAway
}
