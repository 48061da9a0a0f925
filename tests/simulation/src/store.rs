//! The store: who may sit where, and what was decided. It is away at times.

use crate::{
    chance::Chance,
    people::Person,
    time::{BEGIN, pause},
};
use async_trait::async_trait;
use heliograph_domain::{
    ParticipantId, PersonId, Pii, TenantId, UnixMillis, VisitId,
    visit::{Fact, FactKind, Standing},
};
use heliograph_signaling::{
    Desk, DeskRights, DeskRow, Fact as Recorded, Opening, Record, Rights, SeatRights, StoreAway,
};
use std::{
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// The one store of all nodes.
#[derive(Clone)]
pub struct Store(Arc<Mutex<Rows>>);

pub struct Rows {
    pub away: bool,
    pub cancelled: bool,
    /// How long everybody may sit here.
    pub until: UnixMillis,
    pub facts: Vec<Fact>,
}

impl Store {
    pub fn new(until_ms: i64) -> Store {
        Store(Arc::new(Mutex::new(Rows {
            away: false,
            cancelled: false,
            until: BEGIN.plus(until_ms),
            facts: Vec::new(),
        })))
    }

    pub fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    pub fn has(&self, session: &str, cseq: u64) -> bool {
        self.facts
            .iter()
            .any(|fact| fact.session == session && fact.cseq == cseq)
    }

    /// What the service makes of the facts, in the order of their log.
    fn opening(&self) -> Opening {
        let mut facts = self.facts.clone();
        facts.sort_by_key(|fact| fact.at);
        let standing = Standing::of(&facts);
        Opening {
            admitted: standing.who(FactKind::Admit),
            held: standing.who(FactKind::Hold),
            removed: standing.who(FactKind::Remove),
            ended: standing.ended,
        }
    }
}

/// The store as one node reaches it.
pub struct NodeStore {
    pub store: Store,
    pub alive: Arc<AtomicBool>,
    pub chance: Chance,
}

impl NodeStore {
    /// A question on its way: whoever dies meanwhile never hears the answer.
    async fn ask<T>(&self, question: impl FnOnce(&mut Rows) -> T) -> Result<T, StoreAway> {
        let slow = self.chance.permille(300);
        let (there, back) = if slow {
            (self.chance.of(0..8), self.chance.of(0..8))
        } else {
            (0, 0)
        };
        self.pause(there).await;
        let answer = {
            let mut rows = self.store.rows();
            if rows.away {
                Err(StoreAway)
            } else {
                Ok(question(&mut rows))
            }
        };
        self.pause(back).await;
        answer
    }

    async fn pause(&self, ms: u64) {
        pause(ms).await;
        if !self.alive.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl Rights for NodeStore {
    async fn seat(
        &self,
        _institution: &TenantId,
        _visit: VisitId,
        seat: ParticipantId,
    ) -> Result<Option<SeatRights>, StoreAway> {
        self.ask(|rows| {
            let person = Person::of(seat).filter(|_| !rows.cancelled)?;
            Some(SeatRights {
                role: person.role(),
                name: Pii::new(person.letter().to_string()),
                language: "en".parse().expect("a language"),
                opens: BEGIN.plus(-1_000_000),
                until: rows.until,
                generation: 1,
            })
        })
        .await
    }

    async fn opening(&self, _institution: &TenantId, _visit: VisitId) -> Result<Option<Opening>, StoreAway> {
        self.ask(|rows| (!rows.cancelled).then(|| rows.opening())).await
    }
}

#[async_trait]
impl Record for NodeStore {
    async fn record(&self, _institution: &TenantId, _visit: VisitId, fact: &Recorded) -> Result<(), StoreAway> {
        self.ask(|rows| {
            if !rows.has(&fact.session, fact.cseq) {
                rows.facts.push(Fact {
                    session: fact.session.clone(),
                    cseq: fact.cseq,
                    kind: fact.kind,
                    participant: fact.participant,
                    at: fact.at,
                });
            }
        })
        .await
    }
}

/// Nobody looks at the desk.
#[async_trait]
impl Desk for NodeStore {
    async fn rights(&self, _: &TenantId, _: PersonId, _: &str) -> Result<Option<DeskRights>, StoreAway> {
        Ok(None)
    }

    async fn rows(&self, _: &TenantId, _: Range<UnixMillis>) -> Result<Vec<DeskRow>, StoreAway> {
        Ok(Vec::new())
    }

    async fn row(&self, _: &TenantId, _: VisitId) -> Result<Option<DeskRow>, StoreAway> {
        Ok(None)
    }
}
