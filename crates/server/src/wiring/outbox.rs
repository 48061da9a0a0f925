//! Hands rows of the outbox to the rooms that they are for.

use super::changes::Changes;
use heliograph_app::outbox::{self, RoomNotice, RoomTask};
use heliograph_app::{App, StoreError};
use heliograph_protocol::NoticeKind;
use heliograph_room::Notice;
use heliograph_roomlog::RoomKey;
use heliograph_signaling::Rooms;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// The store is looked at this often, whether somebody in this process wrote to it or not.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A room that does not answer within this is asked again later.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rows that are handed over at the same time: a room that does not answer holds up no other one.
const MOST: usize = 64;

/// Runs until the service stops.
pub(super) async fn run(app: App, rooms: Rooms, changes: Arc<Changes>, stop: CancellationToken) {
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut handed = Handed::default();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = look.tick() => {}
            () = changes.of_outbox() => {}
            () = handed.one_done(), if handed.is_full() => {}
        }
        if let Err(error) = handed.look(&app, &rooms).await {
            tracing::warn!(%error, "rows for rooms can't be read");
        }
    }
}

/// Rows that are being handed over.
#[derive(Default)]
struct Handed {
    tasks: JoinSet<String>,
    names: BTreeSet<String>,
}

impl Handed {
    fn is_full(&self) -> bool {
        self.names.len() >= MOST
    }

    async fn one_done(&mut self) {
        if let Some(Ok(name)) = self.tasks.join_next().await {
            self.names.remove(&name);
        }
    }

    async fn look(&mut self, app: &App, rooms: &Rooms) -> Result<(), StoreError> {
        while let Some(done) = self.tasks.try_join_next() {
            if let Ok(name) = done {
                self.names.remove(&name);
            }
        }
        let most = u32::try_from(self.names.len() + MOST).unwrap_or(u32::MAX);
        for task in outbox::due(app, most).await? {
            if self.is_full() {
                break;
            }
            let name = format!("{} {}", task.institution, task.id);
            if self.names.insert(name.clone()) {
                let (app, rooms) = (app.clone(), rooms.clone());
                self.tasks.spawn(async move {
                    hand_over(&app, &rooms, &task).await;
                    name
                });
            }
        }
        Ok(())
    }
}

/// A row is done when the room's log has it.
async fn hand_over(app: &App, rooms: &Rooms, task: &RoomTask) {
    let (visit, id) = (task.visit, &task.id);
    let told = match &task.notice {
        Ok(notice) => tell(rooms, task, notice).await,
        Err(error) => Err(error.to_string()),
    };
    let noted = match told {
        Ok(()) => outbox::done(app, task).await,
        Err(why) => {
            tracing::warn!(%visit, id, "a room could not be told and will be told later: {why}");
            outbox::put_off(app, task).await
        }
    };
    if let Err(error) = noted {
        tracing::warn!(%visit, id, %error, "a row for a room will be handed over again");
    }
}

async fn tell(rooms: &Rooms, task: &RoomTask, notice: &RoomNotice) -> Result<(), String> {
    let room = RoomKey {
        institution: task.institution.clone(),
        visit: task.visit,
    };
    match timeout(PATIENCE, rooms.tell(&room, &task.id, in_the_room(notice))).await {
        Ok(told) => told.map_err(|away| away.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

fn in_the_room(notice: &RoomNotice) -> Notice {
    let (kind, participant) = match notice {
        RoomNotice::Cancelled {} => (NoticeKind::Cancelled, None),
        RoomNotice::Revoked { participant } => (NoticeKind::Revoked, Some(*participant)),
    };
    Notice {
        kind,
        start_ms: None,
        minutes: None,
        participant,
    }
}

#[cfg(test)]
mod tests;
