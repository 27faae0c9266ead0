//! A replica of the service without its process, and partners to talk to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use contracts::Envelope;
use exchange::config::PlatformSection;
use exchange::consume::Facts;
use messaging::{Handler as _, JournalKey};
use service_kit::clock::SystemClock;
use service_kit::config::{HttpSection, SecretFile};
use service_kit::files::Files;
use service_kit::http_client::{HttpClientOptions, client};
use service_kit::ids::SystemIds;
use service_kit::telemetry::Metrics;
use service_kit::{Assembled, Kit, routes_of};
use testkit::Database;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::national_platform::{Platform, Received};

/// The key that the service signs with, in a folder of the test's own.
pub struct Signing {
    pub folder: PathBuf,
    pub key: JournalKey,
}

impl Signing {
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("exchange-test-{}", Uuid::now_v7()));
        std::fs::create_dir_all(&folder).unwrap();
        let text = JournalKey::generate().unwrap();
        std::fs::write(folder.join("key"), &text).unwrap();
        let key = JournalKey::from_bytes(text.as_bytes()).unwrap();
        std::fs::write(folder.join("keys"), format!("# province\n{}\n", key.public().to_hex())).unwrap();
        Self { folder, key }
    }

    /// A platform that knows the key.
    pub fn platform(&self) -> Platform {
        Platform::open(&self.folder.join("platform"), vec![self.key.public()]).unwrap()
    }

    pub fn key_file(&self) -> PathBuf {
        self.folder.join("key")
    }
}

impl Drop for Signing {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Serves a router on a port of its own until the test ends.
pub async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

pub async fn database() -> Database {
    Database::new(&[&messaging::MIGRATOR, &exchange::MIGRATOR]).await
}

pub async fn kit(database: postgres::Database) -> Kit {
    service_kit::install_crypto();
    let http = client(&HttpClientOptions {
        allowed_hosts: vec!["127.0.0.1".to_owned()],
        allow_private_addresses: true,
        connect_timeout: Duration::from_secs(1),
        timeout: Duration::from_secs(3),
        authority_file: None,
    })
    .unwrap();
    Kit {
        name: "exchange",
        database,
        broker: testkit::broker().await,
        access: testkit::access(),
        http,
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        files: Files::in_folder(&std::env::temp_dir().join("exchange-test-files")).unwrap(),
        metrics: Metrics::new("exchange").unwrap(),
    }
}

/// The templates of the rulebook.
pub fn papers() -> exchange::Papers {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook/documents");
    exchange::Papers::new(documents::Templates::load(&folder).unwrap(), "https://portal.example".to_owned())
}

pub fn section(address: SocketAddr, key_file: &Path) -> PlatformSection {
    PlatformSection {
        base_url: format!("http://{address}"),
        signing_key_file: SecretFile::read(key_file).unwrap(),
        province_code: "460000".to_owned(),
        concurrency: 4,
        first_delay_milliseconds: 50,
        longest_delay_seconds: 1,
        breaker_failures: 3,
    }
}

/// A replica: its workers run until it is stopped or killed.
pub struct Replica {
    pub router: Router,
    pub kit: Kit,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl Replica {
    /// With workers.
    pub async fn start(database: postgres::Database, section: &PlatformSection) -> Self {
        let mut replica = Self::idle(database, section).await;
        let assembled = exchange::build(section, papers(), &replica.kit).unwrap();
        for worker in assembled.workers() {
            replica.tasks.spawn(worker.clone().run(replica.kit.metrics.meter(), replica.cancel.clone()));
        }
        replica
    }

    /// Answers requests only.
    pub async fn idle(database: postgres::Database, section: &PlatformSection) -> Self {
        let kit = kit(database).await;
        let mut assembled: Assembled = exchange::build(section, papers(), &kit).unwrap();
        let http = HttpSection {
            listen: "127.0.0.1:0".parse().unwrap(),
            operations_listen: None,
            max_body_bytes: 1_000_000,
            request_timeout_seconds: 30,
            drain_seconds: 5,
        };
        let router = routes_of(&mut assembled, &kit, &http, Arc::new([]));
        Self { router, kit, cancel: CancellationToken::new(), tasks: JoinSet::new() }
    }

    /// Finishes what is in hand.
    pub async fn stop(mut self) {
        self.cancel.cancel();
        let done = async { while self.tasks.join_next().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(20), done).await.expect("the workers stop");
    }

    /// Ends at once, whatever is in hand, as a process that is killed.
    pub async fn kill(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Applies events in one transaction, as the consumer does.
pub async fn apply(database: &postgres::Database, events: &[Envelope]) {
    let facts = Facts { sender: "460000".to_owned(), papers: papers() };
    let mut tx = database.begin().await.unwrap();
    for event in events {
        facts.apply(&mut tx, event).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// How many messages are in each state.
pub async fn states(database: &postgres::Database) -> HashMap<String, i64> {
    sqlx::query_as::<_, (String, i64)>("SELECT state, count(*) FROM messages GROUP BY state")
        .fetch_all(database.pool())
        .await
        .unwrap()
        .into_iter()
        .collect()
}

pub async fn wait_for_accepted(database: &postgres::Database, messages: usize) {
    let wanted = i64::try_from(messages).unwrap();
    testkit::wait_until("all messages are accepted", || async {
        states(database).await.get("accepted").copied().unwrap_or_default() == wanted
    })
    .await;
}

/// Every message once, each case in order without a gap.
pub fn assert_once_and_in_order(received: &[Received], messages: usize) {
    assert_eq!(received.len(), messages);
    let mut last: HashMap<Uuid, i32> = HashMap::new();
    let mut ids: Vec<Uuid> = Vec::new();
    for message in received {
        let last = last.entry(message.case_id).or_default();
        assert_eq!(message.sequence, *last + 1, "{message:?}");
        *last += 1;
        ids.push(message.message_id);
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), messages);
}

/// What is journalled agrees with what the platform has.
pub async fn assert_journal_agrees(database: &postgres::Database, received: &[Received]) {
    let events = testkit::events_of::<contracts::exchange::MessageAccepted>(database).await;
    assert_eq!(events.len(), received.len());
    for message in received {
        let event = events.iter().find(|event| event.message_id.as_uuid() == message.message_id).unwrap();
        assert_eq!(event.receipt_no, message.receipt_no);
        assert_eq!(event.kind, message.kind);
    }
}
