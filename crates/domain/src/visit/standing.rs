//! How a visit's facts left its room: the one fold of them, for the service and for its simulation.

use super::{Fact, FactKind};
use crate::{ParticipantId, UnixMillis};
use std::collections::BTreeMap;

/// What a room must still know of its facts when its log is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    people: BTreeMap<ParticipantId, FactKind>,
    /// When the visit was ended, if it still is.
    pub ended: Option<UnixMillis>,
}

impl Standing {
    /// Folds facts, in the order of their log. The last decision about somebody stands, but who was removed stays so: in a
    /// room nobody decides about them any more, and a fact that comes late must not bring them back.
    pub fn of<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Standing {
        let mut standing = Standing::default();
        for fact in facts {
            match fact.kind {
                FactKind::Admit | FactKind::Hold | FactKind::Remove | FactKind::Deny => standing.decide(fact),
                FactKind::End => standing.ended = Some(fact.at),
                FactKind::EndUndone | FactKind::Reopen => standing.ended = None,
                FactKind::Join => {}
            }
        }
        standing
    }

    fn decide(&mut self, fact: &Fact) {
        let Some(participant) = fact.participant else { return };
        let stands = self.people.entry(participant).or_insert(fact.kind);
        if *stands != FactKind::Remove {
            *stands = fact.kind;
        }
    }

    /// Those about whom this decision stands.
    pub fn who(&self, decision: FactKind) -> Vec<ParticipantId> {
        let those = self.people.iter().filter(|(_, stands)| **stands == decision);
        those.map(|(participant, _)| *participant).collect()
    }
}
