//! The same faults, fewer of them, with the timers and limits that a service usually has.

use super::world::World;
use crate::sides::Side;
use anyhow::Result;
use heliograph_testkit::Way;
use std::time::Duration;

const PACE: Duration = Duration::from_millis(90);

async fn resets_and_kills() -> Result<()> {
    let mut world = World::open(&[]).await?;
    let talk = world.talk(PACE);
    for way in [Way::ToServer, Way::ToClient, Way::Both] {
        world.fill_lines(way).await?;
        let joins = world.sides().map(Side::joins);
        for side in world.sides() {
            side.proxy.cut();
            side.proxy.heal();
        }
        for (side, joins) in world.sides().into_iter().zip(joins) {
            side.back_after(joins).await?;
        }
    }
    for way in [Way::ToServer, Way::ToClient] {
        world.kill_and_restart(way, |_| Ok(())).await?;
    }
    world.compare(talk, "usual timers: 6 cuts, 2 kills").await
}

async fn silences(ways: &[Way]) -> Result<()> {
    let world = World::open(&[]).await?;
    let talk = world.talk(PACE);
    for way in ways {
        world.fill_lines(*way).await?;
        world.host.proxy.heal();
        let joins = world.patient.joins();
        world.patient.proxy.swallow(*way);
        world.patient.lost().await?;
        world.patient.proxy.heal();
        world.patient.back_after(joins).await?;
    }
    world
        .compare(talk, &format!("usual timers: black holes {ways:?}"))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_their_usual_values_timers_lose_nothing() -> Result<()> {
    tokio::try_join!(
        resets_and_kills(),
        silences(&[Way::Both, Way::ToClient]),
        silences(&[Way::ToServer])
    )?;
    Ok(())
}
