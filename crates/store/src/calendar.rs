//! What people's time is taken by.

use crate::row::Fields;
use crate::{Store, StoreError};
use heliograph_domain::visit::Span;
use heliograph_domain::{ResourceId, TenantId, UnixSeconds};
use heliograph_schedule::booking::{Calendar, Claim, ClaimState};
use sqlx::any::AnyRow;

const VERSION: &str = "SELECT version, id FROM resource WHERE id = $1";
/// No two rows of a resource overlap, so only the last one that starts before the window can reach into it.
const CLAIMS: &str = "SELECT visit, resource, start_s, end_s, state, expires_s
    FROM claim /* any institution: a human is busy whoever booked them; only times come out */
    WHERE resource = $1 AND start_s < $3 AND end_s > $2
      AND start_s >= COALESCE((SELECT MAX(start_s) FROM claim WHERE resource = $1 AND start_s <= $2), $2)
    ORDER BY start_s";

pub(crate) const HOLD: i64 = 0;
pub(crate) const TENTATIVE: i64 = 1;
pub(crate) const BOOKED: i64 = 2;

impl Store {
    /// What is claimed of these people's time in a window, by any institution. It tells times only, never whose visit.
    pub async fn calendar(
        &self,
        _institution: &TenantId,
        resources: &[ResourceId],
        window: Span,
    ) -> Result<Calendar, StoreError> {
        let mut calendar = Calendar {
            claims: Vec::new(),
            versions: std::collections::BTreeMap::new(),
        };
        for resource in resources {
            // The version first: a claim that is made in between then makes the commit fail, and not the other way round.
            let version = sqlx::query(VERSION)
                .bind(resource.0)
                .fetch_optional(&self.readers)
                .await?;
            let Some(version) = version else { continue };
            calendar
                .versions
                .insert(*resource, Fields::of(&version, "resource", "id").int("version")?);
            let rows = sqlx::query(CLAIMS)
                .bind(resource.0)
                .bind(window.start.0)
                .bind(window.end.0)
                .fetch_all(&self.readers)
                .await?;
            for row in &rows {
                calendar.claims.push(read_claim(row)?);
            }
        }
        Ok(calendar)
    }
}

fn read_claim(row: &AnyRow) -> Result<Claim, StoreError> {
    let fields = Fields::of(row, "claim", "visit");
    Ok(Claim {
        resource: ResourceId(fields.int("resource")?),
        span: Span {
            start: UnixSeconds(fields.int("start_s")?),
            end: UnixSeconds(fields.int("end_s")?),
        },
        state: match fields.int("state")? {
            HOLD => ClaimState::Hold,
            TENTATIVE => ClaimState::Tentative,
            BOOKED => ClaimState::Booked,
            other => return Err(fields.broken("state", &format!("unknown state {other}"))),
        },
        expires: fields.maybe_int("expires_s")?.map(UnixSeconds),
    })
}
