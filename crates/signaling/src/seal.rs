//! Seals the data of entries: nothing that people say or are called lies readable in a log.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use heliograph_access::Keys;
use heliograph_domain::{ParticipantId, clock::Entropy, entry::Audience};
use heliograph_roomlog::RoomKey;
use std::sync::Arc;
use thiserror::Error;

const VERSION: u8 = 1;
const NONCE: usize = 24;
const HEAD: usize = 1 + 4 + NONCE;

/// The parts of a header that sealed data is bound to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Binding<'a> {
    pub from: Option<ParticipantId>,
    pub session: &'a str,
    pub cseq: u64,
    pub audience: Audience,
    pub kind: &'a str,
}

/// Data that this room's keys don't open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("sealed data does not open: another key, another place, or damage")]
pub(crate) struct NotOurs;

/// Seals and opens one room's data: version (1 byte), key id (4), nonce (24), XChaCha20-Poly1305 ciphertext.
pub(crate) struct Sealer {
    room: RoomKey,
    ciphers: Vec<([u8; 4], XChaCha20Poly1305)>,
    entropy: Arc<dyn Entropy>,
}

impl Sealer {
    pub fn new(keys: &Keys, room: &RoomKey, entropy: Arc<dyn Entropy>) -> Sealer {
        let ciphers = keys.room_data(&room.institution, room.visit).into_iter();
        let ciphers = ciphers
            .map(|(id, key)| (id, XChaCha20Poly1305::new(&key.into())))
            .collect();
        Sealer {
            room: room.clone(),
            ciphers,
            entropy,
        }
    }

    pub fn seal(&self, binding: Binding<'_>, plain: &[u8]) -> Vec<u8> {
        let (id, cipher) = &self.ciphers[0];
        let mut nonce = [0; NONCE];
        self.entropy.fill(&mut nonce);
        let aad = self.aad(binding);
        let sealed = cipher.encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad: &aad });
        let sealed = sealed.expect("XChaCha20-Poly1305 takes 256 GB");
        [&[VERSION][..], id, &nonce, &sealed].concat()
    }

    pub fn open(&self, binding: Binding<'_>, sealed: &[u8]) -> Result<Vec<u8>, NotOurs> {
        let (head, body) = sealed.split_at_checked(HEAD).ok_or(NotOurs)?;
        if head[0] != VERSION {
            return Err(NotOurs);
        }
        let (_, cipher) = self.ciphers.iter().find(|(id, _)| id == &head[1..5]).ok_or(NotOurs)?;
        let aad = self.aad(binding);
        cipher
            .decrypt(XNonce::from_slice(&head[5..]), Payload { msg: body, aad: &aad })
            .map_err(|_| NotOurs)
    }

    fn aad(&self, binding: Binding<'_>) -> Vec<u8> {
        let from = binding.from.map(|seat| seat.to_string()).unwrap_or_default();
        let parts = [
            self.room.institution.as_str(),
            &self.room.visit.to_string(),
            &from,
            binding.session,
            &binding.cseq.to_string(),
            &binding.audience.to_string(),
            binding.kind,
        ];
        parts.iter().fold(Vec::with_capacity(192), |mut aad, part| {
            aad.extend_from_slice(&(part.len() as u64).to_be_bytes());
            aad.extend_from_slice(part.as_bytes());
            aad
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heliograph_access::Secret;
    use heliograph_domain::{UnixMillis, VisitId};

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    fn sealer(secret: u8, older: Option<u8>, institution: &str) -> Sealer {
        let secret_of = |byte| Secret::new(vec![byte; 32]).unwrap();
        let keys = Keys::new(secret_of(secret), older.map(secret_of).into_iter().collect());
        let visit = VisitId::from_parts(UnixMillis(1), &[1; 10]);
        let room = RoomKey {
            institution: institution.parse().unwrap(),
            visit,
        };
        Sealer::new(&keys, &room, Arc::new(Fixed(9)))
    }

    const AT: Binding<'static> = Binding {
        from: None,
        session: "session-1",
        cseq: 1,
        audience: Audience::All,
        kind: "chat",
    };

    #[test]
    fn what_is_sealed_opens_only_at_its_own_place() {
        let here = sealer(1, None, "cedar-street");
        let sealed = here.seal(AT, b"Maryam");
        assert_eq!(here.open(AT, &sealed).unwrap(), b"Maryam");
        assert!(!sealed.windows(6).any(|part| part == b"Maryam"));
        for other in [
            Binding {
                session: "session-2",
                ..AT
            },
            Binding { cseq: 2, ..AT },
            Binding {
                audience: Audience::Staff,
                ..AT
            },
            Binding { kind: "notice", ..AT },
            Binding {
                from: Some(ParticipantId::from_parts(UnixMillis(1), &[1; 10])),
                ..AT
            },
        ] {
            assert_eq!(here.open(other, &sealed), Err(NotOurs));
        }
        assert_eq!(sealer(1, None, "harbour-road").open(AT, &sealed), Err(NotOurs));
        for cut in [0, 1, HEAD, sealed.len() - 1] {
            assert_eq!(here.open(AT, &sealed[..cut]), Err(NotOurs));
        }
    }

    #[test]
    fn an_old_secret_opens_while_it_is_rotated_out() {
        let sealed = sealer(1, None, "cedar-street").seal(AT, b"x");
        assert!(sealer(2, Some(1), "cedar-street").open(AT, &sealed).is_ok());
        assert_eq!(sealer(2, None, "cedar-street").open(AT, &sealed), Err(NotOurs));
    }
}
