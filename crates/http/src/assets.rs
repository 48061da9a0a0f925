//! The web client: its two pages, and the files that they load. All are part of the binary; a debug build reads them
//! from `web-client/dist`.

use crate::{Edge, problem::Problem};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rust_embed::{EmbeddedFile, RustEmbed};
use std::borrow::Cow;

#[derive(RustEmbed)]
#[folder = "../../web-client/dist"]
#[allow_missing = true]
struct Files;

/// Names under `/assets/` have a digest of their content in them.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

const VISIT_PAGE: &str = "visit.html";
const DESK_PAGE: &str = "desk.html";

/// Whether the web client was built.
pub fn web_client_present() -> bool {
    [VISIT_PAGE, DESK_PAGE]
        .into_iter()
        .all(|name| Files::get(name).is_some())
}

/// `GET /`
pub(crate) async fn root() -> Redirect {
    Redirect::temporary("/desk/")
}

/// `GET /v/`: the page of a visit link. The link's token lies in the fragment, which no browser sends.
pub(crate) async fn visit(State(edge): State<Edge>, headers: HeaderMap) -> Response {
    page(VISIT_PAGE, edge.simulate, &headers)
}

/// `GET /desk/`: the page of the staff.
pub(crate) async fn desk(State(edge): State<Edge>, headers: HeaderMap) -> Response {
    page(DESK_PAGE, edge.simulate, &headers)
}

/// `GET /assets/…`, and every path that no route knows: a file of the web client, or nothing.
pub(crate) async fn other(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let name = uri.path().trim_start_matches('/');
    let is_page = std::path::Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "html");
    let file = if uri.path().starts_with("/api/") || is_page {
        None
    } else {
        Files::get(name)
    };
    match file {
        Some(file) if matches!(method, Method::GET | Method::HEAD) => {
            let caching = if name.starts_with("assets/") {
                IMMUTABLE
            } else {
                ASK_AGAIN
            };
            let kind = mime_guess::from_path(name).first_or_octet_stream();
            serve(&digest(&file), file.data, &headers, kind.as_ref(), caching)
        }
        Some(_) | None => Problem::not_found().into_response(),
    }
}

fn page(name: &str, simulate: bool, headers: &HeaderMap) -> Response {
    let kind = "text/html; charset=utf-8";
    match Files::get(name) {
        Some(file) if simulate => {
            let name = format!("{}.simulate", digest(&file));
            serve(&name, marked(&file.data), headers, kind, ASK_AGAIN)
        }
        Some(file) => serve(&digest(&file), file.data, headers, kind, ASK_AGAIN),
        None => not_built(),
    }
}

/// The page of a development service: what it loads makes its sockets fail when it is asked to.
fn marked(page: &[u8]) -> Cow<'static, [u8]> {
    const HEAD_ENDS: &str = "</head>";
    let mark = format!("<meta name=\"heliograph-simulate\" content=\"true\" />{HEAD_ENDS}");
    let page = String::from_utf8_lossy(page).replacen(HEAD_ENDS, &mark, 1);
    Cow::Owned(page.into_bytes())
}

fn digest(file: &EmbeddedFile) -> String {
    URL_SAFE_NO_PAD.encode(&file.metadata.sha256_hash()[..16])
}

/// A file with that content. `name` is another one for each other content.
fn serve(name: &str, content: Cow<'static, [u8]>, headers: &HeaderMap, kind: &str, caching: HeaderValue) -> Response {
    // Weak, since the compressed form is the same file in other bytes.
    let tag = format!("W/\"{name}\"");
    let meta = [
        (header::ETAG, HeaderValue::from_str(&tag).ok()),
        (header::CACHE_CONTROL, Some(caching)),
        (header::CONTENT_TYPE, HeaderValue::from_str(kind).ok()),
    ];
    let meta: HeaderMap = meta
        .into_iter()
        .filter_map(|(name, value): (HeaderName, _)| Some((name, value?)))
        .collect();
    if has(headers, &tag) {
        (StatusCode::NOT_MODIFIED, meta).into_response()
    } else {
        (meta, content).into_response()
    }
}

/// Whether the browser has the file already (RFC 9110 section 13.1.2).
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    known.split(',').any(|known| known.trim() == tag)
}

fn not_built() -> Response {
    const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Heliograph</title>\
        <h1>The web client was not built</h1>\
        <p>This program was compiled without its pages. Build them with <code>cd web-client &amp;&amp; npm ci &amp;&amp; \
        npm run build</code>, compile the server again, and reload this page. <code>cargo xtask run</code> does all of it.</p>";
    (StatusCode::SERVICE_UNAVAILABLE, Html(PAGE)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_that_has_the_file_is_recognised() {
        let has = |value: &'static str| {
            super::has(
                &HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(value))]),
                "W/\"abc\"",
            )
        };
        assert!(has("W/\"abc\"") && has("\"x\", W/\"abc\""));
        assert!(!has("W/\"abd\"") && !has("abc") && !has(""));
        assert!(!super::has(&HeaderMap::new(), "W/\"abc\""));
    }

    #[test]
    fn the_mark_of_a_development_service_stands_in_the_head() {
        let page = b"<html><head><title>A</title></head><body></head></body></html>";
        let marked = String::from_utf8(marked(page).into_owned()).unwrap();
        let mark = "<title>A</title><meta name=\"heliograph-simulate\" content=\"true\" /></head><body></head>";
        assert!(marked.contains(mark), "{marked}");
    }
}
