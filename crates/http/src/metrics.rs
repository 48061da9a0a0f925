//! `GET /metrics`: figures in the text format of Prometheus.

use crate::Edge;
use axum::extract::State;
use axum::http::{HeaderName, header};

const TEXT_FORMAT: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];

/// Figures for Prometheus
///
/// They hold no name, address or id of a person.
#[utoipa::path(
    get, path = "/metrics", tag = "operation",
    responses((status = OK, description = "The text format, version 0.0.4", body = String, content_type = "text/plain"))
)]
pub(crate) async fn figures(State(edge): State<Edge>) -> ([(HeaderName, &'static str); 1], String) {
    metrics::gauge!("signaling_sockets").set(count(edge.rooms.sockets()));
    metrics::gauge!("signaling_rooms").set(count(edge.rooms.hosted()));
    (TEXT_FORMAT, edge.figures.render())
}

fn count(number: usize) -> f64 {
    u32::try_from(number).unwrap_or(u32::MAX).into()
}
