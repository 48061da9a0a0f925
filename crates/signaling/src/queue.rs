//! A connection's bounded outbound queue: who reads too slowly is closed and resumes from the log.

use crate::Outgoing;
use heliograph_protocol::{CloseCode, Header, ServerMessage, SharedFrame};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::mpsc;

const MOST_MESSAGES: usize = 256;
const MOST_BYTES: usize = 512 * 1024;

/// The room's end of the queue.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    sender: mpsc::Sender<Item>,
    close: mpsc::Sender<CloseCode>,
    bytes: Arc<AtomicUsize>,
}

/// The socket's end.
pub(crate) struct Drained {
    receiver: mpsc::Receiver<Item>,
    backlog: VecDeque<String>,
    close: mpsc::Receiver<CloseCode>,
    bytes: Arc<AtomicUsize>,
}

#[derive(Debug)]
enum Item {
    Text(String),
    Backlog(Vec<String>),
    Close(CloseCode),
}

pub(crate) fn queue() -> (Queue, Drained) {
    let (sender, receiver) = mpsc::channel(MOST_MESSAGES);
    let (close, closed) = mpsc::channel(1);
    let bytes = Arc::new(AtomicUsize::new(0));
    (
        Queue {
            sender,
            close,
            bytes: Arc::clone(&bytes),
        },
        Drained {
            receiver,
            backlog: VecDeque::new(),
            close: closed,
            bytes,
        },
    )
}

impl Queue {
    /// A frame for this connection.
    pub fn send(&self, text: String) {
        let queued = self.bytes.fetch_add(text.len(), Ordering::Relaxed) + text.len();
        if queued > MOST_BYTES || self.sender.try_send(Item::Text(text)).is_err() {
            self.abort(CloseCode::Slow);
        }
    }

    /// What a page missed. It counts as one message and no bytes: it is no longer than the log, and a page that is closed
    /// while it reads has come further.
    pub fn send_backlog(&self, frames: Vec<String>) {
        if self.sender.try_send(Item::Backlog(frames)).is_err() {
            self.abort(CloseCode::Slow);
        }
    }

    /// A message outside the room's order.
    pub fn tell(&self, header: Header, message: &ServerMessage) {
        self.send(SharedFrame::new(header, message).text().to_owned());
    }

    /// Closes after what is queued.
    pub fn close(&self, code: CloseCode) {
        if self.sender.try_send(Item::Close(code)).is_err() {
            self.abort(code);
        }
    }

    /// Closes at once. A close that is already under way goes first.
    fn abort(&self, code: CloseCode) {
        let _ = self.close.try_send(code);
    }
}

impl Drained {
    /// The next frame to write.
    pub async fn next(&mut self) -> Outgoing {
        loop {
            if let Ok(code) = self.close.try_recv() {
                return Outgoing::Close(code);
            }
            if let Some(text) = self.backlog.pop_front() {
                return Outgoing::Text(text);
            }
            let item = tokio::select! {
                biased;
                code = self.close.recv() => Item::Close(code.unwrap_or(CloseCode::Reclaim)),
                item = self.receiver.recv() => item.unwrap_or(Item::Close(CloseCode::Reclaim)),
            };
            match item {
                Item::Text(text) => {
                    self.bytes.fetch_sub(text.len(), Ordering::Relaxed);
                    return Outgoing::Text(text);
                }
                Item::Backlog(frames) => self.backlog.extend(frames),
                Item::Close(code) => return Outgoing::Close(code),
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
    async fn a_backlog_of_any_length_goes_out_in_order_and_before_what_comes_later() {
        let (queue, mut drained) = queue();
        let frames: Vec<_> = (0..2 * MOST_MESSAGES)
            .map(|i| format!("{i}{}", "x".repeat(4_000)))
            .collect();
        queue.send_backlog(frames.clone());
        queue.send("live".to_owned());
        for frame in frames {
            assert_eq!(drained.next().await, Outgoing::Text(frame));
        }
        assert_eq!(drained.next().await, Outgoing::Text("live".to_owned()));
    }

    #[tokio::test]
    async fn a_polite_close_comes_after_what_is_queued() {
        let (queue, mut drained) = queue();
        queue.send("last words".to_owned());
        queue.close(CloseCode::Removed);
        assert_eq!(drained.next().await, Outgoing::Text("last words".to_owned()));
        assert_eq!(drained.next().await, Outgoing::Close(CloseCode::Removed));
    }
}
