//! Whom changes are told, so that nobody has to look for them.

use heliograph_domain::{TenantId, VisitId};

/// Told after a commit. What is told may be lost with the process: whoever needs more reads the store.
pub trait Watch: Send + Sync + 'static {
    /// A visit was booked, changed or called off, or somebody's page reported how far it is.
    fn visit_changed(&self, institution: &TenantId, visit: VisitId);

    /// A session of a member of staff is over; it is named by the hash of its cookie.
    fn session_ended(&self, institution: &TenantId, session: &str);
}

pub(crate) struct Nobody;

impl Watch for Nobody {
    fn visit_changed(&self, _: &TenantId, _: VisitId) {}

    fn session_ended(&self, _: &TenantId, _: &str) {}
}
