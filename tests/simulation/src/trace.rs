//! What happened in a history, in order: a hash that two runs of a seed share, and the text for whoever reads it.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// One history's trace; clones share it.
#[derive(Clone)]
pub struct Trace(Arc<Mutex<Lines>>);

struct Lines {
    hash: DefaultHasher,
    count: u64,
    print: bool,
}

impl Trace {
    pub fn new(print: bool) -> Trace {
        Trace(Arc::new(Mutex::new(Lines {
            hash: DefaultHasher::new(),
            count: 0,
            print,
        })))
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an event; `detail` is hashed whole and printed as `what` says.
    pub fn note(&self, now: u64, detail: &str, what: fmt::Arguments<'_>) {
        let mut lines = self.lines();
        lines.count += 1;
        now.hash(&mut lines.hash);
        detail.hash(&mut lines.hash);
        if lines.print {
            println!("{now:>8} {what}");
        }
    }

    pub fn prints(&self) -> bool {
        self.lines().print
    }

    /// Events so far, and their hash.
    pub fn sum(&self) -> (u64, u64) {
        let lines = self.lines();
        (lines.count, lines.hash.finish())
    }
}
