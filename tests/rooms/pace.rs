//! Who sends too fast is read later, and who does not read is let go: nobody else notices.

use futures::{Sink, channel::mpsc};
use heliograph_domain::ParticipantId;
use heliograph_protocol::{ClientMessage, CloseCode, Limits, ServerMessage, Timers};
use heliograph_signaling::{Gone, Incoming, Outgoing, Settings};
use heliograph_tests::stage::{Stage, host, patient};
use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

/// Five messages at once, then ten a second.
fn slow() -> Stage {
    Stage::with_limits(Limits {
        burst: 5,
        messages_per_s: 10,
        ..Limits::default()
    })
}

fn within(time: Duration, from_ms: u64, to_ms: u64) {
    let range = Duration::from_millis(from_ms)..=Duration::from_millis(to_ms);
    assert!(range.contains(&time), "{time:?}, expected {range:?}");
}

#[tokio::test(start_paused = true)]
async fn what_comes_too_fast_is_read_later_and_lost_never() {
    let stage = slow();
    let (mut hosts, mut host_line) = stage.comes(host()).await;
    let (mut page, mut line) = stage.comes(patient()).await;
    let began = Instant::now();
    for _ in 0..25 {
        line.say(page.write(ClientMessage::Nop {}));
    }
    host_line.say(hosts.write(ClientMessage::Nop {}));
    host_line.acknowledged(&mut hosts).await;
    within(began.elapsed(), 0, 50);
    line.acknowledged(&mut page).await;
    // The hello was no message: five are free, and twenty have a tenth of a second each.
    within(began.elapsed(), 1_900, 2_100);
}

#[tokio::test(start_paused = true)]
async fn what_is_said_again_costs_nothing_until_it_is_too_much() {
    let stage = slow();
    let (mut page, mut line) = stage.comes(patient()).await;
    let said = page.write(ClientMessage::Nop {});
    line.say(said.clone());
    line.acknowledged(&mut page).await;
    tokio::time::sleep(Duration::from_secs(1)).await;

    let mut repeat = async |times: u32| {
        let began = Instant::now();
        for _ in 0..times {
            line.say(said.clone());
            line.until(&mut page, |message| matches!(message, ServerMessage::Ack { .. }))
                .await;
        }
        began.elapsed()
    };
    within(repeat(332).await, 0, 1_000);
    within(repeat(30).await, 2_000, 3_100);
}

/// A line that takes some frames and then nothing, and notes what it was given.
pub struct Stuck {
    takes: usize,
    given: Arc<Mutex<Vec<Outgoing>>>,
}

impl Stuck {
    pub fn new(takes: usize) -> Stuck {
        let given = Arc::default();
        Stuck { takes, given }
    }
}

impl Sink<Outgoing> for Stuck {
    type Error = Gone;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, frame: Outgoing) -> Result<(), Gone> {
        self.given.lock().unwrap().push(frame);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        if self.given.lock().unwrap().len() <= self.takes {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }
}

/// Somebody comes by such a line: how long it lives, and the code by which it is closed.
pub async fn let_go(stage: &Stage, seat: ParticipantId, line: Stuck) -> (Duration, Option<CloseCode>) {
    let (say, incoming) = mpsc::unbounded();
    let given = Arc::clone(&line.given);
    let hello = stage.page(seat).hello(Some(stage.ticket(seat)), None);
    say.unbounded_send(Incoming::Text(hello)).unwrap();
    let began = Instant::now();
    stage.rooms.serve(incoming, line, "test".to_owned(), || None).await;
    let last = given.lock().unwrap().pop();
    let code = match last {
        Some(Outgoing::Close(code)) => Some(code),
        Some(Outgoing::Text(_) | Outgoing::Ping) | None => None,
    };
    (began.elapsed(), code)
}

#[tokio::test(start_paused = true)]
async fn a_line_that_takes_nothing_is_let_go_even_if_little_waits() {
    let stage = Stage::new(Settings::default());
    let (lived, code) = let_go(&stage, patient(), Stuck::new(0)).await;
    let stall = Timers::default().write_stall_ms;
    within(lived, stall, stall + 100);
    assert_eq!(code, Some(CloseCode::Slow));
}
