//! The description of an installation: where its services, databases and broker are.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use messaging::{Broker, BrokerError, BrokerOptions, JournalPublicKey, KeyError};
use postgres::{Database, DatabaseOptions};
use secrecy::SecretString;
use serde::Deserialize;

/// How long a connection that fails is tried again: in a cluster a pod is refused in its first second even where it is allowed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(250);

/// An installation, as the chart (or the demo) writes it down in TOML.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installation {
    /// The broker.
    pub broker: BrokerEntry,
    /// Folder of the content-addressed store, when it is on this machine.
    pub files: Option<PathBuf>,
    /// The services.
    #[serde(rename = "service")]
    pub services: Vec<ServiceEntry>,
}

/// The broker, with the names that the services' section `[broker]` has for the same.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerEntry {
    /// `nats://host:port` or `tls://host:port`.
    pub url: String,
    /// What is put before every subject and stream; usually nothing.
    #[serde(default)]
    pub subject_prefix: String,
    /// Credentials file (`.creds`) where the server asks for one.
    pub credentials_file: Option<PathBuf>,
    /// User, where the server asks for user and password.
    pub user: Option<String>,
    /// File with the user's password.
    pub password_file: Option<PathBuf>,
    /// File with the certificates (PEM) of the authority that signed the server's; wants a `tls://` address.
    pub authority_file: Option<PathBuf>,
}

/// One service of an installation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceEntry {
    /// Its name, `tasks` for instance.
    pub name: String,
    /// Address of `/livez` and `/readyz`, `http://host:port`.
    pub operations: String,
    /// Public keys that its journal may be signed with, hexadecimal.
    #[serde(default)]
    pub journal_public_keys: Vec<String>,
    /// File with further ones, one a line: the present key's and those of earlier keys.
    pub journal_public_keys_file: Option<PathBuf>,
    /// Its database; the console has none.
    pub database: Option<DatabaseEntry>,
}

/// A service's database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseEntry {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Name.
    pub name: String,
    /// Role.
    pub user: String,
    /// File with the role's password.
    pub password_file: PathBuf,
    /// File with the certificates of the authority that signed the server's; none where the connection is not encrypted.
    #[serde(default)]
    pub authority_file: Option<PathBuf>,
}

/// Why a description cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    /// A file cannot be read.
    #[error("cannot read {0}")]
    File(PathBuf, #[source] std::io::Error),
    /// The text is no description.
    #[error("{0} does not describe an installation")]
    Text(PathBuf, #[source] Box<toml::de::Error>),
    /// What it says of the broker does not go together.
    #[error("{zh} | {en}")]
    Broker {
        /// In Chinese.
        zh: &'static str,
        /// In English.
        en: &'static str,
    },
    /// The broker cannot be asked for a connection.
    #[error(transparent)]
    Client(#[from] BrokerError),
    /// The broker has not been reached in time.
    #[error("cannot connect to {0}: {1}")]
    Unreached(String, String),
    /// A public key of a journal cannot be read.
    #[error("a public key of {0} cannot be used")]
    Key(String, #[source] KeyError),
    /// A service is not in it.
    #[error("the installation has no service {0} with a database")]
    Unknown(String),
    /// A database cannot be reached.
    #[error("cannot connect to the database of {0}")]
    Database(String, #[source] sqlx::Error),
}

impl Installation {
    /// Reads a description.
    pub fn load(path: &Path) -> Result<Self, InstallationError> {
        let text = std::fs::read_to_string(path).map_err(|error| InstallationError::File(path.to_owned(), error))?;
        let installation: Self =
            toml::from_str(&text).map_err(|error| InstallationError::Text(path.to_owned(), Box::new(error)))?;
        installation.broker.validate()?;
        Ok(installation)
    }

    /// Reads every password and public key that the description names, and connects to nothing.
    pub fn read_secrets(&self) -> Result<(), InstallationError> {
        self.broker.options()?;
        for service in &self.services {
            service.journal_keys()?;
            if let Some(database) = &service.database {
                password(&database.password_file)?;
            }
        }
        Ok(())
    }

    /// The description as TOML, as [`Installation::load`] reads it.
    pub fn to_toml(&self) -> String {
        // Debug of a text is a TOML basic string for what stands here: paths, addresses, names.
        let mut out = String::new();
        write_file(&mut out, "files", self.files.as_deref());
        let broker = &self.broker;
        let _ = write!(out, "\n[broker]\nurl = {:?}\nsubject_prefix = {:?}\n", broker.url, broker.subject_prefix);
        if let Some(user) = &broker.user {
            let _ = writeln!(out, "user = {user:?}");
        }
        write_file(&mut out, "credentials_file", broker.credentials_file.as_deref());
        write_file(&mut out, "password_file", broker.password_file.as_deref());
        write_file(&mut out, "authority_file", broker.authority_file.as_deref());
        for service in &self.services {
            let _ = write!(
                out,
                "\n[[service]]\nname = {:?}\noperations = {:?}\njournal_public_keys = {:?}\n",
                service.name, service.operations, service.journal_public_keys
            );
            write_file(&mut out, "journal_public_keys_file", service.journal_public_keys_file.as_deref());
            if let Some(database) = &service.database {
                let _ = write!(
                    out,
                    "[service.database]\nhost = {:?}\nport = {}\nname = {:?}\nuser = {:?}\npassword_file = {:?}\n",
                    database.host,
                    database.port,
                    database.name,
                    database.user,
                    database.password_file.display().to_string()
                );
                write_file(&mut out, "authority_file", database.authority_file.as_deref());
            }
        }
        out
    }

    /// The services that keep a journal: all with a database.
    pub fn journals(&self) -> impl Iterator<Item = &ServiceEntry> {
        self.services.iter().filter(|service| service.database.is_some())
    }

    /// The named service, or every one with a journal for `all`.
    pub fn chosen(&self, name: &str) -> Result<Vec<&ServiceEntry>, InstallationError> {
        let chosen: Vec<_> = self.journals().filter(|service| name == "all" || service.name == name).collect();
        if chosen.is_empty() { Err(InstallationError::Unknown(name.to_owned())) } else { Ok(chosen) }
    }
}

fn write_file(out: &mut String, key: &str, file: Option<&Path>) {
    if let Some(file) = file {
        let _ = writeln!(out, "{key} = {:?}", file.display().to_string());
    }
}

impl BrokerEntry {
    /// Refuses what a service refuses in its own section.
    fn validate(&self) -> Result<(), InstallationError> {
        let fault = |zh, en| Err(InstallationError::Broker { zh, en });
        if self.authority_file.is_some() && !self.url.starts_with("tls://") {
            return fault(
                "broker.authority_file 只用于 tls:// 地址，请同时修改 broker.url",
                "broker.authority_file is for a tls:// address; change broker.url as well",
            );
        }
        if self.user.is_some() != self.password_file.is_some() {
            return fault(
                "broker.user 与 broker.password_file 必须同时给出",
                "broker.user and broker.password_file must be given together",
            );
        }
        if self.user.is_some() && self.credentials_file.is_some() {
            return fault(
                "broker.user 不能与 broker.credentials_file 同时给出",
                "broker.user must not be given beside broker.credentials_file",
            );
        }
        Ok(())
    }

    /// How to reach the broker, to look at it.
    fn options(&self) -> Result<BrokerOptions, InstallationError> {
        let user = match (&self.user, &self.password_file) {
            (Some(user), Some(file)) => Some((user.clone(), password(file)?)),
            _ => None,
        };
        Ok(BrokerOptions {
            url: self.url.clone(),
            prefix: self.subject_prefix.clone(),
            // For whoever makes streams; the tool makes none.
            replicas: 1,
            credentials_file: self.credentials_file.clone(),
            user,
            authority_file: self.authority_file.clone(),
            name: "dudao-tool".to_owned(),
        })
    }

    /// Connects and waits until the connection stands, as long as `limit`; says in words why it does not.
    pub async fn connect(&self, limit: Duration) -> Result<Broker, InstallationError> {
        let broker = Broker::connect(&self.options()?).await?;
        let stands = async {
            while !broker.is_connected() {
                tokio::time::sleep(PAUSE).await;
            }
        };
        if tokio::time::timeout(limit, stands).await.is_ok() {
            return Ok(broker);
        }
        let trouble = broker.trouble().unwrap_or_else(|| "no answer in time".to_owned());
        Err(InstallationError::Unreached(self.url.clone(), trouble))
    }
}

/// A password as its file holds it.
fn password(file: &Path) -> Result<SecretString, InstallationError> {
    let text = std::fs::read_to_string(file).map_err(|error| InstallationError::File(file.to_owned(), error))?;
    Ok(SecretString::from(text.trim_end().to_owned()))
}

/// Repeats what fails for a reason that may pass, as long as [`PATIENCE`] lasts.
pub(crate) async fn patiently<T, E, F: Future<Output = Result<T, E>>>(
    passes: impl Fn(&E) -> bool,
    attempt: impl Fn() -> F,
) -> Result<T, E> {
    let began = tokio::time::Instant::now();
    loop {
        match attempt().await {
            Err(error) if passes(&error) && began.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
            done => return done,
        }
    }
}

impl ServiceEntry {
    /// The public keys that its journal may be signed with.
    pub fn journal_keys(&self) -> Result<Vec<JournalPublicKey>, InstallationError> {
        let text = match &self.journal_public_keys_file {
            Some(file) => {
                std::fs::read_to_string(file).map_err(|error| InstallationError::File(file.clone(), error))?
            }
            None => String::new(),
        };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys = self.journal_public_keys.iter().map(String::as_str).chain(lines).map(JournalPublicKey::from_hex);
        keys.collect::<Result<_, _>>().map_err(|source| InstallationError::Key(self.name.clone(), source))
    }

    /// Connects to the service's database, as its role.
    pub async fn connect(&self) -> Result<Database, InstallationError> {
        let entry = self.database.as_ref().ok_or_else(|| InstallationError::Unknown(self.name.clone()))?;
        let options = DatabaseOptions {
            host: entry.host.clone(),
            port: entry.port,
            name: entry.name.clone(),
            user: entry.user.clone(),
            password: Some(password(&entry.password_file)?),
            authority_file: entry.authority_file.clone(),
            max_connections: 2,
            application_name: "dudao-tool".to_owned(),
        };
        patiently(postgres::is_transient, || Database::connect(&options))
            .await
            .map_err(|error| InstallationError::Database(self.name.clone(), error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Installation {
        let database = DatabaseEntry {
            host: "127.0.0.1".to_owned(),
            port: 5432,
            name: "tasks".to_owned(),
            user: "tasks".to_owned(),
            password_file: "/run/a folder/tasks.password".into(),
            authority_file: Some("/run/a folder/ca.crt".into()),
        };
        let service = |name: &str, database| ServiceEntry {
            name: name.to_owned(),
            operations: "http://127.0.0.1:1".to_owned(),
            journal_public_keys: vec!["ab".repeat(32)],
            journal_public_keys_file: Some("/etc/keys/a key.pub".into()),
            database,
        };
        Installation {
            broker: BrokerEntry {
                url: "tls://broker:4222".to_owned(),
                subject_prefix: "a".to_owned(),
                credentials_file: None,
                user: Some("dudao".to_owned()),
                password_file: Some("/run/a folder/broker.password".into()),
                authority_file: Some("/run/a folder/broker-ca.crt".into()),
            },
            files: Some("/data/files".into()),
            services: vec![service("tasks", Some(database)), service("console", None)],
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let text = sample().to_toml();
        let read: Installation = toml::from_str(&text).unwrap();
        assert_eq!(format!("{read:?}"), format!("{:?}", sample()));
    }

    #[test]
    fn the_console_keeps_no_journal() {
        let names: Vec<_> = sample().journals().map(|service| service.name.clone()).collect();
        assert_eq!(names, ["tasks"]);
        assert!(matches!(sample().chosen("console"), Err(InstallationError::Unknown(_))));
        assert_eq!(sample().chosen("all").unwrap().len(), 1);
    }

    #[test]
    fn a_broker_is_refused_as_a_service_refuses_it() {
        let refused = |change: fn(&mut BrokerEntry)| {
            let mut broker = sample().broker;
            change(&mut broker);
            broker.validate().unwrap_err().to_string()
        };
        assert!(sample().broker.validate().is_ok());
        assert!(refused(|broker| broker.url = "nats://broker:4222".to_owned()).contains("change broker.url"));
        assert!(refused(|broker| broker.user = None).contains("given together"));
        assert!(refused(|broker| broker.credentials_file = Some("/a".into())).contains("beside"));
    }

    #[test]
    fn keys_of_a_journal_stand_one_a_line() {
        let file = std::env::temp_dir().join(format!("dudao-journal-keys-{}", std::process::id()));
        let text = |keys: [&str; 2]| format!("{}\n\n{}\n", keys[0].repeat(32), keys[1].repeat(32));
        std::fs::write(&file, text(["cd", "ef"])).unwrap();
        let entry = ServiceEntry { journal_public_keys_file: Some(file.clone()), ..sample().services[0].clone() };
        let keys: Vec<_> = entry.journal_keys().unwrap().iter().map(JournalPublicKey::to_hex).collect();
        assert_eq!(keys, ["ab", "cd", "ef"].map(|byte| byte.repeat(32)));
        std::fs::write(&file, text(["cd", "no"])).unwrap();
        assert!(matches!(entry.journal_keys(), Err(InstallationError::Key(name, _)) if name == "tasks"));
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(entry.journal_keys(), Err(InstallationError::File(name, _)) if name == file));
    }
}
