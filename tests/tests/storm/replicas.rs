//! The servers, and two processes of `deadlines` on one database.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use dudao::keys::{self, KeyPurpose};
use jiff::Timestamp;
use local_stack::{
    KeyMakers, KeyTexts, Process, ServiceProcess, Settings, Stack, StackOptions, Tools, free_port, workspace_root,
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};

use tests::world::config::{self, Places};

const SERVICE: &str = "deadlines";
/// The longest that a server which was shot takes until it answers again, on a machine with two busy cores.
const LIMIT: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What is shot.
pub struct Replicas {
    second: ServiceProcess,
    stack: Stack,
    /// The database, as the service's role.
    pub pool: PgPool,
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

impl Replicas {
    /// Starts everything; durable, for a database that is shot must not lose what it has committed.
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        let workspace = workspace_root();
        let keys = KeyMakers { journal: journal_key, token: token_key };
        let options = StackOptions::new(folder, Tools::find(&workspace)?, binaries(folder)?, keys);
        let mut stack = Stack::open(options).await?;
        let nothing = || stack.folder().join("nothing");
        let places = Places {
            bucket: None,
            rulebook: workspace.join("rulebook"),
            operator_password: nothing(),
            cookie_key: nothing(),
            link_key: nothing(),
            rendering_key: nothing(),
            rendering_public_key: String::new(),
        };
        stack.start(&[SERVICE], |settings| config::text(settings, &places)).await?;

        // The other replica: the same database, broker and keys; ports and a log of its own.
        let first = stack.settings(SERVICE);
        let any = || Ok::<_, local_stack::Error>(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)));
        let settings = Settings { http: any()?, second: any()?, ..first };
        let file = stack.folder().join("config").join("deadlines-2.toml");
        std::fs::write(&file, config::text(&settings, &places)).context("writing the second configuration")?;
        let log = stack.folder().join("logs").join("deadlines-2.log");
        let binary = folder.join("bin").join(SERVICE);
        let second = ServiceProcess::spawn(&binary, &file, &[], &log, settings.ready_at())?;
        second.ready().await?;

        let database = settings.database.context("deadlines has a database")?;
        let password = std::fs::read_to_string(&database.password_file).context("reading the database's password")?;
        let options = PgConnectOptions::new_without_pgpass()
            .host(&database.host)
            .port(database.port)
            .database(&database.name)
            .username(&database.user)
            .password(password.trim_end())
            .application_name("storm");
        let pool = PgPoolOptions::new().max_connections(4).acquire_timeout(LIMIT).connect_with(options).await?;
        Ok(Self { second, stack, pool })
    }

    /// A replica, 0 or 1.
    pub fn replica(&self, index: usize) -> anyhow::Result<&Process> {
        if index == 0 { Ok(self.stack.process(SERVICE)?) } else { Ok(&self.second) }
    }

    /// The database server.
    pub fn postgres(&self) -> &Process {
        self.stack.postgres().process()
    }

    /// The broker.
    pub fn nats(&self) -> &Process {
        self.stack.nats().process()
    }

    /// Sets legal time to an instant, from which it runs on.
    pub async fn set_clock(&self, to: &str) -> anyhow::Result<()> {
        let to: Timestamp = to.parse()?;
        let text = format!("UPDATE rehearsal.clock SET shift = '{to}'::timestamptz - clock_timestamp()");
        self.as_administrator(&text).await
    }

    /// Steps legal time by so many hours. Asked again after a lost connection it comes out the same: the shift is set.
    pub async fn step_clock(&self, hours: i64) -> anyhow::Result<()> {
        let shift: String = self.value("SELECT shift::text FROM rehearsal.clock").await?;
        let text = format!("UPDATE rehearsal.clock SET shift = '{shift}'::interval + interval '{hours} hours'");
        self.as_administrator(&text).await
    }

    /// The rehearsal clock is the administrator's alone.
    async fn as_administrator(&self, text: &str) -> anyhow::Result<()> {
        until("moving the clock", || async {
            let mut connection = self.stack.postgres().connect(SERVICE).await?;
            sqlx::query(AssertSqlSafe(text)).execute(&mut connection).await?;
            Ok(())
        })
        .await
    }

    /// The one value of a query, asked until the database answers.
    pub async fn value<T>(&self, query: &str) -> anyhow::Result<T>
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        until(query, || async { Ok(sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&self.pool).await?) }).await
    }

    /// Waits until everything answers again.
    pub async fn stand_again(&self) -> anyhow::Result<()> {
        self.stack.all_ready().await?;
        Ok(self.second.ready().await?)
    }

    /// Ends everything in good order.
    pub async fn stop(self) {
        self.pool.close().await;
        self.second.terminate().await;
        self.stack.stop().await;
    }
}

/// Tries until it succeeds: whoever was shot comes back.
async fn until<T, F>(what: &str, mut attempt: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let began = Instant::now();
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) if began.elapsed() > LIMIT => return Err(error).with_context(|| what.to_owned()),
            Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

/// A copy of the service's program, which stands one folder above this test: a build that goes on meanwhile would change what
/// comes back after a shot.
fn binaries(folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    let own = std::env::current_exe().context("where is this program?")?;
    let built = own.ancestors().nth(2).context("a test lies two folders deep")?.join(SERVICE);
    let copies = folder.join("bin");
    std::fs::create_dir_all(&copies).context("making a folder for the program")?;
    std::fs::copy(&built, copies.join(SERVICE))
        .with_context(|| format!("copying {}; build it first (cargo build --workspace --bins)", built.display()))?;
    Ok(copies)
}
