//! `GET /api/v1/visits`: the visits of a day.

use crate::Edge;
use crate::caller::Staff;
use crate::problem::{Problem, ProblemBody};
use axum::extract::{Query, State, rejection::QueryRejection};
use heliograph_app::view::DayVisits;
use heliograph_app::visits;
use heliograph_domain::zone::LocalDate;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which day.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Day {
    /// A date in your own zone, such as 2026-12-01. If it is absent: today, and the visits of yesterday and tomorrow whose
    /// waiting room is open or whose links are still good.
    #[param(value_type = Option<LocalDate>)]
    day: Option<String>,
}

/// The visits of a day, by start
///
/// Schedulers and administrators see all visits of their institution, others those that they take part in.
#[utoipa::path(
    get, path = "/api/v1/visits", tag = "visits", security(("staff" = [])), params(Day),
    responses(
        (status = OK, body = DayVisits),
        (status = UNAUTHORIZED, body = ProblemBody, content_type = "application/problem+json", description = "`unauthorized`"),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody, content_type = "application/problem+json",
            description = "`invalid_request` with `errors`"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json", description = "Any other problem")
    )
)]
pub(crate) async fn day(
    State(edge): State<Edge>,
    Staff(caller): Staff,
    query: Result<Query<Day>, QueryRejection>,
) -> Result<axum::Json<DayVisits>, Problem> {
    let Query(Day { day }) = query.map_err(|error| unread(&error))?;
    let day = day.map(|text| text.parse::<LocalDate>()).transpose();
    let day = day.map_err(|error| Problem::invalid_field("day", error.to_string()))?;
    let mut listed = visits::day(&edge.app, &caller, day)
        .await
        .map_err(|error| Problem::of(&error))?;
    listed.visits = listed
        .visits
        .into_iter()
        .map(|visit| super::with_room(&edge, &caller, visit))
        .collect();
    Ok(axum::Json(listed))
}

/// The query is a map of texts, so what can be wrong is a name.
fn unread(error: &QueryRejection) -> Problem {
    let text = error.body_text();
    let name = text.split("field `").nth(1).and_then(|rest| rest.split('`').next());
    match name {
        Some(name) if text.contains("duplicate field") => Problem::invalid_field(name, "stands there twice"),
        Some(name) => Problem::invalid_field(name, "there is no such parameter; expected day"),
        None => Problem::invalid_field("(query)", "expected day=YYYY-MM-DD, or nothing"),
    }
}
