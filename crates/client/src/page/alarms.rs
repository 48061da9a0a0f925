//! What a page waits for.

use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alarm {
    /// No `welcome` came on a new socket.
    Answer,
    /// Nothing came after a `ping`.
    Dead,
    /// The wait before a reconnect is over.
    Retry,
    /// The node asked to go elsewhere.
    Drain,
    /// The next `ping` is due.
    Ping,
    /// Nothing was acknowledged for a while.
    Retransmit,
    /// The server learns what was taken.
    Ack,
    /// The last words had their time.
    Goodbye,
}

/// One time for each alarm, in milliseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Alarms(BTreeMap<Alarm, u64>);

impl Alarms {
    pub fn set(&mut self, alarm: Alarm, at_ms: u64) {
        self.0.insert(alarm, at_ms);
    }

    /// Unless it is set already.
    pub fn begin(&mut self, alarm: Alarm, at_ms: u64) {
        self.0.entry(alarm).or_insert(at_ms);
    }

    pub fn clear(&mut self, alarm: Alarm) {
        self.0.remove(&alarm);
    }

    pub fn clear_all(&mut self) {
        self.0.clear();
    }

    pub fn is_set(&self, alarm: Alarm) -> bool {
        self.0.contains_key(&alarm)
    }

    pub fn next(&self) -> Option<u64> {
        self.0.values().min().copied()
    }

    /// The earliest that is due, which is then no longer set.
    pub fn ring(&mut self, now_ms: u64) -> Option<Alarm> {
        let due = self.0.iter().filter(|(_, at)| **at <= now_ms);
        let alarm = due.min_by_key(|(alarm, at)| (**at, **alarm)).map(|(alarm, _)| *alarm)?;
        self.0.remove(&alarm);
        Some(alarm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_ring_once_and_in_the_order_of_their_times() {
        let mut alarms = Alarms::default();
        alarms.set(Alarm::Ping, 20);
        alarms.set(Alarm::Ack, 10);
        alarms.begin(Alarm::Ack, 5);
        alarms.set(Alarm::Retry, 99);
        assert_eq!(alarms.next(), Some(10));
        assert_eq!(alarms.ring(9), None);
        assert_eq!(
            [50; 3].map(|now| alarms.ring(now)),
            [Some(Alarm::Ack), Some(Alarm::Ping), None]
        );
        alarms.clear(Alarm::Retry);
        assert!(!alarms.is_set(Alarm::Retry) && alarms.next().is_none());
    }
}
