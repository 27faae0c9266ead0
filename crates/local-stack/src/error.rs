//! What can go wrong when an installation is started on one machine.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// Why the local installation does not stand as asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program that we need is not on the machine.
    #[error("{what} is missing: {remedy}")]
    Missing {
        /// The program.
        what: &'static str,
        /// What to do about it.
        remedy: String,
    },
    /// A file or folder could not be read or written.
    #[error("{action} {path}", path = path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// Another run uses the same folder.
    #[error("another run uses the folder {}: stop it first", .0.display())]
    Busy(PathBuf),
    /// The program could not be started at all.
    #[error("starting {name} ({binary})", binary = binary.display())]
    Spawn {
        /// Name of the process.
        name: String,
        /// Its program.
        binary: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The process ended before it was ever ready.
    #[error("{name} ended before it was ready ({status}); the end of {log}:\n{tail}", log = log.display())]
    Ended {
        /// Name of the process.
        name: String,
        /// How it ended.
        status: ExitStatus,
        /// Its log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// The process runs, but did not get ready within its limit.
    #[error("{name} was not ready within {seconds} s ({last}); the end of {log}:\n{tail}", log = log.display())]
    NotReady {
        /// Name of the process.
        name: String,
        /// The limit, in seconds.
        seconds: u64,
        /// What the last look at it said.
        last: String,
        /// Its log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// The process was stopped on purpose, so nobody can wait for it to be ready.
    #[error("{0} is stopped")]
    Stopped(String),
    /// No process of that name belongs to the stack.
    #[error("no process is called {0}")]
    Unknown(String),
    /// A helper program (initdb) failed.
    #[error("{program} failed: {output}")]
    Helper {
        /// The helper.
        program: &'static str,
        /// What it wrote.
        output: String,
    },
    /// The process runs as root and PostgreSQL needs the user `postgres`, which does not exist.
    #[error("running as root needs the user postgres: run deploy/dev/install.sh")]
    NoPostgresUser,
    /// A name that cannot be a database's or a role's.
    #[error("not a name for a database: {0}")]
    Name(String),
    /// PostgreSQL refused.
    #[error("{action} in PostgreSQL")]
    Database {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: sqlx::Error,
    },
    /// A key could not be made.
    #[error("making the key {name}")]
    Key {
        /// Which key.
        name: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No port was free.
    #[error("no free port between 20000 and 32000")]
    NoPort,
}

impl Error {
    /// Wraps a file error with its action and path.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    /// Wraps a database error with its action.
    pub(crate) fn database(action: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database { action, source }
    }
}
