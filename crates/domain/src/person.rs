//! Institutions, and the people whom they know.

use crate::zone::Zone;
use crate::{Language, PersonId, Pii, ResourceId, StaffRole, TenantId};

/// A clinic, a hospital or an agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Institution {
    /// Its name in keys, rows and addresses.
    pub id: TenantId,
    /// Its name for people.
    pub name: String,
    /// The number that a patient calls when nothing else works.
    pub help_phone: Option<String>,
    /// Where its clocks hang.
    pub zone: Zone,
}

/// What a person is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// As in their papers.
    pub legal: Pii<String>,
    /// As they want to be called, if that differs.
    pub preferred: Option<Pii<String>>,
    /// In the script of their own language, if that is another one.
    pub original_script: Option<Pii<String>>,
    /// How to say it.
    pub say: Option<Pii<String>>,
}

impl Names {
    /// One name for all purposes.
    pub fn legal(name: &str) -> Self {
        Self {
            legal: Pii::new(name.to_owned()),
            preferred: None,
            original_script: None,
            say: None,
        }
    }

    /// The name to show: the preferred one if there is one.
    pub fn shown(&self) -> &Pii<String> {
        self.preferred.as_ref().unwrap_or(&self.legal)
    }
}

/// A person whom an institution knows, with no more than a visit needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The institution's name for the person.
    pub id: PersonId,
    /// The calendar of this human; another institution that knows the same human has the same one.
    pub resource: ResourceId,
    /// What the person is called.
    pub names: Names,
    /// The language that the person reads and speaks.
    pub language: Language,
    /// Where the person is, as a rule.
    pub zone: Zone,
    /// What the person may do in the institution; none for a patient.
    pub roles: Vec<StaffRole>,
}
