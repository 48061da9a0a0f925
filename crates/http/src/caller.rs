//! Who is calling: a member of staff by a session, a device by the links that it redeemed. Both come in cookies.

use crate::Edge;
use crate::problem::{Code, Problem};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use heliograph_app::Caller;
use heliograph_app::links::DeviceCookies;
use heliograph_domain::ParticipantId;
use std::convert::Infallible;

const STAFF: &str = "__Host-hg_staff";
/// A participant's id follows.
const DEVICE: &str = "__Host-hg_";

/// A member of staff; else 401.
pub(crate) struct Staff(pub(crate) Caller);

/// A member of staff, or nobody.
pub(crate) struct MaybeStaff(pub(crate) Option<Caller>);

/// The value of the session's cookie, whoever it belongs to.
pub(crate) struct StaffCookie(pub(crate) Option<String>);

/// The cookies of links that this device may have redeemed.
pub(crate) struct Devices(pub(crate) DeviceCookies);

impl FromRequestParts<Edge> for Staff {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Problem> {
        let MaybeStaff(caller) = MaybeStaff::from_request_parts(parts, edge).await?;
        let detail = "Sign in by opening your sign-in link.";
        caller
            .map(Staff)
            .ok_or_else(|| Problem::new(Code::Unauthorized, detail))
    }
}

impl FromRequestParts<Edge> for MaybeStaff {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Problem> {
        let Some(cookie) = staff_cookie(&parts.headers) else {
            return Ok(MaybeStaff(None));
        };
        let caller = heliograph_app::staff::session(&edge.app, cookie).await;
        caller.map(MaybeStaff).map_err(|error| Problem::of(&error))
    }
}

impl<S: Sync> FromRequestParts<S> for StaffCookie {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(StaffCookie(staff_cookie(&parts.headers).map(str::to_owned)))
    }
}

impl<S: Sync> FromRequestParts<S> for Devices {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let device = |(name, value): (&str, &str)| Some((name.strip_prefix(DEVICE)?.parse().ok()?, value.to_owned()));
        Ok(Devices(cookies(&parts.headers).filter_map(device).collect()))
    }
}

fn staff_cookie(headers: &HeaderMap) -> Option<&str> {
    cookies(headers)
        .find(|(name, _)| *name == STAFF)
        .map(|(_, value)| value)
}

/// Names and values (RFC 6265 section 5.4).
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

/// Keeps a session on this browser for so many seconds; none takes it away.
pub(crate) fn set_staff(value: &str, seconds: i64) -> HeaderValue {
    set(STAFF, value, seconds)
}

/// Binds a participant's link to this device.
pub(crate) fn set_device(participant: ParticipantId, value: &str) -> HeaderValue {
    /// The server judges how long a link is good; a cookie only must not be lost before.
    const HALF_A_YEAR_S: i64 = 180 * 86_400;
    set(&format!("{DEVICE}{participant}"), value, HALF_A_YEAR_S)
}

fn set(name: &str, value: &str, seconds: i64) -> HeaderValue {
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict");
    let mut header = HeaderValue::from_str(&text).expect("names and values are ours and plain ASCII");
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    #[tokio::test]
    async fn cookies_of_devices_are_told_by_their_names() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let line = format!("other=1; {DEVICE}{id}=abc=; {STAFF}=cedar.xyz;{DEVICE}no-id=x");
        let (mut parts, ()) = Request::builder().header("cookie", line).body(()).unwrap().into_parts();
        let Devices(devices) = Devices::from_request_parts(&mut parts, &()).await.unwrap();
        assert_eq!(devices, DeviceCookies::from([(id.parse().unwrap(), "abc=".to_owned())]));
        let StaffCookie(staff) = StaffCookie::from_request_parts(&mut parts, &()).await.unwrap();
        assert_eq!(staff.as_deref(), Some("cedar.xyz"));
    }

    #[test]
    fn cookies_are_for_this_host_and_for_no_script() {
        let id: ParticipantId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        assert_eq!(
            set_device(id, "v").to_str().unwrap(),
            "__Host-hg_01890a5d-ac96-774b-bcce-b302099a8057=v; Path=/; Max-Age=15552000; HttpOnly; Secure; SameSite=Strict"
        );
    }
}
