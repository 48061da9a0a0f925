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
    /// A date in your own zone, such as 2026-12-01; today if it is absent.
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
    let Query(Day { day }) = query.map_err(|error| Problem::invalid_field("(query)", error.body_text()))?;
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
