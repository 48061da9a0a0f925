//! Exactly once and in order: what a receiver got of a sender's numbers 1, 2, 3, …

use std::collections::BTreeSet;

/// The numbers that came from one sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The lowest number that is above all that came.
    next: u64,
    /// Numbers below `next` that did not come.
    missing: BTreeSet<u64>,
    pub doubled: u64,
    /// Came after a higher number.
    pub reordered: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            next: 1,
            missing: BTreeSet::new(),
            doubled: 0,
            reordered: 0,
        }
    }
}

impl Tally {
    /// A number came; true if it had not come before.
    pub fn take(&mut self, number: u64) -> bool {
        if number >= self.next {
            self.missing.extend(self.next..number);
            self.next = number + 1;
            return true;
        }
        let late = self.missing.remove(&number);
        if late {
            self.reordered += 1;
        } else {
            self.doubled += 1;
        }
        late
    }

    /// How many different numbers came.
    pub fn delivered(&self) -> u64 {
        self.next - 1 - self.missing.len() as u64
    }

    /// How many of `sent` did not come.
    pub fn lost(&self, sent: u64) -> u64 {
        sent.saturating_sub(self.delivered())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: &[u64]) -> Tally {
        let mut tally = Tally::default();
        for number in numbers {
            tally.take(*number);
        }
        tally
    }

    fn told(numbers: &[u64], sent: u64) -> (u64, u64, u64, u64) {
        let tally = of(numbers);
        (tally.delivered(), tally.lost(sent), tally.doubled, tally.reordered)
    }

    #[test]
    fn what_comes_once_and_in_order_is_only_delivered() {
        assert_eq!(told(&[1, 2, 3], 3), (3, 0, 0, 0));
        assert_eq!(told(&[], 0), (0, 0, 0, 0));
    }

    #[test]
    fn a_hole_and_a_missing_end_are_lost() {
        assert_eq!(told(&[1, 4], 5), (2, 3, 0, 0));
        assert_eq!(told(&[], 2), (0, 2, 0, 0));
    }

    #[test]
    fn what_comes_again_is_doubled_and_counts_once() {
        assert_eq!(told(&[1, 2, 2, 1, 3], 3), (3, 0, 2, 0));
    }

    #[test]
    fn what_comes_after_a_higher_number_is_reordered_and_not_lost() {
        assert_eq!(told(&[2, 1, 3], 3), (3, 0, 0, 1));
        assert_eq!(told(&[3, 2, 1, 1], 3), (3, 0, 1, 2));
        let mut tally = of(&[2]);
        assert!(tally.take(1) && !tally.take(1));
    }
}
