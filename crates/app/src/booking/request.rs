//! The wish for a visit as it comes in, and what it means.

use crate::view::FieldError;
use heliograph_domain::zone::{WallTime, Zone};
use heliograph_domain::{PersonId, Role, ServiceId};
use heliograph_schedule::booking::{Field, Invalid, PEOPLE};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::str::FromStr;
use utoipa::ToSchema;

/// A wish for a visit. Names are texts here, so that every one that is wrong can be told by its field.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookVisit {
    /// What is booked; it gives the visit its name and its buffers.
    #[schema(format = Uuid)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    pub start: BookStart,
    /// A multiple of 5, at most 480.
    pub duration_min: i64,
    pub participants: Vec<BookParticipant>,
}

/// A wall time in a named zone.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookStart {
    #[schema(value_type = WallTime)]
    pub wall: String,
    #[schema(value_type = Zone)]
    pub zone: String,
    /// Which instant is meant when the clocks show the time twice, or skip it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choose: Option<Choose>,
}

/// One of two instants, in time order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Choose {
    First,
    Second,
}

/// Somebody who is to take part.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookParticipant {
    #[schema(format = Uuid)]
    pub person: String,
    #[schema(value_type = Role)]
    pub role: String,
    /// Where the person will be then; otherwise where they are as a rule.
    #[schema(value_type = Option<Zone>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// A wish whose texts all make sense.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) service: Option<ServiceId>,
    pub(super) wall: WallTime,
    pub(super) zone: Zone,
    pub(super) choose: Option<Choose>,
    pub(super) duration_s: i64,
    pub(super) people: Vec<WishPerson>,
}

#[derive(Debug, Clone)]
pub(super) struct WishPerson {
    pub(super) person: PersonId,
    pub(super) role: Role,
    pub(super) zone: Option<Zone>,
}

impl BookVisit {
    pub(super) fn parse(&self) -> Result<Wish, Vec<FieldError>> {
        let mut wrong = Faults::default();
        // Nobody is looked up for a list that is too long anyway.
        if self.participants.len() > *PEOPLE.end() {
            wrong.add("participants", &"must be 2 to 8 people");
            return Err(wrong.0);
        }
        let service = self.service.as_deref().map(|text| wrong.read("service", text));
        let wall = wrong.read("start.wall", &self.start.wall);
        let zone = wrong.read("start.zone", &self.start.zone);
        let people: Vec<_> = self
            .participants
            .iter()
            .enumerate()
            .map(|(index, one)| {
                let field = |name: &str| format!("participants[{index}].{name}");
                let person = wrong.read(&field("person"), &one.person);
                let role = wrong.read(&field("role"), &one.role);
                let zone = one.zone.as_deref().map(|text| wrong.read(&field("zone"), text));
                Some(WishPerson {
                    person: person?,
                    role: role?,
                    zone: zone.flatten(),
                })
            })
            .collect();
        match (wall, zone, people.into_iter().collect::<Option<Vec<_>>>()) {
            (Some(wall), Some(zone), Some(people)) if wrong.0.is_empty() => Ok(Wish {
                service: service.flatten(),
                wall,
                zone,
                choose: self.start.choose,
                duration_s: self.duration_min.saturating_mul(60),
                people,
            }),
            _ => Err(wrong.0),
        }
    }
}

#[derive(Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    fn add(&mut self, field: &str, why: &dyn Display) {
        self.0.push(FieldError {
            field: field.to_owned(),
            message: why.to_string(),
        });
    }

    fn read<T: FromStr<Err: Display>>(&mut self, field: &str, text: &str) -> Option<T> {
        text.parse().map_err(|why| self.add(field, &why)).ok()
    }
}

/// An id of nobody and nothing of the institution: whether another one has it is not told.
pub(super) fn unknown(field: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        message: "is not known here".to_owned(),
    }
}

/// What the decision found wrong, by the names of the request.
pub(super) fn field_error(invalid: &Invalid) -> FieldError {
    let field = match invalid.field {
        Field::Start => "start.wall".to_owned(),
        Field::Duration => "duration_min".to_owned(),
        Field::Participants => "participants".to_owned(),
        Field::Participant(index) => format!("participants[{index}].person"),
        Field::Role(index) => format!("participants[{index}].role"),
    };
    FieldError {
        field,
        message: invalid.message.to_owned(),
    }
}
