//! Where things lie in a stack's folder, and the ports, which a later run finds again.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{BROKERS, SERVICES, SIMULATORS};
use crate::{Error, StopSignal, folder, free_port, leftover, port, secret};

/// The paths of a stack.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(super) fn create(root: &Path) -> Result<Self, Error> {
        folder::create(root)?;
        let root = root.canonicalize().map_err(Error::file("resolving", root))?;
        for name in ["config", "files", "keys/journal", "keys/token/public", "logs", "own", "secrets"] {
            folder::create(&root.join(name))?;
        }
        // Not the root: the user postgres has to pass through it.
        for name in ["config", "keys", "secrets"] {
            folder::restrict(&root.join(name), 0o700)?;
        }
        Ok(Self { root })
    }

    /// Fails when another run holds the folder.
    pub(super) fn lock(&self) -> Result<std::fs::File, Error> {
        let path = self.root.join("lock");
        let file = std::fs::File::create(&path).map_err(Error::file("opening", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => Err(Error::Busy(self.root.clone())),
            Err(std::fs::TryLockError::Error(error)) => Err(Error::file("locking", &path)(error)),
        }
    }

    pub(super) fn end_leftover(&self, name: &str) {
        leftover::end(&self.log(name).with_extension("pid"), StopSignal::Terminate, Duration::from_secs(10));
    }

    pub(super) fn end_leftover_servers(&self) {
        for name in BROKERS {
            leftover::end(&self.server(name).join("nats.pid"), StopSignal::Terminate, Duration::from_secs(10));
        }
        leftover::end(&self.postgres().join("postgres.pid"), StopSignal::Interrupt, Duration::from_secs(20));
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.root.join("postgres")
    }

    pub(super) fn server(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(super) fn files(&self) -> PathBuf {
        self.root.join("files")
    }

    pub(super) fn ports_file(&self) -> PathBuf {
        self.root.join("ports.json")
    }

    pub(super) fn own(&self, name: &str) -> PathBuf {
        self.root.join("own").join(name)
    }

    pub(super) fn config(&self, name: &str) -> PathBuf {
        self.root.join("config").join(format!("{name}.toml"))
    }

    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }

    pub(super) fn password(&self, name: &str) -> PathBuf {
        self.root.join("secrets").join(format!("{name}.password"))
    }

    pub(super) fn journal_key(&self, name: &str) -> PathBuf {
        self.root.join("keys/journal").join(format!("{name}.key"))
    }

    pub(super) fn journal_public_key(&self, name: &str) -> PathBuf {
        self.root.join("keys/journal").join(format!("{name}.pub"))
    }

    pub(super) fn token_key(&self) -> PathBuf {
        self.root.join("keys/token/registry-1.pem")
    }

    pub(super) fn token_public_keys(&self) -> PathBuf {
        self.root.join("keys/token/public")
    }

    pub(super) fn token_public_key(&self) -> PathBuf {
        self.token_public_keys().join("registry-1.pem")
    }
}

/// Two ports for every process.
#[derive(Debug, Clone)]
pub(super) struct Ports(BTreeMap<String, [u16; 2]>);

impl Ports {
    /// Takes the wished first port if it is free, else the last run's, else any, and notes what was taken.
    pub(super) fn choose(file: &Path, wishes: &BTreeMap<String, u16>) -> Result<Self, Error> {
        let last: BTreeMap<String, [u16; 2]> =
            std::fs::read_to_string(file).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let mut taken = Vec::new();
        let mut pick = |candidates: [Option<u16>; 2]| {
            let free = candidates.into_iter().flatten().find(|port| !taken.contains(port) && port::is_free(*port));
            let chosen = free.map_or_else(free_port, Ok)?;
            taken.push(chosen);
            Ok::<u16, Error>(chosen)
        };
        let mut ports = BTreeMap::new();
        // Those with a wish first, so that no other takes it because the last run had it.
        let mut names: Vec<&str> = ["postgres"].into_iter().chain(BROKERS).chain(SERVICES).chain(SIMULATORS).collect();
        names.sort_by_key(|name| !wishes.contains_key(*name));
        for name in names {
            let before = last.get(name).copied();
            let first = pick([wishes.get(name).copied(), before.map(|ports| ports[0])])?;
            let second = pick([before.map(|ports| ports[1]), None])?;
            ports.insert(name.to_owned(), [first, second]);
        }
        let text = serde_json::to_string_pretty(&ports).unwrap_or_default();
        secret::write(file, &text, 0o644)?;
        Ok(Self(ports))
    }

    pub(super) fn first(&self, name: &str) -> u16 {
        self.0.get(name).map_or(0, |ports| ports[0])
    }

    pub(super) fn http(&self, name: &str) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.first(name)))
    }

    pub(super) fn second(&self, name: &str) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.0.get(name).map_or(0, |ports| ports[1])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_stay_the_same_from_run_to_run_unless_somebody_took_them() {
        let file = std::env::temp_dir().join(format!("local-stack-ports-{}", std::process::id()));
        let port = free_port().unwrap();
        let wishes = BTreeMap::from([("console".to_owned(), port)]);
        let first = Ports::choose(&file, &wishes).unwrap();
        assert_eq!(first.first("console"), port);
        let held = std::net::TcpListener::bind(first.http("tasks")).unwrap();
        let second = Ports::choose(&file, &wishes).unwrap();
        assert_ne!(first.first("tasks"), second.first("tasks"));
        assert_eq!(first.second("tasks"), second.second("tasks"));
        assert_eq!(first.first("registry"), second.first("registry"));
        let all: std::collections::BTreeSet<u16> = second.0.values().flatten().copied().collect();
        assert_eq!(all.len(), 2 * second.0.len(), "no port is given twice");
        drop(held);
        std::fs::remove_file(&file).unwrap();
    }
}
