//! What to do when a node's history and its log's differ: the log lost its tail, or everything, or went another way.
//!
//! A node compares what it holds with what it reads and makes a [`Plan`]; [`crate::RoomLog::mend`] carries it out only if
//! the log did not change meanwhile. What a page was told to be taken is in some node's ring, so it comes back.

use crate::{Clear, LogEntry, Mark, Snapshot, Tail};
use heliograph_domain::entry::seen_key;
use std::sync::Arc;

/// What a node holds of a room: a snapshot and every entry since.
#[derive(Debug, Clone, Copy)]
pub struct Holding<'a> {
    /// The snapshot.
    pub base: Option<&'a Arc<Snapshot>>,
    /// Every entry after it, in order.
    pub ring: &'a [Arc<LogEntry>],
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// The log goes on from the node's place.
    InStep,
    /// The log lacks nothing that the node holds: the node folds it anew.
    Reload,
    /// The log lost its tail, and nothing came after: it becomes what the node holds.
    Extend,
    /// Both went on: the log becomes what the node holds, then these entries of its own that the node does not hold.
    Rebase(Vec<Arc<LogEntry>>),
    /// The log was trimmed on a way that the node does not know: the node folds it anew and appends these.
    Yield(Vec<Arc<LogEntry>>),
}

impl Holding<'_> {
    /// The mark of the last entry.
    pub fn head(&self) -> Mark {
        let last = self.ring.last().map(|entry| entry.mark());
        last.or_else(|| self.base.map(|base| base.mark)).unwrap_or(Mark::START)
    }

    /// What it says in the clear.
    pub fn clear(&self) -> Clear {
        fold(self.base, self.ring)
    }

    fn first(&self) -> Mark {
        self.base.map_or(Mark::START, |base| base.mark)
    }

    fn has(&self, mark: Mark) -> bool {
        self.first() == mark || self.ring.iter().any(|entry| entry.mark() == mark)
    }
}

fn fold(base: Option<&Arc<Snapshot>>, entries: &[Arc<LogEntry>]) -> Clear {
    let start = base.map_or_else(Clear::default, |base| base.clear.clone());
    entries.iter().fold(start, |mut clear, entry| {
        clear.apply(entry);
        clear
    })
}

/// Compares what a node holds with the whole log.
pub fn plan(mine: Holding<'_>, log: &Tail) -> Plan {
    let Some(head) = log.head() else {
        return if mine.head() == Mark::START {
            Plan::InStep
        } else {
            Plan::Extend
        };
    };
    let first = log.base.as_ref().map_or(Mark::START, |base| base.mark);
    let here = mine.head();
    let goes_on = here == first || here == Mark::START || log.entries.iter().any(|entry| entry.mark() == here);
    if goes_on {
        return Plan::InStep;
    }
    if mine.has(head) {
        return Plan::Extend;
    }
    let there = fold(log.base.as_ref(), &log.entries);
    let own = mine.clear();
    if there.covers(&own) {
        return Plan::Reload;
    }
    // A log that was never cut began anew: what it has can follow what the node holds.
    if log.base.is_none() || mine.has(first) {
        return Plan::Rebase(not_in(&own, &log.entries));
    }
    let claims = |entry: &Arc<LogEntry>| entry.header.kind == "claim";
    let mut rest = not_in(&there, mine.ring);
    rest.retain(|entry| !claims(entry));
    Plan::Yield(rest)
}

/// The entries whose numbers are not accepted there, in order.
fn not_in(there: &Clear, entries: &[Arc<LogEntry>]) -> Vec<Arc<LogEntry>> {
    let mut seen = there.seen.clone();
    let mut missing = Vec::new();
    for entry in entries.iter().filter(|entry| entry.header.kind != "opened") {
        let seen = seen
            .entry(seen_key(entry.header.from, &entry.header.session))
            .or_default();
        if entry.header.cseq > *seen {
            *seen = entry.header.cseq;
            missing.push(Arc::clone(entry));
        }
    }
    missing
}
