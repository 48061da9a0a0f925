//! A disk that is full.

use super::world::World;
use crate::{service::Service, sides::FAST};
use anyhow::{Context, Result};
use heliograph_client::Page;
use heliograph_protocol::ServerMessage;
use heliograph_testkit::Way;
use std::{fs, time::Duration};

const DISK: u64 = 16 * 1024 * 1024;

fn degraded(message: &ServerMessage) -> Option<()> {
    matches!(message, ServerMessage::Degraded {}).then_some(())
}

fn recovered(message: &ServerMessage) -> Option<()> {
    matches!(message, ServerMessage::Recovered {}).then_some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_and_loses_nothing() -> Result<()> {
    let world = World::at(Service::on_small_disk(DISK, &FAST).await?).await?;
    let talk = world.talk(Duration::from_millis(55));
    for round in 1..=3 {
        let disk = world.service.disk().context("a disk")?;
        let filler = disk.fill(&world.service.process)?;
        for side in world.sides() {
            side.hears(round, degraded).await?;
        }
        let acked = world.sides().map(|side| side.keeper.look(Page::acked));
        world.fill_lines(Way::ToServer).await?;
        for side in world.sides() {
            side.proxy.heal();
        }
        // What is sent to a full disk waits.
        for (side, acked) in world.sides().into_iter().zip(acked) {
            let said = side.said().len();
            side.until("more under way", |page| {
                side.said().len() > said + 10 && page.open() > 10
            })
            .await?;
            assert_eq!(
                side.keeper.look(Page::acked),
                acked,
                "{} was told that a full disk has it",
                side.name
            );
        }
        fs::remove_file(filler)?;
        for side in world.sides() {
            side.hears(round, recovered).await?;
        }
    }
    world.compare(talk, "full disks: 3").await
}
