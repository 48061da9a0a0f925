//! The service under measure: a server with the demo clinic's people.

mod rooms;

pub use rooms::Room;

use crate::{load::socket, machine};
use anyhow::{Context, Result, bail};
use heliograph_client::Api;
use heliograph_testkit::{Process, Signal};
use serde_json::Value;
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::time::sleep;

const START: Duration = Duration::from_mins(1);
const END: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// The limit of a person's messages is not what is measured; one may say otherwise by `--config-set`.
const SETTINGS: [(&str, &str); 3] = [
    ("log.level", "warn"),
    ("signaling.limits.messages_per_s", "100000"),
    ("signaling.limits.burst", "100000"),
];

pub struct Clinic {
    pub base: String,
    pub address: SocketAddr,
    /// The process that is measured, if it is on this machine.
    pub pid: Option<u32>,
    people: Value,
    own: Option<Own>,
}

/// A server that we started.
struct Own {
    bin: PathBuf,
    settings: Vec<(String, String)>,
    process: Process,
    data: TempDir,
}

impl Clinic {
    /// Starts a server of our own on a free port of 127.0.0.1. `settings` are `key=value` of its configuration.
    pub async fn start(bin: &Path, settings: &[String]) -> Result<Clinic> {
        let settings = SETTINGS
            .iter()
            .map(|(key, value)| Ok(((*key).to_owned(), (*value).to_owned())))
            .chain(settings.iter().map(|one| setting(one)))
            .collect::<Result<Vec<_>>>()?;
        let data = tempfile::tempdir()?;
        let demo = Command::new(bin)
            .args(["demo", "--json", "--people-only", "--data"])
            .arg(data.path())
            .output();
        let demo = demo.with_context(|| {
            format!(
                "{} can't be started: build it (cargo build --release -p heliograph-server), or name it with --bin",
                bin.display()
            )
        })?;
        let people =
            serde_json::from_slice(&demo.stdout).context(String::from_utf8_lossy(&demo.stderr).into_owned())?;
        let (process, base) = serve(bin, &settings, data.path(), "127.0.0.1:0").await?;
        Ok(Clinic {
            address: socket::resolve(&base).await?,
            base,
            pid: Some(process.id()),
            people,
            own: Some(Own {
                bin: bin.to_owned(),
                settings,
                process,
                data,
            }),
        })
    }

    /// A server that runs already. `people` is what `heliograph demo --people-only --json` printed for it.
    pub async fn at(url: &str, people: &Path, pid: Option<u32>) -> Result<Clinic> {
        let text = fs::read_to_string(people).with_context(|| format!("{} can't be read", people.display()))?;
        Ok(Clinic {
            base: url.trim_end_matches('/').to_owned(),
            address: socket::resolve(url).await?,
            pid,
            people: serde_json::from_str(&text).with_context(|| format!("{} is no JSON", people.display()))?,
            own: None,
        })
    }

    /// Stops the server where it stands, without its knowledge.
    pub async fn freeze(&mut self) -> Result<()> {
        let process = &mut self.own()?.process;
        process.signal(Signal::STOP)?;
        while !machine::is_stopped(process.id())? {
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    /// `kill -9`, and a new process on the same port and folder. Returns when it listens.
    pub async fn kill_and_restart(&mut self) -> Result<Instant> {
        let listen = self.address.to_string();
        let own = self.own()?;
        own.process.signal(Signal::KILL)?;
        own.process.ended(END).await?;
        let (process, _) = serve(&own.bin, &own.settings, own.data.path(), &listen).await?;
        own.process = process;
        let pid = own.process.id();
        self.pid = Some(pid);
        Ok(Instant::now())
    }

    fn own(&mut self) -> Result<&mut Own> {
        self.own
            .as_mut()
            .context("only a server of the bench's own can be killed: leave --url out")
    }

    /// A member of staff, signed in.
    async fn staff(&self, name: &str) -> Result<Api> {
        let url = self.find("staff", name)?["url"].as_str().context("url")?;
        let token = url.split_once('#').context("a sign-in link has a fragment")?.1;
        let api = Api::new(&self.base);
        api.sign_in(token).await?;
        Ok(api)
    }

    fn person(&self, name: &str) -> Result<&str> {
        self.find("people", name)?["person"].as_str().context("person")
    }

    fn find(&self, list: &str, name: &str) -> Result<&Value> {
        let all = self.people[list]
            .as_array()
            .with_context(|| format!("there are no {list}"))?;
        let one = all.iter().find(|one| one["name"] == name);
        one.with_context(|| format!("{name} is not among the {list}"))
    }
}

async fn serve(bin: &Path, settings: &[(String, String)], data: &Path, listen: &str) -> Result<(Process, String)> {
    let mut command = Command::new(bin);
    command.args(["serve", "--listen", listen, "--data"]).arg(data);
    command.envs(settings.iter().map(|(key, value)| (variable(key), value)));
    let process = Process::start(command)?;
    let line = process.line("listening on ", START).await?;
    let base = line.split("listening on ").nth(1).context("address")?.trim().to_owned();
    Ok((process, base))
}

fn setting(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        Some(_) | None => bail!("{text:?} is no key=value, such as rooms.journal=false"),
    }
}

fn variable(key: &str) -> String {
    format!("HELIOGRAPH_{}", key.to_uppercase().replace('.', "__"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_reaches_the_server_by_its_environment() {
        let (key, value) = setting("rooms.journal = false").unwrap();
        assert_eq!(
            (variable(&key).as_str(), value.as_str()),
            ("HELIOGRAPH_ROOMS__JOURNAL", "false")
        );
        assert!(setting("rooms.journal").is_err() && setting("=1").is_err());
    }
}
