//! One suite for every log. A backend is a log with a clock that the test sets.

mod mending;
mod restart;
mod suite;

use heliograph_domain::{UnixMillis, clock::Clock};
use heliograph_roomlog::{Fsync, Journal, Leases, Memory, RoomLog};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

const LEASES: Leases = Leases {
    beat_ms: 5_000,
    lease_ms: 15_000,
    reconnecting_ms: 45_000,
};

/// A clock that stands still until it is set.
#[derive(Default)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::Relaxed))
    }
}

/// A log under test.
struct Backend {
    log: Box<dyn RoomLog>,
    clock: Arc<Hands>,
    _folder: Option<tempfile::TempDir>,
}

impl Backend {
    fn set(&self, ms: i64) {
        self.clock.0.store(ms, Ordering::Relaxed);
    }
}

fn memory() -> Backend {
    let clock = Arc::new(Hands::default());
    clock.0.store(1_000, Ordering::Relaxed);
    Backend {
        log: Box::new(Memory::new(Arc::clone(&clock) as Arc<dyn Clock>, LEASES)),
        clock,
        _folder: None,
    }
}

fn journalled() -> Backend {
    let clock = Arc::new(Hands::default());
    clock.0.store(1_000, Ordering::Relaxed);
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(folder.path(), Fsync::Never).unwrap();
    let journal = Arc::new(journal);
    Backend {
        log: Box::new(Memory::journalled(
            Arc::clone(&clock) as Arc<dyn Clock>,
            LEASES,
            journal,
        )),
        clock,
        _folder: Some(folder),
    }
}

macro_rules! conformance {
    ($($suite:ident::$name:ident),+ $(,)?) => {
        mod on_memory {
            $(
                #[tokio::test]
                async fn $name() {
                    crate::$suite::$name(&crate::memory()).await;
                }
            )+
        }
        mod on_a_journal {
            $(
                #[tokio::test]
                async fn $name() {
                    crate::$suite::$name(&crate::journalled()).await;
                }
            )+
        }
    };
}

conformance!(
    suite::entries_are_numbered_and_chained,
    suite::a_number_is_taken_once_and_none_is_skipped,
    suite::two_nodes_that_open_a_log_at_once_get_one_first_entry,
    suite::only_the_connection_that_has_the_seat_may_append,
    suite::a_claim_is_idempotent_and_an_older_attempt_is_stale,
    suite::another_page_needs_the_persons_word_to_take_a_seat,
    suite::a_reloaded_page_takes_its_own_seat_and_sends_its_leftovers_first,
    suite::a_ticket_is_used_once_and_a_refused_claim_uses_none,
    suite::leases_run_out_in_two_steps,
    suite::an_outage_makes_nobody_leave,
    suite::a_deadline_becomes_one_entry,
    suite::whoever_says_bye_frees_the_seat,
    suite::a_node_that_shows_a_page_out_frees_its_seat,
    suite::a_snapshot_trims_the_log_and_nothing_else_changes,
    suite::a_foreign_mark_is_told,
    suite::subscribers_get_every_entry_in_order,
    suite::rooms_do_not_mix,
    suite::a_forgotten_room_leaves_nothing,
    suite::the_clock_never_runs_back_in_a_log,
    mending::a_log_is_replaced_only_if_it_did_not_change,
    mending::a_node_may_append_for_a_page_when_it_repairs,
);
