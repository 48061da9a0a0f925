//! What must hold once all faults are over and everything has come to rest.

use super::Oracle;
use crate::{people::Person, store::Rows};
use heliograph_client::{Link, Page, Why};
use heliograph_domain::{
    ParticipantId, UnixMillis,
    entry::{EntryHeader, seen_key},
};
use heliograph_protocol::{ClientMessage, RoomView, SeatState, ServerMessage};
use heliograph_room::{Body, Entry, Room};
use heliograph_roomlog::LogEntry;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What one page life acted on, and where it began.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub acted: BTreeSet<(String, u64)>,
    /// The last message of each page that it acted on.
    pub order: BTreeMap<usize, u64>,
    /// The marks of its first snapshot: what was before is not for it.
    pub first_marks: Option<BTreeMap<String, u64>>,
}

/// One page at the end.
pub struct Standing<'a> {
    pub name: &'a str,
    pub person: Person,
    /// Its lives, from reload to reload.
    pub tab: usize,
    pub page: &'a Page,
    pub known: &'a Known,
}

/// Everything at the end.
pub struct Final<'a> {
    pub whole: Vec<Arc<LogEntry>>,
    /// The folds of the nodes that host the room.
    pub folds: Vec<(usize, Vec<u8>)>,
    pub pages: Vec<Standing<'a>>,
    pub rows: &'a Rows,
    /// Whose seat a stranger got with a ticket whose use a log had lost.
    pub robbed: &'a BTreeSet<Person>,
    /// The log's clock.
    pub log_now: UnixMillis,
    /// Some log lost something in this history.
    pub lost_some: bool,
    /// It may have been a tail that nobody else knows; otherwise it was everything.
    pub loses_tails: bool,
}

/// The log's own fold, and what it says to whom.
pub(super) struct Truth {
    pub room: Room,
    pub entries: Vec<Entry>,
    told: BTreeMap<ParticipantId, Vec<usize>>,
    pub refused: BTreeSet<usize>,
}

impl Truth {
    fn of(entries: Vec<Entry>) -> Truth {
        let (mut room, mut told, mut refused) = (Room::new(), BTreeMap::<_, Vec<_>>::new(), BTreeSet::new());
        for (index, entry) in entries.iter().enumerate() {
            for delivery in room.apply(entry).deliveries {
                if matches!(delivery.message, Some(ServerMessage::Refused { .. })) {
                    refused.insert(index);
                    continue;
                }
                for (seat, _) in delivery.to {
                    told.entry(seat).or_default().push(index);
                }
            }
        }
        Truth {
            room,
            entries,
            told,
            refused,
        }
    }
}

impl Truth {
    /// The log refuses a message.
    pub fn refuses(&self, key: &(String, u64)) -> bool {
        let same = |header: &EntryHeader| header.session == key.0 && header.cseq == key.1;
        self.refused.iter().any(|index| same(&self.entries[*index].header))
    }
}

impl Oracle {
    /// Judges a history that has come to rest.
    pub fn judge(&self, end: &Final<'_>) {
        let entries = end.whole.iter().filter_map(|entry| self.opened(entry)).collect();
        let truth = Truth::of(entries);
        let fold = truth.room.to_snapshot();
        for (node, other) in &end.folds {
            if *other != fold {
                let text = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
                let (here, there) = (text(other), text(&fold));
                self.fail(format!(
                    "folds differ: node {node} {}",
                    differences("", here.as_ref(), there.as_ref())
                ));
            }
        }
        self.numbers(&truth);
        self.seats(end);
        for page in end.pages.iter().filter(|page| *page.page.link() == Link::Joined) {
            self.outbox(end, page, &truth);
            self.deliveries(page, &truth);
            self.view(page, &truth);
        }
        self.decisions(end, &truth);
        self.facts(end, &truth);
    }

    /// A number is in the log once.
    fn numbers(&self, truth: &Truth) {
        let mut seen = BTreeSet::new();
        for entry in &truth.entries {
            let header = &entry.header;
            if !seen.insert((seen_key(header.from, &header.session), header.cseq)) {
                self.fail(format!(
                    "doubled: {} {} is twice in the log",
                    header.session, header.cseq
                ));
            }
        }
    }

    /// A seat has one page, and not none because each of two was told that the other has it.
    fn seats(&self, end: &Final<'_>) {
        for person in Person::ALL {
            let pages: Vec<_> = end.pages.iter().filter(|page| page.person == person).collect();
            let joined: Vec<_> = pages
                .iter()
                .filter(|page| page.page.is_joined())
                .map(|page| page.name)
                .collect();
            if joined.len() > 1 {
                self.fail(format!("two owners: {joined:?}"));
            }
            let superseded = |link: &Link| *link == Link::Stopped(Why::Superseded);
            let robbed = end.robbed.contains(&person);
            if !robbed && !pages.is_empty() && pages.iter().all(|page| superseded(page.page.link())) {
                self.fail(format!(
                    "no owner: every page of {} was told that another has the seat",
                    person.letter()
                ));
            }
            for page in &pages {
                if let Link::Idle | Link::Connecting | Link::Lost { .. } = page.page.link() {
                    self.fail(format!("{} cannot get in: {:?}", page.name, page.page.link()));
                }
            }
        }
    }

    /// Nothing is stuck, and what was said is in the log as it was said.
    fn outbox(&self, end: &Final<'_>, page: &Standing<'_>, truth: &Truth) {
        if page.page.open() > 0 {
            self.fail(format!(
                "stuck: {} waits for {} acknowledgements",
                page.name,
                page.page.open()
            ));
        }
        let there: BTreeMap<_, _> = (0..)
            .zip(&truth.entries)
            .map(|(index, entry): (usize, &Entry)| {
                let header = &entry.header;
                ((header.session.as_str(), header.cseq), (index, entry))
            })
            .collect();
        let notes = self.notes();
        for ((session, c), said) in notes
            .said
            .iter()
            .filter(|(_, said)| said.tab == page.tab || !end.lost_some)
        {
            if said.tab != page.tab && !said.acked {
                continue;
            }
            let found = there.get(&(session.as_str(), *c));
            let same = found.is_some_and(|(index, entry)| {
                let gone = matches!(entry.body, Body::Void(_) | Body::Message(ClientMessage::Nop {}));
                let refused = said.refused || truth.refused.contains(index);
                entry.body == Body::Message(said.message.clone()) || (gone && (refused || said.withdrawn))
            });
            if !same {
                let why = format!("lost: {session} {c} of {} is {found:?}, and was {said:?}", page.name);
                drop(notes);
                return self.fail(why);
            }
        }
    }

    /// The page acted on everything that the log says to its person, from its first snapshot on.
    fn deliveries(&self, page: &Standing<'_>, truth: &Truth) {
        let Some(marks) = &page.known.first_marks else {
            return self.fail(format!("{} is in and has no room", page.name));
        };
        for index in truth.told.get(&page.person.seat()).into_iter().flatten() {
            let header = &truth.entries[*index].header;
            let key = (header.session.clone(), header.cseq);
            let notes = self.notes();
            let before = marks.get(&key.0).is_some_and(|mark| *mark >= key.1);
            let others = notes.said.get(&key).is_some_and(|said| said.person != page.person);
            let counts = others || key.0.starts_with("o:");
            let excused = notes.cuts.iter().any(|cut| {
                let must = cut.had_to_read.as_deref() == Some(page.page.session().as_str());
                cut.person == page.person && !must && cut.messages.contains(&key)
            });
            // The way of a message is looked up in the same notes.
            drop(notes);
            let missed = counts && !before && !excused && !page.known.acted.contains(&key);
            if missed && !self.was_for_others(&key, page.person) {
                let why = format!(
                    "lost: {} never got {} {} {} at {}",
                    page.name, header.kind, key.0, key.1, header.seq
                );
                return self.fail(why);
            }
        }
    }

    /// The page shows what the log says.
    fn view(&self, page: &Standing<'_>, truth: &Truth) {
        let seat = page.person.seat();
        let there = shown(truth.room.view(seat), page.person);
        let here = page.page.room().map(|room| shown(room.clone(), page.person));
        if here.as_ref() != Some(&there) {
            let text = |view: Option<&RoomView>| view.and_then(|view| serde_json::to_value(view).ok());
            let (here, there) = (text(here.as_ref()), text(Some(&there)));
            self.fail(format!(
                "state: {} {}",
                page.name,
                differences("", here.as_ref(), there.as_ref())
            ));
        }
        if !truth.room.present().any(|present| present == seat) {
            self.fail(format!("presence: {} is in, and the room says that it left", page.name));
        }
        let state = truth.room.state(seat);
        if matches!(state, Some(SeatState::Removed | SeatState::Denied)) {
            self.fail(format!("out: {} is in although {state:?}", page.name));
        }
    }
}

/// A view with what its own page does not hear back left out: its own lines, its own lock, and connections' generations.
fn shown(mut view: RoomView, person: Person) -> RoomView {
    view.chat.retain(|line| line.from != person.seat());
    view.members.sort_by_key(|member| member.participant);
    view.waiting.sort_by_key(|waiting| waiting.participant);
    for member in &mut view.members {
        member.generation = 0;
    }
    // The one who locks is not told, nor are those who wait.
    if person == Person::HOST || view.state != SeatState::Admitted {
        view.locked = false;
    }
    view
}

/// Where two values differ.
fn differences(path: &str, here: Option<&Value>, log: Option<&Value>) -> String {
    match (here, log) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
            let parts = keys
                .into_iter()
                .map(|key| differences(&format!("{path}.{key}"), a.get(key), b.get(key)));
            parts.collect()
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            let parts = (0..a.len().max(b.len())).map(|i| differences(&format!("{path}[{i}]"), a.get(i), b.get(i)));
            parts.collect()
        }
        (a, b) if a == b => String::new(),
        (a, b) => {
            let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), ToString::to_string);
            format!("{path} is {} and in the log {}; ", text(a), text(b))
        }
    }
}
