//! What a person does in a visit, and in an institution.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// What a person does in one visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The physician who runs the visit.
    Host,
    /// Another member of the institution: a colleague, a scheduler who helps.
    Staff,
    /// Interprets between two languages.
    Interpreter,
    /// The person whom the visit is for.
    Patient,
    /// A relative, a carer, a physician from elsewhere.
    Guest,
}

impl Role {
    /// Every role, in order.
    pub const ALL: [Role; 5] = [Role::Host, Role::Staff, Role::Interpreter, Role::Patient, Role::Guest];

    /// Whether the role may see and admit those who wait.
    pub fn is_staff(self) -> bool {
        match self {
            Role::Host | Role::Staff => true,
            Role::Interpreter | Role::Patient | Role::Guest => false,
        }
    }

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Host => "host",
            Role::Staff => "staff",
            Role::Interpreter => "interpreter",
            Role::Patient => "patient",
            Role::Guest => "guest",
        }
    }
}

/// What a member of an institution may do in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StaffRole {
    /// Books and moves visits.
    Scheduler,
    /// Holds visits.
    Physician,
    /// Interprets in visits.
    Interpreter,
    /// Manages people and settings.
    Administrator,
}

impl StaffRole {
    /// Every role, in order.
    pub const ALL: [StaffRole; 4] = [
        StaffRole::Scheduler,
        StaffRole::Physician,
        StaffRole::Interpreter,
        StaffRole::Administrator,
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            StaffRole::Scheduler => "scheduler",
            StaffRole::Physician => "physician",
            StaffRole::Interpreter => "interpreter",
            StaffRole::Administrator => "administrator",
        }
    }
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown role {0:?}")]
pub struct UnknownRole(pub String);

macro_rules! role_text {
    ($name:ident) => {
        impl FromStr for $name {
            type Err = UnknownRole;
            fn from_str(text: &str) -> Result<Self, UnknownRole> {
                Self::ALL
                    .into_iter()
                    .find(|r| r.as_str() == text)
                    .ok_or_else(|| UnknownRole(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

role_text!(Role);
role_text!(StaffRole);
