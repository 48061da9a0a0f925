//! The description of the API, and of the messages of the WebSocket that belongs to it.

use crate::problem::ProblemBody;
use heliograph_protocol as protocol;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// All that the routes do not name themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Heliograph",
        description = "Video visits between patients and physicians in different time zones.\n\n\
            Instants are integers: seconds (`…_s`) or milliseconds (`…_ms`) since 1970 in UTC. Every answer has the header \
            `x-request-id`, and what fails is answered `application/problem+json` with a stable `code`.\n\n\
            The schemas `ClientMessage` and `ServerMessage` with `Header` are the frames of the WebSocket at `/ws`, \
            subprotocol `heliograph.v1`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "session", description = "Who is signed in"),
        (name = "visits", description = "Booking and the day's visits"),
        (name = "links", description = "What patients, guests and interpreters come in by"),
        (name = "room", description = "The way into a visit's room"),
        (name = "operation", description = "Health and figures")
    ),
    modifiers(&StaffCookie),
    components(schemas(
        ProblemBody,
        protocol::ClientMessage,
        protocol::ServerMessage,
        protocol::Header,
        protocol::Hello,
        protocol::RoomView,
        protocol::Member,
        protocol::Waiting,
        protocol::ChatLine,
        protocol::DeskVisit,
        protocol::Limits,
        protocol::Timers,
        protocol::ErrorCode
    ))
)]
pub(crate) struct Description;

struct StaffCookie;

impl Modify for StaffCookie {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let text = "Set by `POST /api/v1/session`.";
        let scheme = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description("__Host-hg_staff", text)));
        description
            .components
            .get_or_insert_default()
            .add_security_scheme("staff", scheme);
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    /// `cargo xtask gen` writes the file, from which the types of the web client are made.
    #[test]
    fn the_description_in_the_repository_is_up_to_date() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            kept == crate::openapi_json(),
            "docs/openapi.json is out of date: run `cargo xtask gen`"
        );
    }

    #[test]
    fn every_reference_leads_to_a_schema() {
        let text = crate::openapi_json();
        let description: serde_json::Value = serde_json::from_str(&text).unwrap();
        let schemas = description["components"]["schemas"].as_object().unwrap();
        let named = text
            .split("\"#/components/schemas/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        let missing: Vec<_> = named.filter(|name| !schemas.contains_key(*name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        for name in [
            "ClientMessage",
            "ServerMessage",
            "Header",
            "RoomView",
            "DeskVisit",
            "ErrorCode",
            "IceServer",
        ] {
            assert!(schemas.contains_key(name), "{name}");
        }
    }
}
