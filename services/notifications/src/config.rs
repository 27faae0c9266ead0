//! What the service is told at start.

use std::{collections::HashSet, fmt::Write as _, net::IpAddr, path::PathBuf};

use lettre::message::Mailbox;
use serde::Deserialize;
use serde_json::Value;
use service_kit::config::{Common, Faults, SecretFile, Validate};

use crate::{delivery::SENDERS, language::Language, rules::Channel, signature::WebhookKey};

/// How the connection to the mail relay is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// Not at all: only for a relay on the same machine.
    None,
    /// Plain at first, then STARTTLS; a relay without it is refused.
    Starttls,
    /// TLS from the first byte.
    Implicit,
}

/// A mail relay.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is secured.
    pub tls: MailTls,
    /// Name to sign in with.
    #[serde(default)]
    pub user: Option<String>,
    /// File with the password.
    #[serde(default)]
    pub password_file: Option<SecretFile>,
    /// Most mails a minute that it takes from one process.
    #[serde(default)]
    pub per_minute: Option<u32>,
}

/// A gateway for short messages (短信网关).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsProvider {
    /// Name in the delivery states.
    pub name: String,
    /// Where messages are posted to.
    pub url: String,
    /// File with the token of the gateway, sent as `Authorization: Bearer …`.
    #[serde(default)]
    pub token_file: Option<SecretFile>,
    /// The JSON that it wants, with `{to}`, `{text}` and `{id}` inside strings.
    #[serde(default = "usual_body")]
    pub body: String,
    /// What its answer says when it took the message, beside a status of success.
    #[serde(default)]
    pub accepted: Option<AcceptedAnswer>,
    /// Most messages a minute that it takes from one process.
    #[serde(default = "usual_sms_rate")]
    pub per_minute: u32,
}

fn usual_body() -> String {
    r#"{"to":"{to}","text":"{text}","id":"{id}"}"#.to_owned()
}

fn usual_sms_rate() -> u32 {
    600
}

/// A member of an answer and its value.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedAnswer {
    /// JSON pointer (RFC 6901).
    pub pointer: String,
    /// The value, as text.
    pub value: String,
}

impl AcceptedAnswer {
    /// Whether the answer has it.
    pub fn holds(&self, answer: &Value) -> bool {
        match answer.pointer(&self.pointer) {
            Some(Value::String(text)) => *text == self.value,
            Some(other) => {
                let said = other.to_string();
                said == self.value
            }
            None => false,
        }
    }
}

impl SmsProvider {
    /// The body with its places filled; what is filled in cannot leave its string.
    pub fn filled(&self, to: &str, text: &str, id: &str) -> String {
        let inside = |value: &str| {
            let quoted = Value::from(value).to_string();
            quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned()
        };
        let mut filled = String::new();
        let mut rest = self.body.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let found = [("to}", to), ("text}", text), ("id}", id)]
                .into_iter()
                .find_map(|(place, value)| after.strip_prefix(place).map(|after| (after, value)));
            if let Some((after, value)) = found {
                filled.push_str(&inside(value));
                rest = after;
            } else {
                filled.push('{');
                rest = after;
            }
        }
        filled.push_str(rest);
        filled
    }
}

/// Another system of a unit, or the robot of one of its groups.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Name in the delivery states.
    pub name: String,
    /// `webhook`, `wecom` or `dingtalk`.
    pub channel: Channel,
    /// Key of the unit in the register.
    pub unit: String,
    /// Address, without any secret.
    pub url: String,
    /// File with the key of a robot (WeCom's `key`, DingTalk's `access_token`).
    #[serde(default)]
    pub key_file: Option<SecretFile>,
    /// Files with signing secrets: one, or two while the key of a webhook is being changed (the new one first); one of DingTalk.
    #[serde(default)]
    pub secret_files: Vec<SecretFile>,
    /// Most calls a minute from one process; robots take twenty.
    #[serde(default = "usual_robot_rate")]
    pub per_minute: u32,
    /// Language of its messages.
    #[serde(default)]
    pub language: Language,
    /// Its name may lead to an address of the own network; it must be on `outbound.allowed_hosts` all the same.
    #[serde(default)]
    pub allow_private_address: bool,
}

fn usual_robot_rate() -> u32 {
    20
}

impl Endpoint {
    /// The robot's key; empty when it has none.
    pub fn key(&self) -> &str {
        self.key_file.as_ref().map_or("", SecretFile::expose)
    }

    /// The address with a query.
    pub fn address(&self, query: &[(&str, &str)]) -> String {
        let mut address = self.url.clone();
        for (index, (name, value)) in query.iter().enumerate() {
            address.push(if index == 0 && !self.url.contains('?') { '?' } else { '&' });
            address.push_str(name);
            address.push('=');
            for byte in value.bytes() {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    address.push(char::from(byte));
                } else {
                    let _ = write!(address, "%{byte:02X}");
                }
            }
        }
        address
    }
}

service_kit::section! {
    /// `[channels]`: the ways out beside mail. Their hosts stand in `outbound.allowed_hosts`.
    pub struct ChannelsSection {
        /// Gateways for short messages, each the substitute of the one before.
        pub sms: Vec<SmsProvider> = Vec::new(),
        /// Other systems and groups.
        pub endpoints: Vec<Endpoint> = Vec::new(),
    }
}

service_kit::section! {
    /// `[receipts]`: one-time links.
    pub struct ReceiptsSection {
        /// File with the key that the links are derived from, at least 32 characters; without it no links are sent.
        pub link_key_file: Option<SecretFile> = None,
    }
}

service_kit::section! {
    /// `[rulebook]`: the policy as data.
    pub struct RulebookSection {
        /// The folder `rulebook/` with `notifications.toml`, the calendars and the province's rulebook.
        pub folder: PathBuf,
        /// Division code of the province.
        pub province: String,
    }
}

service_kit::section! {
    /// `[mail]`: the relay, and how patient we are with it.
    pub struct MailSection {
        /// Host name or address of the relay.
        pub host: String,
        /// Its port.
        pub port: u16,
        /// `none`, `starttls` or `implicit`.
        pub tls: MailTls,
        /// Name to sign in with; without it nobody signs in.
        pub user: Option<String> = None,
        /// File with the password.
        pub password_file: Option<SecretFile> = None,
        /// The sender, `Name <address>`.
        pub from: String,
        /// The domain of the Message-IDs.
        pub domain: String,
        /// Whom to ask when the system itself is in the way; printed in every message.
        pub support: String,
        /// Relays that take over when the first one fails, in their order.
        pub backups: Vec<Relay> = Vec::new(),
        /// Most mails a minute that the first relay takes from one process.
        pub per_minute: Option<u32> = None,
        /// Mails on their way at the same time; each holds a database connection.
        pub workers: usize = 2,
        /// Longest time for one mail, in seconds.
        pub timeout_seconds: u64 = 12,
        /// Pause after the first failure, in milliseconds; it doubles each time.
        pub first_pause_milliseconds: u64 = 5_000,
        /// Longest pause, in seconds.
        pub longest_pause_seconds: u64 = 3_600,
        /// Attempts before a delivery is given up: with the pauses of above four days and a half, on every channel.
        pub attempts: i32 = 120,
        /// Definite refusals before a delivery is given up.
        pub refusals: i32 = 3,
    }
}

service_kit::section! {
    /// `[links]`: where the messages point to.
    pub struct LinksSection {
        /// Address of the console, without a slash at the end.
        pub console: String,
    }
}

service_kit::config! {
    /// The configuration of the service.
    pub struct Config : Common {
        /// `[rulebook]`
        pub rulebook: RulebookSection,
        /// `[mail]`
        pub mail: MailSection,
        /// `[links]`
        pub links: LinksSection,
        /// `[channels]`
        pub channels: ChannelsSection,
        /// `[receipts]`
        pub receipts: ReceiptsSection
    }
}

impl MailSection {
    /// The first relay.
    pub fn relay(&self) -> Relay {
        Relay {
            host: self.host.clone(),
            port: self.port,
            tls: self.tls,
            user: self.user.clone(),
            password_file: self.password_file.clone(),
            per_minute: self.per_minute,
        }
    }
}

impl Relay {
    fn check(&self, key: &str, faults: &mut Faults) {
        let loopback = self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if self.tls == MailTls::None && !loopback {
            faults.add(&format!("{key}.tls"), "邮件服务器不在本机时必须加密", "a relay on another machine needs TLS");
        }
        if self.user.is_some() != self.password_file.is_some() {
            faults.add(
                &format!("{key}.password_file"),
                "user 与 password_file 必须同时给出",
                "user and password_file go together",
            );
        }
        if self.per_minute == Some(0) {
            faults.add(&format!("{key}.per_minute"), "必须大于 0", "must be above 0");
        }
    }
}

impl ChannelsSection {
    fn check(&self, faults: &mut Faults) {
        let mut names = HashSet::new();
        for provider in &self.sms {
            let key = format!("channels.sms.{}", provider.name);
            if !names.insert(provider.name.as_str()) {
                faults.add(&key, "名称重复", "the name stands twice");
            }
            if serde_json::from_str::<Value>(&provider.filled("0", "0", "0")).is_err() {
                faults.add(&format!("{key}.body"), "不是 JSON", "is no JSON");
            }
            if provider.per_minute == 0 {
                faults.add(&format!("{key}.per_minute"), "必须大于 0", "must be above 0");
            }
        }
        for endpoint in &self.endpoints {
            let key = format!("channels.endpoints.{}", endpoint.name);
            if !names.insert(endpoint.name.as_str()) {
                faults.add(&key, "名称重复", "the name stands twice");
            }
            let mut wrong = |part: &str, zh: &str, en: &str| faults.add(&format!("{key}.{part}"), zh, en);
            let secrets = endpoint.secret_files.len();
            match endpoint.channel {
                Channel::Webhook => {
                    let fit = endpoint.secret_files.iter().all(|key| WebhookKey::try_new(key.expose()).is_ok());
                    if !(1..=2).contains(&secrets) || !fit {
                        wrong(
                            "secret_files",
                            "需要一到两个 whsec_ 密钥",
                            "one or two keys of the form whsec_… are needed",
                        );
                    }
                }
                Channel::Wecom if endpoint.key_file.is_none() || secrets > 0 => {
                    wrong("key_file", "需要机器人密钥，且仅需密钥", "the robot's key is needed, and nothing else");
                }
                Channel::Dingtalk if endpoint.key_file.is_none() || secrets > 1 => {
                    wrong("key_file", "需要 access_token，至多一个加签密钥", "access_token and at most one secret");
                }
                Channel::Wecom | Channel::Dingtalk => {}
                Channel::InApp | Channel::Mail | Channel::Sms => {
                    wrong("channel", "只能是 webhook、wecom 或 dingtalk", "must be webhook, wecom or dingtalk");
                }
            }
            if endpoint.per_minute == 0 {
                wrong("per_minute", "必须大于 0", "must be above 0");
            }
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Faults) {
        let mail = &self.mail;
        mail.relay().check("mail", faults);
        for relay in &mail.backups {
            relay.check("mail.backups", faults);
        }
        self.channels.check(faults);
        if self.receipts.link_key_file.as_ref().is_some_and(|key| key.expose().len() < 32) {
            faults.add("receipts.link_key_file", "密钥至少 32 个字符", "the key needs at least 32 characters");
        }
        if mail.from.parse::<Mailbox>().is_err() {
            faults.add("mail.from", "不是正确的发件人地址", "not a mail address");
        }
        if mail.workers == 0 || mail.workers > SENDERS.len() {
            faults.add(
                "mail.workers",
                &format!("必须在 1 到 {} 之间", SENDERS.len()),
                &format!("must be between 1 and {}", SENDERS.len()),
            );
        }
        let connections = usize::try_from(self.common.database.max_connections).unwrap_or(usize::MAX);
        let endpoints: HashSet<Channel> = self.channels.endpoints.iter().map(|endpoint| endpoint.channel).collect();
        let senders = mail.workers.saturating_add(usize::from(!self.channels.sms.is_empty())) + endpoints.len();
        if connections < senders.saturating_add(4) {
            faults.add(
                "database.max_connections",
                "每个发送进程占用一个连接，另需至少 4 个",
                "each sender holds one connection; at least 4 more are needed",
            );
        }
        if mail.timeout_seconds == 0 || mail.attempts < 1 || mail.refusals < 1 {
            faults.add(
                "mail",
                "timeout_seconds、attempts 和 refusals 必须大于 0",
                "timeout_seconds, attempts and refusals must be above 0",
            );
        }
    }
}
