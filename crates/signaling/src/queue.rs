//! A connection's bounded outbound queue: who reads too slowly is closed and resumes from the log.

use crate::Outgoing;
use heliograph_protocol::{CloseCode, Header, ServerMessage, SharedFrame};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

const MOST_MESSAGES: usize = 256;
const MOST_BYTES: usize = 512 * 1024;

/// The room's end of the queue.
#[derive(Clone)]
pub(crate) struct Queue(Arc<Shared>);

/// The socket's end.
pub(crate) struct Drained(Arc<Shared>);

/// A channel would keep room for dozens of frames while nothing is sent.
#[derive(Default)]
struct Shared {
    items: Mutex<Items>,
    more: Notify,
}

#[derive(Default)]
struct Items {
    /// What a page missed. It counts as no message and no bytes: it is no longer than the log, and a page that is closed
    /// while it reads has come further.
    backlog: VecDeque<String>,
    live: VecDeque<String>,
    bytes: usize,
    /// Messages that the log had already, and nobody counted yet.
    repeated: u32,
    close: Option<Close>,
}

struct Close {
    code: CloseCode,
    /// Not after what is queued, but instead of it.
    at_once: bool,
}

pub(crate) fn queue() -> (Queue, Drained) {
    let shared = Arc::new(Shared::default());
    (Queue(Arc::clone(&shared)), Drained(shared))
}

impl Shared {
    fn items(&self) -> MutexGuard<'_, Items> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// A frame for this connection.
    pub fn send(&self, text: String) {
        let mut items = self.0.items();
        if items.close.is_some() {
            return;
        }
        items.bytes += text.len();
        items.live.push_back(text);
        if items.bytes > MOST_BYTES || items.live.len() > MOST_MESSAGES {
            items.end(CloseCode::Slow, true);
        }
        self.0.more.notify_one();
    }

    /// Everything that a page missed, before what is sent from now on.
    pub fn send_backlog(&self, frames: Vec<String>) {
        let mut items = self.0.items();
        if items.close.is_some() {
            return;
        }
        // What is queued comes before; a page that reads still has it.
        let queued = std::mem::take(&mut items.live);
        items.bytes = 0;
        items.backlog.extend(queued);
        items.backlog.extend(frames);
        self.0.more.notify_one();
    }

    /// A message outside the room's order.
    pub fn tell(&self, header: Header, message: &ServerMessage) {
        self.send(SharedFrame::new(header, message).into_text());
    }

    /// The page sent what the log has: that counts as no message.
    pub fn note_repeated(&self) {
        self.0.items().repeated += 1;
    }

    /// Messages that were noted as repeated since this was asked before.
    pub fn repeated(&self) -> u32 {
        std::mem::take(&mut self.0.items().repeated)
    }

    /// Closes after what is queued. A close that is already under way stays.
    pub fn close(&self, code: CloseCode) {
        self.0.items().end(code, false);
        self.0.more.notify_one();
    }
}

impl Items {
    fn end(&mut self, code: CloseCode, at_once: bool) {
        if self.close.is_none() {
            self.close = Some(Close { code, at_once });
        }
        if at_once {
            (self.backlog, self.live) = (VecDeque::new(), VecDeque::new());
        }
    }

    fn next(&mut self) -> Option<Outgoing> {
        if let Some(Close { code, at_once: true }) = self.close {
            return Some(Outgoing::Close(code));
        }
        if let Some(text) = self.backlog.pop_front() {
            return Some(Outgoing::Text(text));
        }
        if let Some(text) = self.live.pop_front() {
            self.bytes -= text.len();
            return Some(Outgoing::Text(text));
        }
        // A burst's memory is given back.
        (self.backlog, self.live) = (VecDeque::new(), VecDeque::new());
        self.close.as_ref().map(|close| Outgoing::Close(close.code))
    }
}

impl Drained {
    /// The next frame to write.
    pub async fn next(&mut self) -> Outgoing {
        loop {
            let next = self.0.items().next();
            match next {
                Some(next) => return next,
                None => self.0.more.notified().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_does_not_read_is_closed_and_costs_no_more() {
        let (queue, mut drained) = queue();
        for _ in 0..=MOST_MESSAGES {
            queue.send("x".repeat(10));
        }
        assert_eq!(drained.next().await, Outgoing::Close(CloseCode::Slow));

        let (queue, mut drained) = super::queue();
        queue.send("x".repeat(MOST_BYTES));
        queue.send("y".to_owned());
        assert_eq!(drained.next().await, Outgoing::Close(CloseCode::Slow));
    }

    #[tokio::test]
    async fn a_backlog_of_any_length_goes_out_in_order_between_what_came_before_and_after() {
        let (queue, mut drained) = queue();
        let frames: Vec<_> = (0..2 * MOST_MESSAGES)
            .map(|i| format!("{i}{}", "x".repeat(4_000)))
            .collect();
        queue.send("before".to_owned());
        queue.send_backlog(frames.clone());
        queue.send("live".to_owned());
        assert_eq!(drained.next().await, Outgoing::Text("before".to_owned()));
        for frame in frames {
            assert_eq!(drained.next().await, Outgoing::Text(frame));
        }
        assert_eq!(drained.next().await, Outgoing::Text("live".to_owned()));
    }

    #[tokio::test]
    async fn a_polite_close_comes_after_what_is_queued_and_nothing_after_it() {
        let (queue, mut drained) = queue();
        queue.send("last words".to_owned());
        queue.close(CloseCode::Removed);
        queue.send("too late".to_owned());
        queue.close(CloseCode::Reclaim);
        assert_eq!(drained.next().await, Outgoing::Text("last words".to_owned()));
        assert_eq!(drained.next().await, Outgoing::Close(CloseCode::Removed));
    }
}
