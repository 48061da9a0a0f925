//! As many acknowledged messages a second as the server takes: everybody sends whenever fewer than so many are open. With
//! two settings, such as the journal on and off, two servers take turns.

use super::{JOIN, SETTLE, float};
use crate::{
    cli,
    figures::Figures,
    load::{crowd::Crowd, ledger::Totals, person::Command},
    machine::{Meter, Spent, allow_sockets},
};
use anyhow::Result;
use std::{sync::atomic::Ordering, time::Duration};
use tokio::time::sleep;

/// What one server did in all its turns.
#[derive(Default)]
struct Turns {
    acked: u64,
    wall: Duration,
    cpu: Option<Duration>,
}

impl Turns {
    fn add(&mut self, acked: u64, spent: Spent) {
        self.acked += acked;
        self.wall += spent.wall;
        self.cpu = spent.server.map(|cpu| self.cpu.unwrap_or_default() + cpu);
    }

    fn per_second(&self) -> Option<f64> {
        (!self.wall.is_zero()).then(|| float(self.acked) / self.wall.as_secs_f64())
    }

    fn cpu_us(&self) -> Option<f64> {
        let cpu = self.cpu.filter(|_| self.acked > 0)?;
        Some(cpu.as_secs_f64() * 1e6 / float(self.acked))
    }
}

pub async fn run(options: &cli::Flood) -> Result<Figures> {
    let common = &options.common;
    let mut figures = Figures::new("flood", common.seconds);
    allow_sockets(options.sockets)?;
    if !options.versus.is_empty() {
        common.own_server()?;
    }
    let (mut own, mut other, mut totals) = (Turns::default(), Turns::default(), Totals::default());
    for _ in 0..options.rounds {
        turn(options, &[], &mut own, &mut totals, &mut figures).await?;
        if !options.versus.is_empty() {
            turn(options, &options.versus, &mut other, &mut totals, &mut figures).await?;
        }
    }
    figures.count(totals);
    figures.sockets = Some(options.sockets);
    figures.cpu_us_per_message = own.cpu_us();
    figures.more("open", options.open);
    figures.more("acked_per_s", own.per_second());
    figures.more("versus", options.versus.join(" "));
    figures.more("versus_acked_per_s", other.per_second());
    figures.more("versus_cpu_us_per_message", other.cpu_us());
    figures.ratio("acked_ratio", own.per_second(), other.per_second());
    Ok(figures)
}

/// One server from its start to its end.
async fn turn(
    options: &cli::Flood,
    settings: &[String],
    turns: &mut Turns,
    totals: &mut Totals,
    figures: &mut Figures,
) -> Result<()> {
    let clinic = options.common.clinic_with(settings).await?;
    let rooms = clinic.rooms(usize::try_from(options.sockets / 2)?).await?;
    let mut crowd = Crowd::new(&options.message.form()?, true)?;
    crowd.fill(&rooms, |_, number| clinic.door(number), JOIN).await?;
    crowd.tell_all(Command::Flood(options.open));
    sleep(options.common.warm_up()).await;
    let before = crowd.ledger.totals().acked;
    let meter = Meter::start(clinic.pid)?;
    sleep(options.common.time()).await;
    let spent = meter.stop()?;
    turns.add(crowd.ledger.totals().acked - before, spent);
    crowd.tell_all(Command::Flood(0));
    *totals += crowd.settle(SETTLE).await;
    let stops = crowd.ledger.stops();
    anyhow::ensure!(stops.is_empty(), "pages were stopped: {stops:?}");
    let refused = crowd.ledger.refused.load(Ordering::Relaxed);
    anyhow::ensure!(refused == 0, "{refused} messages were refused");
    figures.generator(spent);
    Ok(())
}
