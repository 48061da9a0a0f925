//! The log that all nodes share: the real state machine, on a machine that loses things.

use crate::{
    branches::Branches,
    chance::Chance,
    oracle::Oracle,
    time::{Wall, pause},
};
use heliograph_domain::clock::Clock;
use heliograph_roomlog::{
    AppendAnswer, Beat, BeatAnswer, ClaimAnswer, ClaimRequest, Draft, Leases, Log, LogEntry, Mark, Snapshot,
    Subscription,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::mpsc;

/// How many earlier states are kept to go back to.
const PAST: usize = 40;
/// As in the memory adapter: a reader that is further behind reads the log itself.
const SUBSCRIPTION: usize = 256;

/// The log's machine; clones are the same.
#[derive(Clone)]
pub struct LogServer(Arc<Mutex<Shelf>>);

/// What is on it.
pub struct Shelf {
    log: Log,
    past: VecDeque<Log>,
    readers: Vec<Reader>,
    leases: Leases,
    pub wall: Wall,
    /// Every entry up to a place at which the log was cut.
    cut: BTreeMap<(u64, String), Vec<Arc<LogEntry>>>,
    most_entries: usize,
    pub away: bool,
    pub away_for: BTreeSet<usize>,
    /// How slow it is, in milliseconds each way; 0 is at once.
    pub slow: u64,
    /// How late a subscription brings an entry.
    pub slow_news: u64,
    pub lost_answers: u32,
    /// Entries that a subscription leaves out, in a thousand.
    pub holes: u32,
    pub oracle: Oracle,
    pub branches: Branches,
    /// Somebody's log went back, was emptied or torn in this history.
    pub lost_some: bool,
    pub forgotten: bool,
}

struct Reader {
    node: usize,
    entries: mpsc::UnboundedSender<Arc<LogEntry>>,
}

impl LogServer {
    pub fn new(wall: Wall, leases: Leases, most_entries: usize, oracle: Oracle, branches: Branches) -> LogServer {
        LogServer(Arc::new(Mutex::new(Shelf {
            log: Log::default(),
            past: VecDeque::new(),
            readers: Vec::new(),
            leases,
            wall,
            cut: BTreeMap::new(),
            most_entries,
            away: false,
            away_for: BTreeSet::new(),
            slow: 0,
            slow_news: 0,
            lost_answers: 0,
            holes: 0,
            oracle,
            branches,
            lost_some: false,
            forgotten: false,
        })))
    }

    pub fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(mark: Mark) -> (u64, String) {
    (mark.seq, mark.chain.to_string())
}

/// The calls of the port, each one step.
impl Shelf {
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Milliseconds before a call is done, and before its answer is back. Most calls take none.
    pub fn delays(&self, chance: &Chance) -> (u64, u64) {
        let one = || {
            let wait = self.slow > 0 && chance.permille(300);
            if wait { chance.of(0..self.slow + 1) } else { 0 }
        };
        (one(), one())
    }

    pub fn is_away_for(&self, node: usize) -> bool {
        self.away || self.away_for.contains(&node)
    }

    pub fn claim(&mut self, mark: Mark, claim: ClaimRequest) -> ClaimAnswer {
        let asked = claim.clone();
        let before = self.log.head();
        let answer = self.step(|log, now, leases| log.claim(now, mark, claim, leases));
        let named = match &answer {
            ClaimAnswer::Granted { .. } if asked.takeover.is_some() => "takeover",
            ClaimAnswer::Granted { .. } => "claimed",
            ClaimAnswer::Stale => "STALE",
            ClaimAnswer::Taken { .. } => "taken",
            ClaimAnswer::TicketUsed => "ticket used",
            ClaimAnswer::Rewound => "REWOUND",
            ClaimAnswer::Empty => "empty",
        };
        self.branches.count(named);
        if self.log.head() != before {
            self.oracle.claimed(before, self.log.head(), &asked, &self.whole());
        }
        answer
    }

    pub fn append(&mut self, mark: Mark, draft: Draft) -> AppendAnswer {
        let (kind, seat, connection) = (draft.kind.clone(), draft.from, draft.connection.clone());
        let before = self.log.head();
        let answer = self.step(|log, now, _| log.append(now, mark, draft));
        let named = match &answer {
            AppendAnswer::Ok { .. } => "OK",
            AppendAnswer::Dup { .. } => "DUP",
            AppendAnswer::Gap { .. } => "GAP",
            AppendAnswer::Unclaimed => "UNCLAIMED",
            AppendAnswer::Rewound => "REWOUND",
        };
        self.branches.count(named);
        if let AppendAnswer::Ok { .. } = answer {
            match kind.as_str() {
                "void" => self.branches.count("void"),
                "nop" => self.branches.count("nop"),
                _ => {}
            }
            if let (Some(seat), Some(connection)) = (seat, connection) {
                self.oracle.appended(before, seat, &connection);
            }
        }
        answer
    }

    pub fn beat(&mut self, beat: &Beat) -> BeatAnswer {
        let answer = self.step(|log, now, leases| log.beat(now, beat, leases));
        if answer.rewound {
            self.branches.count("REWOUND");
        }
        if !answer.lapsed.is_empty() {
            self.branches.count("lapsed");
        }
        answer
    }

    pub fn subscribe(&mut self, node: usize, chance: Chance) -> Subscription {
        let (entries, mut waiting) = mpsc::unbounded_channel::<Arc<LogEntry>>();
        let (out, subscription) = mpsc::channel(SUBSCRIPTION);
        let slow = self.slow_news;
        tokio::spawn(async move {
            while let Some(entry) = waiting.recv().await {
                if slow > 0 && chance.permille(300) {
                    pause(chance.of(0..slow)).await;
                }
                match out.try_send(entry) {
                    Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => {}
                    Err(mpsc::error::TrySendError::Closed(_)) => return,
                }
            }
        });
        self.readers.push(Reader { node, entries });
        subscription
    }

    pub fn snapshot(&mut self, snapshot: Arc<Snapshot>) -> bool {
        let (base, entries) = self.log.parts();
        let (base, entries) = (base.cloned(), entries.cloned().collect::<Vec<_>>());
        let (mut whole, mark) = (self.whole(), snapshot.mark);
        let taken = self.log.snapshot(snapshot);
        if taken {
            let by_limit = entries.len() >= self.most_entries;
            self.oracle.cut(base.as_deref(), &entries, mark.seq, by_limit);
            whole.truncate(usize::try_from(mark.seq).unwrap_or(usize::MAX));
            self.cut.insert(place(mark), whole);
            self.remember();
        }
        taken
    }

    pub fn mend(&mut self, expected: Mark, base: Option<Arc<Snapshot>>, entries: Vec<Arc<LogEntry>>) -> bool {
        let now = self.wall.now();
        let mended = self.log.mend(now, expected, base, entries, self.leases);
        if mended {
            self.readers.clear();
            let whole = self.whole();
            self.oracle.history(&whole);
            self.remember();
        }
        mended
    }

    pub fn forget(&mut self) {
        self.log = Log::default();
        self.past.clear();
        self.readers.clear();
        self.forgotten = true;
    }

    /// A step that may append: readers hear of what is new.
    fn step<T>(&mut self, step: impl FnOnce(&mut Log, heliograph_domain::UnixMillis, Leases) -> T) -> T {
        let (now, before) = (self.wall.now(), self.log.head());
        let answer = step(&mut self.log, now, self.leases);
        let new: Vec<_> = self.log.since(before.seq).cloned().collect();
        let mut at = before;
        for entry in new {
            self.oracle.entry(at, &entry);
            at = entry.mark();
            if entry.header.session.ends_with(":reconnecting") {
                self.branches.count("reconnecting");
            }
            let holes = self.holes;
            let oracle = &self.oracle;
            self.readers.retain(|reader| {
                (holes > 0 && oracle.chance().permille(holes)) || reader.entries.send(Arc::clone(&entry)).is_ok()
            });
        }
        if self.log.head() != before {
            self.remember();
        }
        answer
    }

    fn remember(&mut self) {
        if self.past.len() == PAST {
            self.past.pop_front();
        }
        self.past.push_back(self.log.clone());
    }
}

/// What happens to the machine.
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
