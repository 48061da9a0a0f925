//! Every check that is taken out of the real code is missed by some promise within a number of histories.
#![cfg(feature = "mutants")]

use heliograph_domain::mutant::{Check, without};
use heliograph_simulation::{Branches, run};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};
use tokio::runtime::Builder;

/// Histories in which a missing check must be noticed.
const MOST: u64 = 3_000;

fn broken(seed: u64, check: Option<Check>) -> Option<String> {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    without(check, || run(&runtime, seed, &Branches::default(), false)).violation
}

/// The first history that breaks a promise without a check, and keeps all with it; and what broke.
fn noticed(check: Check) -> Option<(u64, String)> {
    let missed = |seed| Some((seed, broken(seed, Some(check))?));
    (0..MOST)
        .filter_map(missed)
        .find(|(seed, _)| broken(*seed, None).is_none())
}

#[test]
fn every_check_is_needed() {
    let (next, begun) = (AtomicUsize::new(0), Instant::now());
    let unnoticed = Mutex::new(Vec::new());
    let watch = || {
        while let Some(check) = Check::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
            match noticed(*check) {
                Some((seed, violation)) => {
                    let first = violation.lines().next().unwrap_or_default();
                    println!("{check:?} is missed in history {}: {first:.160}", seed + 1);
                }
                None => unnoticed.lock().unwrap().push(*check),
            }
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(watch);
        threads.spawn(watch);
    });
    println!("{} checks, {:.1?}", Check::ALL.len(), begun.elapsed());
    let unnoticed = unnoticed.into_inner().unwrap();
    assert!(
        unnoticed.is_empty(),
        "nobody noticed within {MOST} histories that these were gone: {unnoticed:?}"
    );
}
