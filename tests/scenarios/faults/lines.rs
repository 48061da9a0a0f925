//! Lines that break, loudly and silently.

use super::world::World;
use crate::{
    service::SOON,
    sides::{FAST, Side, chat_of},
};
use anyhow::{Result, ensure};
use heliograph_client::{Link, Page};
use heliograph_testkit::{Line, Way};
use std::time::Duration;

/// Five lines take longer than a page must have had its seat for its next way back to begin at once.
const PACE: Duration = Duration::from_millis(55);
const WAYS: [Way; 3] = [Way::Both, Way::ToServer, Way::ToClient];

/// Whose line fails in round `i`: one side's, the other's, both.
fn victims(world: &World, i: usize) -> Vec<&Side> {
    match i % 3 {
        0 => vec![&world.patient],
        1 => vec![&world.host],
        _ => vec![&world.host, &world.patient],
    }
}

fn heal_the_others(world: &World, victims: &[&Side]) {
    let others = world.sides().into_iter();
    others
        .filter(|side| !victims.iter().any(|victim| std::ptr::eq(*victim, *side)))
        .for_each(|side| side.proxy.heal());
}

/// Lines that are cut with RST and with FIN, while something is under way in one direction or in both.
async fn resets(rounds: std::ops::Range<usize>) -> Result<usize> {
    let world = World::open(&FAST).await?;
    let talk = world.talk(PACE);
    let (mut count, name) = (0, format!("resets {rounds:?}"));
    for i in rounds {
        world.fill_lines(WAYS[i % 3]).await?;
        let victims = victims(&world, i / 3);
        let joins: Vec<_> = victims.iter().map(|side| side.joins()).collect();
        for side in &victims {
            if i % 2 == 0 {
                side.proxy.cut();
            } else {
                side.proxy.end();
            }
            side.proxy.heal();
            count += 1;
        }
        heal_the_others(&world, &victims);
        for (side, joins) in victims.iter().zip(joins) {
            side.back_after(joins).await?;
        }
    }
    world.compare(talk, &format!("{name}: {count} cuts")).await?;
    Ok(count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_resets_lose_nothing() -> Result<()> {
    let (a, b, c, d) = tokio::try_join!(resets(0..38), resets(38..76), resets(76..114), resets(114..152))?;
    ensure!(a + b + c + d >= 200);
    Ok(())
}

/// Black holes: the page must notice by itself, or by the server's close where only its own words are lost.
async fn silences(way: Way, rounds: usize) -> Result<usize> {
    let world = World::open(&FAST).await?;
    let talk = world.talk(PACE);
    let mut count = 0;
    for i in 0..rounds {
        world.fill_lines(way).await?;
        let victims = victims(&world, i);
        let before: Vec<_> = victims
            .iter()
            .map(|side| (side.joins(), side.proxy.accepted()))
            .collect();
        for side in &victims {
            side.proxy.swallow(way);
            count += 1;
        }
        heal_the_others(&world, &victims);
        for (side, (_, accepted)) in victims.iter().zip(&before) {
            // In some rounds the first way back ends in the hole, too.
            let tried = |page: &Page| i % 4 != 3 || page.is_joined() || side.proxy.accepted() > *accepted;
            let noticed = |page: &Page| matches!(page.link(), Link::Lost { .. }) && tried(page);
            side.until("the loss", noticed).await?;
            side.proxy.heal();
        }
        for (side, (joins, _)) in victims.iter().zip(&before) {
            side.back_after(*joins).await?;
        }
    }
    world.compare(talk, &format!("black holes {way:?}: {count}")).await?;
    Ok(count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_silent_losses_lose_nothing() -> Result<()> {
    let (a, b, c, d) = tokio::try_join!(
        silences(Way::Both, 10),
        silences(Way::Both, 10),
        silences(Way::ToClient, 10),
        silences(Way::ToServer, 10)
    )?;
    ensure!(a + b + c + d >= 50);
    Ok(())
}

/// What a dead line still brings after its page has come back on another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_late_on_a_replaced_line_changes_nothing() -> Result<()> {
    let world = World::open(&FAST).await?;
    let talk = world.talk(PACE);
    for i in 0..10 {
        let side = world.sides()[i % 2];
        world.fill_lines(Way::Both).await?;
        let joins = side.joins();
        let old = side.proxy.open();
        side.proxy.heal();
        for connection in &old {
            side.proxy.set_one(*connection, Line::Holds(Way::Both));
        }
        heal_the_others(&world, &[side]);
        side.back_after(joins).await?;
        for connection in &old {
            side.proxy.set_one(*connection, Line::Passes);
        }
    }
    world.compare(talk, "late lines: 10").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_line_only_makes_things_late() -> Result<()> {
    let world = World::open(&FAST).await?;
    let talk = world.talk(PACE);
    world.patient.proxy.delay(Way::Both, Duration::from_millis(60));
    world.host.proxy.delay(Way::ToServer, Duration::from_millis(30));
    world.patient.hears(50, |m| chat_of(&world.host, m)).await?;
    world.host.hears(50, |m| chat_of(&world.patient, m)).await?;
    world.fill_lines(Way::Both).await?;
    world.compare(talk, "slow lines").await
}

/// The server gives up a socket before its page could say hello: that is no refusal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_stalls_while_a_socket_opens_only_makes_the_page_late() -> Result<()> {
    let world = World::open(&FAST).await?;
    let talk = world.talk(PACE);
    world.fill_lines(Way::Both).await?;
    for (side, way) in world.sides().into_iter().zip([Way::ToClient, Way::ToServer]) {
        side.proxy.cut();
        side.proxy.hold(way);
    }
    // The second line holds the wish to connect, so the server has opened one socket only, and given it up.
    world.service.process.line("no hello came in time", SOON).await?;
    let joins = world.sides().map(Side::joins);
    for side in world.sides() {
        side.proxy.heal();
    }
    for (side, joins) in world.sides().into_iter().zip(joins) {
        side.back_after(joins).await?;
    }
    world.compare(talk, "stalled openings: 2").await
}
