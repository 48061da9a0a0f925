//! Who comes to the visit.

use heliograph_domain::{ParticipantId, Role, UnixMillis, VisitId};
use heliograph_roomlog::RoomKey;

/// One person of the visit, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person(pub u8);

impl Person {
    pub const HOST: Person = Person(0);
    pub const STAFF: Person = Person(1);
    pub const PATIENT: Person = Person(2);
    pub const GUEST: Person = Person(3);
    pub const ALL: [Person; 4] = [Person::HOST, Person::STAFF, Person::PATIENT, Person::GUEST];

    pub fn seat(self) -> ParticipantId {
        ParticipantId::from_parts(UnixMillis(1), &[self.0; 10])
    }

    pub fn of(seat: ParticipantId) -> Option<Person> {
        Person::ALL.into_iter().find(|person| person.seat() == seat)
    }

    pub fn role(self) -> Role {
        match self.0 {
            0 => Role::Host,
            1 => Role::Staff,
            2 => Role::Patient,
            _ => Role::Guest,
        }
    }

    pub fn is_staff(self) -> bool {
        self.role().is_staff()
    }

    /// The person about whom this member of staff decides: the last decision of one person is the last one of all.
    pub fn in_charge_of(self) -> Option<Person> {
        match self {
            Person::HOST => Some(Person::PATIENT),
            Person::STAFF => Some(Person::GUEST),
            Person(_) => None,
        }
    }

    pub fn letter(self) -> char {
        ['H', 'S', 'P', 'G'][usize::from(self.0)]
    }
}

/// The room of all histories.
pub fn room() -> RoomKey {
    RoomKey {
        institution: "cedar-street".parse().expect("a good name"),
        visit: VisitId::from_parts(UnixMillis(1), &[9; 10]),
    }
}
