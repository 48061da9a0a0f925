//! A physician and a patient in a visit, each behind a line of their own that can fail, and what they say to each other.

use crate::{
    call::decision,
    service::{Booked, Service},
    sides::{Side, Talk},
};
use anyhow::{Context, Result, ensure};
use heliograph_client::Page;
use heliograph_protocol::{ClientMessage, DeviceCheck, SeatState, ServerMessage, To};
use heliograph_testkit::Way;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Messages that must be unacknowledged on each side when a fault comes.
const UNDER_WAY: u64 = 5;

/// A visit with two people in it.
pub struct World {
    pub service: Service,
    pub booked: Booked,
    pub host: Side,
    pub patient: Side,
    least_under_way: AtomicU64,
    is_well: bool,
}

impl World {
    pub async fn open(settings: &[(&str, &str)]) -> Result<World> {
        Self::at(Service::with(settings).await?).await
    }

    /// Both have come, and the patient was let in.
    pub async fn at(service: Service) -> Result<World> {
        let world = Self::waiting_at(service).await?;
        world.admit().await?;
        world.patient.until("the door", is_inside).await?;
        world.host.settled().await?;
        Ok(world)
    }

    /// Both have come, and the patient has knocked.
    pub async fn waiting_at(service: Service) -> Result<World> {
        let desk = service.physician().await?;
        let booked = service.book(&desk, &[("Maryam Al-Harbi", "patient")]).await?;
        let device = booked.device(&service, "patient").await?;
        let to_patient = To::Seat(booked.seat("patient")?);
        let host = Side::open("the physician", &service, &desk, booked.page("host")?, to_patient).await?;
        let patient = Side::open("the patient", &service, &device, booked.page("patient")?, To::Staff).await?;
        host.joined().await?;
        let device = DeviceCheck::default();
        patient.say(ClientMessage::Knock { device })?;
        patient.settled().await?;
        Ok(World {
            service,
            booked,
            host,
            patient,
            least_under_way: AtomicU64::new(u64::MAX),
            is_well: false,
        })
    }

    #[expect(clippy::unused_async, reason = "reads like the other steps of a scenario")]
    pub async fn admit(&self) -> Result<u64> {
        self.host
            .say(ClientMessage::Admit(decision(self.booked.seat("patient")?)))
    }

    pub fn sides(&self) -> [&Side; 2] {
        [&self.host, &self.patient]
    }

    /// Both say numbered lines to each other from now on, one in each `pace`.
    pub fn talk(&self, pace: Duration) -> Talk {
        Talk::begin(self.sides(), pace)
    }

    /// Holds both lines until each side has enough under way that is not acknowledged.
    pub async fn fill_lines(&self, way: Way) -> Result<()> {
        for side in self.sides() {
            side.proxy.hold(way);
        }
        let least = || self.sides().map(|side| side.keeper.look(Page::open)).into_iter().min();
        // Looked at once: an acknowledgement may come between two looks.
        let under_way = loop {
            if let Some(enough) = least().filter(|open| *open >= UNDER_WAY) {
                break enough;
            }
            for side in self.sides() {
                side.until("enough under way", |page| page.open() >= UNDER_WAY).await?;
            }
        };
        self.least_under_way.fetch_min(under_way, Ordering::Relaxed);
        Ok(())
    }

    /// Kills the process while something is under way, and starts it again; `while_dead` is done in between.
    pub async fn kill_and_restart(&mut self, way: Way, while_dead: impl FnOnce(&World) -> Result<()>) -> Result<()> {
        self.fill_lines(way).await?;
        let joins = self.sides().map(Side::joins);
        self.service.kill().await?;
        for side in self.sides() {
            side.proxy.heal();
        }
        while_dead(self)?;
        self.service.again().await?;
        for (side, joins) in self.sides().into_iter().zip(joins) {
            side.back_after(joins).await?;
        }
        Ok(())
    }

    /// Ends the talk and compares what was heard with what was said. Nothing was refused, and the patient was let in once.
    pub async fn compare(mut self, talk: Talk, faults: &str) -> Result<()> {
        let told = talk.compare(self.sides()).await.with_context(|| faults.to_owned())?;
        let least = self.least_under_way.load(Ordering::Relaxed);
        println!("{faults}: {told}; at least {least} unacknowledged on each side at each fault");
        ensure!(least >= UNDER_WAY, "{faults}: only {least} messages were under way");
        for side in self.sides() {
            let refused = side.heard(|m| match m {
                ServerMessage::Refused { code, for_c } => Some((*for_c, *code)),
                _ => None,
            });
            ensure!(refused.is_empty(), "{faults}: {} was refused {refused:?}", side.name);
        }
        ensure!(
            self.patient.keeper.look(is_inside),
            "{faults}: the patient is not inside any more"
        );
        let admitted = |m: &ServerMessage| matches!(m, ServerMessage::Admitted { .. }).then_some(());
        let admitted = self.patient.heard(admitted).len();
        ensure!(admitted == 1, "{faults}: the patient was admitted {admitted} times");
        self.is_well = true;
        Ok(())
    }
}

/// What the service said of a test that failed.
impl Drop for World {
    fn drop(&mut self) {
        if !self.is_well {
            let output = self.service.process.output();
            let from = output.lines().count().saturating_sub(40);
            let lines: Vec<_> = output.lines().skip(from).collect();
            eprintln!("the service's output ends with:\n{}", lines.join("\n"));
        }
    }
}

pub fn is_inside(page: &Page) -> bool {
    page.room().is_some_and(|room| room.state == SeatState::Admitted)
}
