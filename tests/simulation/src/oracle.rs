//! What must hold, told from what was said, what lies in the log and what pages did: it shares no rule with the code.

mod decisions;
mod gate;
mod tree;
mod verdict;

use self::{gate::Gate, tree::Tree};
use crate::{chance::Chance, people::Person};
use heliograph_access::Keys;
use heliograph_domain::{ParticipantId, entry::Chain};
use heliograph_protocol::{ClientMessage, Header, ServerFrame, ServerMessage};
use heliograph_room::Entry;
use heliograph_roomlog::{ClaimRequest, LogEntry, Mark, Snapshot};
use heliograph_signaling::probe::Probe;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use verdict::{Final, Known, Standing};

/// The oracle of one history; clones are the same.
#[derive(Clone)]
pub struct Oracle {
    notes: Arc<Mutex<Notes>>,
    probe: Arc<Probe>,
    chance: Chance,
}

#[derive(Default)]
struct Notes {
    gates: BTreeMap<Chain, Arc<Gate>>,
    tree: Tree,
    said: BTreeMap<(String, u64), Said>,
    /// What a name was given to: no two messages have one.
    names: BTreeMap<String, (String, u64)>,
    order: u64,
    cuts: Vec<Cut>,
    violation: Option<String>,
}

/// Entries that were cut off the log.
#[derive(Debug)]
struct Cut {
    person: Person,
    /// The session of the page that must have read them before; every other one is told to start anew.
    had_to_read: Option<String>,
    messages: BTreeSet<(String, u64)>,
}

/// A message that a page numbered.
#[derive(Debug, Clone)]
pub struct Said {
    pub person: Person,
    /// The lives of one page, from reload to reload.
    pub tab: usize,
    /// Counts up over all messages of a history, and over what is heard of them.
    pub order: u64,
    pub message: ClientMessage,
    /// The sender heard that it is taken.
    pub acked: bool,
    /// And when, as `order` counts.
    pub acked_at: u64,
    /// The sender heard that it is not allowed.
    pub refused: bool,
    pub withdrawn: bool,
}

impl Said {
    pub fn new(person: Person, tab: usize, message: ClientMessage) -> Said {
        Said {
            person,
            tab,
            order: 0,
            message,
            acked: false,
            acked_at: 0,
            refused: false,
            withdrawn: false,
        }
    }
}

impl Oracle {
    pub fn new(keys: &Keys, chance: Chance) -> Oracle {
        let probe = Probe::new(keys, &crate::people::room(), Arc::new(chance.clone()));
        let mut notes = Notes::default();
        notes.gates.insert(Chain::START, Arc::default());
        Oracle {
            notes: Arc::new(Mutex::new(notes)),
            probe: Arc::new(probe),
            chance,
        }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn chance(&self) -> &Chance {
        &self.chance
    }

    /// Something that must not be. Only the first counts.
    pub fn fail(&self, why: String) {
        self.notes().violation.get_or_insert(why);
    }

    pub fn violation(&self) -> Option<String> {
        self.notes().violation.clone()
    }

    fn opened(&self, entry: &LogEntry) -> Option<Entry> {
        let opened = self.probe.entry(entry);
        if opened.is_none() {
            let header = &entry.header;
            self.fail(format!("unreadable: {} at {}", header.kind, header.seq));
        }
        opened
    }

    /// An entry came into the log after a place.
    pub fn entry(&self, before: Mark, entry: &Arc<LogEntry>) {
        if self.notes().gates.contains_key(&entry.header.chain) {
            return;
        }
        let Some(opened) = self.opened(entry) else { return };
        let mut notes = self.notes();
        let gate = notes.gates.get(&before.chain).cloned().unwrap_or_default();
        notes
            .gates
            .insert(entry.header.chain, Arc::new(Gate::after(&gate, &opened)));
        notes.tree.add(before.chain, entry);
    }

    /// A log was cut: pages whose people had left, or all pages if it had grown too long, need not know what was before.
    pub fn cut(&self, base: Option<&Snapshot>, entries: &[Arc<LogEntry>], upto: u64, by_limit: bool) {
        let mut room = base.and_then(|base| self.probe.room(base)).unwrap_or_default();
        for entry in entries.iter().filter_map(|entry| self.opened(entry)) {
            room.apply(&entry);
        }
        let present: BTreeSet<_> = room.present().collect();
        let off = entries.iter().filter(|entry| entry.header.seq <= upto);
        let messages: BTreeSet<_> = off
            .map(|entry| (entry.header.session.clone(), entry.header.cseq))
            .collect();
        let mut notes = self.notes();
        for person in Person::ALL {
            let holder = room
                .holder(person.seat())
                .filter(|_| !by_limit && present.contains(&person.seat()));
            let had_to_read = holder.map(|(session, _, _)| session.to_owned());
            notes.cuts.push(Cut {
                person,
                had_to_read,
                messages: messages.clone(),
            });
        }
    }

    /// The log is another one now.
    pub fn history(&self, whole: &[Arc<LogEntry>]) {
        let mut at = Mark::START;
        for entry in whole {
            self.entry(at, entry);
            at = entry.mark();
        }
    }

    /// A client's entry was taken: its connection must have the seat.
    pub fn appended(&self, before: Mark, seat: ParticipantId, connection: &str) {
        let gate = self.notes().gates.get(&before.chain).cloned().unwrap_or_default();
        let owner = gate.owner(seat).map(|owner| owner.connection.as_str());
        if owner != Some(connection) {
            self.fail(format!("two owners: {connection} writes for a seat of {owner:?}"));
        }
    }

    /// A claim was granted.
    pub fn claimed(&self, before: Mark, _after: Mark, claim: &ClaimRequest, whole: &[Arc<LogEntry>]) {
        let gate = self.notes().gates.get(&before.chain).cloned().unwrap_or_default();
        if let Some(owner) = gate.owner(claim.seat) {
            let own = claim.row.outbox.iter().any(|span| span.session == owner.session);
            if owner.session != claim.row.session && !own && claim.takeover.as_deref() != Some(&owner.session) {
                self.fail(format!(
                    "takeover: {} took the seat of {}, shown was {:?}",
                    claim.row.session, owner.session, claim.takeover
                ));
            }
        }
        if let Some(ticket) = &claim.row.ticket {
            let rows = whole.iter().filter_map(|entry| gate::claim_row(entry));
            let other = |row: &heliograph_domain::entry::ClaimRow| {
                row.connection != claim.row.connection && row.ticket.as_ref().is_some_and(|t| t.jti == ticket.jti)
            };
            if rows.into_iter().any(|row| other(&row)) {
                self.fail("a ticket was used twice".to_owned());
            }
        }
    }

    /// A page numbered a message.
    pub fn said(&self, session: &str, c: u64, said: Said) {
        let mut notes = self.notes();
        notes.order += 1;
        let key = (session.to_owned(), c);
        if let Some(name) = name_of_said(&said.message) {
            notes.names.insert(name.to_owned(), key.clone());
        }
        let order = notes.order;
        notes.said.insert(key, Said { order, ..said });
    }

    fn everything_said(&self) -> Vec<((String, u64), Said)> {
        let notes = self.notes();
        notes
            .said
            .iter()
            .map(|(key, said)| (key.clone(), said.clone()))
            .collect()
    }

    pub fn withdrawn(&self, session: &str, c: u64) {
        if let Some(said) = self.notes().said.get_mut(&(session.to_owned(), c)) {
            said.withdrawn = true;
        }
    }

    /// The sender was told that its message is not allowed.
    pub fn refused(&self, session: &str, c: u64) {
        if let Some(said) = self.notes().said.get_mut(&(session.to_owned(), c)) {
            said.refused = true;
        }
    }

    /// The sender was told that everything of a session up to `c` is taken.
    pub fn acked(&self, session: &str, c: u64) {
        let mut notes = self.notes();
        notes.order += 1;
        let now = notes.order;
        let upto = notes.said.range_mut((session.to_owned(), 0)..=(session.to_owned(), c));
        upto.filter(|(_, said)| !said.acked)
            .for_each(|(_, said)| (said.acked, said.acked_at) = (true, now));
    }

    /// A frame reached a page's present socket.
    pub fn frame(&self, reader: Person, frame: &ServerFrame) {
        let (Some(message), Some(chain), Some(_)) = (&frame.message, frame.header.chain, frame.header.p) else {
            return;
        };
        let gate = self.notes().gates.get(&chain).cloned();
        let Some(gate) = gate else {
            return self.fail(format!("a frame of no entry of any log: {:?}", frame.header));
        };
        if let Some(why) = gate.why_not(reader, &frame.header, message) {
            self.fail(format!(
                "{why}: {} got {} of {:?}",
                reader.letter(),
                name_of_kind(message),
                frame.header.from
            ));
        }
    }

    /// A page does what a frame says.
    pub fn acted(&self, page: &str, reader: Person, known: &mut Known, header: &Header, message: &ServerMessage) {
        let (Some(session), Some(c), Some(_)) = (&header.session, header.c, header.p) else {
            return;
        };
        if let ServerMessage::Refused { for_c, .. } = message {
            return self.refused(session, *for_c);
        }
        let key = (session.clone(), c);
        // The log's own entries may come again after a repair; what they say is state.
        if ["k:", "p:", "d:"].iter().any(|name| session.starts_with(name)) {
            return;
        }
        if !known.acted.insert(key.clone()) {
            return self.fail(format!("doubled: {page} acts twice on {session} {c}"));
        }
        let notes = self.notes();
        let name = name_of_told(message);
        let named = name
            .and_then(|name| notes.names.get(name))
            .is_some_and(|named| *named != key);
        let Some(said) = notes.said.get(&key).cloned() else {
            drop(notes);
            if name.is_some() {
                self.fail(format!(
                    "renumbered: {page} got {name:?} as {session} {c}, which nobody said"
                ));
            }
            return;
        };
        drop(notes);
        if named {
            self.fail(format!("renumbered: {page} got {name:?} as {session} {c}"));
        }
        if said.refused && self.was_refused_at_first(&key) {
            self.fail(format!("refused to its sender, then acted on: {session} {c} by {page}"));
        }
        if said.person == reader && name.is_some() {
            self.fail(format!("echo: {page} acts on its own {session} {c}"));
        }
        let last = known.order.insert(said.tab, said.order).unwrap_or(0);
        // In a history that was lost it may have been for others, so that it comes to this page late.
        if last > said.order && !self.was_moved(&key) {
            self.fail(format!(
                "reordered: {page} has {session} {c} after a later one of that page"
            ));
        }
    }
}

/// The name that a message carries, if one does.
fn name_of_said(message: &ClientMessage) -> Option<&str> {
    if let ClientMessage::Chat(chat) = message {
        return Some(&chat.id);
    }
    if let ClientMessage::Sdp(sdp) = message {
        return Some(&sdp.sdp);
    }
    let ClientMessage::Ice(ice) = message else { return None };
    ice.candidates.first().map(|one| one.candidate.as_str())
}

fn name_of_told(message: &ServerMessage) -> Option<&str> {
    if let ServerMessage::Chat { id, .. } = message {
        return Some(id);
    }
    if let ServerMessage::Sdp { sdp, .. } = message {
        return Some(sdp);
    }
    let ServerMessage::Ice { candidates, .. } = message else {
        return None;
    };
    candidates.first().map(|one| one.candidate.as_str())
}

fn name_of_kind(message: &ServerMessage) -> String {
    let text = format!("{message:?}");
    text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}
