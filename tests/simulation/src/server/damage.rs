//! What goes wrong with the log's machine.

use super::{Shelf, place};
use heliograph_domain::clock::Clock;
use heliograph_roomlog::{Log, LogEntry};
use std::{collections::BTreeSet, sync::Arc};

/// How the machine and the lines to it are.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    pub away: bool,
    /// Nodes that do not reach it.
    pub away_for: BTreeSet<usize>,
    /// How slow it is, in milliseconds each way; 0 is at once.
    pub slow: u64,
    /// How late a subscription brings an entry, in milliseconds.
    pub slow_news: u64,
    /// Answers that are lost although the call was done, in a thousand.
    pub lost_answers: u32,
    /// Entries that a subscription leaves out, in a thousand.
    pub holes: u32,
    /// The next entry is lost right after it was taken, as when a replica is promoted that lacks the tail.
    pub loses_next: bool,
}

impl Faults {
    pub fn is_away_for(&self, node: usize) -> bool {
        self.away || self.away_for.contains(&node)
    }
}

impl Shelf {
    /// Every entry of the log since its opening, those that were cut off included.
    pub fn whole(&self) -> Vec<Arc<LogEntry>> {
        let (base, entries) = self.log.parts();
        let cut = base.and_then(|base| self.cut.get(&place(base.mark)));
        cut.into_iter().flatten().chain(entries).cloned().collect()
    }

    /// The last changes never happened.
    pub fn rewind(&mut self, changes: usize) {
        self.lost_some = true;
        for _ in 0..changes {
            if self.past.len() > 1 {
                self.past.pop_back();
            }
        }
        if let Some(before) = self.past.back() {
            self.log = before.clone();
        }
    }

    pub fn empty(&mut self) {
        self.lost_some = true;
        self.log = Log::default();
        self.past.clear();
    }

    /// The machine was killed in mid-write: the tail of its journal is gone, and leases count anew.
    pub fn tear(&mut self, lost: usize) {
        self.lost_some = true;
        let (base, entries) = self.log.parts();
        let (base, mut entries) = (base.cloned(), entries.cloned().collect::<Vec<_>>());
        entries.truncate(entries.len().saturating_sub(lost));
        self.log = Log::restore(base, entries, self.wall.now(), self.leases);
        self.past.clear();
        self.readers.clear();
        self.remember();
    }

    /// A node's subscriptions end.
    pub fn hang_up(&mut self, node: usize) {
        self.readers.retain(|reader| reader.node != node);
    }
}
