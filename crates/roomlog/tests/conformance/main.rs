//! One suite for every log. A backend is a log with a clock that the test sets.

mod suite;

use heliograph_domain::{UnixMillis, clock::Clock};
use heliograph_roomlog::{Leases, Memory, RoomLog};
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
    }
}

macro_rules! conformance {
    ($($name:ident),+ $(,)?) => {
        mod on_memory {
            $(
                #[tokio::test]
                async fn $name() {
                    crate::suite::$name(&crate::memory()).await;
                }
            )+
        }
    };
}

conformance!(
    entries_are_numbered_and_chained,
    a_number_is_taken_once_and_none_is_skipped,
    two_nodes_that_open_a_log_at_once_get_one_first_entry,
    only_the_connection_that_has_the_seat_may_append,
    a_claim_is_idempotent_and_an_older_attempt_is_stale,
    another_page_needs_the_persons_word_to_take_a_seat,
    a_reloaded_page_takes_its_own_seat_and_sends_its_leftovers_first,
    a_ticket_is_used_once_and_a_refused_claim_uses_none,
    leases_run_out_in_two_steps,
    an_outage_makes_nobody_leave,
    a_deadline_becomes_one_entry,
    whoever_says_bye_frees_the_seat,
    a_node_that_shows_a_page_out_frees_its_seat,
    a_snapshot_trims_the_log_and_nothing_else_changes,
    a_foreign_mark_is_told,
    subscribers_get_every_entry_in_order,
    rooms_do_not_mix,
    a_forgotten_room_leaves_nothing,
    the_clock_never_runs_back_in_a_log,
);
