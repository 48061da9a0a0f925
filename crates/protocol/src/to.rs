use heliograph_domain::{ParticipantId, entry::Audience};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Whom a client means: a participant id, `"*"` (everybody in the room) or `"staff"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum To {
    /// Everybody who is admitted.
    All,
    /// Whoever may admit.
    Staff,
    /// One participant.
    Seat(ParticipantId),
}

impl utoipa::PartialSchema for To {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        String::schema()
    }
}

impl utoipa::ToSchema for To {}

/// A text that names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`to` must be a participant id, \"*\" or \"staff\"")]
pub struct InvalidTo;

impl TryFrom<String> for To {
    type Error = InvalidTo;
    fn try_from(text: String) -> Result<Self, InvalidTo> {
        match text.as_str() {
            "*" => Ok(To::All),
            "staff" => Ok(To::Staff),
            seat => seat.parse().map(To::Seat).map_err(|_| InvalidTo),
        }
    }
}

impl From<To> for String {
    fn from(to: To) -> String {
        match to {
            To::All => "*".to_owned(),
            To::Staff => "staff".to_owned(),
            To::Seat(seat) => seat.to_string(),
        }
    }
}

impl From<To> for Audience {
    fn from(to: To) -> Audience {
        match to {
            To::All => Audience::All,
            To::Staff => Audience::Staff,
            To::Seat(seat) => Audience::Seat(seat),
        }
    }
}
