//! Somebody's browser freezes while the other person of the room goes on talking. The server must not keep it all, must let
//! go of the line, and the others must not notice.

use super::{JOIN, SETTLE, talk};
use crate::{
    cli,
    figures::Figures,
    load::{
        crowd::Crowd,
        ledger::Totals,
        message::{Form, Kind},
        person::{Command, Seated},
        schedule::{Pace, Schedule},
    },
    machine::{allow_sockets, is_open, resident_kb},
};
use anyhow::{Context, Result};
use heliograph_protocol::Resumed;
use std::time::Duration;
use tokio::time::{Instant, interval, sleep, timeout};

/// The frozen machine's kernel takes little, so that the server's side is what fills up.
const RECEIVE_BUFFER: u32 = 64 * 1_024;
const LOOK: Duration = Duration::from_millis(50);

pub async fn run(options: &cli::Stalled) -> Result<Figures> {
    let common = &options.common;
    common.own_server()?;
    let mut figures = Figures::new("stalled", common.seconds);
    allow_sockets(options.sockets)?;

    let clinic = common.clinic().await?;
    let pid = clinic.pid.context("a server of our own has a process")?;
    let rooms = clinic.rooms(usize::try_from(options.sockets / 2)?).await?;
    let (frozen_room, others_rooms) = rooms.split_first().context("no room")?;
    let mut others = Crowd::new(&options.talk.message.form()?, true)?;
    others.fill(others_rooms, |_, number| clinic.door(number), JOIN).await?;
    let stalled_form = Form::new(Kind::Sdp, usize::try_from(options.its_bytes)?);
    let mut pair = Crowd::new(&stalled_form, true)?;
    let mut small = clinic.door(0);
    small.receive_buffer = Some(RECEIVE_BUFFER);
    pair.pair(frozen_room, [clinic.door(0), small], [None, None])?;
    pair.seated(1, JOIN).await?;

    // The same talk before, in which nobody stalls: once until logs have their length, once for what memory does by itself.
    // Logs grow and are cut every few seconds, so it is the highest points of two talks that are compared.
    let to_stalled = to_second(&pair, options.its_rate);
    let calm = others.talk(options.talk.rate);
    sleep(common.time()).await;
    let quiet = watch(pid, common.time(), || Ok(false)).await?;
    calm.end();

    let frozen = &pair.talkers[1];
    let Seated { times, local, .. } = *frozen.seated.borrow();
    let local = local.context("a seat has a line")?;
    frozen.voice.tell(Command::Freeze);
    let (memory, talked) = tokio::try_join!(
        watch(pid, common.time(), || Ok(!is_open(clinic.address, local)?)),
        talk(&others, clinic.pid, options.talk.rate, Duration::ZERO, common.time())
    )?;
    to_stalled.end();

    // It thaws, and comes back if it was let go.
    frozen.voice.tell(Command::Thaw);
    let mut seated = frozen.seated.clone();
    let resumed = match memory.done {
        Some(_) => timeout(JOIN, seated.wait_for(|seated| seated.times > times))
            .await
            .ok()
            .and_then(Result::ok)
            .and_then(|seated| seated.resumed),
        None => None,
    };
    // What a resync left out never comes.
    let patience = if resumed == Some(Resumed::Resync) {
        SETTLE / 6
    } else {
        SETTLE
    };
    let (mut totals, of_pair) = tokio::join!(others.settle(SETTLE), pair.settle(patience));
    // Beyond the kept tail of the log the client is told so: that is no loss.
    let excused = if resumed == Some(Resumed::Resync) {
        of_pair.lost
    } else {
        0
    };
    totals += Totals {
        lost: of_pair.lost - excused,
        ..of_pair
    };

    figures.count(totals);
    figures.sockets = Some(options.sockets);
    figures.p50_ms = others.ledger.latency_ms(50.0);
    figures.p99_ms = others.ledger.latency_ms(99.0);
    figures.more("rate", options.talk.rate);
    figures.more("stalled_rate", options.its_rate);
    figures.more("stalled_bytes", options.its_bytes);
    figures.cpu_us_per_message = talked.spent.micros_per(talked.delivered);
    figures.generator(talked.spent);
    let above = |peak_kb: u64| peak_kb.saturating_sub(quiet.peak_kb);
    figures.more("rss_calm_kb", quiet.peak_kb);
    figures.more("rss_stalled_kb", memory.peak_kb);
    figures.more("rss_growth_kb", above(memory.peak_kb));
    let (closed, at_close) = memory.done.unzip();
    figures.more("closed_after_s", closed.map(|after| after.as_secs_f64()));
    figures.more("rss_growth_at_close_kb", at_close.map(above));
    figures.more("stalled_resumed", resumed.map(|resumed| serde_json::json!(resumed)));
    figures.more("stalled_sent", of_pair.sent);
    figures.more("stalled_delivered", of_pair.delivered);
    figures.more("stalled_left_out", excused);
    Ok(figures)
}

/// The first of two talks to the second.
fn to_second(pair: &Crowd, per_second: u64) -> Pace {
    let first = pair.talkers[0].voice.clone();
    Pace::keep(Schedule { per_second }, pair.ledger.began(), move |_, due| {
        first.say(due);
    })
}

/// What memory did in a time.
struct Memory {
    /// Its highest point.
    peak_kb: u64,
    /// When something was done, and the highest point until then.
    done: Option<(Duration, u64)>,
}

async fn watch(pid: u32, time: Duration, is_done: impl Fn() -> Result<bool>) -> Result<Memory> {
    let began = Instant::now();
    let (mut peak_kb, mut done, mut look) = (0, None, interval(LOOK));
    while began.elapsed() < time {
        look.tick().await;
        peak_kb = peak_kb.max(resident_kb(pid)?);
        if done.is_none() && is_done()? {
            done = Some((began.elapsed(), peak_kb));
        }
    }
    Ok(Memory { peak_kb, done })
}
