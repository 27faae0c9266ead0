//! PostgreSQL: the pool, the transaction that carries legal time, and what a failure means to a caller.
//!
//! Owns: connecting, whether a standby may be read, beginning and committing, migrations. Does not own: any table.

mod standby;

pub use standby::{Standby, StandbyError};

use std::{
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rustls::{
    CertificateError,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, PgPool, Postgres, Transaction,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
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
    /// File with the certificates (PEM) of the authority that signed the server's: the connection is encrypted, and the server must
    /// prove its name (sslmode verify-full). Without it the server decides whether it is encrypted, and proves nothing.
    pub authority_file: Option<PathBuf>,
    /// Upper limit of the pool.
    pub max_connections: u32,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
}

impl DatabaseOptions {
    /// How to connect; fails when the certificates of the authority cannot be read.
    pub fn connect(&self) -> Result<PgConnectOptions, sqlx::Error> {
        let mut connect = PgConnectOptions::new()
            .host(&self.host)
            .port(self.port)
            .database(&self.name)
            .username(&self.user)
            .application_name(&self.application_name)
            .options([("timezone", "UTC")]);
        if let Some(password) = &self.password {
            connect = connect.password(password.expose_secret());
        }
        if let Some(file) = &self.authority_file {
            connect = connect.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert_from_pem(authority(file)?);
        }
        Ok(connect)
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
        let connect = options.connect()?;
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(connect)
            .await
            .map_err(|error| explained(error, options))?;
        Ok(Self { pool })
    }

    /// Lets connections that are opened from now on take these options, a new password for instance; the others stay. The size of
    /// the pool stays as well. Fails when the certificates of the authority cannot be read.
    pub fn connect_as(&self, options: &DatabaseOptions) -> Result<(), sqlx::Error> {
        self.pool.set_connect_options(options.connect()?);
        Ok(())
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
    ///
    /// People work on meanwhile. A statement that waits for its table has everybody wait behind it who comes later, and a backup or a
    /// long report may hold the table for minutes. So a migration asks for [`LOCK_WAIT`], steps back, and asks again after
    /// [`LOCK_PAUSE`], for [`LOCK_PATIENCE`]; what is done until then is rolled back with it.
    pub async fn migrate(&self, migrators: &[&Migrator]) -> Result<(), MigrateError> {
        for migrator in migrators {
            let begun = Instant::now();
            loop {
                match self.try_to_migrate(migrator).await {
                    Err(error) if is_locked_out(&error) && begun.elapsed() < LOCK_PATIENCE => {
                        tracing::info!(
                            error = &error as &dyn std::error::Error,
                            "a table is in use, or another replica migrates: the migration asks again"
                        );
                        tokio::time::sleep(LOCK_PAUSE).await;
                    }
                    Err(MigrateError::VersionMissing(version)) if migrator.iter().all(|own| own.version < version) => {
                        break;
                    }
                    other => {
                        other?;
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    async fn try_to_migrate(&self, migrator: &Migrator) -> Result<(), MigrateError> {
        // A connection of its own: the migrator keeps its advisory lock when it refuses, and nobody else shall have the limit.
        let mut connection = self.pool.acquire().await?.detach();
        let limit = format!("SET lock_timeout = {}", LOCK_WAIT.as_millis());
        sqlx::query(AssertSqlSafe(limit)).execute(&mut connection).await?;
        let result = migrator.run(&mut connection).await;
        connection.close().await?;
        result
    }
}

/// How long a migration waits for a table, and everybody else with it.
pub const LOCK_WAIT: Duration = Duration::from_millis(300);
/// How long it leaves people to themselves before it asks again.
pub const LOCK_PAUSE: Duration = Duration::from_secs(1);
/// How long it goes on asking.
pub const LOCK_PATIENCE: Duration = Duration::from_mins(10);

/// Whether a lock was not to be had in time.
fn is_locked_out(error: &MigrateError) -> bool {
    let (MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _)) = error else { return false };
    cause.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() == Some("55P03")
}

/// The server's certificate is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error(
    "数据库服务器 {host} 的证书不可信：{zh}（database.authority_file：{}） | the certificate of the database server {host} is not trusted: {en} (database.authority_file: {})",
    authority.display(),
    authority.display()
)]
struct UntrustedServer {
    host: String,
    authority: PathBuf,
    zh: &'static str,
    en: String,
    source: rustls::Error,
}

/// The certificates of an authority. Read before the first connection: a mistake in a path must not look like one in the network.
fn authority(file: &Path) -> Result<Vec<u8>, sqlx::Error> {
    let failed = |reason: String| {
        let text = format!("database.authority_file {}: {reason}", file.display());
        sqlx::Error::Configuration(text.into())
    };
    let pem = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    let found = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(found) if !found.is_empty() => Ok(pem),
        Ok(_) => Err(failed("文件中没有证书 | it holds no certificate".to_owned())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Says which server and which file a refused certificate is about.
fn explained(error: sqlx::Error, options: &DatabaseOptions) -> sqlx::Error {
    let found = match &error {
        sqlx::Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        sqlx::Error::Tls(error) => error.downcast_ref::<rustls::Error>(),
        _ => None,
    };
    let (Some(source @ rustls::Error::InvalidCertificate(reason)), Some(authority)) = (found, &options.authority_file)
    else {
        return error;
    };
    let (zh, en) = match reason {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ("证书不是为这个主机名签发的", "it was not made for this name".to_owned())
        }
        CertificateError::UnknownIssuer => {
            ("不是由指定的机构签发的", "it was not signed by the authority in the file".to_owned())
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => ("已过期", "it has expired".to_owned()),
        other => ("无效", other.to_string()),
    };
    let host = options.host.clone();
    sqlx::Error::Tls(Box::new(UntrustedServer { host, authority: authority.clone(), zh, en, source: source.clone() }))
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
