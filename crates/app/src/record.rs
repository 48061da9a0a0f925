//! Facts of rooms that outlive them.

use crate::{App, StoreError};
use heliograph_domain::visit::Fact;
use heliograph_domain::{ParticipantId, TenantId, VisitId};
use heliograph_store::AuditRow;

/// Writes down what somebody in the room decided, or that they took their seat, with its row of the audit. Repeated, it changes nothing; whether it was
/// new. A visit that the institution does not have takes none.
pub async fn decision(
    app: &App,
    institution: &TenantId,
    visit: VisitId,
    by: ParticipantId,
    fact: &Fact,
) -> Result<bool, StoreError> {
    let audit = AuditRow {
        at: fact.at,
        actor: format!("participant:{by}"),
        action: fact.kind.as_str().to_owned(),
        visit: Some(visit),
        subject: fact.participant.map(|participant| format!("participant:{participant}")),
    };
    app.store.put_fact(institution, visit, fact, &audit).await
}
