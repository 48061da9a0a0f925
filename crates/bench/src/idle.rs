//! Memory of joined sockets that say nothing.

use crate::{clinic::Clinic, process::resident};
use anyhow::Result;
use std::path::Path;

/// Sockets that open the allocator's and the runtime's first pages; they are not counted.
const WARM_UP: usize = 20;

pub async fn run(bin: &Path, sockets: usize) -> Result<()> {
    let clinic = Clinic::start(bin).await?;
    let pid = clinic.server.id();
    let fresh = resident(pid)?;
    let seats = clinic.staff_rooms((sockets + WARM_UP).div_ceil(2)).await?;
    let mut visitors = Vec::with_capacity(seats.len());
    for (number, seat) in seats.iter().take(WARM_UP).enumerate() {
        visitors.push(seat.join(number).await?);
    }
    let before = resident(pid)?;
    for (number, seat) in seats.iter().enumerate().skip(WARM_UP).take(sockets) {
        visitors.push(seat.join(number).await?);
    }
    let after = resident(pid)?;
    let each = after.saturating_sub(before) / u64::try_from(sockets)?;
    println!("| figure | value |\n|---|---|");
    println!("| RSS of a fresh server | {:.1} MB |", megabytes(fresh));
    println!(
        "| RSS before the sockets (bookings made, {WARM_UP} joined) | {:.1} MB |",
        megabytes(before)
    );
    println!(
        "| RSS with {sockets} more joined, two in each room | {:.1} MB |",
        megabytes(after)
    );
    println!(
        "| RSS per joined idle socket, its half of a room included | {:.1} kB |",
        kilobytes(each)
    );
    drop(visitors);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn kilobytes(bytes: u64) -> f64 {
    bytes as f64 / 1e3
}
