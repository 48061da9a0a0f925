//! A whole service without a socket, and the demo clinic in it.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header::SET_COOKIE};
use heliograph_access::staff_link::{self, StaffLink};
use heliograph_access::{Keys, Secret};
use heliograph_app::demo::{self, Demo};
use heliograph_domain::clock::{Clock, Entropy};
use heliograph_domain::zone::Tzdb;
use heliograph_domain::{TenantId, UnixMillis};
use heliograph_http::{Edge, Guesses, Origins};
use heliograph_server::{Dependencies, Service};
use heliograph_signaling::Settings;
use heliograph_store::Store;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// 2027-02-01T12:00:00Z, a Monday.
pub const START_MS: i64 = 1_801_483_200_000;
pub const PUBLIC: &str = "https://visits.example.org";

/// A clock that stands until it is moved.
pub struct Hands(AtomicI64);

impl Hands {
    pub fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }
}

impl Clock for Hands {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::Relaxed))
    }
}

/// Never the same bytes twice (SplitMix64).
struct Steps(AtomicU64);

impl Entropy for Steps {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

pub struct Clinic {
    pub demo: Demo,
    pub service: Service,
    pub clock: Arc<Hands>,
    pub stop: CancellationToken,
    pub folder: TempDir,
    router: axum::Router,
}

impl Clinic {
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/test.sqlite3", folder.path().display());
        let store = Store::open(&url).await.unwrap();
        store.migrate().await.unwrap();
        let clock = Arc::new(Hands(AtomicI64::new(START_MS)));
        let keys = Keys::new(Secret::new(vec![7; 32]).unwrap(), Vec::new());
        let entropy = Arc::new(Steps(AtomicU64::new(1)));
        let service = Service::new(store, keys, Tzdb::bundled(), clock.clone(), entropy)
            .await
            .unwrap();
        let demo = demo::create(&service.app).await.unwrap();
        let stop = CancellationToken::new();
        let rooms = service.rooms(Settings::default(), None, false, stop.clone(), &TaskTracker::new());
        let readiness = Dependencies {
            store: service.store.clone(),
            tzdb: service.tzdb.clone(),
            clock: clock.clone(),
            stop: stop.clone(),
        };
        let router = heliograph_http::router(Edge {
            app: service.app.clone(),
            rooms,
            frame_bytes: 65_536,
            proxies: Arc::new([]),
            guesses: Guesses::default(),
            origins: Arc::new(Origins {
                public: PUBLIC.parse().unwrap(),
                allowed: vec!["https://desk.example.org".parse().unwrap()],
            }),
            entropy: service.entropy.clone(),
            readiness: Arc::new(readiness),
            figures: PrometheusBuilder::new().build_recorder().handle(),
            simulate: false,
        });
        Self {
            demo,
            service,
            clock,
            stop,
            folder,
            router,
        }
    }

    pub async fn send(&self, call: Call) -> Answer {
        let response = self.router.clone().oneshot(call.request()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// Serves a real port for as long as the test runs.
    pub async fn listen(&self) -> std::net::SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = self.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    /// The cookie of a new session.
    pub async fn sign_in(&self, token: &str) -> String {
        let answer = self
            .send(post("/api/v1/session").json(&serde_json::json!({"token": token})))
            .await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
        answer.cookie()
    }

    pub async fn scheduler(&self) -> String {
        self.sign_in(&self.demo.scheduler.token).await
    }

    pub async fn physician(&self) -> String {
        self.sign_in(&self.demo.physician.token).await
    }

    pub async fn stranger(&self) -> String {
        self.sign_in(&self.demo.stranger.token).await
    }

    /// Sofía Ruiz of the interpreted visit, who could sign in too.
    pub async fn interpreter(&self) -> String {
        let visit = &self.visits("cedar-street").await[2];
        let link = StaffLink {
            institution: "cedar-street".parse().unwrap(),
            person: visit.participants[2].person,
            expires_s: self.clock.now().seconds().plus(60),
        };
        self.sign_in(&staff_link::mint(&self.service.keys, &link)).await
    }

    /// The ids of an institution's visits, by start.
    pub async fn visits(&self, institution: &str) -> Vec<heliograph_domain::visit::Visit> {
        let institution: TenantId = institution.parse().unwrap();
        let soon = heliograph_domain::visit::Span::of(self.clock.now().seconds(), 7 * 86_400);
        self.service.store.visits_between(&institution, soon).await.unwrap()
    }
}

/// A request under construction.
#[derive(Clone)]
pub struct Call {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

pub fn call(method: Method, path: &str) -> Call {
    Call {
        method,
        path: path.to_owned(),
        headers: Vec::new(),
        body: String::new(),
    }
}

pub fn get(path: &str) -> Call {
    call(Method::GET, path)
}

pub fn post(path: &str) -> Call {
    call(Method::POST, path)
}

impl Call {
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn cookie(self, cookie: &str) -> Self {
        self.header("cookie", cookie)
    }

    pub fn json(self, body: &Value) -> Self {
        self.text(&body.to_string())
    }

    pub fn text(self, body: &str) -> Self {
        let mut call = self.header("content-type", "application/json");
        body.clone_into(&mut call.body);
        call
    }

    fn request(self) -> Request<Body> {
        let mut request = Request::builder().method(self.method).uri(self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        request.body(self.body.into()).unwrap()
    }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Name and value of the cookie that it sets.
    pub fn cookie(&self) -> String {
        let line = self.headers[SET_COOKIE].to_str().unwrap();
        line.split(';').next().unwrap().to_owned()
    }

    /// Looks at all that a problem must have, and gives its body.
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status.as_u16(), self.json()["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.text
        );
        let body = self.json();
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(body["status"], status);
        assert_eq!(body["type"], format!("urn:problem-type:heliograph:{code}"));
        assert_eq!(body["request_id"], self.header("x-request-id"));
        assert!(
            !body["title"].as_str().unwrap().is_empty() && body["detail"].as_str().unwrap().len() > 10,
            "{body}"
        );
        assert!(!self.headers.contains_key(SET_COOKIE));
        body
    }
}
