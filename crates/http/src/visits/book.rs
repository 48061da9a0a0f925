//! `POST /api/v1/visits`: books a visit.

use crate::Edge;
use crate::caller::Staff;
use crate::json::Json;
use crate::problem::{Code, Problem, ProblemBody};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heliograph_app::booking::{self, BookError, BookVisit};
use heliograph_app::view::Visit;
use heliograph_domain::ParticipantId;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAY: HeaderName = HeaderName::from_static("idempotent-replay");
const MAX_KEY_CHARS: usize = 128;

/// A visit that was booked, and the links that lead to it.
#[derive(Serialize, ToSchema)]
pub(crate) struct BookedVisit {
    #[serde(flatten)]
    visit: Visit,
    /// One for everybody but the host and staff, who sign in.
    links: Vec<VisitLink>,
}

/// What a participant comes in by.
#[derive(Serialize, ToSchema)]
pub(crate) struct VisitLink {
    pub(crate) participant: ParticipantId,
    /// The token lies in the fragment.
    pub(crate) url: String,
}

pub(crate) fn link_url(edge: &Edge, token: &str) -> String {
    format!("{}/v/#{token}", edge.origins.public)
}

impl From<BookError> for Problem {
    fn from(error: BookError) -> Self {
        let problem = Problem::of(&error);
        match error {
            BookError::Invalid(errors) => Problem::invalid(errors),
            BookError::WallTimeAmbiguous(candidates) | BookError::WallTimeMissing(candidates) => {
                problem.with_candidates(candidates)
            }
            BookError::Taken {
                conflicts,
                alternatives,
            } => problem.with_conflicts(conflicts, alternatives),
            BookError::NotFound(errors) => problem.with_errors(errors),
            BookError::Forbidden | BookError::KeyReused | BookError::Store(_) => problem,
        }
    }
}

/// Book a visit
///
/// By a wall time in a named zone. A request that is repeated with the same key and body is answered like the first time,
/// for 48 hours, with the header `idempotent-replay: true`.
#[utoipa::path(
    post, path = "/api/v1/visits", tag = "visits", security(("staff" = [])), request_body = BookVisit,
    params(("Idempotency-Key" = String, Header, max_length = 128, description = "Printable ASCII, new for every booking")),
    responses(
        (status = CREATED, body = BookedVisit),
        (status = BAD_REQUEST, body = ProblemBody, content_type = "application/problem+json",
            description = "`bad_json`, `idempotency_key_missing`"),
        (status = UNAUTHORIZED, body = ProblemBody, content_type = "application/problem+json", description = "`unauthorized`"),
        (status = FORBIDDEN, body = ProblemBody, content_type = "application/problem+json",
            description = "`forbidden`: schedulers, physicians and administrators book; `foreign_origin`"),
        (status = NOT_FOUND, body = ProblemBody, content_type = "application/problem+json",
            description = "`not_found` with `errors`: the institution has no such person or service"),
        (status = CONFLICT, body = ProblemBody, content_type = "application/problem+json",
            description = "`slot_taken` with `conflicts` and three `alternatives`"),
        (status = UNPROCESSABLE_ENTITY, body = ProblemBody, content_type = "application/problem+json",
            description = "`invalid_request` with `errors`; `wall_time_ambiguous` or `wall_time_missing` with `candidates`, \
                one of which goes to `start.choose`; `idempotency_key_reused`"),
        (status = "default", body = ProblemBody, content_type = "application/problem+json", description = "Any other problem")
    )
)]
pub(crate) async fn book(
    State(edge): State<Edge>,
    Staff(caller): Staff,
    headers: HeaderMap,
    Json(request): Json<BookVisit>,
) -> Result<(StatusCode, HeaderMap, axum::Json<BookedVisit>), Problem> {
    let key = idempotency_key(&headers)?;
    let booked = booking::book(&edge.app, &caller, &request, key, &digest(&request)).await?;
    let links = booked.links.iter().map(|link| VisitLink {
        participant: link.participant,
        url: link_url(&edge, &link.token),
    });
    let replay = booked
        .replayed
        .then_some((REPLAY, axum::http::HeaderValue::from_static("true")));
    let body = BookedVisit {
        links: links.collect(),
        visit: super::with_room(&edge, &caller, booked.visit),
    };
    Ok((StatusCode::CREATED, replay.into_iter().collect(), axum::Json(body)))
}

fn idempotency_key(headers: &HeaderMap) -> Result<&str, Problem> {
    let printable =
        |text: &&str| (1..=MAX_KEY_CHARS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    headers.get(&KEY).and_then(|value| value.to_str().ok()).filter(printable).ok_or_else(|| {
        let detail = "Send the header Idempotency-Key with 1 to 128 printable ASCII characters, new for every booking and the \
                      same for its repetitions.";
        Problem::new(Code::IdempotencyKeyMissing, detail)
    })
}

/// The same for every spelling of the same request.
fn digest(request: &BookVisit) -> String {
    let plain = serde_json::to_vec(request).expect("plain fields always have a JSON form");
    URL_SAFE_NO_PAD.encode(Sha256::digest(plain))
}
