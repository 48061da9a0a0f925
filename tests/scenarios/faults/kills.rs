//! The process is killed and started again, at bad moments and with a journal that was cut short.

use super::world::{World, is_inside};
use crate::{
    service::{SOON, Service},
    sides::{FAST, chat_of},
};
use anyhow::{Context, Result, ensure};
use heliograph_domain::ParticipantId;
use heliograph_protocol::{ClientMessage, Ice, IceCandidate, Sdp, SdpKind, ServerMessage};
use heliograph_testkit::Way;
use std::{fs::OpenOptions, path::PathBuf, time::Duration};

const PACE: Duration = Duration::from_millis(55);
const WAYS: [Way; 3] = [Way::Both, Way::ToServer, Way::ToClient];

impl World {
    fn journal(&self) -> Result<PathBuf> {
        let name = format!("rooms/cedar-street/{}.journal", self.booked.id()?);
        let path = self.service.folder().join(name);
        ensure!(path.exists(), "there is no {}", path.display());
        Ok(path)
    }
}

async fn kills(rounds: usize) -> Result<()> {
    let mut world = World::open(&FAST).await?;
    let talk = world.talk(PACE);
    for i in 0..rounds {
        world.kill_and_restart(WAYS[i % 3], |_| Ok(())).await?;
    }
    world.compare(talk, &format!("kills: {rounds}")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_lose_nothing_and_nobody_clicks() -> Result<()> {
    tokio::try_join!(kills(10), kills(10))?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_without_its_last_bytes_is_cut_at_its_last_whole_entry_and_nothing_is_lost() -> Result<()> {
    let mut world = World::open(&FAST).await?;
    let talk = world.talk(PACE);
    for (way, cut) in WAYS.iter().cycle().zip([1, 4, 17, 300, 2_000]) {
        let tear = |world: &World| {
            let file = OpenOptions::new().write(true).open(world.journal()?)?;
            let length = file.metadata()?.len();
            ensure!(length > cut, "the journal has only {length} bytes");
            Ok(file.set_len(length - cut)?)
        };
        world.kill_and_restart(*way, tear).await?;
    }
    world.compare(talk, "torn journals: 5").await
}

fn sdp(to: ParticipantId, kind: SdpKind, generation: u64, text: String) -> ClientMessage {
    ClientMessage::Sdp(Sdp {
        to,
        pc: "av".to_owned(),
        generation,
        kind,
        sdp: text,
    })
}

fn ice(to: ParticipantId, generation: u64, text: String) -> ClientMessage {
    let candidate = IceCandidate {
        candidate: text,
        sdp_mid: None,
        sdp_m_line_index: None,
        username_fragment: None,
    };
    ClientMessage::Ice(Ice {
        to,
        pc: "av".to_owned(),
        generation,
        candidates: vec![candidate],
    })
}

fn negotiation(message: &ServerMessage) -> Option<String> {
    match message {
        ServerMessage::Sdp { sdp, .. } => Some(sdp.clone()),
        ServerMessage::Ice { candidates, .. } => Some(candidates.iter().map(|one| one.candidate.as_str()).collect()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_of_descriptions_goes_on_after_a_kill() -> Result<()> {
    let mut world = World::open(&FAST).await?;
    let talk = world.talk(PACE);
    let (host, patient) = (world.booked.seat("host")?, world.booked.seat("patient")?);
    let mut said = [Vec::new(), Vec::new()];
    for (round, way) in WAYS.iter().cycle().take(6).enumerate() {
        let generation = world
            .patient
            .keeper
            .look(|page| page.room().map(|room| room.members[0].generation));
        let generation = generation.context("the patient sees nobody")?;
        for side in world.sides() {
            side.proxy.hold(*way);
        }
        let exchange = [
            (&world.patient, host, SdpKind::Offer),
            (&world.host, patient, SdpKind::Answer),
        ];
        for (list, (side, to, kind)) in said.iter_mut().zip(exchange) {
            let texts = [0, 1, 2, 3].map(|part| format!("{kind:?} {round}.{part}"));
            side.say(sdp(to, kind, generation, texts[0].clone()))?;
            for text in &texts[1..] {
                side.say(ice(to, generation, text.clone()))?;
            }
            list.extend(texts);
        }
        world.kill_and_restart(*way, |_| Ok(())).await?;
    }
    for (list, listener) in said.iter().zip([&world.host, &world.patient]) {
        listener.hears(list.len(), negotiation).await?;
        assert_eq!(&listener.heard(negotiation), list, "{} heard otherwise", listener.name);
    }
    println!(
        "descriptions and candidates: {} + {} through 6 kills, once and in order",
        said[0].len(),
        said[1].len()
    );
    world.compare(talk, "kills in mid-exchange: 6").await
}

/// The patient is let in while the process dies: once, whatever of it was under way.
async fn admitted_while_killed(way: Way) -> Result<()> {
    let service = Service::with(&FAST).await?;
    let mut world = World::waiting_at(service).await?;
    let talk = world.talk(PACE);
    world.host.hears(5, |m| chat_of(&world.patient, m)).await?;
    for side in world.sides() {
        side.proxy.hold(way);
    }
    world.admit().await?;
    if way == Way::ToClient {
        let (desk, path) = (
            world.service.physician().await?,
            format!("/api/v1/visits/{}", world.booked.id()?),
        );
        let patient = world.booked.seat("patient")?.to_string();
        let inside = async {
            loop {
                let visit = desk.get(&path).await?;
                let present = visit["room"]["present"].as_array();
                if present.is_some_and(|list| list.iter().any(|one| *one == patient.as_str())) {
                    return anyhow::Ok(());
                }
            }
        };
        tokio::time::timeout(SOON, inside)
            .await
            .context("the room never knew")??;
    }
    world.kill_and_restart(way, |_| Ok(())).await?;
    world.patient.until("the door", is_inside).await?;
    world.host.settled().await?;
    let waiting = world
        .host
        .keeper
        .look(|page| page.room().map(|room| room.waiting.len()));
    ensure!(waiting == Some(0), "somebody still waits: {waiting:?}");
    world.compare(talk, &format!("killed in mid-admit, {way:?}")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_being_let_in_when_the_process_died_is_let_in_once() -> Result<()> {
    tokio::try_join!(
        admitted_while_killed(Way::Both),
        admitted_while_killed(Way::ToServer),
        admitted_while_killed(Way::ToClient)
    )?;
    Ok(())
}
