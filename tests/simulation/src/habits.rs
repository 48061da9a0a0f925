//! How rough one history is. Some are calm, so that rare faults meet a room in order.

use crate::{chance::Chance, line::Way, server::Faults};
use heliograph_protocol::{Limits, Timers};
use heliograph_signaling::{Settings, Trim};

#[derive(Debug, Clone)]
pub struct Habits {
    pub nodes: usize,
    pub deeds: u64,
    /// Sockets that take seconds to open, in a thousand.
    pub slow_opening: u32,
    /// Frames of a page that arrive garbled, in a thousand.
    pub garbled: u32,
    /// Frames that are lost, doubled or late on one line, in a thousand.
    pub rough: u32,
    /// The longest delay of a line, in milliseconds.
    pub slow: u64,
    /// The longest delay of the log, in milliseconds.
    pub slow_log: u64,
    /// The longest delay of a subscription, in milliseconds.
    pub slow_news: u64,
    pub lost_answers: u32,
    pub holes: u32,
    /// How often sockets, pages and nodes fail, and how often the log does.
    pub faults: u32,
    pub losses: u32,
    /// The log loses its tail, and not only everything.
    pub loses_tails: bool,
    /// How often people leave the usual course.
    pub whims: u32,
    pub trim: Trim,
    pub fast: bool,
    /// How long the visit lasts.
    pub until_ms: i64,
}

impl Habits {
    pub fn new(chance: &Chance) -> Habits {
        let some = |list: &[u32]| *chance.pick(list).unwrap_or(&0);
        let worth_entries = *chance.pick(&[8, 16, 24, 64]).unwrap_or(&64);
        Habits {
            nodes: *chance.pick(&[1, 2, 2, 2, 3]).unwrap_or(&2),
            deeds: chance.of(40..130),
            slow_opening: some(&[0, 30, 150]),
            garbled: some(&[0, 10, 40]),
            rough: some(&[0, 10, 40]),
            slow: u64::from(some(&[0, 3, 20, 150])),
            slow_log: u64::from(some(&[0, 0, 2, 10, 80])),
            slow_news: u64::from(some(&[0, 0, 50, 2_000])),
            lost_answers: some(&[0, 0, 10, 60]),
            holes: some(&[0, 0, 20, 100]),
            faults: some(&[1, 2, 4]),
            losses: some(&[0, 1, 1, 3]),
            loses_tails: chance.permille(750),
            whims: some(&[1, 1, 3]),
            trim: Trim {
                worth_entries,
                most_entries: *chance.pick(&[4096, 4096, 4096, worth_entries * 2]).unwrap_or(&4096),
                most_bytes: 2 * 1024 * 1024,
            },
            fast: chance.permille(500),
            until_ms: *chance.pick(&[3_600_000, 3_600_000, 60_000]).unwrap_or(&3_600_000),
        }
    }

    pub fn settings(&self) -> Settings {
        // A line that works says little: a history is cheaper, and nothing hangs on it.
        let usual = Timers {
            ping_ms: 8_000,
            server_ping_ms: 9_000,
            ..Timers::default()
        };
        let timers = if self.fast {
            Timers {
                undo_end_ms: 2_000,
                reopen_ms: 60_000,
                ..usual
            }
        } else {
            usual
        };
        Settings {
            limits: Limits::default(),
            timers,
            trim: self.trim,
            ..Settings::default()
        }
    }

    /// How the log is all the time.
    pub fn log_faults(&self) -> Faults {
        Faults {
            slow: self.slow_log,
            slow_news: self.slow_news,
            lost_answers: self.lost_answers,
            holes: self.holes,
            ..Faults::default()
        }
    }

    /// How a new line is.
    pub fn ways(&self, chance: &Chance, calm: bool) -> (Way, Way) {
        let way = || Way::new(self.slow, if calm { 0 } else { self.rough });
        let (mut up, mut down) = (way(), way());
        if !calm {
            // The welcome never arrives, or the hello does not.
            down.silent = chance.permille(20);
            up.silent = !down.silent && chance.permille(20);
        }
        (up, down)
    }
}
