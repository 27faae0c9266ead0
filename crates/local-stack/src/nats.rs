//! A nats-server of our own, with JetStream on files.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Certificate, Error, Process, Program, Ready, StopSignal, folder, free_port};

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

/// A running server, listening on 127.0.0.1 only.
#[derive(Debug)]
pub struct Nats {
    process: Process,
    port: u16,
    data: PathBuf,
}

impl Nats {
    /// Starts the server on the folder's data and waits until it greets. `binary` is nats-server 2.10 or newer, `port` a
    /// free one when `None`, `node` its place in a cluster.
    pub async fn start(dir: &Path, binary: &Path, port: Option<u16>, node: Option<&NatsNode>) -> Result<Self, Error> {
        Self::run(dir, binary, port, node.map(NatsNode::arguments).unwrap_or_default()).await
    }

    /// The same with TLS, for clients that give user and password.
    pub async fn start_with_tls(
        dir: &Path,
        binary: &Path,
        certificate: &Certificate,
        user: &str,
        password: &str,
    ) -> Result<Self, Error> {
        folder::create_private(dir)?;
        let (chain, key) = certificate.write(dir, None)?;
        let (chain, key) = (chain.display().to_string(), key.display().to_string());
        let words = ["--tls", "--tlscert", &chain, "--tlskey", &key, "--user", user, "--pass", password];
        Self::run(dir, binary, None, words.map(str::to_owned).to_vec()).await
    }

    async fn run(dir: &Path, binary: &Path, port: Option<u16>, more: Vec<String>) -> Result<Self, Error> {
        folder::create_private(dir)?;
        let data = dir.join("data");
        let port = port.map_or_else(free_port, Ok)?;
        let ready = Ready::Nats(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let program = Program::new("nats", binary, dir.join("nats.log"), ready)
            .arguments(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"])
            .arguments([data.as_os_str()])
            .arguments(more)
            .stopped_by(StopSignal::Terminate, Duration::from_secs(15))
            .ready_within(Duration::from_secs(30))
            .patient();
        let process = Process::spawn(program)?;
        process.ready().await?;
        Ok(Self { process, port, data })
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
        match std::fs::remove_dir_all(&self.data) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::file("removing", &self.data)(error));
            }
            Ok(()) | Err(_) => {}
        }
        self.process.bring_up().await
    }
}
