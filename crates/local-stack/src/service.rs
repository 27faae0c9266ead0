//! One of our own programs: started with `--config FILE`, ready when `/readyz` answers 200.

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use crate::{Error, Process, Program, Ready};

/// A service, or a simulator that behaves like one.
#[derive(Debug)]
pub struct ServiceProcess(Process);

impl ServiceProcess {
    /// Starts the program; [`Process::ready`] then waits for `/readyz` at `operations`.
    ///
    /// Its name is the program's. It inherits the environment, except what is meant for another installation
    /// (`DUDAO_*`, `PG*`, `DATABASE_URL`, `NATS_URL`), and gets `env` on top.
    pub fn spawn(
        binary: &Path,
        config: &Path,
        env: &[(String, String)],
        log: &Path,
        operations: SocketAddr,
    ) -> Result<Self, Error> {
        if !binary.is_file() {
            return Err(Error::Missing {
                what: "one of our own programs",
                remedy: format!("{} does not exist; build it first (cargo build --workspace)", binary.display()),
            });
        }
        let name = binary.file_name().unwrap_or_default().to_string_lossy();
        let program = Program::new(name, binary, log, Ready::readyz(operations))
            .arguments(["--config".as_ref(), config.as_os_str()])
            .environment(env.iter().cloned())
            .working_folder(config.parent().unwrap_or(Path::new("/")))
            .ready_within(Duration::from_mins(1));
        Process::spawn(program).map(Self)
    }
}

impl Deref for ServiceProcess {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.0
    }
}
