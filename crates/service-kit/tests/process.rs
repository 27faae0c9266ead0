//! A whole process: a bad configuration, start, readiness, permission, one effect, stop.
//! Needs PostgreSQL and NATS (DATABASE_URL, NATS_URL).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests may")]

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use access::{Caller, Grant, KeyPair, Role, TokenIssuer};
use domain::ids::{AccountId, AreaId};
use http::Method;
use messaging::JournalKey;
use service_kit::clock::{Clock as _, SystemClock};
use service_kit::http_client::{HttpClient, HttpClientOptions, client};
use sqlx::PgPool;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

/// The example beside the test binary; `cargo test` and `cargo nextest run` build both.
fn binary() -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let path = deps.parent().unwrap().parent().unwrap().join("examples/smallest");
    assert!(path.exists(), "build it with: cargo build -p service-kit --example smallest");
    path
}

struct Installation {
    folder: PathBuf,
    issuer: TokenIssuer,
}

impl Installation {
    #[expect(clippy::disallowed_methods, reason = "the test runner names the broker in the environment")]
    fn new(pool: &PgPool) -> Self {
        let folder = std::env::temp_dir().join(format!("dudao-process-{}", Uuid::new_v4()));
        std::fs::create_dir_all(folder.join("keys")).unwrap();
        let pair = KeyPair::try_generate().unwrap();
        std::fs::write(folder.join("keys/k1.pem"), &pair.public_pem).unwrap();
        std::fs::write(folder.join("password"), "any\n").unwrap();
        std::fs::write(folder.join("journal.key"), JournalKey::generate().unwrap()).unwrap();
        let options = pool.connect_options();
        let broker = std::env::var("NATS_URL").unwrap_or_else(|_| "nats://127.0.0.1:54222".to_owned());
        let text = format!(
            "[http]\nlisten = \"127.0.0.1:0\"\n\
             [database]\nhost = \"{host}\"\nport = {port}\nname = \"{name}\"\nuser = \"{user}\"\n\
             password_file = \"{dir}/password\"\n\
             [broker]\nurl = \"{broker}\"\nsubject_prefix = \"t{prefix}\"\n\
             [access]\npublic_keys = \"{dir}/keys\"\n\
             [journal]\nsigning_key_file = \"{dir}/journal.key\"\n\
             [files]\nfolder = \"{dir}/files\"\n\
             [notes]\nmax_characters = 20\n",
            host = options.get_host(),
            port = options.get_port(),
            name = options.get_database().unwrap(),
            user = options.get_username(),
            dir = folder.display(),
            prefix = Uuid::new_v4().simple(),
        );
        std::fs::write(folder.join("tasks.toml"), text).unwrap();
        Self { folder, issuer: TokenIssuer::from_pem("k1", &pair.private_pem).unwrap() }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command
            .arg("--config")
            .arg(self.folder.join("tasks.toml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    fn token(&self, role: Role) -> String {
        let caller = Caller {
            account_id: AccountId::new(Uuid::from_u128(7)),
            display_name: "运行维护".to_owned(),
            person_id: None,
            unit_id: None,
            grants: vec![Grant { role, area_id: Some(AreaId::new(Uuid::from_u128(1))), unit_id: None }],
        };
        self.issuer.issue(&caller, Uuid::new_v4(), SystemClock.now()).unwrap().token
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A started service: its address from the log, and the rest of the log.
async fn started(child: &mut Child) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = Vec::new();
    let address = loop {
        let line = tokio::time::timeout(Duration::from_mins(1), lines.next_line()).await;
        let Ok(Ok(Some(line))) = line else {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).await.unwrap();
            panic!("the service did not start:\n{said}\n{}", seen.join("\n"));
        };
        let entry: serde_json::Value = serde_json::from_str(&line).expect("every log line is JSON");
        seen.push(line);
        if entry["message"] == "listening" {
            break entry["address"].as_str().unwrap().to_owned();
        }
    };
    let rest = tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            seen.push(line);
        }
        seen
    });
    (address, rest)
}

fn http(address: &str) -> HttpClient {
    service_kit::install_crypto();
    client(&HttpClientOptions {
        allowed_hosts: vec![address.to_owned()],
        allow_private_addresses: false,
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(20),
        authority_file: None,
    })
    .unwrap()
}

async fn ready(http: &HttpClient, base: &str) {
    for _ in 0..600 {
        let answer = http.get(&format!("{base}/readyz")).unwrap().send().await.unwrap();
        if answer.status() == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let body = http.get(&format!("{base}/readyz")).unwrap().send().await.unwrap().text().await.unwrap();
    panic!("not ready within thirty seconds: {body}");
}

#[sqlx::test(migrations = false)]
async fn a_service_starts_serves_and_stops(pool: PgPool) {
    let installation = Installation::new(&pool);
    let collector = wiremock::MockServer::start().await;
    wiremock::Mock::given(wiremock::matchers::path("/v1/traces"))
        .respond_with(wiremock::ResponseTemplate::new(200))
        .mount(&collector)
        .await;
    let mut child = installation.command().env("DUDAO_TELEMETRY__OTLP_ENDPOINT", collector.uri()).spawn().unwrap();
    let (address, log) = started(&mut child).await;
    let (http, base) = (http(&address), format!("http://{address}"));
    ready(&http, &base).await;

    let operator = installation.token(Role::Operator);
    let get = |path: &str, token: &str| {
        http.get(&format!("{base}{path}")).unwrap().header("authorization", format!("Bearer {token}")).send()
    };
    assert_eq!(get("/v1/service/dead-letters", "").await.unwrap().status(), 401);
    let inspector = installation.token(Role::Inspector);
    assert_eq!(get("/v1/service/dead-letters", &inspector).await.unwrap().status(), 403);
    let list = get("/v1/service/dead-letters", &operator).await.unwrap();
    assert_eq!(list.status(), 200);
    assert_eq!(list.json::<serde_json::Value>().await.unwrap()["waiting"], 0);
    let report = get("/v1/service/journal/verification", &operator).await.unwrap();
    assert_eq!(report.json::<serde_json::Value>().await.unwrap()["faults"], serde_json::json!([]));

    let post = |path: &str, key: &str, body: serde_json::Value| {
        http.request(Method::POST, &format!("{base}{path}"))
            .unwrap()
            .header("authorization", format!("Bearer {operator}"))
            .header("idempotency-key", key)
            .json(&body)
            .send()
    };
    let first = post("/v1/notes", "note-0001", serde_json::json!({"text": "到校"})).await.unwrap();
    let first = (first.status(), first.text().await.unwrap());
    let second = post("/v1/notes", "note-0001", serde_json::json!({"text": "到校"})).await.unwrap();
    assert_eq!(first, (second.status(), second.text().await.unwrap()));
    assert_eq!(first.0, 201, "{}", first.1);
    let notes: i64 = sqlx::query_scalar("SELECT count(*) FROM notes").fetch_one(&pool).await.unwrap();
    assert_eq!(notes, 1);
    let replay = post("/v1/service/replays", "replay-0001", serde_json::json!({})).await.unwrap();
    assert_eq!(replay.status(), 202);
    let twice = post("/v1/service/replays", "replay-0001", serde_json::json!({})).await.unwrap();
    let identifier = |value: serde_json::Value| value["replay_id"].as_str().unwrap().to_owned();
    assert_eq!(identifier(replay.json().await.unwrap()), identifier(twice.json().await.unwrap()));

    let document: serde_json::Value = get("/openapi.json", "").await.unwrap().json().await.unwrap();
    assert_eq!(document["paths"]["/v1/service/replays"]["post"]["x-permission"], "service.replay.run");
    let metrics = get("/metrics", "").await.unwrap().text().await.unwrap();
    assert!(metrics.contains("worker_runs_total") && metrics.contains("worker=\"notes\""), "{metrics}");
    for waiting in ["dudao_journal_lag", "dudao_journal_oldest_seconds", "dudao_dead_letters_waiting"] {
        assert!(metrics.contains(&format!("{waiting}{{")), "{waiting} in {metrics}");
    }

    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let status = tokio::time::timeout(Duration::from_secs(40), child.wait()).await.expect("stops").unwrap();
    let log = log.await.unwrap().join("\n");
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("\"message\":\"stopped\""), "{log}");
    assert!(log.contains("note written") && log.contains("trace.id"), "{log}");
    assert!(!log.contains(&operator), "no token in the log");

    // The traces that were held back left the process before it ended.
    let sent: Vec<u8> =
        collector.received_requests().await.unwrap().into_iter().flat_map(|request| request.body).collect();
    let sent = String::from_utf8_lossy(&sent);
    assert!(sent.contains("dudao-tasks") && sent.contains("POST /v1/notes"), "{sent}");
}

#[sqlx::test(migrations = false)]
async fn migrations_can_go_ahead_of_a_roll_out_and_an_older_version_lives_with_them(pool: PgPool) {
    let installation = Installation::new(&pool);
    let output = installation.command().arg("--migrate").output().await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let notes: i64 = sqlx::query_scalar("SELECT count(*) FROM notes").fetch_one(&pool).await.unwrap();
    assert_eq!(notes, 0, "the table is there, and nobody has served");

    // What the migrations of the next version leave behind.
    let migrated = |version: i64| {
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES ($1, 'of another program', true, '', 0)",
        )
        .bind(version)
        .execute(&pool)
    };
    migrated(99_990_101_000_000).await.unwrap();
    // Twice: a refusal inside must not leave the lock behind.
    for _ in 0..2 {
        let output = installation.command().arg("--migrate").output().await.unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let mut child = installation.command().spawn().unwrap();
    let (address, _log) = started(&mut child).await;
    ready(&http(&address), &format!("http://{address}")).await;

    // Older than our newest and not ours: another service's database.
    migrated(1).await.unwrap();
    let output = installation.command().arg("--migrate").output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("migration 1 "), "{said}");
}

#[sqlx::test(migrations = false)]
async fn a_bad_configuration_has_its_own_exit_code_and_words(pool: PgPool) {
    let installation = Installation::new(&pool);
    let output = installation
        .command()
        .env("DUDAO_NOTES__MAX_CHARACTERS", "many")
        .env("DUDAO_DATABASE__PASSWORD_FILE", "/absent")
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(said.contains("$DUDAO_NOTES__MAX_CHARACTERS") && said.contains("/absent"), "{said}");
    assert!(said.contains("配置有 2 处错误"), "{said}");

    let output = installation.command().arg("--check-config").output().await.unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[sqlx::test(migrations = false)]
async fn a_moved_clock_is_refused_unless_allowed(pool: PgPool) {
    let installation = Installation::new(&pool);
    for statement in [
        "CREATE SCHEMA rehearsal",
        "CREATE TABLE rehearsal.clock (shift interval NOT NULL)",
        "INSERT INTO rehearsal.clock VALUES ('30 days')",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    let output = installation.command().output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("rehearsal clock"), "{said}");

    let mut child = installation.command().env("DUDAO_CLOCK__ALLOW_REHEARSAL", "true").spawn().unwrap();
    let (address, _log) = started(&mut child).await;
    let http = http(&address);
    ready(&http, &format!("http://{address}")).await;
    let body = http.get(&format!("http://{address}/readyz")).unwrap().send().await.unwrap().text().await.unwrap();
    assert!(body.contains("演练时钟生效中"), "{body}");
}
