//! Bodies of requests: JSON that is said to be JSON, within the limit, with known fields only.

use crate::problem::{Code, Problem};
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, rejection::BytesRejection};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::{DeserializeOwned, IgnoredAny};

/// A body that was read into `T`. A field that is unknown or of the wrong form is named in the answer.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !says_json(request.headers()) {
            let detail = "Send the body with the header Content-Type: application/json.";
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| unread(&rejection))?;
        parse(&body).map(Json)
    }
}

fn says_json(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn unread(rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(
            Code::TooLarge,
            format!("The body may have {} bytes at most.", crate::BODY_BYTES),
        )
    } else {
        Problem::new(Code::BadJson, "The body ended before it was complete.")
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice::<IgnoredAny>(body).map_err(|error| bad_json(&error))?;
    // A list would do for a struct whose fields come in order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::invalid_field("(body)", "expected an object"));
    }
    let mut source = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut source).map_err(|error| {
        let path = error.path().to_string();
        let message = without_place(error.inner());
        Problem::invalid_field(field(&path, &message), plainly(&message))
    })
}

/// serde's message in the words of people: the types of Rust are nothing that a caller knows.
pub(crate) fn plainly(message: &str) -> String {
    let expected = |kind: &str| {
        match kind {
            "i8" | "i16" | "i32" | "i64" => "a whole number",
            "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of 0 or more",
            "a string" => "a text",
            "a boolean" => "true or false",
            "a sequence" => "a list",
            kind if kind.starts_with("struct ") || kind.starts_with("internally tagged enum") => "an object",
            kind if kind.starts_with("enum ") || kind.starts_with("variant ") => "one of the words of the description",
            other => other,
        }
        .to_owned()
    };
    let listed = |known: &str| known.replace("one of ", "").replace('`', "");
    if message.starts_with("missing field") {
        return "is missing".to_owned();
    }
    if message.starts_with("duplicate field") {
        return "stands there twice".to_owned();
    }
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let known = rest.split_once(", expected ").map(|(_, known)| listed(known));
        return match known {
            Some(known) => format!("there is no such field; expected {known}"),
            None => "there is no such field".to_owned(),
        };
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let known = rest
            .split_once(", expected ")
            .map_or(String::new(), |(_, known)| listed(known));
        return format!("expected {known}");
    }
    let mismatch = message.starts_with("invalid type: ") || message.starts_with("invalid value: ");
    match message.rsplit_once(", expected ") {
        Some((_, kind)) if mismatch => format!("expected {}", expected(kind)),
        Some(_) | None => message.to_owned(),
    }
}

fn bad_json(error: &serde_json::Error) -> Problem {
    Problem::new(Code::BadJson, format!("The body is not valid JSON: {error}."))
}

/// Where the fault is. A field that is missing has no place of its own.
fn field(path: &str, message: &str) -> String {
    let path = if path == "." { "" } else { path };
    let missing = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'));
    match (path, missing) {
        ("", None) => "(body)".to_owned(),
        (path, None) => path.to_owned(),
        ("", Some(name)) => name.to_owned(),
        (path, Some(name)) => format!("{path}.{name}"),
    }
}

/// The message without `at line 1 column 30`: the field's name says more.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its form matters here")]
        people: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its form matters here")]
        age: u8,
    }

    fn problem(body: &str) -> (Code, String, Vec<String>) {
        let problem = parse::<Outer>(body.as_bytes()).unwrap_err();
        let code = problem.code();
        let body = problem.into_body("r");
        (
            code,
            body.detail,
            body.errors.into_iter().map(|error| error.field).collect(),
        )
    }

    #[test]
    fn a_wrong_field_is_named() {
        let (code, detail, fields) = problem(r#"{"people": [{"age": 3}, {"age": "x"}]}"#);
        assert_eq!((code, fields), (Code::InvalidRequest, vec!["people[1].age".to_owned()]));
        assert_eq!(detail, "people[1].age: expected a whole number of 0 or more");
        assert_eq!(
            problem(r#"{"people": [7]}"#).1,
            "people[0]: expected an object",
            "no Rust type"
        );
        assert_eq!(problem(r#"{"people": "x"}"#).1, "people: expected a list");
        let (code, detail, _) = problem(r#"{"people": [], "pets": 1}"#);
        assert_eq!(
            (code, detail.as_str()),
            (Code::InvalidRequest, "pets: there is no such field; expected people")
        );
        assert_eq!(problem("{}").2, ["people"]);
        assert_eq!(problem("{}").1, "people: is missing");
        assert_eq!(problem(r#"{"people": [{}]}"#).2, ["people[0].age"]);
        assert_eq!(problem("[]").2, ["(body)"]);
    }

    #[test]
    fn what_is_no_json_is_bad_json() {
        for body in ["", "{", "{}x", "people=1", r#"{"people": [],}"#] {
            assert_eq!(problem(body).0, Code::BadJson, "{body:?}");
        }
        assert_eq!(problem(r#"{"people": []} {}"#).0, Code::BadJson);
    }
}
