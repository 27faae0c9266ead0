//! What the service is told at start.

use std::path::PathBuf;

use domain::code::{DivisionCode, DivisionShape};
use service_kit::config::{Common, Faults, SecretFile, Validate};

service_kit::section! {
    /// `[platform]`: the national platform (国家教育督导信息化管理平台).
    pub struct PlatformSection {
        /// Its address; `/v1/messages` is put behind it.
        pub base_url: String,
        /// File with the private key (Ed25519, PKCS#8 in hexadecimal) that signs what is sent.
        pub signing_key_file: SecretFile,
        /// Division code of the province that sends.
        pub province_code: String = "460000".to_owned(),
        /// Messages on their way at once.
        pub concurrency: u32 = 8,
        /// Pause after a first failure, in milliseconds; it doubles with each further one.
        pub first_delay_milliseconds: u64 = 500,
        /// Longest pause between two attempts, in seconds; a longer `Retry-After` of the platform is obeyed.
        pub longest_delay_seconds: u64 = 60,
        /// Failures in a row, over all messages, after which only one attempt at a time is made.
        pub breaker_failures: u32 = 5,
    }
}

service_kit::section! {
    /// `[documents]`: from what documents are made into plain text for the platform.
    pub struct DocumentsSection {
        /// Folder with a folder for each version of the templates (`documents` in the rulebook).
        pub templates: PathBuf,
        /// Address of the public portal, without a slash at the end: the same as the room that renders is told, so that both make
        /// the same text.
        pub portal: String = String::new(),
    }
}

service_kit::config! {
    /// The configuration of `exchange`.
    pub struct Config : Common {
        /// `[platform]`
        pub platform: PlatformSection,
        /// `[documents]`
        pub documents: DocumentsSection,
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Faults) {
        let platform = &self.platform;
        validate_address(&platform.base_url, &self.common.outbound.allowed_hosts, faults);
        let province = platform.province_code.parse::<DivisionCode>();
        if !province.is_ok_and(|code| code.shape() == DivisionShape::Province) {
            faults.add(
                "platform.province_code",
                "必须是省级行政区划代码，例如 460000",
                "must be the division code of a province, such as 460000",
            );
        }
        for (key, value) in [
            ("platform.concurrency", u64::from(platform.concurrency)),
            ("platform.first_delay_milliseconds", platform.first_delay_milliseconds),
            ("platform.longest_delay_seconds", platform.longest_delay_seconds),
            ("platform.breaker_failures", u64::from(platform.breaker_failures)),
        ] {
            if value == 0 {
                faults.add(key, "必须大于 0", "must be above 0");
            }
        }
        // Each message on its way holds a connection: the lock of its transaction is the only lease.
        let needed = platform.concurrency.saturating_add(4);
        if self.common.database.max_connections < needed {
            faults.add(
                "database.max_connections",
                &format!("至少需要 {needed} 个连接（platform.concurrency 加 4）"),
                &format!("at least {needed} connections are needed (platform.concurrency and 4)"),
            );
        }
    }
}

fn validate_address(base_url: &str, allowed: &[String], faults: &mut Faults) {
    let url = reqwest::Url::parse(base_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some((url, host)) = url.as_ref().and_then(|url| Some((url, url.host_str()?))) else {
        faults.add("platform.base_url", "必须是 http:// 或 https:// 地址", "must be an http:// or https:// address");
        return;
    };
    let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
    if !allowed.iter().any(|entry| entry.eq_ignore_ascii_case(host) || entry.eq_ignore_ascii_case(&with_port)) {
        faults.add(
            "outbound.allowed_hosts",
            &format!("缺少国家平台的地址 {with_port}"),
            &format!("the national platform's {with_port} is missing"),
        );
    }
}

#[cfg(test)]
mod tests {
    use service_kit::ids::{Ids as _, SystemIds};

    use super::*;

    fn example(change: impl Fn(String) -> String) -> Result<Config, Faults> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(folder.join("exchange.example.toml")).unwrap();
        let own = std::env::temp_dir().join(format!("dudao-exchange-{}", SystemIds.new_id()));
        std::fs::create_dir_all(&own).unwrap();
        let secret = own.join("secret");
        std::fs::write(&secret, "secret").unwrap();
        // The example names places of a real installation; the secrets must exist to be read.
        let mut text = change(text);
        for name in ["database", "journal", "platform"] {
            text = text.replace(&format!("/run/secrets/dudao/exchange-{name}"), &secret.display().to_string());
        }
        let file = own.join("exchange.toml");
        std::fs::write(&file, text).unwrap();
        let config = service_kit::config::load::<Config>(Some(&file), &[]);
        std::fs::remove_dir_all(&own).unwrap();
        config
    }

    #[test]
    fn the_example_is_a_configuration() {
        let config = example(|text| text).unwrap();
        assert_eq!(config.platform.concurrency, 8);
        assert_eq!(config.platform.base_url, "https://national-platform.example");
    }

    #[test]
    fn every_fault_is_named() {
        let faults = example(|text| {
            text.replace("max_connections = 16", "max_connections = 8")
                .replace("national-platform.example:443", "elsewhere.example")
                .replace("\"460000\"", "\"460100\"")
                .replace("breaker_failures = 5", "breaker_failures = 0")
        })
        .unwrap_err();
        let mut keys: Vec<&str> = faults.iter().map(|fault| fault.key.as_str()).collect();
        keys.sort_unstable();
        assert_eq!(
            keys,
            [
                "database.max_connections",
                "outbound.allowed_hosts",
                "platform.breaker_failures",
                "platform.province_code"
            ]
        );
    }
}
