//! Every history that there was: after a rewind or a repair an entry may have places in several.

use super::Oracle;
use crate::people::Person;
use heliograph_domain::entry::Chain;
use heliograph_protocol::ServerMessage;
use heliograph_room::{Delivery, Room};
use heliograph_roomlog::LogEntry;
use std::{collections::BTreeMap, sync::Arc};

/// Entries by their chain, each with the one before it.
#[derive(Default)]
pub(super) struct Tree {
    entries: BTreeMap<Chain, Place>,
}

struct Place {
    before: Chain,
    entry: Arc<LogEntry>,
    /// Counts up over all places.
    order: usize,
}

/// The entries up to a place, that one last.
pub(super) type Way = Vec<Arc<LogEntry>>;

impl Tree {
    pub fn add(&mut self, before: Chain, entry: &Arc<LogEntry>) {
        let order = self.entries.len();
        let place = Place {
            before,
            entry: Arc::clone(entry),
            order,
        };
        self.entries.insert(entry.header.chain, place);
    }

    /// The ways to all places of a message, the first one first.
    pub fn ways(&self, key: &(String, u64)) -> Vec<Way> {
        let same = |place: &&Place| place.entry.header.session == key.0 && place.entry.header.cseq == key.1;
        let mut places: Vec<_> = self.entries.values().filter(same).collect();
        places.sort_by_key(|place| place.order);
        places.into_iter().map(|place| self.way(place)).collect()
    }

    fn way<'a>(&'a self, mut place: &'a Place) -> Way {
        let mut way = vec![Arc::clone(&place.entry)];
        while let Some(before) = self.entries.get(&place.before) {
            way.push(Arc::clone(&before.entry));
            place = before;
        }
        way.reverse();
        way
    }
}

impl Oracle {
    fn ways(&self, key: &(String, u64)) -> Vec<Way> {
        self.notes().tree.ways(key)
    }

    /// What the last entry of a way means there.
    fn meaning(&self, way: &Way) -> Vec<Delivery> {
        let (mut room, mut last) = (Room::new(), Vec::new());
        for entry in way.iter().filter_map(|entry| self.opened(entry)) {
            last = room.apply(&entry).deliveries;
        }
        last
    }

    /// A message was not for a person in some history. If that is lost, the page has heard later ones when this one comes.
    pub(super) fn was_for_others(&self, key: &(String, u64), person: Person) -> bool {
        let told = |delivery: &Delivery| delivery.to.iter().any(|(seat, _)| *seat == person.seat());
        self.ways(key).iter().any(|way| !self.meaning(way).iter().any(told))
    }

    /// A message had several places.
    pub(super) fn was_moved(&self, key: &(String, u64)) -> bool {
        self.ways(key).len() > 1
    }

    /// A message was refused where it came first. What was taken, then refused in a log that had been emptied, stays taken
    /// when that log is repaired.
    pub(super) fn was_refused_at_first(&self, key: &(String, u64)) -> bool {
        let refused = |delivery: &Delivery| matches!(delivery.message, Some(ServerMessage::Refused { .. }));
        let ways = self.ways(key);
        ways.first().is_some_and(|way| self.meaning(way).iter().any(refused))
    }
}
