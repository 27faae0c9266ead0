//! What the service is told at start.

use std::{net::IpAddr, path::PathBuf};

use lettre::message::Mailbox;
use serde::Deserialize;
use service_kit::config::{Common, Faults, SecretFile, Validate};

use crate::delivery::SENDERS;

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
        /// Mails on their way at the same time; each holds a database connection.
        pub workers: usize = 2,
        /// Longest time for one mail, in seconds.
        pub timeout_seconds: u64 = 12,
        /// Pause after the first failure, in milliseconds; it doubles each time.
        pub first_pause_milliseconds: u64 = 5_000,
        /// Longest pause, in seconds.
        pub longest_pause_seconds: u64 = 1_800,
        /// Attempts before a mail is given up.
        pub attempts: i32 = 100,
        /// Definite refusals (5xx) before a mail is given up.
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
        pub links: LinksSection
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Faults) {
        let mail = &self.mail;
        let loopback = mail.host == "localhost" || mail.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if mail.tls == MailTls::None && !loopback {
            faults.add("mail.tls", "邮件服务器不在本机时必须加密", "a relay on another machine needs TLS");
        }
        if mail.user.is_some() != mail.password_file.is_some() {
            faults.add(
                "mail.password_file",
                "user 与 password_file 必须同时给出",
                "user and password_file go together",
            );
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
        if connections < mail.workers.saturating_add(4) {
            faults.add(
                "database.max_connections",
                "每个发信进程占用一个连接，另需至少 4 个",
                "each mail worker holds one connection; at least 4 more are needed",
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
