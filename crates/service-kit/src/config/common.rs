//! The sections that services share.

use std::net::SocketAddr;
use std::path::PathBuf;

use postgres::DatabaseOptions;
use secrecy::SecretString;
use serde::Deserialize;

use super::SecretFile;
use super::faults::Faults;
use super::reader::{ConfigGroup, RootReader};

/// Form of the log lines on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// One readable line, for a developer's terminal.
    Text,
}

crate::section! {
    /// `[http]`: the listener.
    pub struct HttpSection {
        /// Address and port to listen on; port 0 takes a free one.
        pub listen: SocketAddr,
        /// Address of a second listener for `/livez`, `/readyz` and `/metrics`; without it they are on the first.
        pub operations_listen: Option<SocketAddr> = None,
        /// Largest request body, in bytes.
        pub max_body_bytes: usize = 16 * 1024 * 1024,
        /// Longest time for one request, in seconds.
        pub request_timeout_seconds: u64 = 60,
        /// Longest time that running requests get at shutdown, in seconds.
        pub drain_seconds: u64 = 20,
    }
}

crate::section! {
    /// `[database]`: the service's own PostgreSQL database.
    pub struct DatabaseSection {
        /// Host name or address.
        pub host: String,
        /// Port.
        pub port: u16 = 5432,
        /// Name of the database.
        pub name: String,
        /// Role.
        pub user: String,
        /// File with the role's password.
        pub password_file: SecretFile,
        /// File with the certificates (PEM) of the authority that signed the server's. With it the connection is encrypted, and the
        /// server must prove to be `host` (sslmode verify-full).
        pub authority_file: Option<PathBuf> = None,
        /// Largest number of connections of one process.
        pub max_connections: u32 = 8,
    }
}

impl DatabaseSection {
    /// How to reach it; `application_name` is what the server shows.
    pub fn options(&self, application_name: &str) -> DatabaseOptions {
        DatabaseOptions {
            host: self.host.clone(),
            port: self.port,
            name: self.name.clone(),
            user: self.user.clone(),
            password: Some(SecretString::from(self.password_file.expose().to_owned())),
            authority_file: self.authority_file.clone(),
            max_connections: self.max_connections,
            application_name: application_name.to_owned(),
        }
    }
}

crate::section! {
    /// `[broker]`: NATS with JetStream.
    pub struct BrokerSection {
        /// `nats://host:port` or `tls://host:port`.
        pub url: String,
        /// Put before every subject, stream and durable; lets installations (and tests) share a server. May be empty.
        pub subject_prefix: String = String::new(),
        /// Copies of each stream; 3 in a cluster of brokers.
        pub replicas: usize = 1,
        /// Credentials file (`.creds`) where the server asks for one.
        pub credentials_file: Option<PathBuf> = None,
        /// User, where the server asks for user and password.
        pub user: Option<String> = None,
        /// File with the user's password.
        pub password_file: Option<SecretFile> = None,
        /// File with the certificates (PEM) of the authority that signed the server's; wants a `tls://` address.
        pub authority_file: Option<PathBuf> = None,
    }
}

crate::section! {
    /// `[telemetry]`: logs and traces.
    pub struct TelemetrySection {
        /// Base address of an OTLP/HTTP collector (`http://collector:4318`); without it no traces leave the process.
        pub otlp_endpoint: Option<String> = None,
        /// Share of new traces that are recorded, 0 to 1.
        pub trace_ratio: f64 = 1.0,
        /// Filter in the form of `RUST_LOG` (`info`, `info,tasks=debug`).
        pub log_level: String = "info".to_owned(),
        /// `json` or `text`.
        pub log_format: LogFormat = LogFormat::Json,
    }
}

crate::section! {
    /// `[access]`: whose tokens are believed.
    pub struct AccessSection {
        /// File or folder with the public keys of the token issuer.
        pub public_keys: PathBuf,
    }
}

crate::section! {
    /// `[journal]`: the audit chain.
    pub struct JournalSection {
        /// File with the private key (Ed25519, PKCS#8 in hexadecimal) that signs the batches of the journal.
        pub signing_key_file: SecretFile,
        /// Public keys (hexadecimal) of earlier signing keys that verification still believes.
        pub earlier_public_keys: Vec<String> = Vec::new(),
    }
}

crate::section! {
    /// `[files]`: evidence and documents, in a folder or in a bucket of an object store (S3).
    pub struct FilesSection {
        /// Folder of the content-addressed store; replicas must share it.
        pub folder: Option<PathBuf> = None,
        /// Bucket, instead of a folder.
        pub bucket: Option<String> = None,
        /// Address of the object store, `https://host:port`.
        pub endpoint: Option<String> = None,
        /// Its region, where it wants a certain one.
        pub region: String = "us-east-1".to_owned(),
        /// File with the access key's id.
        pub access_key_id_file: Option<SecretFile> = None,
        /// File with the secret access key.
        pub secret_access_key_file: Option<SecretFile> = None,
        /// File with the certificates (PEM) of the authority that the store's own is signed by, beside those of the system.
        pub authority_file: Option<PathBuf> = None,
    }
}

crate::section! {
    /// `[clock]`: the legal clock.
    pub struct ClockSection {
        /// Whether a moved clock (rehearsal, tests) is accepted. Never in production.
        pub allow_rehearsal: bool = false,
    }
}

crate::section! {
    /// `[outbound]`: where the process may send HTTP requests.
    pub struct OutboundSection {
        /// `host` or `host:port`; everything else is refused.
        pub allowed_hosts: Vec<String> = Vec::new(),
        /// Whether a name on the list may resolve to a private or loopback address.
        pub allow_private_addresses: bool = false,
        /// Longest time to connect, in seconds.
        pub connect_timeout_seconds: u64 = 5,
        /// Longest time for a whole request, in seconds.
        pub timeout_seconds: u64 = 20,
    }
}

/// The sections of a service with a database.
#[derive(Debug, Clone)]
pub struct Common {
    /// `[http]`
    pub http: HttpSection,
    /// `[database]`
    pub database: DatabaseSection,
    /// `[broker]`
    pub broker: BrokerSection,
    /// `[telemetry]`
    pub telemetry: TelemetrySection,
    /// `[access]`
    pub access: AccessSection,
    /// `[journal]`
    pub journal: JournalSection,
    /// `[files]`
    pub files: FilesSection,
    /// `[clock]`
    pub clock: ClockSection,
    /// `[outbound]`
    pub outbound: OutboundSection,
}

impl ConfigGroup for Common {
    fn read(root: &mut RootReader) -> Option<Self> {
        let http = root.section("http");
        let database = root.section("database");
        let broker = root.section("broker");
        let telemetry = root.section("telemetry");
        let access = root.section("access");
        let journal = root.section("journal");
        let files = root.section("files");
        let clock = root.section("clock");
        let outbound = root.section("outbound");
        root.check(|faults| {
            http.iter().for_each(|section| validate_http(section, faults));
            telemetry.iter().for_each(|section| validate_telemetry(section, faults));
            database.iter().for_each(|section| validate_database(section, faults));
            broker.iter().for_each(|section| validate_broker(section, faults));
            files.iter().for_each(|section| validate_files(section, faults));
        });
        Some(Self {
            http: http?,
            database: database?,
            broker: broker?,
            telemetry: telemetry?,
            access: access?,
            journal: journal?,
            files: files?,
            clock: clock?,
            outbound: outbound?,
        })
    }
}

fn validate_database(database: &DatabaseSection, faults: &mut Faults) {
    if database.max_connections < 3 {
        faults.add(
            "database.max_connections",
            "至少需要 3 个连接：中继占一个，消费者和请求各需要一个",
            "at least 3 connections are needed: one for the relay, one for consumers, one for requests",
        );
    }
}

fn validate_broker(broker: &BrokerSection, faults: &mut Faults) {
    if !(broker.url.starts_with("nats://") || broker.url.starts_with("tls://")) {
        faults.add("broker.url", "地址必须以 nats:// 或 tls:// 开头", "the address must begin with nats:// or tls://");
    }
    if broker.authority_file.is_some() && !broker.url.starts_with("tls://") {
        faults.add(
            "broker.authority_file",
            "只用于 tls:// 地址，请同时修改 broker.url",
            "is for a tls:// address; change broker.url as well",
        );
    }
    if broker.user.is_some() != broker.password_file.is_some() {
        faults.add(
            "broker.user",
            "user 与 password_file 必须同时给出",
            "user and password_file must be given together",
        );
    }
    if broker.user.is_some() && broker.credentials_file.is_some() {
        faults.add("broker.user", "不能与 credentials_file 同时给出", "must not be given beside credentials_file");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !broker.subject_prefix.chars().all(plain) {
        faults.add(
            "broker.subject_prefix",
            "只能使用字母、数字、下划线和连字符",
            "letters, digits, underscore and hyphen only",
        );
    }
}

fn validate_files(files: &FilesSection, faults: &mut Faults) {
    if files.folder.is_some() == files.bucket.is_some() {
        faults.add("files", "folder 与 bucket 必须且只能给出一个", "either folder or bucket must be given, not both");
    }
    let whole =
        files.endpoint.is_some() && files.access_key_id_file.is_some() && files.secret_access_key_file.is_some();
    if files.bucket.is_some() && !whole {
        faults.add(
            "files.bucket",
            "还需要 endpoint、access_key_id_file 和 secret_access_key_file",
            "endpoint, access_key_id_file and secret_access_key_file are needed as well",
        );
    }
    let address = |text: &String| text.starts_with("http://") || text.starts_with("https://");
    if !files.endpoint.iter().all(address) {
        faults.add("files.endpoint", "必须是 http:// 或 https:// 地址", "must be an http:// or https:// address");
    }
}

/// The sections of a process without a database and broker (the console).
#[derive(Debug, Clone)]
pub struct StatelessCommon {
    /// `[http]`
    pub http: HttpSection,
    /// `[telemetry]`
    pub telemetry: TelemetrySection,
    /// `[outbound]`
    pub outbound: OutboundSection,
}

impl ConfigGroup for StatelessCommon {
    fn read(root: &mut RootReader) -> Option<Self> {
        let http = root.section("http");
        let telemetry = root.section("telemetry");
        let outbound = root.section("outbound");
        root.check(|faults| {
            http.iter().for_each(|section| validate_http(section, faults));
            telemetry.iter().for_each(|section| validate_telemetry(section, faults));
        });
        Some(Self { http: http?, telemetry: telemetry?, outbound: outbound? })
    }
}

fn validate_http(http: &HttpSection, faults: &mut Faults) {
    if http.max_body_bytes == 0 {
        faults.add("http.max_body_bytes", "必须大于 0", "must be above 0");
    }
    if http.request_timeout_seconds == 0 {
        faults.add("http.request_timeout_seconds", "必须大于 0", "must be above 0");
    }
    if http.listen.port() != 0 && http.operations_listen == Some(http.listen) {
        faults.add("http.operations_listen", "不能与 http.listen 相同", "must differ from http.listen");
    }
}

fn validate_telemetry(telemetry: &TelemetrySection, faults: &mut Faults) {
    if !(0.0..=1.0).contains(&telemetry.trace_ratio) {
        faults.add("telemetry.trace_ratio", "必须在 0 与 1 之间", "must be between 0 and 1");
    }
    if let Some(endpoint) = &telemetry.otlp_endpoint
        && !(endpoint.starts_with("http://") || endpoint.starts_with("https://"))
    {
        faults.add(
            "telemetry.otlp_endpoint",
            "必须是 http:// 或 https:// 地址",
            "must be an http:// or https:// address",
        );
    }
    if let Err(error) = tracing_subscriber::EnvFilter::try_new(&telemetry.log_level) {
        faults.add("telemetry.log_level", &format!("日志级别不正确：{error}"), &format!("not a log filter: {error}"));
    }
}
