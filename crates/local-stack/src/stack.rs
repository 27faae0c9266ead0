//! The whole installation: servers, databases, keys, services, simulators.

mod layout;
mod settings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};

use crate::{
    DatabaseAccess, Error, KeyMakers, Nats, NatsNode, NatsOptions, Postgres, PostgresOptions, Process, ServiceProcess,
    Tools,
};
use crate::{clock, database, folder, secret};

use layout::{Layout, Ports};
pub use settings::{BrokerAccess, Settings};

/// The nine services.
pub const SERVICES: [&str; 9] =
    ["registry", "tasks", "deadlines", "reporting", "notifications", "publication", "exchange", "documents", "console"];

/// What stands for the world outside: the national platform (国家平台) and the mail servers.
pub const SIMULATORS: [&str; 2] = ["national-platform", "mail-sink"];

/// Servers that a broker's cluster has.
const BROKERS: [&str; 3] = ["nats", "nats-2", "nats-3"];

/// Whom it lets in.
const BROKER_USER: &str = "dudao";

/// Hold no business data, hence no database.
const WITHOUT_DATABASE: [&str; 2] = ["documents", "console"];

/// What a stack is made of.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// Where everything lies; found again by the next start.
    pub folder: PathBuf,
    /// The servers' programs.
    pub tools: Tools,
    /// Folder of our own programs, `target/debug` for instance.
    pub binaries: PathBuf,
    /// How keys are made.
    pub keys: KeyMakers,
    /// Whether PostgreSQL waits for the disk.
    pub durable: bool,
    /// Further settings of PostgreSQL, `name=value`.
    pub postgres: Vec<String>,
    /// Whether the broker is a cluster of three servers, each stream with a copy on each, instead of one server.
    pub broker_cluster: bool,
    /// Ports to take if they are free, by process; otherwise those of the last run, otherwise any.
    pub ports: BTreeMap<String, u16>,
    /// Environment of every service, `RUST_LOG` for instance.
    pub environment: Vec<(String, String)>,
}

impl StackOptions {
    /// Durable, one broker, any ports.
    pub fn new(folder: impl Into<PathBuf>, tools: Tools, binaries: impl Into<PathBuf>, keys: KeyMakers) -> Self {
        Self {
            folder: folder.into(),
            tools,
            binaries: binaries.into(),
            keys,
            durable: true,
            postgres: Vec::new(),
            broker_cluster: false,
            ports: BTreeMap::new(),
            environment: Vec::new(),
        }
    }
}

/// A running installation. [`Stack::stop`] or dropping it ends every process; the folder stays.
#[derive(Debug)]
pub struct Stack {
    // In the order in which they are dropped: clients before servers.
    processes: BTreeMap<String, ServiceProcess>,
    brokers: Vec<Nats>,
    postgres: Postgres,
    databases: BTreeMap<String, DatabaseAccess>,
    ports: Ports,
    layout: Layout,
    options: StackOptions,
    // Held as long as the stack stands: two runs in one folder would end each other's processes.
    _lock: std::fs::File,
}

impl Stack {
    /// Starts the two servers, and sees to databases, roles, passwords, keys and ports. No service runs yet.
    pub async fn open(options: StackOptions) -> Result<Self, Error> {
        let layout = Layout::create(&options.folder)?;
        let lock = layout.lock()?;
        // Before ports are chosen: what an earlier run left behind still holds them.
        for name in SERVICES.iter().chain(&SIMULATORS) {
            layout.end_leftover(name);
        }
        layout.end_leftover_servers();
        let ports = Ports::choose(&layout.ports_file(), &options.ports)?;

        let pg_port = ports.first("postgres");
        let pg_options = PostgresOptions {
            port: Some(pg_port),
            durable: options.durable,
            settings: options.postgres.clone(),
            ..PostgresOptions::new(&options.tools.pg_bin)
        };
        let pg_folder = layout.postgres();
        let (postgres, brokers) =
            tokio::try_join!(Postgres::start(&pg_folder, &pg_options), start_brokers(&layout, &ports, &options))?;

        let mut databases = BTreeMap::new();
        for service in SERVICES.into_iter().filter(|service| !WITHOUT_DATABASE.contains(service)) {
            let access = database::ensure(&postgres, service, &layout.password(service)).await?;
            databases.insert(service.to_owned(), access);
            secret::kept_key(
                &layout.journal_key(service),
                &layout.journal_public_key(service),
                service,
                options.keys.journal,
            )?;
        }
        secret::kept_key(&layout.token_key(), &layout.token_public_key(), "token", options.keys.token)?;
        Ok(Self { processes: BTreeMap::new(), brokers, postgres, databases, ports, layout, options, _lock: lock })
    }

    /// What the process of that name is told: addresses, database, keys.
    pub fn settings(&self, name: &str) -> Settings {
        Settings {
            name: name.to_owned(),
            http: self.ports.http(name),
            second: self.ports.second(name),
            database: self.databases.get(name).cloned(),
            broker: BrokerAccess {
                url: self.nats().url(),
                user: BROKER_USER.to_owned(),
                password_file: self.layout.password("nats"),
                copies: self.brokers.len(),
            },
            files: self.layout.files(),
            own_folder: self.layout.own(name),
            journal_key: self.layout.journal_key(name),
            journal_public_key: self.layout.journal_public_key(name),
            token_public_keys: self.layout.token_public_keys(),
            token_key: self.layout.token_key(),
            addresses: SERVICES
                .iter()
                .chain(&SIMULATORS)
                .map(|name| ((*name).to_owned(), self.ports.http(name)))
                .collect(),
            second_addresses: SERVICES
                .iter()
                .chain(&SIMULATORS)
                .map(|name| ((*name).to_owned(), self.ports.second(name)))
                .collect(),
        }
    }

    /// Starts the named processes, each with the configuration file (mode 600) whose text `configuration` gives, and
    /// waits until all are ready. What runs already stays as it is.
    pub async fn start(&mut self, names: &[&str], configuration: impl Fn(&Settings) -> String) -> Result<(), Error> {
        for name in names {
            if !SERVICES.contains(name) && !SIMULATORS.contains(name) {
                return Err(Error::Unknown((*name).to_owned()));
            }
            if self.processes.contains_key(*name) {
                continue;
            }
            let settings = self.settings(name);
            folder::create_private(&settings.own_folder)?;
            let config = self.layout.config(name);
            secret::write(&config, &configuration(&settings), 0o600)?;
            let process = ServiceProcess::spawn(
                &self.options.binaries.join(name),
                &config,
                &self.options.environment,
                &self.layout.log(name),
                settings.ready_at(),
            )?;
            self.processes.insert((*name).to_owned(), process);
        }
        let waits = names.iter().filter_map(|name| self.processes.get(*name)).map(|process| process.ready());
        try_join_all(waits).await?;
        Ok(())
    }

    /// The process of that name: a service, a simulator, `postgres` or `nats`.
    pub fn process(&self, name: &str) -> Result<&Process, Error> {
        match name {
            "postgres" => Ok(self.postgres.process()),
            "nats" => Ok(self.nats().process()),
            other => {
                self.processes.get(other).map(|process| &**process).ok_or_else(|| Error::Unknown(other.to_owned()))
            }
        }
    }

    /// The names of the processes that were started, the two servers included.
    pub fn names(&self) -> Vec<String> {
        ["nats", "postgres"].map(str::to_owned).into_iter().chain(self.processes.keys().cloned()).collect()
    }

    /// Waits until everything that was started is ready (again).
    pub async fn all_ready(&self) -> Result<(), Error> {
        self.postgres.process().ready().await?;
        try_join_all(self.brokers.iter().map(|broker| broker.process().ready())).await?;
        try_join_all(self.processes.values().map(|process| process.ready())).await?;
        Ok(())
    }

    /// PostgreSQL.
    pub fn postgres(&self) -> &Postgres {
        &self.postgres
    }

    /// The broker; of a cluster, the first server.
    pub fn nats(&self) -> &Nats {
        // There is always one.
        &self.brokers[0]
    }

    /// The servers of the broker.
    pub fn brokers(&self) -> &[Nats] {
        &self.brokers
    }

    /// The databases by service.
    pub fn databases(&self) -> &BTreeMap<String, DatabaseAccess> {
        &self.databases
    }

    /// The folder of the stack.
    pub fn folder(&self) -> &Path {
        self.layout.root()
    }

    /// Moves the rehearsal clock of every service's database forward. Not at one instant: the databases follow each
    /// other within milliseconds, as the clocks of several machines would.
    pub async fn move_clock(&self, by: Duration) -> Result<(), Error> {
        try_join_all(self.databases.values().map(|access| clock::advance(&self.postgres, &access.name, by))).await?;
        Ok(())
    }

    /// How far the rehearsal clock of the service is shifted, from this run and earlier ones.
    pub async fn clock_shift(&self, service: &str) -> Result<Duration, Error> {
        let access = self.databases.get(service).ok_or_else(|| Error::Unknown(service.to_owned()))?;
        clock::shift(&self.postgres, &access.name).await
    }

    /// Ends everything in good order: simulators and services together, then the broker, then the database.
    pub async fn stop(self) {
        join_all(self.processes.values().map(|process| process.terminate())).await;
        join_all(self.brokers.iter().map(|broker| broker.process().terminate())).await;
        self.postgres.process().terminate().await;
    }
}

async fn start_brokers(layout: &Layout, ports: &Ports, options: &StackOptions) -> Result<Vec<Nats>, Error> {
    let names: &[&str] = if options.broker_cluster { &BROKERS } else { &BROKERS[..1] };
    let routes: Vec<u16> = names.iter().map(|name| ports.second(name).port()).collect();
    let password = secret::kept(&layout.password("nats"), secret::password)?;
    try_join_all(names.iter().map(|name| {
        let node = NatsNode { name: (*name).to_owned(), route: ports.second(name).port(), routes: routes.clone() };
        let how = NatsOptions {
            port: Some(ports.first(name)),
            node: options.broker_cluster.then_some(node),
            ..NatsOptions::new(BROKER_USER, &password)
        };
        async move { Nats::start(&layout.server(name), &options.tools.nats_server, &how).await }
    }))
    .await
}
