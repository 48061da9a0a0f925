//! Instants as text.

use super::{
    database::timestamp,
    text::{excerpt, text_form},
};
use crate::UnixSeconds;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// An instant that reads and prints as RFC 3339 in UTC with whole seconds: `2027-03-14T17:00:00Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UtcText(pub UnixSeconds);

/// A text that is no such instant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not an instant in UTC such as 2027-03-14T17:00:00Z")]
pub struct InvalidUtcText(pub String);

impl FromStr for UtcText {
    type Err = InvalidUtcText;
    fn from_str(text: &str) -> Result<Self, InvalidUtcText> {
        // jiff reads more forms than this one, so only what it would print again is taken.
        let at = text
            .parse::<jiff::Timestamp>()
            .ok()
            .map(|at| Self(UnixSeconds(at.as_second())));
        at.filter(|at| at.to_string() == text)
            .ok_or_else(|| InvalidUtcText(excerpt(text)))
    }
}

impl fmt::Display for UtcText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        timestamp(self.0).fmt(f)
    }
}

text_form!(UtcText, InvalidUtcText);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_read_back_what_they_print() {
        let at: UtcText = "2027-03-14T17:00:00Z".parse().unwrap();
        assert_eq!(at.0, UnixSeconds(1_805_043_600));
        assert_eq!(at.to_string(), "2027-03-14T17:00:00Z");
        for bad in [
            "2027-03-14T17:00Z",
            "2027-03-14T17:00:00",
            "2027-03-14T18:00:00+01:00",
            "2027-03-14T17:00:00.5Z",
        ] {
            assert!(bad.parse::<UtcText>().is_err(), "{bad:?}");
        }
    }
}
