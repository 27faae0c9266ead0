//! PostgreSQL: the pool, the transaction that carries legal time, and what a failure means to a caller.
//!
//! Owns: connecting, beginning and committing, migrations. Does not own: any table.

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    PgConnection, PgPool, Postgres, Transaction,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// How to reach a service's own database.
#[derive(Debug, Clone)]
pub struct DatabaseOptions {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Database, one per service.
    pub name: String,
    /// Role, one per service.
    pub user: String,
    /// Password of the role; `None` where the server trusts the connection (tests).
    pub password: Option<SecretString>,
    /// Upper limit of the pool.
    pub max_connections: u32,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
}

impl DatabaseOptions {
    fn connect(&self) -> PgConnectOptions {
        let connect = PgConnectOptions::new()
            .host(&self.host)
            .port(self.port)
            .database(&self.name)
            .username(&self.user)
            .application_name(&self.application_name)
            .options([("timezone", "UTC")]);
        match &self.password {
            Some(password) => connect.password(password.expose_secret()),
            None => connect,
        }
    }
}

/// A service's database.
#[derive(Debug, Clone)]
pub struct Database {
    pool: PgPool,
}

impl Database {
    /// Connects with retries inside the pool; fails when the first connection cannot be made within ten seconds.
    pub async fn connect(options: &DatabaseOptions) -> Result<Self, sqlx::Error> {
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options.connect())
            .await?;
        Ok(Self { pool })
    }

    /// Lets connections that are opened from now on take these options, a new password for instance; the others stay. The size of
    /// the pool stays as well.
    pub fn connect_as(&self, options: &DatabaseOptions) {
        self.pool.set_connect_options(options.connect());
    }

    /// Wraps a pool that exists already (tests).
    pub fn from_pool(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The pool, for reads that need neither a transaction nor legal time.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Begins a transaction and reads legal time once.
    pub async fn begin(&self) -> Result<Tx, sqlx::Error> {
        let mut inner = self.pool.begin().await?;
        let at = legal_now(&mut inner).await?;
        Ok(Tx { inner, at })
    }

    /// Applies migrations under an advisory lock, so that several replicas may start at once.
    ///
    /// A database that a newer version of the service has migrated further is accepted as it is: during a rolling update, and
    /// after a roll-back of the programs, the older version works on the newer tables. One that has a migration which is not
    /// ours but older than our newest is somebody else's, and refused.
    pub async fn migrate(&self, migrators: &[&Migrator]) -> Result<(), MigrateError> {
        for migrator in migrators {
            let mut connection = self.pool.acquire().await?;
            let result = migrator.run(&mut *connection).await;
            if result.is_err() {
                // The migrator keeps its advisory lock when it refuses; the lock ends with the connection.
                connection.close().await?;
            }
            match result {
                Err(MigrateError::VersionMissing(version)) if migrator.iter().all(|own| own.version < version) => {}
                other => other?,
            }
        }
        Ok(())
    }
}

/// Legal time: the database's clock, which decides every deadline.
///
/// In a rehearsal (demo, tests) the database's administrator may have shifted it; a service cannot.
pub async fn legal_now(connection: &mut PgConnection) -> Result<Timestamp, sqlx::Error> {
    let now: jiff_sqlx::Timestamp = sqlx::query_scalar("SELECT messaging.legal_now()").fetch_one(connection).await?;
    Ok(now.to_jiff())
}

/// One unit of work: a transaction, and the legal time at which it began.
///
/// Everything that a use case does passes through here, and nothing leaves the database from inside.
/// Dropped without [`Tx::commit`], it rolls back.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Postgres>,
    at: Timestamp,
}

impl Tx {
    /// Legal time of this unit of work, in microseconds.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Makes the work durable.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        self.inner.commit().await
    }

    /// Undoes the work.
    pub async fn rollback(self) -> Result<(), sqlx::Error> {
        self.inner.rollback().await
    }
}

impl Deref for Tx {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}

/// True when the same work may succeed a moment later: the connection was lost, the pool is exhausted, the server restarts,
/// or PostgreSQL asks for a retry. For a request that is an answer 503, for an event another delivery.
pub fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        // The server, or what stands before it, closed the connection before its first word.
        sqlx::Error::Protocol(said) => said.contains("unexpected response from SSLRequest"),
        // SQLSTATE: 08 connection, 40 rollback (serialisation, deadlock), 53 resources, 57 operator intervention (shutdown,
        // cancelled by a time limit), 55P03 lock not available, 25P03 and 25P04 the transaction ran into its time limit.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            matches!(code.as_ref(), "55P03" | "25P03" | "25P04")
                || ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}
