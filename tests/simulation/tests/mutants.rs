//! Every check that is taken out of the real code is missed by some promise within a number of histories.

use heliograph_domain::mutant::{Check, without};
use heliograph_simulation::{Branches, run};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::runtime::Builder;

/// Histories in which a missing check must be noticed.
const MOST: u64 = 3_000;

/// The first history that breaks a promise without a check, and what broke.
fn noticed(check: Check) -> Option<(u64, String)> {
    (0..MOST).find_map(|seed| {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let outcome = without(Some(check), || run(&runtime, seed, &Branches::default(), false));
        outcome.violation.map(|violation| (seed, violation))
    })
}

#[test]
fn every_check_is_needed() {
    let (next, begun) = (AtomicUsize::new(0), Instant::now());
    let missed = Mutex::new(Vec::new());
    let watch = || {
        while let Some(check) = Check::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
            let begun: (Instant, Option<Duration>) = (Instant::now(), None);
            match noticed(*check) {
                Some((seed, violation)) => {
                    let first = violation.lines().next().unwrap_or_default();
                    println!(
                        "{check:?} is missed in history {} ({:.1?}): {first:.160}",
                        seed + 1,
                        begun.0.elapsed()
                    );
                }
                None => missed.lock().unwrap().push(*check),
            }
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(watch);
        threads.spawn(watch);
    });
    println!("{} checks, {:.1?}", Check::ALL.len(), begun.elapsed());
    let missed = missed.into_inner().unwrap();
    assert!(
        missed.is_empty(),
        "nobody noticed within {MOST} histories that these were gone: {missed:?}"
    );
}
