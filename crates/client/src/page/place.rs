//! Where a page stands in the room's log, and what has acted already.

use heliograph_domain::mutant::{Check, keeps};
use heliograph_protocol::{Header, Position};
use std::collections::BTreeMap;

/// What to do with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the next, or has no place in the log.
    Take,
    /// It comes again from the log's start: it may act, but the snapshot after it tells the state.
    Replay,
    /// It was there before.
    Drop,
    /// One before it is missing.
    Gap,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    last: Option<Position>,
    marks: BTreeMap<String, u64>,
    /// False between a `resync`, or a new page's `welcome`, and the snapshot.
    placed: bool,
}

impl Place {
    pub fn last(&self) -> Option<Position> {
        self.last
    }

    pub fn marks(&self) -> &BTreeMap<String, u64> {
        &self.marks
    }

    /// `full`: the missed frames follow. Otherwise a snapshot does.
    pub fn welcome(&mut self, full: bool) {
        self.placed = full && self.last.is_some();
    }

    pub fn resync(&mut self) {
        self.placed = false;
    }

    /// A new page takes the snapshot's marks as its own; a continuing one keeps its own.
    pub fn snapshot(&mut self, header: &Header, marks: &BTreeMap<String, u64>) {
        if self.last.is_none() {
            for (session, c) in marks {
                self.mark(session, *c);
            }
        }
        self.stand_at(header);
        self.placed = true;
    }

    pub fn judge(&mut self, header: &Header) -> Verdict {
        let (Some(s), Some(p)) = (header.s, header.p) else {
            return Verdict::Take;
        };
        let Some(last) = self.last.filter(|_| self.placed) else {
            return Verdict::Replay;
        };
        if s <= last.s {
            return Verdict::Drop;
        }
        if p > last.s && keeps(Check::Hole) {
            return Verdict::Gap;
        }
        self.stand_at(header);
        Verdict::Take
    }

    /// Whether the frame's cause is new to this page. Asked once for each frame that is taken or replayed.
    pub fn acts(&mut self, header: &Header, verdict: Verdict) -> bool {
        match (&header.session, header.c, header.p) {
            // The log's own entries are many and each has a name of its own: no mark could be kept for all of them.
            (Some(session), Some(_), Some(_)) if is_of_the_log(session) => verdict == Verdict::Take,
            (Some(session), Some(c), Some(_)) => self.mark(session, c) || !keeps(Check::Marks),
            _ => true,
        }
    }

    fn mark(&mut self, session: &str, c: u64) -> bool {
        let mark = self.marks.entry(session.to_owned()).or_default();
        let new = c > *mark;
        *mark = (*mark).max(c);
        new
    }

    fn stand_at(&mut self, header: &Header) {
        if let (Some(s), Some(chain)) = (header.s, header.chain) {
            self.last = Some(Position { s, chain });
        }
    }
}

/// Claims, presence and deadlines.
fn is_of_the_log(session: &str) -> bool {
    ["k:", "p:", "d:"].iter().any(|name| session.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use heliograph_domain::entry::Chain;

    fn frame(s: u64, p: u64, session: &str, c: u64) -> Header {
        Header {
            s: Some(s),
            p: Some(p),
            chain: Some(Chain::START),
            session: Some(session.to_owned()),
            c: Some(c),
            ..Header::default()
        }
    }

    fn snapshot(s: u64) -> Header {
        Header {
            s: Some(s),
            chain: Some(Chain::START),
            ..Header::default()
        }
    }

    fn marks(session: &str, c: u64) -> BTreeMap<String, u64> {
        BTreeMap::from([(session.to_owned(), c)])
    }

    #[test]
    fn a_frame_is_taken_when_p_is_at_most_last_and_last_below_s() {
        let mut place = Place::default();
        place.snapshot(&snapshot(10), &BTreeMap::new());
        assert_eq!(place.judge(&frame(12, 8, "a", 1)), Verdict::Take);
        assert_eq!(place.judge(&frame(12, 8, "a", 1)), Verdict::Drop);
        assert_eq!(place.judge(&frame(11, 8, "a", 1)), Verdict::Drop);
        assert_eq!(place.judge(&frame(15, 13, "a", 2)), Verdict::Gap);
        assert_eq!(place.last().map(|last| last.s), Some(12), "a gap moves nothing");
        assert_eq!(place.judge(&Header::default()), Verdict::Take, "no place in the log");
    }

    #[test]
    fn between_resync_and_snapshot_frames_come_again_and_move_nothing() {
        let mut place = Place::default();
        place.snapshot(&snapshot(10), &BTreeMap::new());
        place.resync();
        assert_eq!(place.judge(&frame(3, 2, "a", 1)), Verdict::Replay);
        assert_eq!(place.judge(&frame(99, 98, "a", 2)), Verdict::Replay);
        assert_eq!(place.last().map(|last| last.s), Some(10));
        place.snapshot(&snapshot(7), &BTreeMap::new());
        assert_eq!(
            place.last().map(|last| last.s),
            Some(7),
            "a repaired log may be shorter"
        );
        assert_eq!(place.judge(&frame(8, 3, "a", 3)), Verdict::Take);
    }

    #[test]
    fn a_cause_acts_once_in_its_session() {
        let mut place = Place::default();
        let told: Vec<_> = [("a", 5), ("a", 5), ("a", 4), ("b", 1), ("a", 6)]
            .map(|(session, c)| place.acts(&frame(1, 0, session, c), Verdict::Take))
            .into();
        assert_eq!(told, [true, false, false, true, true]);
        let ack = Header {
            p: None,
            ..frame(1, 0, "own", 9)
        };
        assert!(
            place.acts(&ack, Verdict::Take) && place.acts(&frame(2, 1, "own", 9), Verdict::Take),
            "an acknowledgement marks nothing"
        );
    }

    #[test]
    fn a_new_page_takes_the_marks_of_the_snapshot_and_a_continuing_one_keeps_its_own() {
        let mut place = Place::default();
        place.snapshot(&snapshot(10), &marks("a", 5));
        assert!(!place.acts(&frame(11, 10, "a", 5), Verdict::Take));
        place.resync();
        place.snapshot(&snapshot(20), &marks("a", 9));
        assert!(place.acts(&frame(21, 20, "a", 6), Verdict::Take));
    }

    #[test]
    fn what_the_log_itself_says_leaves_no_mark() {
        let mut place = Place::default();
        for session in ["p:session-a:1:left", "k:session-a", "d:1000"] {
            assert!(place.acts(&frame(1, 0, session, 1), Verdict::Take));
            assert!(!place.acts(&frame(1, 0, session, 1), Verdict::Replay));
        }
        assert!(place.marks().is_empty());
        assert!(
            place.acts(&frame(1, 0, "o:row", 1), Verdict::Take)
                && !place.acts(&frame(1, 0, "o:row", 1), Verdict::Replay)
        );
    }
}
