//! The port as one node reaches it: slow at times, away at times, and a call may be done although its answer is lost.

use crate::{
    chance::Chance,
    server::{LogServer, Shelf},
    time::{Time, pause},
};
use async_trait::async_trait;
use heliograph_roomlog::{
    AppendAnswer, Away, Beat, BeatAnswer, ClaimAnswer, ClaimRequest, Draft, LogEntry, Mark, RoomKey, RoomLog, Snapshot,
    Subscription, Tail,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// One node's line to the log.
pub struct NodeLog {
    pub server: LogServer,
    pub node: usize,
    /// A dead node's calls never return, and what was on its way is never done.
    pub alive: Arc<AtomicBool>,
    pub chance: Chance,
    pub time: Time,
}

impl NodeLog {
    async fn call<T>(&self, step: impl FnOnce(&mut Shelf) -> T + Send) -> Result<T, Away> {
        let spun = self.server.shelf().is_spun(self.time.now());
        if spun {
            std::future::pending::<()>().await;
        }
        let (there, back) = self.server.shelf().delays(&self.chance);
        self.pause(there).await;
        let answer = {
            let mut shelf = self.server.shelf();
            if shelf.faults.is_away_for(self.node) {
                return Err(Away("no line".to_owned()));
            }
            step(&mut shelf)
        };
        self.pause(back).await;
        let lost = self.chance.permille(self.server.shelf().faults.lost_answers);
        if lost || self.server.shelf().faults.is_away_for(self.node) {
            return Err(Away("no answer".to_owned()));
        }
        Ok(answer)
    }

    async fn pause(&self, ms: u64) {
        pause(ms).await;
        if !self.alive.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl RoomLog for NodeLog {
    async fn claim(&self, _room: &RoomKey, mark: Mark, claim: ClaimRequest) -> Result<ClaimAnswer, Away> {
        self.call(|shelf| shelf.claim(mark, claim)).await
    }

    async fn append(&self, _room: &RoomKey, mark: Mark, draft: Draft) -> Result<AppendAnswer, Away> {
        self.call(|shelf| shelf.append(mark, draft)).await
    }

    async fn beat(&self, _room: &RoomKey, beat: Beat) -> Result<BeatAnswer, Away> {
        self.call(|shelf| shelf.beat(&beat)).await
    }

    async fn read_after(&self, _room: &RoomKey, mark: Mark) -> Result<Option<Tail>, Away> {
        self.call(|shelf| shelf.log().read_after(mark)).await
    }

    async fn subscribe(&self, _room: &RoomKey) -> Result<Subscription, Away> {
        let (node, chance) = (self.node, self.chance.clone());
        self.call(|shelf| shelf.subscribe(node, chance)).await
    }

    async fn snapshot(&self, _room: &RoomKey, snapshot: Arc<Snapshot>) -> Result<bool, Away> {
        self.call(|shelf| shelf.snapshot(snapshot)).await
    }

    async fn mend(
        &self,
        _room: &RoomKey,
        expected: Mark,
        base: Option<Arc<Snapshot>>,
        entries: Vec<Arc<LogEntry>>,
    ) -> Result<bool, Away> {
        self.call(|shelf| shelf.mend(expected, base, entries)).await
    }

    async fn forget(&self, _room: &RoomKey) -> Result<(), Away> {
        self.call(Shelf::forget).await
    }
}
