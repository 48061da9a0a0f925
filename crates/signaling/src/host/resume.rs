//! What a page missed: the frames since its place, or everything anew.

use super::{Host, log::frame_of};
use heliograph_domain::{
    ParticipantId,
    mutant::{Check, keeps},
};
use heliograph_protocol::{Header, Position, ResyncWhy, ServerMessage, SharedFrame};
use heliograph_room::ClaimOutcome;
use heliograph_roomlog::{Away, Mark};
use std::collections::BTreeMap;

impl Host {
    /// What a page gets whose place is not in the log: what the log has of its sessions, every kept frame, the room.
    pub(super) fn resync(&self, seat: ParticipantId, why: ResyncWhy) -> Result<Vec<String>, Away> {
        let here = self.here();
        let resync = ServerMessage::Resync {
            why,
            acked: self.acked(seat),
        };
        let mut frames = vec![SharedFrame::new(here.clone(), &resync).into_text()];
        self.replay(seat, 0, |_, _| true, &mut frames)?;
        frames.push(self.snapshot_frame(seat, here));
        Ok(frames)
    }

    pub(super) fn here(&self) -> Header {
        Header {
            s: Some(self.room.seq()),
            chain: Some(self.room.chain()),
            at: Some(self.room.at()),
            ..Header::default()
        }
    }

    /// What may be acknowledged of each session that the seat's page still holds.
    pub(super) fn acked(&self, seat: ParticipantId) -> BTreeMap<String, u64> {
        let sessions = self.room.sessions(seat);
        let seen = |session| self.facts.acknowledged(seat, session, self.room.seen(seat, session));
        sessions.map(|session| (session.to_owned(), seen(session))).collect()
    }

    pub(super) fn snapshot_frame(&self, seat: ParticipantId, here: Header) -> String {
        let snapshot = ServerMessage::Snapshot {
            marks: self.room.marks(),
            room: self.room.view(seat),
        };
        SharedFrame::new(here, &snapshot).into_text()
    }

    /// Whether a page's place is one of this log.
    pub(super) fn has(&self, last: Position) -> bool {
        let last = Mark {
            seq: last.s,
            chain: last.chain,
        };
        let base = self.base.as_ref().map_or(Mark::START, |base| base.mark);
        base == last || self.ring.iter().any(|entry| entry.mark() == last) || !keeps(Check::Resync)
    }

    /// What was addressed to a seat after a place: the fold says again who that was, entry by entry. Whether the seat's page
    /// became new in the room meanwhile.
    pub(super) fn replay(
        &self,
        seat: ParticipantId,
        after: u64,
        wanted: impl Fn(&str, &ServerMessage) -> bool,
        frames: &mut Vec<String>,
    ) -> Result<bool, Away> {
        let mut room = self.base_room(self.base.as_deref())?;
        let mut renewed = false;
        for entry in &self.ring {
            let entry = self.opened(entry);
            let applied = room.apply(&entry);
            if entry.header.seq <= after {
                continue;
            }
            let new = matches!(applied.claim, Some(ClaimOutcome::Allowed { fresh: true, .. }));
            renewed |= new && entry.header.from == Some(seat);
            for delivery in applied.deliveries {
                let Some((_, p)) = delivery.to.iter().find(|(to, _)| *to == seat) else {
                    continue;
                };
                if delivery
                    .message
                    .as_ref()
                    .is_none_or(|message| wanted(&entry.header.session, message))
                {
                    frames.push(frame_of(&entry.header, &delivery).for_reader(*p));
                }
            }
        }
        Ok(renewed)
    }
}
