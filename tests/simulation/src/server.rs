//! The log that all nodes share: the real state machine, on a machine that loses things.

mod damage;

pub use damage::Faults;

use crate::{
    branches::Branches,
    chance::Chance,
    oracle::Oracle,
    time::{Time, Wall, pause},
    trace::Trace,
};
use heliograph_domain::clock::Clock;
use heliograph_roomlog::{
    AppendAnswer, Beat, BeatAnswer, ClaimAnswer, ClaimRequest, Draft, Leases, Log, LogEntry, Mark, Snapshot,
    Subscription,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::mpsc;

/// Two beats at once, on a slow log.
const AT_ONCE_MS: u64 = 500;
/// Calls that may come at one instant.
const MOST_CALLS: u32 = 20_000;
/// How many earlier states are kept to go back to.
const PAST: usize = 40;
/// As in the memory adapter: a reader that is further behind reads the log itself.
const SUBSCRIPTION: usize = 256;

/// The log's machine; clones are the same.
#[derive(Clone)]
pub struct LogServer(Arc<Mutex<Shelf>>);

/// Who looks on.
#[derive(Clone)]
pub struct Watch {
    pub oracle: Oracle,
    pub branches: Branches,
    pub trace: Trace,
}

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
    /// When it was cut last because it had grown too long.
    limit_at: Option<u64>,
    pub faults: Faults,
    /// Calls at the present instant.
    calls: (u64, u32),
    watch: Watch,
    time: Time,
    /// Somebody's log went back, was emptied or torn in this history.
    pub lost_some: bool,
    pub forgotten: bool,
}

struct Reader {
    node: usize,
    entries: mpsc::UnboundedSender<Arc<LogEntry>>,
}

impl LogServer {
    pub fn new(time: Time, leases: Leases, most_entries: usize, watch: Watch) -> LogServer {
        LogServer(Arc::new(Mutex::new(Shelf {
            log: Log::default(),
            past: VecDeque::new(),
            readers: Vec::new(),
            leases,
            wall: Wall::new(time, 0),
            cut: BTreeMap::new(),
            most_entries,
            limit_at: None,
            faults: Faults::default(),
            calls: (0, 0),
            watch,
            time,
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
    fn note(&self, what: std::fmt::Arguments<'_>) {
        let (now, head) = (self.time.now(), self.log.head());
        self.watch
            .trace
            .note(now, &head.chain.to_string(), format_args!("  log {} {what}", head.seq));
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Milliseconds before a call is done, and before its answer is back. Most calls take none.
    pub fn delays(&self, chance: &Chance) -> (u64, u64) {
        let one = || {
            let wait = self.faults.slow > 0 && chance.permille(300);
            if wait { chance.of(0..self.faults.slow + 1) } else { 0 }
        };
        (one(), one())
    }

    /// A node that asks again and again without a pause would keep a real machine busy for ever.
    pub fn is_spun(&mut self, now: u64) -> bool {
        self.calls = if self.calls.0 == now {
            (now, self.calls.1 + 1)
        } else {
            (now, 1)
        };
        if self.calls.1 > MOST_CALLS {
            self.watch.oracle.fail("the log is asked without a pause".to_owned());
        }
        self.calls.1 > MOST_CALLS
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
        self.watch.branches.count(named);
        self.note(format_args!("{named}: {} {}", asked.row.session, asked.row.attempt));
        if self.log.head() != before {
            self.watch
                .oracle
                .claimed(before, self.log.head(), &asked, &self.whole());
        }
        answer
    }

    pub fn append(&mut self, mark: Mark, draft: Draft) -> AppendAnswer {
        let (kind, seat, connection) = (draft.kind.clone(), draft.from, draft.connection.clone());
        let name = format!("{} {} {}", draft.kind, draft.session, draft.cseq);
        let before = self.log.head();
        if self.faults.loses_next {
            let mut lost = self.log.clone();
            let answer = lost.append(self.wall.now(), mark, draft.clone());
            if let AppendAnswer::Ok { .. } = answer {
                self.faults.loses_next = false;
                self.lost_some = true;
                self.watch.branches.count("OK, and lost");
                return answer;
            }
        }
        let answer = self.step(|log, now, _| log.append(now, mark, draft));
        let named = match &answer {
            AppendAnswer::Ok { .. } => "OK",
            AppendAnswer::Dup { .. } => "DUP",
            AppendAnswer::Gap { .. } => "GAP",
            AppendAnswer::Unclaimed => "UNCLAIMED",
            AppendAnswer::Rewound => "REWOUND",
        };
        self.watch.branches.count(named);
        self.note(format_args!("{named}: {name}"));
        if let AppendAnswer::Ok { .. } = answer {
            match kind.as_str() {
                "void" => self.watch.branches.count("void"),
                "nop" => self.watch.branches.count("nop"),
                _ => {}
            }
            if let (Some(seat), Some(connection)) = (seat, connection) {
                self.watch.oracle.appended(before, seat, &connection);
            }
        }
        answer
    }

    pub fn beat(&mut self, beat: &Beat) -> BeatAnswer {
        let answer = self.step(|log, now, leases| log.beat(now, beat, leases));
        if answer.rewound {
            self.watch.branches.count("REWOUND");
        }
        if !answer.lapsed.is_empty() {
            self.watch.branches.count("lapsed");
        }
        let acked: Vec<_> = answer.acked.values().map(|mark| mark.seq).collect();
        self.note(format_args!("beat at {}, read up to {acked:?}", beat.mark.seq));
        answer
    }

    pub fn subscribe(&mut self, node: usize, chance: Chance) -> Subscription {
        let (entries, mut waiting) = mpsc::unbounded_channel::<Arc<LogEntry>>();
        let (mut out, subscription) = futures::channel::mpsc::channel(SUBSCRIPTION);
        let slow = self.faults.slow_news;
        tokio::spawn(async move {
            while let Some(entry) = waiting.recv().await {
                if slow > 0 && chance.permille(300) {
                    pause(chance.of(0..slow)).await;
                }
                if out.try_send(entry).is_err_and(|error| error.is_disconnected()) {
                    return;
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
        self.note(format_args!(
            "snapshot at {}: {taken}, of {} entries",
            mark.seq,
            entries.len()
        ));
        if taken {
            // Two nodes may find the log too long at once.
            let just_cut = self.limit_at.is_some_and(|at| self.time.now() < at + AT_ONCE_MS);
            let by_limit = entries.len() >= self.most_entries || just_cut;
            if by_limit {
                self.limit_at = Some(self.time.now());
            }
            self.watch.oracle.cut(base.as_deref(), &entries, mark.seq, by_limit);
            whole.truncate(usize::try_from(mark.seq).unwrap_or(usize::MAX));
            self.cut.insert(place(mark), whole);
            self.remember();
        }
        taken
    }

    pub fn mend(&mut self, expected: Mark, base: Option<Arc<Snapshot>>, entries: Vec<Arc<LogEntry>>) -> bool {
        let now = self.wall.now();
        let mended = self.log.mend(now, expected, base, entries, self.leases);
        self.note(format_args!("mended: {mended}"));
        if mended {
            self.readers.clear();
            let whole = self.whole();
            self.watch.oracle.history(&whole);
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
            self.watch.oracle.entry(at, &entry);
            at = entry.mark();
            if entry.header.session.ends_with(":reconnecting") {
                self.watch.branches.count("reconnecting");
            }
            let holes = self.faults.holes;
            let oracle = &self.watch.oracle;
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
