//! The log does not have this node's place: it is repaired from what the node holds, or folded anew.

use super::Host;
use heliograph_domain::mutant::{Check, keeps};
use heliograph_protocol::{CloseCode, ErrorCode, ResyncWhy, ServerMessage};
use heliograph_room::{Entry, Room, VoidData};
use heliograph_roomlog::{
    Away, LogEntry, Mark, Tail,
    repair::{self, Holding, Plan},
};
use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::Instant;

/// A log that changes under a repair is read again so often; then the node waits.
const TRIES: usize = 16;

impl Host {
    pub(super) async fn repair(&mut self) -> Result<(), Away> {
        for _ in 0..TRIES {
            let subscription = self.shared.ports.log.subscribe(&self.key).await;
            self.subscription = Some(self.noted_read(subscription)?);
            let log = self.whole_log().await?;
            let holding = Holding {
                base: self.base.as_ref(),
                ring: &self.ring,
            };
            let expected = log.head().unwrap_or(Mark::START);
            let plan = repair::plan(holding, &log);
            metrics::counter!("heliograph_room_repairs_total", "plan" => name(&plan)).increment(1);
            match plan {
                Plan::InStep => {
                    for entry in log.entries {
                        self.take(entry).await;
                    }
                    return Ok(());
                }
                Plan::Reload => return self.fold_anew(log).await,
                Plan::Extend => {
                    let ring = self.ring.clone();
                    if self.mend(expected, &log, ring).await? {
                        return Ok(());
                    }
                }
                Plan::Rebase(moved) => {
                    let refused = self.refused_of(&log)?;
                    let entries = self.followed_by(moved, &refused);
                    if self.mend(expected, &log, entries.clone()).await? {
                        let base = self.base.clone();
                        return self.fold_anew(Tail { base, entries }).await;
                    }
                }
                Plan::Yield(rest) => {
                    let mine = Tail {
                        base: self.base.clone(),
                        entries: self.ring.clone(),
                    };
                    let refused = self.refused_of(&mine)?;
                    self.fold_anew(log).await?;
                    for entry in rest {
                        let entry = self.as_void(entry, &refused);
                        let answer = self
                            .shared
                            .ports
                            .log
                            .append(&self.key, self.mark(), entry.draft())
                            .await;
                        self.noted(answer)?;
                    }
                    return self.catch_up_all().await;
                }
            }
        }
        Err(Away("the log changes faster than it can be repaired".to_owned()))
    }

    async fn whole_log(&mut self) -> Result<Tail, Away> {
        let log = self.shared.ports.log.read_after(&self.key, Mark::START).await;
        let log = self.noted_read(log)?;
        log.ok_or_else(|| Away("the log does not know its own start".to_owned()))
    }

    async fn mend(&mut self, expected: Mark, log: &Tail, entries: Vec<Arc<LogEntry>>) -> Result<bool, Away> {
        let base = self.base.clone();
        let mended = self.shared.ports.log.mend(&self.key, expected, base, entries).await;
        let mended = self.noted(mended)?;
        if mended {
            tracing::warn!(visit = %self.key.visit, had = log.head().map_or(0, |head| head.seq), "a log was repaired");
            self.hold();
            let subscription = self.shared.ports.log.subscribe(&self.key).await;
            self.subscription = Some(self.noted_read(subscription)?);
        }
        Ok(mended)
    }

    /// Clients' entries wait for as long as a page waits before it sends again.
    pub(super) fn hold(&mut self) {
        let wait = Duration::from_millis(self.shared.settings.timers.retransmit_ms);
        self.hold_until = Some(Instant::now() + wait);
    }

    /// The places at which a history refused an entry, with the reason that its sender heard.
    fn refused_of(&self, history: &Tail) -> Result<BTreeMap<u64, ErrorCode>, Away> {
        let mut room = self.base_room(history.base.as_deref())?;
        let mut refused = BTreeMap::new();
        for entry in &history.entries {
            let entry = self.opened(entry);
            for delivery in room.apply(&entry).deliveries {
                if let Some(ServerMessage::Refused { code, .. }) = delivery.message {
                    refused.insert(entry.header.seq, code);
                }
            }
        }
        Ok(refused)
    }

    /// What was refused stays refused wherever it is moved: its sender was told.
    fn as_void(&self, entry: Arc<LogEntry>, refused: &BTreeMap<u64, ErrorCode>) -> Arc<LogEntry> {
        let code = refused.get(&entry.header.seq).filter(|_| entry.header.kind != "void");
        let Some(code) = code.filter(|_| keeps(Check::RefusedStays)) else {
            return entry;
        };
        let header = &entry.header;
        let plain = serde_json::to_vec(&VoidData { code: *code }).expect("a code is a text");
        let audience = heliograph_domain::entry::Audience::Own;
        let (session, cseq) = (header.session.clone(), header.cseq);
        let draft = self.sealed(header.from, None, session, cseq, audience, "void", &plain);
        let before = Mark {
            seq: header.seq - 1,
            ..Mark::START
        };
        Arc::new(LogEntry::after(before, header.at, draft))
    }

    /// This node's history, and after it what it did not have.
    fn followed_by(&self, moved: Vec<Arc<LogEntry>>, refused: &BTreeMap<u64, ErrorCode>) -> Vec<Arc<LogEntry>> {
        let (mut head, mut at) = (self.mark(), self.room.at());
        let mut entries = self.ring.clone();
        for entry in moved {
            let entry = self.as_void(entry, refused);
            at = at.max(entry.header.at);
            let next = LogEntry::after(head, at, entry.draft());
            head = next.mark();
            entries.push(Arc::new(next));
        }
        entries
    }

    /// The room becomes the fold of another history. Pages that still have their seats there are resynced, others claim
    /// again.
    async fn fold_anew(&mut self, log: Tail) -> Result<(), Away> {
        let Tail { base, entries } = log;
        let mut room = self.base_room(base.as_deref())?;
        let mut opened = Vec::with_capacity(entries.len());
        for entry in &entries {
            let entry = self.open(entry);
            let applied = room.apply(&entry);
            self.facts.note(&entry, &applied);
            opened.push(entry);
        }
        self.opened_lately = opened;
        (self.room, self.base, self.ring, self.candidate) = (room, base, entries, None);
        self.found = true;
        self.facts.write(&self.shared.ports, &self.key).await;
        self.publish();
        let seats: Vec<_> = self.connections.keys().copied().collect();
        for seat in seats {
            let Some(connection) = self.connections.get(&seat) else {
                continue;
            };
            let role = connection.role;
            let holds = self.room.holder(seat).is_some_and(|(_, _, id)| id == connection.id);
            if let Some(code) = self.shown_out(seat, role) {
                self.show_out_of(seat, code);
            } else if holds {
                let frames = self.resync(seat, ResyncWhy::Mended)?;
                if let Some(connection) = self.connections.get(&seat) {
                    connection.queue.send_backlog(frames);
                }
            } else {
                self.close(seat, CloseCode::Reclaim);
            }
        }
        Ok(())
    }

    pub(super) fn base_room(&self, base: Option<&heliograph_roomlog::Snapshot>) -> Result<Room, Away> {
        base.map_or_else(|| Ok(Room::new()), |base| self.open_snapshot(base))
    }

    pub(super) fn opened(&self, entry: &LogEntry) -> Cow<'_, Entry> {
        let seq = entry.header.seq;
        let lately = self
            .opened_lately
            .binary_search_by_key(&seq, |opened| opened.header.seq);
        match lately.map(|at| &self.opened_lately[at]) {
            Ok(opened) if opened.header.chain == entry.header.chain => Cow::Borrowed(opened),
            Ok(_) | Err(_) => Cow::Owned(self.open(entry)),
        }
    }
}

fn name(plan: &Plan) -> &'static str {
    match plan {
        Plan::InStep => "in_step",
        Plan::Reload => "reload",
        Plan::Extend => "extend",
        Plan::Rebase(_) => "rebase",
        Plan::Yield(_) => "yield",
    }
}
