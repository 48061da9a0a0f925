//! `/api/v1/links`: what patients, guests and interpreters come in by. Both ways are POST, so that a scanner of mails or a
//! preview, which only GET, changes nothing.

pub(crate) mod peek;
pub(crate) mod redeem;

use serde::Deserialize;
use utoipa::ToSchema;

/// A visit link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkToken {
    /// What follows `/v/#` in the link.
    token: String,
}
