//! Headers of every answer, and the refusal of requests from pages of other sites.

use crate::Edge;
use crate::problem::{Code, Problem};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; connect-src 'self'; img-src 'self' data: blob:; \
     media-src 'self' blob:; style-src 'self'; script-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
     form-action 'self'";

const ALWAYS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(self), microphone=(self)",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
];

/// Two years, as lists of sites with HSTS ask for.
const STRICT_TRANSPORT_SECURITY: &str = "max-age=63072000; includeSubDomains";

/// Adds what browsers should know. Answers that say nothing about caching are not to be kept.
pub(crate) async fn secure(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if edge.origins.public.is_https() {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(STRICT_TRANSPORT_SECURITY),
        );
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses what may change something and comes from a page of another site. Cookies that are sent only by pages of
/// this site (SameSite=Strict) are the second wall.
pub(crate) async fn own_pages_only(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    if !request.method().is_safe() && !edge.origins.admit(request.uri(), request.headers()) {
        return foreign_origin().into_response();
    }
    next.run(request).await
}

pub(crate) fn foreign_origin() -> Problem {
    let detail = "The page that sent this belongs to another site. If it is yours, add its origin to allowed_origins \
                  in the section [http] of the configuration.";
    Problem::new(Code::ForeignOrigin, detail)
}
