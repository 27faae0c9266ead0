//! A PostgreSQL server of our own.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::process::Command;

use crate::folder::{self, RunAs};
use crate::{Certificate, Error, Process, Program, Ready, StopSignal, free_port, secret};

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
    /// The server's certificate, for servers that offer TLS.
    pub certificate: Option<Certificate>,
}

impl PostgresOptions {
    /// Durable, on a free port, 300 connections.
    pub fn new(bin: impl Into<PathBuf>) -> Self {
        Self {
            bin: bin.into(),
            port: None,
            durable: true,
            max_connections: 300,
            settings: Vec::new(),
            certificate: None,
        }
    }
}

/// A running server, listening on 127.0.0.1 only, every connection by password.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    superuser: PgConnectOptions,
    password_file: PathBuf,
    bin: PathBuf,
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
        if !data.join("PG_VERSION").exists() {
            create_cluster(&folder, &data, options, user, &password).await?;
        }
        Self::run(folder, password_file, &password, user, options).await
    }

    /// Copies this server into a folder and starts the copy as a standby that follows it (streaming replication) and answers reads.
    pub async fn standby(&self, dir: &Path, options: &PostgresOptions) -> Result<Self, Error> {
        self.base_backup(dir).await?;
        self.make_standby(dir, "standby", self.port)?;
        Self::start(dir, options).await
    }

    async fn run(
        folder: PathBuf,
        password_file: PathBuf,
        password: &str,
        user: Option<RunAs>,
        options: &PostgresOptions,
    ) -> Result<Self, Error> {
        let data = folder.join("data");
        let port = options.port.map_or_else(free_port, Ok)?;
        let superuser = PgConnectOptions::new_without_pgpass()
            .host(&Ipv4Addr::LOCALHOST.to_string())
            .port(port)
            .username("postgres")
            .password(password)
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
        if let Some(certificate) = &options.certificate {
            let (chain, key) = certificate.write(&folder, user)?;
            settings.push("ssl=on".to_owned());
            settings.push(format!("ssl_cert_file={}", chain.display()));
            settings.push(format!("ssl_key_file={}", key.display()));
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
        Ok(Self { process, superuser, password_file, bin: options.bin.clone(), port })
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

    /// Copies the running server (`pg_basebackup`) into a folder that [`Postgres::start`] can start; the copy has the same
    /// passwords. What was written meanwhile comes with the write-ahead log: from an archive, or from this server.
    pub async fn base_backup(&self, dir: &Path) -> Result<(), Error> {
        let user = folder::postgres_user()?;
        let folder = folder::for_postgres(dir, user)?;
        let password =
            std::fs::read_to_string(&self.password_file).map_err(Error::file("reading", &self.password_file))?;
        secret::write(&folder.join("superuser.password"), &password, 0o600)?;
        let mut command = Command::new(self.bin.join("pg_basebackup"));
        command
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-U",
                "postgres",
                "-w",
                "-X",
                "stream",
                "-c",
                "fast",
                "-D",
            ])
            .arg(folder.join("data"))
            .env("PGPASSWORD", password.trim_end());
        helper("pg_basebackup", command, user).await
    }

    /// Makes a stopped server's data a standby of this one, or of whatever stands at `port`, from its next start on.
    pub fn make_standby(&self, dir: &Path, name: &str, port: u16) -> Result<(), Error> {
        let user = folder::postgres_user()?;
        let data = folder::for_postgres(dir, user)?.join("data");
        let password =
            std::fs::read_to_string(&self.password_file).map_err(Error::file("reading", &self.password_file))?;
        let password = password.trim_end();
        let settings = data.join("postgresql.auto.conf");
        let text = format!(
            "primary_conninfo = 'host=127.0.0.1 port={port} user=postgres password={password} application_name={name}'\n"
        );
        signal_file(&data.join("standby.signal"), "", user)?;
        signal_file(&settings, &text, user)
    }

    /// Makes a base backup recover from an archive at its next start; `settings` say from where and how far
    /// (`restore_command`, `recovery_target_time`, …).
    pub fn make_recovery(dir: &Path) -> Result<(), Error> {
        let user = folder::postgres_user()?;
        let data = folder::for_postgres(dir, user)?.join("data");
        signal_file(&data.join("recovery.signal"), "", user)
    }
}

/// A file that the server reads at its start.
fn signal_file(path: &Path, text: &str, user: Option<RunAs>) -> Result<(), Error> {
    secret::write(path, text, 0o600)?;
    user.map_or(Ok(()), |user| folder::give(path, user))
}

/// Runs one of PostgreSQL's programs to its end, as PostgreSQL's user.
async fn helper(program: &'static str, mut command: Command, user: Option<RunAs>) -> Result<(), Error> {
    command.current_dir("/").stdin(std::process::Stdio::null()).kill_on_drop(true);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    let binary = PathBuf::from(command.as_std().get_program());
    let output = command.output().await;
    let output = output.map_err(|source| Error::Spawn { name: program.to_owned(), binary, source })?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(Error::Helper { program, output: String::from_utf8_lossy(&text).into_owned() })
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
        .arg(&password_file);
    let made = helper("initdb", command, user).await;
    std::fs::remove_file(&password_file).ok();
    made?;
    std::fs::rename(&unfinished, data).map_err(Error::file("renaming", &unfinished))
}
