//! A node: the real signaling crate, with its own clock and its own line to the log.

use crate::{
    branches::Branches,
    calendar::Calendar,
    chance::Chance,
    line::Line,
    people,
    port::NodeLog,
    server::LogServer,
    store::{NodeStore, Store},
    time::Wall,
    world::Event,
};
use heliograph_access::Keys;
use heliograph_signaling::{Ports, Rooms, Settings};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What all nodes share.
#[derive(Clone)]
pub struct Site {
    pub server: LogServer,
    pub store: Store,
    pub keys: Keys,
    pub settings: Settings,
    pub chance: Chance,
    pub calendar: Calendar<Event>,
    pub branches: Branches,
}

/// One life of a node.
pub struct Node {
    pub rooms: Rooms,
    pub wall: Wall,
    alive: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Node {
    pub fn start(site: &Site, number: usize, wrong_ms: i64) -> Node {
        let alive = Arc::new(AtomicBool::new(true));
        let wall = Wall::new(site.calendar.time, wrong_ms);
        let log = NodeLog {
            server: site.server.clone(),
            node: number,
            alive: Arc::clone(&alive),
            chance: site.chance.clone(),
            time: site.calendar.time,
        };
        let store = Arc::new(NodeStore {
            store: site.store.clone(),
            alive: Arc::clone(&alive),
            chance: site.chance.clone(),
        });
        let ports = Ports {
            log: Arc::new(log),
            rights: store.clone(),
            record: store.clone(),
            desk: store,
            clock: Arc::new(wall.clone()),
            entropy: Arc::new(site.chance.clone()),
            keys: site.keys.clone(),
            simulate: None,
        };
        let stop = CancellationToken::new();
        let rooms = Rooms::new(ports, site.settings.clone(), stop.clone(), TaskTracker::new());
        Node {
            rooms,
            wall,
            alive,
            stop,
        }
    }

    pub fn is_up(&self) -> bool {
        self.alive.load(Ordering::Relaxed) && !self.stop.is_cancelled()
    }

    /// kill -9: its calls never return, its sockets say nothing, its folds are gone with it.
    pub fn kill(&self) {
        self.alive.store(false, Ordering::Relaxed);
    }

    pub fn drain(&self) {
        self.stop.cancel();
    }

    /// Takes a socket.
    pub fn serve(&self, site: &Site, line: &Line) {
        let (calendar, chance) = (site.calendar.clone(), site.chance.clone());
        let (reads, writes) = line.accept(calendar, chance, Arc::clone(&self.alive), site.branches.clone());
        tokio::spawn(self.rooms.serve(reads, writes, format!("line-{}", line.id), || None));
    }

    pub async fn fold(&self) -> Option<Vec<u8>> {
        self.rooms.fold(&people::room()).await
    }
}
