//! The server secret, and one key per use derived from it.

use heliograph_domain::{TenantId, VisitId};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;

/// The server secret: at least 32 bytes that nobody can foretell, the same on all nodes. It never prints.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

/// A secret that is too short to be safe.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the server secret has {0} bytes; at least 32 are needed")]
pub struct SecretTooShort(pub usize);

impl Secret {
    /// Takes at least 32 bytes.
    pub fn new(bytes: Vec<u8>) -> Result<Self, SecretTooShort> {
        if bytes.len() < 32 {
            Err(SecretTooShort(bytes.len()))
        } else {
            Ok(Self(bytes))
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([hidden])")
    }
}

/// What a key is for. A signature made for one use is worth nothing for another.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Use {
    Links,
    StaffLinks,
    Tickets,
    DeskTickets,
    Resume,
}

impl Use {
    const ALL: [Use; 5] = [Use::Links, Use::StaffLinks, Use::Tickets, Use::DeskTickets, Use::Resume];

    fn label(self) -> &'static [u8] {
        match self {
            Use::Links => b"heliograph.v1 links",
            Use::StaffLinks => b"heliograph.v1 staff links",
            Use::Tickets => b"heliograph.v1 tickets",
            Use::DeskTickets => b"heliograph.v1 desk tickets",
            Use::Resume => b"heliograph.v1 resume",
        }
    }
}

const ROOM_DATA: &[u8] = b"heliograph.v1 room data";

/// All keys of the service. The current secret signs; older ones are still believed while they are rotated out.
#[derive(Clone, Debug)]
pub struct Keys {
    derived: Vec<Derived>,
}

#[derive(Clone)]
struct Derived {
    room_data_id: [u8; 4],
    kdf: Hkdf<Sha256>,
    macs: [Hmac<Sha256>; Use::ALL.len()],
}

impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl Keys {
    /// Derives every key from the secret that signs and those that are on their way out.
    pub fn new(current: Secret, older: Vec<Secret>) -> Self {
        Self {
            derived: std::iter::once(current)
                .chain(older)
                .map(|secret| Derived::new(&secret))
                .collect(),
        }
    }

    /// The keys of one room's data as `(key id, key)`, the current one first: seal with it, and open with the one whose
    /// id stands beside what was sealed. The id names the secret and is the same for all rooms.
    pub fn room_data(&self, tenant: &TenantId, visit: VisitId) -> Vec<([u8; 4], [u8; 32])> {
        let info = joined(&[ROOM_DATA, tenant.as_str().as_bytes(), visit.as_bytes()]);
        self.derived
            .iter()
            .map(|secret| (secret.room_data_id, expand(&secret.kdf, &info)))
            .collect()
    }

    pub(crate) fn sign(&self, purpose: Use, parts: &[&[u8]]) -> [u8; 32] {
        self.derived[0].sign(purpose, parts)
    }

    /// Tries all secrets, in a time that does not tell which one fits or how far a guess was right.
    pub(crate) fn verify(&self, purpose: Use, parts: &[&[u8]], mac: &[u8]) -> bool {
        let none = Choice::from(0);
        self.derived
            .iter()
            .fold(none, |found, secret| found | secret.sign(purpose, parts).ct_eq(mac))
            .into()
    }
}

impl Derived {
    fn new(secret: &Secret) -> Self {
        let kdf = Hkdf::<Sha256>::new(None, &secret.0);
        let id = Sha256::new().chain_update(ROOM_DATA).chain_update(&secret.0).finalize();
        let macs = Use::ALL.map(|purpose| {
            Hmac::new_from_slice(&expand(&kdf, purpose.label())).expect("HMAC takes a key of any length")
        });
        Self {
            room_data_id: [id[0], id[1], id[2], id[3]],
            kdf,
            macs,
        }
    }

    fn sign(&self, purpose: Use, parts: &[&[u8]]) -> [u8; 32] {
        self.macs[purpose as usize]
            .clone()
            .chain_update(joined(parts))
            .finalize()
            .into_bytes()
            .into()
    }
}

fn expand(kdf: &Hkdf<Sha256>, info: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    kdf.expand(info, &mut key).expect("HKDF-SHA256 gives 32 bytes");
    key
}

/// Every part after its length, so that no two lists of parts give the same bytes.
fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().fold(Vec::new(), |mut bytes, part| {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
        bytes
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use heliograph_domain::UnixMillis;

    pub(crate) fn secret(byte: u8) -> Secret {
        Secret::new(vec![byte; 32]).unwrap()
    }

    pub(crate) fn keys() -> Keys {
        Keys::new(secret(1), vec![])
    }

    #[test]
    fn a_secret_is_long_and_never_prints() {
        assert_eq!(Secret::new(vec![0; 31]).unwrap_err(), SecretTooShort(31));
        let shown = format!("{:?} {:?}", secret(7), Keys::new(secret(7), vec![]));
        assert!(!shown.contains('7') && shown.contains("hidden"), "{shown}");
    }

    #[test]
    fn parts_cannot_run_together() {
        let keys = keys();
        let mac = keys.sign(Use::Links, &[b"ab", b"c"]);
        assert!(keys.verify(Use::Links, &[b"ab", b"c"], &mac));
        assert!(!keys.verify(Use::Links, &[b"a", b"bc"], &mac));
        assert!(!keys.verify(Use::Links, &[b"ab", b"c", b""], &mac));
    }

    #[test]
    fn a_signature_is_worth_nothing_for_another_use() {
        let keys = keys();
        for (made, asked) in [
            (Use::Links, Use::Tickets),
            (Use::StaffLinks, Use::Links),
            (Use::Resume, Use::Tickets),
            (Use::Tickets, Use::DeskTickets),
        ] {
            let mac = keys.sign(made, &[b"same"]);
            assert!(!keys.verify(asked, &[b"same"], &mac), "{made:?} for {asked:?}");
        }
    }

    #[test]
    fn a_rotated_secret_still_verifies_but_no_longer_signs() {
        let before = Keys::new(secret(1), vec![]);
        let during = Keys::new(secret(2), vec![secret(1)]);
        let after = Keys::new(secret(2), vec![]);
        let old = before.sign(Use::Links, &[b"x"]);
        assert!(during.verify(Use::Links, &[b"x"], &old));
        assert!(!after.verify(Use::Links, &[b"x"], &old));
        assert!(after.verify(Use::Links, &[b"x"], &during.sign(Use::Links, &[b"x"])));
    }

    #[test]
    fn room_keys_differ_by_room_and_institution_and_keep_their_id_through_rotation() {
        let visit = |byte| VisitId::from_parts(UnixMillis(1), &[byte; 10]);
        let (cedar, harbour) = ("cedar-street".parse().unwrap(), "harbour-road".parse().unwrap());
        let before = Keys::new(secret(1), vec![]).room_data(&cedar, visit(1));
        let during = Keys::new(secret(2), vec![secret(1)]).room_data(&cedar, visit(1));
        assert_eq!(during[1], before[0]);
        assert_ne!(during[0], during[1]);
        assert_ne!(during[0].0, during[1].0);
        for other in [(&cedar, visit(2)), (&harbour, visit(1))] {
            assert_ne!(
                Keys::new(secret(1), vec![]).room_data(other.0, other.1)[0].1,
                before[0].1
            );
        }
    }
}
