//! One history: pages, lines, nodes and the log, moved by the calendar.

mod lines;

pub use lines::STRANGE;

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
use heliograph_protocol::{ClientMessage, Header, ServerMessage};
use heliograph_signaling::{Incoming, Outgoing};
use std::collections::BTreeSet;

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
    /// Whose seat somebody got who is none of their pages.
    pub robbed: BTreeSet<Person>,
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
            Event::LogBack => self.site.server.shelf().faults.away = false,
            Event::StoreBack => self.site.store.rows().away = false,
            Event::LineBack(node) => drop(self.site.server.shelf().faults.away_for.remove(&node)),
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
