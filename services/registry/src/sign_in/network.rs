//! Who may say where a request comes from.

use std::net::IpAddr;

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

#[cfg(test)]
mod tests {
    use super::*;

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
