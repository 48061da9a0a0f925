//! Rooms to sit in: visits of two members of staff, who may come at any time and are let in by themselves.

use super::Clinic;
use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use heliograph_client::Api;
use heliograph_domain::{ParticipantId, VisitId, zone::LocalDate};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const HOST: &str = "Dr Amara Okafor";
const COLLEAGUE: &str = "Noor Haddad";
const MINUTES: usize = 5;
/// Bookings of the same people decide one after the other, so more at once only meet each other.
const AT_ONCE: usize = 2;

/// A visit that nobody has come to yet.
pub struct Room {
    pub visit: VisitId,
    pub seats: [Seat; 2],
}

/// A seat of it, and the browser of who may sit there.
#[derive(Clone)]
pub struct Seat {
    pub api: Api,
    pub participant: ParticipantId,
}

impl Clinic {
    /// Books so many visits. On a server that has them from an earlier run, they are the same.
    pub async fn rooms(&self, count: usize) -> Result<Vec<Room>> {
        let (host, colleague) = (self.staff(HOST).await?, self.staff(COLLEAGUE).await?);
        let participants = json!([
            {"person": self.person(HOST)?, "role": "host"},
            {"person": self.person(COLLEAGUE)?, "role": "staff"},
        ]);
        let first = first_day(SystemTime::now())?;
        let book = async |number| {
            let visit = json!({
                "start": {"wall": wall(first, number)?, "zone": "UTC"},
                "duration_min": MINUTES,
                "participants": participants,
            });
            let visit = host.book(&format!("bench-{number}"), &visit).await?;
            room(&visit, [&host, &colleague]).context("the answer to a booking is not as it must be")
        };
        stream::iter(0..count).map(book).buffered(AT_ONCE).try_collect().await
    }
}

/// Visits are booked from this day on, one after the other: the same day in runs of the same year.
fn first_day(now: SystemTime) -> Result<LocalDate> {
    let days = now.duration_since(UNIX_EPOCH)?.as_secs() / 86_400;
    let today = "1970-01-01".parse::<LocalDate>()?.plus_days(i64::try_from(days)?);
    LocalDate::new(today.year() + 2, 1, 1).context("the year after next is in no calendar")
}

/// The start of visit `number` in UTC.
fn wall(first: LocalDate, number: usize) -> Result<String> {
    const A_DAY: usize = 24 * 60 / MINUTES;
    let (day, minute) = (number / A_DAY, number % A_DAY * MINUTES);
    let date = first.plus_days(i64::try_from(day)?);
    Ok(format!("{date}T{:02}:{:02}", minute / 60, minute % 60))
}

fn room(visit: &Value, [host, colleague]: [&Api; 2]) -> Option<Room> {
    let seat = |role: &str, api: &Api| {
        let all = visit["participants"].as_array()?;
        let one = all.iter().find(|one| one["role"] == role)?;
        Some(Seat {
            api: api.clone(),
            participant: one["participant"].as_str()?.parse().ok()?,
        })
    };
    Some(Room {
        visit: visit["id"].as_str()?.parse().ok()?,
        seats: [seat("host", host)?, seat("staff", colleague)?],
    })
}

impl Seat {
    /// A ticket, good for half a minute.
    pub async fn ticket(&self, visit: VisitId) -> Result<String> {
        let seat = self.api.seat(&visit.to_string()).await?;
        Ok(seat["ticket"].as_str().context("ticket")?.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn visits_follow_each_other_over_the_days() {
        // 2026-12-31T23:59:59Z
        let first = first_day(UNIX_EPOCH + Duration::from_secs(1_798_761_599)).unwrap();
        assert_eq!(wall(first, 0).unwrap(), "2028-01-01T00:00");
        assert_eq!(wall(first, 287).unwrap(), "2028-01-01T23:55");
        assert_eq!(wall(first, 288 * 31 + 13).unwrap(), "2028-02-01T01:05");
    }
}
