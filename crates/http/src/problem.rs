//! What a request that failed is answered: `application/problem+json` (RFC 9457) with a stable code.
//!
//! This is the one place that gives a code its status. A [`Problem`] travels as an extension of an empty answer;
//! [`crate::exchange`] writes its body, since only there the request's id is known, and logs what stays inside.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use heliograph_app::Coded;
use heliograph_app::booking::{Alternative, Busy, Candidate};
use heliograph_app::view::FieldError;
use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:ident, $title:literal;)*) => {
        /// The stable name of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[schema(as = ProblemCode)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            #[cfg(test)]
            const ALL: &[Code] = &[$(Code::$name,)*];

            /// The name on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            fn named(text: &str) -> Option<Code> {
                match text { $($text => Some(Code::$name),)* _ => None }
            }

            /// The status of answers with this code.
            pub fn status(self) -> StatusCode {
                match self { $(Code::$name => StatusCode::$status,)* }
            }

            /// The same for every occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// The body is no JSON.
    BadJson = "bad_json", BAD_REQUEST, "The body is not valid JSON";
    /// A booking has no `Idempotency-Key`, or an unusable one.
    IdempotencyKeyMissing = "idempotency_key_missing", BAD_REQUEST, "The Idempotency-Key header is missing or unusable";
    /// The socket does not speak `heliograph.v1`, or the request asks for no upgrade.
    BadUpgrade = "bad_upgrade", BAD_REQUEST, "The WebSocket can't be opened";
    /// Nobody is signed in.
    Unauthorized = "unauthorized", UNAUTHORIZED, "Nobody is signed in";
    /// Another device was first to redeem the link.
    OtherDevice = "other_device", UNAUTHORIZED, "The link is bound to another device";
    /// The caller's roles do not allow it.
    Forbidden = "forbidden", FORBIDDEN, "Not allowed for your role";
    /// The page that sent the request is not one of ours.
    ForeignOrigin = "foreign_origin", FORBIDDEN, "The request comes from another site";
    /// There is no such thing, or not for the caller.
    NotFound = "not_found", NOT_FOUND, "Not found";
    /// The link is unknown, malformed or outdated.
    LinkUnknown = "link_unknown", NOT_FOUND, "This link is not valid";
    /// The path exists, for other methods.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The path does not know this method";
    /// Someone's time is already taken.
    SlotTaken = "slot_taken", CONFLICT, "Someone's time is already taken";
    /// The visit has changed since the caller looked at it.
    VisitChanged = "visit_changed", CONFLICT, "The visit has changed meanwhile";
    /// The visit was called off.
    VisitCancelled = "visit_cancelled", GONE, "The visit was called off";
    /// The visit is over.
    TooLate = "too_late", GONE, "The visit is over";
    /// The body is longer than the limit.
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body is not said to be JSON.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body must be application/json";
    /// A field is missing, unknown, or has a value that makes no sense.
    InvalidRequest = "invalid_request", UNPROCESSABLE_ENTITY, "A field is not valid";
    /// The clocks of the zone show this time twice.
    WallTimeAmbiguous = "wall_time_ambiguous", UNPROCESSABLE_ENTITY, "The clocks show this time twice";
    /// The clocks of the zone skip this time.
    WallTimeMissing = "wall_time_missing", UNPROCESSABLE_ENTITY, "The clocks skip this time";
    /// The key was used for another body.
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another request";
    /// Too many links from the caller's address were wrong.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many wrong links";
    /// A fault of the service's own; its cause is in the log under the request id.
    Internal = "internal", INTERNAL_SERVER_ERROR, "A fault of the service";
    /// The database can't be reached; the same request may succeed later.
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE, "The database can't be reached";
    /// Another node has a newer time zone database, so this one must not book.
    TzdbOutdated = "tzdb_outdated", SERVICE_UNAVAILABLE, "The time zone database is outdated";
    /// The answer took too long.
    TimedOut = "timed_out", SERVICE_UNAVAILABLE, "The answer took too long";
}

/// The body of a failed request (RFC 9457 section 3). The lists are there only with the codes that name them.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// The code as a URI.
    #[schema(example = "urn:problem-type:heliograph:slot_taken")]
    pub r#type: String,
    /// The same for every occurrence of the code.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The stable name of the problem.
    pub code: Code,
    /// What happened this time, and how to mend it.
    pub detail: String,
    /// The name of the request in the logs.
    pub request_id: String,
    /// What is not valid or not known, by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
    /// With `wall_time_ambiguous` and `wall_time_missing`: the two instants that may be meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub candidates: Vec<Candidate>,
    /// With `slot_taken`: whose time is taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub conflicts: Vec<Busy>,
    /// With `slot_taken`: the next free starts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub alternatives: Vec<Alternative>,
}

/// A failed request, before its id is known.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    detail: String,
    lists: Box<Lists>,
    cause: Option<String>,
}

/// What goes with some of the codes.
#[derive(Debug, Clone, Default)]
struct Lists {
    errors: Vec<FieldError>,
    candidates: Vec<Candidate>,
    conflicts: Vec<Busy>,
    alternatives: Vec<Alternative>,
}

impl Problem {
    /// A problem with what happened this time.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            lists: Box::default(),
            cause: None,
        }
    }

    /// The problem that an error of `app` is. What is inside a fault of our own goes to the log and never to the caller.
    pub fn of(error: &(impl Coded + fmt::Display)) -> Self {
        match Code::named(error.code()) {
            None => Self::internal(format!("no status is known for the code {}: {error}", error.code())),
            Some(Code::Internal) => Self::internal(error),
            Some(code @ (Code::StoreUnavailable | Code::TzdbOutdated)) => {
                let detail = "The service can't do this at the moment. Try again in a few seconds.";
                Self::new(code, detail).caused_by(error)
            }
            Some(code) => Self::new(code, sentence(&error.to_string())),
        }
    }

    /// A fault of our own: the cause goes to the log and never to the caller.
    pub fn internal(cause: impl fmt::Display) -> Self {
        let detail = "The service could not do this. Try again; if it stays, tell the operator the request id.";
        Self::new(Code::Internal, detail).caused_by(cause)
    }

    /// Fields that are not valid.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let told = |error: &FieldError| format!("{}: {}", error.field, error.message);
        let detail = errors.iter().map(told).collect::<Vec<_>>().join("; ");
        let mut problem = Self::new(Code::InvalidRequest, detail);
        problem.lists.errors = errors;
        problem
    }

    /// One field that is not valid.
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let (field, message) = (field.into(), message.into());
        Self::invalid(vec![FieldError { field, message }])
    }

    /// Nothing of that id, for this caller.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "There is nothing here, or nothing that you may see.")
    }

    #[must_use]
    pub(crate) fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.lists.errors = errors;
        self
    }

    #[must_use]
    pub(crate) fn with_candidates(mut self, candidates: Vec<Candidate>) -> Self {
        self.lists.candidates = candidates;
        self
    }

    #[must_use]
    pub(crate) fn with_conflicts(mut self, conflicts: Vec<Busy>, alternatives: Vec<Alternative>) -> Self {
        self.lists.conflicts = conflicts;
        self.lists.alternatives = alternatives;
        self
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// What stays inside.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    pub(crate) fn into_body(self, request_id: &str) -> ProblemBody {
        ProblemBody {
            r#type: format!("urn:problem-type:heliograph:{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            code: self.code,
            detail: self.detail,
            request_id: request_id.to_owned(),
            errors: self.lists.errors,
            candidates: self.lists.candidates,
            conflicts: self.lists.conflicts,
            alternatives: self.lists.alternatives,
        }
    }

    fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        if self.code.status() == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_code_is_what_serde_writes() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert_eq!(Code::named(code.as_str()), Some(*code));
        }
    }

    #[test]
    fn the_documentation_has_every_code_with_its_status() {
        let page = include_str!("../../../docs/API.md");
        let rows = Code::ALL
            .iter()
            .map(|code| format!("| `{}` | {} |", code.as_str(), code.status().as_u16()));
        let missing: Vec<_> = rows.filter(|row| !page.contains(row)).collect();
        assert!(missing.is_empty(), "docs/API.md lacks {missing:?}");
    }

    #[test]
    fn a_cause_stays_inside() {
        let problem = Problem::internal("row 7 of table visit");
        assert_eq!(problem.cause(), Some("row 7 of table visit"));
        let body = serde_json::to_string(&problem.into_body("r-1")).unwrap();
        assert!(!body.contains("row 7") && body.contains("r-1"), "{body}");
    }

    #[test]
    fn lists_are_absent_when_empty() {
        let body = serde_json::to_value(Problem::not_found().into_body("r-1")).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "urn:problem-type:heliograph:not_found", "title": "Not found", "status": 404, "code": "not_found",
                "detail": "There is nothing here, or nothing that you may see.", "request_id": "r-1"
            })
        );
    }
}
