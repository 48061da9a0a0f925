//! Everything that a history leaves to chance comes from one seed.

use heliograph_domain::clock::Entropy;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::{
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A seeded generator; its clones share one stream.
#[derive(Clone)]
pub struct Chance(Arc<Mutex<ChaCha8Rng>>);

impl Chance {
    pub fn new(seed: u64, stream: u64) -> Chance {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Chance(Arc::new(Mutex::new(generator)))
    }

    fn generator(&self) -> MutexGuard<'_, ChaCha8Rng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn number(&self) -> u64 {
        self.generator().next_u64()
    }

    /// A number of a range that is not empty.
    pub fn of(&self, range: Range<u64>) -> u64 {
        range.start + self.number() % (range.end - range.start)
    }

    pub fn index(&self, len: usize) -> usize {
        usize::try_from(self.number() % len as u64).unwrap_or(0)
    }

    /// True so many times in a thousand.
    pub fn permille(&self, times: u32) -> bool {
        self.number() % 1000 < u64::from(times)
    }

    pub fn pick<'a, T>(&self, list: &'a [T]) -> Option<&'a T> {
        (!list.is_empty()).then(|| &list[self.index(list.len())])
    }

    /// One of the list, by its weights.
    pub fn weighted<T: Copy>(&self, list: &[(u32, T)]) -> T {
        let sum: u64 = list.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let mut rest = self.number() % sum.max(1);
        for (weight, one) in list {
            match rest.checked_sub(u64::from(*weight)) {
                Some(left) => rest = left,
                None => return *one,
            }
        }
        list[0].1
    }

    /// A name of a page life.
    pub fn name(&self) -> String {
        format!("{:016x}", self.number())
    }
}

impl Entropy for Chance {
    fn fill(&self, buffer: &mut [u8]) {
        self.generator().fill_bytes(buffer);
    }
}
