//! What is to happen, and when.

use crate::time::Time;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Events by their time, then in the order in which they were noted; clones share one calendar.
pub struct Calendar<E> {
    shared: Arc<Shared<E>>,
    pub time: Time,
}

struct Shared<E> {
    events: Mutex<Events<E>>,
    sooner: Notify,
}

struct Events<E> {
    list: BTreeMap<(u64, u64), E>,
    count: u64,
}

impl<E> Clone for Calendar<E> {
    fn clone(&self) -> Self {
        let shared = Arc::clone(&self.shared);
        Calendar { shared, ..*self }
    }
}

impl<E> Calendar<E> {
    pub fn new(time: Time) -> Calendar<E> {
        let events = Events {
            list: BTreeMap::new(),
            count: 0,
        };
        let shared = Arc::new(Shared {
            events: Mutex::new(events),
            sooner: Notify::new(),
        });
        Calendar { shared, time }
    }

    fn events(&self) -> MutexGuard<'_, Events<E>> {
        self.shared.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `event` is to happen at a time.
    pub fn at(&self, ms: u64, event: E) {
        let mut events = self.events();
        events.count += 1;
        let place = (ms, events.count);
        events.list.insert(place, event);
        self.shared.sooner.notify_one();
    }

    /// `event` is to happen after a time.
    pub fn after(&self, ms: u64, event: E) {
        self.at(self.time.now() + ms, event);
    }

    fn first(&self) -> Option<u64> {
        self.events().list.keys().next().map(|(at, _)| *at)
    }

    /// Waits for the next event, which is never before `until`'s end: then there is none.
    pub async fn next(&self, until: u64) -> Option<E> {
        loop {
            let at = self.first().unwrap_or(u64::MAX).min(until);
            if at <= self.time.now() {
                let mut events = self.events();
                let due = events
                    .list
                    .first_entry()
                    .filter(|first| first.key().0 <= self.time.now());
                return due.map(std::collections::btree_map::OccupiedEntry::remove);
            }
            tokio::select! {
                biased;
                () = self.shared.sooner.notified() => {}
                () = tokio::time::sleep_until(self.time.at(at)) => {}
            }
        }
    }
}
