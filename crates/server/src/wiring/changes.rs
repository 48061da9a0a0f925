//! Carries what the use cases changed to whom it concerns, at once.

use heliograph_app::Watch;
use heliograph_domain::{TenantId, VisitId};
use heliograph_signaling::Rooms;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A store that was away is asked again after this.
const AGAIN: Duration = Duration::from_secs(1);

/// What has changed and was not carried yet. A visit that changes twice meanwhile is carried once.
#[derive(Default)]
pub struct Changes {
    waiting: Mutex<Waiting>,
    for_desks: Notify,
    for_outbox: Notify,
}

#[derive(Default)]
struct Waiting {
    visits: BTreeSet<(TenantId, VisitId)>,
    sessions: BTreeSet<(TenantId, String)>,
}

impl Watch for Changes {
    fn visit_changed(&self, institution: &TenantId, visit: VisitId) {
        self.waiting().visits.insert((institution.clone(), visit));
        self.for_desks.notify_one();
        self.for_outbox.notify_one();
    }

    fn session_ended(&self, institution: &TenantId, session: &str) {
        self.waiting()
            .sessions
            .insert((institution.clone(), session.to_owned()));
        self.for_desks.notify_one();
    }
}

impl Changes {
    /// There may be rows for rooms.
    pub(super) async fn of_outbox(&self) {
        self.for_outbox.notified().await;
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the desks until the service stops.
pub(super) async fn tell_desks(changes: Arc<Changes>, rooms: Rooms, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = changes.for_desks.notified() => {}
        }
        let Waiting { visits, sessions } = std::mem::take(&mut *changes.waiting());
        for (institution, session) in &sessions {
            rooms.session_ended(institution, session);
        }
        let mut missed = BTreeSet::new();
        for (institution, visit) in visits {
            if rooms.visit_changed(&institution, visit).await.is_err() {
                missed.insert((institution, visit));
            }
        }
        if !missed.is_empty() {
            changes.waiting().visits.extend(missed);
            changes.for_desks.notify_one();
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }
}
