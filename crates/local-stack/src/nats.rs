//! A nats-server of our own, with JetStream on files.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::{Certificate, Error, Process, Program, Ready, StopSignal, folder, free_port, secret, signal};

/// What a server must know to be one of a cluster.
#[derive(Debug, Clone)]
pub struct NatsNode {
    /// Its name, different from the others'.
    pub name: String,
    /// Port on 127.0.0.1 where the other servers reach it.
    pub route: u16,
    /// The route ports of all servers of the cluster.
    pub routes: Vec<u16>,
}

impl NatsNode {
    fn arguments(&self) -> Vec<String> {
        let address = |port: &u16| format!("nats://127.0.0.1:{port}");
        let routes: Vec<String> = self.routes.iter().filter(|port| **port != self.route).map(address).collect();
        let words = [
            "-n",
            &self.name,
            "-cluster_name",
            "dudao",
            "-cluster",
            &address(&self.route),
            "-routes",
            &routes.join(","),
        ];
        words.map(str::to_owned).to_vec()
    }
}

/// Somebody whom a server lets in.
#[derive(Clone, PartialEq, Eq)]
pub struct NatsUser {
    /// Name.
    pub name: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for NatsUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsUser").field("name", &self.name).field("password", &"[hidden]").finish()
    }
}

/// How a server starts.
#[derive(Debug, Clone)]
pub struct NatsOptions {
    /// Its port; a free one when `None`.
    pub port: Option<u16>,
    /// Its place in a cluster.
    pub node: Option<NatsNode>,
    /// With one, clients have to come by TLS.
    pub certificate: Option<Certificate>,
    /// Who may come in; nobody else may.
    pub users: Vec<NatsUser>,
}

impl NatsOptions {
    /// One server without TLS, for one user.
    pub fn new(name: &str, password: &str) -> Self {
        let user = NatsUser { name: name.to_owned(), password: password.to_owned() };
        Self { port: None, node: None, certificate: None, users: vec![user] }
    }
}

/// A running server, listening on 127.0.0.1 only.
#[derive(Debug)]
pub struct Nats {
    process: Process,
    port: u16,
    folder: PathBuf,
}

impl Nats {
    /// Starts the server on the folder's data and waits until it greets. `binary` is nats-server 2.10 or newer.
    pub async fn start(dir: &Path, binary: &Path, options: &NatsOptions) -> Result<Self, Error> {
        folder::create_private(dir)?;
        let port = options.port.map_or_else(free_port, Ok)?;
        // Not on the command line, which everybody on the machine can read.
        let users = users_file(dir);
        write_users(&users, &options.users)?;
        let ready = Ready::Nats(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let mut program = Program::new("nats", binary, dir.join("nats.log"), ready)
            .arguments(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"])
            .arguments([data_folder(dir).as_os_str(), "-c".as_ref(), users.as_os_str()])
            .arguments(options.node.as_ref().map(NatsNode::arguments).unwrap_or_default())
            .stopped_by(StopSignal::Terminate, Duration::from_secs(15))
            .ready_within(Duration::from_secs(30))
            .patient();
        if let Some(certificate) = &options.certificate {
            let (chain, key) = certificate.write(dir, None)?;
            program = program.arguments(["--tls", "--tlscert"]).arguments([
                chain.as_os_str(),
                "--tlskey".as_ref(),
                key.as_os_str(),
            ]);
        }
        let process = Process::spawn(program)?;
        process.ready().await?;
        Ok(Self { process, port, folder: dir.to_owned() })
    }

    /// Changes who may come in, without a restart. The server reads it a moment later, and then sends away whoever is in and may be
    /// no more.
    pub fn set_users(&self, users: &[NatsUser]) -> Result<(), Error> {
        write_users(&users_file(&self.folder), users)?;
        // One that is down reads it when it starts.
        if let Some(pid) = self.process.pid() {
            signal::reload(pid);
        }
        Ok(())
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process, to kill or restart it.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Shoots the server, wipes everything that it stored, and starts it again empty: streams, messages, consumers.
    pub async fn wipe(&self) -> Result<(), Error> {
        self.process.take_down().await;
        let data = data_folder(&self.folder);
        match std::fs::remove_dir_all(&data) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::file("removing", &data)(error));
            }
            Ok(()) | Err(_) => {}
        }
        self.process.bring_up().await
    }
}

fn data_folder(dir: &Path) -> PathBuf {
    dir.join("data")
}

fn users_file(dir: &Path) -> PathBuf {
    dir.join("users.conf")
}

/// The server's own form of configuration takes JSON, which quotes any name and password.
fn write_users(file: &Path, users: &[NatsUser]) -> Result<(), Error> {
    let users: Vec<_> = users.iter().map(|user| json!({ "user": user.name, "password": user.password })).collect();
    secret::write(file, &json!({ "authorization": { "users": users } }).to_string(), 0o600)
}
