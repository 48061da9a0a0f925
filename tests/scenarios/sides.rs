//! People whose pages keep their seats by themselves, each behind a line that can fail, and what they say to each other.

use crate::{call::line, service::Service};
use anyhow::{Context, Result, ensure};
use heliograph_client::{Act, Api, Keeper, Link, Page};
use heliograph_domain::ParticipantId;
use heliograph_protocol::{ClientMessage, ServerMessage, To};
use heliograph_testkit::Proxy;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::watch, task::JoinHandle, time::interval};

/// All timers a twentieth of what they usually are, and twenty times the rate; those that a busy machine overruns, when all
/// is well, a tenth.
pub const FAST: [(&str, &str); 18] = [
    ("SIGNALING__TIMERS__HELLO_MS", "500"),
    ("SIGNALING__TIMERS__PING_MS", "200"),
    ("SIGNALING__TIMERS__DEAD_MS", "150"),
    ("SIGNALING__TIMERS__SERVER_PING_MS", "250"),
    ("SIGNALING__TIMERS__SERVER_DEAD_MS", "1000"),
    ("SIGNALING__TIMERS__WRITE_STALL_MS", "250"),
    ("SIGNALING__TIMERS__RETRANSMIT_MS", "100"),
    ("SIGNALING__TIMERS__RECONNECT_MIN_MS", "12"),
    ("SIGNALING__TIMERS__RECONNECT_MAX_MS", "250"),
    ("SIGNALING__TIMERS__BEAT_MS", "250"),
    ("SIGNALING__TIMERS__LEASE_MS", "750"),
    ("SIGNALING__TIMERS__RECONNECTING_MS", "2250"),
    ("SIGNALING__TIMERS__STILL_NEW_MS", "60"),
    ("SIGNALING__TIMERS__ICE_COALESCE_MS", "3"),
    ("SIGNALING__TIMERS__UNDO_END_MS", "500"),
    ("SIGNALING__TIMERS__REOPEN_MS", "90000"),
    ("SIGNALING__LIMITS__MESSAGES_PER_S", "600"),
    ("SIGNALING__LIMITS__BURST", "2400"),
];

/// A server needs up to 25 s, with the usual timers, to find out that nothing comes from a page any more.
const PATIENCE: Duration = Duration::from_mins(1);

/// One person: the page, its line, what they said and what reached them.
pub struct Side {
    pub name: &'static str,
    pub keeper: Keeper,
    pub proxy: Proxy,
    /// Whom it talks to.
    to: To,
    said: Arc<Mutex<Vec<String>>>,
    heard: watch::Receiver<Vec<Act>>,
    _listener: JoinHandle<()>,
}

impl Side {
    /// Opens a page behind a line of its own.
    pub async fn open(name: &'static str, service: &Service, api: &Api, page: Page, to: To) -> Result<Side> {
        let proxy = Proxy::to(service.base.trim_start_matches("http://").parse()?).await?;
        let api = api.at(&format!("http://{}", proxy.address()));
        let (keeper, mut acts) = Keeper::start(api, page);
        let (sender, heard) = watch::channel(Vec::new());
        let listener = tokio::spawn(async move {
            while let Some(act) = acts.recv().await {
                sender.send_modify(|all| all.push(act));
            }
        });
        Ok(Side {
            name,
            keeper,
            proxy,
            to,
            said: Arc::default(),
            heard,
            _listener: listener,
        })
    }

    /// Waits until the page is as wanted.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Page) -> bool) -> Result<()> {
        let joins = self.joins();
        // A page that has stopped by itself does not get anywhere any more.
        let over = |page: &Page| wanted(page) || matches!(page.link(), Link::Stopped(_));
        let came = self.keeper.until(PATIENCE, over).await && self.keeper.look(&wanted);
        let now = |p: &Page| {
            let (link, open, last) = (p.link(), p.open(), p.last());
            format!(
                "{link:?}, {open} unacknowledged, {} joins meanwhile, last {last:?}",
                p.joins() - joins
            )
        };
        ensure!(
            came,
            "{}: {what} did not come; now {}",
            self.name,
            self.keeper.look(now)
        );
        Ok(())
    }

    pub async fn joined(&self) -> Result<()> {
        self.until("the seat", Page::is_joined).await
    }

    /// Waits until the page has noticed that its line is gone.
    pub async fn lost(&self) -> Result<()> {
        self.until("the loss", |page| matches!(page.link(), Link::Lost { .. }))
            .await
    }

    /// Waits until everything that was said is acknowledged.
    pub async fn settled(&self) -> Result<()> {
        self.until("the last acknowledgement", |page| page.is_joined() && page.open() == 0)
            .await
    }

    pub fn say(&self, message: ClientMessage) -> Result<u64> {
        let said = self.keeper.say(message).ok().flatten();
        said.with_context(|| format!("{} may not say that", self.name))
    }

    /// Everything that acted so far, as `wanted` shows it.
    pub fn heard<T>(&self, wanted: impl Fn(&ServerMessage) -> Option<T>) -> Vec<T> {
        self.heard
            .borrow()
            .iter()
            .filter_map(|act| wanted(&act.message))
            .collect()
    }

    /// The same, of one sender only.
    pub fn heard_of<T>(&self, from: ParticipantId, wanted: impl Fn(&ServerMessage) -> Option<T>) -> Vec<T> {
        let heard = self.heard.borrow();
        let his = heard.iter().filter(|act| act.header.from == Some(from));
        his.filter_map(|act| wanted(&act.message)).collect()
    }

    /// Waits until so many such things have acted.
    pub async fn hears<T>(&self, count: usize, wanted: impl Fn(&ServerMessage) -> Option<T>) -> Result<()> {
        let mut heard = self.heard.clone();
        let enough = |all: &Vec<Act>| all.iter().filter(|act| wanted(&act.message).is_some()).count() >= count;
        let waited = tokio::time::timeout(PATIENCE, heard.wait_for(enough)).await;
        let came = matches!(waited, Ok(Ok(_)));
        ensure!(came, "{} heard {} of {count}", self.name, self.heard(&wanted).len());
        Ok(())
    }

    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often the page got its seat.
    pub fn joins(&self) -> u64 {
        self.keeper.look(Page::joins)
    }

    /// Waits until the page has its seat once more than so often.
    pub async fn back_after(&self, joins: u64) -> Result<()> {
        self.until("the way back", |page| page.is_joined() && page.joins() > joins)
            .await
    }
}

/// Two people who say numbered lines to each other, until it is dropped.
pub struct Talk {
    speakers: [JoinHandle<()>; 2],
    began: Instant,
}

impl Talk {
    /// One line of each in each `pace` from now on.
    pub fn begin(sides: [&Side; 2], pace: Duration) -> Talk {
        let speakers = sides.map(|side| {
            let (keeper, said, mut tick) = (side.keeper.clone(), Arc::clone(&side.said), interval(pace));
            let (name, to) = (side.name, side.to);
            tokio::spawn(async move {
                loop {
                    tick.tick().await;
                    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                    let id = format!("{name} {}", said.len() + 1);
                    if keeper.say(line(&id, to)).is_ok() {
                        said.push(id);
                    }
                }
            })
        });
        let began = Instant::now();
        Talk { speakers, began }
    }

    /// Waits until all is said, compares what each has heard of the other with what that one said, and tells how much it
    /// was.
    pub async fn compare(self, sides: [&Side; 2]) -> Result<String> {
        let took = self.began.elapsed();
        drop(self);
        for side in sides {
            side.proxy.heal();
        }
        for side in sides {
            side.settled().await?;
        }
        for (speaker, listener) in [(sides[0], sides[1]), (sides[1], sides[0])] {
            let said = speaker.said();
            let told = listener.hears(said.len(), |m| chat_of(speaker, m)).await;
            let heard = listener.heard(|m| chat_of(speaker, m));
            let odd = said.iter().zip(&heard).position(|(said, heard)| said != heard);
            ensure!(
                said == heard,
                "{} said {} lines and {} heard {}, the first other one is at {odd:?}, about {:?}; {told:?}",
                speaker.name,
                said.len(),
                listener.name,
                heard.len(),
                odd.map(|odd| &heard[odd.saturating_sub(2)..heard.len().min(odd + 3)])
            );
        }
        let counts = sides.map(|side| side.said().len());
        for (side, count) in sides.into_iter().zip(counts) {
            let enough = took.as_secs() * 10;
            ensure!(count as u64 >= enough, "{} said only {count} in {took:?}", side.name);
        }
        Ok(format!(
            "{} + {} messages in {took:.1?}; lost 0, doubled 0, reordered 0",
            counts[0], counts[1]
        ))
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        for speaker in &self.speakers {
            speaker.abort();
        }
    }
}

/// The id of a line that this speaker's talk has said.
pub fn chat_of(speaker: &Side, message: &ServerMessage) -> Option<String> {
    match message {
        ServerMessage::Chat { id, .. } if id.starts_with(speaker.name) => Some(id.clone()),
        _ => None,
    }
}
