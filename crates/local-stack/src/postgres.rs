//! A PostgreSQL server of our own.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::process::Command;

use crate::folder::{self, RunAs};
use crate::{Error, Process, Program, Ready, StopSignal, free_port, secret};

/// How to run the server.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Folder of its programs, see [`Tools`](crate::Tools).
    pub bin: PathBuf,
    /// Port on 127.0.0.1; a free one when `None`.
    pub port: Option<u16>,
    /// Whether a committed transaction survives a power failure (fsync). A kill -9 it survives in any case.
    pub durable: bool,
    /// Upper limit of connections.
    pub max_connections: u16,
    /// Further settings, `name=value`.
    pub settings: Vec<String>,
}

impl PostgresOptions {
    /// Durable, on a free port, 300 connections.
    pub fn new(bin: impl Into<PathBuf>) -> Self {
        Self { bin: bin.into(), port: None, durable: true, max_connections: 300, settings: Vec::new() }
    }
}

/// A running server, listening on 127.0.0.1 only, every connection by password.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    superuser: PgConnectOptions,
    password_file: PathBuf,
    port: u16,
}

impl Postgres {
    /// Starts the server on the folder's data, creating them when there are none, and waits until it answers.
    pub async fn start(dir: &Path, options: &PostgresOptions) -> Result<Self, Error> {
        let user = folder::postgres_user()?;
        let folder = folder::for_postgres(dir, user)?;
        let password_file = folder.join("superuser.password");
        let password = secret::kept(&password_file, secret::password)?;
        let data = folder.join("data");
        let port = options.port.map_or_else(free_port, Ok)?;
        if !data.join("PG_VERSION").exists() {
            create_cluster(&folder, &data, options, user, &password).await?;
        }
        let superuser = PgConnectOptions::new_without_pgpass()
            .host(&Ipv4Addr::LOCALHOST.to_string())
            .port(port)
            .username("postgres")
            .password(&password)
            .database("postgres")
            .application_name("local-stack");
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            format!("port={port}"),
            format!("max_connections={}", options.max_connections),
            "shared_buffers=256MB".to_owned(),
            "timezone=UTC".to_owned(),
            "log_timezone=UTC".to_owned(),
        ];
        if !options.durable {
            settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"].map(str::to_owned));
        }
        settings.extend(options.settings.iter().cloned());
        let ready = Ready::Postgres(Box::new(superuser.clone()));
        let program = Program::new("postgres", options.bin.join("postgres"), folder.join("postgres.log"), ready)
            .arguments(["-D".into(), data.into_os_string()])
            .arguments(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]))
            .run_as(user)
            .stopped_by(StopSignal::Interrupt, Duration::from_secs(30))
            .ready_within(Duration::from_mins(1))
            // After a kill -9 its children hold the shared memory for a moment, and a new server refuses to start.
            .patient();
        let process = Process::spawn(program)?;
        process.ready().await?;
        Ok(Self { process, superuser, password_file, port })
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How to connect as superuser to the database of that name.
    pub fn superuser(&self, database: &str) -> PgConnectOptions {
        self.superuser.clone().database(database)
    }

    /// The file with the superuser's password.
    pub fn password_file(&self) -> &Path {
        &self.password_file
    }

    /// Connects as superuser to the database of that name.
    pub async fn connect(&self, database: &str) -> Result<PgConnection, Error> {
        PgConnection::connect_with(&self.superuser(database)).await.map_err(Error::database("connecting"))
    }

    /// The server's process, to kill or restart it.
    pub fn process(&self) -> &Process {
        &self.process
    }
}

/// initdb into a folder beside, which then gets its name: an interrupted one is never taken for a cluster.
async fn create_cluster(
    folder: &Path,
    data: &Path,
    options: &PostgresOptions,
    user: Option<RunAs>,
    password: &str,
) -> Result<(), Error> {
    let unfinished = folder.join("data.unfinished");
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished).map_err(Error::file("removing", &unfinished))?;
    }
    let password_file = folder.join("initdb.password");
    secret::write(&password_file, password, 0o600)?;
    if let Some(user) = user {
        folder::give(&password_file, user)?;
    }
    let binary = options.bin.join("initdb");
    let mut command = Command::new(&binary);
    command
        .args(["-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync"])
        .arg("-D")
        .arg(&unfinished)
        .arg("--pwfile")
        .arg(&password_file)
        .current_dir("/")
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    let output = command.output().await;
    std::fs::remove_file(&password_file).ok();
    let output = output.map_err(|source| Error::Spawn { name: "initdb".to_owned(), binary, source })?;
    if !output.status.success() {
        let text = [output.stdout, output.stderr].concat();
        return Err(Error::Helper { program: "initdb", output: String::from_utf8_lossy(&text).into_owned() });
    }
    std::fs::rename(&unfinished, data).map_err(Error::file("renaming", &unfinished))
}
