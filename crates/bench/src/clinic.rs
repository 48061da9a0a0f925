//! A server with the demo clinic, and people who may sit in its rooms.

use anyhow::{Context, Result};
use heliograph_client::{Api, Page, Visitor};
use heliograph_testkit::Process;
use serde_json::{Value, json};
use std::{path::Path, process::Command, time::Duration};
use tempfile::TempDir;

const START: Duration = Duration::from_secs(30);

pub struct Clinic {
    pub server: Process,
    pub base: String,
    people: Value,
    _data: TempDir,
}

/// A seat of somebody who may join at any time.
pub struct Seat {
    api: Api,
    visit: String,
    participant: String,
}

impl Clinic {
    pub async fn start(bin: &Path) -> Result<Clinic> {
        let data = tempfile::tempdir()?;
        let demo = Command::new(bin)
            .args(["demo", "--json", "--people-only", "--data"])
            .arg(data.path())
            .output();
        let demo = demo.with_context(|| format!("{} can't be started; build it first", bin.display()))?;
        let people =
            serde_json::from_slice(&demo.stdout).context(String::from_utf8_lossy(&demo.stderr).into_owned())?;
        let mut command = Command::new(bin);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data.path());
        command.env("HELIOGRAPH_LOG__LEVEL", "warn");
        let server = Process::start(command)?;
        let line = server.line("listening on ", START).await?;
        let base = line.split("listening on ").nth(1).context("address")?.trim().to_owned();
        server.line("stop ", START).await?;
        Ok(Clinic {
            server,
            base,
            people,
            _data: data,
        })
    }

    pub async fn staff(&self, name: &str) -> Result<Api> {
        let staff = self.people["staff"].as_array().context("staff")?;
        let one = staff
            .iter()
            .find(|one| one["name"] == name)
            .with_context(|| format!("no {name}"))?;
        let token = one["url"]
            .as_str()
            .and_then(|url| url.split_once('#'))
            .context("url")?
            .1;
        let api = Api::new(&self.base);
        api.sign_in(token).await?;
        Ok(api)
    }

    fn person(&self, name: &str) -> Result<&str> {
        let people = self.people["people"].as_array().context("people")?;
        let one = people
            .iter()
            .find(|one| one["name"] == name)
            .with_context(|| format!("no {name}"))?;
        one["person"].as_str().context("person")
    }

    /// Books visits of two members of staff, one after the other, and returns both seats of each.
    pub async fn staff_rooms(&self, rooms: usize) -> Result<Vec<Seat>> {
        let (host, colleague) = (self.staff("Dr Amara Okafor").await?, self.staff("Noor Haddad").await?);
        let participants = json!([
            {"person": self.person("Dr Amara Okafor")?, "role": "host"},
            {"person": self.person("Noor Haddad")?, "role": "staff"},
        ]);
        let mut seats = Vec::with_capacity(rooms * 2);
        for i in 0..rooms {
            let (day, minute) = (i / 288, (i % 288) * 5);
            let date = "2028-01-01"
                .parse::<heliograph_domain::zone::LocalDate>()?
                .plus_days(i64::try_from(day)?);
            let wall = format!("{date}T{:02}:{:02}", minute / 60, minute % 60);
            let visit =
                json!({"start": {"wall": wall, "zone": "UTC"}, "duration_min": 5, "participants": participants});
            let visit = host.book(&format!("bench-{i}"), &visit).await?;
            let id = visit["id"].as_str().context("id")?;
            for (role, api) in [("host", &host), ("staff", &colleague)] {
                let list = visit["participants"].as_array().context("participants")?;
                let one = list.iter().find(|one| one["role"] == role).context("seat")?;
                let participant = one["participant"].as_str().context("participant")?.to_owned();
                seats.push(Seat {
                    api: api.clone(),
                    visit: id.to_owned(),
                    participant,
                });
            }
        }
        Ok(seats)
    }
}

impl Seat {
    /// Joins with a page of its own.
    pub async fn join(&self, number: usize) -> Result<Visitor> {
        let seat = self.api.seat(&self.visit).await?;
        let ticket = seat["ticket"].as_str().context("ticket")?.to_owned();
        let page = Page::new(
            self.visit.parse()?,
            self.participant.parse()?,
            format!("bench-session-{number}").parse()?,
        );
        let mut visitor = Visitor::connect(self.api.base(), page, Some(ticket), None).await?;
        let joined = |_: &heliograph_protocol::Header, message: &heliograph_protocol::ServerMessage| {
            matches!(message, heliograph_protocol::ServerMessage::Snapshot { .. }).then_some(())
        };
        visitor.until(START, joined).await?;
        Ok(visitor)
    }
}
