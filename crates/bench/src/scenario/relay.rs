//! One person sends, the other gets it: processor time and latency of a message, at a pace that does not wait for the
//! server, and the same at the baseline.

use super::{JOIN, SETTLE, at_baseline, float, talk};
use crate::{
    baseline::Baseline,
    cli,
    figures::Figures,
    load::crowd::Crowd,
    machine::{Meter, allow_sockets, most_sockets},
};
use anyhow::Result;
use std::{sync::atomic::Ordering, time::Duration};
use tokio::time::sleep;

/// Long enough for each room's turn of what it does every five seconds.
const IDLE: Duration = Duration::from_secs(10);

pub async fn run(options: &cli::Relay) -> Result<Figures> {
    let common = &options.common;
    let form = options.talk.message.form()?;
    let mut figures = Figures::new("relay", common.seconds);
    let pairs = pairs(options.rooms, most_sockets());
    allow_sockets(options.rooms + pairs)?;

    let clinic = common.clinic().await?;
    let rooms = clinic.rooms(usize::try_from(options.rooms)?).await?;
    let (twos, ones) = rooms.split_at(usize::try_from(pairs)?);
    let mut crowd = Crowd::new(&form, true)?;
    crowd.fill(twos, |_, number| clinic.door(number), JOIN).await?;
    crowd.visit(ones, &clinic, JOIN).await?;

    let meter = Meter::start(clinic.pid)?;
    sleep(common.time().min(IDLE)).await;
    let idle = meter.stop()?;
    let talked = talk(&crowd, clinic.pid, options.talk.rate, common.warm_up(), common.time()).await?;
    let totals = crowd.settle(SETTLE).await;

    figures.count(totals);
    figures.sockets = Some(crowd.sockets() as u64);
    figures.cpu_us_per_message = talked.spent.micros_per(talked.delivered);
    figures.p50_ms = crowd.ledger.latency_ms(50.0);
    figures.p99_ms = crowd.ledger.latency_ms(99.0);
    figures.generator(talked.spent);
    figures.more("rate", options.talk.rate);
    figures.more("rooms", options.rooms);
    figures.more("rooms_with_two", pairs);
    figures.more("ack_frames", crowd.ledger.ack_frames.load(Ordering::Relaxed));
    figures.more("refused", crowd.ledger.refused.load(Ordering::Relaxed));
    let idle_cores = idle.server_cores();
    figures.more(
        "idle_cpu_us_per_room_s",
        idle_cores.map(|cores| cores * 1e6 / float(options.rooms)),
    );
    // What open rooms cost by themselves grows with their number and not with the messages.
    let net = figures
        .cpu_us_per_message
        .zip(idle_cores)
        .map(|(gross, cores)| gross - cores * talked.spent.wall.as_secs_f64() * 1e6 / float(talked.delivered.max(1)));
    figures.more("net_cpu_us_per_message", net);
    drop((crowd, clinic));

    let baseline = Baseline::start().await?;
    let crowd = at_baseline(baseline.address, twos, &form).await?;
    let pid = Some(baseline.process.id());
    let talked = talk(&crowd, pid, options.talk.rate, common.warm_up(), common.time()).await?;
    let totals = crowd.settle(SETTLE).await;
    figures.baseline_cpu_us_per_message = talked.spent.micros_per(talked.delivered);
    figures.generator(talked.spent);
    figures.more("baseline_lost", totals.lost);
    figures.more("baseline_p50_ms", crowd.ledger.latency_ms(50.0));
    figures.more("baseline_p99_ms", crowd.ledger.latency_ms(99.0));
    let (own, bare) = (figures.cpu_us_per_message, figures.baseline_cpu_us_per_message);
    figures.ratio("cpu_ratio", own, bare);
    Ok(figures)
}

/// How many of the rooms get two people, if a process may have so many sockets.
fn pairs(rooms: u64, sockets: u64) -> u64 {
    rooms.min(sockets.saturating_sub(rooms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_sockets_do_not_suffice_some_rooms_have_one_person() {
        assert_eq!(pairs(100, 19_400), 100);
        assert_eq!(pairs(10_000, 19_400), 9_400);
        assert_eq!(pairs(20_000, 19_400), 0, "and then there are not enough for one each");
    }
}
