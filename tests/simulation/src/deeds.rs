//! What people do, and what goes wrong, by chance.

mod people;
mod trouble;

use crate::world::{Event, World};

/// One thing that may happen next.
#[derive(Debug, Clone, Copy)]
enum Deed {
    /// A person says something.
    Say,
    /// A member of staff decides, or the host ends the visit.
    Decide,
    Withdraw,
    Reload,
    SecondTab,
    MoveHere,
    Leave,
    Wake,
    ReplayTicket,
    Notice,
    Cut,
    Silence,
    Stall,
    Kill,
    KillAll,
    Drain,
    NodeClock,
    LogClock,
    LogAway,
    NodeWithoutLog,
    HangUp,
    Rewind,
    /// One node is cut off with all that it knows; the others forget, and go on from an earlier place.
    Split,
    LoseNext,
    Empty,
    EmptyAndKillAll,
    Tear,
    StoreAway,
    WakeRoom,
}

impl World {
    /// Does something, and plans when the next thing is done.
    pub fn next_deed(&mut self) {
        if self.deeds == 0 {
            return;
        }
        self.deeds -= 1;
        let habits = &self.habits;
        let (f, l, w) = (habits.faults, habits.losses, habits.whims);
        let tails = if habits.loses_tails { l } else { 0 };
        let deed = self.chance.weighted(&[
            (340, Deed::Say),
            (40 + 20 * w, Deed::Decide),
            (5 * w, Deed::Withdraw),
            (7 * f, Deed::Reload),
            (4 * f, Deed::SecondTab),
            (25, Deed::MoveHere),
            (2 * w, Deed::Leave),
            (4, Deed::Wake),
            (w, Deed::ReplayTicket),
            (3 * w, Deed::Notice),
            (12 * f, Deed::Cut),
            (5 * f, Deed::Silence),
            (2 * f, Deed::Stall),
            (5 * f, Deed::Kill),
            (f, Deed::KillAll),
            (2 * f, Deed::Drain),
            (2 * f, Deed::NodeClock),
            (2 * l, Deed::LogClock),
            (3 * l, Deed::LogAway),
            (4 * l, Deed::NodeWithoutLog),
            (4 * l, Deed::HangUp),
            (6 * tails, Deed::Rewind),
            (4 * tails, Deed::Split),
            (4 * tails, Deed::LoseNext),
            (2 * l, Deed::Empty),
            (2 * l, Deed::EmptyAndKillAll),
            (2 * tails, Deed::Tear),
            (3 * l, Deed::StoreAway),
            (4, Deed::WakeRoom),
        ]);
        self.note("deed", format_args!("· {deed:?}"));
        if self.does(deed).is_some() {
            self.branches.count(&format!("deed: {deed:?}"));
        }
        let wait = match self.chance.of(0..100) {
            0..60 => self.chance.of(0..30),
            60..90 => self.chance.of(30..900),
            90..99 => self.chance.of(900..6_000),
            _ => self.chance.of(6_000..60_000),
        };
        self.calendar.after(wait, Event::Deed);
    }

    /// `None`: there was nothing to do it with.
    fn does(&mut self, deed: Deed) -> Option<()> {
        match deed {
            Deed::Say => return self.say_something(),
            Deed::Decide => return self.decide(),
            Deed::Withdraw => return self.withdraw(),
            Deed::Reload => return self.reload(),
            Deed::SecondTab => return self.second_tab(),
            Deed::MoveHere => return self.move_here(),
            Deed::Leave => return self.leave(),
            Deed::Wake => return self.wake(),
            Deed::ReplayTicket => return self.replay_ticket(),
            Deed::Cut => return self.cut(),
            Deed::Silence => return self.silence(),
            Deed::Stall => return self.stall(),
            Deed::Kill => return self.kill_one(),
            Deed::Drain => return self.drain(),
            Deed::WakeRoom => return self.wake_room(),
            Deed::Notice => self.notice(),
            Deed::KillAll => self.kill_all(),
            Deed::NodeClock => self.node_clock(),
            Deed::LogClock => self.log_clock(),
            Deed::LogAway => self.log_away(),
            Deed::NodeWithoutLog => self.node_without_log(),
            Deed::HangUp => self.hang_up(),
            Deed::Rewind => self.rewind(),
            Deed::Split => self.split(),
            Deed::LoseNext => self.site.server.shelf().faults.loses_next = true,
            Deed::Empty => self.empty(),
            Deed::EmptyAndKillAll => {
                self.kill_all();
                self.empty();
            }
            Deed::Tear => self.tear(),
            Deed::StoreAway => self.store_away(),
        }
        Some(())
    }
}
