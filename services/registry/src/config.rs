//! What the service is told at start.

use std::path::PathBuf;

use service_kit::client::Network;
use service_kit::config::{Common, Faults, SecretFile, Validate};

use crate::import::FileLimits;

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

service_kit::section! {
    /// `[oidc]`: the government's sign-on (统一身份认证), beside the own accounts. Without this section there is none.
    pub struct OidcSection {
        /// Issuer, exactly as the provider calls itself; the only host that the service may ask.
        pub issuer: String,
        /// Name of this installation at the provider.
        pub client_id: String,
        /// File with its secret there.
        pub client_secret_file: SecretFile,
        /// Address of the console's page that the provider sends people back to: `https://…/sign-on/callback`.
        pub redirect_uri: String,
        /// Claim of the ID token that says who it is. It must never change for a person, nor pass on to another.
        pub subject_claim: String = "sub".to_owned(),
        /// Scopes beside `openid`, where the claim needs them.
        pub scopes: Vec<String> = Vec::new(),
        /// File with the certificates (PEM) of the authority that the provider's own is signed by, beside those of the system.
        pub authority_file: Option<PathBuf> = None,
        /// What people call it, in Simplified Chinese.
        pub name_zh_hans: String = "统一身份认证".to_owned(),
        /// In Traditional Chinese.
        pub name_zh_hant: String = "統一身份認證".to_owned(),
        /// In English.
        pub name_en: String = "single sign-on".to_owned(),
    }
}

service_kit::config! {
    /// The configuration of the service.
    pub struct Config : Common {
        /// `[tokens]`
        pub tokens: TokensSection,
        /// `[sign_in]`
        pub sign_in: SignInSection,
        /// `[oidc]`
        pub oidc: Option<OidcSection>,
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

/// HTTPS, but for a provider on the same machine.
fn check_address(faults: &mut Faults, key: &str, address: &str) {
    let fits = reqwest::Url::parse(address).is_ok_and(|url| {
        let here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        (url.scheme() == "https" || (url.scheme() == "http" && here))
            && url.query().is_none()
            && url.fragment().is_none()
    });
    if !fits {
        faults.add(
            key,
            "必须是 https:// 地址，且不含 ? 和 #（仅本机可用 http://）",
            "must be an https:// address without ? and # (http:// on this machine alone)",
        );
    }
}

fn validate_oidc(oidc: &OidcSection, faults: &mut Faults) {
    check_address(faults, "oidc.issuer", &oidc.issuer);
    check_address(faults, "oidc.redirect_uri", &oidc.redirect_uri);
    for (key, text) in [("oidc.client_id", &oidc.client_id), ("oidc.subject_claim", &oidc.subject_claim)] {
        if text.is_empty() {
            faults.add(key, "不能为空", "must not be empty");
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Faults) {
        self.oidc.iter().for_each(|oidc| validate_oidc(oidc, faults));
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
