//! Dates that lie ahead whenever the tests run: the service under test has the clock of the machine.

use anyhow::{Context, Result};
use heliograph_domain::{
    UnixSeconds,
    zone::{LocalDate, Resolved, Tzdb, WallTime, Zone},
};
use std::time::{SystemTime, UNIX_EPOCH};

const AHEAD_DAYS: i64 = 30;
/// Every zone that changes its clocks does it twice a year.
const A_YEAR: i64 = 366;

/// A date beyond all that the demo clinic has booked.
pub fn ahead() -> Result<LocalDate> {
    let days = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 86_400;
    let epoch: LocalDate = "1970-01-01".parse()?;
    Ok(epoch.plus_days(i64::try_from(days)? + AHEAD_DAYS))
}

/// The first of these dates on which the clocks of a zone show this time twice (or never), with both candidates.
pub fn clock_change(zone: &str, time: &str, twice: bool) -> Result<(WallTime, [UnixSeconds; 2])> {
    let (tzdb, zone, from) = (Tzdb::bundled(), Zone::parse(zone)?, ahead()?);
    for day in 0..A_YEAR {
        let wall: WallTime = format!("{}T{time}", from.plus_days(day)).parse()?;
        match tzdb.resolve(&zone, wall) {
            Resolved::Ambiguous { first, second } if twice => return Ok((wall, [first, second])),
            Resolved::Missing { first, second, .. } if !twice => return Ok((wall, [first, second])),
            Resolved::Unique(_) | Resolved::Ambiguous { .. } | Resolved::Missing { .. } => {}
        }
    }
    None.with_context(|| format!("the clocks of {zone} never change at {time}"))
}
