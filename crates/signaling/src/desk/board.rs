//! One institution's desk: how its visits stand, and who looks.

use super::standing::stands;
use crate::{DeskRights, DeskRow, RoomBrief, queue::Queue};
use heliograph_domain::{PersonId, UnixMillis, VisitId};
use heliograph_protocol::{CloseCode, DeskVisit, Header, ServerMessage, SharedFrame};
use std::collections::{BTreeMap, btree_map::Entry};

#[derive(Default)]
pub(super) struct Board {
    rows: BTreeMap<VisitId, Row>,
    watchers: BTreeMap<u64, Watcher>,
    last: u64,
}

/// A visit, and what was last told of it.
struct Row {
    known: DeskRow,
    room: Option<RoomBrief>,
    shown: DeskVisit,
    /// The instant of the last change that was taken.
    at: UnixMillis,
}

/// A socket that looks.
pub(super) struct Watcher {
    pub person: PersonId,
    /// The name of the session that opened it.
    pub session: String,
    pub rights: DeskRights,
    pub queue: Queue,
    /// It has its snapshot: from now on it is told what changes.
    pub ready: bool,
}

impl Watcher {
    fn sees(&self, row: &DeskRow) -> bool {
        let shown = &self.rights.shown;
        let touches = row.span.start < shown.end && shown.start < row.span.end;
        touches && (self.rights.everything || row.people.contains(&self.person))
    }
}

impl Board {
    pub fn enter(&mut self, watcher: Watcher) -> u64 {
        self.last += 1;
        self.watchers.insert(self.last, watcher);
        self.last
    }

    /// Whether anybody still looks. What nobody sees is forgotten.
    pub fn leave(&mut self, number: u64) -> bool {
        self.watchers.remove(&number);
        let watchers = &self.watchers;
        self.rows
            .retain(|_, row| watchers.values().any(|one| one.sees(&row.known)));
        !watchers.is_empty()
    }

    /// What the store said. Two answers may overtake each other: the older one is not taken.
    pub fn know(&mut self, known: DeskRow, room: Option<RoomBrief>, now: UnixMillis) {
        match self.rows.entry(known.visit) {
            Entry::Vacant(place) => {
                if !self.watchers.values().any(|one| one.sees(&known)) {
                    return;
                }
                let mut row = Row {
                    shown: stands(&known, None),
                    known,
                    room: None,
                    at: now,
                };
                row.hear(room);
                row.changes();
                tell(&self.watchers, place.insert(row));
            }
            Entry::Occupied(mut row) => {
                let row = row.get_mut();
                if age(&known) >= age(&row.known) {
                    row.known = known;
                    row.at = row.at.max(now);
                }
                row.hear(room);
                if row.changes() {
                    tell(&self.watchers, row);
                }
            }
        }
    }

    /// What a room said. A visit that nobody looks at is not here.
    pub fn room(&mut self, visit: VisitId, brief: impl FnOnce() -> RoomBrief) {
        let Some(row) = self.rows.get_mut(&visit) else {
            return;
        };
        row.hear(Some(brief()));
        if row.changes() {
            tell(&self.watchers, row);
        }
    }

    /// All that one socket sees; from now on it is told what changes.
    pub fn snapshot(&mut self, number: u64, now: UnixMillis) {
        let Some(watcher) = self.watchers.get_mut(&number) else {
            return;
        };
        watcher.ready = true;
        let seen = self.rows.values().filter(|row| watcher.sees(&row.known));
        let visits = seen.map(|row| row.shown.clone()).collect();
        let header = Header {
            at: Some(now),
            ..Header::default()
        };
        let frame = SharedFrame::new(header, &ServerMessage::DeskSnapshot { visits });
        watcher.queue.send_backlog(vec![frame.into_text()]);
    }

    pub fn end_session(&self, session: &str) {
        for watcher in self.watchers.values().filter(|one| one.session == session) {
            watcher.queue.close(CloseCode::Auth);
        }
    }
}

impl Row {
    /// Takes what the room said, unless something newer is known: nodes may overtake each other too.
    fn hear(&mut self, room: Option<RoomBrief>) {
        let held = self.room.as_ref().map_or((UnixMillis(0), 0), |room| (room.at, room.s));
        if let Some(room) = room.filter(|room| room.s > 0 && (room.at, room.s) > held) {
            self.at = self.at.max(room.at);
            self.room = Some(room);
        }
    }

    /// Whether it stands otherwise than what was told last.
    fn changes(&mut self) -> bool {
        let stands = stands(&self.known, self.room.as_ref());
        let changes = stands != self.shown;
        self.shown = stands;
        changes
    }
}

fn tell(watchers: &BTreeMap<u64, Watcher>, row: &Row) {
    let mut text = None;
    let readers = watchers.values().filter(|one| one.ready && one.sees(&row.known));
    for reader in readers {
        let text = text.get_or_insert_with(|| frame_of(row).into_text());
        reader.queue.send(text.clone());
    }
}

fn age(row: &DeskRow) -> (i64, Option<UnixMillis>) {
    (row.version, row.reported.map(|report| report.at))
}

fn frame_of(row: &Row) -> SharedFrame {
    let header = Header {
        s: Some(row.room.as_ref().map_or(0, |room| room.s)),
        at: Some(row.at),
        ..Header::default()
    };
    SharedFrame::new(header, &ServerMessage::Desk(row.shown.clone()))
}
