//! The desk: one socket for all visits that a member of staff may see today.
//!
//! A small state per institution, as long as somebody looks: what the store says of each visit, and what its room said
//! last. It is rebuilt from both, so nothing of it is kept.

mod board;
mod standing;

use crate::{DeskRights, RoomBrief, Rooms, StoreAway, queue::Queue, rooms::Shared};
use board::{Board, Watcher};
use futures::future::BoxFuture;
use heliograph_access::desk_ticket::DeskTicket;
use heliograph_domain::{TenantId, UnixMillis, VisitId};
use heliograph_protocol::{CloseCode, Header, ServerMessage};
use heliograph_roomlog::RoomKey;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The desks of all institutions of which somebody looks at one.
pub(crate) struct Desks {
    boards: Mutex<BTreeMap<TenantId, Board>>,
    /// Tickets that were used and are still good, with their end.
    used: Mutex<BTreeMap<String, UnixMillis>>,
    /// What was used before is not known: older tickets are not taken.
    since: UnixMillis,
}

impl Desks {
    pub fn new(now: UnixMillis) -> Desks {
        Desks {
            boards: Mutex::default(),
            used: Mutex::default(),
            since: now,
        }
    }

    /// Uses a ticket up; `false` if that can't be.
    pub fn use_ticket(&self, ticket: &DeskTicket, now: UnixMillis) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, expires| *expires > now);
        ticket.issued() >= self.since && used.insert(ticket.jti.clone(), ticket.expires).is_none()
    }

    /// Takes how a room stands now, if somebody looks.
    pub fn room(&self, key: &RoomKey, brief: impl FnOnce() -> RoomBrief) {
        if let Some(board) = self.boards().get_mut(&key.institution) {
            board.room(key.visit, brief);
        }
    }

    fn boards(&self) -> MutexGuard<'_, BTreeMap<TenantId, Board>> {
        self.boards.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rooms {
    /// A visit was booked, changed or called off, or a page reported how far it is: who looks at the desk is told.
    pub async fn visit_changed(&self, institution: &TenantId, visit: VisitId) -> Result<(), StoreAway> {
        let shared = self.shared();
        if !shared.desks.boards().contains_key(institution) {
            return Ok(());
        }
        let Some(row) = shared.ports.desk.row(institution, visit).await? else {
            return Ok(());
        };
        let mut boards = shared.desks.boards();
        if let Some(board) = boards.get_mut(institution) {
            board.know(row, self.brief(institution, visit), shared.ports.clock.now());
        }
        Ok(())
    }

    /// A member of staff has signed out: the desks that this session opened are closed.
    pub fn session_ended(&self, institution: &TenantId, session: &str) {
        if let Some(board) = self.shared().desks.boards().get(institution) {
            board.end_session(session);
        }
    }
}

/// A socket's place at its institution's desk.
pub(crate) struct DeskSeat {
    rooms: Rooms,
    institution: TenantId,
    number: u64,
    rights: DeskRights,
    queue: Queue,
}

impl DeskSeat {
    /// Sends a snapshot, and from then on what changes.
    pub async fn open(
        rooms: &Rooms,
        ticket: &DeskTicket,
        rights: DeskRights,
        queue: &Queue,
    ) -> Result<DeskSeat, StoreAway> {
        let watcher = Watcher {
            person: ticket.person,
            session: ticket.session.clone(),
            rights: rights.clone(),
            queue: queue.clone(),
            ready: false,
        };
        // What changes while the store is read is told to the board already.
        let number = rooms
            .shared()
            .desks
            .boards()
            .entry(ticket.institution.clone())
            .or_default()
            .enter(watcher);
        let seat = DeskSeat {
            rooms: rooms.clone(),
            institution: ticket.institution.clone(),
            number,
            rights,
            queue: queue.clone(),
        };
        seat.fill().await?;
        Ok(seat)
    }

    async fn fill(&self) -> Result<(), StoreAway> {
        let Shared { ports, desks, .. } = self.rooms.shared();
        let rows = ports.desk.rows(&self.institution, self.rights.shown.clone()).await?;
        let now = ports.clock.now();
        let mut boards = desks.boards();
        if let Some(board) = boards.get_mut(&self.institution) {
            for row in rows {
                let room = self.rooms.brief(&self.institution, row.visit);
                board.know(row, room, now);
            }
            board.snapshot(self.number, now);
        }
        Ok(())
    }

    /// When the service closes the socket by itself: it stops, the session ends, or the day does and another one is shown.
    pub fn over(&self) -> BoxFuture<'static, CloseCode> {
        let shared = self.rooms.shared();
        let now = shared.ports.clock.now();
        let at = |instant: UnixMillis| {
            Instant::now() + Duration::from_millis(u64::try_from(instant.0 - now.0).unwrap_or_default())
        };
        let (session, day) = (at(self.rights.until), at(self.rights.day_ends));
        let (shutdown, queue) = (shared.shutdown.clone(), self.queue.clone());
        Box::pin(async move {
            tokio::select! {
                () = shutdown.cancelled() => {
                    let drain = ServerMessage::Drain { within_ms: 0, restart: true };
                    queue.tell(Header::default(), &drain);
                    CloseCode::Drained
                }
                () = tokio::time::sleep_until(session) => CloseCode::Auth,
                () = tokio::time::sleep_until(day) => CloseCode::Reclaim,
            }
        })
    }
}

impl Drop for DeskSeat {
    fn drop(&mut self) {
        let mut boards = self.rooms.shared().desks.boards();
        let watched = boards
            .get_mut(&self.institution)
            .is_some_and(|board| board.leave(self.number));
        if !watched {
            boards.remove(&self.institution);
        }
    }
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
