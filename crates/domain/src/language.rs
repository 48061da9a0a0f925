//! Languages as BCP 47 tags (RFC 5646), sign languages too.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// A well-formed BCP 47 tag of at most 35 characters in its usual case, such as `en`, `pt-BR`, `ase`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct Language(String);

/// A text that is no language tag.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a BCP 47 language tag, such as en, pt-BR or ase")]
pub struct InvalidLanguage(pub String);

impl Language {
    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Language {
    type Err = InvalidLanguage;
    fn from_str(text: &str) -> Result<Self, InvalidLanguage> {
        if text.len() > 35 {
            return Err(InvalidLanguage(text.chars().take(35).collect()));
        }
        oxilangtag::LanguageTag::parse_and_normalize(text)
            .map(|tag| Self(tag.into_inner()))
            .map_err(|_| InvalidLanguage(text.to_owned()))
    }
}

impl TryFrom<String> for Language {
    type Error = InvalidLanguage;
    fn try_from(text: String) -> Result<Self, InvalidLanguage> {
        text.parse()
    }
}

impl From<Language> for String {
    fn from(language: Language) -> String {
        language.0
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_take_their_usual_case() {
        assert_eq!("PT-br".parse::<Language>().unwrap().as_str(), "pt-BR");
        assert_eq!("ase".parse::<Language>().unwrap().as_str(), "ase");
        for bad in ["", "english please", "e", "en_", "12"] {
            assert!(bad.parse::<Language>().is_err(), "{bad:?}");
        }
    }
}
