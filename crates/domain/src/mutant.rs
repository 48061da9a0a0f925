//! Checks that the simulation takes out one at a time, to see that its oracle notices.
//!
//! Without the feature `mutants`, which nothing that ships turns on, every check stays and this compiles to nothing.

/// A check that can be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The log takes an entry only from the connection that has the seat.
    Connection,
    /// The log takes a number once.
    Dup,
    /// The log takes no number before the one below it.
    Gap,
    /// The log takes nothing of a page before what its older lives still hold.
    OlderLivesFirst,
    /// The log compares the chain at a node's place, and not only how far the node is.
    Chain,
    /// A seat is moved only away from the page that the person was shown.
    ShownHolder,
    /// A sender hears that its message is taken when the fold has it.
    AckAfterApply,
    /// A page whose place is not in the log gets everything anew.
    Resync,
    /// What was refused stays refused when a repair moves it.
    RefusedStays,
    /// A log is trimmed only at a place that every page has read.
    ReadByAll,
    /// A log begins with what the store remembers.
    Opening,
    /// A message acts once on a page.
    Marks,
    /// A page comes back when a frame before the one it got is missing.
    Hole,
    /// What an older page life numbered keeps its session and number.
    Leftovers,
}

impl Check {
    /// Every check.
    pub const ALL: [Check; 14] = [
        Check::Connection,
        Check::Dup,
        Check::Gap,
        Check::OlderLivesFirst,
        Check::Chain,
        Check::ShownHolder,
        Check::AckAfterApply,
        Check::Resync,
        Check::RefusedStays,
        Check::ReadByAll,
        Check::Opening,
        Check::Marks,
        Check::Hole,
        Check::Leftovers,
    ];
}

/// Whether a check is in.
#[cfg(not(feature = "mutants"))]
#[inline]
pub const fn keeps(_: Check) -> bool {
    true
}

#[cfg(feature = "mutants")]
pub use taken_out::{keeps, without};

#[cfg(feature = "mutants")]
mod taken_out {
    use super::Check;
    use std::cell::Cell;

    std::thread_local! {
        static OUT: Cell<Option<Check>> = const { Cell::new(None) };
    }

    /// Whether a check is in, on this thread.
    pub fn keeps(check: Check) -> bool {
        OUT.get() != Some(check)
    }

    /// Does something on this thread without a check.
    pub fn without<T>(check: Option<Check>, what: impl FnOnce() -> T) -> T {
        let before = OUT.replace(check);
        let done = what();
        OUT.set(before);
        done
    }
}
