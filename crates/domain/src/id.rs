//! Identifiers. All but [`ResourceId`] are text on the wire, in the database and in logs; none tells anything about a person.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;
use uuid::Uuid;

/// A text that is no id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a valid {kind}: {why}")]
pub struct InvalidId {
    /// What was expected, such as "visit id".
    pub kind: &'static str,
    /// What is wrong with the text.
    pub why: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = Uuid)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a time-ordered id (UUID version 7, RFC 9562 section 5.7) from an instant and ten random bytes.
            pub fn from_parts(at: crate::UnixMillis, random: &[u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(at.0.unsigned_abs(), random).into_uuid())
            }

            /// The instant that a time-ordered id was made at; of another kind of UUID it tells nothing.
            pub fn made_at(&self) -> crate::UnixMillis {
                let ms = self.0.as_bytes()[..6].iter().fold(0, |ms, byte| ms << 8 | i64::from(*byte));
                crate::UnixMillis(ms)
            }

            /// The sixteen bytes of the id.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id that these sixteen bytes spell.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId { kind: $kind, why: "expected a UUID" })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    };
}

uuid_id!(
    /// A booked visit; its room has the same id.
    VisitId, "visit id"
);
uuid_id!(
    /// One person's place in one visit; in a room it is the seat.
    ParticipantId, "participant id"
);
uuid_id!(
    /// A person whom an institution knows: a patient, a physician, an interpreter, a relative.
    PersonId, "person id"
);
uuid_id!(
    /// What can be booked: a kind of visit with a length and buffers.
    ServiceId, "service id"
);

/// The calendar of one human across all institutions; what a claim is made on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceId(pub i64);

/// An institution: a lower-case name of 2 to 40 letters, digits and hyphens that starts with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct TenantId(String);

/// One life of a page: 8 to 64 of `A–Z a–z 0–9 _ -`, chosen by the client at random.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct SessionId(String);

macro_rules! text_id {
    ($name:ident, $kind:literal, $min:literal..=$max:literal, $ok:expr, $why:literal) => {
        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let ok: fn(&str) -> bool = $ok;
                if ($min..=$max).contains(&text.len()) && ok(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidId {
                        kind: $kind,
                        why: $why,
                    })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    TenantId,
    "institution id",
    2..=40,
    |t| t.starts_with(|c: char| c.is_ascii_lowercase())
        && t.chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
    "expected 2 to 40 lower-case letters, digits or hyphens, starting with a letter"
);
text_id!(
    SessionId,
    "session id",
    8..=64,
    |t| t.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'),
    "expected 8 to 64 letters, digits, underscores or hyphens"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UnixMillis;

    #[test]
    fn ids_of_a_later_instant_sort_later() {
        let a = VisitId::from_parts(UnixMillis(1_000), &[0xff; 10]);
        let b = VisitId::from_parts(UnixMillis(1_001), &[0; 10]);
        assert!(a < b);
        assert_eq!(a.to_string().parse(), Ok(a));
        assert_eq!(a.made_at(), UnixMillis(1_000));
    }

    #[test]
    fn text_ids_refuse_what_could_break_a_key_or_a_line() {
        for bad in [
            "",
            "a",
            "Cedar",
            "1cedar",
            "cedar street",
            "cedar\n",
            "a{b}",
            &"a".repeat(41),
        ] {
            assert!(bad.parse::<TenantId>().is_err(), "{bad:?}");
        }
        assert!("cedar-street".parse::<TenantId>().is_ok());
        for bad in ["short", "has space", "semi;colon", "k:abcdefgh", &"a".repeat(65)] {
            assert!(bad.parse::<SessionId>().is_err(), "{bad:?}");
        }
    }
}
