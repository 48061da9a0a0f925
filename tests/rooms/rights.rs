//! How long people may come and stay.

use heliograph_domain::{ParticipantId, UnixMillis};
use heliograph_protocol::{ClientMessage, CloseCode, ErrorCode, NoticeKind, ServerMessage};
use heliograph_room::Notice;
use heliograph_tests::stage::{START, Stage, carer, host, patient};
use std::time::Duration;
use tokio::time::sleep;

const MINUTE: i64 = 60_000;

/// The time in which people may come is over in ten minutes.
fn stage() -> Stage {
    let stage = Stage::patient_with_lines();
    *stage.booking.time.lock().unwrap() = UnixMillis(0)..START.plus(10 * MINUTE);
    stage
}

async fn minutes(minutes: u64) {
    sleep(Duration::from_mins(minutes)).await;
}

/// Whoever comes now is too late.
async fn is_late(stage: &Stage, seat: ParticipantId) {
    let mut page = stage.page(seat);
    let mut socket = stage.open();
    socket.say(page.hello(Some(stage.ticket(seat)), None));
    let expired = (vec![ErrorCode::TooLate], Some(CloseCode::Expired));
    assert_eq!(socket.closed().await, expired);
}

fn shown_out() -> (Vec<ErrorCode>, Option<CloseCode>) {
    (Vec::new(), Some(CloseCode::Expired))
}

#[tokio::test(start_paused = true)]
async fn a_visit_that_runs_over_keeps_who_waits_and_lets_people_in_while_somebody_is_there() {
    let stage = stage();
    let (mut hosts, host_line) = stage.comes(host()).await;
    let (mut page, line) = stage.comes(patient()).await;
    let (_, mut carer_line) = stage.comes(carer()).await;
    minutes(12).await;

    // A notice makes the room ask the store about everybody: only the one whose link was replaced goes.
    stage.booking.replaced.lock().unwrap().insert(carer(), 1);
    let notice = Notice {
        kind: NoticeKind::Revoked,
        start_ms: None,
        minutes: None,
        participant: Some(carer()),
    };
    stage.rooms.tell(&stage.key(), "row", notice).await.unwrap();
    assert_eq!(carer_line.closed().await, shown_out());

    // A page that lost its line comes back by its secret.
    line.end().await;
    let mut line = stage.open();
    line.say(page.hello(None, None));
    line.until(&mut page, |message| matches!(message, ServerMessage::Welcome { .. }))
        .await;
    minutes(2).await;

    host_line.say(hosts.write(ClientMessage::Bye {}));
    assert_eq!(line.closed().await, shown_out(), "nobody is there any more");
    is_late(&stage, patient()).await;
}

#[tokio::test(start_paused = true)]
async fn an_extended_visit_lets_people_in_for_so_much_longer() {
    let stage = stage();
    let (mut page, mut line) = stage.comes(host()).await;
    line.say(page.write(ClientMessage::Extend { minutes: 15 }));
    line.acknowledged(&mut page).await;
    line.say(page.write(ClientMessage::Bye {}));
    line.acknowledged(&mut page).await;
    line.end().await;

    minutes(20).await;
    let (_, mut line) = stage.comes(patient()).await;
    assert_eq!(
        line.closed_within(Duration::from_mins(1)).await,
        None,
        "a beat does not show them out"
    );
    minutes(6).await;
    assert_eq!(line.closed().await, shown_out());
    is_late(&stage, patient()).await;
}

#[tokio::test(start_paused = true)]
async fn a_room_whose_time_is_over_is_forgotten() {
    let stage = stage();
    let (mut page, mut line) = stage.comes(host()).await;
    line.say(page.write(ClientMessage::Bye {}));
    line.acknowledged(&mut page).await;
    line.end().await;
    minutes(9).await;
    assert_eq!(stage.rooms.hosted(), 1);
    minutes(3).await;
    assert_eq!(stage.rooms.hosted(), 0);
    is_late(&stage, host()).await;
}
