//! What is needed to start one process, again and again.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::folder::RunAs;
use crate::{Error, Ready, StopSignal};

/// Exit code of a process whose configuration is wrong (`EX_CONFIG` of sysexits.h): starting it again is no use.
const WRONG_CONFIGURATION: i32 = 78;

/// A program and how to run it.
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) name: String,
    pub(crate) binary: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) working_folder: PathBuf,
    pub(crate) user: Option<RunAs>,
    pub(crate) log: PathBuf,
    pub(crate) pid_file: PathBuf,
    pub(crate) ready: Ready,
    pub(crate) ready_limit: Duration,
    pub(crate) stop_signal: StopSignal,
    pub(crate) stop_limit: Duration,
    pub(crate) patient: bool,
}

impl Program {
    /// A program that logs to `log` and is ready when `ready` says so. Its pid file lies beside the log.
    pub fn new(name: impl Into<String>, binary: impl Into<PathBuf>, log: impl Into<PathBuf>, ready: Ready) -> Self {
        let log = log.into();
        Self {
            name: name.into(),
            binary: binary.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            working_folder: PathBuf::from("/"),
            user: None,
            pid_file: log.with_extension("pid"),
            log,
            ready,
            ready_limit: Duration::from_mins(1),
            stop_signal: StopSignal::Terminate,
            stop_limit: Duration::from_secs(30),
            patient: false,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds environment variables.
    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment.extend(variables);
        self
    }

    /// Where it runs; `/` when not said.
    #[must_use]
    pub fn working_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.working_folder = folder.into();
        self
    }

    /// How long it may take to get ready; 60 s when not said.
    #[must_use]
    pub fn ready_within(mut self, limit: Duration) -> Self {
        self.ready_limit = limit;
        self
    }

    /// The signal that ends it in good order (SIGTERM when not said), and after how long it is shot (30 s).
    #[must_use]
    pub fn stopped_by(mut self, signal: StopSignal, limit: Duration) -> Self {
        self.stop_signal = signal;
        self.stop_limit = limit;
        self
    }

    /// Tried again even when it ends before it was ever ready. Otherwise that is taken for a mistake in its start.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.patient = true;
        self
    }

    pub(crate) fn run_as(mut self, user: Option<RunAs>) -> Self {
        self.user = user;
        self
    }

    /// Where it logs.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Whether a process that ended so should be started again.
    pub(crate) fn worth_a_restart(&self, status: ExitStatus, was_ready: bool) -> bool {
        // A signal is never the program's own decision about its configuration.
        status.code() != Some(WRONG_CONFIGURATION) && (was_ready || self.patient || status.signal().is_some())
    }

    pub(crate) fn spawn(&self) -> Result<Child, Error> {
        let failed = |source| Error::Spawn { name: self.name.clone(), binary: self.binary.clone(), source };
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .map_err(Error::file("opening", &self.log))?;
        let mut command = Command::new(&self.binary);
        // The developer's shell may be set up for another installation; nothing of that may leak in.
        for (name, _) in std::env::vars_os() {
            if ["DUDAO_", "PG", "DATABASE_URL", "NATS_URL"]
                .iter()
                .any(|start| name.to_string_lossy().starts_with(start))
            {
                command.env_remove(name);
            }
        }
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.working_folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log)
            // A group of its own: Ctrl-C goes to us, and we stop everything in the right order.
            .process_group(0);
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command.spawn().map_err(failed)
    }
}
