//! Decisions hold: who is in, who is out, whether the visit is over.

use super::{
    Oracle, Said,
    verdict::{Final, Truth},
};
use crate::people::Person;
use heliograph_domain::ParticipantId;
use heliograph_protocol::{ClientMessage, Phase, SeatState};
use heliograph_room::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Between two beats of a node.
const BEAT_MS: i64 = 5_000;

/// Decisions that the store records.
const RECORDED: [&str; 7] = ["admit", "deny", "hold", "remove", "end", "undo_end", "reopen"];

/// Whom a decision is about.
fn about(message: &ClientMessage) -> Option<ParticipantId> {
    let (ClientMessage::Admit(d) | ClientMessage::Hold(d) | ClientMessage::Remove(d) | ClientMessage::Deny(d)) =
        message
    else {
        return None;
    };
    Some(d.participant)
}

fn is_about_the_end(message: &ClientMessage) -> bool {
    matches!(
        message,
        ClientMessage::End {} | ClientMessage::UndoEnd {} | ClientMessage::Reopen {}
    )
}

impl Oracle {
    /// The last decision that was acknowledged to a page which is still there is what holds, and who was removed stays out.
    pub(super) fn decisions(&self, end: &Final<'_>, truth: &Truth) {
        if truth.entries.is_empty() {
            // Everything was lost, and nobody came back.
            return;
        }
        let pages = end.pages.iter().filter(|page| page.page.is_joined());
        let here: BTreeSet<_> = pages.map(|page| page.tab).collect();
        let mut said = self.everything_said();
        said.sort_by_key(|(_, said)| said.order);
        let everything = &said;
        // What was withdrawn may have been in the log before.
        let stands =
            |key: &(String, u64), said: &Said| said.acked && !said.refused && !said.withdrawn && !truth.refuses(key);
        let (mut last, mut ending, mut removed) = (BTreeMap::new(), None, BTreeSet::new());
        for (key, said) in &said {
            let counts = stands(key, said).then_some(said);
            if let Some(participant) = about(&said.message) {
                last.insert(participant, counts.map(|said| (key, said)));
                let removes = said.person == Person::HOST && matches!(said.message, ClientMessage::Remove(_));
                if removes && counts.is_some() {
                    removed.insert(participant);
                }
            }
            if is_about_the_end(&said.message) {
                ending = counts;
            }
        }
        // The store remembers the decision of a page that is gone, unless one that is there says an older one again.
        let remembered = |same: &dyn Fn(&ClientMessage) -> bool| {
            let again = said
                .iter()
                .any(|(_, said)| here.contains(&said.tab) && same(&said.message));
            !end.loses_tails && !again
        };
        let place = |(session, c): &(String, u64)| {
            let is = |entry: &&Entry| (entry.header.session.as_str(), entry.header.cseq) == (session, *c);
            truth.entries.iter().find(is).map(|entry| entry.header.seq)
        };
        for (participant, said) in last {
            // A page that waited meanwhile may say an older one, which nobody had acknowledged: it comes after this one.
            let said = said.map(|(key, last)| {
                let waited = |older: &Said| {
                    about(&older.message) == Some(participant)
                        && (!older.acked || older.acked_at > last.acked_at)
                        && older.order < last.order
                };
                let late = everything
                    .iter()
                    .filter(|(key, older)| waited(older) && !older.refused && !truth.refuses(key));
                let late = late.filter(|(other, _)| place(other) > place(key));
                late.max_by_key(|(other, _)| place(other))
                    .map_or(last, |(_, older)| older)
            });
            let state = truth.room.state(participant);
            let kept = |said: &&Said| here.contains(&said.tab) || remembered(&|m| about(m) == Some(participant));
            let here = said.filter(kept).filter(|_| !removed.contains(&participant));
            let admit = here.map(|said| matches!(said.message, ClientMessage::Admit(_)));
            if admit.is_some_and(|admit| admit != (state == Some(SeatState::Admitted))) {
                self.fail(format!(
                    "decision: {:?} was taken, and the room says {state:?}",
                    here.map(|s| &s.message)
                ));
            }
        }
        for participant in removed {
            let state = truth.room.state(participant);
            // Where the log lost that with all who knew, the store still keeps them from coming in.
            let inside = end
                .pages
                .iter()
                .any(|page| page.page.is_joined() && page.page.seat() == participant);
            if inside && state.is_some_and(|state| state != SeatState::Removed) {
                self.fail(format!("out: {participant} was removed and is {state:?}"));
            }
        }
        if let Some(said) = ending.filter(|said| here.contains(&said.tab) || remembered(&is_about_the_end)) {
            self.end(end, truth, said);
        }
    }

    fn end(&self, end: &Final<'_>, truth: &Truth, said: &Said) {
        let phase = truth.room.phase();
        let over = match phase {
            Phase::Ended { .. } => true,
            // Not before its time by the log's clock, and the beat after that.
            Phase::Ending { until_ms } => until_ms.plus(2 * BEAT_MS) > end.log_now,
            Phase::Open {} => false,
        };
        if over != (said.message == ClientMessage::End {}) {
            self.fail(format!("end: {:?} was taken, and the room is {phase:?}", said.message));
        }
    }

    /// The store has every decision that was acknowledged.
    pub(super) fn facts(&self, end: &Final<'_>, truth: &Truth) {
        for (index, entry) in truth.entries.iter().enumerate() {
            let header = &entry.header;
            let fact = RECORDED.contains(&header.kind.as_str()) && !truth.refused.contains(&index);
            if fact && !end.rows.has(&header.session, header.cseq) {
                self.fail(format!(
                    "unrecorded: {} of {} {}",
                    header.kind, header.session, header.cseq
                ));
            }
        }
    }
}
