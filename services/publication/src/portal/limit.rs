//! A limit for each address, so that one reader who asks without end leaves the portal to the others.
//!
//! A bucket for each address in memory, at each replica: what protects the whole installation belongs into the gateway. Only the
//! portal's pages are limited; probes and metrics are not among them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};
use http::header::{ACCEPT, CACHE_CONTROL, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use problem::{Problem, ProblemKind, Text};
use service_kit::client::{Network, client_address};
use tokio::time::Instant;

use crate::config::PortalSection;

/// Addresses that are remembered. A full memory is emptied: everybody begins anew, which forgives more than it should for a moment.
const MOST: usize = 50_000;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

/// The buckets.
#[derive(Debug)]
pub(super) struct Limiter {
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
    per_second: f64,
    burst: f64,
    trusted: Vec<Network>,
}

impl Limiter {
    /// A limiter; `None` where there is no limit.
    pub(super) fn of(site: &PortalSection) -> Option<Arc<Self>> {
        (site.requests_per_second > 0).then(|| {
            Arc::new(Self {
                buckets: Mutex::default(),
                per_second: f64::from(site.requests_per_second),
                burst: f64::from(site.burst),
                trusted: site.trusted_proxies.clone(),
            })
        })
    }

    /// Takes one request of an address; how long it has to wait when it has none left.
    fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let key = whose(address);
        if buckets.len() >= MOST && !buckets.contains_key(&key) {
            buckets.clear();
        }
        let bucket = buckets.entry(key).or_insert(Bucket { left: self.burst, at: now });
        let since = now.duration_since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + since * self.per_second).min(self.burst);
        bucket.at = now;
        if bucket.left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.left) / self.per_second));
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

/// A household or an office has a whole network of IPv6 addresses (/64).
fn whose(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

/// Lets a request through, or answers 429. Whose address nobody knows is let through: it came past the gateway.
pub(super) async fn limit(State(limiter): State<Arc<Limiter>>, request: Request, next: Next) -> Response {
    let address = client_address(request.extensions(), request.headers(), &limiter.trusted);
    match address.map_or(Ok(()), |address| limiter.take(address, Instant::now())) {
        Ok(()) => next.run(request).await,
        Err(wait) => refused(request.headers(), wait),
    }
}

/// A page for people in the portal's three languages, a problem for programs.
fn refused(headers: &HeaderMap, wait: Duration) -> Response {
    let seconds = wait.as_secs() + 1;
    let for_people =
        headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"));
    let mut response = if for_people {
        let page = format!(
            "<!doctype html><html lang=\"zh-Hans\"><meta charset=\"utf-8\"><title>请求过于频繁</title>\
             <p>请求过于频繁，请在 {seconds} 秒后重试。</p>\
             <p lang=\"zh-Hant\">請求過於頻繁，請在 {seconds} 秒後重試。</p>\
             <p lang=\"en\">Too many requests; try again in {seconds} seconds.</p></html>"
        );
        (StatusCode::TOO_MANY_REQUESTS, Html(page)).into_response()
    } else {
        let detail = Text::new(
            format!("请求过于频繁，请在 {seconds} 秒后重试。（請求過於頻繁，請在 {seconds} 秒後重試。）"),
            format!("Too many requests from this address; try again in {seconds} seconds."),
        );
        Problem::new(ProblemKind::TooManyRequests, detail).into_response()
    };
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter() -> Limiter {
        Limiter { buckets: Mutex::default(), per_second: 2.0, burst: 3.0, trusted: Vec::new() }
    }

    #[test]
    fn an_address_that_has_used_up_its_requests_waits_and_no_other() {
        let limiter = limiter();
        let began = Instant::now();
        let [one, other] = ["203.0.113.1", "203.0.113.2"].map(|text| text.parse::<IpAddr>().unwrap());
        for _ in 0..3 {
            limiter.take(one, began).unwrap();
        }
        assert_eq!(limiter.take(one, began), Err(Duration::from_millis(500)));
        limiter.take(other, began).unwrap();
        let later = began + Duration::from_millis(500);
        limiter.take(one, later).unwrap();
        assert!(limiter.take(one, later).is_err());
        let much_later = began + Duration::from_mins(5);
        for _ in 0..3 {
            limiter.take(one, much_later).unwrap();
        }
        assert!(limiter.take(one, much_later).is_err(), "a bucket is never fuller than full");
    }

    #[test]
    fn a_network_of_ipv6_is_one_reader() {
        let address = |text: &str| whose(text.parse().unwrap());
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
    }

    #[test]
    fn the_memory_is_bounded() {
        let limiter = limiter();
        let now = Instant::now();
        for n in 0..u32::try_from(MOST).unwrap() + 10 {
            limiter.take(IpAddr::V4(n.into()), now).unwrap();
        }
        assert!(limiter.buckets.lock().unwrap().len() <= MOST);
    }
}
