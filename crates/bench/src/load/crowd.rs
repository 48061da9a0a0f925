//! Everybody who takes part in a run, and what they do together.

use super::{
    bare,
    ledger::{Ledger, Stream, Totals},
    message::Form,
    person::{self, Command, Seated},
    schedule::{Pace, Schedule},
    socket::Door,
};
use crate::clinic::{Clinic, Room};
use anyhow::{Result, bail};
use heliograph_client::Page;
use heliograph_protocol::SUBPROTOCOL;
use std::{
    net::SocketAddr,
    process,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout_at},
};

/// Who joins at once, where a storm is not what is measured.
const AT_ONCE: usize = 64;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Makes somebody speak. What is said counts as sent from then on, whatever becomes of their task.
#[derive(Clone)]
pub struct Voice {
    commands: mpsc::UnboundedSender<Command>,
    outgoing: Arc<Stream>,
}

impl Voice {
    pub fn say(&self, due: Duration) {
        self.tell(Command::Say(self.outgoing.send(due)));
    }

    pub fn tell(&self, command: Command) {
        // A task that ended is counted by what it did not deliver.
        let _ = self.commands.send(command);
    }

    /// Said and not acknowledged.
    pub fn open(&self) -> u64 {
        self.outgoing.open()
    }
}

/// Somebody in a room.
pub struct Somebody {
    pub voice: Voice,
    pub seated: watch::Receiver<Seated>,
}

pub struct Crowd {
    pub ledger: Arc<Ledger>,
    /// Those who have somebody to talk to.
    pub talkers: Vec<Somebody>,
    /// Those who are alone in their room.
    pub alone: Vec<Somebody>,
    form: Form,
    run: String,
    /// The service acknowledges; the baseline does not.
    acknowledged: bool,
    sockets: usize,
}

impl Crowd {
    pub fn new(form: &Form, acknowledged: bool) -> Result<Crowd> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
        Ok(Crowd {
            ledger: Ledger::new()?,
            talkers: Vec::new(),
            alone: Vec::new(),
            form: form.clone(),
            run: format!("bench-{}-{}", process::id(), since.as_nanos()),
            acknowledged,
            sockets: 0,
        })
    }

    pub fn sockets(&self) -> usize {
        self.sockets
    }

    /// Who comes to which door with which ticket, for both seats of a room.
    pub fn pair(&mut self, room: &Room, doors: [Door; 2], tickets: [Option<String>; 2]) -> Result<()> {
        let streams = [self.ledger.stream(), self.ledger.stream()];
        let [first, second] = tickets;
        for (seat, (door, ticket)) in doors.into_iter().zip([first, second]).enumerate() {
            let somebody = self.start(room, seat, door, ticket, &streams)?;
            self.talkers.push(somebody);
        }
        Ok(())
    }

    /// One person, who waits for the other.
    pub fn one(&mut self, room: &Room, door: Door) -> Result<()> {
        let streams = [self.ledger.stream(), self.ledger.stream()];
        let somebody = self.start(room, 0, door, None, &streams)?;
        self.alone.push(somebody);
        Ok(())
    }

    fn start(
        &mut self,
        room: &Room,
        seat: usize,
        door: Door,
        ticket: Option<String>,
        streams: &[Arc<Stream>; 2],
    ) -> Result<Somebody> {
        let peer = room.seats[1 - seat].participant;
        let (outgoing, incoming) = (Arc::clone(&streams[seat]), Arc::clone(&streams[1 - seat]));
        let (form, ledger) = (self.form.clone(), Arc::clone(&self.ledger));
        let session = format!("{}-{}", self.run, self.sockets).parse()?;
        self.sockets += 1;
        let voiced = Arc::clone(&outgoing);
        let (commands, seated) = if self.acknowledged {
            person::start(person::Plan {
                page: Page::new(room.visit, room.seats[seat].participant, session),
                api: room.seats[seat].api.clone(),
                ticket,
                door,
                peer,
                form,
                ledger,
                outgoing,
                incoming,
            })
        } else {
            bare::start(bare::Plan {
                door,
                peer,
                form,
                ledger,
                incoming,
            })
        };
        let voice = Voice {
            commands,
            outgoing: voiced,
        };
        Ok(Somebody { voice, seated })
    }

    /// Lets both come to each room, a few rooms at a time.
    pub async fn fill(&mut self, rooms: &[Room], door: impl Fn(&Room, usize) -> Door, within: Duration) -> Result<()> {
        for some in rooms.chunks(AT_ONCE / 2) {
            for room in some {
                let doors = [door(room, self.sockets), door(room, self.sockets + 1)];
                self.pair(room, doors, [None, None])?;
            }
            self.seated(1, within).await?;
        }
        Ok(())
    }

    /// Lets one come to each room.
    pub async fn visit(&mut self, rooms: &[Room], clinic: &Clinic, within: Duration) -> Result<()> {
        for some in rooms.chunks(AT_ONCE) {
            for room in some {
                self.one(room, clinic.door(self.sockets))?;
            }
            self.seated(1, within).await?;
        }
        Ok(())
    }

    pub fn everybody(&self) -> impl Iterator<Item = &Somebody> {
        self.talkers.iter().chain(&self.alone)
    }

    /// Waits until everybody got the seat so many times, and whoever has somebody to talk to has seen them.
    pub async fn seated(&self, times: u32, within: Duration) -> Result<()> {
        let deadline = Instant::now() + within;
        let mut late = 0;
        let talkers = self.talkers.iter().map(|one| (one, self.acknowledged));
        for (somebody, in_company) in talkers.chain(self.alone.iter().map(|one| (one, false))) {
            let mut seated = somebody.seated.clone();
            let wait = seated.wait_for(|seated| seated.times >= times && (seated.met || !in_company));
            if !matches!(timeout_at(deadline, wait).await, Ok(Ok(_))) {
                late += 1;
            }
        }
        if late > 0 {
            let stops = self.ledger.stops();
            bail!(
                "{late} of {} people had no seat within {within:?}; pages that do not come back: {stops:?}",
                self.sockets
            );
        }
        Ok(())
    }

    /// Everybody in turn sends a message, so many a second together.
    pub fn talk(&self, per_second: u64) -> Pace {
        let voices: Vec<_> = self.talkers.iter().map(|one| one.voice.clone()).collect();
        Pace::keep(Schedule { per_second }, self.ledger.began(), move |n, due| {
            let turn = usize::try_from(n).unwrap_or(0) % voices.len().max(1);
            if let Some(voice) = voices.get(turn) {
                voice.say(due);
            }
        })
    }

    /// Everybody sends a message now.
    pub fn all_say(&self) {
        let due = self.ledger.now();
        self.talkers.iter().for_each(|one| one.voice.say(due));
    }

    pub fn tell_all(&self, command: Command) {
        self.talkers.iter().for_each(|one| one.voice.tell(command));
    }

    /// Waits until all that was sent has come and is acknowledged, or the time is over.
    pub async fn settle(&self, within: Duration) -> Totals {
        let deadline = Instant::now() + within;
        loop {
            let totals = self.ledger.totals();
            if totals.settled(self.acknowledged) || Instant::now() >= deadline {
                return totals;
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

impl Clinic {
    /// The door for the socket with this number.
    pub fn door(&self, number: usize) -> Door {
        service(self.address, number)
    }
}

/// The service's door at an address that leads to it.
pub fn service(address: SocketAddr, number: usize) -> Door {
    Door {
        server: address,
        path: "/ws".to_owned(),
        protocol: Some(SUBPROTOCOL),
        source: Door::source(address, number),
        receive_buffer: None,
    }
}

/// The baseline's door to a room.
pub fn baseline(address: SocketAddr, room: &Room, number: usize) -> Door {
    Door {
        server: address,
        path: format!("/room/{}", room.visit),
        protocol: None,
        source: Door::source(address, number),
        receive_buffer: None,
    }
}
