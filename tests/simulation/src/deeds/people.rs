//! What people do.

use crate::{
    people::{Person, room},
    world::{Event, World},
};
use heliograph_client::{Event as Happens, Link, Page};
use heliograph_domain::{Pii, Role};
use heliograph_protocol::{
    Chat, ClientMessage, Decision, DeviceCheck, Ice, IceCandidate, Media, NoticeKind, Phase, Reset, Sdp, SdpKind,
    SeatState, To,
};
use heliograph_room::Notice;
use heliograph_signaling::Incoming;

/// Pages of one history.
const MOST_TABS: usize = 12;
/// Messages of a page that wait for their acknowledgement: nobody types more while the line is down.
const MOST_OPEN: u64 = 16;

impl World {
    /// Pages that are open, that of the person with a seat or of one who lost it.
    fn pick_tab(&self, wanted: impl Fn(&Page) -> bool) -> Option<usize> {
        let tabs: Vec<_> = (0..self.tabs.len())
            .filter(|tab| self.tabs[*tab].open && wanted(&self.tabs[*tab].page))
            .collect();
        self.chance.pick(&tabs).copied()
    }

    fn speaker(&self) -> Option<usize> {
        let stopped = |page: &Page| matches!(page.link(), Link::Stopped(_) | Link::Taken { .. } | Link::Idle);
        self.pick_tab(|page| !stopped(page) && page.room().is_some() && page.open() < MOST_OPEN)
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("m{}", self.names)
    }

    pub(super) fn say_something(&mut self) -> Option<()> {
        let tab = self.speaker()?;
        let person = self.tabs[tab].person;
        let peers: Vec<_> = Person::ALL.into_iter().filter(|peer| *peer != person).collect();
        let to = self.chance.pick(&peers).map_or(Person::HOST, |peer| *peer).seat();
        let room = self.tabs[tab].page.room();
        let (state, generation) = room.map_or((SeatState::Waiting, 0), |room| {
            let member = room.members.iter().find(|member| member.participant == to);
            (room.state, member.map_or(0, |member| member.generation))
        });
        let name = self.name();
        let pc = "av".to_owned();
        let chat = |to| {
            ClientMessage::Chat(Chat {
                id: name.clone(),
                text: Pii::new("x".to_owned()),
                to,
                canned: None,
            })
        };
        let message = match self.chance.of(0..100) {
            _ if state != SeatState::Admitted && self.chance.permille(500) => ClientMessage::Knock {
                device: DeviceCheck::default(),
            },
            0..30 => chat(To::All),
            30..45 => chat(To::Staff),
            45..58 => chat(To::Seat(to)),
            58..75 => ClientMessage::Ice(Ice {
                to,
                pc,
                generation,
                candidates: vec![IceCandidate {
                    candidate: name,
                    sdp_mid: None,
                    sdp_m_line_index: None,
                    username_fragment: None,
                }],
            }),
            75..85 => ClientMessage::Sdp(Sdp {
                to,
                pc,
                generation,
                kind: SdpKind::Offer,
                sdp: name,
            }),
            85..92 => ClientMessage::Media(Media {
                mic: self.chance.permille(500),
                ..Media::default()
            }),
            92..94 => ClientMessage::Reset(Reset {
                to,
                pc,
                generation: generation + 1,
            }),
            94..96 => ClientMessage::Unknock {},
            96..98 => ClientMessage::CallMe {
                number: Pii::new("1".to_owned()),
            },
            _ => ClientMessage::StepOut {},
        };
        self.say(tab, message);
        Some(())
    }

    pub(super) fn decide(&mut self) -> Option<()> {
        let tab = self.speaker().filter(|tab| self.tabs[*tab].person.is_staff())?;
        let person = self.tabs[tab].person;
        let about = person.in_charge_of()?;
        let decision = Decision {
            participant: about.seat(),
            message: None,
        };
        let phase = self.tabs[tab].page.room().map(|room| room.phase);
        let whims = self.habits.whims;
        let host = u32::from(person == Person::HOST);
        let over = u32::from(matches!(phase, Some(Phase::Ended { .. })));
        let ending = u32::from(matches!(phase, Some(Phase::Ending { .. })));
        let message = self.chance.weighted(&[
            (40, 0),
            (6 * whims, 1),
            (whims, 2),
            (whims, 3),
            (3 * whims * host, 4),
            (60 * host * ending, 5),
            (80 * host * over, 6),
            (2 * whims * host, 7),
            (2 * host, 8),
            (2 * host, 9),
            (4, 10),
        ]);
        let participant = about.seat();
        let message = match message {
            0 => ClientMessage::Admit(decision),
            1 => ClientMessage::Hold(decision),
            2 => ClientMessage::Remove(decision),
            3 => ClientMessage::Deny(decision),
            4 => ClientMessage::End {},
            5 => ClientMessage::UndoEnd {},
            6 => ClientMessage::Reopen {},
            7 => ClientMessage::Lock {
                locked: self.chance.permille(300),
            },
            8 => ClientMessage::Extend { minutes: 5 },
            9 => ClientMessage::Role {
                participant,
                role: if self.chance.permille(500) {
                    Role::Guest
                } else {
                    Role::Interpreter
                },
            },
            _ => ClientMessage::AskMute { participant },
        };
        self.say(tab, message);
        Some(())
    }

    /// A message that waits is taken back.
    pub(super) fn withdraw(&mut self) -> Option<()> {
        let waits = |page: &Page| page.open() > 0 && !matches!(page.link(), Link::Stopped(_));
        let tab = self.pick_tab(waits)?;
        let page = &mut self.tabs[tab].page;
        let c = page.acked() + 1;
        if page.withdraw(c) {
            let session = page.session().to_string();
            self.oracle.withdrawn(&session, c);
            self.branches.count("withdrawn");
        }
        Some(())
    }

    pub(super) fn reload(&mut self) -> Option<()> {
        let tab = self.pick_tab(|page| !matches!(page.link(), Link::Stopped(_) | Link::Taken { .. }))?;
        if self.tabs.len() >= MOST_TABS {
            return None;
        }
        let page = &mut self.tabs[tab];
        page.open = false;
        let (person, first, line) = (page.person, page.first, page.line.take());
        let session = self.chance.name().parse().expect("a good name");
        let next = self.tabs[tab].page.reload(session);
        if let Some(line) = line
            && self.chance.permille(700)
        {
            self.calendar.after(self.chance.of(0..200), Event::HangUp(line.id));
        }
        self.open_tab(person, Some(first), next);
        Some(())
    }

    pub(super) fn second_tab(&mut self) -> Option<()> {
        if self.tabs.len() >= MOST_TABS {
            return None;
        }
        let person = Person::ALL[self.chance.index(4)];
        let page = self.new_page(person);
        self.open_tab(person, None, page);
        Some(())
    }

    /// "Move the visit here."
    pub(super) fn move_here(&mut self) -> Option<()> {
        let tab = self.pick_tab(|page| matches!(page.link(), Link::Taken { .. }))?;
        self.on(tab, Happens::MoveHere);
        Some(())
    }

    pub(super) fn leave(&mut self) -> Option<()> {
        if self.chance.permille(500) {
            return None;
        }
        let tab = self.pick_tab(Page::is_joined)?;
        self.say(tab, ClientMessage::Bye {});
        self.on(tab, Happens::Leave);
        Some(())
    }

    pub(super) fn wake(&mut self) -> Option<()> {
        let tab = self.pick_tab(|_| true)?;
        self.on(tab, Happens::Wake);
        Some(())
    }

    /// Somebody who saw a ticket uses it once more.
    pub(super) fn replay_ticket(&mut self) -> Option<()> {
        let seen: Vec<_> = (0..self.tabs.len())
            .filter(|tab| self.tabs[*tab].ticket.is_some())
            .collect();
        let tab = self.chance.pick(&seen).copied()?;
        let (person, ticket) = (self.tabs[tab].person, self.tabs[tab].ticket.clone());
        let hello = self.new_page(person).hello(ticket, None);
        self.strange_hello(tab, hello);
        Some(())
    }

    /// What the booking side tells the room; an outbox row is told until it is done, and perhaps twice.
    pub(super) fn notice(&mut self) {
        let name = self.name();
        self.calendar.after(0, Event::Tell(name.clone()));
        if self.chance.permille(300) {
            self.calendar.after(self.chance.of(0..3_000), Event::Tell(name));
        }
    }

    pub fn tell(&mut self, name: String) {
        let up: Vec<_> = self.nodes.iter().filter(|node| node.is_up()).collect();
        let Some(node) = self.chance.pick(&up) else { return };
        let (rooms, calendar) = (node.rooms.clone(), self.calendar.clone());
        let calm = self.calm;
        tokio::spawn(async move {
            let notice = Notice {
                kind: NoticeKind::Late,
                start_ms: None,
                minutes: Some(5),
                participant: None,
            };
            if rooms.tell(&room(), &name, notice).await.is_err() && !calm {
                calendar.after(2_000, Event::Tell(name));
            }
        });
    }

    /// A socket that is no page's says hello.
    fn strange_hello(&mut self, tab: usize, hello: String) {
        let up: Vec<_> = (0..self.nodes.len()).filter(|node| self.nodes[*node].is_up()).collect();
        let Some(node) = self.chance.pick(&up).copied() else {
            return;
        };
        let line = self.strange_line(tab, node);
        self.calendar.after(1, Event::Up(line, Incoming::Text(hello)));
        self.calendar.after(5_000, Event::HangUp(line));
    }
}
