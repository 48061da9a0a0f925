//! A service of a test's own, with the demo clinic.

use anyhow::{Context, Result};
use heliograph_client::{Api, Page, Visitor};
use heliograph_domain::{ParticipantId, SessionId, VisitId};
use heliograph_testkit::{Port, Process, Signal, SmallDisk};
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tempfile::TempDir;

/// Long enough for a busy machine; a test that waits this long has failed.
pub const SOON: Duration = Duration::from_secs(20);

pub struct Service {
    pub process: Process,
    pub base: String,
    port: Port,
    data: TempDir,
    disk: Option<SmallDisk>,
    settings: Vec<(String, String)>,
    doors: Value,
}

impl Service {
    pub async fn start() -> Result<Service> {
        Self::with(&[]).await
    }

    /// Starts with settings such as `("SIGNALING__TIMERS__BEAT_MS", "100")`.
    pub async fn with(settings: &[(&str, &str)]) -> Result<Service> {
        let data = tempfile::tempdir()?;
        let settings = variables(settings);
        let demo = Command::new(env!("CARGO_BIN_EXE_heliograph-under-test"))
            .args(["demo", "--json", "--people-only", "--data"])
            .arg(data.path())
            .output()?;
        let doors = serde_json::from_slice(&demo.stdout).context(String::from_utf8_lossy(&demo.stderr).into_owned())?;
        let port = Port::free()?;
        let (process, base) = serve(&port, &data, &settings).await?;
        Ok(Service {
            process,
            base,
            port,
            data,
            disk: None,
            settings,
            doors,
        })
    }

    /// Starts on a disk of so many bytes.
    pub async fn on_small_disk(bytes: u64, settings: &[(&str, &str)]) -> Result<Service> {
        let (disk, data, port) = (SmallDisk::new(bytes)?, tempfile::tempdir()?, Port::free()?);
        let settings = variables(settings);
        let script = "\"$1\" demo --json --people-only --data \"$2\" > \"$2/doors.json\" || exit 1
            exec \"$1\" serve --listen \"$3\" --data \"$2\"";
        let (folder, listen) = (disk.path().to_str().context("a path")?, port.address().to_string());
        let mut command = disk.sh(script, &[env!("CARGO_BIN_EXE_heliograph-under-test"), folder, &listen]);
        command.envs(settings.iter().map(|(k, v)| (k.as_str(), v.as_str())));
        let (process, base) = listening(command).await?;
        let doors = serde_json::from_slice(&fs::read(disk.seen_from_outside(&process).join("doors.json"))?)?;
        Ok(Service {
            process,
            base,
            port,
            data,
            disk: Some(disk),
            settings,
            doors,
        })
    }

    /// The disk of [`Service::on_small_disk`].
    pub fn disk(&self) -> Option<&SmallDisk> {
        self.disk.as_ref()
    }

    /// Its data folder.
    pub fn folder(&self) -> PathBuf {
        self.data.path().to_owned()
    }

    /// Kills it as a power cut would, and waits until it is gone.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.signal(Signal::KILL)?;
        self.process.ended(SOON).await.map(drop)
    }

    /// Starts again on the same port and folder, after the process has ended.
    pub async fn again(&mut self) -> Result<()> {
        (self.process, self.base) = serve(&self.port, &self.data, &self.settings).await?;
        Ok(())
    }

    /// A member of staff of the demo clinic, signed in.
    pub async fn staff(&self, name: &str) -> Result<Api> {
        let staff = self.doors["staff"].as_array().context("staff")?;
        let one = staff
            .iter()
            .find(|one| one["name"] == name)
            .with_context(|| format!("{name} is not in {staff:?}"))?;
        let api = Api::new(&self.base);
        api.sign_in(token(one["url"].as_str().context("url")?)?).await?;
        Ok(api)
    }

    pub async fn physician(&self) -> Result<Api> {
        self.staff("Dr Amara Okafor").await
    }

    /// Somebody's person id.
    pub fn person(&self, name: &str) -> Result<&str> {
        let people = self.doors["people"].as_array().context("people")?;
        let one = people
            .iter()
            .find(|one| one["name"] == name)
            .with_context(|| format!("{name} is not in the demo"))?;
        one["person"].as_str().context("person")
    }

    /// Books a visit of the physician and these people that starts now, and returns it.
    pub async fn book(&self, desk: &Api, guests: &[(&str, &str)]) -> Result<Booked> {
        static KEY: AtomicU64 = AtomicU64::new(0);
        let mut participants = vec![json!({"person": self.person("Dr Amara Okafor")?, "role": "host"})];
        for (name, role) in guests {
            participants.push(json!({"person": self.person(name)?, "role": role}));
        }
        let start = json!({"wall": wall_now(desk).await?, "zone": "UTC"});
        let visit = json!({"start": start, "duration_min": 30, "participants": participants});
        let key = format!("book-{}", KEY.fetch_add(1, Ordering::Relaxed));
        Ok(Booked(desk.book(&key, &visit).await?))
    }
}

fn variables(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let variable = |(key, value): &(&str, &str)| (format!("HELIOGRAPH_{key}"), (*value).to_owned());
    settings.iter().map(variable).collect()
}

async fn serve(port: &Port, data: &TempDir, settings: &[(String, String)]) -> Result<(Process, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heliograph-under-test"));
    command.args(["serve", "--listen", &port.address().to_string(), "--data"]);
    command.arg(data.path());
    command.envs(settings.iter().map(|(k, v)| (k.as_str(), v.as_str())));
    listening(command).await
}

async fn listening(command: Command) -> Result<(Process, String)> {
    let process = Process::start(command)?;
    let line = process.line("listening on ", SOON).await?;
    let base = line.split("listening on ").nth(1).context("address")?.trim().to_owned();
    process.line("stop ", SOON).await?;
    Ok((process, base))
}

async fn wall_now(desk: &Api) -> Result<String> {
    let day = desk.get("/api/v1/visits").await?;
    let now_s = day["now_ms"].as_i64().context("now_ms")? / 1000;
    let start = now_s - now_s.rem_euclid(300);
    let days = start.div_euclid(86_400);
    let minute = start.rem_euclid(86_400) / 60;
    let epoch: heliograph_domain::zone::LocalDate = "1970-01-01".parse()?;
    Ok(format!(
        "{}T{:02}:{:02}",
        epoch.plus_days(days),
        minute / 60,
        minute % 60
    ))
}

pub fn token(url: &str) -> Result<&str> {
    Ok(url.split_once('#').context("a link has a fragment")?.1)
}

/// A visit with its links.
pub struct Booked(pub Value);

impl Booked {
    pub fn id(&self) -> Result<VisitId> {
        Ok(self.0["id"].as_str().context("id")?.parse()?)
    }

    pub fn seat(&self, role: &str) -> Result<ParticipantId> {
        let list = self.0["participants"].as_array().context("participants")?;
        let one = list
            .iter()
            .find(|one| one["role"] == role)
            .with_context(|| format!("no {role}"))?;
        Ok(one["participant"].as_str().context("participant")?.parse()?)
    }

    pub fn link(&self, role: &str) -> Result<String> {
        let seat = self.seat(role)?.to_string();
        let list = self.0["links"].as_array().context("links")?;
        let one = list
            .iter()
            .find(|one| one["participant"] == seat.as_str())
            .context("a link")?;
        Ok(token(one["url"].as_str().context("url")?)?.to_owned())
    }

    /// A browser of somebody who came by the link.
    pub async fn device(&self, service: &Service, role: &str) -> Result<Api> {
        let api = Api::new(&service.base);
        api.redeem(&self.link(role)?).await?;
        Ok(api)
    }

    pub async fn ticket(&self, api: &Api) -> Result<String> {
        let seat = api.seat(&self.id()?.to_string()).await?;
        Ok(seat["ticket"].as_str().context("ticket")?.to_owned())
    }

    /// A new page of somebody, connected.
    pub async fn visit(&self, api: &Api, role: &str) -> Result<Visitor> {
        let ticket = self.ticket(api).await?;
        Ok(Visitor::connect(api.base(), self.page(role)?, Some(ticket), None).await?)
    }

    pub fn page(&self, role: &str) -> Result<Page> {
        static SESSION: AtomicU64 = AtomicU64::new(0);
        let session: SessionId = format!("session-{role}-{}", SESSION.fetch_add(1, Ordering::Relaxed)).parse()?;
        Ok(Page::new(self.id()?, self.seat(role)?, session))
    }
}
