//! Free ports.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Error;

/// Below the range that the kernel gives to outgoing connections (from 32768 on), so that none of those can take the
/// port between our look and the server's start.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// A port of 127.0.0.1 that nobody listens on. Two calls in one process never give the same one.
pub fn free_port() -> Result<u16, Error> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Processes that look at the same time begin at different places.
    let offset = std::process::id().wrapping_mul(97);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let candidate = FIRST + offset.wrapping_add(step) % COUNT;
        if let Ok(port) = u16::try_from(candidate)
            && is_free(port)
        {
            return Ok(port);
        }
    }
    Err(Error::NoPort)
}

/// True when nobody listens on the port of 127.0.0.1.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_not_given_and_none_twice() {
        let first = free_port().unwrap();
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        assert!(!is_free(first));
        let others: std::collections::BTreeSet<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        assert_eq!(others.len(), 50);
        assert!(!others.contains(&first));
        drop(held);
        assert!(is_free(first));
    }
}
