//! What a room seals before it goes to the log, and opens when it comes from there.

use super::Host;
use crate::seal::Binding;
use bytes::Bytes;
use heliograph_domain::{
    ParticipantId,
    entry::{Audience, ClaimRow, EntryHeader},
};
use heliograph_room::{Body, Entry, Room};
use heliograph_roomlog::{Away, Draft, LogEntry, Snapshot};

impl Host {
    /// Seals what an entry says, bound to its place.
    #[expect(clippy::too_many_arguments, reason = "these are exactly the parts of an entry")]
    pub(super) fn sealed(
        &self,
        from: Option<ParticipantId>,
        connection: Option<String>,
        session: String,
        cseq: u64,
        audience: Audience,
        kind: &str,
        plain: &[u8],
    ) -> Draft {
        let binding = Binding {
            from,
            session: &session,
            cseq,
            audience,
            kind,
        };
        let data = Bytes::from(self.sealer.seal(binding, plain));
        Draft {
            from,
            connection,
            session,
            cseq,
            audience,
            kind: kind.to_owned(),
            data,
        }
    }

    pub(super) fn open(&self, entry: &LogEntry) -> Entry {
        Entry {
            header: entry.header.clone(),
            body: self.body(&entry.header, &entry.data),
        }
    }

    fn body(&self, header: &EntryHeader, data: &[u8]) -> Body {
        let (row, sealed) = if header.kind == "claim" {
            match ClaimRow::split(data) {
                Some((row, sealed)) => (Some(row), sealed),
                None => (None, data),
            }
        } else {
            (None, data)
        };
        let binding = Binding {
            from: header.from,
            session: &header.session,
            cseq: header.cseq,
            audience: header.audience,
            kind: &header.kind,
        };
        let plain = if Body::is_unsealed(&header.kind) {
            Ok(Vec::new())
        } else {
            self.sealer.open(binding, sealed)
        };
        let read = plain
            .map_err(|e| e.to_string())
            .and_then(|plain| Body::read(header, row, &plain).map_err(|e| e.to_string()));
        read.unwrap_or_else(|why| {
            tracing::error!(visit = %self.key.visit, seq = header.seq, kind = %header.kind, "an entry can't be read: {why}");
            Body::Unknown
        })
    }

    pub(super) fn snapshot_binding(session: &str, seq: u64) -> Binding<'_> {
        Binding {
            from: None,
            session,
            cseq: seq,
            audience: Audience::Own,
            kind: "snapshot",
        }
    }

    pub(super) fn open_snapshot(&self, snapshot: &Snapshot) -> Result<Room, Away> {
        let name = snapshot.mark.chain.to_string();
        let plain = self
            .sealer
            .open(Self::snapshot_binding(&name, snapshot.mark.seq), &snapshot.data)
            .ok();
        let room = plain.and_then(|plain| Room::from_snapshot(&plain).ok());
        room.ok_or_else(|| Away("the room's snapshot does not open with this server's secrets".to_owned()))
    }
}
