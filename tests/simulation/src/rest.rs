//! A history from its beginning to its rest.

use crate::{
    branches::Branches,
    calendar::Calendar,
    chance::Chance,
    habits::Habits,
    node::{Node, Site},
    oracle::{Final, Oracle, Standing},
    people::Person,
    server::{Faults, LogServer, Watch},
    store::Store,
    time::Time,
    trace::Trace,
    world::{Event, World},
};
use heliograph_access::{Keys, Secret};
use heliograph_client::Link;
use heliograph_domain::clock::Clock;
use heliograph_roomlog::Leases;
use std::collections::BTreeSet;

/// No history is longer, in milliseconds.
const LONGEST: u64 = 40 * 60 * 1000;
/// A repair, a beat, a lease that begins anew.
const CALM: u64 = 11_000;
/// How long it may take until everything is at rest.
const PATIENCE: u64 = 120_000;

/// Lives through the history of a seed, and judges it.
pub async fn live(seed: u64, branches: Branches, trace: Trace) -> Option<String> {
    let mut world = begin(seed, branches, trace);
    world.calendar.after(600, Event::Deed);
    let oracle = world.oracle.clone();
    while world.deeds > 0 && world.now() < LONGEST && oracle.violation().is_none() {
        let soon = world.now() + 1_000;
        world.live_until(soon).await;
    }
    world.come_to_rest().await;
    oracle.violation()
}

fn begin(seed: u64, branches: Branches, trace: Trace) -> World {
    let chance = Chance::new(seed, 0);
    let habits = Habits::new(&chance);
    let time = Time::begin();
    let calendar = Calendar::new(time);
    let settings = habits.settings();
    let ms = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    let leases = Leases {
        beat_ms: ms(settings.timers.beat_ms),
        lease_ms: ms(settings.timers.lease_ms),
        reconnecting_ms: ms(settings.timers.reconnecting_ms),
    };
    let keys = Keys::new(Secret::new(vec![7; 32]).expect("32 bytes are enough"), Vec::new());
    let oracle = Oracle::new(&keys, chance.clone());
    let watch = Watch {
        oracle: oracle.clone(),
        branches: branches.clone(),
        trace: trace.clone(),
    };
    let server = LogServer::new(time, leases, habits.trim.most_entries, watch);
    server.shelf().faults = habits.log_faults();
    let site = Site {
        server,
        store: Store::new(habits.until_ms),
        keys,
        settings,
        chance: chance.clone(),
        calendar: calendar.clone(),
        branches: branches.clone(),
    };
    let nodes = (0..habits.nodes).map(|number| Node::start(&site, number, 0)).collect();
    let deeds = habits.deeds;
    let mut world = World {
        site,
        habits,
        chance,
        calendar,
        trace,
        oracle,
        branches,
        nodes,
        lines: Vec::new(),
        tabs: Vec::new(),
        deeds,
        calm: false,
        robbed: BTreeSet::new(),
        names: 0,
    };
    for person in Person::ALL {
        let page = world.new_page(person);
        world.open_tab(person, None, page);
    }
    world
}

impl World {
    /// All faults end; what must hold in the end must come to hold by itself.
    async fn come_to_rest(&mut self) {
        self.note("rest", format_args!("· rest"));
        self.calm = true;
        self.site.server.shelf().faults = Faults {
            slow: self.habits.slow_log,
            ..Faults::default()
        };
        self.site.store.rows().away = false;
        for node in 0..self.nodes.len() {
            self.restart(node);
        }
        for id in 0..self.lines.len() {
            let mut wire = self.lines[id].wire();
            let troubled = wire.is_troubled();
            wire.soothe();
            drop(wire);
            if troubled {
                self.calendar.after(0, Event::Broken(id));
            }
        }
        self.live_until(self.now() + CALM).await;
        let begun = self.now();
        // What the log took last may be on its way to somebody.
        let mut before = None;
        loop {
            let head = self.site.server.shelf().log().head();
            let now = self.is_at_rest().await.then_some(head);
            let quiet = std::mem::replace(&mut before, now) == now && now.is_some();
            if quiet || self.oracle.violation().is_some() || self.now() > begun + PATIENCE {
                break;
            }
            self.live_until(self.now() + 1_000).await;
        }
        if self.oracle.violation().is_none() && !self.site.server.shelf().forgotten {
            self.judge().await;
        }
    }

    /// Every page is where it stays, nothing waits, and every node is level with the log.
    async fn is_at_rest(&self) -> bool {
        let rests = |link: &Link| matches!(link, Link::Joined | Link::Stopped(_) | Link::Taken { .. });
        let open = self.tabs.iter().filter(|tab| tab.open);
        let settled = |tab: &crate::tab::Tab| {
            let page = &tab.page;
            rests(page.link()) && (!page.is_joined() || page.open() == 0)
        };
        if !open.into_iter().all(settled) {
            return false;
        }
        let folds = self.folds().await;
        folds.iter().all(|(_, fold)| *fold == folds[0].1)
    }

    async fn folds(&self) -> Vec<(usize, Vec<u8>)> {
        let mut folds = Vec::new();
        for (number, node) in self.nodes.iter().enumerate() {
            if let Some(fold) = node.fold().await {
                folds.push((number, fold));
            }
        }
        folds
    }

    async fn judge(&self) {
        let folds = self.folds().await;
        let shelf = self.site.server.shelf();
        let rows = self.site.store.rows();
        let open = self.tabs.iter().filter(|tab| tab.open);
        let end = Final {
            whole: shelf.whole(),
            folds,
            pages: open
                .map(|tab| Standing {
                    name: &tab.name,
                    person: tab.person,
                    tab: tab.first,
                    page: &tab.page,
                    known: &tab.known,
                })
                .collect(),
            rows: &rows,
            robbed: &self.robbed,
            log_now: shelf.wall.now(),
            lost_some: shelf.lost_some,
            loses_tails: self.habits.loses_tails,
        };
        self.oracle.judge(&end);
    }
}
