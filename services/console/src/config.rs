//! What the console is told at start.

use service_kit::client::Network;
use service_kit::config::{Faults, SecretFile, StatelessCommon, Validate};

service_kit::section! {
    /// `[services]`: base addresses of the services, without a slash at the end.
    pub struct ServicesSection {
        /// `registry`
        pub registry: String,
        /// `tasks`
        pub tasks: String,
        /// `deadlines`
        pub deadlines: String,
        /// `notifications`
        pub notifications: String,
        /// `reporting`
        pub reporting: String,
        /// `publication`
        pub publication: String,
        /// `exchange`
        pub exchange: String,
        /// `documents`
        pub documents: String,
    }
}

impl ServicesSection {
    /// Every address with its key.
    pub fn all(&self) -> [(&'static str, &str); 8] {
        [
            ("services.registry", &self.registry),
            ("services.tasks", &self.tasks),
            ("services.deadlines", &self.deadlines),
            ("services.notifications", &self.notifications),
            ("services.reporting", &self.reporting),
            ("services.publication", &self.publication),
            ("services.exchange", &self.exchange),
            ("services.documents", &self.documents),
        ]
    }
}

service_kit::section! {
    /// `[session]`: the cookie that keeps the sign-in.
    pub struct SessionSection {
        /// File with the secret that the cookie is encrypted with, at least 32 characters; the same for every replica. While it is
        /// being changed, one a line: the first encrypts, each decrypts.
        pub key_file: SecretFile,
        /// Whether the cookie travels over HTTPS only. False only on a machine of one's own.
        pub secure_cookies: bool = true,
    }
}

service_kit::section! {
    /// `[gateway]`: what stands between browsers and the console.
    pub struct GatewaySection {
        /// Addresses or networks of the gateway, whose `X-Forwarded-For` is believed: the registry counts attempts to sign in by
        /// the person's address, which the console passes on.
        pub trusted_proxies: Vec<Network> = Vec::new(),
    }
}

service_kit::section! {
    /// `[links]`: addresses that pages point to.
    pub struct LinksSection {
        /// The public portal (公开门户), without a slash at the end.
        pub portal: String = String::new(),
    }
}

service_kit::config! {
    /// The configuration.
    pub struct Config : StatelessCommon {
        /// `[services]`
        pub services: ServicesSection,
        /// `[session]`
        pub session: SessionSection,
        /// `[gateway]`
        pub gateway: GatewaySection,
        /// `[links]`
        pub links: LinksSection,
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Faults) {
        for (key, address) in self.services.all() {
            check_address(faults, key, address);
        }
        if !self.links.portal.is_empty() {
            check_address(faults, "links.portal", &self.links.portal);
        }
        let short = |secret: &str| secret.len() < crate::session::SECRET_MINIMUM;
        let file = self.session.key_file.expose();
        if crate::session::secrets(file).any(short) || file.trim().is_empty() {
            faults.add("session.key_file", "每个密钥至少需要 32 个字符", "each secret needs at least 32 characters");
        }
    }
}

fn check_address(faults: &mut Faults, key: &str, address: &str) {
    let fits = reqwest::Url::parse(address)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none());
    if !fits {
        faults.add(key, "必须是 http:// 或 https:// 地址", "must be an http:// or https:// address");
    }
}
