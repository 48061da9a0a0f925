//! What is measured. Each scenario starts what it needs, measures, and returns its figures.

pub mod flood;
pub mod idle;
pub mod join_storm;
pub mod relay;
pub mod resume_storm;
pub mod soak;
pub mod stalled;

use crate::{
    clinic::Room,
    load::{
        crowd::{self, Crowd},
        message::Form,
    },
    machine::{Meter, Spent},
};
use anyhow::Result;
use std::{net::SocketAddr, time::Duration};
use tokio::time::sleep;

/// A busy machine may need so long to let a few people in.
const JOIN: Duration = Duration::from_mins(1);
/// What did not come by then is lost.
const SETTLE: Duration = Duration::from_secs(30);

/// A talk that was measured.
struct Talked {
    spent: Spent,
    /// In the time that was measured.
    delivered: u64,
}

/// Lets people talk for so long, after a warm-up that is counted but not measured.
async fn talk(crowd: &Crowd, pid: Option<u32>, rate: u64, warm_up: Duration, time: Duration) -> Result<Talked> {
    let pace = crowd.talk(rate);
    sleep(warm_up).await;
    crowd.ledger.warm();
    let before = crowd.ledger.delivered();
    let meter = Meter::start(pid)?;
    sleep(time).await;
    let spent = meter.stop()?;
    let delivered = crowd.ledger.delivered() - before;
    pace.end();
    Ok(Talked { spent, delivered })
}

/// People at the baseline, in the same rooms.
async fn at_baseline(address: SocketAddr, rooms: &[Room], form: &Form) -> Result<Crowd> {
    let mut crowd = Crowd::new(form, false)?;
    crowd
        .fill(rooms, |room, number| crowd::baseline(address, room, number), JOIN)
        .await?;
    Ok(crowd)
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn float(count: u64) -> f64 {
    count as f64
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The slope of the line that fits the points best; none for fewer than two different `x`.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = float(points.len() as u64);
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let together: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    (spread > 0.0).then(|| together / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_that_of_the_best_line() {
        let near = |points: &[(f64, f64)], to: f64| (slope(points).unwrap() - to).abs() < 1e-9;
        assert!(near(&[(0.0, 1.0), (2.0, 5.0)], 2.0));
        assert!(near(&[(0.0, 0.0), (1.0, 2.0), (2.0, 1.0), (3.0, 3.0)], 0.8));
        assert_eq!(slope(&[(1.0, 1.0), (1.0, 2.0)]), None);
        assert_eq!(slope(&[]), None);
    }
}
