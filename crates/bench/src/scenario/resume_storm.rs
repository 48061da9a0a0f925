//! The server is killed while everybody talks, and started again on the same port and folder. Everybody comes back by the
//! client's own rules, its waits between attempts included, and nothing may be missing.
//!
//! Right before each kill the server is stopped where it stands (SIGSTOP) and everybody sends some more: these messages
//! are surely not acknowledged when it dies.

use super::{JOIN, SETTLE, millis};
use crate::{
    cli,
    figures::Figures,
    load::{
        crowd::Crowd,
        ledger::{histogram, quantile_ms},
    },
    machine::{Meter, allow_sockets},
};
use anyhow::Result;
use heliograph_protocol::Resumed;
use std::{sync::atomic::Ordering, time::Duration};
use tokio::time::{Instant, sleep, timeout_at};

/// Messages that everybody has unacknowledged at a kill, at least.
const OPEN: u64 = 5;
/// They are written by then.
const WRITE: Duration = Duration::from_millis(200);

/// How everybody came back.
#[derive(Default)]
struct Back {
    full: u64,
    resync: u64,
    new: u64,
}

pub async fn run(options: &cli::ResumeStorm) -> Result<Figures> {
    let common = &options.common;
    common.own_server()?;
    let mut figures = Figures::new("resume-storm", common.seconds);
    allow_sockets(options.sockets)?;

    let mut clinic = common.clinic().await?;
    let rooms = clinic.rooms(usize::try_from(options.sockets / 2)?).await?;
    let mut crowd = Crowd::new(&options.talk.message.form()?, true)?;
    crowd.fill(&rooms, |_, number| clinic.door(number), JOIN).await?;

    let (mut times, mut back, mut restart) = (histogram()?, Back::default(), Duration::ZERO);
    let (mut open, mut away, mut last) = (u64::MAX, 0_u64, Duration::ZERO);
    let pace = crowd.talk(options.talk.rate);
    for _ in 0..options.kills {
        sleep(common.time()).await;
        clinic.freeze().await?;
        for _ in 0..OPEN {
            crowd.all_say();
        }
        sleep(WRITE).await;
        open = open.min(crowd.talkers.iter().map(|one| one.voice.open()).min().unwrap_or(0));
        let before: Vec<_> = crowd.talkers.iter().map(|one| one.seated.borrow().times).collect();
        let killed = crowd.ledger.now();
        let listening = clinic.kill_and_restart().await?.duration_since(crowd.ledger.began());
        restart = restart.max(listening.saturating_sub(killed));
        let deadline = Instant::now() + JOIN;
        let meter = Meter::start(None)?;
        for (one, before) in crowd.talkers.iter().zip(before) {
            let mut seated = one.seated.clone();
            let came = timeout_at(deadline, seated.wait_for(|seated| seated.times > before)).await;
            let Some(seated) = came.ok().and_then(Result::ok) else {
                away += 1;
                times.saturating_record(u64::try_from(JOIN.as_micros())?);
                continue;
            };
            let waited = seated.at.saturating_sub(killed);
            times.saturating_record(u64::try_from(waited.as_micros())?.max(1));
            last = last.max(waited);
            match seated.resumed {
                Some(Resumed::Full) => back.full += 1,
                Some(Resumed::Resync) => back.resync += 1,
                Some(Resumed::New) => back.new += 1,
                None => {}
            }
        }
        figures.generator(meter.stop()?);
    }
    sleep(common.time()).await;
    pace.end();
    let totals = crowd.settle(SETTLE).await;

    figures.count(totals);
    figures.sockets = Some(crowd.sockets() as u64);
    figures.p50_ms = quantile_ms(&times, 50.0);
    figures.p99_ms = quantile_ms(&times, 99.0);
    figures.more("p95_ms", quantile_ms(&times, 95.0));
    figures.more("all_back_ms", millis(last));
    figures.more("kills", options.kills);
    figures.more("restart_ms", millis(restart));
    figures.more("unacknowledged_at_kill", open);
    figures.more("not_back", away);
    figures.more("resumed_full", back.full);
    figures.more("resumed_resync", back.resync);
    figures.more("resumed_new", back.new);
    figures.more("rate", options.talk.rate);
    figures.more("refused", crowd.ledger.refused.load(Ordering::Relaxed));
    figures.more("stopped", serde_json::json!(crowd.ledger.stops()));
    Ok(figures)
}
