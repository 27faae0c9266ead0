//! Where a request comes from, and who may say so for others.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::extract::connect_info::MockConnectInfo;
use http::{Extensions, HeaderMap};

use ipnet::IpNet;
use serde::Deserialize;

/// One address (`10.0.0.10`) or a network (`10.42.0.0/16`), as in a cluster where every start brings another address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network(IpNet);

impl Network {
    /// Whether the address belongs to it.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        text.parse::<IpNet>().or(address).map(Self).map_err(|_| format!("{text} is neither an address nor a network"))
    }
}

/// The address behind a request: the peer's, or the one that a trusted proxy (the console, the gateway) passes on in
/// `X-Forwarded-For`. `None` when a trusted proxy says nothing, or nobody knows the peer (tests).
pub fn client_address(extensions: &Extensions, headers: &HeaderMap, trusted: &[Network]) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    // How tests say it, who have no connection.
    let peer = peer.or_else(|| extensions.get::<MockConnectInfo<SocketAddr>>().map(|info| info.0.ip()));
    let peer = peer?.to_canonical();
    if !trusted.iter().any(|network| network.contains(peer)) {
        return Some(peer);
    }
    // The last entry is the one that our own proxy wrote; those before it are hearsay.
    let header = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    let address = header.rsplit(',').next()?.trim().parse::<IpAddr>().ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_speaks_for_others_and_only_its_own_entry_counts() {
        let proxy = [network("10.0.0.0/8")];
        let address = |peer: &str, forwarded: &[&str]| {
            let mut extensions = Extensions::new();
            extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
            let mut headers = HeaderMap::new();
            for line in forwarded {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            client_address(&extensions, &headers, &proxy).map(|address| address.to_string()).unwrap_or_default()
        };
        assert_eq!(address("192.0.2.1", &["203.0.113.9"]), "192.0.2.1", "anybody may write a header");
        assert_eq!(address("10.1.1.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(address("::ffff:10.1.1.1", &["198.51.100.1, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(address("10.1.1.1", &["198.51.100.1", "::ffff:203.0.113.9"]), "203.0.113.9");
        assert_eq!(address("10.1.1.1", &[]), "");
        assert_eq!(address("10.1.1.1", &["unknown"]), "");
        assert_eq!(client_address(&Extensions::new(), &HeaderMap::new(), &proxy), None);
    }

    fn network(text: &str) -> Network {
        Network::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn an_address_is_a_network_of_one() {
        for (text, inside, outside) in [
            ("10.0.0.10", "10.0.0.10", "10.0.0.11"),
            ("10.42.0.0/16", "10.42.255.1", "10.43.0.1"),
            ("10.42.0.0/16", "::ffff:10.42.0.1", "::1"),
            ("::ffff:10.0.0.10", "10.0.0.10", "10.0.0.11"),
            ("fd00::/8", "fd12::1", "10.0.0.10"),
        ] {
            assert!(network(text).contains(inside.parse().unwrap()), "{inside} in {text}");
            assert!(!network(text).contains(outside.parse().unwrap()), "{outside} not in {text}");
        }
        for text in ["", "10.0.0", "10.0.0.0/33", "console"] {
            assert!(Network::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
