//! Thousands of histories, each of its own seed.

use heliograph_simulation::{Branches, Outcome, REQUIRED, run};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
}

fn history(seed: u64, branches: &Branches, print: bool) -> Outcome {
    run(&runtime(), seed, branches, print)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// `SEED=123 cargo test -p heliograph-simulation --test histories -- one_history --nocapture` tells one history.
#[test]
fn one_history() {
    let seed = number("SEED");
    let outcome = history(seed.unwrap_or(1), &Branches::default(), seed.is_some());
    println!("{outcome:?}");
    assert_eq!(outcome.violation, None);
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..20 {
        let twice = [0; 2].map(|_| history(seed, &Branches::default(), false));
        assert_eq!(twice[0], twice[1], "seed {seed}");
    }
}

/// `HISTORIES` and `FROM` choose other seeds.
#[test]
fn no_fault_loses_doubles_or_reorders_a_message() {
    let (from, count) = (number("FROM").unwrap_or(0), number("HISTORIES").unwrap_or(10_000));
    let (next, events) = (AtomicU64::new(from), AtomicU64::new(0));
    let violations = Mutex::new(Vec::new());
    let (branches, begun) = (Branches::default(), Instant::now());
    let live = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + count {
                return;
            }
            let outcome = history(seed, &branches, false);
            events.fetch_add(outcome.events, Ordering::Relaxed);
            if let Some(violation) = outcome.violation {
                violations.lock().unwrap().push((seed, violation));
            }
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(live);
        threads.spawn(live);
    });
    let counts = branches.all();
    for (branch, times) in &counts {
        println!("{branch:<24} {times}");
    }
    println!(
        "{count} histories, {} events, {:.1?}",
        events.into_inner(),
        begun.elapsed()
    );
    let mut violations = violations.into_inner().unwrap();
    violations.sort();
    for (seed, violation) in violations.iter().take(20) {
        println!("seed {seed}: {violation}");
        println!("  SEED={seed} cargo test -p heliograph-simulation --test histories -- one_history --nocapture");
    }
    assert!(
        violations.is_empty(),
        "{} of {count} histories broke a promise",
        violations.len()
    );
    let never: Vec<_> = REQUIRED
        .iter()
        .filter(|branch| !counts.contains_key(**branch))
        .collect();
    assert!(count < 1_000 || never.is_empty(), "no history came to {never:?}");
}
