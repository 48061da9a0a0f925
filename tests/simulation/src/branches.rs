//! How often each branch of the code ran.

use metrics::{Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Branches that every run of the simulation must take: none of them may count zero.
pub const REQUIRED: &[&str] = &[
    "OK",
    "DUP",
    "GAP",
    "UNCLAIMED",
    "STALE",
    "REWOUND",
    "taken",
    "takeover",
    "void",
    "nop",
    "refused",
    "resync",
    "back",
    "mend: reload",
    "mend: extend",
    "mend: rebase",
    "mend: yield",
    "snapshot: acknowledged",
    "snapshot: limit",
    "ticket used",
    "lapsed",
    "reconnecting",
    "left",
    "welcome lost",
    "drain",
    "degraded",
    "recovered",
    "withdrawn",
    "notice",
    "ended",
    "end undone",
    "reopened",
    "removed",
    "superseded",
    "hole",
    "journal torn",
    "stalled and let go",
    "deed: Say",
    "deed: Decide",
    "deed: Withdraw",
    "deed: Reload",
    "deed: SecondTab",
    "deed: MoveHere",
    "deed: Leave",
    "deed: Wake",
    "deed: ReplayTicket",
    "deed: Notice",
    "deed: Cut",
    "deed: Silence",
    "deed: Stall",
    "deed: Kill",
    "deed: KillAll",
    "deed: Drain",
    "deed: NodeClock",
    "deed: LogClock",
    "deed: LogAway",
    "deed: NodeWithoutLog",
    "deed: HangUp",
    "deed: Rewind",
    "deed: Split",
    "deed: LoseNext",
    "deed: Empty",
    "deed: EmptyAndKillAll",
    "deed: Tear",
    "deed: StoreAway",
    "deed: WakeRoom",
];

/// Counts by name; clones share them.
#[derive(Clone, Default)]
pub struct Branches(Arc<Mutex<BTreeMap<String, u64>>>);

impl Branches {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn count(&self, branch: &str) {
        self.add(branch, 1);
    }

    pub fn add(&self, branch: &str, times: u64) {
        let mut counts = self.counts();
        match counts.get_mut(branch) {
            Some(count) => *count += times,
            None => drop(counts.insert(branch.to_owned(), times)),
        }
    }

    pub fn all(&self) -> BTreeMap<String, u64> {
        self.counts().clone()
    }
}

/// Reads the plans of repairs and the reasons of snapshots off the service's own counters.
pub struct Figures(pub Branches);

struct Figure {
    name: String,
    branches: Branches,
}

impl CounterFn for Figure {
    fn increment(&self, value: u64) {
        self.branches.add(&self.name, value);
    }

    fn absolute(&self, _value: u64) {}
}

impl Recorder for Figures {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let kind = match key.name() {
            "heliograph_room_repairs_total" => "mend",
            "heliograph_room_snapshots_total" => "snapshot",
            _ => return Counter::noop(),
        };
        let label = key.labels().next().map(|label| label.value().to_owned());
        let name = format!("{kind}: {}", label.unwrap_or_default());
        let branches = self.0.clone();
        Counter::from_arc(Arc::new(Figure { name, branches }))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
