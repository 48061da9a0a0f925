//! What rooms are to be told: rows of the outbox, written in the transaction of what they tell.

use crate::{App, StoreError};
use heliograph_domain::{ParticipantId, TenantId, UnixSeconds, VisitId};
use heliograph_store::{OutboxRow, ROOM, RoomRow};
use serde::{Deserialize, Serialize};

/// How long a row waits at most after it was tried in vain, in seconds.
const PATIENCE_S: i64 = 5;

/// What a room is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum RoomNotice {
    /// The visit does not take place.
    Cancelled {},
    /// A person's link is void.
    Revoked { participant: ParticipantId },
}

/// A row that is to be done.
#[derive(Debug)]
pub struct RoomTask {
    pub institution: TenantId,
    pub visit: VisitId,
    /// The row's name: a room that was told under it is not told again.
    pub id: String,
    /// What is told, or why the row can't be read.
    pub notice: Result<RoomNotice, StoreError>,
    attempts: u32,
}

/// What rooms are to be told now, the oldest first.
pub async fn due(app: &App, most: u32) -> Result<Vec<RoomTask>, StoreError> {
    let rows = app.store.due_for_rooms(app.now_s(), most).await?;
    Ok(rows.into_iter().map(task).collect())
}

fn task(row: RoomRow) -> RoomTask {
    let notice = serde_json::from_str(&row.payload).map_err(|error| StoreError::Broken {
        table: "outbox",
        column: "payload",
        row: row.id.clone(),
        why: error.to_string(),
    });
    RoomTask {
        institution: row.institution,
        visit: row.visit,
        id: row.id,
        notice,
        attempts: row.attempts,
    }
}

/// The room was told.
pub async fn done(app: &App, task: &RoomTask) -> Result<(), StoreError> {
    app.store.outbox_done(&task.institution, &task.id, app.now_s()).await
}

/// The room could not be told: the row waits a little longer each time, and others go first.
pub async fn put_off(app: &App, task: &RoomTask) -> Result<(), StoreError> {
    let wait = (1 + i64::from(task.attempts)).min(PATIENCE_S);
    let until = app.now_s().plus(wait);
    app.store.outbox_put_off(&task.institution, &task.id, until).await
}

/// `about` tells rows of one visit and sequence apart.
pub(crate) fn row(notice: &RoomNotice, sequence: i64, about: String, now: UnixSeconds) -> OutboxRow {
    OutboxRow {
        kind: ROOM.to_owned(),
        sequence,
        recipient: about,
        due: now,
        payload: serde_json::to_string(notice).expect("plain fields always have a JSON form"),
    }
}
