//! One history: pages, lines, nodes and the log, moved by the calendar.

use crate::{
    branches::Branches,
    calendar::Calendar,
    chance::Chance,
    habits::Habits,
    line::{Line, LineId},
    node::{Node, Site},
    oracle::{Oracle, Said},
    people::{self, Person},
    tab::Tab,
    trace::Trace,
};
use heliograph_access::ticket::{self, Ticket};
use heliograph_client::{Action, Event as Happens, Link, Page, TicketAnswer, Why};
use heliograph_domain::clock::Clock;
use heliograph_protocol::{ClientMessage, Header, ServerFrame, ServerMessage};
use heliograph_signaling::{Incoming, Outgoing};

/// What happens.
pub enum Event {
    /// A socket that a page opens reaches its node.
    Open(LineId),
    /// A frame reaches the node.
    Up(LineId, Incoming),
    /// A frame reaches the page.
    Down(LineId, Outgoing),
    /// The node learns that a socket is closed.
    HangUp(LineId),
    /// The page learns that its socket is broken.
    Broken(LineId),
    /// A page's alarm rings.
    Alarm(usize),
    /// The answer to a page that asked for a ticket.
    Ticket(usize, u64),
    /// Somebody does something, or something goes wrong.
    Deed,
    /// A node is there again.
    Restart(usize),
    /// The log, the store, a node's line to the log is there again.
    LogBack,
    StoreBack,
    LineBack(usize),
    /// An outbox row is to be told.
    Tell(String),
}

pub struct World {
    pub site: Site,
    pub habits: Habits,
    pub chance: Chance,
    pub calendar: Calendar<Event>,
    pub trace: Trace,
    pub oracle: Oracle,
    pub branches: Branches,
    pub nodes: Vec<Node>,
    pub lines: Vec<Line>,
    pub tabs: Vec<Tab>,
    /// Things that are still to happen before the history comes to rest.
    pub deeds: u64,
    /// No faults any more.
    pub calm: bool,
    pub names: u64,
}

impl World {
    pub fn now(&self) -> u64 {
        self.calendar.time.now()
    }

    pub fn note(&self, detail: &str, what: std::fmt::Arguments<'_>) {
        self.trace.note(self.now(), detail, what);
    }

    /// Lets things happen until a time, or until there is a violation.
    pub async fn live_until(&mut self, until: u64) {
        while self.oracle.violation().is_none() {
            // The nodes' turn.
            tokio::task::yield_now().await;
            let Some(event) = self.calendar.next(until).await else {
                return;
            };
            self.happens(event);
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Open(line) => self.opened(line),
            Event::Up(line, frame) => self.lines[line].reach_node(frame),
            Event::Down(line, frame) => self.down(line, frame),
            Event::HangUp(line) => self.lines[line].hang_up(),
            Event::Broken(line) => self.closed(line, None),
            Event::Alarm(tab) => {
                let due = self.tabs[tab].alarm.is_some_and(|at| at <= self.now());
                if due && self.tabs[tab].open {
                    self.tabs[tab].alarm = None;
                    self.on(tab, Happens::Time);
                }
            }
            Event::Ticket(tab, life) => self.ticket(tab, life),
            Event::Deed => self.next_deed(),
            Event::Restart(node) => self.restart(node),
            Event::LogBack => self.site.server.shelf().away = false,
            Event::StoreBack => self.site.store.rows().away = false,
            Event::LineBack(node) => drop(self.site.server.shelf().away_for.remove(&node)),
            Event::Tell(name) => self.tell(name),
        }
    }

    /// A new life of a page, of a new tab or of one that was there.
    pub fn open_tab(&mut self, person: Person, first: Option<usize>, page: Page) -> usize {
        let number = self.tabs.len();
        self.tabs.push(Tab::new(number, person, first.unwrap_or(number), page));
        self.on(number, Happens::Start);
        number
    }

    pub fn new_page(&self, person: Person) -> Page {
        let session = self.chance.name().parse().expect("a good name");
        Page::new(people::room().visit, person.seat(), session)
    }

    /// Something happens to a page; then it does what it must.
    pub fn on(&mut self, tab: usize, event: Happens<'_>) {
        let now = self.now();
        self.tabs[tab].page.on(now, event);
        self.settle(tab);
    }

    /// Does what a page asks for, and sets its alarm.
    pub fn settle(&mut self, tab: usize) {
        while let Some(action) = self.tabs[tab].page.action() {
            match action {
                Action::FetchTicket { life } => self.calendar.after(self.chance.of(0..40), Event::Ticket(tab, life)),
                Action::Connect { life } => self.connect(tab, life),
                Action::Send { life, text } => self.send(tab, life, text),
                Action::Drop { .. } => self.let_go(tab),
                Action::Act { header, message } => self.act(tab, &header, &message),
                Action::Link(link) => self.stands(tab, &link),
            }
        }
        let page = &mut self.tabs[tab];
        let deadline = page.page.deadline();
        if let Some(at) = deadline.filter(|at| page.alarm.is_none_or(|alarm| *at < alarm)) {
            page.alarm = Some(at);
            self.calendar.at(at, Event::Alarm(tab));
        }
    }

    fn stands(&mut self, tab: usize, link: &Link) {
        self.note(
            &self.tabs[tab].name,
            format_args!("{} is {link:?}", self.tabs[tab].name),
        );
        match link {
            Link::Stopped(Why::Superseded) => self.branches.count("superseded"),
            Link::Stopped(Why::Removed) => self.branches.count("removed"),
            Link::Idle
            | Link::Connecting
            | Link::Joined
            | Link::Lost { .. }
            | Link::Taken { .. }
            | Link::Stopped(_) => {}
        }
    }

    fn act(&mut self, tab: usize, header: &Header, message: &ServerMessage) {
        let Tab {
            name, person, known, ..
        } = &mut self.tabs[tab];
        self.oracle.acted(name, *person, known, header, message);
        if self.trace.prints() {
            let kind = format!("{message:.60?}");
            let kind = kind.get(..60).unwrap_or(&kind);
            self.note(
                "",
                format_args!(
                    "{} acts on {:?} {:?}: {kind}",
                    self.tabs[tab].name, header.session, header.c
                ),
            );
        }
        if let Some(branch) = branch_of(message) {
            self.branches.count(branch);
        }
    }

    fn ticket(&mut self, tab: usize, life: u64) {
        let person = self.tabs[tab].person;
        let answer = {
            let rows = self.site.store.rows();
            if rows.away {
                TicketAnswer::Later
            } else if rows.cancelled {
                TicketAnswer::Refused(Why::Cancelled)
            } else {
                let room = people::room();
                let now = self.nodes[self.chance.index(self.nodes.len())].wall.now();
                let ticket = Ticket::issue(room.institution, room.visit, person.seat(), 1, now, &self.chance);
                TicketAnswer::Ticket(ticket::mint(&self.site.keys, &ticket))
            }
        };
        if let TicketAnswer::Ticket(text) = &answer {
            self.tabs[tab].ticket = Some(text.clone());
        }
        if self.tabs[tab].open {
            self.on(tab, Happens::Ticket { life, answer });
        }
    }

    fn connect(&mut self, tab: usize, life: u64) {
        let id = self.lines.len();
        let up: Vec<_> = (0..self.nodes.len()).filter(|node| self.nodes[*node].is_up()).collect();
        let any = self.chance.index(self.nodes.len());
        let node = self.chance.pick(&up).copied().unwrap_or(any);
        let (up, down) = self.habits.ways(&self.chance, self.calm);
        let line = Line::new(id, tab, life, node, up, down);
        self.lines.push(line.clone());
        self.tabs[tab].line = Some(line);
        // Once in a while the first attempt is slower than the second one.
        let wait = if !self.calm && self.chance.permille(self.habits.slow_opening) {
            self.chance.of(200..14_000)
        } else {
            self.chance.of(0..30)
        };
        self.calendar.after(wait, Event::Open(id));
    }

    fn opened(&mut self, id: LineId) {
        let line = self.lines[id].clone();
        let node = &self.nodes[line.node];
        if !node.is_up() {
            return self.closed(id, None);
        }
        node.serve(&self.site, &line);
        self.note(
            &self.tabs[line.tab].name,
            format_args!("{} opens line {id} to node {}", self.tabs[line.tab].name, line.node),
        );
        if self.tabs[line.tab].open {
            self.on(line.tab, Happens::Opened { life: line.life });
        }
        let current = self.tabs[line.tab].line.as_ref().is_some_and(|line| line.id == id);
        if !current {
            self.calendar.after(self.chance.of(0..50), Event::HangUp(id));
        }
    }

    fn send(&mut self, tab: usize, life: u64, text: String) {
        let Some(line) = self.tabs[tab].line.clone().filter(|line| line.life == life) else {
            return;
        };
        let numbered = text.contains("\"c\":") && !text.contains("\"hello\"");
        self.note(
            &text,
            format_args!("{} → {} {text:.160}", self.tabs[tab].name, line.node),
        );
        let text = if numbered && !self.calm && self.chance.permille(self.habits.garbled) {
            text.replacen("\"type\":\"", "\"type\":\"x", 1)
        } else {
            text
        };
        for at in line.pass_up(self.now(), &self.chance, numbered).times {
            self.calendar.at(at, Event::Up(line.id, Incoming::Text(text.clone())));
        }
    }

    /// The page lets its socket go. The node may learn it late, or never; what it still sends is not heard.
    fn let_go(&mut self, tab: usize) {
        let Some(line) = self.tabs[tab].line.take() else { return };
        if self.calm || self.chance.permille(850) {
            self.calendar.after(self.chance.of(0..300), Event::HangUp(line.id));
        }
    }

    fn down(&mut self, id: LineId, frame: Outgoing) {
        let line = self.lines[id].clone();
        match frame {
            Outgoing::Ping => {
                if self.tabs[line.tab].line.as_ref().is_some_and(|own| own.id == id) {
                    for at in line.pass_up(self.now(), &self.chance, false).times {
                        self.calendar.at(at, Event::Up(id, Incoming::Pong));
                    }
                }
            }
            Outgoing::Close(code) => {
                self.note(
                    "close",
                    format_args!("line {id} of {}: {code:?}", self.tabs[line.tab].name),
                );
                if code == heliograph_protocol::CloseCode::Slow {
                    self.branches.count("slow");
                }
                self.closed(id, Some(code.number()));
            }
            Outgoing::Text(text) => self.text(&line, &text),
        }
    }

    fn closed(&mut self, id: LineId, code: Option<u16>) {
        let line = self.lines[id].clone();
        line.hang_up();
        if self.tabs[line.tab].open {
            let life = line.life;
            self.on(line.tab, Happens::Closed { life, code });
        }
    }

    fn text(&mut self, line: &Line, text: &str) {
        let page = &self.tabs[line.tab];
        if !page.open {
            return;
        }
        let current = page.line.as_ref().is_some_and(|own| own.id == line.id);
        self.note(
            text,
            format_args!(
                "{} ← {}{} {text:.200}",
                page.name,
                line.node,
                if current { "" } else { " (old)" }
            ),
        );
        let tells = |part: &str| text.contains(part);
        let counts = current && (tells("\"p\":") || tells("\"acked\":") || tells("\"marks\":") || tells("\"ack\""));
        let counts = counts || current && tells("\"drain\"");
        let frame = counts.then(|| ServerFrame::parse(text).ok()).flatten();
        let before = page.page.last();
        let joins = page.page.joins();
        self.on(line.tab, Happens::Text { life: line.life, text });
        if let Some(frame) = frame {
            self.heard(line.tab, &frame, before.is_none());
        }
        let page = &self.tabs[line.tab];
        if let Link::Lost { .. } = page.page.link()
            && current
            && page.page.joins() == joins
            && text.contains("\"p\":")
        {
            self.branches.count("hole");
        }
    }

    /// What the oracle learns from a frame that a page took.
    fn heard(&mut self, tab: usize, frame: &ServerFrame, was_new: bool) {
        let page = &mut self.tabs[tab];
        let own = page.page.session().to_string();
        self.oracle.frame(page.person, frame);
        let session = frame.header.session.as_deref().unwrap_or(&own);
        let Some(message) = &frame.message else { return };
        if let ServerMessage::Welcome { acked, .. } | ServerMessage::Resync { acked, .. } = message {
            for (session, c) in acked {
                self.oracle.acked(session, *c);
            }
        }
        match message {
            ServerMessage::Ack { back } => {
                self.oracle.acked(session, frame.header.c.unwrap_or(0));
                if *back {
                    self.branches.count("back");
                }
            }
            ServerMessage::Snapshot { .. } if was_new => {
                page.known.first_marks.get_or_insert_with(|| page.page.marks().clone());
            }
            _ => {}
        }
        if let Some(branch) = branch_of_frame(message) {
            self.branches.count(branch);
        }
    }

    /// A person says something: it gets its number.
    pub fn say(&mut self, tab: usize, message: ClientMessage) {
        let now = self.now();
        let page = &mut self.tabs[tab];
        let session = page.page.session().to_string();
        let Ok(Some(c)) = page.page.say(now, message.clone()) else {
            return;
        };
        let said = Said::new(page.person, page.first, message);
        self.oracle.said(&session, c, said);
        self.settle(tab);
    }
}

fn branch_of(message: &ServerMessage) -> Option<&'static str> {
    let branches = [
        (matches!(message, ServerMessage::Notice { .. }), "notice"),
        (matches!(message, ServerMessage::Ended { .. }), "ended"),
        (matches!(message, ServerMessage::EndUndone {}), "end undone"),
        (matches!(message, ServerMessage::Reopened { .. }), "reopened"),
        (matches!(message, ServerMessage::Left { .. }), "left"),
        (matches!(message, ServerMessage::Degraded {}), "degraded"),
        (matches!(message, ServerMessage::Recovered {}), "recovered"),
    ];
    branches.into_iter().find(|(is, _)| *is).map(|(_, name)| name)
}

fn branch_of_frame(message: &ServerMessage) -> Option<&'static str> {
    let branches = [
        (matches!(message, ServerMessage::Resync { .. }), "resync"),
        (matches!(message, ServerMessage::Refused { .. }), "refused"),
        (matches!(message, ServerMessage::Drain { .. }), "drain"),
    ];
    branches.into_iter().find(|(is, _)| *is).map(|(_, name)| name)
}
