//! Routes, their description, the WebSocket's door and the embedded web client. No rules: extractors → app → answer.

mod address;
mod assets;
mod caller;
mod desk;
mod exchange;
mod guesses;
mod headers;
mod health;
mod json;
mod links;
mod metrics;
mod openapi;
mod origin;
mod problem;
mod seat;
mod session;
mod visits;
mod ws;

pub use address::{InvalidNetwork, Network};
pub use assets::web_client_present;
pub use guesses::Guesses;
pub use health::{Check, Readiness};
pub use origin::{InvalidOrigin, Origin, Origins};

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode, Version, header};
use axum::response::IntoResponse;
use axum::{Router, middleware, routing};
use heliograph_app::App;
use heliograph_domain::clock::Entropy;
use heliograph_signaling::Rooms;
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Bytes that the body of a request may have.
pub(crate) const BODY_BYTES: usize = 64 * 1024;

/// What the routes work with.
#[derive(Clone)]
pub struct Edge {
    /// What decides.
    pub app: App,
    /// The rooms of this node.
    pub rooms: Rooms,
    /// Bytes that a frame of a socket may have.
    pub frame_bytes: usize,
    /// Whose word is taken for the address of a caller.
    pub proxies: Arc<[Network]>,
    /// Who guessed wrong lately.
    pub guesses: Guesses,
    /// Which pages are ours.
    pub origins: Arc<Origins>,
    /// What makes ids of requests.
    pub entropy: Arc<dyn Entropy>,
    /// What `/readyz` tells.
    pub readiness: Arc<dyn Readiness>,
    /// What `/metrics` tells.
    pub figures: PrometheusHandle,
    /// Whether pages are told that they may ask for faults.
    pub simulate: bool,
}

/// All routes of the service.
pub fn router(edge: Edge) -> Router {
    let (api, _) = api().split_for_parts();
    let (doors, _) = doors().split_for_parts();
    let doors = doors.layer(middleware::from_fn_with_state(edge.clone(), guesses::limit));
    let pages = Router::new()
        .route("/", routing::get(assets::root))
        .route(
            "/v",
            routing::get(|| async { axum::response::Redirect::permanent("/v/") }),
        )
        .route("/v/", routing::get(assets::visit))
        .route(
            "/desk",
            routing::get(|| async { axum::response::Redirect::permanent("/desk/") }),
        )
        .route("/desk/", routing::get(assets::desk))
        .route("/assets/{*file}", routing::get(assets::other))
        .route("/api/v1/openapi.json", routing::get(describe))
        .fallback(assets::other);
    api.merge(doors)
        .merge(pages)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(CompressionLayer::new().compress_when(text))
        .layer(middleware::from_fn_with_state(edge.clone(), headers::own_pages_only))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(edge.clone(), headers::secure))
        .layer(middleware::from_fn_with_state(edge.clone(), exchange::exchange))
        .with_state(edge)
}

/// The description of the API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    api().merge(doors()).split_for_parts().1
}

/// The description of the API as the file docs/openapi.json has it.
pub fn openapi_json() -> String {
    openapi()
        .to_pretty_json()
        .expect("a description always has a JSON form")
        + "\n"
}

fn api() -> OpenApiRouter<Edge> {
    OpenApiRouter::with_openapi(openapi::Description::openapi())
        .routes(routes!(visits::book::book, visits::day::day))
        .routes(routes!(visits::one::one))
        .routes(routes!(visits::cancel::cancel))
        .routes(routes!(visits::revoke::revoke))
        .routes(routes!(visits::progress::report))
        .routes(routes!(seat::seat))
        .routes(routes!(desk::ticket))
        .routes(routes!(ws::open))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::figures))
}

/// The routes that take links from people of whom nothing is known.
fn doors() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(session::sign_in, session::who, session::sign_out))
        .routes(routes!(links::peek::peek))
        .routes(routes!(links::redeem::redeem))
}

async fn describe() -> impl IntoResponse {
    (
        [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "no-cache"),
        ],
        openapi_json(),
    )
}

async fn method_not_allowed() -> problem::Problem {
    let detail = "The path exists, but not for this method; the header Allow names those that it knows.";
    problem::Problem::new(problem::Code::MethodNotAllowed, detail)
}

#[expect(clippy::needless_pass_by_value, reason = "the layer gives it away")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    problem::Problem::internal(format!("a handler panicked: {}", text.unwrap_or("without a text"))).into_response()
}

/// Text becomes smaller; all else is small or compressed already, or has no body.
fn text(status: StatusCode, _: Version, headers: &HeaderMap, _: &axum::http::Extensions) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default();
    let text = matches!(
        essence,
        "application/json"
            | "text/html"
            | "text/css"
            | "text/javascript"
            | "image/svg+xml"
            | "application/manifest+json"
    );
    text && status != StatusCode::NOT_MODIFIED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fault_whose_text_stays_inside() {
        for panic in [
            Box::new("row 7") as Box<dyn std::any::Any + Send>,
            Box::new("row 7".to_owned()),
            Box::new(7),
        ] {
            let response = panicked(panic);
            let problem = response.extensions().get::<problem::Problem>().unwrap();
            assert_eq!(problem.code(), problem::Code::Internal);
            assert!(problem.cause().unwrap().starts_with("a handler panicked: "));
        }
    }
}
