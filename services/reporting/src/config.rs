//! What the service is told at start.

use service_kit::config::{Common, Faults, Validate};

service_kit::section! {
    /// `[links]`: where the ledger points to.
    pub struct LinksSection {
        /// Address of the public portal, without a slash at the end.
        pub portal: String,
    }
}

service_kit::config! {
    /// The configuration of `reporting`.
    pub struct Config : Common {
        /// `[links]`
        pub links: LinksSection,
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Faults) {
        let portal = &self.links.portal;
        if !(portal.starts_with("http://") || portal.starts_with("https://")) || portal.ends_with('/') {
            faults.add(
                "links.portal",
                "必须是 http:// 或 https:// 地址，末尾不带斜杠",
                "must be an http:// or https:// address without a slash at the end",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_configuration() {
        let config: Config = testkit::example_config(env!("CARGO_MANIFEST_DIR"), "reporting");
        assert_eq!(config.links.portal, "https://jiaoyududao.example");
    }
}
