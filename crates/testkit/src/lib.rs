//! What tests share: a database of their own, a corner of the broker of their own, callers with tokens, and waiting for a
//! condition instead of sleeping. A dev-dependency only.
//!
//! Needs the servers of `deploy/dev/with-servers.sh` (environment `DATABASE_URL` and `NATS_URL`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a failure here is a failed test, and tests may look at the machine's clock and environment"
)]

pub mod bench;

use std::{
    future::Future,
    str::FromStr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use access::{Access, Caller, Grant, KeyPair, Policies, Role, TokenIssuer, TokenVerifier};
use axum::{Router, body::Body};
use contracts::registry::{AreaMerged, Succession};
use contracts::{Actor, Envelope, Event};
use domain::ids::{AccountId, AreaId, PersonId, UnitId};
use http::{HeaderMap, Request, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use messaging::{Broker, BrokerOptions, JournalKey};
use serde_json::{Value, value::RawValue};
use service_kit::{
    Assembled, Kit,
    clock::SystemClock,
    config::{ConfigRoot, HttpSection, Validate},
    files::Files,
    http_client::{self, HttpClientOptions},
    ids::SystemIds,
    telemetry::Metrics,
};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tower::ServiceExt;
use uuid::Uuid;

/// A database that belongs to one test. It goes away with the server.
#[derive(Debug, Clone)]
pub struct Database {
    database: postgres::Database,
    options: PgConnectOptions,
}

impl std::ops::Deref for Database {
    type Target = postgres::Database;
    fn deref(&self) -> &postgres::Database {
        &self.database
    }
}

impl Database {
    /// Creates it and applies the migrations in order, `messaging::MIGRATOR` first.
    pub async fn new(migrators: &[&Migrator]) -> Self {
        Self::on(PgConnectOptions::from_str(&variable("DATABASE_URL")).unwrap(), migrators).await
    }

    /// The same on a server of the test's own.
    pub async fn on(server: PgConnectOptions, migrators: &[&Migrator]) -> Self {
        let name = format!("test_{}", Uuid::now_v7().simple());
        let mut connection = PgConnection::connect_with(&server).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();

        let options = server.database(&name).options([("timezone", "UTC")]);
        let database = Self { database: connect(&options, 12).await, options };
        database.migrate(migrators).await.unwrap();
        database
    }

    /// The database itself, to hand to a service.
    pub fn handle(&self) -> postgres::Database {
        self.database.clone()
    }

    /// A second pool on the same database, as another replica has.
    pub async fn another_pool(&self) -> postgres::Database {
        connect(&self.options, 6).await
    }

    /// Shifts legal time, from now on: later when positive. Creates the rehearsal clock if need be.
    pub async fn move_clock(&self, by: SignedDuration) {
        for statement in [
            "CREATE SCHEMA IF NOT EXISTS rehearsal",
            "CREATE TABLE IF NOT EXISTS rehearsal.clock (shift interval NOT NULL)",
            "INSERT INTO rehearsal.clock SELECT '0' WHERE NOT EXISTS (SELECT 1 FROM rehearsal.clock)",
        ] {
            sqlx::query(statement).execute(self.pool()).await.unwrap();
        }
        sqlx::query("UPDATE rehearsal.clock SET shift = shift + make_interval(secs => $1)")
            .bind(by.as_secs_f64())
            .execute(self.pool())
            .await
            .unwrap();
    }

    /// Sets legal time to an instant (it runs on from there).
    pub async fn set_clock(&self, to: Timestamp) {
        self.move_clock(SignedDuration::ZERO).await;
        sqlx::query("UPDATE rehearsal.clock SET shift = $1::timestamptz - clock_timestamp()")
            .bind(to.to_sqlx())
            .execute(self.pool())
            .await
            .unwrap();
    }
}

async fn connect(options: &PgConnectOptions, connections: u32) -> postgres::Database {
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .connect_with(options.clone())
        .await
        .unwrap();
    postgres::Database::from_pool(pool)
}

fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run the tests through deploy/dev/with-servers.sh"))
}

/// Options for the test broker, with a prefix of this test's own.
pub fn broker_options() -> BrokerOptions {
    BrokerOptions {
        url: variable("NATS_URL"),
        prefix: format!("t{}", Uuid::now_v7().simple()),
        replicas: 1,
        credentials_file: None,
        user: None,
        authority_file: None,
        name: "test".to_owned(),
    }
}

/// A connection to the test broker, with a prefix of this test's own.
pub async fn broker() -> Broker {
    Broker::connect(&broker_options()).await.unwrap()
}

/// A new journal key.
pub fn journal_key() -> Arc<JournalKey> {
    Arc::new(JournalKey::from_bytes(JournalKey::generate().unwrap().as_bytes()).unwrap())
}

/// All events of a journal in the order of their positions.
pub async fn events(database: &postgres::Database) -> Vec<Envelope> {
    type Row = (Uuid, String, Uuid, i64, jiff_sqlx::Timestamp, String, Option<String>, String);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT event_id, event_type, aggregate_id, aggregate_version, occurred_at, actor::text, traceparent, payload::text
         FROM messaging.journal ORDER BY position",
    )
    .fetch_all(database.pool())
    .await
    .unwrap();
    rows.into_iter()
        .map(|(event_id, event_type, aggregate_id, aggregate_version, occurred_at, actor, traceparent, payload)| {
            Envelope {
                event_id: event_id.into(),
                event_type,
                aggregate_id,
                aggregate_version,
                occurred_at: occurred_at.to_jiff(),
                actor: serde_json::from_str(&actor).unwrap(),
                traceparent,
                payload: RawValue::from_string(payload).unwrap(),
            }
        })
        .collect()
}

/// All events of one type in a journal, read.
pub async fn events_of<E: Event>(database: &postgres::Database) -> Vec<E> {
    events(database)
        .await
        .iter()
        .filter(|envelope| envelope.is::<E>())
        .map(|envelope| envelope.read().unwrap())
        .collect()
}

/// An envelope around an event, as another service would send it.
pub fn envelope<E: Event>(event: &E, occurred_at: Timestamp) -> Envelope {
    Envelope {
        event_id: Uuid::now_v7().into(),
        event_type: E::TYPE.to_owned(),
        aggregate_id: event.aggregate_id(),
        aggregate_version: event.aggregate_version(),
        occurred_at,
        actor: Actor::system("test"),
        traceparent: None,
        payload: RawValue::from_string(serde_json::to_string(event).unwrap()).unwrap(),
    }
}

/// A county unit that became a part of another one: `path` leads to it from then on.
pub fn merged(area_id: AreaId, path: Vec<AreaId>) -> AreaMerged {
    let succession = |name: &str| Succession {
        from: UnitId::derived(&[name, "from"]),
        to: UnitId::derived(&[name, "to"]),
        to_key: format!("{name}-460400"),
        to_name: format!("儋州市{name}"),
    };
    AreaMerged {
        merger_id: Uuid::now_v7(),
        version: 2,
        area_id,
        code: "460100".to_owned(),
        path,
        county_code: "460400".to_owned(),
        county_name: "儋州市".to_owned(),
        agency: succession("office"),
        bureau: succession("edu"),
        effective_on: "2026-12-01".parse().unwrap(),
    }
}

fn key_pair() -> &'static KeyPair {
    static PAIR: OnceLock<KeyPair> = OnceLock::new();
    PAIR.get_or_init(|| KeyPair::try_generate().unwrap())
}

/// The gate that knows the tokens of [`token`].
pub fn access() -> Access {
    let verifier = TokenVerifier::from_pem("test", &key_pair().public_pem).unwrap();
    Access::new(verifier, Policies::load().unwrap(), Timestamp::now)
}

/// An issuer whose tokens [`access`] accepts.
pub fn issuer() -> TokenIssuer {
    TokenIssuer::from_pem("test", &key_pair().private_pem).unwrap()
}

/// A token for the caller.
pub fn token(caller: &Caller) -> String {
    issuer().issue(caller, Uuid::now_v7(), Timestamp::now()).unwrap().token
}

/// A caller with one role and one scope.
pub fn caller(role: Role, area_id: Option<AreaId>, unit_id: Option<UnitId>) -> Caller {
    Caller {
        account_id: AccountId::new(Uuid::now_v7()),
        display_name: format!("测试{}", role.zh()),
        person_id: matches!(role, Role::Inspector).then(|| PersonId::new(Uuid::now_v7())),
        unit_id,
        grants: vec![Grant { role, area_id, unit_id }],
    }
}

/// What a service's `assemble` gets, over a test's database and a corner of the broker of its own.
pub async fn kit(name: &'static str, database: &Database) -> Kit {
    service_kit::install_crypto();
    let folder = std::env::temp_dir().join("dudao-tests").join(Uuid::now_v7().simple().to_string());
    Kit {
        name,
        database: database.handle(),
        broker: broker().await,
        access: access(),
        http: http_client::client(&HttpClientOptions {
            allowed_hosts: vec!["127.0.0.1".to_owned()],
            allow_private_addresses: true,
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(10),
            authority_file: None,
        })
        .unwrap(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        files: Files::in_folder(&folder).unwrap(),
        metrics: Metrics::new(name).unwrap(),
    }
}

/// The router of an assembled service, with all layers, exactly as in production.
pub fn router(mut assembled: Assembled, kit: &Kit) -> Router {
    let http = HttpSection {
        listen: ([127, 0, 0, 1], 0).into(),
        operations_listen: None,
        max_body_bytes: 64 * 1024 * 1024,
        request_timeout_seconds: 60,
        drain_seconds: 5,
    };
    service_kit::routes_of(&mut assembled, kit, &http, Arc::new([]))
}

/// Loads the example configuration `<service>.example.toml` of a service's folder. The secrets that it names in a real
/// installation, below `/run/secrets`, are made for the occasion, since they must exist to be read.
pub fn example_config<C: ConfigRoot + Validate>(folder: &str, service: &str) -> C {
    let scratch = std::env::temp_dir().join("dudao-tests").join(Uuid::now_v7().simple().to_string());
    std::fs::create_dir_all(&scratch).unwrap();
    let text = std::fs::read_to_string(format!("{folder}/{service}.example.toml")).unwrap();
    let with_secret = |(number, line): (usize, &str)| match line.split_once(" = \"/run/secrets/") {
        Some((key, _)) => {
            let secret = scratch.join(format!("secret-{number}"));
            std::fs::write(&secret, "a secret of at least twenty characters, 1 A b").unwrap();
            format!("{key} = \"{}\"\n", secret.display())
        }
        None => format!("{line}\n"),
    };
    let made: String = text.lines().enumerate().map(with_secret).collect();
    let file = scratch.join("example.toml");
    std::fs::write(&file, made).unwrap();
    let config = service_kit::config::load::<C>(Some(&file), &[]).unwrap();
    std::fs::remove_dir_all(&scratch).unwrap();
    config
}

/// An answer of a router.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The body, as JSON when it is JSON, else `Null`.
    pub json: Value,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// Checks the status and shows the body when it is another.
    #[expect(clippy::return_self_not_must_use, reason = "often only the status is of interest")]
    #[track_caller]
    pub fn expect(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }
}

/// A request in the making.
#[derive(Debug)]
pub struct Call {
    request: http::request::Builder,
    body: Body,
}

impl Call {
    /// A request of any method.
    pub fn new(method: http::Method, path: &str) -> Self {
        Self { request: Request::builder().method(method).uri(path), body: Body::empty() }
    }

    /// A GET.
    pub fn get(path: &str) -> Self {
        Self::new(http::Method::GET, path)
    }

    /// A POST of JSON with a fresh `Idempotency-Key`.
    pub fn post(path: &str, body: &Value) -> Self {
        Self::new(http::Method::POST, path).json(body).header("Idempotency-Key", &Uuid::now_v7().to_string())
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        // The last one counts.
        if let Some(headers) = self.request.headers_mut() {
            headers.remove(name);
        }
        self.request = self.request.header(name, value);
        self
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = Body::from(body.to_string());
        self.header(header::CONTENT_TYPE.as_str(), "application/json")
    }

    /// Sets a body of any kind.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: Vec<u8>) -> Self {
        self.body = Body::from(body);
        self.header(header::CONTENT_TYPE.as_str(), content_type)
    }

    /// Signs in as the caller.
    #[must_use]
    pub fn by(self, caller: &Caller) -> Self {
        let token = format!("Bearer {}", token(caller));
        self.header(header::AUTHORIZATION.as_str(), &token)
    }

    /// Sends it to a router in process.
    pub async fn send(self, router: &Router) -> Answer {
        let request = self.request.body(self.body).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, json, bytes }
    }
}

/// Publishes everything that a journal holds. One look of the relay need not be enough: the transaction of another test on the
/// server holds back what is younger.
pub async fn publish(relay: &messaging::Relay, journal: &Database) {
    wait_until("everything is published", || async {
        relay.drain().await.unwrap();
        messaging::lag(journal).await.unwrap() == 0
    })
    .await;
}

/// Waits until a condition holds, at most twenty seconds; says what was awaited when it does not.
#[track_caller]
pub fn wait_until<F, Fut>(what: &str, mut condition: F) -> impl Future<Output = ()>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let what = what.to_owned();
    async move {
        let limit = tokio::time::Instant::now() + Duration::from_secs(20);
        while !condition().await {
            assert!(tokio::time::Instant::now() < limit, "waited in vain for: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
