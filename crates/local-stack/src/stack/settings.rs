//! What the author of a service's configuration file needs to know.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::{DatabaseAccess, SIMULATORS};

/// How services reach the broker.
#[derive(Debug, Clone)]
pub struct BrokerAccess {
    /// `nats://…`.
    pub url: String,
    /// User.
    pub user: String,
    /// File with the user's password, mode 600.
    pub password_file: PathBuf,
    /// How many copies each stream should have.
    pub copies: usize,
}

/// The facts of one process of the stack.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The process: the name of its program, too.
    pub name: String,
    /// Where its HTTP is to listen (`http.listen`).
    pub http: SocketAddr,
    /// A second address: of a service, where health and metrics are to listen (`http.operations_listen`); of the mail
    /// sink, where SMTP is to listen.
    pub second: SocketAddr,
    /// Its database; `None` for `documents`, the console and the simulators.
    pub database: Option<DatabaseAccess>,
    /// The broker.
    pub broker: BrokerAccess,
    /// The content-addressed store that all services share, as they would share an object store.
    pub files: PathBuf,
    /// A folder for itself alone.
    pub own_folder: PathBuf,
    /// The private key that signs its journal; exists when it has a database.
    pub journal_key: PathBuf,
    /// The public half.
    pub journal_public_key: PathBuf,
    /// The folder with the public keys of the token issuer, `<key id>.pem` each.
    pub token_public_keys: PathBuf,
    /// The private key that signs tokens, `<key id>.pem`; for the registry alone.
    pub token_key: PathBuf,
    /// Where every process's HTTP listens.
    pub addresses: BTreeMap<String, SocketAddr>,
    /// The second address of every process.
    pub second_addresses: BTreeMap<String, SocketAddr>,
}

impl Settings {
    /// Where `/readyz` is asked: a service's second address, a simulator's first.
    pub fn ready_at(&self) -> SocketAddr {
        if SIMULATORS.contains(&self.name.as_str()) { self.http } else { self.second }
    }

    /// `http://…` of another process of the stack; `None` when there is none of that name.
    pub fn base_url(&self, name: &str) -> Option<String> {
        self.addresses.get(name).map(|address| format!("http://{address}"))
    }
}
