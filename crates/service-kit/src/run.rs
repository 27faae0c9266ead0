//! Starting and stopping a service in the right order.

use std::future::Future;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use access::{Access, Policies, TokenVerifier};
use anyhow::Context as _;
use axum::Router;
use axum::middleware::from_fn_with_state;
use jiff::Timestamp;
use messaging::{Broker, BrokerOptions, JournalKey, JournalPublicKey, Relay, verify};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Gauge, Meter};
use postgres::{Database, DatabaseOptions};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::assembled::{Kit, Service, routes_of};
use crate::clock::{Clock, SystemClock};
use crate::clock_watch::ClockWatch;
use crate::config::{
    Arguments, BrokerSection, Common, ConfigRoot, EX_CONFIG, HttpSection, SecretFile, TelemetrySection, Validate,
};
use crate::files::Files;
use crate::health::Health;
use crate::ids::SystemIds;
use crate::telemetry::{Metrics, Telemetry};
use crate::worker::{Round, Worker};
use crate::{checks, clock_watch, http_client, idempotency, server, telemetry};

/// Longest time for workers and consumers to finish at shutdown.
pub(crate) const WORK_LIMIT: Duration = Duration::from_secs(15);
/// Longest time for the relay to publish what is committed at shutdown.
const RELAY_LIMIT: Duration = Duration::from_secs(5);
/// How long a service waits for its database at start.
const DATABASE_LIMIT: Duration = Duration::from_mins(1);
/// Days after which an idempotency key is forgotten.
const KEY_DAYS: i32 = 7;

/// The whole main function of a service with a database.
pub fn run<S: Service>() -> ExitCode {
    main_of::<S::Config, _, _>(
        S::NAME,
        |config, telemetry, arguments| async move { run_service::<S>(config, telemetry, arguments.migrate).await },
        |common| common.telemetry.clone(),
    )
}

/// Command line, configuration, runtime, telemetry; then `body`.
pub(crate) fn main_of<C, F, Fut>(
    name: &'static str,
    body: F,
    telemetry_of: impl FnOnce(&C::Common) -> TelemetrySection,
) -> ExitCode
where
    C: ConfigRoot + Validate,
    F: FnOnce(C, Telemetry, Arguments) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    crate::install_crypto();
    let arguments = match Arguments::read(name, std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { EX_CONFIG } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let config = match crate::config::load::<C>(arguments.config.as_deref(), &crate::config::environment()) {
        Ok(config) => config,
        Err(faults) => {
            say(&faults.to_string());
            return ExitCode::from(EX_CONFIG);
        }
    };
    if arguments.check_config {
        say("配置正确。\nThe configuration is right.\n");
        return ExitCode::SUCCESS;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("{name}: {error}\n"));
            return ExitCode::FAILURE;
        }
    };
    let section = telemetry_of(config.common());
    runtime.block_on(async move {
        let telemetry = match telemetry::start(name, &section) {
            Ok(telemetry) => telemetry,
            Err(error) => {
                say(&format!("{name}: {:#}\n", anyhow::Error::from(error)));
                return ExitCode::FAILURE;
            }
        };
        let result = body(config, telemetry.clone(), arguments).await;
        if let Err(error) = &result {
            tracing::error!(error = format!("{error:#}"), "the service stops");
            say(&format!("{name}: {error:#}\n"));
        }
        telemetry.shutdown().await;
        if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    })
}

/// Words for the terminal of whoever started the process, before or beside the log.
fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

async fn run_service<S: Service>(config: S::Config, telemetry: Telemetry, only_migrate: bool) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let common = config.common().clone();
    server::until_stopped(stop.clone(), async move {
        let name = S::NAME;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let journal_key = JournalKey::from_bytes(common.journal.signing_key_file.expose().as_bytes())
            .context("journal.signing_key_file")?;
        let mut trusted = vec![journal_key.public()];
        for key in &common.journal.earlier_public_keys {
            trusted.push(JournalPublicKey::from_hex(key).context("journal.earlier_public_keys")?);
        }
        let access = access_for(&common.access.public_keys, Arc::clone(&clock))?;
        let files = Files::open(&common.files).context("files")?;
        let http = http_client::client(&(&common.outbound).into())?;

        let Some(database) = connect(name, &common, &stop).await? else { return Ok(()) };
        database.migrate(&[&messaging::MIGRATOR, S::migrator()]).await.context("migrations")?;
        if only_migrate {
            tracing::info!("all migrations are applied");
            return Ok(());
        }
        checks::refuse_moved_clock(&database, common.clock.allow_rehearsal).await?;
        let broker = Broker::connect(&BrokerOptions {
            url: common.broker.url.clone(),
            prefix: common.broker.subject_prefix.clone(),
            replicas: common.broker.replicas,
            credentials_file: common.broker.credentials_file.clone(),
            user: broker_user(&common.broker),
            authority_file: common.broker.authority_file.clone(),
            name: format!("dudao-{name}"),
        })
        .await
        .context("broker")?;
        let kit = Kit {
            name,
            database: database.clone(),
            broker: broker.clone(),
            access,
            http,
            clock: Arc::clone(&clock),
            ids: Arc::new(SystemIds),
            files,
            metrics: telemetry.metrics().clone(),
        };

        let mut assembled = S::assemble(config, kit.clone()).await.context("assemble")?;
        let mut checks = checks::of_service(&kit, S::migrator(), common.clock.allow_rehearsal);
        checks.append(&mut assembled.checks);
        let health = Health::new(name, checks);
        let trusted: Arc<[JournalPublicKey]> = trusted.into();
        let watch = ClockWatch::new(database.clone(), Arc::clone(&clock));
        let routes = routes_of(&mut assembled, &kit, &common.http, Arc::clone(&trusted))
            .layer(from_fn_with_state(watch.clone(), clock_watch::excuse));

        let working = CancellationToken::new();
        let tasks = TaskTracker::new();
        for consumer in std::mem::take(&mut assembled.consumers) {
            tasks.spawn(consumer(working.clone()));
        }
        let mut workers = std::mem::take(&mut assembled.workers);
        workers.push(key_cleaner(database.clone()));
        workers.push(key_reader(kit.access.clone()));
        workers.push(password_reader(database.clone(), common.database.options(&format!("dudao-{name}")), &common));
        workers.push(journal_pulse(name, database.clone(), &kit.metrics));
        workers.push(clock_pulse(name, watch, &kit.metrics));
        workers.push(journal_verifier(database.clone(), trusted, &kit.metrics));
        for worker in workers {
            tasks.spawn(worker.run(kit.metrics.meter(), working.clone()));
        }
        let relaying = CancellationToken::new();
        let journal_key = Arc::new(journal_key);
        let relay = Relay::new(database.clone(), broker.clone(), name, Arc::clone(&journal_key));
        let relay_task = tokio::spawn(relay.run(relaying.clone()));

        // Requests first, then consumers and workers, then what they have committed, then the traces (in main).
        let served = serve_all(routes, health, &kit.metrics, &common.http, stop).await;
        working.cancel();
        finish("consumers and workers", WORK_LIMIT, {
            tasks.close();
            tasks.wait()
        })
        .await;
        relaying.cancel();
        finish("relay", RELAY_LIMIT, async {
            let _ = relay_task.await;
            let relay = Relay::new(database.clone(), broker.clone(), name, journal_key);
            if broker.is_connected()
                && let Err(error) = relay.drain().await
            {
                tracing::warn!(error = %error, "the journal's rest is published at the next start");
            }
            broker.flush().await;
        })
        .await;
        tracing::info!("stopped");
        served
    })
    .await
}

/// Serves the routes, and health on the same or on a second listener, until `stop`.
pub(crate) async fn serve_all(
    routes: Router,
    health: Health,
    metrics: &Metrics,
    http: &HttpSection,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let operations = health.clone().routes(metrics.clone());
    let drain = Duration::from_secs(http.drain_seconds);
    let announce = {
        let (stop, health) = (stop.clone(), health);
        tokio::spawn(async move {
            stop.cancelled().await;
            health.stopping();
        })
    };
    let result = async {
        let listener = server::listen(http.listen).await?;
        let address = listener.local_addr()?;
        match http.operations_listen {
            None => {
                tracing::info!(%address, "listening");
                server::serve(listener, operations.merge(routes), stop.clone(), drain).await?;
            }
            Some(second) => {
                let second = server::listen(second).await?;
                tracing::info!(%address, operations = %second.local_addr()?, "listening");
                tokio::try_join!(
                    server::serve(listener, routes, stop.clone(), drain),
                    server::serve(second, operations, stop.clone(), drain),
                )?;
            }
        }
        anyhow::Ok(())
    }
    .await;
    // Also when a listener failed: whoever waits for the stop must not wait for ever.
    stop.cancel();
    announce.abort();
    result
}

pub(crate) async fn finish(what: &'static str, limit: Duration, work: impl Future<Output = ()>) {
    if tokio::time::timeout(limit, work).await.is_err() {
        tracing::warn!(what, seconds = limit.as_secs(), "not finished within the limit for shutdown");
    }
}

fn access_for(public_keys: &Path, clock: Arc<dyn Clock>) -> anyhow::Result<Access> {
    let verifier = TokenVerifier::load(public_keys).context("access.public_keys")?;
    let policies = Policies::load().context("policies")?;
    Ok(Access::new(verifier, policies, move || -> Timestamp { clock.now() }))
}

fn broker_user(section: &BrokerSection) -> Option<(String, SecretString)> {
    let password = section.password_file.as_ref()?.expose().to_owned();
    Some((section.user.clone()?, SecretString::from(password)))
}

/// Connects, waiting for a database that is still starting; `None` when told to stop meanwhile.
async fn connect(name: &'static str, common: &Common, stop: &CancellationToken) -> anyhow::Result<Option<Database>> {
    let options = common.database.options(&format!("dudao-{name}"));
    let began = std::time::Instant::now();
    loop {
        let error = tokio::select! {
            () = stop.cancelled() => return Ok(None),
            connected = Database::connect(&options) => match connected {
                Ok(database) => return Ok(Some(database)),
                Err(error) => error,
            },
        };
        if !postgres::is_transient(&error) || began.elapsed() > DATABASE_LIMIT {
            return Err(error).context("database");
        }
        tracing::warn!(error = %error, "waiting for the database");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn key_cleaner(database: Database) -> Worker {
    Worker::every("idempotency-keys", Duration::from_hours(6), move || {
        let database = database.clone();
        async move {
            idempotency::forget_older_than(&database, KEY_DAYS).await?;
            Ok(Round::Done)
        }
    })
}

/// What waits in the database, measured by every replica: the relay that could tell is one of many, and cannot when the
/// broker is away.
fn journal_pulse(name: &'static str, database: Database, metrics: &Metrics) -> Worker {
    let meter = metrics.meter();
    let events = meter.u64_gauge("dudao_journal_lag").with_description("Committed events not yet published").build();
    let age = meter
        .f64_gauge("dudao_journal_oldest_seconds")
        .with_description(
            "Age of the oldest committed event not yet published, by the legal clock; 0 when there is none",
        )
        .build();
    let ahead = meter
        .f64_gauge("dudao_journal_ahead_seconds")
        .with_description(
            "By how much the newest event is later than legal time: the database's clock went back; 0 otherwise",
        )
        .build();
    let dead =
        meter.i64_gauge("dudao_dead_letters_waiting").with_description("Dead letters that nobody has settled").build();
    let pool = PoolGauges::new(&meter);
    Worker::every("journal-pulse", Duration::from_secs(5), move || {
        let (database, events, age) = (database.clone(), events.clone(), age.clone());
        let (ahead, dead) = (ahead.clone(), dead.clone());
        let pool = pool.clone();
        async move {
            pool.read(&database).await?;
            let labels = [KeyValue::new("service", name)];
            let backlog = messaging::backlog(&database).await?;
            events.record(backlog.events, &labels);
            age.record(backlog.oldest_seconds, &labels);
            ahead.record(messaging::ahead_of_clock(&database).await?, &labels);
            dead.record(messaging::dead_letters::waiting(&database).await?, &labels);
            Ok(Round::Done)
        }
    })
}

/// How this replica's clock stands to the database's.
fn clock_pulse(name: &'static str, watch: ClockWatch, metrics: &Metrics) -> Worker {
    let offset = metrics
        .meter()
        .f64_gauge("dudao_clock_offset_seconds")
        .with_description("By how much the clock of this machine is ahead of the database's, negative when behind")
        .build();
    Worker::every("clock-pulse", Duration::from_secs(5), move || {
        let (watch, offset) = (watch.clone(), offset.clone());
        async move {
            offset.record(watch.offset().await?.as_secs_f64(), &[KeyValue::new("service", name)]);
            Ok(Round::Done)
        }
    })
}

/// The role's password may be changed while services run: connections that stand stay, new ones take what the file says now.
fn password_reader(database: Database, options: DatabaseOptions, common: &Common) -> Worker {
    let file = common.database.password_file.path().to_owned();
    let known = Arc::new(Mutex::new(common.database.password_file.clone()));
    Worker::every("database-password", Duration::from_secs(10), move || {
        let (database, file, known) = (database.clone(), file.clone(), Arc::clone(&known));
        let options = options.clone();
        async move {
            let read = SecretFile::read(&file).with_context(|| format!("reading {}", file.display()))?;
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.expose() != read.expose() {
                let password = Some(SecretString::from(read.expose().to_owned()));
                database.connect_as(&DatabaseOptions { password, ..options })?;
                *known = read;
                tracing::info!("the password of the database was changed");
            }
            Ok(Round::Done)
        }
    })
}

/// Use and saturation of the pool of database connections.
#[derive(Debug, Clone)]
struct PoolGauges {
    connections: Gauge<i64>,
    most: Gauge<i64>,
    wait: Gauge<f64>,
}

impl PoolGauges {
    fn new(meter: &Meter) -> Self {
        Self {
            connections: meter
                .i64_gauge("dudao_database_connections")
                .with_description("Connections to the database, used and idle")
                .build(),
            most: meter
                .i64_gauge("dudao_database_connections_most")
                .with_description("Connections that the process may have")
                .build(),
            wait: meter
                .f64_gauge("dudao_database_wait_seconds")
                .with_description("How long the last look waited for a connection of the pool")
                .build(),
        }
    }

    async fn read(&self, database: &Database) -> sqlx::Result<()> {
        let pool = database.pool();
        let idle = i64::try_from(pool.num_idle()).unwrap_or(i64::MAX);
        let used = i64::from(pool.size()).saturating_sub(idle);
        self.connections.record(used, &[KeyValue::new("state", "used")]);
        self.connections.record(idle, &[KeyValue::new("state", "idle")]);
        self.most.record(i64::from(pool.options().get_max_connections()), &[]);
        let began = std::time::Instant::now();
        // A wait that ends without a connection is the longest of all.
        let acquired = pool.acquire().await;
        self.wait.record(began.elapsed().as_secs_f64(), &[]);
        drop(acquired?);
        Ok(())
    }
}

/// Recomputes the journal's chain, a part each minute: from the beginning once a day, and what is new in between. So a changed
/// byte of history shows on its own, whoever looks at the journal or does not.
fn journal_verifier(database: Database, trusted: Arc<[JournalPublicKey]>, metrics: &Metrics) -> Worker {
    let meter = metrics.meter();
    let faults = meter
        .u64_gauge("dudao_journal_faults")
        .with_description("What is wrong in the journal's chain, by the last look at each batch")
        .build();
    let behind = meter
        .u64_gauge("dudao_journal_unverified_batches")
        .with_description("Batches of the journal that the present round of verification has still to look at")
        .build();
    let state = Arc::new(tokio::sync::Mutex::new(verify::Watch::default()));
    Worker::every("journal-verification", Duration::from_mins(1), move || {
        let (database, trusted, state) = (database.clone(), Arc::clone(&trusted), Arc::clone(&state));
        let (faults, behind) = (faults.clone(), behind.clone());
        async move {
            let mut watch = state.lock().await;
            let found = watch.look(&database, &trusted, std::time::Instant::now()).await?;
            for fault in &found {
                tracing::error!(fault, "the journal is not what was published and signed");
            }
            faults.record(watch.faults(), &[]);
            behind.record(watch.behind(), &[]);
            Ok(Round::Done)
        }
    })
}

/// Keys of the token issuer rotate while services run.
fn key_reader(access: Access) -> Worker {
    Worker::every("access-keys", Duration::from_mins(1), move || {
        let access = access.clone();
        async move {
            access.verifier().reload().context("access.public_keys")?;
            Ok(Round::Done)
        }
    })
}
