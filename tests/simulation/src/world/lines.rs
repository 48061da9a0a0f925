//! Sockets: what pages write, and what they hear.

use super::{Event, World};
use crate::line::{Line, LineId};
use heliograph_client::{Event as Happens, Link};
use heliograph_protocol::{ServerFrame, ServerMessage};
use heliograph_signaling::{Incoming, Outgoing};

/// The life of a socket that no page hears.
pub const STRANGE: u64 = u64::MAX;

impl World {
    pub(super) fn connect(&mut self, tab: usize, life: u64) {
        let id = self.lines.len();
        let up: Vec<_> = (0..self.nodes.len()).filter(|node| self.nodes[*node].is_up()).collect();
        let any = self.chance.index(self.nodes.len());
        let node = self.chance.pick(&up).copied().unwrap_or(any);
        let (up, down) = self.habits.ways(&self.chance, self.calm);
        let line = Line::new(id, tab, life, node, up, down);
        self.lines.push(line.clone());
        self.tabs[tab].line = Some(line);
        let wait = if self.is_unlucky() {
            self.chance.of(200..14_000)
        } else {
            self.chance.of(0..30)
        };
        self.calendar.after(wait, Event::Open(id));
    }

    pub(super) fn opened(&mut self, id: LineId) {
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

    pub(super) fn send(&mut self, tab: usize, life: u64, text: String) {
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
        if text.contains("\"type\":\"hello\"") && self.is_unlucky() {
            // A slow first attempt beside a fast second one: the page gives up while its hello is on the way.
            line.wire().up.hold_up(self.now() + self.chance.of(300..4_500));
            self.calendar.after(self.chance.of(50..400), Event::Broken(line.id));
        }
        for at in line.pass_up(self.now(), &self.chance, numbered).times {
            self.calendar.at(at, Event::Up(line.id, Incoming::Text(text.clone())));
        }
    }

    fn is_unlucky(&self) -> bool {
        !self.calm && self.chance.permille(self.habits.slow_opening)
    }

    /// The page lets its socket go. The node may learn it late, or never; what it still sends is not heard.
    pub(super) fn let_go(&mut self, tab: usize) {
        let Some(line) = self.tabs[tab].line.take() else { return };
        if self.calm || self.chance.permille(850) {
            // It comes after what was written before.
            let soon = self.now() + self.chance.of(0..300);
            let at = soon.max(line.wire().up.last() + 1);
            self.calendar.at(at, Event::HangUp(line.id));
        }
    }

    pub(super) fn down(&mut self, id: LineId, frame: Outgoing) {
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
                self.closed(id, Some(code.number()));
            }
            Outgoing::Text(text) => self.text(&line, &text),
        }
    }

    pub(super) fn closed(&mut self, id: LineId, code: Option<u16>) {
        let line = self.lines[id].clone();
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
        if line.life == STRANGE && tells("\"welcome\"") {
            self.robbed.insert(page.person);
        }
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
}

fn branch_of_frame(message: &ServerMessage) -> Option<&'static str> {
    let branches = [
        (matches!(message, ServerMessage::Resync { .. }), "resync"),
        (matches!(message, ServerMessage::Refused { .. }), "refused"),
        (matches!(message, ServerMessage::Drain { .. }), "drain"),
    ];
    branches.into_iter().find(|(is, _)| *is).map(|(_, name)| name)
}
