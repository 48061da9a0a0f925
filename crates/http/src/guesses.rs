//! Limits guessing: only links and `hello`s that are wrong count and are ever refused, so that a hospital behind one address
//! never notices. Every one is looked at first, which is the same work for all, and a wrong one learns how long to wait.

use crate::Edge;
use crate::address::{client, masked};
use crate::problem::{Code, Problem};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Wrong links at once.
const BURST: u32 = 100;
/// One more is allowed after each of these.
const EVERY: Duration = Duration::from_secs(1);
/// Addresses that are remembered; those who guessed longest ago are forgotten first.
const ADDRESSES: usize = 10_000;
/// A household has at least these bits of an IPv6 address in common.
const HOUSEHOLD_BITS: u8 = 64;

/// Who guessed wrong lately.
#[derive(Clone, Default)]
pub struct Guesses(Arc<Mutex<HashMap<IpAddr, Instant>>>);

impl Guesses {
    /// An address showed something that is not ours. How long it must wait, if that was too often.
    pub(crate) fn guessed(&self, address: IpAddr) -> Option<Duration> {
        let now = Instant::now();
        let wait = self.wait(address, now);
        if wait.is_none() {
            self.wrong(address, now);
        }
        wait
    }

    /// How long an address must wait before it may try again.
    fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let paid = *self.lock().get(&household(address))?;
        paid.saturating_duration_since(now)
            .checked_sub(EVERY * (BURST - 1))
            .filter(|wait| !wait.is_zero())
    }

    fn wrong(&self, address: IpAddr, now: Instant) {
        let mut paid = self.lock();
        if paid.len() >= ADDRESSES {
            paid.retain(|_, paid| *paid > now);
            let oldest = paid.iter().min_by_key(|(_, paid)| **paid).map(|(address, _)| *address);
            if let Some(oldest) = oldest.filter(|_| paid.len() >= ADDRESSES) {
                paid.remove(&oldest);
            }
        }
        let until = paid.entry(household(address)).or_insert(now);
        *until = (*until).max(now) + EVERY;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn household(address: IpAddr) -> IpAddr {
    if address.is_ipv6() {
        masked(address, HOUSEHOLD_BITS)
    } else {
        address
    }
}

/// Around the routes that take links.
pub(crate) async fn limit(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let address = client(request.extensions(), request.headers(), &edge.proxies);
    let response = next.run(request).await;
    let code = response.extensions().get::<Problem>().map(Problem::code);
    if code != Some(Code::LinkUnknown) && code != Some(Code::Unauthorized) {
        return response;
    }
    edge.guesses.guessed(address).map_or(response, too_many)
}

fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs() + 1;
    let detail = format!("Too many links from your address were wrong. Try again in {seconds} s.");
    let mut response = Problem::new(Code::RateLimited, detail).into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn who_guesses_wrong_too_often_waits_and_others_do_not() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        let (bad, good) = (address("203.0.113.9"), address("203.0.113.10"));
        for _ in 0..BURST - 1 {
            guesses.wrong(bad, now);
            assert_eq!(guesses.wait(bad, now), None);
        }
        guesses.wrong(bad, now);
        assert_eq!(guesses.wait(bad, now), Some(EVERY));
        assert_eq!(guesses.wait(bad, now + EVERY), None);
        assert_eq!(guesses.wait(good, now), None);
    }

    #[test]
    fn a_household_counts_as_one_and_the_list_is_bounded() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        for host in 0..BURST {
            guesses.wrong(address(&format!("2001:db8::{host:x}")), now);
        }
        assert!(guesses.wait(address("2001:db8::ffff"), now).is_some());
        assert!(guesses.wait(address("2001:db8:0:1::1"), now).is_none());
        for host in 0..ADDRESSES + 10 {
            guesses.wrong(IpAddr::from(u32::try_from(host).unwrap().to_be_bytes()), now);
        }
        assert!(guesses.lock().len() <= ADDRESSES);
    }
}
