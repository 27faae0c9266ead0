//! Doors: the addresses by which everybody reaches services and database, with the processes behind them, as a cluster's
//! addresses lead to whatever pods are ready.
//!
//! A door (see [`Door`]) passes connections on and knows nothing of what goes over them. Behind a service's door are its one or
//! two processes: a new connection goes by turns to those that say they are ready, and when one of them has just died, whoever
//! is led to it is refused until that is noticed, as on a cluster. Behind the database's door is one server; when it moves
//! (restore, a promoted standby), the door is led elsewhere, as the operator of PostgreSQL does with its address.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use local_stack::{Ready, ServiceProcess, Settings, Stack, free_port};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::config::{self, Places};

/// Between two looks at whether a process is ready.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What a door leads to.
#[derive(Debug, Clone)]
struct Target {
    address: SocketAddr,
    /// What says whether it is ready; `None`: always.
    ready: Option<Ready>,
    /// What was seen last.
    is_ready: bool,
    /// Taken out by hand, as a pod that is about to end leaves the endpoints.
    out: bool,
}

#[derive(Debug)]
struct Behind {
    targets: Mutex<(Vec<Target>, usize)>,
    /// Changes when all connections have to end.
    cut: watch::Sender<u64>,
}

impl Behind {
    /// The next by turns of those that may be led to.
    fn next(&self) -> Option<SocketAddr> {
        let mut guard = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let (targets, turn) = &mut *guard;
        *turn = turn.wrapping_add(1);
        let open: Vec<_> = targets.iter().filter(|target| target.is_ready && !target.out).collect();
        (!open.is_empty()).then(|| open[*turn % open.len()].address)
    }
}

/// A port of 127.0.0.1 that leads elsewhere.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    behind: Arc<Behind>,
    // Ends with the door.
    _tasks: JoinSet<()>,
}

impl Door {
    /// Opens a door to these addresses, each with what says whether it is ready.
    pub fn open(targets: Vec<(SocketAddr, Option<Ready>)>) -> anyhow::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let listener = std::net::TcpListener::bind(address).with_context(|| format!("listening on {address}"))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let targets: Vec<_> = targets
            .into_iter()
            .map(|(address, ready)| Target { address, is_ready: ready.is_none(), ready, out: false })
            .collect();
        let behind = Arc::new(Behind { targets: Mutex::new((targets, 0)), cut: watch::Sender::new(0) });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&behind)));
        tasks.spawn(look(Arc::clone(&behind)));
        Ok(Self { address, behind, _tasks: tasks })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads nobody new to the process of that place; who is there already stays.
    pub fn take_out(&self, place: usize) {
        self.set_out(place, true);
    }

    /// Leads people there again, once it is ready.
    pub fn put_back(&self, place: usize) {
        self.set_out(place, false);
    }

    fn set_out(&self, place: usize, out: bool) {
        let mut guard = self.behind.targets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = guard.0.get_mut(place) {
            target.out = out;
            // What was seen before counts no more.
            target.is_ready = target.ready.is_none();
        }
    }

    /// Cuts every connection and leads to this address alone from now on.
    pub fn lead_to(&self, address: SocketAddr) {
        let target = Target { address, ready: None, is_ready: true, out: false };
        self.behind.targets.lock().unwrap_or_else(PoisonError::into_inner).0 = vec![target];
        self.behind.cut.send_modify(|count| *count += 1);
    }

    /// Cuts every connection and leads nowhere until told otherwise.
    pub fn shut(&self) {
        self.behind.targets.lock().unwrap_or_else(PoisonError::into_inner).0.clear();
        self.behind.cut.send_modify(|count| *count += 1);
    }

    /// How many processes people are led to now.
    pub fn open_targets(&self) -> usize {
        let guard = self.behind.targets.lock().unwrap_or_else(PoisonError::into_inner);
        guard.0.iter().filter(|target| target.is_ready && !target.out).count()
    }
}

async fn accept(listener: TcpListener, behind: Arc<Behind>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                connections.spawn(pass(client, Arc::clone(&behind)));
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// Passes on until one side ends or the door is cut. Dropping the streams ends the other side.
async fn pass(mut client: TcpStream, behind: Arc<Behind>) {
    let mut cut = behind.cut.subscribe();
    let Some(address) = behind.next() else { return };
    let Ok(mut server) = TcpStream::connect(address).await else { return };
    client.set_nodelay(true).ok();
    server.set_nodelay(true).ok();
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
        _ = cut.changed() => {}
    }
}

async fn look(behind: Arc<Behind>) {
    loop {
        let asked: Vec<_> = {
            let guard = behind.targets.lock().unwrap_or_else(PoisonError::into_inner);
            guard.0.iter().filter_map(|target| Some((target.address, target.ready.clone()?))).collect()
        };
        for (address, ready) in asked {
            let is_ready = ready.look().await.is_ok();
            let mut guard = behind.targets.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(target) = guard.0.iter_mut().find(|target| target.address == address) {
                target.is_ready = is_ready;
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// All doors of a world.
#[derive(Debug)]
pub struct Doors {
    database: Door,
    services: BTreeMap<String, Door>,
    /// HTTP and operations of each second process.
    second: BTreeMap<String, (SocketAddr, SocketAddr)>,
}

impl Doors {
    /// A door for the database and one for each service.
    pub(super) fn open(stack: &Stack, services: &[&str], processes: usize) -> anyhow::Result<Self> {
        let any = || Ok::<_, local_stack::Error>(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)));
        let database = SocketAddr::from((Ipv4Addr::LOCALHOST, stack.postgres().port()));
        // As the chart asks: requests do not need the broker.
        let ready = |address| Some(Ready::Http { address, path: "/readyz?exclude=broker".to_owned() });
        let mut doors =
            Self { database: Door::open(vec![(database, None)])?, services: BTreeMap::new(), second: BTreeMap::new() };
        for name in services {
            let first = stack.settings(name);
            let mut targets = vec![(first.http, ready(first.second))];
            if processes > 1 {
                let (http, operations) = (any()?, any()?);
                targets.push((http, ready(operations)));
                doors.second.insert((*name).to_owned(), (http, operations));
            }
            doors.services.insert((*name).to_owned(), Door::open(targets)?);
        }
        Ok(doors)
    }

    /// The database's.
    pub fn database(&self) -> &Door {
        &self.database
    }

    /// A service's.
    pub fn service(&self, name: &str) -> anyhow::Result<&Door> {
        self.services.get(name).with_context(|| format!("no door of {name}"))
    }

    /// Where a service's second process answers: people, and operations.
    pub fn second(&self, name: &str) -> anyhow::Result<(SocketAddr, SocketAddr)> {
        self.second.get(name).copied().with_context(|| format!("no second {name}"))
    }

    /// The same settings with the doors' addresses wherever others are named.
    pub(super) fn shown(&self, mut settings: Settings) -> Settings {
        for (name, door) in &self.services {
            settings.addresses.insert(name.clone(), door.address());
        }
        if let Some(database) = &mut settings.database {
            database.port = self.database.address().port();
        }
        settings
    }

    /// Starts the second process of a service: the same database, broker and keys, ports and a log of its own.
    pub(super) fn start_second(
        &self,
        stack: &Stack,
        name: &str,
        places: &Places,
        environment: &[(String, String)],
    ) -> anyhow::Result<ServiceProcess> {
        let (http, second) = self.second(name)?;
        let settings = self.shown(Settings { http, second, ..stack.settings(name) });
        let file = stack.folder().join("config").join(format!("{name}-2.toml"));
        std::fs::write(&file, config::text(&settings, places)).context("writing the second configuration")?;
        let log = stack.folder().join("logs").join(format!("{name}-2.log"));
        Ok(ServiceProcess::spawn(&super::program_of(stack.folder(), 1, name), &file, environment, &log, second)?)
    }
}
