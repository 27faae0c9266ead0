//! What the service is told at start.

use std::path::PathBuf;

use service_kit::client::Network;
use service_kit::config::{Common, Faults, Validate};

service_kit::section! {
    /// `[rulebook]`: the policy as data.
    pub struct RulebookSection {
        /// Folder with `calendars/` and a folder for each province's rules.
        pub folder: PathBuf,
        /// Division code of the province.
        pub province: String = "460000".to_owned(),
    }
}

service_kit::section! {
    /// `[portal]`: what the public sees around the pages.
    pub struct PortalSection {
        /// Address of the portal, without a slash at the end.
        pub address: String,
        /// Title of the site.
        pub title: String = "海南省教育督导整改公开平台".to_owned(),
        /// Who runs it.
        pub operator: String = "海南省人民政府教育督导委员会办公室".to_owned(),
        /// Public keys (64 hexadecimal digits) of the room that renders documents: whose statements about files the page of
        /// verification believes. The present one, and those of before as long as their files are about.
        pub rendition_keys: Vec<String> = Vec::new(),
        /// Requests a second that one address may go on making to the portal, at each replica; 0 for no limit.
        pub requests_per_second: u32 = 10,
        /// Requests that it may make at once before that. Behind one address there may be a whole school.
        pub burst: u32 = 200,
        /// Addresses or networks of the gateway, whose `X-Forwarded-For` is believed.
        pub trusted_proxies: Vec<Network> = Vec::new(),
    }
}

service_kit::section! {
    /// `[standby]`: a standby of the database that the portal's pages may be read from. Without this section the writer answers.
    pub struct StandbySection {
        /// Host name or address; database, role, password and authority are those of `[database]`.
        pub host: String,
        /// Port.
        pub port: u16 = 5432,
        /// How far behind it may be, in seconds; what is older is read from the writer.
        pub max_lag_seconds: u64 = 10,
        /// Largest number of connections of one process.
        pub max_connections: u32 = 4,
    }
}

service_kit::config! {
    /// The configuration of `publication`.
    pub struct Config : Common {
        /// `[rulebook]`
        pub rulebook: RulebookSection,
        /// `[portal]`
        pub portal: PortalSection,
        /// `[standby]`
        pub standby: Option<StandbySection>,
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Faults) {
        let address = &self.portal.address;
        if !(address.starts_with("http://") || address.starts_with("https://")) || address.ends_with('/') {
            faults.add(
                "portal.address",
                "必须是 http:// 或 https:// 地址，末尾不带斜杠",
                "must be an http:// or https:// address without a slash at the end",
            );
        }
        if self.standby.as_ref().is_some_and(|standby| standby.max_lag_seconds < 3) {
            faults.add(
                "standby.max_lag_seconds",
                "至少 3 秒：滞后每秒测量一次",
                "at least 3 seconds: the lag is measured once a second",
            );
        }
        if self.portal.requests_per_second > 0 && self.portal.burst == 0 {
            faults.add("portal.burst", "必须大于 0", "must be above 0");
        }
        if self.portal.rendition_keys.iter().any(|key| messaging::JournalPublicKey::from_hex(key).is_err()) {
            faults.add(
                "portal.rendition_keys",
                "每个公钥必须是 64 位十六进制数",
                "every public key must be 64 hexadecimal digits",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_configuration() {
        let config: Config = testkit::example_config(env!("CARGO_MANIFEST_DIR"), "publication");
        assert_eq!(config.portal.address, "https://jiaoyududao.example");
        assert_eq!(config.rulebook.province, "460000");
        assert!(config.standby.is_none(), "the writer answers unless told otherwise");
    }
}
