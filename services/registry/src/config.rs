//! What the service is told at start.

use std::path::PathBuf;

use service_kit::config::{Common, Faults, SecretFile, Validate};

use crate::import::FileLimits;
use crate::sign_in::Network;

service_kit::section! {
    /// `[tokens]`: signing of tokens.
    pub struct TokensSection {
        /// Private key (Ed25519, PKCS #8 PEM); the file's name without its ending is the key id. The public key must be
        /// among those of `[access] public_keys` of every service.
        pub private_key_file: PathBuf,
    }
}

service_kit::section! {
    /// `[sign_in]`: who may say where a request comes from.
    pub struct SignInSection {
        /// Addresses of the console and the gateway, whose `X-Forwarded-For` is believed: `10.0.0.10`, or the network that they
        /// get their addresses from, `10.42.0.0/16`.
        pub trusted_proxies: Vec<Network> = Vec::new(),
    }
}

service_kit::section! {
    /// `[import]`: limits of uploads.
    pub struct ImportSection {
        /// Largest file, in bytes; `http.max_body_bytes` must leave room for it.
        pub max_file_bytes: usize = 15 * 1024 * 1024,
        /// Most rows of one sheet.
        pub max_rows: u32 = 200_000,
    }
}

service_kit::section! {
    /// `[bootstrap]`: the first start.
    pub struct BootstrapSection {
        /// Login of the account that the installation makes for itself.
        pub login: String = "operator".to_owned(),
        /// Its name as shown.
        pub display_name: String = "系统初始管理员".to_owned(),
        /// File with its password; another one is taken over at the next start.
        pub password_file: SecretFile,
        /// Division code of the province (行政区划代码).
        pub province_code: String = "460000".to_owned(),
        /// Official name of the province.
        pub province_name: String = "海南省".to_owned(),
    }
}

service_kit::config! {
    /// The configuration of the service.
    pub struct Config : Common {
        /// `[tokens]`
        pub tokens: TokensSection,
        /// `[sign_in]`
        pub sign_in: SignInSection,
        /// `[import]`
        pub import: ImportSection,
        /// `[bootstrap]`
        pub bootstrap: BootstrapSection,
    }
}

impl Config {
    /// The limits of uploads.
    pub fn limits(&self) -> FileLimits {
        FileLimits { file_bytes: self.import.max_file_bytes, rows: self.import.max_rows, ..FileLimits::default() }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Faults) {
        if self.import.max_file_bytes.saturating_add(4096) > self.common.http.max_body_bytes {
            faults.add(
                "import.max_file_bytes",
                "加上表单本身不得超过 http.max_body_bytes",
                "together with the form around it, it must not exceed http.max_body_bytes",
            );
        }
        if self.import.max_rows == 0 {
            faults.add("import.max_rows", "必须大于 0", "must be above 0");
        }
        let login = &self.bootstrap.login;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
        if login.is_empty() || login.len() > 64 || !login.chars().all(plain) {
            faults.add(
                "bootstrap.login",
                "只能使用小写字母、数字和 . - _，最多 64 个字符",
                "small letters, digits and . - _ only, 64 characters at most",
            );
        }
        if let Err(error) = self.bootstrap.province_code.parse::<domain::code::DivisionCode>() {
            faults.add("bootstrap.province_code", &error.zh(), &error.en());
        }
        if self.bootstrap.province_name.trim().is_empty() {
            faults.add("bootstrap.province_name", "不能为空", "must not be empty");
        }
        let broken = crate::sign_in::broken_rules(self.bootstrap.password_file.expose(), login);
        for rule in broken {
            faults.add(
                "bootstrap.password_file",
                &format!("初始密码：{}", rule.zh),
                &format!("the initial password: {}", rule.en),
            );
        }
    }
}
