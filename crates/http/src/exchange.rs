//! What surrounds every request: its id, its line in the log, its figures, the time it may take, and the body of its
//! problem.

use crate::problem::{Code, Problem};
use crate::{Edge, problem::ProblemBody};
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heliograph_domain::clock::Entropy;
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_ID_CHARS: usize = 64;

/// An answer that takes longer than this is given up.
const PATIENCE: Duration = Duration::from_secs(15);

/// The name of a request in logs and answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// The id that a proxy gave, if it is a decent one, or a new one.
    fn of(headers: &HeaderMap, entropy: &dyn Entropy) -> Self {
        let decent = |text: &&str| {
            (1..=MAX_ID_CHARS).contains(&text.len())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        };
        let given = headers
            .get(&REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .filter(decent);
        given.map_or_else(|| Self::new(entropy), |given| Self(given.to_owned()))
    }

    fn new(entropy: &dyn Entropy) -> Self {
        let mut random = [0; 12];
        entropy.fill(&mut random);
        Self(URL_SAFE_NO_PAD.encode(random))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The outermost layer of every route.
pub(crate) async fn exchange(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers(), &*edge.entropy);
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    // The template of the path only: its values and the query may tell who is concerned.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("(none)", MatchedPath::as_str)
        .to_owned();
    let span = tracing::info_span!("request", request_id = %id);
    let start = Instant::now();
    async {
        let answer = tokio::time::timeout(PATIENCE, next.run(request)).await;
        let late = |_| {
            let detail = "The service took too long to answer. Try again in a few seconds.";
            Problem::new(Code::TimedOut, detail).into_response()
        };
        let response = written(answer.unwrap_or_else(late), &id);
        tell(&method, &route, response.status(), start.elapsed());
        response
    }
    .instrument(span)
    .await
}

/// The answer with its id, and with the body of its problem if it has one.
fn written(response: Response, id: &RequestId) -> Response {
    let (mut parts, mut body) = response.into_parts();
    if let Some(problem) = parts.extensions.remove::<Problem>() {
        if let Some(cause) = problem.cause() {
            tracing::error!(code = problem.code().as_str(), cause, "a request failed");
        }
        body = problem_body(&problem.into_body(id.as_str()));
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
    }
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        parts.headers.insert(REQUEST_ID, value);
    }
    Response::from_parts(parts, body)
}

fn problem_body(body: &ProblemBody) -> Body {
    serde_json::to_vec(body)
        .expect("plain fields always have a JSON form")
        .into()
}

fn tell(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let labels = [
        ("method", method_label(method).to_owned()),
        ("route", route.to_owned()),
        ("status", status.as_u16().to_string()),
    ];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_seconds", &labels[..2]).record(took);
    let status = status.as_u16();
    // Probes come every few seconds and would drown the rest.
    if matches!(route, "/healthz" | "/readyz" | "/metrics") {
        tracing::debug!(%method, route, status, ms, "answered");
    } else {
        tracing::info!(%method, route, status, ms, "answered");
    }
}

/// A caller may invent methods, but not figures.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    #[test]
    fn a_decent_id_is_kept_and_others_are_replaced() {
        let id = |text: &str| {
            let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_str(text).unwrap())]);
            RequestId::of(&headers, &Zero).0
        };
        assert_eq!(id("proxy_7-A"), "proxy_7-A");
        assert_eq!(id(&"a".repeat(64)), "a".repeat(64));
        for bad in ["", "has space", "semi;colon", &"a".repeat(65)] {
            assert_eq!(id(bad), "A".repeat(16), "{bad:?}");
        }
        assert_eq!(RequestId::of(&HeaderMap::new(), &Zero).0.len(), 16);
    }

    #[test]
    fn a_problem_gets_its_body_where_the_id_is_known() {
        let id = RequestId("r-1".to_owned());
        let response = written(Problem::internal("row 7").into_response(), &id);
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[REQUEST_ID], "r-1");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert!(response.extensions().get::<Problem>().is_none());
    }
}
