//! Short-lived values that carry their own proof: `base64url(JSON) "." base64url(signature)`.

use crate::keys::{Keys, Use};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

/// Longer texts are refused unread.
const MAX_CHARS: usize = 1024;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Malformed,
    Forged,
}

pub(crate) fn seal<T: Serialize>(keys: &Keys, purpose: Use, value: &T) -> String {
    let body = URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).expect("plain fields always have a JSON form"));
    let mac = URL_SAFE_NO_PAD.encode(keys.sign(purpose, &[body.as_bytes()]));
    format!("{body}.{mac}")
}

/// Nothing of the text is interpreted before its signature was found to be ours.
pub(crate) fn open<T: DeserializeOwned>(keys: &Keys, purpose: Use, text: &str) -> Result<T, Refused> {
    if text.len() > MAX_CHARS {
        return Err(Refused::Malformed);
    }
    let (body, mac) = text.split_once('.').ok_or(Refused::Malformed)?;
    let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| Refused::Malformed)?;
    let json = URL_SAFE_NO_PAD.decode(body).map_err(|_| Refused::Malformed)?;
    if !keys.verify(purpose, &[body.as_bytes()], &mac) {
        return Err(Refused::Forged);
    }
    serde_json::from_slice(&json).map_err(|_| Refused::Malformed)
}
