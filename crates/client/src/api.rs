//! The HTTP API.

use reqwest::{Method, StatusCode, header};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use thiserror::Error;

/// One browser's worth of HTTP: a base address and its cookies. A clone shares them.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    http: reqwest::Client,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

/// An answer of the service.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The headers.
    pub headers: header::HeaderMap,
    /// The JSON body; `Null` where there is none.
    pub body: Value,
}

/// A request that got no answer of the service's own.
#[derive(Debug, Error)]
pub enum ApiError {
    /// The line failed.
    #[error("the service can't be reached: {0}")]
    Line(#[from] reqwest::Error),
    /// The answer has another status than the caller needs.
    #[error("{method} {path} answered {status}: {body}")]
    Unexpected {
        /// What was asked.
        method: Method,
        /// Of which path.
        path: String,
        /// What came.
        status: StatusCode,
        /// With which body.
        body: Value,
    },
}

/// Connections that are kept for the next request.
const CONNECTIONS: usize = 1;

impl Api {
    /// A browser without cookies; `base` such as `http://127.0.0.1:8080`.
    pub fn new(base: &str) -> Api {
        let base = base.trim_end_matches('/').to_owned();
        Api {
            base,
            http: reqwest::Client::builder()
                .pool_max_idle_per_host(CONNECTIONS)
                .build()
                .expect("a client without certificates of its own"),
            cookies: Arc::default(),
        }
    }

    /// The same browser at another address of the service: cookies are shared.
    #[must_use]
    pub fn at(&self, base: &str) -> Api {
        Api {
            cookies: Arc::clone(&self.cookies),
            ..Api::new(base)
        }
    }

    /// The address without the path.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Asks, with the cookies kept so far; keeps those that come back.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, ApiError> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(cookies) = self.cookie_header() {
            request = request.header(header::COOKIE, cookies);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        self.keep(&headers);
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status, headers, body })
    }

    /// Posts JSON and expects success.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.expect(Method::POST, path, &[], Some(body)).await
    }

    /// Gets JSON and expects success.
    pub async fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.expect(Method::GET, path, &[], None).await
    }

    /// Books a visit under an idempotency key and expects success.
    pub async fn book(&self, key: &str, visit: &Value) -> Result<Value, ApiError> {
        self.expect(Method::POST, "/api/v1/visits", &[("idempotency-key", key)], Some(visit))
            .await
    }

    /// Signs a member of staff in with the token of a sign-in link.
    pub async fn sign_in(&self, token: &str) -> Result<(), ApiError> {
        self.post("/api/v1/session", &serde_json::json!({ "token": token }))
            .await
            .map(drop)
    }

    /// Redeems a visit's link: this browser is now the person's device.
    pub async fn redeem(&self, token: &str) -> Result<Value, ApiError> {
        self.post("/api/v1/links/redeem", &serde_json::json!({ "token": token }))
            .await
    }

    /// A ticket for a seat: `{visit, seat, role, name, ticket, expires_ms}`.
    pub async fn seat(&self, visit: &str) -> Result<Value, ApiError> {
        self.post(&format!("/api/v1/visits/{visit}/seat"), &serde_json::json!({}))
            .await
    }

    async fn expect(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, ApiError> {
        let answer = self.ask(method.clone(), path, headers, body).await?;
        if answer.status.is_success() {
            return Ok(answer.body);
        }
        Err(ApiError::Unexpected {
            method,
            path: path.to_owned(),
            status: answer.status,
            body: answer.body,
        })
    }

    fn cookie_header(&self) -> Option<String> {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { None } else { Some(pairs.join("; ")) }
    }

    /// A library's cookie jar would drop `Secure` cookies on loopback, which browsers keep.
    fn keep(&self, headers: &header::HeaderMap) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        for line in headers
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
        {
            let Some((name, value)) = line.split(';').next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            if value.is_empty() || line.to_ascii_lowercase().contains("max-age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
