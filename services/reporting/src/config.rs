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
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(folder.join("reporting.example.toml")).unwrap();
        // The example names places of a real installation; the secrets must exist to be read.
        let scratch = std::env::temp_dir().join("dudao-reporting-example");
        std::fs::create_dir_all(&scratch).unwrap();
        let secret = scratch.join("secret");
        std::fs::write(&secret, "secret").unwrap();
        let text = text
            .replace("/run/secrets/dudao/reporting-database", &secret.display().to_string())
            .replace("/run/secrets/dudao/reporting-journal", &secret.display().to_string());
        let file = scratch.join("reporting.toml");
        std::fs::write(&file, text).unwrap();
        let config = service_kit::config::load::<Config>(Some(&file), &[]).unwrap();
        assert_eq!(config.links.portal, "https://jiaoyududao.example");
    }
}
