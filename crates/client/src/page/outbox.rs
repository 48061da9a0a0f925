//! What a page numbered, and its older lives before it.

use heliograph_domain::{
    SessionId,
    mutant::{Check, keeps},
};
use heliograph_protocol::{ClientFrame, ClientMessage, OutboxRange};
use std::collections::VecDeque;

/// Acknowledged messages that are kept, in case a log loses its tail.
const KEPT: usize = 300;
/// `hello` takes 16 sessions; the last is the page's own.
const OLDER_SESSIONS: usize = 15;

/// The messages of one session.
#[derive(Debug, Clone)]
struct Numbered {
    session: SessionId,
    entries: VecDeque<(u64, ClientMessage)>,
    next_c: u64,
    acked: u64,
    /// The highest number that went out on the present socket.
    sent: u64,
}

impl Numbered {
    fn new(session: SessionId) -> Numbered {
        Numbered {
            session,
            entries: VecDeque::new(),
            next_c: 1,
            acked: 0,
            sent: 0,
        }
    }

    fn first_c(&self) -> u64 {
        self.entries.front().map_or(self.next_c, |(c, _)| *c)
    }

    fn sent(&self) -> u64 {
        self.sent.max(self.acked)
    }
}

/// Numbers the page's own messages, and holds those of its older lives, which keep their session and number.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    older: Vec<Numbered>,
    own: Numbered,
    moved: bool,
}

impl Outbox {
    pub fn new(session: SessionId) -> Outbox {
        Outbox {
            older: Vec::new(),
            own: Numbered::new(session),
            moved: false,
        }
    }

    /// The outbox of the page's next life.
    pub fn heir(mut self, session: SessionId) -> Outbox {
        self.older.push(self.own);
        let forgotten = self.older.len().saturating_sub(OLDER_SESSIONS);
        self.older.drain(..forgotten);
        for box_ in &mut self.older {
            box_.sent = 0;
        }
        Outbox {
            older: self.older,
            own: Numbered::new(session),
            moved: false,
        }
    }

    pub fn push(&mut self, message: ClientMessage) -> u64 {
        let c = self.own.next_c;
        self.own.entries.push_back((c, message));
        self.own.next_c += 1;
        c
    }

    /// Oldest session first, the own one last.
    pub fn ranges(&self) -> Vec<OutboxRange> {
        let range = |numbered: &Numbered| OutboxRange {
            session: numbered.session.clone(),
            first_c: numbered.first_c(),
            next_c: numbered.next_c,
        };
        self.all().map(range).collect()
    }

    /// The log has `session` up to `c`. Only `back` makes that lower than before.
    pub fn acknowledge(&mut self, session: &str, c: u64, back: bool) {
        let Some(numbered) = self.find(session) else { return };
        let acked = if back { c } else { numbered.acked.max(c) }.min(numbered.next_c - 1);
        if acked == numbered.acked {
            return;
        }
        if acked < numbered.acked {
            numbered.sent = acked;
        }
        numbered.acked = acked;
        let done = numbered.entries.iter().take_while(|(c, _)| *c <= acked).count();
        numbered.entries.drain(..done.saturating_sub(KEPT));
        self.moved = true;
    }

    /// Whether an acknowledgement changed something since this was asked last.
    pub fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    /// A message that was refused or withdrawn must not come back when a log is repaired: `nop` takes its number. False
    /// if it had been done before, or the message is not here.
    pub fn void(&mut self, session: &str, c: u64) -> bool {
        let numbered = self.find(session);
        let entry = numbered.and_then(|numbered| numbered.entries.iter_mut().find(|(number, _)| *number == c));
        let Some((_, message)) = entry.filter(|(_, message)| *message != ClientMessage::Nop {}) else {
            return false;
        };
        *message = ClientMessage::Nop {};
        true
    }

    /// Whether a session is this page's, or an older life's.
    pub fn has(&self, session: &str) -> bool {
        self.all().any(|numbered| numbered.session.as_str() == session)
    }

    /// A new socket, or a silent one: everything above `acked` goes out again.
    pub fn rewind(&mut self) {
        for numbered in self.all_mut() {
            numbered.sent = 0;
        }
    }

    /// The next frames to go out, in order, while fewer than `most` are in flight.
    pub fn take(&mut self, most: usize) -> Vec<String> {
        let own = self.own.session.clone();
        let mut free = most.saturating_sub(self.in_flight());
        let mut frames = Vec::new();
        for numbered in self.all_mut() {
            let sent = numbered.sent();
            let waiting = numbered.entries.iter().skip_while(|(c, _)| *c <= sent);
            let next: Vec<_> = waiting.take(free).collect();
            free -= next.len();
            if let Some((c, _)) = next.last() {
                numbered.sent = *c;
            }
            frames.extend(
                next.into_iter()
                    .map(|(c, message)| text(&own, &numbered.session, *c, message)),
            );
        }
        frames
    }

    /// Everything that is not acknowledged, in order.
    pub fn unacknowledged(&self) -> Vec<String> {
        let of = |numbered: &Numbered| {
            let open = numbered.entries.iter().filter(|(c, _)| *c > numbered.acked);
            open.map(|(c, message)| text(&self.own.session, &numbered.session, *c, message))
                .collect::<Vec<_>>()
        };
        self.all().flat_map(of).collect()
    }

    /// How many are not acknowledged.
    pub fn open(&self) -> u64 {
        self.all().map(|numbered| numbered.next_c - 1 - numbered.acked).sum()
    }

    /// How many went out on this socket and are not acknowledged.
    pub fn in_flight(&self) -> usize {
        let count: u64 = self.all().map(|numbered| numbered.sent() - numbered.acked).sum();
        usize::try_from(count).unwrap_or(usize::MAX)
    }

    /// The highest number of the own session that was acknowledged.
    pub fn acked(&self) -> u64 {
        self.own.acked
    }

    fn all(&self) -> impl Iterator<Item = &Numbered> {
        self.older.iter().chain([&self.own])
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Numbered> {
        self.older.iter_mut().chain([&mut self.own])
    }

    fn find(&mut self, session: &str) -> Option<&mut Numbered> {
        self.all_mut().find(|numbered| numbered.session.as_str() == session)
    }
}

fn text(own: &SessionId, session: &SessionId, c: u64, message: &ClientMessage) -> String {
    let frame = ClientFrame {
        c: Some(c),
        session: (session != own && keeps(Check::Leftovers)).then(|| session.clone()),
        message: message.clone(),
    };
    frame.to_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(name: &str) -> SessionId {
        format!("session-{name}").parse().unwrap()
    }

    fn knocks(outbox: &mut Outbox, count: u64) {
        for _ in 0..count {
            outbox.push(ClientMessage::Unknock {});
        }
    }

    fn numbers(frames: &[String]) -> Vec<(Option<String>, u64)> {
        let read = |text: &String| {
            let frame = ClientFrame::parse(text).unwrap();
            (frame.session.map(|session| session.to_string()), frame.c.unwrap())
        };
        frames.iter().map(read).collect()
    }

    #[test]
    fn three_hundred_stay_after_they_were_acknowledged_and_come_back_when_the_log_lost_them() {
        let mut outbox = Outbox::new(session("a"));
        knocks(&mut outbox, 400);
        outbox.acknowledge("session-a", 350, false);
        let range = &outbox.ranges()[0];
        assert_eq!((range.first_c, range.next_c), (51, 401));
        outbox.acknowledge("session-a", 60, false);
        assert_eq!(outbox.acked(), 350, "an old acknowledgement changes nothing");
        outbox.acknowledge("session-a", 60, true);
        assert_eq!(numbers(&outbox.take(32))[0], (None, 61));
    }

    #[test]
    fn never_more_are_in_flight_than_the_limit() {
        let mut outbox = Outbox::new(session("a"));
        knocks(&mut outbox, 50);
        assert_eq!(outbox.take(32).len(), 32);
        assert_eq!(outbox.take(32).len(), 0);
        outbox.acknowledge("session-a", 2, false);
        assert_eq!(numbers(&outbox.take(32)), [(None, 33), (None, 34)]);
        outbox.rewind();
        assert_eq!((outbox.take(32).len(), outbox.in_flight(), outbox.open()), (32, 32, 48));
    }

    #[test]
    fn older_lives_keep_their_session_and_number_and_go_out_first() {
        let mut outbox = Outbox::new(session("a"));
        knocks(&mut outbox, 3);
        outbox.take(32);
        outbox.acknowledge("session-a", 1, false);
        let mut outbox = outbox.heir(session("b"));
        knocks(&mut outbox, 1);
        let a = Some("session-a".to_owned());
        assert_eq!(numbers(&outbox.take(32)), [(a.clone(), 2), (a, 3), (None, 1)]);
        let spans: Vec<_> = outbox.ranges().into_iter().map(|r| (r.first_c, r.next_c)).collect();
        assert_eq!(spans, [(1, 4), (1, 2)]);
        let many = (0..30).fold(outbox, |outbox, i| outbox.heir(session(&i.to_string())));
        assert_eq!(many.ranges().len(), 16, "hello takes no more");
    }

    #[test]
    fn what_was_refused_keeps_its_number_and_says_nothing() {
        let mut outbox = Outbox::new(session("a"));
        knocks(&mut outbox, 2);
        assert!(outbox.void("session-a", 2));
        assert!(!outbox.void("session-a", 2), "told once");
        assert!(!outbox.void("session-a", 3) && !outbox.void("session-b", 1));
        let frames = outbox.take(32);
        assert!(
            frames[1].contains("\"nop\"") && frames[1].contains("\"c\":2"),
            "{frames:?}"
        );
    }

    #[test]
    fn no_acknowledgement_goes_beyond_what_was_numbered() {
        let mut outbox = Outbox::new(session("a"));
        knocks(&mut outbox, 2);
        outbox.acknowledge("session-a", 9, true);
        assert_eq!((outbox.acked(), outbox.open()), (2, 0));
        assert!(outbox.take_moved() && !outbox.take_moved());
    }
}
