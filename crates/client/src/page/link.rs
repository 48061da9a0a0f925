//! The line to the service: when to connect, to ask for a sign of life, to send again, to stop.

use super::{
    Action, Event, Link, Page, Taken, TicketAnswer, Why,
    alarms::{Alarm, Alarms},
    bare,
};
use heliograph_domain::SessionId;
use heliograph_protocol::{ClientMessage, CloseCode, ErrorCode, Header, ServerFrame, ServerMessage, Timers};
use std::collections::VecDeque;

/// The part of a page that knows time.
#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    link: Link,
    life: u64,
    /// A socket or a ticket is under way, or there.
    busy: bool,
    ticket: Option<String>,
    takeover: Option<String>,
    failures: u32,
    joined_at: Option<u64>,
    joins: u64,
    leaving: bool,
    /// How often everything went out again since the log moved.
    repeats: u32,
    skipped: u64,
    alarms: Alarms,
    actions: VecDeque<Action>,
}

/// After these a numbered message still stands: it is sent again.
fn is_resent(code: ErrorCode) -> bool {
    use ErrorCode as E;
    matches!(code, E::Gap | E::RateLimited | E::StoreUnavailable | E::Internal)
}

/// Answers to `hello` after which coming back changes nothing.
fn is_final(code: ErrorCode) -> Option<Why> {
    match code {
        ErrorCode::Forbidden | ErrorCode::Unauthorized => Some(Why::Auth),
        ErrorCode::TooLate => Some(Why::Expired),
        ErrorCode::RoomEnded => Some(Why::Ended),
        ErrorCode::BadJson
        | ErrorCode::BadMessage
        | ErrorCode::UnknownType
        | ErrorCode::TooLarge
        | ErrorCode::RateLimited
        | ErrorCode::TokenExpired
        | ErrorCode::NotAdmitted
        | ErrorCode::NoSuchPeer
        | ErrorCode::SeatTaken
        | ErrorCode::Stale
        | ErrorCode::RoomFull
        | ErrorCode::RoomLocked
        | ErrorCode::TooEarly
        | ErrorCode::BadState
        | ErrorCode::Gap
        | ErrorCode::StoreUnavailable
        | ErrorCode::Internal => None,
    }
}

/// Why a close code stops the page; `None` for one after which it comes back by itself.
fn why_stopped(code: u16) -> Option<Why> {
    match CloseCode::from_number(code) {
        Some(CloseCode::Auth) => Some(Why::Auth),
        Some(CloseCode::Expired) => Some(Why::Expired),
        Some(CloseCode::Removed) => Some(Why::Removed),
        Some(CloseCode::Denied) => Some(Why::Denied),
        Some(CloseCode::Ended) => Some(Why::Ended),
        Some(CloseCode::Superseded) => Some(Why::Superseded),
        Some(CloseCode::Reclaim | CloseCode::Slow | CloseCode::Heartbeat | CloseCode::Rate | CloseCode::Drained) => {
            None
        }
        None => (4100..4200).contains(&code).then_some(Why::Unknown),
    }
}

/// The wait before reconnect number `n`, counted from 0: none, then `reconnect_min_ms`·2ⁿ ± 50 %, at most
/// `reconnect_max_ms`. `chance` is anything.
fn reconnect_delay(n: u32, chance: u64, timers: &Timers) -> u64 {
    let Some(n) = n.checked_sub(1) else { return 0 };
    let usual = timers.reconnect_min_ms.saturating_mul(1 << n.min(30));
    (usual.saturating_mul(500 + chance % 1001) / 1000).min(timers.reconnect_max_ms)
}

/// The wait before messages go out again for the `n`th time, counted from 0: twice as long after each that moved nothing, at
/// most eight times `retransmit_ms`.
fn retransmit_delay(n: u32, timers: &Timers) -> u64 {
    timers.retransmit_ms.saturating_mul(1 << n.min(3))
}

/// Spreads the pages: sessions are random, so a number made of one and a counter is as good as chance (FNV-1a, then the
/// finalizer of MurmurHash3).
fn chance(session: &SessionId, counter: u64) -> u64 {
    let bytes = session.as_str().bytes().chain(counter.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 33)
}

impl Page {
    /// Where the page stands.
    pub fn link(&self) -> &Link {
        &self.machine.link
    }

    /// Whether the page has its seat.
    pub fn is_joined(&self) -> bool {
        self.machine.link == Link::Joined
    }

    /// How often the page got its seat.
    pub fn joins(&self) -> u64 {
        self.machine.joins
    }

    /// Frames of a type or form that this client does not know.
    pub fn skipped(&self) -> u64 {
        self.machine.skipped
    }

    /// When [`Event::Time`] is due, milliseconds of the driver's clock.
    pub fn deadline(&self) -> Option<u64> {
        self.machine.alarms.next()
    }

    /// The next thing to do, in order.
    pub fn action(&mut self) -> Option<Action> {
        self.machine.actions.pop_front()
    }

    /// Something happened at `now_ms` of a clock that only grows.
    pub fn on(&mut self, now_ms: u64, event: Event<'_>) {
        match event {
            Event::Start if self.machine.link == Link::Idle => {
                self.become_(Link::Connecting);
                self.connect(now_ms);
            }
            Event::Ticket { life, answer } if self.hears(life) => match answer {
                TicketAnswer::Ticket(ticket) => {
                    self.machine.ticket = Some(ticket);
                    self.machine.actions.push_back(Action::Connect { life });
                }
                TicketAnswer::Refused(why) => self.stop(why),
                TicketAnswer::Later => self.lose(now_ms, 0),
            },
            Event::Opened { life } if self.hears(life) => {
                let (ticket, takeover) = (self.machine.ticket.take(), self.machine.takeover.clone());
                let hello = self.hello(ticket, takeover);
                self.send(hello);
            }
            Event::Text { life, text } if self.hears(life) => self.text(now_ms, text),
            Event::Closed { life, code } if self.hears(life) => match code.and_then(why_stopped) {
                Some(why) => self.stop(why),
                None => self.lose(now_ms, 0),
            },
            Event::Time => self.time(now_ms),
            Event::Wake if self.machine.link == Link::Joined => self.beat(now_ms),
            Event::Wake if self.machine.alarms.is_set(Alarm::Retry) => self.connect(now_ms),
            Event::MoveHere => {
                if let Link::Taken { holder } = &self.machine.link {
                    self.machine.takeover = Some(holder.clone());
                    self.become_(Link::Connecting);
                    self.connect(now_ms);
                }
            }
            Event::Leave => self.leave(now_ms),
            Event::Start
            | Event::Ticket { .. }
            | Event::Opened { .. }
            | Event::Text { .. }
            | Event::Closed { .. }
            | Event::Wake => {}
        }
    }

    /// Numbers a durable message and sends it, now or when the line is back; `Ok(None)` for one that is not numbered, which
    /// goes out now or never. An error: it is above a limit and got no number.
    pub fn say(&mut self, now_ms: u64, message: ClientMessage) -> Result<Option<u64>, (ErrorCode, String)> {
        message.check(&self.limits)?;
        if !message.durable() {
            if self.machine.link == Link::Joined {
                self.send(bare(message));
            }
            return Ok(None);
        }
        let c = self.outbox.push(message);
        self.flush(now_ms);
        Ok(Some(c))
    }

    fn hears(&self, life: u64) -> bool {
        self.machine.busy && self.machine.life == life
    }

    fn become_(&mut self, link: Link) {
        self.machine.link = link.clone();
        self.machine.actions.push_back(Action::Link(link));
    }

    fn send(&mut self, text: String) {
        let life = self.machine.life;
        self.machine.actions.push_back(Action::Send { life, text });
    }

    fn connect(&mut self, now_ms: u64) {
        self.let_go();
        let machine = &mut self.machine;
        machine.life += 1;
        machine.busy = true;
        machine.ticket = None;
        machine.alarms.set(Alarm::Answer, now_ms + 2 * self.timers.hello_ms);
        let life = machine.life;
        machine.actions.push_back(if self.secret.is_some() {
            Action::Connect { life }
        } else {
            Action::FetchTicket { life }
        });
    }

    /// Lets the socket go, and all that was waited for.
    fn let_go(&mut self) {
        let machine = &mut self.machine;
        machine.alarms.clear_all();
        if std::mem::take(&mut machine.busy) {
            machine.actions.push_back(Action::Drop { life: machine.life });
        }
    }

    /// Lets the socket go and comes back after the usual wait, or `at_least`.
    fn lose(&mut self, now_ms: u64, at_least: u64) {
        self.let_go();
        if self.machine.leaving {
            return self.stop(Why::Left);
        }
        // A line that fails right after each welcome must not be tried without a pause.
        let joined_at = self.machine.joined_at.take();
        if joined_at.is_some_and(|at| now_ms - at > self.timers.reconnect_max_ms) {
            self.machine.failures = 0;
        }
        let chance = chance(&self.session, self.machine.life);
        let wait = reconnect_delay(self.machine.failures, chance, &self.timers).max(at_least);
        self.machine.failures += 1;
        self.machine.alarms.set(Alarm::Retry, now_ms + wait);
        if !matches!(self.machine.link, Link::Lost { .. }) {
            self.become_(Link::Lost { since_ms: now_ms });
        }
    }

    fn stop(&mut self, why: Why) {
        self.let_go();
        self.become_(Link::Stopped(why));
    }

    fn leave(&mut self, now_ms: u64) {
        if self.machine.leaving || matches!(self.machine.link, Link::Stopped(_)) {
            return;
        }
        self.machine.leaving = true;
        if self.machine.link != Link::Joined || self.outbox.open() == 0 {
            return self.stop(Why::Left);
        }
        self.machine
            .alarms
            .set(Alarm::Goodbye, now_ms + self.timers.retransmit_ms);
    }

    fn time(&mut self, now_ms: u64) {
        while let Some(alarm) = self.machine.alarms.ring(now_ms) {
            match alarm {
                Alarm::Answer | Alarm::Dead | Alarm::Drain => self.lose(now_ms, 0),
                Alarm::Retry => self.connect(now_ms),
                Alarm::Ping => self.beat(now_ms),
                Alarm::Retransmit => {
                    self.machine.repeats += 1;
                    self.outbox.rewind();
                    self.flush(now_ms);
                }
                Alarm::Ack => {
                    if let Some(last) = self.last() {
                        self.send(bare(ClientMessage::Ack {
                            s: last.s,
                            chain: last.chain,
                        }));
                    }
                }
                Alarm::Goodbye => self.stop(Why::Left),
            }
        }
    }

    /// Asks for a sign of life.
    fn beat(&mut self, now_ms: u64) {
        let Timers { ping_ms, dead_ms, .. } = self.timers;
        self.machine.alarms.set(Alarm::Ping, now_ms + ping_ms);
        self.machine.alarms.begin(Alarm::Dead, now_ms + dead_ms);
        self.send(bare(ClientMessage::Ping {}));
    }

    fn text(&mut self, now_ms: u64, text: &str) {
        self.machine.alarms.clear(Alarm::Dead);
        let Ok(frame) = ServerFrame::parse(text) else {
            self.machine.skipped += 1;
            return;
        };
        let (header, message, acts) = match self.take(frame) {
            Taken::Frame { header, message, acts } => (header, message, acts),
            Taken::Old => return,
            Taken::Hole => return self.lose(now_ms, 0),
        };
        if header.p.is_some() {
            self.ack_soon(now_ms);
        }
        let Some(message) = message else {
            self.machine.skipped += 1;
            return;
        };
        match &*message {
            ServerMessage::Welcome { .. } => self.welcome(now_ms),
            ServerMessage::Resync { .. } | ServerMessage::Ack { .. } => self.acknowledged(now_ms),
            ServerMessage::Snapshot { .. } => self.ack_soon(now_ms),
            ServerMessage::Drain { within_ms, restart } => {
                if !restart {
                    let wait = chance(&self.session, self.machine.life) % within_ms.max(&1);
                    self.machine.alarms.begin(Alarm::Drain, now_ms + wait);
                }
            }
            ServerMessage::Error { .. } => self.error(now_ms, header, message),
            ServerMessage::Pong { .. } => {}
            // What the log did not take goes out at once.
            ServerMessage::Recovered {} => {
                self.moved();
                self.outbox.rewind();
                self.flush(now_ms);
                self.machine.actions.push_back(Action::Act { header, message });
            }
            ServerMessage::Joined { .. }
            | ServerMessage::Updated { .. }
            | ServerMessage::Left { .. }
            | ServerMessage::Knocked { .. }
            | ServerMessage::Admitted { .. }
            | ServerMessage::Denied { .. }
            | ServerMessage::Held { .. }
            | ServerMessage::Sdp { .. }
            | ServerMessage::Ice { .. }
            | ServerMessage::Reset { .. }
            | ServerMessage::Media { .. }
            | ServerMessage::Chat { .. }
            | ServerMessage::Role { .. }
            | ServerMessage::AskMute {}
            | ServerMessage::Locked { .. }
            | ServerMessage::Extended { .. }
            | ServerMessage::Removed { .. }
            | ServerMessage::SteppedOut { .. }
            | ServerMessage::Ending { .. }
            | ServerMessage::EndUndone {}
            | ServerMessage::Ended { .. }
            | ServerMessage::Reopened { .. }
            | ServerMessage::CallRequested { .. }
            | ServerMessage::Refused { .. }
            | ServerMessage::Notice { .. }
            | ServerMessage::IceServers { .. }
            | ServerMessage::Degraded {}
            | ServerMessage::DeskSnapshot { .. }
            | ServerMessage::Desk(_) => {
                if acts {
                    self.machine.actions.push_back(Action::Act { header, message });
                }
            }
        }
    }

    fn welcome(&mut self, now_ms: u64) {
        self.machine.alarms.clear(Alarm::Answer);
        self.machine.joined_at = Some(now_ms);
        self.machine.joins += 1;
        self.machine.takeover = None;
        self.machine.repeats = 0;
        self.machine.alarms.set(Alarm::Ping, now_ms + self.timers.ping_ms);
        self.become_(Link::Joined);
        self.acknowledged(now_ms);
    }

    /// What the log has changed: what waited for that goes out, and what must be sent again.
    fn acknowledged(&mut self, now_ms: u64) {
        if self.machine.leaving && self.outbox.open() == 0 {
            return self.stop(Why::Left);
        }
        if self.outbox.take_moved() {
            self.moved();
        }
        self.flush(now_ms);
    }

    /// What was waited for is not waited for any longer.
    fn moved(&mut self) {
        self.machine.repeats = 0;
        self.machine.alarms.clear(Alarm::Retransmit);
    }

    fn flush(&mut self, now_ms: u64) {
        if self.machine.link != Link::Joined {
            return;
        }
        for text in self.outbox.take(self.limits.in_flight) {
            self.send(text);
        }
        if self.outbox.in_flight() > 0 {
            let wait = retransmit_delay(self.machine.repeats, &self.timers);
            self.machine.alarms.begin(Alarm::Retransmit, now_ms + wait);
        }
    }

    fn ack_soon(&mut self, now_ms: u64) {
        self.machine
            .alarms
            .begin(Alarm::Ack, now_ms + self.timers.retransmit_ms);
    }

    fn error(&mut self, now_ms: u64, header: Header, message: Box<ServerMessage>) {
        let ServerMessage::Error {
            code,
            for_c,
            holder,
            retry_after_ms,
            ..
        } = &*message
        else {
            return;
        };
        if let Some(c) = for_c.filter(|_| !is_resent(*code)) {
            let own = self.session.as_str();
            self.outbox.void(header.session.as_deref().unwrap_or(own), c);
        }
        if self.machine.link == Link::Joined {
            self.machine.actions.push_back(Action::Act { header, message });
            return;
        }
        match (code, holder, is_final(*code)) {
            (ErrorCode::SeatTaken, Some(holder), _) => {
                let holder = holder.clone();
                self.let_go();
                self.become_(Link::Taken { holder });
            }
            (_, _, Some(why)) => self.stop(why),
            _ => self.lose(now_ms, retry_after_ms.unwrap_or(0)),
        }
    }
}

#[cfg(test)]
mod tests;
