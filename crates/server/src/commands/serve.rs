//! `heliograph serve`.

use super::{Environment, demo};
use crate::config::Config;
use crate::connections;
use crate::data::{DataFolder, plainly};
use crate::lifecycle::Lifecycle;
use crate::readiness::Dependencies;
use crate::telemetry;
use crate::wiring::{Journalled, Service};
use anyhow::anyhow;
use heliograph_http::{Edge, Guesses, Origin, Origins};
use heliograph_signaling::Settings;
use std::io::{self, ErrorKind, Write, stdout};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// In which a connection must say what it wants, also the next time.
const HEAD: Duration = Duration::from_secs(30);
/// A transaction that is still under way then is rolled back by the database.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// Tasks that are still busy then are left to the system.
const LEFT_BEHIND: Duration = Duration::from_millis(200);

pub(super) fn run(read: &Environment, with_demo: bool) -> anyhow::Result<()> {
    let runtime = super::runtime()?;
    let served = runtime.block_on(serve(&read.loaded.config, read.secret.clone(), with_demo));
    runtime.shutdown_timeout(LEFT_BEHIND);
    served
}

async fn serve(config: &Config, secret: Option<String>, with_demo: bool) -> anyhow::Result<()> {
    telemetry::log(&config.log)?;
    let figures = telemetry::count()?;
    let life = Lifecycle::begin()?;
    let data = DataFolder::open(&config.data.dir)?;
    let listener = listen(config.http.listen.0).await?;
    let mut held = data.hold()?;
    for exposed in data.exposed() {
        tracing::warn!("{exposed}");
    }
    let service = Service::open(config, &data, secret).await?;

    let here = reachable(listener.local_addr()?);
    let public = config.http.public_url.clone().unwrap_or_else(|| Origin::http(here));
    if !public.is_https() && !config.http.listen.0.ip().is_loopback() {
        tracing::warn!("browsers give camera and cookies only to https: set public_url, and put TLS in front");
    }
    let simulate = config.development.simulate;
    if simulate {
        tracing::warn!(
            "development.simulate is on: any page can end this process and take entries from its room; never for real visits"
        );
    }
    let settings = Settings {
        limits: config.signaling.limits.clone(),
        timers: config.signaling.timers.clone(),
        ice_servers: config.ice.servers.clone(),
        ice_lifetime_ms: u64::from(config.ice.lifetime_s) * 1000,
        ..Settings::default()
    };
    let journalled = Journalled::open(&config.rooms, &data, &*service.clock)?;
    let journal = journalled.journal.clone();
    let rooms = service.rooms(settings, journal.clone(), simulate, life.stop.clone(), &life.tasks);
    life.tasks.spawn(journalled.keep(rooms.clone(), life.stop.clone()));
    let edge = Edge {
        rooms,
        app: service.app.clone(),
        frame_bytes: config.signaling.limits.frame_bytes,
        proxies: config.http.trusted_proxies.clone().into(),
        guesses: Guesses::default(),
        origins: Arc::new(Origins {
            public: public.clone(),
            allowed: config.http.allowed_origins.clone(),
        }),
        entropy: Arc::clone(&service.entropy),
        readiness: Arc::new(Dependencies {
            store: service.store.clone(),
            tzdb: service.tzdb.clone(),
            clock: Arc::clone(&service.clock),
            stop: life.stop.clone(),
        }),
        figures: figures.clone(),
        simulate,
    };

    let doors = if with_demo {
        demo::lines(&demo::make(&service, &data, &public).await?)
    } else {
        String::new()
    };
    held.served_at(&public.to_string())?;
    let lines = format!(
        "listening on {}\n{doors}data        {}\nstop        Ctrl-C\n",
        Origin::http(here),
        data.path().display()
    );
    // Whoever reads may have gone: no reason to stop.
    let _ = stdout().write_all(lines.as_bytes()).and_then(|()| stdout().flush());
    tracing::info!(tzdb = service.tzdb.version(), "started");

    let router = heliograph_http::router(edge);
    life.tasks
        .spawn(connections::serve(listener, router, HEAD, life.stop.clone()));
    life.tasks.spawn(telemetry::tidy_figures(figures, life.stop.clone()));
    life.run().await;
    if let Some(Err(error)) = journal.map(|journal| journal.close()) {
        tracing::error!("the rooms' journals could not be brought to the disk: {error}");
    }
    drop(tokio::time::timeout(LAST_WORDS, service.store.close()).await);
    Ok(())
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let explain = |error: io::Error| {
        let remedy = match error.kind() {
            ErrorKind::AddrInUse => "stop the program that has it, or take a free one with --listen 127.0.0.1:0",
            ErrorKind::PermissionDenied => "choose a port of 1024 or more with --listen",
            _ => "choose another address with --listen, such as 127.0.0.1:8080",
        };
        anyhow!("{address} can't be listened to ({}); {remedy}", plainly(&error))
    };
    TcpListener::bind(address).await.map_err(explain)
}

/// "All addresses" is none that a browser could open.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
