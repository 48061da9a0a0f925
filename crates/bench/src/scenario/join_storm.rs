//! Everybody comes at once, with a ticket in hand: from the start of the connection to the snapshot.

use super::{JOIN, SETTLE, at_baseline, millis};
use crate::{
    baseline::Baseline,
    cli,
    clinic::Room,
    figures::Figures,
    load::{
        crowd::Crowd,
        ledger::{histogram, quantile_ms},
        message::{Form, Kind},
    },
    machine::{Meter, allow_sockets},
};
use anyhow::{Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use std::time::{Duration, Instant};

/// Tickets are good for half a minute.
const TICKETS: Duration = Duration::from_secs(25);
const TICKETS_AT_ONCE: usize = 16;
const BYTES: usize = 1_200;

pub async fn run(options: &cli::Storm) -> Result<Figures> {
    let common = &options.common;
    let form = Form::new(Kind::Sdp, BYTES);
    let mut figures = Figures::new("join-storm", common.seconds);
    allow_sockets(options.sockets)?;

    let clinic = common.clinic().await?;
    let rooms = clinic.rooms(usize::try_from(options.sockets / 2)?).await?;
    let tickets = tickets(&rooms).await?;
    let mut crowd = Crowd::new(&form, true)?;
    let meter = Meter::start(clinic.pid)?;
    let began = crowd.ledger.now();
    for (room, tickets) in rooms.iter().zip(tickets) {
        let number = crowd.sockets();
        crowd.pair(room, [clinic.door(number), clinic.door(number + 1)], tickets.map(Some))?;
    }
    crowd.seated(1, JOIN).await?;
    let spent = meter.stop()?;
    let ms = joined(&crowd, began)?;
    figures.sockets = Some(options.sockets);
    figures.p50_ms = ms.0;
    figures.p99_ms = ms.2;
    figures.generator(spent);
    figures.more("p95_ms", ms.1);
    figures.more("all_joined_ms", ms.3);
    figures.more("cpu_us_per_join", spent.micros_per(options.sockets));
    // Everybody is really there.
    crowd.all_say();
    figures.count(crowd.settle(SETTLE).await);
    drop((crowd, clinic));

    let baseline = Baseline::start().await?;
    let meter = Meter::start(Some(baseline.process.id()))?;
    let crowd = at_baseline(baseline.address, &rooms, &form).await?;
    let spent = meter.stop()?;
    drop(crowd);
    figures.more("baseline_cpu_us_per_join", spent.micros_per(options.sockets));
    Ok(figures)
}

async fn tickets(rooms: &[Room]) -> Result<Vec<[String; 2]>> {
    let began = Instant::now();
    let both = async |room: &Room| {
        let [host, colleague] = &room.seats;
        tokio::try_join!(host.ticket(room.visit), colleague.ticket(room.visit)).map(|(one, other)| [one, other])
    };
    let all = stream::iter(rooms)
        .map(both)
        .buffered(TICKETS_AT_ONCE)
        .try_collect()
        .await?;
    if began.elapsed() > TICKETS {
        bail!(
            "{} tickets took {:?}, and the first is no longer good: take fewer --sockets",
            rooms.len() * 2,
            began.elapsed()
        );
    }
    Ok(all)
}

/// Median, 95 %, 99 % and the last.
type Joined = (Option<f64>, Option<f64>, Option<f64>, Option<f64>);

fn joined(crowd: &Crowd, began: Duration) -> Result<Joined> {
    let mut times = histogram()?;
    for somebody in crowd.everybody() {
        let waited = somebody.seated.borrow().at.saturating_sub(began);
        times.saturating_record(u64::try_from(waited.as_micros())?.max(1));
    }
    let last = crowd.everybody().map(|one| one.seated.borrow().at).max();
    Ok((
        quantile_ms(&times, 50.0),
        quantile_ms(&times, 95.0),
        quantile_ms(&times, 99.0),
        last.map(|at| millis(at.saturating_sub(began))),
    ))
}
