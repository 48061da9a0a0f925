//! A page of a person: the real client rules, driven by the calendar.

use crate::{line::Line, oracle::Known, people::Person};
use heliograph_client::Page;

/// One life of a page.
pub struct Tab {
    pub name: String,
    pub person: Person,
    /// Its first life; a reload keeps it.
    pub first: usize,
    pub page: Page,
    /// The browser has it open.
    pub open: bool,
    pub line: Option<Line>,
    pub known: Known,
    /// When it is woken next.
    pub alarm: Option<u64>,
    /// The last ticket it got, and for whom it is.
    pub ticket: Option<String>,
}

impl Tab {
    pub fn new(number: usize, person: Person, first: usize, page: Page) -> Tab {
        Tab {
            name: format!("{}{number}", person.letter()),
            person,
            first,
            page,
            open: true,
            line: None,
            known: Known::default(),
            alarm: None,
            ticket: None,
        }
    }
}
