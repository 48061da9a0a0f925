//! What goes wrong.

use crate::{
    line::{Line, LineId, Way},
    node::Node,
    people::room,
    world::{Event, STRANGE, World},
};

impl World {
    fn pick_line(&self) -> Option<Line> {
        let lines: Vec<_> = self.tabs.iter().filter_map(|tab| tab.line.as_ref()).collect();
        self.chance.pick(&lines).map(|line| (*line).clone())
    }

    /// A socket that no page hears.
    pub(super) fn strange_line(&mut self, tab: usize, node: usize) -> LineId {
        let id = self.lines.len();
        let line = Line::new(id, tab, STRANGE, node, Way::default(), Way::default());
        self.nodes[node].serve(&self.site, &line);
        self.lines.push(line);
        id
    }

    /// A socket breaks, and both sides are told; the node perhaps later.
    pub(super) fn cut(&mut self) -> Option<()> {
        let line = self.pick_line()?;
        self.calendar.after(self.chance.of(0..5), Event::Broken(line.id));
        let late = if self.chance.permille(300) {
            self.chance.of(0..25_000)
        } else {
            0
        };
        self.calendar.after(late, Event::HangUp(line.id));
        Some(())
    }

    /// Frames vanish in one direction or both; nobody is told.
    pub(super) fn silence(&mut self) -> Option<()> {
        let line = self.pick_line()?;
        let which = self.chance.of(0..3);
        let mut wire = line.wire();
        wire.up.silent |= which != 0;
        wire.down.silent |= which != 1;
        Some(())
    }

    /// A page reads nothing any more.
    pub(super) fn stall(&mut self) -> Option<()> {
        let line = self.pick_line()?;
        line.stall();
        Some(())
    }

    pub(super) fn kill_one(&mut self) -> Option<()> {
        let up: Vec<_> = (0..self.nodes.len()).filter(|node| self.nodes[*node].is_up()).collect();
        let node = self.chance.pick(&up)?;
        self.kill(*node);
        Some(())
    }

    pub(super) fn kill_all(&mut self) {
        for node in 0..self.nodes.len() {
            self.kill(node);
        }
    }

    /// The process is gone at once. Its sockets break, or the machine is gone too and they fall silent.
    fn kill(&mut self, node: usize) {
        let silent = self.chance.permille(250);
        self.nodes[node].kill();
        self.site.server.shelf().hang_up(node);
        for line in self.lines.iter().filter(|line| line.node == node && line.is_open()) {
            if silent {
                let mut wire = line.wire();
                (wire.up.silent, wire.down.silent) = (true, true);
            } else {
                self.calendar.after(self.chance.of(0..4), Event::Broken(line.id));
            }
        }
        self.calendar.after(self.chance.of(100..8_000), Event::Restart(node));
    }

    pub(super) fn drain(&mut self) -> Option<()> {
        let up: Vec<_> = (0..self.nodes.len()).filter(|node| self.nodes[*node].is_up()).collect();
        let node = self.chance.pick(&up).copied()?;
        self.nodes[node].drain();
        self.calendar.after(self.chance.of(500..6_000), Event::Restart(node));
        Some(())
    }

    pub fn restart(&mut self, node: usize) {
        if !self.nodes[node].is_up() {
            // Whatever is left of its life before ends here.
            self.nodes[node].kill();
            self.site.server.shelf().hang_up(node);
            self.nodes[node] = Node::start(&self.site, node, self.wrong_ms());
        }
    }

    fn wrong_ms(&self) -> i64 {
        let wrong = i64::try_from(self.chance.of(0..4_000)).unwrap_or(0) - 2_000;
        if self.calm || self.chance.permille(600) {
            0
        } else {
            wrong
        }
    }

    pub(super) fn node_clock(&mut self) {
        let node = self.chance.index(self.nodes.len());
        self.nodes[node].wall.step(self.wrong_ms());
    }

    pub(super) fn log_clock(&mut self) {
        let far = self.chance.permille(200);
        let wrong = if far { self.wrong_ms() * 60 } else { self.wrong_ms() };
        self.site.server.shelf().wall.step(wrong);
    }

    fn outage(&self) -> u64 {
        match self.chance.of(0..10) {
            0..7 => self.chance.of(10..3_000),
            _ => self.chance.of(3_000..20_000),
        }
    }

    pub(super) fn log_away(&mut self) {
        self.site.server.shelf().faults.away = true;
        self.calendar.after(self.outage(), Event::LogBack);
    }

    pub(super) fn node_without_log(&mut self) {
        let node = self.chance.index(self.nodes.len());
        self.site.server.shelf().faults.away_for.insert(node);
        self.calendar.after(self.outage(), Event::LineBack(node));
    }

    pub(super) fn hang_up(&mut self) {
        let node = self.chance.index(self.nodes.len());
        self.site.server.shelf().hang_up(node);
    }

    pub(super) fn rewind(&mut self) {
        let changes = 1 + self.chance.index(8);
        self.site.server.shelf().rewind(changes);
    }

    pub(super) fn split(&mut self) {
        let alone = self.chance.index(self.nodes.len());
        self.site.server.shelf().faults.away_for.insert(alone);
        self.calendar.after(self.outage(), Event::LineBack(alone));
        for node in (0..self.nodes.len()).filter(|node| *node != alone) {
            self.kill(node);
            self.calendar.after(self.chance.of(20..400), Event::Restart(node));
        }
        self.rewind();
    }

    pub(super) fn empty(&mut self) {
        self.site.server.shelf().empty();
    }

    /// The one process of a small service is killed in mid-write.
    pub(super) fn tear(&mut self) {
        self.kill_all();
        let lost = self.chance.index(4);
        self.site.server.shelf().tear(lost);
        self.branches.count("journal torn");
    }

    pub(super) fn store_away(&mut self) {
        self.site.store.rows().away = true;
        self.calendar.after(self.outage(), Event::StoreBack);
    }

    /// The service looks after its open visits.
    pub(super) fn wake_room(&mut self) -> Option<()> {
        let node = self.chance.index(self.nodes.len());
        let node = self.nodes.get(node).filter(|node| node.is_up())?;
        let rooms = node.rooms.clone();
        tokio::spawn(async move { rooms.wake(&room()).await });
        Some(())
    }
}
