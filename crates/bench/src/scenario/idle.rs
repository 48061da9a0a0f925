//! People who joined and say nothing but signs of life: memory of a socket, and what an open room costs in a second.

use super::{JOIN, float, slope};
use crate::{
    baseline::Baseline,
    cli,
    clinic::Room,
    figures::Figures,
    load::{
        crowd::{self, Crowd},
        message::{Form, Kind},
        socket::Door,
    },
    machine::{Meter, allow_sockets, resident_kb},
};
use anyhow::{Context, Result};
use serde_json::json;
use tokio::time::sleep;

/// Sockets that open the allocator's and the runtime's first pages; they are not counted.
const WARM_UP: u64 = 20;

/// Memory at one number of sockets.
struct Step {
    sockets: u64,
    /// Above that before the first of them.
    kb: f64,
}

impl Step {
    fn each(&self) -> f64 {
        self.kb / float(self.sockets)
    }
}

pub async fn run(options: &cli::Idle) -> Result<Figures> {
    let common = &options.common;
    let mut figures = Figures::new("idle", common.seconds);
    let mut counts = options.sockets.clone();
    counts.sort_unstable();
    let most = *counts.last().context("no number of sockets")?;
    allow_sockets(most + WARM_UP)?;

    let clinic = common.clinic().await?;
    let pid = clinic
        .pid
        .context("memory is that of a process on this machine: name it with --pid")?;
    figures.more("rss_fresh_kb", resident_kb(pid)?);
    let rooms = clinic.rooms(usize::try_from(most / 2 + WARM_UP / 2)?).await?;
    let (crowd, before, mut steps) = grow(pid, &rooms, &counts, true, |_, number| clinic.door(number)).await?;
    let meter = Meter::start(Some(pid))?;
    sleep(common.time()).await;
    let spent = meter.stop()?;
    // Signs of life and beats take memory too.
    let later = float(resident_kb(pid)?) - float(before);
    if let Some(last) = steps.last_mut() {
        last.kb = last.kb.max(later);
    }

    let open = float(rooms.len() as u64);
    figures.sockets = Some(most);
    figures.rss_kb_per_socket = steps.last().map(Step::each);
    figures.generator(spent);
    figures.more("rooms", rooms.len());
    figures.more("steps", json!(steps.iter().map(told).collect::<Vec<_>>()));
    figures.more("slope_kb_per_socket", slope_of(&steps));
    figures.more(
        "cpu_us_per_room_s",
        spent.server_cores().map(|cores| cores * 1e6 / open),
    );
    drop((crowd, clinic));

    let baseline = Baseline::start().await?;
    let door = |room: &Room, number| crowd::baseline(baseline.address, room, number);
    let (_crowd, _, steps) = grow(baseline.process.id(), &rooms, &counts, false, door).await?;
    figures.baseline_rss_kb_per_socket = steps.last().map(Step::each);
    figures.more("baseline_slope_kb_per_socket", slope_of(&steps));
    let (own, bare) = (figures.rss_kb_per_socket, figures.baseline_rss_kb_per_socket);
    figures.ratio("rss_ratio", own, bare);
    Ok(figures)
}

/// Fills the rooms up to each count, and looks at the memory there and before.
async fn grow(
    pid: u32,
    rooms: &[Room],
    counts: &[u64],
    service: bool,
    door: impl Fn(&Room, usize) -> Door,
) -> Result<(Crowd, u64, Vec<Step>)> {
    let mut crowd = Crowd::new(&Form::new(Kind::Sdp, 0), service)?;
    let (warm, mut rest) = rooms.split_at(usize::try_from(WARM_UP / 2)?);
    crowd.fill(warm, &door, JOIN).await?;
    let (before, mut done, mut steps) = (resident_kb(pid)?, 0, Vec::new());
    for sockets in counts {
        let (next, later) = rest.split_at(usize::try_from((sockets - done) / 2)?);
        crowd.fill(next, &door, JOIN).await?;
        (rest, done) = (later, *sockets);
        let kb = float(resident_kb(pid)?) - float(before);
        steps.push(Step { sockets: *sockets, kb });
    }
    Ok((crowd, before, steps))
}

fn slope_of(steps: &[Step]) -> Option<f64> {
    let points: Vec<_> = steps.iter().map(|step| (float(step.sockets), step.kb)).collect();
    slope(&points)
}

fn told(step: &Step) -> serde_json::Value {
    json!({"sockets": step.sockets, "rss_kb": step.kb, "rss_kb_per_socket": step.each()})
}
