//! Somebody at the service: a page that keeps its seat by the client library's rules, on one task with one socket.

use super::{
    ledger::{Ledger, Stream},
    message::{Form, Stamp},
    socket::{Door, Socket},
};
use anyhow::Result;
use futures::{FutureExt, future::BoxFuture};
use heliograph_client::{Action, Api, ApiError, Event, Link, Page, TicketAnswer, Why};
use heliograph_domain::ParticipantId;
use heliograph_protocol::{Member, Resumed, ServerFrame, ServerMessage};
use std::{
    future::pending,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

/// Frames longer than this are no `ack`.
const SHORT: usize = 200;

/// What somebody is told to do.
#[derive(Debug, Clone, Copy)]
pub enum Command {
    /// Send a message.
    Say(Stamp),
    /// From now on, send whenever fewer than so many are unacknowledged; 0 ends that.
    Flood(u64),
    /// Neither read nor write any more, as a frozen browser does.
    Freeze,
    /// Go on.
    Thaw,
}

/// How often somebody got the seat, and how it was the last time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seated {
    pub times: u32,
    /// Since the ledger began: `welcome`, and the snapshot where one is to follow.
    pub at: Duration,
    pub resumed: Option<Resumed>,
    /// Our end of the line.
    pub local: Option<SocketAddr>,
    /// The other person was seen: what is said before has the wrong generation, and is refused.
    pub met: bool,
}

/// All that a person is made of.
pub struct Plan {
    pub page: Page,
    pub api: Api,
    /// Fetched before, for the first connection.
    pub ticket: Option<String>,
    pub door: Door,
    pub peer: ParticipantId,
    pub form: Form,
    pub ledger: Arc<Ledger>,
    pub outgoing: Arc<Stream>,
    pub incoming: Arc<Stream>,
}

/// A person's task. It ends when the handle of its commands is dropped.
pub fn start(plan: Plan) -> (mpsc::UnboundedSender<Command>, watch::Receiver<Seated>) {
    let (commands, told) = mpsc::unbounded_channel();
    let (seated, seen) = watch::channel(Seated::default());
    let person = Person {
        line: Line::None,
        flood: 0,
        welcomed: None,
        local: None,
        seated,
        plan,
    };
    tokio::spawn(person.live(told));
    (commands, seen)
}

/// What there is of a way to the service.
enum Line {
    None,
    Ticket(u64, BoxFuture<'static, TicketAnswer>),
    Opening(u64, BoxFuture<'static, Result<Box<Socket>>>),
    Open(u64, Box<Socket>),
}

enum Heard {
    Ticket(TicketAnswer),
    Opened(Result<Box<Socket>>),
    Text(String),
    Closed(Option<u16>),
}

struct Person {
    plan: Plan,
    line: Line,
    flood: u64,
    /// A `welcome` came, and what it promised is still to follow.
    welcomed: Option<Resumed>,
    local: Option<SocketAddr>,
    seated: watch::Sender<Seated>,
}

impl Line {
    /// What comes next. May be dropped and called again.
    async fn next(&mut self) -> (u64, Heard) {
        match self {
            Line::None => pending().await,
            Line::Ticket(life, answer) => (*life, Heard::Ticket(answer.await)),
            Line::Opening(life, socket) => (*life, Heard::Opened(socket.await)),
            Line::Open(life, socket) => match socket.next().await {
                Ok(text) => (*life, Heard::Text(text)),
                Err(code) => (*life, Heard::Closed(code)),
            },
        }
    }
}

impl Person {
    async fn live(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        self.on(Event::Start);
        loop {
            self.act().await;
            let deadline = self.plan.page.deadline();
            let at = Instant::from_std(self.plan.ledger.began()) + Duration::from_millis(deadline.unwrap_or(0));
            tokio::select! {
                biased;
                (life, heard) = self.line.next() => self.hear(life, heard),
                command = commands.recv() => match command {
                    Some(Command::Say(stamp)) => self.say(stamp),
                    Some(Command::Flood(open)) => self.flood = open,
                    Some(Command::Freeze) => {
                        let Some(stamps) = frozen(&mut commands).await else { return };
                        self.on(Event::Wake);
                        for stamp in stamps { self.say(stamp); }
                    }
                    Some(Command::Thaw) => {}
                    None => return,
                },
                () = sleep_until(at), if deadline.is_some() => self.on(Event::Time),
            }
            self.look_for_the_peer();
            self.plan.outgoing.acked(self.plan.page.acked());
            while self.flood > self.plan.outgoing.open() && self.plan.page.is_joined() {
                let due = self.plan.ledger.now();
                let stamp = self.plan.outgoing.send(due);
                self.say(stamp);
            }
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.plan.ledger.now().as_millis()).unwrap_or(u64::MAX)
    }

    fn on(&mut self, event: Event<'_>) {
        self.plan.page.on(self.now_ms(), event);
    }

    fn say(&mut self, stamp: Stamp) {
        let generation = self.peer().map_or(0, |member| member.generation);
        let message = self.plan.form.message(stamp, self.plan.peer, generation);
        let now_ms = self.now_ms();
        if self.plan.page.say(now_ms, message).is_err() {
            self.plan.ledger.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn peer(&self) -> Option<&Member> {
        let members = &self.plan.page.room()?.members;
        members.iter().find(|member| member.participant == self.plan.peer)
    }

    fn look_for_the_peer(&mut self) {
        if !self.seated.borrow().met && self.peer().is_some() {
            self.seated.send_modify(|seated| seated.met = true);
        }
    }

    fn hear(&mut self, life: u64, heard: Heard) {
        match heard {
            Heard::Ticket(answer) => {
                self.line = Line::None;
                self.on(Event::Ticket { life, answer });
            }
            Heard::Opened(Ok(socket)) => {
                self.local = Some(socket.local);
                self.line = Line::Open(life, socket);
                self.welcomed = None;
                self.on(Event::Opened { life });
            }
            Heard::Opened(Err(_)) => {
                self.line = Line::None;
                self.on(Event::Closed { life, code: None });
            }
            Heard::Text(text) => {
                let joins = self.plan.page.joins();
                self.on(Event::Text { life, text: &text });
                if self.plan.page.joins() > joins || self.welcomed.is_some() {
                    self.look_for_the_seat(&text);
                }
            }
            Heard::Closed(code) => {
                self.line = Line::None;
                self.on(Event::Closed { life, code });
            }
        }
    }

    /// A page has its seat with `welcome` if the frames follow that it missed, else with the snapshot.
    fn look_for_the_seat(&mut self, text: &str) {
        let Ok(ServerFrame { message, .. }) = ServerFrame::parse(text) else {
            return;
        };
        let resumed = match (message, self.welcomed) {
            (
                Some(ServerMessage::Welcome {
                    resumed: Resumed::Full, ..
                }),
                _,
            ) => Resumed::Full,
            (Some(ServerMessage::Welcome { resumed, .. }), _) => {
                self.welcomed = Some(resumed);
                return;
            }
            (Some(ServerMessage::Snapshot { .. }), Some(resumed)) => resumed,
            (Some(_) | None, _) => return,
        };
        self.welcomed = None;
        let (at, local) = (self.plan.ledger.now(), self.local);
        self.seated.send_modify(|seated| {
            *seated = Seated {
                times: seated.times + 1,
                at,
                resumed: Some(resumed),
                local,
                met: seated.met,
            };
        });
    }

    /// Does all that the page asks for.
    async fn act(&mut self) {
        while let Some(action) = self.plan.page.action() {
            match action {
                Action::FetchTicket { life } => self.line = Line::Ticket(life, self.ticket()),
                Action::Connect { life } => {
                    let door = self.plan.door.clone();
                    self.line = Line::Opening(life, async move { Socket::open(&door).await.map(Box::new) }.boxed());
                }
                Action::Send { life, text } => self.write(life, text).await,
                Action::Drop { .. } => self.line = Line::None,
                Action::Act { message, .. } => self.came(&message),
                Action::Link(Link::Stopped(why)) => self.plan.ledger.stopped(format!("{why:?}")),
                Action::Link(Link::Taken { .. }) => self.plan.ledger.stopped("Taken".to_owned()),
                Action::Link(Link::Idle | Link::Connecting | Link::Joined | Link::Lost { .. }) => {}
            }
        }
    }

    async fn write(&mut self, to: u64, text: String) {
        let Line::Open(life, socket) = &mut self.line else {
            return;
        };
        if *life != to {
            return;
        }
        if text.len() < SHORT && text.contains("\"type\":\"ack\"") {
            self.plan.ledger.ack_frames.fetch_add(1, Ordering::Relaxed);
        }
        if socket.send(text).await.is_err() {
            self.line = Line::None;
            self.on(Event::Closed { life: to, code: None });
        }
    }

    fn came(&self, message: &ServerMessage) {
        let stamp = match message {
            ServerMessage::Sdp { sdp, .. } => Stamp::read(sdp),
            ServerMessage::Chat { text, .. } => Stamp::read(text.reveal()),
            ServerMessage::Refused { .. } => {
                self.plan.ledger.refused.fetch_add(1, Ordering::Relaxed);
                None
            }
            _ => None,
        };
        if let Some(stamp) = stamp {
            self.plan.ledger.came(&self.plan.incoming, stamp);
        }
    }

    fn ticket(&mut self) -> BoxFuture<'static, TicketAnswer> {
        if let Some(ticket) = self.plan.ticket.take() {
            return async { TicketAnswer::Ticket(ticket) }.boxed();
        }
        let (api, visit) = (self.plan.api.clone(), self.plan.page.visit().to_string());
        async move { answer(api.seat(&visit).await) }.boxed()
    }
}

fn answer(seat: Result<serde_json::Value, ApiError>) -> TicketAnswer {
    match seat {
        Ok(seat) => match seat["ticket"].as_str() {
            Some(ticket) => TicketAnswer::Ticket(ticket.to_owned()),
            None => TicketAnswer::Later,
        },
        Err(ApiError::Unexpected { status, .. }) if status.is_client_error() => TicketAnswer::Refused(Why::Auth),
        Err(ApiError::Unexpected { .. } | ApiError::Line(_)) => TicketAnswer::Later,
    }
}

/// Waits for the thaw; what was to be said meanwhile, or none if it never comes.
async fn frozen(commands: &mut mpsc::UnboundedReceiver<Command>) -> Option<Vec<Stamp>> {
    let mut stamps = Vec::new();
    loop {
        match commands.recv().await? {
            Command::Say(stamp) => stamps.push(stamp),
            Command::Thaw => return Some(stamps),
            Command::Flood(_) | Command::Freeze => {}
        }
    }
}
