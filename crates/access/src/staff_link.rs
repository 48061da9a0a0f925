//! Sign-in links for staff: `/desk/#<token>`, good until they expire.

use crate::keys::{Keys, Use};
use crate::signed;
use heliograph_domain::{PersonId, TenantId, UnixSeconds};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Who may sign in with the link, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaffLink {
    /// The institution that the person works for.
    pub institution: TenantId,
    /// The person.
    pub person: PersonId,
    /// The first instant at which the link is no longer good.
    pub expires_s: UnixSeconds,
}

/// A sign-in link that is malformed, not genuine or expired. Which of these is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the sign-in link is not valid any more")]
pub struct InvalidStaffLink;

/// The token of a sign-in link.
pub fn mint(keys: &Keys, link: &StaffLink) -> String {
    signed::seal(keys, Use::StaffLinks, link)
}

/// Reads a token that is genuine and still good at `now`.
pub fn verify(keys: &Keys, text: &str, now: UnixSeconds) -> Result<StaffLink, InvalidStaffLink> {
    signed::open(keys, Use::StaffLinks, text)
        .ok()
        .filter(|link: &StaffLink| now < link.expires_s)
        .ok_or(InvalidStaffLink)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{keys, secret};
    use heliograph_domain::UnixMillis;

    const NOW: UnixSeconds = UnixSeconds(1_000);

    fn link() -> StaffLink {
        let person = PersonId::from_parts(UnixMillis(1), &[3; 10]);
        StaffLink {
            institution: "cedar-street".parse().unwrap(),
            person,
            expires_s: NOW.plus(60),
        }
    }

    #[test]
    fn a_link_is_good_until_it_expires() {
        let text = mint(&keys(), &link());
        assert_eq!(verify(&keys(), &text, NOW), Ok(link()));
        assert_eq!(verify(&keys(), &text, NOW.plus(60)), Err(InvalidStaffLink));
    }

    #[test]
    fn every_field_is_signed() {
        let genuine = mint(&keys(), &link());
        let mac = genuine.split_once('.').unwrap().1;
        for changed in [
            StaffLink {
                institution: "harbour-road".parse().unwrap(),
                ..link()
            },
            StaffLink {
                person: PersonId::from_parts(UnixMillis(1), &[4; 10]),
                ..link()
            },
            StaffLink {
                expires_s: NOW.plus(61),
                ..link()
            },
        ] {
            let body = mint(&keys(), &changed).split_once('.').unwrap().0.to_owned();
            assert_eq!(
                verify(&keys(), &format!("{body}.{mac}"), NOW),
                Err(InvalidStaffLink),
                "{changed:?}"
            );
        }
        assert_eq!(
            verify(&Keys::new(secret(8), vec![]), &genuine, NOW),
            Err(InvalidStaffLink)
        );
        assert!(verify(&Keys::new(secret(8), vec![secret(1)]), &genuine, NOW).is_ok());
    }
}
