//! What a wish for a visit is answered.

use super::Choose;
use crate::view::{self, FieldError};
use crate::{Coded, StoreError};
use heliograph_domain::{ParticipantId, PersonId, UnixSeconds};
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;
use utoipa::ToSchema;

/// A visit that was booked, now or by the same request before.
#[derive(Debug)]
pub struct Booked {
    pub visit: view::Visit,
    /// For everybody who does not sign in.
    pub links: Vec<Link>,
    /// Whether the request was answered before.
    pub replayed: bool,
}

/// A visit link.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    pub participant: ParticipantId,
    pub token: String,
}

impl Link {
    /// What follows the address of the service.
    pub fn path(&self) -> String {
        format!("/v/#{}", self.token)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({}, [hidden])", self.participant)
    }
}

#[derive(Debug, Error)]
pub enum BookError {
    #[error("only schedulers, physicians and administrators book visits")]
    Forbidden,
    #[error("some fields are not valid")]
    Invalid(Vec<FieldError>),
    #[error("the clocks show this time twice that day; say which one is meant")]
    WallTimeAmbiguous(Vec<Candidate>),
    #[error("the clocks skip this time that day; say which one is meant")]
    WallTimeMissing(Vec<Candidate>),
    #[error("not everybody is free then")]
    Taken {
        conflicts: Vec<Busy>,
        alternatives: Vec<Alternative>,
    },
    #[error("the idempotency key was used with another body")]
    KeyReused,
    /// These of the request are nobody and nothing of the caller's institution.
    #[error("there is no such person or service")]
    NotFound(Vec<FieldError>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Coded for BookError {
    fn code(&self) -> &'static str {
        match self {
            BookError::Forbidden => "forbidden",
            BookError::Invalid(_) => "invalid_request",
            BookError::WallTimeAmbiguous(_) => "wall_time_ambiguous",
            BookError::WallTimeMissing(_) => "wall_time_missing",
            BookError::Taken { .. } => "slot_taken",
            BookError::KeyReused => "idempotency_key_reused",
            BookError::NotFound(_) => "not_found",
            BookError::Store(error) => error.code(),
        }
    }
}

/// An instant that may be meant by a wall time that is shown twice or never.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Candidate {
    pub choose: Choose,
    pub start_s: UnixSeconds,
    pub offset_s: i32,
    /// What the clocks really show then.
    pub label: String,
}

/// Somebody who is busy at the wished time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Busy {
    pub person: PersonId,
}

/// A start at which everybody is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alternative {
    pub start_s: UnixSeconds,
    /// In the zone that was named.
    pub label: String,
}
