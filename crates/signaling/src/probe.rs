//! Opens what lies in a log, for tests that fold it themselves.

use crate::seal::{Binding, Sealer};
use heliograph_access::Keys;
use heliograph_domain::{
    clock::Entropy,
    entry::{Audience, ClaimRow},
};
use heliograph_room::{Body, Entry, Room};
use heliograph_roomlog::{LogEntry, RoomKey, Snapshot};
use std::sync::Arc;

/// Reads one room's log with the service's keys.
pub struct Probe {
    sealer: Sealer,
}

impl Probe {
    /// A reader of this room's log. `entropy` is never asked, since nothing is sealed.
    pub fn new(keys: &Keys, room: &RoomKey, entropy: Arc<dyn Entropy>) -> Probe {
        Probe {
            sealer: Sealer::new(keys, room, entropy),
        }
    }

    /// What an entry says; `None` if it does not open or has another form than its kind.
    pub fn entry(&self, entry: &LogEntry) -> Option<Entry> {
        let header = &entry.header;
        let (row, sealed) = match header.kind.as_str() {
            "claim" => ClaimRow::split(&entry.data).map(|(row, sealed)| (Some(row), sealed))?,
            _ => (None, &entry.data[..]),
        };
        let binding = Binding {
            from: header.from,
            session: &header.session,
            cseq: header.cseq,
            audience: header.audience,
            kind: &header.kind,
        };
        let plain = if Body::is_unsealed(&header.kind) {
            Vec::new()
        } else {
            self.sealer.open(binding, sealed).ok()?
        };
        let body = Body::read(header, row, &plain).ok()?;
        Some(Entry {
            header: header.clone(),
            body,
        })
    }

    /// The fold that a snapshot holds.
    pub fn room(&self, snapshot: &Snapshot) -> Option<Room> {
        let name = snapshot.mark.chain.to_string();
        let binding = Binding {
            from: None,
            session: &name,
            cseq: snapshot.mark.seq,
            audience: Audience::Own,
            kind: "snapshot",
        };
        let plain = self.sealer.open(binding, &snapshot.data).ok()?;
        Room::from_snapshot(&plain).ok()
    }
}
