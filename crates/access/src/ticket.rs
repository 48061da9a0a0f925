//! Tickets: what a page shows when it opens its socket, good for half a minute and for one use.
//!
//! Single use is not decided here: whoever claims a seat with a ticket records its `jti`.

use crate::keys::{Keys, Use};
use crate::signed::{self, Refused};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heliograph_domain::clock::Entropy;
use heliograph_domain::{ParticipantId, TenantId, UnixMillis, VisitId};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How long a ticket is good, in milliseconds.
pub const LIFE_MS: i64 = 30_000;

/// The right to take one seat, once, within [`LIFE_MS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// The institution of the visit.
    pub institution: TenantId,
    /// The visit.
    pub visit: VisitId,
    /// The seat in it.
    pub seat: ParticipantId,
    /// The generation of the person's link: when it goes up, the ticket is void.
    pub generation: u32,
    /// Sixteen random bytes as 22 characters of base64url: what makes a second use of the ticket visible.
    pub jti: String,
    /// The first instant at which it is no longer good.
    pub expires: UnixMillis,
}

/// Why a ticket was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TicketError {
    /// The text has not the form of a ticket.
    #[error("the ticket is malformed")]
    Malformed,
    /// The signature is not ours.
    #[error("the ticket is not genuine")]
    Forged,
    /// It was good once.
    #[error("the ticket has expired")]
    Expired,
}

impl From<Refused> for TicketError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Malformed => TicketError::Malformed,
            Refused::Forged => TicketError::Forged,
        }
    }
}

impl Ticket {
    /// A new ticket that expires [`LIFE_MS`] after `now`.
    pub fn issue(
        institution: TenantId,
        visit: VisitId,
        seat: ParticipantId,
        generation: u32,
        now: UnixMillis,
        entropy: &dyn Entropy,
    ) -> Self {
        Self {
            institution,
            visit,
            seat,
            generation,
            jti: new_jti(entropy),
            expires: now.plus(LIFE_MS),
        }
    }
}

pub(crate) fn new_jti(entropy: &dyn Entropy) -> String {
    let mut random = [0; 16];
    entropy.fill(&mut random);
    URL_SAFE_NO_PAD.encode(random)
}

/// The text of a ticket.
pub fn mint(keys: &Keys, ticket: &Ticket) -> String {
    signed::seal(keys, Use::Tickets, ticket)
}

/// Reads a ticket that is genuine and still good at `now`.
pub fn verify(keys: &Keys, text: &str, now: UnixMillis) -> Result<Ticket, TicketError> {
    let ticket: Ticket = signed::open(keys, Use::Tickets, text)?;
    if ticket.expires <= now {
        Err(TicketError::Expired)
    } else {
        Ok(ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cookie::tests::Counting;
    use crate::keys::tests::{keys, secret};

    const NOW: UnixMillis = UnixMillis(1_000_000);

    fn ticket() -> Ticket {
        let visit = VisitId::from_parts(NOW, &[1; 10]);
        let seat = ParticipantId::from_parts(NOW, &[2; 10]);
        Ticket::issue(
            "cedar-street".parse().unwrap(),
            visit,
            seat,
            3,
            NOW,
            &Counting::default(),
        )
    }

    #[test]
    fn a_ticket_is_good_for_thirty_seconds() {
        let text = mint(&keys(), &ticket());
        assert_eq!(verify(&keys(), &text, NOW), Ok(ticket()));
        assert_eq!(verify(&keys(), &text, NOW.plus(LIFE_MS - 1)), Ok(ticket()));
        assert_eq!(verify(&keys(), &text, NOW.plus(LIFE_MS)), Err(TicketError::Expired));
        assert_eq!(ticket().jti.len(), 22);
    }

    #[test]
    fn no_two_tickets_share_their_jti() {
        let entropy = Counting::default();
        let visit = VisitId::from_parts(NOW, &[1; 10]);
        let seat = ParticipantId::from_parts(NOW, &[2; 10]);
        let issue = || Ticket::issue("cedar-street".parse().unwrap(), visit, seat, 3, NOW, &entropy);
        assert_ne!(issue().jti, issue().jti);
    }

    #[test]
    fn every_field_is_signed() {
        let genuine = mint(&keys(), &ticket());
        let mac = genuine.split_once('.').unwrap().1;
        for changed in [
            Ticket {
                institution: "harbour-road".parse().unwrap(),
                ..ticket()
            },
            Ticket {
                visit: VisitId::from_parts(NOW, &[9; 10]),
                ..ticket()
            },
            Ticket {
                seat: ParticipantId::from_parts(NOW, &[9; 10]),
                ..ticket()
            },
            Ticket {
                generation: 4,
                ..ticket()
            },
            Ticket {
                jti: "another-jti".to_owned(),
                ..ticket()
            },
            Ticket {
                expires: NOW.plus(LIFE_MS + 1),
                ..ticket()
            },
        ] {
            let body = mint(&keys(), &changed).split_once('.').unwrap().0.to_owned();
            assert_eq!(
                verify(&keys(), &format!("{body}.{mac}"), NOW),
                Err(TicketError::Forged),
                "{changed:?}"
            );
        }
    }

    #[test]
    fn foreign_texts_are_told_apart() {
        for text in ["", ".", "abc", "a b.c", &"A".repeat(2000)] {
            let refused = verify(&keys(), text, NOW);
            assert!(
                matches!(refused, Err(TicketError::Malformed | TicketError::Forged)),
                "{text:?}"
            );
        }
        let text = mint(&Keys::new(secret(9), vec![]), &ticket());
        assert_eq!(verify(&keys(), &text, NOW), Err(TicketError::Forged));
        assert!(verify(&Keys::new(secret(1), vec![secret(9)]), &text, NOW).is_ok());
    }
}
