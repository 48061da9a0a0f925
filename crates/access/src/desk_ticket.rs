//! Tickets for the desk: what a member of staff shows when the desk's socket is opened. The cookie of their session never
//! goes there.
//!
//! Single use is not decided here: whoever opens the desk remembers the `jti` of tickets that are still good.

use crate::keys::{Keys, Use};
use crate::signed;
use crate::ticket::{self, LIFE_MS, TicketError};
use heliograph_domain::clock::Entropy;
use heliograph_domain::{PersonId, TenantId, UnixMillis};
use serde::{Deserialize, Serialize};

/// The right to open the desk, once, within [`LIFE_MS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeskTicket {
    /// The institution whose desk it is.
    pub institution: TenantId,
    /// Who asked for it.
    pub person: PersonId,
    /// The hash of the cookie of the session that asked: when that ends, the desk closes.
    pub session: String,
    /// Sixteen random bytes as 22 characters of base64url.
    pub jti: String,
    /// The first instant at which it is no longer good.
    pub expires: UnixMillis,
}

impl DeskTicket {
    /// A new ticket that expires [`LIFE_MS`] after `now`.
    pub fn issue(
        institution: TenantId,
        person: PersonId,
        session: String,
        now: UnixMillis,
        entropy: &dyn Entropy,
    ) -> Self {
        Self {
            institution,
            person,
            session,
            jti: ticket::new_jti(entropy),
            expires: now.plus(LIFE_MS),
        }
    }

    /// When it was made.
    pub fn issued(&self) -> UnixMillis {
        self.expires.plus(-LIFE_MS)
    }
}

/// The text of a ticket.
pub fn mint(keys: &Keys, ticket: &DeskTicket) -> String {
    signed::seal(keys, Use::DeskTickets, ticket)
}

/// Reads a ticket that is genuine and still good at `now`.
pub fn verify(keys: &Keys, text: &str, now: UnixMillis) -> Result<DeskTicket, TicketError> {
    let ticket: DeskTicket = signed::open(keys, Use::DeskTickets, text)?;
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
    use crate::keys::tests::keys;
    use heliograph_domain::{ParticipantId, VisitId};

    const NOW: UnixMillis = UnixMillis(1_000_000);

    fn ticket() -> DeskTicket {
        let person = PersonId::from_parts(NOW, &[1; 10]);
        let session = "hash".to_owned();
        DeskTicket::issue(
            "cedar-street".parse().unwrap(),
            person,
            session,
            NOW,
            &Counting::default(),
        )
    }

    #[test]
    fn a_ticket_is_good_for_thirty_seconds() {
        let text = mint(&keys(), &ticket());
        assert_eq!(verify(&keys(), &text, NOW.plus(LIFE_MS - 1)), Ok(ticket()));
        assert_eq!(verify(&keys(), &text, NOW.plus(LIFE_MS)), Err(TicketError::Expired));
        assert_eq!(ticket().issued(), NOW);
    }

    #[test]
    fn every_field_is_signed() {
        let genuine = mint(&keys(), &ticket());
        let mac = genuine.split_once('.').unwrap().1;
        for changed in [
            DeskTicket {
                institution: "harbour-road".parse().unwrap(),
                ..ticket()
            },
            DeskTicket {
                person: PersonId::from_parts(NOW, &[9; 10]),
                ..ticket()
            },
            DeskTicket {
                session: "other".to_owned(),
                ..ticket()
            },
            DeskTicket {
                jti: "another-jti".to_owned(),
                ..ticket()
            },
            DeskTicket {
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
    fn a_seat_s_ticket_opens_no_desk_and_the_other_way_round() {
        let (visit, seat) = (
            VisitId::from_parts(NOW, &[1; 10]),
            ParticipantId::from_parts(NOW, &[2; 10]),
        );
        let entropy = Counting::default();
        let seat = ticket::Ticket::issue("cedar-street".parse().unwrap(), visit, seat, 0, NOW, &entropy);
        assert_eq!(
            verify(&keys(), &ticket::mint(&keys(), &seat), NOW),
            Err(TicketError::Forged)
        );
        assert_eq!(
            ticket::verify(&keys(), &mint(&keys(), &ticket()), NOW),
            Err(TicketError::Forged)
        );
    }
}
