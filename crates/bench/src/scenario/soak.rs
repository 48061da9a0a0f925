//! A long talk over lines that are reset, closed, held back, swallowed and slowed down at random.

use super::{JOIN, SETTLE, float, slope, talk};
use crate::{
    cli,
    figures::Figures,
    load::crowd::{Crowd, service},
    machine::{allow_sockets, resident_kb},
};
use anyhow::Result;
use heliograph_testkit::{Line, Proxy, Way};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::atomic::Ordering,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::{Instant, interval, sleep};

const LOOK: Duration = Duration::from_millis(500);
/// Faults that last longer than a page waits for a sign of life are among them.
const LONGEST_MS: u64 = 9_000;

pub async fn run(options: &cli::Soak) -> Result<Figures> {
    let common = &options.common;
    let mut figures = Figures::new("soak", common.seconds);
    // Each of ours, and both sides of the proxy.
    allow_sockets(options.sockets * 3)?;
    let seed = match options.seed {
        Some(seed) => seed,
        None => u64::from(SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_nanos()),
    };

    let clinic = common.clinic().await?;
    let rooms = clinic.rooms(usize::try_from(options.sockets / 2)?).await?;
    let mut lines = Vec::new();
    for _ in 0..options.lines {
        lines.push(Proxy::to(clinic.address).await?);
    }
    let mut crowd = Crowd::new(&options.talk.message.form()?, true)?;
    let door = |_: &_, number: usize| service(lines[number % lines.len()].address(), number);
    crowd.fill(&rooms, door, JOIN).await?;

    let every = Duration::from_millis(options.fault_every_ms);
    let mut faults = Faults::new(seed);
    let mut memory = Vec::new();
    let talked = {
        let talk = talk(&crowd, clinic.pid, options.talk.rate, Duration::ZERO, common.time());
        let watch = watch_memory(clinic.pid, &mut memory);
        tokio::select! {
            talked = talk => talked?,
            never = watch => match never? {},
            never = faults.go_on(&lines, every) => match never {},
        }
    };
    lines.iter().for_each(Proxy::heal);
    let totals = crowd.settle(SETTLE).await;

    let connections: u32 = crowd.talkers.iter().map(|one| one.seated.borrow().times).sum();
    figures.count(totals);
    figures.sockets = Some(crowd.sockets() as u64);
    figures.cpu_us_per_message = talked.spent.micros_per(talked.delivered);
    figures.p50_ms = crowd.ledger.latency_ms(50.0);
    figures.p99_ms = crowd.ledger.latency_ms(99.0);
    figures.generator(talked.spent);
    figures.more("rate", options.talk.rate);
    figures.more("seed", seed);
    figures.more("faults", serde_json::json!(faults.done));
    figures.more("resumes", u64::from(connections) - crowd.sockets() as u64);
    figures.more("refused", crowd.ledger.refused.load(Ordering::Relaxed));
    figures.more("stopped", serde_json::json!(crowd.ledger.stops()));
    figures.more("rss_last_kb", memory.last().map(|(_, kb)| *kb));
    // In the first half caches and buffers find their size.
    let later = (memory.len() / 2).min(memory.len().saturating_sub(2));
    figures.more("rss_slope_kb_per_min", slope(&memory[later..]));
    Ok(figures)
}

/// Minutes since now, and KiB.
async fn watch_memory(pid: Option<u32>, memory: &mut Vec<(f64, f64)>) -> Result<Infallible> {
    let (began, mut look) = (Instant::now(), interval(LOOK));
    loop {
        look.tick().await;
        if let Some(pid) = pid {
            memory.push((began.elapsed().as_secs_f64() / 60.0, float(resident_kb(pid)?)));
        }
    }
}

/// Faults by a seed: the same seed gives the same ones in the same order.
struct Faults {
    chance: Chance,
    done: BTreeMap<&'static str, u64>,
}

impl Faults {
    fn new(seed: u64) -> Faults {
        Faults {
            chance: Chance(seed),
            done: BTreeMap::new(),
        }
    }

    async fn go_on(&mut self, lines: &[Proxy], every: Duration) -> Infallible {
        let mut mended = vec![Instant::now(); lines.len()];
        loop {
            sleep(every.mul_f64(0.5 + float(self.chance.below(1_000)) / 1_000.0)).await;
            let which = usize::try_from(self.chance.below(lines.len() as u64)).unwrap_or(0);
            let (name, line, lasts) = self.next();
            for (one, until) in lines.iter().zip(&mended) {
                if *until <= Instant::now() {
                    one.heal();
                }
            }
            lines[which].set(line);
            mended[which] = Instant::now() + lasts;
            *self.done.entry(name).or_default() += 1;
        }
    }

    /// A fault and how long it lasts.
    fn next(&mut self) -> (&'static str, Line, Duration) {
        let way = [Way::ToServer, Way::ToClient, Way::Both][usize::try_from(self.chance.below(3)).unwrap_or(0)];
        let lasts = Duration::from_millis(self.chance.below(LONGEST_MS));
        match self.chance.below(5) {
            0 => ("resets", Line::Resets, lasts / 10),
            1 => ("ends", Line::Ends, lasts / 10),
            2 => ("holds", Line::Holds(way), lasts),
            3 => ("swallows", Line::Swallows(way), lasts),
            _ => ("delays", Line::Delays(way, lasts / 20), lasts),
        }
    }
}

/// Steele, Lea, Flood: SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_faults_again_and_every_kind_comes() {
        let names = |seed| {
            let mut faults = Faults::new(seed);
            (0..200).map(|_| faults.next().0).collect::<Vec<_>>()
        };
        assert_eq!(names(7), names(7));
        assert_ne!(names(7), names(8));
        for kind in ["resets", "ends", "holds", "swallows", "delays"] {
            assert!(names(7).contains(&kind), "{kind}");
        }
    }
}
