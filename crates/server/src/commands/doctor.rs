//! `heliograph doctor`: looks for what would keep the service from working.

use super::Environment;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::data::{DataFolder, Exposed};
use crate::secret::{self, Place};
use crate::wiring;
use heliograph_domain::clock::Clock;
use heliograph_domain::zone::{Tzdb, TzdbSource};
use serde::Serialize;
use std::io::{ErrorKind, Write};
use std::net::TcpListener;
use std::path::Path;

/// No sane clock is before this one; it stands in the program since it was built.
const BUILT_S: &str = env!("HELIOGRAPH_BUILT_S");
/// Nobody runs a release for so long, in seconds: then it is the clock that is wrong.
const LATEST_S: i64 = 20 * 365 * 86_400;
/// For how long ahead time zone databases are compared, in seconds.
const AHEAD_S: i64 = 2 * 365 * 86_400;

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    level: Level,
    what: &'static str,
    seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Finding {
    fn ok(what: &'static str, seen: impl Into<String>) -> Self {
        Self {
            level: Level::Ok,
            what,
            seen: seen.into(),
            remedy: None,
        }
    }

    fn bad(level: Level, what: &'static str, seen: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            level,
            what,
            seen: seen.into(),
            remedy: Some(remedy.into()),
        }
    }
}

/// Writes one line for each thing; false if one of them fails. A configuration that can't be read is one of them.
pub(super) fn run(read: anyhow::Result<Environment>, json: bool, out: &mut dyn Write) -> anyhow::Result<bool> {
    let findings = match read {
        Ok(read) => look(&read)?,
        Err(error) => {
            let remedy = "mend it; `heliograph config print` shows what is in effect";
            vec![Finding::bad(Level::Fail, "configuration", format!("{error:#}"), remedy)]
        }
    };
    let well = findings.iter().all(|finding| finding.level != Level::Fail);
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(&findings)?)?;
    } else {
        for Finding {
            level,
            what,
            seen,
            remedy,
        } in &findings
        {
            let level = match level {
                Level::Ok => "ok",
                Level::Warn => "warn",
                Level::Fail => "fail",
            };
            let remedy = remedy.as_ref().map(|remedy| format!("; {remedy}")).unwrap_or_default();
            writeln!(out, "{level:<5} {what:<14} {seen}{remedy}")?;
        }
    }
    Ok(well)
}

fn look(read: &Environment) -> anyhow::Result<Vec<Finding>> {
    let config = &read.loaded.config;
    let mut findings = vec![
        Finding::ok("configuration", "read"),
        clock(),
        port(config),
        web_client(),
        address(config),
    ];
    findings.extend(zones(config));
    match DataFolder::look(&config.data.dir) {
        Ok(data) => {
            let shown = config.data.dir.display();
            findings.push(match &data {
                Some(data) => Finding::ok("data folder", format!("{} can be written to", data.path().display())),
                None => Finding::ok("data folder", format!("{shown} is made at the first start")),
            });
            findings.extend(
                data.iter()
                    .flat_map(DataFolder::exposed)
                    .map(|exposed| exposed_to_others(&exposed)),
            );
            let place = data.as_ref().map_or(config.data.dir.as_path(), DataFolder::path);
            findings.push(secret(read, place));
            findings.push(super::runtime()?.block_on(database(config, data.as_ref())));
        }
        Err(error) => {
            findings.push(told("data folder", &error, "choose another one with --data"));
        }
    }
    Ok(findings)
}

fn clock() -> Finding {
    let (now, built) = (
        SystemClock.now().seconds().0,
        BUILT_S.parse::<i64>().unwrap_or_default(),
    );
    let seen = Tzdb::bundled()
        .local(&heliograph_domain::zone::Zone::utc(), SystemClock.now().seconds())
        .label();
    if now < built {
        Finding::bad(
            Level::Fail,
            "clock",
            format!("{seen} is before this program was built"),
            "set the clock, by NTP at best",
        )
    } else if now > built + LATEST_S {
        Finding::bad(
            Level::Warn,
            "clock",
            format!("{seen} is long after this program was built"),
            "look at the clock",
        )
    } else {
        Finding::ok("clock", seen)
    }
}

fn port(config: &Config) -> Finding {
    let address = config.http.listen.0;
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok("port", format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Finding::bad(
            Level::Warn,
            "port",
            format!("{address} is taken"),
            "fine if that is heliograph; otherwise choose another one with --listen",
        ),
        Err(error) => Finding::bad(
            Level::Fail,
            "port",
            format!("{address}: {error}"),
            "choose another one with --listen",
        ),
    }
}

fn web_client() -> Finding {
    if heliograph_http::web_client_present() {
        Finding::ok("web client", "present")
    } else {
        let remedy = "run `npm ci && npm run build` in web-client and compile the server again";
        Finding::bad(Level::Fail, "web client", "was not built", remedy)
    }
}

fn address(config: &Config) -> Finding {
    let listen = config.http.listen.0;
    match &config.http.public_url {
        Some(url) if url.is_https() => Finding::ok("address", url.to_string()),
        None if listen.ip().is_loopback() => Finding::ok("address", format!("http://{listen}, for this machine only")),
        Some(_) | None => Finding::bad(
            Level::Warn,
            "address",
            "without https",
            "browsers give camera and cookies only to https: set [http] public_url, and put TLS in front",
        ),
    }
}

fn zones(config: &Config) -> Vec<Finding> {
    match wiring::zones(config) {
        Err(error) => vec![Finding::bad(
            Level::Fail,
            "time zones",
            format!("{error:#}"),
            "set [zones] dir to a complete release",
        )],
        Ok((tzdb, sources)) => sources.iter().map(source).chain([cross_check(&tzdb)]).collect(),
    }
}

fn source(source: &TzdbSource) -> Finding {
    let path = source
        .path
        .as_ref()
        .map(|path| format!(" {}", path.display()))
        .unwrap_or_default();
    let version = source.version.as_deref().unwrap_or("of unknown release");
    let taken = if source.taken { ", used" } else { "" };
    let seen = format!("{}{path} {version}{taken}", source.kind.as_str());
    match &source.problem {
        Some(problem) => Finding::bad(Level::Warn, "time zones", seen, problem.clone()),
        None => Finding::ok("time zones", seen),
    }
}

/// chrono-tz, which names zones, is older than what converts: the list tells where an old database would be wrong.
fn cross_check(tzdb: &Tzdb) -> Finding {
    let now = SystemClock.now().seconds();
    let differ: Vec<_> = tzdb
        .cross_check(now, now.plus(AHEAD_S))
        .into_iter()
        .map(|one| one.zone.to_string())
        .collect();
    let other = Tzdb::cross_check_version();
    let (count, ours) = (differ.len(), tzdb.version());
    Finding::ok(
        "time zones",
        match differ.as_slice() {
            [] => format!("{ours} agrees with chrono-tz {other} for two years"),
            _ => format!(
                "{ours} differs from chrono-tz {other} in {count} zones within two years, as releases do: {}",
                differ.join(", ")
            ),
        },
    )
}

/// No more than a warning, which is the same as of `serve`: someone may mean it.
fn exposed_to_others(exposed: &Exposed) -> Finding {
    let text = exposed.to_string();
    let (seen, remedy) = text.split_once("; ").unwrap_or((&text, "let only this user open it"));
    Finding::bad(Level::Warn, "data folder", seen, remedy)
}

fn secret(read: &Environment, data: &Path) -> Finding {
    let place = Place::of(read.secret.clone(), read.loaded.config.secret.file.as_deref(), data);
    match &place {
        Place::Own(path) if !path.exists() => Finding::ok("secret", format!("{place} is made at the first start")),
        Place::Variable(_) | Place::Named(_) | Place::Own(_) => match secret::load(&place) {
            Ok(_) => Finding::ok("secret", place.to_string()),
            Err(error) => told("secret", &error, "docs/OPERATIONS.md tells what it must be"),
        },
    }
}

/// It only looks: a database that was not made yet stays so.
async fn database(config: &Config, data: Option<&DataFolder>) -> Finding {
    let (shown, opened) = match (&config.database.url, data) {
        (Some(url), _) => (url.to_string(), wiring::open_url(url).await),
        (None, Some(data)) if data.database_file().exists() => (
            data.database_file().display().to_string(),
            wiring::open_file(data).await,
        ),
        (None, _) => return Finding::ok("database", "is made at the first start"),
    };
    let pending = async {
        let store = opened?;
        let pending = wiring::pending(&store).await;
        store.close().await;
        pending
    };
    match pending.await {
        Ok(0) => Finding::ok("database", format!("{shown} is up to date")),
        Ok(steps) => {
            let remedy = "the next start does it, or `heliograph migrate`";
            Finding::bad(
                Level::Warn,
                "database",
                format!("{shown} is {steps} steps behind"),
                remedy,
            )
        }
        Err(error) => told("database", &error, wiring::LOOK_AT_IT),
    }
}

/// A failure whose message may say itself how to mend it.
fn told(what: &'static str, error: &anyhow::Error, otherwise: &str) -> Finding {
    let text = format!("{error:#}");
    let (seen, remedy) = text.split_once("; ").unwrap_or((&text, otherwise));
    Finding::bad(Level::Fail, what, seen, remedy)
}
