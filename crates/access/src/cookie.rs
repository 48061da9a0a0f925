//! Cookie values: a device that redeemed a link, or a member of staff who signed in. The database keeps hashes only.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heliograph_domain::clock::Entropy;
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// 256 random bits as 43 characters of base64url. It never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct CookieValue(String);

/// SHA-256 of a cookie's value, as 43 characters of base64url: what the database keeps. A value of 256 random bits needs no salt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieHash(String);

impl CookieValue {
    /// A new value.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut random = [0; 32];
        entropy.fill(&mut random);
        Self(URL_SAFE_NO_PAD.encode(random))
    }

    /// The value, for the `Set-Cookie` header and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The hash of this value.
    pub fn hash(&self) -> CookieHash {
        CookieHash::of(&self.0)
    }
}

impl fmt::Debug for CookieValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieValue([hidden])")
    }
}

impl CookieHash {
    /// The hash of a value that a browser sent, whatever it is.
    pub fn of(value: &str) -> Self {
        Self(URL_SAFE_NO_PAD.encode(Sha256::digest(value)))
    }

    /// The text for the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text from the database is this hash, in constant time.
    pub fn matches(&self, stored: &str) -> bool {
        self.0.as_bytes().ct_eq(stored.as_bytes()).into()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    /// Fills every buffer with the next number.
    #[derive(Default)]
    pub(crate) struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    #[test]
    fn the_hash_tells_values_apart_and_the_value_never_prints() {
        let entropy = Counting::default();
        let (a, b) = (CookieValue::generate(&entropy), CookieValue::generate(&entropy));
        assert_eq!(a.reveal().len(), 43);
        assert!(a.hash().matches(CookieHash::of(a.reveal()).as_str()));
        assert!(!a.hash().matches(b.hash().as_str()));
        assert!(!a.hash().matches(""));
        assert!(!format!("{a:?}").contains(a.reveal()));
    }
}
