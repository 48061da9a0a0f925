//! Thousands of histories, each of its own seed.

use heliograph_simulation::{Branches, Outcome, run};
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

fn history(seed: u64, branches: &Branches, print: bool) -> Outcome {
    run(&runtime(), seed, branches, print)
}

#[test]
fn one_history() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
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

#[test]
fn no_fault_loses_doubles_or_reorders_a_message() {
    let count: u64 = std::env::var("HISTORIES").ok().and_then(|count| count.parse().ok()).unwrap_or(1_000);
    let branches = Branches::default();
    let begun = std::time::Instant::now();
    let mut failed = Vec::new();
    for seed in 0..count {
        let outcome = history(seed, &branches, false);
        if let Some(violation) = outcome.violation {
            failed.push((seed, violation));
        }
    }
    for (branch, times) in branches.all() {
        println!("{branch:<24} {times}");
    }
    println!("{count} histories in {:?}", begun.elapsed());
    for (seed, violation) in failed.iter().take(40) {
        println!("SEED={seed}: {:.300}", violation);
    }
    assert!(failed.is_empty(), "{} of {count}", failed.len());
}
