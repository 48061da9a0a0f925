//! Which pages may send requests that change something, and open sockets.

use axum::http::{HeaderMap, Uri, header};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// A web origin (RFC 6454): scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin {
    https: bool,
    /// In lower case, IPv6 in brackets.
    host: String,
    port: u16,
}

/// A text that is no origin.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected an origin such as https://visits.example.org, without a path")]
pub struct InvalidOrigin;

impl Origin {
    /// The origin of a service that listens at an address, without TLS.
    pub fn http(address: std::net::SocketAddr) -> Self {
        let host = match address {
            std::net::SocketAddr::V4(v4) => v4.ip().to_string(),
            std::net::SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
        };
        Self {
            https: false,
            host,
            port: address.port(),
        }
    }

    /// Whether it is protected by TLS.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Whether a `Host` header, or an HTTP/2 authority, names the same host and port.
    fn is_at(&self, authority: &str) -> bool {
        let default = if self.https { 443 } else { 80 };
        split_port(authority)
            .is_some_and(|(host, port)| host.eq_ignore_ascii_case(&self.host) && port.unwrap_or(default) == self.port)
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;
    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(InvalidOrigin)?;
        let https = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(InvalidOrigin),
        };
        let (host, port) = split_port(authority).ok_or(InvalidOrigin)?;
        Ok(Self {
            https,
            host: host.to_ascii_lowercase(),
            port: port.unwrap_or(if https { 443 } else { 80 }),
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        match (self.https, self.port) {
            (true, 443) | (false, 80) => write!(f, "{scheme}://{}", self.host),
            (_, port) => write!(f, "{scheme}://{}:{port}", self.host),
        }
    }
}

impl TryFrom<String> for Origin {
    type Error = InvalidOrigin;
    fn try_from(text: String) -> Result<Self, InvalidOrigin> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.to_string()
    }
}

/// `host:port` as host and port, if it is no more than that.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => (&authority[..colon], Some(&authority[colon + 1..])),
        Some(_) | None => (authority, None),
    };
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let good = match bracketed {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(name),
    };
    let port = port.map(str::parse).transpose().ok()?;
    good.then_some((host, port))
}

/// The origins whose pages are ours.
#[derive(Debug, Clone)]
pub struct Origins {
    /// Where people reach the service.
    pub public: Origin,
    /// Others that the operator trusts.
    pub allowed: Vec<Origin>,
}

impl Origins {
    /// Whether a request comes from a page of ours, or from a program that is no browser.
    ///
    /// Browsers send `Origin` with every request that may change something, and with every socket. Without it, the
    /// other headers that only browsers send give one away.
    pub(crate) fn admit(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else {
            return !headers.contains_key("sec-fetch-site") && !headers.contains_key("sec-fetch-mode");
        };
        let Some(origin) = origin.to_str().ok().and_then(|text| text.parse::<Origin>().ok()) else {
            return false;
        };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let here = uri.authority().map(axum::http::uri::Authority::as_str).or(host);
        here.is_some_and(|here| origin.is_at(here)) || origin == self.public || self.allowed.contains(&origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn origins_read_and_print_alike() {
        for text in [
            "https://visits.example.org",
            "http://127.0.0.1:8080",
            "https://[::1]:8443",
            "http://a",
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), text);
        }
        assert_eq!(
            "https://A.example:443".parse::<Origin>().unwrap().to_string(),
            "https://a.example"
        );
        for bad in [
            "",
            "null",
            "a.example",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://u@a",
            "https://a:b",
            "https://[x]",
        ] {
            assert_eq!(bad.parse::<Origin>(), Err(InvalidOrigin), "{bad:?}");
        }
    }

    fn admits(pairs: &[(&'static str, &'static str)]) -> bool {
        let origins = Origins {
            public: "https://visits.example.org".parse().unwrap(),
            allowed: vec!["https://desk.example.org".parse().unwrap()],
        };
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        origins.admit(&Uri::from_static("/api/v1/session"), &headers.collect())
    }

    #[test]
    fn pages_of_ours_and_programs_are_admitted() {
        assert!(admits(&[]));
        assert!(admits(&[("host", "10.0.0.7:8080"), ("origin", "http://10.0.0.7:8080")]));
        assert!(admits(&[
            ("host", "inner:8080"),
            ("origin", "https://visits.example.org")
        ]));
        assert!(admits(&[
            ("host", "inner:8080"),
            ("origin", "https://desk.example.org")
        ]));
    }

    #[test]
    fn pages_of_others_are_not() {
        let host = ("host", "visits.example.org");
        for foreign in [
            "https://evil.example",
            "http://visits.example.org:81",
            "https://visits.example.org.evil.example",
            "null",
            "https://visits.example.org/",
        ] {
            assert!(!admits(&[host, ("origin", foreign)]), "{foreign}");
        }
        assert!(!admits(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(!admits(&[host, ("sec-fetch-mode", "navigate")]));
    }
}
