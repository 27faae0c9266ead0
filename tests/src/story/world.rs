//! The installation that the story plays on: servers, services, simulators.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use dudao::keys::{self, KeyPurpose};
use dudao::{DatabaseEntry, Installation, ServiceEntry};
use jiff::Timestamp;
use local_stack::{KeyMakers, KeyTexts, Process, Program, Ready, SERVICES, Stack, StackOptions, Tools, workspace_root};

use super::api::Api;
use super::config::{self, Places};
use super::db::Databases;
use super::wait::{LIMIT, until};

/// The password of every account of the story, and of the first account. Only the demo and the story use it, on this
/// machine alone.
pub const PASSWORD: &str = "Dudao-Yanlian-2026";

/// The running installation.
pub struct World {
    stack: Stack,
    simulators: BTreeMap<&'static str, Process>,
    /// What `dudao` reads.
    pub installation: Installation,
    /// The APIs.
    pub api: Api,
    /// The databases.
    pub db: Databases,
}

/// How to build it.
#[derive(Debug)]
pub struct WorldOptions {
    /// Data folder.
    pub folder: PathBuf,
    /// Addresses that a person likes to find again, if they are free.
    pub ports: BTreeMap<String, u16>,
    /// Whether PostgreSQL waits for the disk.
    pub durable: bool,
    /// Whether the console is part of it, and the room that makes documents for it; the first steps do without.
    pub console: bool,
}

type Making = Result<KeyTexts, Box<dyn std::error::Error + Send + Sync>>;

fn journal_key() -> Making {
    let (private, public) = keys::texts(KeyPurpose::Journal)?;
    Ok(KeyTexts { private, public })
}

fn token_key() -> Making {
    let (private, public) = keys::texts(KeyPurpose::Token)?;
    Ok(KeyTexts { private, public })
}

/// Our own programs stand beside this one; a test stands one folder below them.
fn binaries() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("where is this program?")?;
    let folder = own.parent().context("a program lies in a folder")?;
    let above = folder.parent().filter(|_| folder.ends_with("deps"));
    Ok(above.unwrap_or(folder).to_owned())
}

impl World {
    /// Starts the servers, the simulators and the services, and waits until all are ready.
    pub async fn start(options: WorldOptions) -> anyhow::Result<Self> {
        let workspace = workspace_root();
        let binaries = binaries()?;
        let mut stack = Stack::open(StackOptions {
            folder: options.folder,
            tools: Tools::find(&workspace)?,
            binaries: binaries.clone(),
            keys: KeyMakers { journal: journal_key, token: token_key },
            durable: options.durable,
            ports: options.ports,
            environment: Vec::new(),
        })
        .await?;
        let places = places(&stack, &workspace)?;
        let simulators = simulators(&stack, &binaries)?;
        let face = |name: &str| ["console", "documents"].contains(&name);
        let services: Vec<&str> = SERVICES.into_iter().filter(|name| options.console || !face(name)).collect();
        stack.start(&services, |settings| config::text(settings, &places)).await?;
        for simulator in simulators.values() {
            simulator.ready().await?;
        }
        let installation = describe(&stack)?;
        std::fs::write(stack.folder().join("stack.toml"), installation.to_toml()).context("writing stack.toml")?;
        let bases = stack.settings("console").addresses.into_iter();
        let api = Api::new(bases.map(|(name, address)| (name, format!("http://{address}"))).collect())?;
        let db = Databases::of(&installation)?;
        Ok(Self { stack, simulators, installation, api, db })
    }

    /// Its processes.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// The folder of the installation.
    pub fn folder(&self) -> &Path {
        self.stack().folder()
    }

    /// The key id under which the national platform knows us is that of this public key, hexadecimal.
    pub fn platform_key(&self) -> anyhow::Result<String> {
        let path = self.stack.settings("exchange").journal_public_key;
        Ok(std::fs::read_to_string(path).context("reading the public key of exchange")?.trim().to_owned())
    }

    /// The process id of a service, while it runs.
    pub fn pid(&self, service: &str) -> Option<u32> {
        self.stack.process(service).ok().and_then(Process::pid)
    }

    /// A simulator's process.
    pub fn simulator(&self, name: &str) -> anyhow::Result<&Process> {
        self.simulators.get(name).with_context(|| format!("no simulator {name}"))
    }

    /// Legal time, as `deadlines` has it.
    pub async fn now(&self) -> anyhow::Result<Timestamp> {
        let value = until("legal time", LIMIT, || async {
            Ok(Some(self.db.value("deadlines", "SELECT messaging.legal_now() AS at", &[]).await?))
        });
        let value = value.await?;
        value.as_str().context("legal time is a text")?.parse().context("legal time is an instant")
    }

    /// Moves legal time of every service forward to an instant and a moment; never back.
    ///
    /// The shift is set, not added: when a server is shot in the middle, doing it again comes out the same.
    pub async fn move_to(&self, instant: Timestamp) -> anyhow::Result<()> {
        let target = instant + jiff::SignedDuration::from_millis(50);
        let shift = until("the clock of the database server", LIMIT, || async {
            let clock = self.db.value("deadlines", "SELECT clock_timestamp() AS at", &[]).await?;
            let clock: Timestamp = clock.as_str().context("a text")?.parse()?;
            Ok(Some(target.as_microsecond() - clock.as_microsecond()))
        })
        .await?;
        for access in self.stack.databases().values() {
            until("moving the clock", LIMIT, || async {
                let mut connection = self.stack.postgres().connect(&access.name).await?;
                sqlx::query(
                    "UPDATE rehearsal.clock SET shift = greatest(shift, $1::bigint::double precision * interval '1 microsecond')",
                )
                .bind(shift)
                .execute(&mut connection)
                .await?;
                Ok(Some(()))
            })
            .await?;
        }
        Ok(())
    }

    /// Ends everything in good order.
    pub async fn stop(self) {
        for simulator in self.simulators.values() {
            simulator.terminate().await;
        }
        self.stack.stop().await;
    }
}

fn places(stack: &Stack, workspace: &Path) -> anyhow::Result<Places> {
    let secrets = stack.folder().join("secrets");
    let operator_password = secrets.join("operator.password");
    let (cookie_key, link_key) = (secrets.join("cookie.key"), secrets.join("receipt-links.key"));
    std::fs::write(&operator_password, PASSWORD).context("writing the first password")?;
    for key in [&cookie_key, &link_key] {
        if !key.exists() {
            // A new signing key is as good a source of random characters as any.
            std::fs::write(key, keys::texts(KeyPurpose::Journal)?.0).context("writing a key")?;
        }
    }
    let (rendering_key, public) = (secrets.join("rendering.key"), secrets.join("rendering.pub"));
    if !public.exists() {
        let (private, text) = keys::texts(KeyPurpose::Journal)?;
        std::fs::write(&rendering_key, private).context("writing the key of the room that renders")?;
        std::fs::write(&public, text).context("writing its public half")?;
    }
    let rendering_public_key = std::fs::read_to_string(public).context("reading a public key")?.trim().to_owned();
    let rulebook = workspace.join("rulebook");
    Ok(Places { rulebook, operator_password, cookie_key, link_key, rendering_key, rendering_public_key })
}

fn simulators(stack: &Stack, binaries: &Path) -> anyhow::Result<BTreeMap<&'static str, Process>> {
    let platform = stack.settings("national-platform");
    std::fs::create_dir_all(&platform.own_folder).context("making a simulator's folder")?;
    let keys = platform.own_folder.join("provinces.keys");
    let public = std::fs::read_to_string(stack.settings("exchange").journal_public_key)?;
    std::fs::write(&keys, format!("# 460000\n{}\n", public.trim())).context("writing the platform's keys")?;
    let sink = stack.settings("mail-sink");
    std::fs::create_dir_all(&sink.own_folder).context("making a simulator's folder")?;
    let run = |name: &'static str, address: SocketAddr, arguments: Vec<String>| -> anyhow::Result<_> {
        let binary = binaries.join(name);
        anyhow::ensure!(
            binary.is_file(),
            "{} does not exist; build it first (cargo build --workspace)",
            binary.display()
        );
        let log = stack.folder().join("logs").join(format!("{name}.log"));
        let program = Program::new(name, binary, log, Ready::readyz(address))
            .arguments(arguments)
            .ready_within(Duration::from_secs(30));
        Ok((name, Process::spawn(program)?))
    };
    let platform_arguments = vec![
        "--listen".to_owned(),
        platform.http.to_string(),
        "--data".to_owned(),
        platform.own_folder.display().to_string(),
        "--keys".to_owned(),
        keys.display().to_string(),
    ];
    let sink_arguments = vec![
        "--smtp".to_owned(),
        sink.second.to_string(),
        "--http".to_owned(),
        sink.http.to_string(),
        "--folder".to_owned(),
        sink.own_folder.display().to_string(),
    ];
    Ok(BTreeMap::from([
        run("national-platform", platform.http, platform_arguments)?,
        run("mail-sink", sink.http, sink_arguments)?,
    ]))
}

/// The description that `dudao verify` and `dudao doctor` read.
fn describe(stack: &Stack) -> anyhow::Result<Installation> {
    let mut services = Vec::new();
    for name in SERVICES {
        let settings = stack.settings(name);
        let journal_public_keys = match &settings.database {
            Some(_) => vec![std::fs::read_to_string(&settings.journal_public_key)?.trim().to_owned()],
            None => Vec::new(),
        };
        services.push(ServiceEntry {
            name: name.to_owned(),
            operations: format!("http://{}", settings.second),
            journal_public_keys,
            database: settings.database.map(|database| DatabaseEntry {
                host: database.host,
                port: database.port,
                name: database.name,
                user: database.user,
                password_file: database.password_file,
                authority_file: None,
            }),
        });
    }
    Ok(Installation {
        broker: stack.nats().url(),
        subject_prefix: String::new(),
        files: Some(stack.settings("tasks").files),
        services,
    })
}
