//! The line between a page and a node: slow, silent in one way, cut, or stalled; frames may come twice or late.

use crate::{branches::Branches, calendar::Calendar, chance::Chance, world::Event};
use futures::{Sink, Stream};
use heliograph_signaling::{Gone, Incoming, Outgoing};
use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};
use tokio::sync::mpsc;

/// One socket, by number.
pub type LineId = usize;

/// One socket; clones are the same.
#[derive(Clone)]
pub struct Line {
    pub id: LineId,
    pub tab: usize,
    pub life: u64,
    pub node: usize,
    wire: Arc<Mutex<Wire>>,
}

/// How it is.
#[derive(Default)]
pub struct Wire {
    pub up: Way,
    pub down: Way,
    /// The node can write nothing: the page does not read.
    stalled: bool,
    waker: Option<Waker>,
    /// Where the node reads; gone when the node has been told that the socket is closed.
    to_node: Option<mpsc::UnboundedSender<Incoming>>,
    /// A frame to the page was lost, and nobody noticed yet.
    pub lossy: bool,
}

/// One direction.
#[derive(Debug, Clone, Copy, Default)]
pub struct Way {
    /// The longest delay, in milliseconds.
    pub slow: u64,
    /// Frames vanish.
    pub silent: bool,
    /// Frames that vanish, come twice or late, in a thousand each.
    pub rough: u32,
    /// A frame does not overtake the one before.
    last: u64,
}

/// When a frame arrives, once or twice, in order or not.
pub struct Passage {
    pub times: Vec<u64>,
}

impl Way {
    pub fn new(slow: u64, rough: u32) -> Way {
        Way {
            slow,
            rough,
            ..Way::default()
        }
    }

    /// What is written from now on arrives no sooner.
    pub fn hold_up(&mut self, until: u64) {
        self.last = self.last.max(until);
    }

    /// When the last frame arrives.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Sends a frame. `may_go`: it is one that may be lost, doubled or late.
    fn pass(&mut self, now: u64, chance: &Chance, may_go: bool) -> Passage {
        if self.silent {
            return Passage { times: Vec::new() };
        }
        let wait = if self.slow > 0 { chance.of(0..self.slow + 1) } else { 0 };
        let at = self.last.max(now + wait);
        let rough = if may_go { self.rough } else { 0 };
        if rough > 0 {
            if chance.permille(rough) {
                return Passage { times: Vec::new() };
            }
            let late = at + 1 + chance.of(0..60);
            if chance.permille(rough) {
                return Passage { times: vec![at, late] };
            }
            if chance.permille(rough) {
                return Passage { times: vec![late] };
            }
        }
        self.last = at;
        Passage { times: vec![at] }
    }
}

impl Line {
    pub fn new(id: LineId, tab: usize, life: u64, node: usize, up: Way, down: Way) -> Line {
        let wire = Wire {
            up,
            down,
            ..Wire::default()
        };
        Line {
            id,
            tab,
            life,
            node,
            wire: Arc::new(Mutex::new(wire)),
        }
    }

    pub fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node takes the socket: its two ends there.
    pub fn accept(
        &self,
        calendar: Calendar<Event>,
        chance: Chance,
        alive: Arc<AtomicBool>,
        branches: Branches,
    ) -> (NodeReads, NodeWrites) {
        let (to_node, frames) = mpsc::unbounded_channel();
        self.wire().to_node = Some(to_node);
        let writes = NodeWrites {
            line: self.clone(),
            calendar,
            chance,
            alive,
            branches,
            anew: true,
        };
        (NodeReads(frames), writes)
    }

    pub fn is_open(&self) -> bool {
        self.wire().to_node.is_some()
    }

    /// A frame that the page wrote: when it arrives.
    pub fn pass_up(&self, now: u64, chance: &Chance, numbered: bool) -> Passage {
        self.wire().up.pass(now, chance, numbered)
    }

    /// A frame arrives at the node.
    pub fn reach_node(&self, frame: Incoming) {
        if let Some(to_node) = &self.wire().to_node {
            // A node that does not read any more has closed the socket.
            drop(to_node.send(frame));
        }
    }

    /// The node learns that the socket is closed.
    pub fn hang_up(&self) {
        let mut wire = self.wire();
        wire.to_node = None;
        wire.stalled = false;
        if let Some(waker) = wire.waker.take() {
            waker.wake();
        }
    }

    pub fn stall(&self) {
        self.wire().stalled = true;
    }
}

impl Wire {
    /// No trouble from now on.
    pub fn soothe(&mut self) {
        (self.up.rough, self.down.rough) = (0, 0);
    }

    pub fn is_troubled(&self) -> bool {
        self.up.silent || self.down.silent || self.stalled || self.lossy
    }
}

/// Where a node reads.
pub struct NodeReads(mpsc::UnboundedReceiver<Incoming>);

impl Stream for NodeReads {
    type Item = Incoming;
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Incoming>> {
        self.0.poll_recv(context)
    }
}

/// Where a node writes.
pub struct NodeWrites {
    line: Line,
    calendar: Calendar<Event>,
    chance: Chance,
    alive: Arc<AtomicBool>,
    branches: Branches,
    /// What is written makes the page anew.
    anew: bool,
}

impl NodeWrites {
    /// Whether the page can find out that a frame is missing. Between a `resync` and its snapshot it can't: it trusts that
    /// a WebSocket loses nothing in its midst.
    fn may_go(&mut self, frame: &Outgoing) -> bool {
        let Outgoing::Text(text) = frame else { return false };
        let is = |part: &str| text.contains(part);
        if is("\"type\":\"snapshot\"") {
            self.anew = false;
        } else if is("\"type\":\"resync\"") || is("\"resumed\":\"new\"") || is("\"resumed\":\"resync\"") {
            self.anew = true;
        }
        !self.anew && is("\"p\":")
    }
}

impl Drop for NodeWrites {
    fn drop(&mut self) {
        if self.line.wire().stalled && self.alive.load(Ordering::Relaxed) {
            self.branches.count("stalled and let go");
        }
    }
}

impl Sink<Outgoing> for NodeWrites {
    type Error = Gone;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        let mut wire = self.line.wire();
        if wire.to_node.is_none() {
            return Poll::Ready(Err(Gone));
        }
        if wire.stalled {
            wire.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Outgoing) -> Result<(), Gone> {
        if !self.alive.load(Ordering::Relaxed) {
            return Ok(());
        }
        let now = self.calendar.time.now();
        let placed = self.may_go(&frame);
        let welcome = matches!(&frame, Outgoing::Text(text) if text.contains("\"type\":\"welcome\""));
        let mut wire = self.line.wire();
        let passage = wire.down.pass(now, &self.chance, placed);
        // What came late was lost to the page just as well.
        wire.lossy |= placed && wire.down.rough > 0 && (passage.times.is_empty() || passage.times[0] != wire.down.last);
        drop(wire);
        if welcome && passage.times.is_empty() {
            self.branches.count("welcome lost");
        }
        for at in passage.times {
            self.calendar.at(at, Event::Down(self.line.id, frame.clone()));
        }
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }
}
