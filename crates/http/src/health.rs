//! `GET /healthz` and `GET /readyz`: whether the process lives, and whether it can do its work.

use crate::Edge;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use futures::future::BoxFuture;
use serde::Serialize;
use utoipa::ToSchema;

/// What the service needs to do its work.
pub trait Readiness: Send + Sync + 'static {
    /// Looks at each of them now.
    fn look(&self) -> BoxFuture<'_, Vec<Check>>;
}

/// How one of them is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    /// What was looked at.
    #[schema(example = "database")]
    pub name: &'static str,
    /// Whether it does.
    pub ok: bool,
    /// What was seen, and how to mend it.
    pub detail: String,
}

/// The process answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    ok: bool,
    /// The release of the service.
    version: &'static str,
}

/// Whether requests should be sent here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ready {
    ready: bool,
    checks: Vec<Check>,
}

/// Whether the process lives
///
/// It looks at nothing else: a database that is away is no reason to restart the process.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = OK, body = Health)))]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health {
        ok: true,
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// Whether the service can do its work, with reasons
#[utoipa::path(
    get, path = "/readyz", tag = "operation",
    responses((status = OK, body = Ready), (status = SERVICE_UNAVAILABLE, body = Ready))
)]
pub(crate) async fn readyz(State(edge): State<Edge>) -> (StatusCode, Json<Ready>) {
    let checks = edge.readiness.look().await;
    let ready = checks.iter().all(|check| check.ok);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Ready { ready, checks }))
}
