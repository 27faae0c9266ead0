//! The installation that the story, the fault journeys and the drills play on: servers, services, simulators.

pub mod api;
pub mod config;
pub mod db;
pub mod doors;
pub mod http;
pub mod json;
pub mod wait;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use dudao::keys::{self, KeyPurpose};
use dudao::{BrokerEntry, DatabaseEntry, Installation, ServiceEntry};
use jiff::Timestamp;
use local_stack::{
    AccessKey, KeyMakers, KeyTexts, ObjectStore, Process, Program, Ready, SERVICES, ServiceProcess, Settings, Stack,
    StackOptions, Tools, workspace_root,
};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use api::Api;
use config::{Bucket, Places};
use db::Databases;
use doors::Doors;
use wait::{LIMIT, until};

/// The password of every account of the story, and of the first account. Only the demo and the story use it, on this
/// machine alone.
pub const PASSWORD: &str = "Dudao-Yanlian-2026";

/// The running installation.
pub struct World {
    // In the order in which they are dropped: clients before servers.
    second: BTreeMap<String, ServiceProcess>,
    simulators: BTreeMap<&'static str, Process>,
    stack: Stack,
    object_store: Option<ObjectStore>,
    doors: Option<Doors>,
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
    /// The version that runs; `None`: this one.
    pub version: Option<Version>,
    /// Further settings of PostgreSQL, `name=value`.
    pub postgres: Vec<String>,
    /// Whether the broker is a cluster of three servers.
    pub broker_cluster: bool,
    /// Whether evidence lies in a bucket of an object store instead of a folder, and the key that opens it.
    pub bucket_key: Option<AccessKey>,
    /// Processes of each service behind its door (1 or 2), see [`doors`], as behind the addresses of a cluster; 0: no doors,
    /// everybody is reached directly.
    pub behind_doors: usize,
    /// Environment of every service.
    pub environment: Vec<(String, String)>,
    /// What the environment of every second process has besides, as those of one node may.
    pub second_environment: Vec<(String, String)>,
}

impl WorldOptions {
    /// Everything in that folder, each once, on any ports; a commit waits for the disk.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            ports: BTreeMap::new(),
            durable: true,
            console: true,
            version: None,
            postgres: Vec::new(),
            broker_cluster: false,
            bucket_key: None,
            behind_doors: 0,
            environment: Vec::new(),
            second_environment: Vec::new(),
        }
    }
}

/// The programs of a version with the rulebook that goes with them, as an image carries both.
#[derive(Debug, Clone)]
pub struct Version {
    /// Folder of the programs.
    pub programs: PathBuf,
    /// The folder `rulebook/`.
    pub rulebook: PathBuf,
}

impl Version {
    /// This one: our own programs stand beside the one that runs; a test stands one folder below them.
    pub fn own() -> anyhow::Result<Self> {
        let own = std::env::current_exe().context("where is this program?")?;
        let folder = own.parent().context("a program lies in a folder")?;
        let above = folder.parent().filter(|_| folder.ends_with("deps"));
        Ok(Self { programs: above.unwrap_or(folder).to_owned(), rulebook: workspace_root().join("rulebook") })
    }
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

impl World {
    /// Starts the servers, the simulators and the services, and waits until all are ready.
    pub async fn start(options: WorldOptions) -> anyhow::Result<Self> {
        let workspace = workspace_root();
        let version = options.version.map_or_else(Version::own, Ok)?;
        let keys = KeyMakers { journal: journal_key, token: token_key };
        // Behind doors, versions are changed: each process has its own.
        let changing = options.behind_doors > 0;
        let programs = if changing { options.folder.join("bin") } else { version.programs.clone() };
        let tools = Tools::find(&workspace)?;
        let object_store = match &options.bucket_key {
            Some(key) => {
                let (folder, keys) = (options.folder.join("object-store"), std::slice::from_ref(key));
                Some(ObjectStore::start(&folder, &tools.object_store, keys, None).await?)
            }
            None => None,
        };
        let mut stack = Stack::open(StackOptions {
            durable: options.durable,
            ports: options.ports,
            environment: options.environment,
            postgres: options.postgres,
            broker_cluster: options.broker_cluster,
            ..StackOptions::new(options.folder, tools, programs, keys)
        })
        .await?;
        let mut places = places(&stack, &version)?;
        if let Some((store, key)) = object_store.as_ref().zip(options.bucket_key.as_ref()) {
            places.bucket = Some(Bucket::of(store, key, &stack.folder().join("secrets"))?);
        }
        let places = places;
        let simulators = simulators(&stack, &version.programs)?;
        let face = |name: &str| ["console", "documents"].contains(&name);
        let services: Vec<&str> = SERVICES.into_iter().filter(|name| options.console || !face(name)).collect();
        let doors = if changing { Some(Doors::open(&stack, &services, options.behind_doors)?) } else { None };
        for index in 0..options.behind_doors {
            for name in &services {
                put(&version, stack.folder(), index, name)?;
            }
        }
        let shown = |settings: Settings| match &doors {
            Some(doors) => doors.shown(settings),
            None => settings,
        };
        let folder = stack.folder().to_owned();
        let places_of = |index: usize, name: &str| {
            let rulebook = if changing { rulebook_of(&folder, index, name) } else { places.rulebook.clone() };
            Places { rulebook, ..places.clone() }
        };
        let configured = |settings: &Settings| config::text(&shown(settings.clone()), &places_of(0, &settings.name));
        stack.start(&services, configured).await?;
        let mut second = BTreeMap::new();
        if let Some(doors) = doors.as_ref().filter(|_| options.behind_doors > 1) {
            for name in &services {
                second.insert(
                    (*name).to_owned(),
                    doors.start_second(&stack, name, &places_of(1, name), &options.second_environment)?,
                );
            }
            for process in second.values() {
                process.ready().await?;
            }
        }
        for simulator in simulators.values() {
            simulator.ready().await?;
        }
        let bases = shown(stack.settings("console")).addresses.into_iter();
        let files = object_store.is_none().then(|| stack.settings("tasks").files);
        let installation = describe(&stack, files, shown)?;
        std::fs::write(stack.folder().join("stack.toml"), installation.to_toml()).context("writing stack.toml")?;
        let api = Api::new(bases.map(|(name, address)| (name, format!("http://{address}"))).collect())?;
        let db = Databases::of(&installation)?;
        Ok(Self { second, simulators, stack, object_store, doors, installation, api, db })
    }

    /// Its processes.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// The doors; only a world with doors has some.
    pub fn doors(&self) -> anyhow::Result<&Doors> {
        self.doors.as_ref().context("this world has no doors")
    }

    /// Where a process of a service answers by itself, beside its door.
    pub fn http_of(&self, service: &str, index: usize) -> anyhow::Result<SocketAddr> {
        if index == 0 { Ok(self.stack.settings(service).http) } else { Ok(self.doors()?.second(service)?.0) }
    }

    /// A process of a service: 0 is the stack's, 1 the second of two.
    pub fn replica(&self, service: &str, index: usize) -> anyhow::Result<&Process> {
        match index {
            0 => Ok(self.stack.process(service)?),
            _ => Ok(self.second.get(service).with_context(|| format!("{service} runs once"))?),
        }
    }

    /// Ends every service in good order; they stay down.
    pub async fn stop_services(&self) {
        let first = SERVICES.into_iter().filter_map(|name| self.stack.process(name).ok());
        let second = self.second.values().map(|process| &**process);
        futures_util::future::join_all(first.chain(second).map(Process::terminate)).await;
    }

    /// Starts every service that is down, and waits until all are ready.
    pub async fn start_services(&self) -> anyhow::Result<()> {
        let first = SERVICES.into_iter().filter_map(|name| self.stack.process(name).ok());
        let second = self.second.values().map(|process| &**process);
        futures_util::future::try_join_all(first.chain(second).map(Process::bring_up)).await?;
        Ok(())
    }

    /// Gives a process of a service another version, from its next start on. Only behind doors.
    pub fn put(&self, version: &Version, service: &str, index: usize) -> anyhow::Result<()> {
        self.doors()?;
        put(version, self.folder(), index, service)
    }

    /// The rulebook that the configuration of a process names. Only behind doors.
    pub fn rulebook_of(&self, service: &str, index: usize) -> PathBuf {
        rulebook_of(self.folder(), index, service)
    }

    /// Connects to a service's database as PostgreSQL's administrator, wherever the database now is.
    pub async fn administrator(&self, database: &str) -> anyhow::Result<PgConnection> {
        let mut options = self.stack.postgres().superuser(database);
        if let Some(doors) = &self.doors {
            options = options.port(doors.database().address().port());
        }
        Ok(PgConnection::connect_with(&options).await?)
    }

    /// The object store, of a world that has one.
    pub fn object_store(&self) -> anyhow::Result<&ObjectStore> {
        self.object_store.as_ref().context("this world has no object store")
    }

    /// The broker's streams, as a service reaches them.
    pub async fn jetstream(&self) -> anyhow::Result<async_nats::jetstream::Context> {
        let broker = self.stack.settings("deadlines").broker;
        let password = std::fs::read_to_string(&broker.password_file).context("reading the broker's password")?;
        let options = async_nats::ConnectOptions::with_user_and_password(broker.user, password.trim().to_owned());
        Ok(async_nats::jetstream::new(options.connect(broker.url).await.context("the broker")?))
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
                let mut connection = self.administrator(&access.name).await?;
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
        futures_util::future::join_all(self.second.values().map(|process| process.terminate())).await;
        self.stack.stop().await;
        if let Some(store) = &self.object_store {
            store.process().terminate().await;
        }
    }
}

/// Where the program of a process behind doors lies.
fn program_of(folder: &Path, index: usize, service: &str) -> PathBuf {
    folder.join(if index == 0 { "bin" } else { "bin-2" }).join(service)
}

/// Where its rulebook lies.
fn rulebook_of(folder: &Path, index: usize, service: &str) -> PathBuf {
    program_of(folder, index, service).with_extension("rulebook")
}

/// Puts a version of a service where a process of it starts.
fn put(version: &Version, folder: &Path, index: usize, service: &str) -> anyhow::Result<()> {
    let to = program_of(folder, index, service);
    let parent = to.parent().context("a program lies in a folder")?;
    std::fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    let from = version.programs.join(service);
    // A link, for a build that goes on meanwhile would change what comes back after a shot.
    let link = |beside: &Path| {
        std::fs::hard_link(&from, beside)
            .or_else(|_| std::fs::copy(&from, beside).map(drop))
            .with_context(|| format!("linking {}; build it first (cargo build --workspace --bins)", from.display()))
    };
    replace(&to, link)?;
    let link = |beside: &Path| symlink(&version.rulebook, beside).context("linking the rulebook");
    replace(&rulebook_of(folder, index, service), link)
}

/// Makes something beside its place and moves it there.
fn replace(to: &Path, make: impl FnOnce(&Path) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let beside = to.with_extension("new");
    std::fs::remove_file(&beside).ok();
    make(&beside)?;
    std::fs::rename(&beside, to).with_context(|| format!("putting {}", to.display()))
}

fn places(stack: &Stack, version: &Version) -> anyhow::Result<Places> {
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
    let rulebook = version.rulebook.clone();
    Ok(Places { rulebook, operator_password, cookie_key, link_key, rendering_key, rendering_public_key, bucket: None })
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
fn describe(
    stack: &Stack,
    files: Option<PathBuf>,
    shown: impl Fn(Settings) -> Settings,
) -> anyhow::Result<Installation> {
    let mut services = Vec::new();
    for name in SERVICES {
        let settings = shown(stack.settings(name));
        let journal_public_keys = match &settings.database {
            Some(_) => vec![std::fs::read_to_string(&settings.journal_public_key)?.trim().to_owned()],
            None => Vec::new(),
        };
        services.push(ServiceEntry {
            name: name.to_owned(),
            operations: format!("http://{}", settings.second),
            journal_public_keys,
            journal_public_keys_file: None,
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
    let broker = stack.settings("deadlines").broker;
    Ok(Installation {
        broker: BrokerEntry {
            url: broker.url,
            user: Some(broker.user),
            password_file: Some(broker.password_file),
            ..BrokerEntry::default()
        },
        files,
        services,
    })
}
