//! The description of an installation: where its services, databases and broker are.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use postgres::{Database, DatabaseOptions};
use secrecy::SecretString;
use serde::Deserialize;

/// An installation, as an operator (or the demo) writes it down in TOML.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installation {
    /// The broker, `nats://host:port`.
    pub broker: String,
    /// What is put before every subject and stream; usually nothing.
    #[serde(default)]
    pub subject_prefix: String,
    /// Folder of the content-addressed store, when it is on this machine.
    pub files: Option<PathBuf>,
    /// The services.
    #[serde(rename = "service")]
    pub services: Vec<ServiceEntry>,
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
        toml::from_str(&text).map_err(|error| InstallationError::Text(path.to_owned(), Box::new(error)))
    }

    /// The description as TOML, as [`Installation::load`] reads it.
    pub fn to_toml(&self) -> String {
        // Debug of a text is a TOML basic string for what stands here: paths, addresses, names.
        let mut out = format!("broker = {:?}\nsubject_prefix = {:?}\n", self.broker, self.subject_prefix);
        if let Some(files) = &self.files {
            let _ = writeln!(out, "files = {:?}", files.display().to_string());
        }
        for service in &self.services {
            let _ = write!(
                out,
                "\n[[service]]\nname = {:?}\noperations = {:?}\njournal_public_keys = {:?}\n",
                service.name, service.operations, service.journal_public_keys
            );
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
                if let Some(file) = &database.authority_file {
                    let _ = writeln!(out, "authority_file = {:?}", file.display().to_string());
                }
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

impl ServiceEntry {
    /// Connects to the service's database, as its role.
    pub async fn connect(&self) -> Result<Database, InstallationError> {
        let entry = self.database.as_ref().ok_or_else(|| InstallationError::Unknown(self.name.clone()))?;
        let password = std::fs::read_to_string(&entry.password_file)
            .map_err(|error| InstallationError::File(entry.password_file.clone(), error))?;
        let options = DatabaseOptions {
            host: entry.host.clone(),
            port: entry.port,
            name: entry.name.clone(),
            user: entry.user.clone(),
            password: Some(SecretString::from(password.trim_end().to_owned())),
            authority_file: entry.authority_file.clone(),
            max_connections: 2,
            application_name: "dudao-tool".to_owned(),
        };
        Database::connect(&options).await.map_err(|error| InstallationError::Database(self.name.clone(), error))
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
            database,
        };
        Installation {
            broker: "nats://127.0.0.1:4222".to_owned(),
            subject_prefix: String::new(),
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
}
