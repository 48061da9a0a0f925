//! Visit links: what a patient, a guest or an interpreter comes in by.
//!
//! The token is derived whenever it is needed and stored nowhere. It lies in the fragment of the address, which no
//! browser sends to a server: 22 characters for the participant and 43 for the signature, both base64url (RFC 4648
//! section 5) without padding.

use crate::keys::{Keys, Use};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heliograph_domain::{ParticipantId, TenantId, VisitId};
use std::fmt;

const ID_CHARS: usize = 22;
const TOKEN_CHARS: usize = ID_CHARS + 43;

/// What a link is good for. Every field is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkScope<'a> {
    /// The institution that made it.
    pub institution: &'a TenantId,
    /// The visit that it leads to.
    pub visit: VisitId,
    /// Whose it is.
    pub participant: ParticipantId,
    /// Goes up when links are reissued or revoked; only the newest is good.
    pub generation: u32,
}

/// A token that could be read. Nothing is known about it yet: [`Token::verify`] tells whether it is genuine.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Whose link it claims to be.
    pub participant: ParticipantId,
    mac: [u8; 32],
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}, [hidden])", self.participant)
    }
}

/// Makes the token of a link.
pub fn mint(keys: &Keys, scope: &LinkScope<'_>) -> String {
    let mac = signed(scope, |parts| keys.sign(Use::Links, parts));
    URL_SAFE_NO_PAD.encode(scope.participant.as_bytes()) + &URL_SAFE_NO_PAD.encode(mac)
}

/// Reads a token; `None` if it has not the form of one.
pub fn parse(text: &str) -> Option<Token> {
    if text.len() != TOKEN_CHARS || !text.is_ascii() {
        return None;
    }
    let (id, mac) = text.split_at(ID_CHARS);
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    Some(Token {
        participant: ParticipantId::from_bytes(bytes(id)?.try_into().ok()?),
        mac: bytes(mac)?.try_into().ok()?,
    })
}

impl Token {
    /// A token that no link has. Callers who could not read one verify this instead, so that the work is the same.
    pub fn nobody() -> Self {
        Self {
            participant: ParticipantId::from_bytes([0; 16]),
            mac: [0; 32],
        }
    }

    /// Whether this is the token of that link, in constant time.
    pub fn verify(&self, keys: &Keys, scope: &LinkScope<'_>) -> bool {
        signed(scope, |parts| keys.verify(Use::Links, parts, &self.mac)) && self.participant == scope.participant
    }
}

fn signed<T>(scope: &LinkScope<'_>, act: impl FnOnce(&[&[u8]]) -> T) -> T {
    act(&[
        scope.institution.as_str().as_bytes(),
        scope.visit.as_bytes(),
        scope.participant.as_bytes(),
        &scope.generation.to_be_bytes(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{keys, secret};
    use heliograph_domain::UnixMillis;

    fn visit(byte: u8) -> VisitId {
        VisitId::from_parts(UnixMillis(5), &[byte; 10])
    }

    fn participant(byte: u8) -> ParticipantId {
        ParticipantId::from_parts(UnixMillis(5), &[byte; 10])
    }

    #[test]
    fn a_link_has_65_characters_and_verifies() {
        let institution = "cedar-street".parse().unwrap();
        let scope = LinkScope {
            institution: &institution,
            visit: visit(1),
            participant: participant(2),
            generation: 3,
        };
        let text = mint(&keys(), &scope);
        assert_eq!(text.len(), 65);
        let token = parse(&text).unwrap();
        assert_eq!(token.participant, participant(2));
        assert!(token.verify(&keys(), &scope));
        assert!(!format!("{token:?}").contains(&text[ID_CHARS..]));
    }

    #[test]
    fn every_field_is_signed() {
        let (cedar, harbour) = ("cedar-street".parse().unwrap(), "harbour-road".parse().unwrap());
        let scope = LinkScope {
            institution: &cedar,
            visit: visit(1),
            participant: participant(2),
            generation: 3,
        };
        let token = parse(&mint(&keys(), &scope)).unwrap();
        for wrong in [
            LinkScope {
                institution: &harbour,
                ..scope.clone()
            },
            LinkScope {
                visit: visit(2),
                ..scope.clone()
            },
            LinkScope {
                participant: participant(3),
                ..scope.clone()
            },
            LinkScope {
                generation: 2,
                ..scope.clone()
            },
            LinkScope {
                generation: 4,
                ..scope.clone()
            },
        ] {
            assert!(!token.verify(&keys(), &wrong), "{wrong:?}");
        }
        assert!(!token.verify(&Keys::new(secret(9), vec![]), &scope));
        assert!(token.verify(&Keys::new(secret(9), vec![secret(1)]), &scope));
    }

    #[test]
    fn no_changed_character_goes_through() {
        let institution = "cedar-street".parse().unwrap();
        let scope = LinkScope {
            institution: &institution,
            visit: visit(1),
            participant: participant(2),
            generation: 0,
        };
        let text = mint(&keys(), &scope);
        for place in 0..text.len() {
            for other in ["A", "B", "_", "9", "=", "+", "é"] {
                let mut changed = text.clone();
                changed.replace_range(place..=place, other);
                let passes = parse(&changed).is_some_and(|token| token.verify(&keys(), &scope));
                assert_eq!(passes, changed == text, "place {place}, {other}");
            }
        }
        assert_eq!(parse(""), None);
        assert_eq!(parse(&(text.clone() + "A")), None);
        assert_eq!(parse(&text[1..]), None);
    }

    #[test]
    fn the_token_of_nobody_never_verifies() {
        let institution = "cedar-street".parse().unwrap();
        let nobody = Token::nobody();
        let scope = LinkScope {
            institution: &institution,
            visit: visit(1),
            participant: nobody.participant,
            generation: 0,
        };
        assert!(!nobody.verify(&keys(), &scope));
    }
}
