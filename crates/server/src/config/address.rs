//! Values that are more than a text.

use serde::{Deserialize, Serialize};
use std::{fmt, net::SocketAddr};
use tracing_subscriber::EnvFilter;

/// An address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Listen(pub SocketAddr);

impl Default for Listen {
    fn default() -> Self {
        Self(SocketAddr::from(([127, 0, 0, 1], 8080)))
    }
}

impl TryFrom<String> for Listen {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
            .map(Self)
            .map_err(|_| "expected an address and a port, such as 127.0.0.1:8080 or [::]:8080")
    }
}

impl From<Listen> for String {
    fn from(listen: Listen) -> String {
        listen.0.to_string()
    }
}

/// The address of a database; it may hold a password, and prints without it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The whole address.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let known = ["sqlite:", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| text.starts_with(scheme));
        if known {
            Ok(Self(text))
        } else {
            Err("expected sqlite:<path> or postgres://<user>@<host>/<name>")
        }
    }
}

impl From<DatabaseUrl> for String {
    fn from(url: DatabaseUrl) -> String {
        url.0
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What follows `?` may hold a password as well.
        let (address, options) = self
            .0
            .split_once('?')
            .map_or((self.0.as_str(), ""), |(address, _)| (address, "?…"));
        let hidden = address.split_once("://").and_then(|(scheme, rest)| {
            let (login, place) = rest.rsplit_once('@')?;
            let (user, _) = login.split_once(':')?;
            Some(format!("{scheme}://{user}:…@{place}"))
        });
        write!(f, "{}{options}", hidden.as_deref().unwrap_or(address))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogLevel(String);

impl LogLevel {
    /// The filter that it describes.
    pub fn filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

impl Default for LogLevel {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl TryFrom<String> for LogLevel {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        // A lone word that is no level is taken for the name of a module by the filter, which then logs nothing.
        let levels = ["off", "error", "warn", "info", "debug", "trace"];
        let lone = text.split(',').find(|part| !part.contains('=')).unwrap_or("off").trim();
        let good = levels.contains(&lone) && EnvFilter::builder().parse(&text).is_ok();
        if good {
            Ok(Self(text))
        } else {
            Err("expected error, warn, info, debug or trace, or a list such as info,heliograph_signaling=debug")
        }
    }
}

impl From<LogLevel> for String {
    fn from(level: LogLevel) -> String {
        level.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_database_prints_without_its_password() {
        let shown = |text: &str| DatabaseUrl::try_from(text.to_owned()).unwrap().to_string();
        assert_eq!(
            shown("postgres://helio:s3cret@db:5432/helio"),
            "postgres://helio:…@db:5432/helio"
        );
        assert_eq!(shown("postgres://helio:p@ss@db/helio"), "postgres://helio:…@db/helio");
        assert_eq!(
            shown("postgres://helio@db/helio?password=s3cret"),
            "postgres://helio@db/helio?…"
        );
        assert_eq!(
            shown("sqlite:/var/lib/heliograph/a.sqlite3"),
            "sqlite:/var/lib/heliograph/a.sqlite3"
        );
        assert!(DatabaseUrl::try_from("mysql://a".to_owned()).is_err());
    }

    #[test]
    fn a_level_is_a_level_or_a_list() {
        for good in [
            "info",
            "warn,heliograph_signaling=debug",
            "heliograph_http=trace",
            "off",
        ] {
            assert!(LogLevel::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["verbose", "loud,heliograph_http=debug", "info,a=b=c"] {
            assert!(LogLevel::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
