//! One suite for both engines: a temporary SQLite file, and a PostgreSQL of our own.

mod bookings;
mod changes;
mod clinic;
mod records;

use clinic::Clinic;
use heliograph_store::{Engine, Store, StoreError, file_url};
use heliograph_testkit::postgres::Postgres;

/// Names every case twice: once for SQLite, each in a file of its own, and once in the list that PostgreSQL runs.
macro_rules! suite {
    ($($part:ident::$case:ident)*) => {
        mod sqlite {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    let folder = tempfile::tempdir().unwrap();
                    let url = file_url(&folder.path().join("a # strange % path? of clinics.db"));
                    let store = Store::open(&url).await.unwrap();
                    store.migrate().await.unwrap();
                    store.close().await;
                    $part::$case(&Clinic::open(&url).await).await;
                }
            )*
        }

        /// One server, a schema for each case.
        #[tokio::test(flavor = "multi_thread")]
        async fn postgres() {
            let server = Postgres::start().await.unwrap();
            $({
                eprintln!("case {}", stringify!($case));
                let clinic = on_postgres(&server, stringify!($case)).await;
                assert_eq!(clinic.store.engine(), Engine::Postgres);
                $part::$case(&clinic).await;
                clinic.close().await;
            })*
        }
    };
}

suite! {
    bookings::two_hundred_overlapping_bookings_leave_exactly_one
    bookings::visits_stand_back_to_back
    bookings::a_lost_race_leaves_nothing_behind
    bookings::swapping_people_never_deadlocks
    bookings::an_expired_hold_gives_way_and_a_living_one_does_not
    bookings::a_repeated_request_gets_the_stored_answer
    bookings::a_visit_reads_back_as_it_was_booked
    bookings::a_booking_writes_its_outbox_and_audit_rows
    records::other_institutions_see_nothing
    bookings::a_human_is_not_booked_twice_by_two_institutions
    bookings::an_older_time_zone_database_may_not_book
    records::the_first_device_is_bound_and_a_newer_link_starts_anew
    records::a_session_lasts_until_it_expires_or_is_ended
    records::a_fact_counts_once_and_keeps_the_order_of_the_log
    records::what_is_there_stays_when_it_is_put_again
    records::the_audit_cannot_be_changed
    records::a_broken_row_names_its_place
    bookings::a_calendar_sees_what_reaches_into_its_window
    changes::a_cancelled_visit_gives_its_time_back_and_leaves_its_rows
    changes::only_the_version_that_was_seen_is_cancelled
    changes::a_link_is_revoked_once_for_each_generation
    changes::a_page_only_goes_forward
    changes::rows_for_rooms_wait_until_they_are_done
    changes::ends_are_read_by_visit_and_in_order
    changes::other_institutions_change_nothing
    records::the_database_answers_and_has_its_schema
}

/// Migrated by the owner, used by a role that owns nothing, as in production.
async fn on_postgres(server: &Postgres, schema: &str) -> Clinic {
    let (owner, role) = (server.owner_url(), server.url());
    for statement in [
        "CREATE EXTENSION IF NOT EXISTS btree_gist".to_owned(),
        format!("CREATE SCHEMA {schema}"),
        format!("GRANT USAGE ON SCHEMA {schema} TO heliograph"),
    ] {
        server.query(&owner, &statement).await.unwrap();
    }
    let within = |url: String| format!("{url}?options=-c%20search_path%3D{schema}%2Cpublic");
    let migrator = Store::open(&within(owner)).await.unwrap();
    migrator.migrate().await.unwrap();
    migrator.close().await;
    Clinic::open(&within(role)).await
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let url = file_url(&folder.path().join("heliograph.db"));
    let store = Store::open(&url).await.unwrap();
    assert!(store.pending_migrations().await.unwrap() > 0);
    store.migrate().await.unwrap();
    store.raise_tzdb("2026f").await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(store.pending_migrations().await.unwrap(), 0);
    assert_eq!(store.tzdb().await.unwrap().as_deref(), Some("2026f"));
}

#[tokio::test]
async fn a_folder_that_is_missing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let url = file_url(&folder.path().join("missing/heliograph.db"));
    assert!(matches!(Store::open(&url).await, Err(StoreError::Away(_))));
}

#[tokio::test]
async fn an_address_that_makes_no_sense_is_refused() {
    let refused = Store::open("mysql://localhost/x").await.unwrap_err();
    assert!(refused.to_string().contains("expected sqlite:"), "{refused}");
}
