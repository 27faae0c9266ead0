//! TLS with a named authority to real servers: the right one is believed, another authority and another name are not, and what is
//! said then names the server and the file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use local_stack::{Authority, Nats, NatsOptions, Postgres, PostgresOptions, ScratchFolder, Tools, workspace_root};
use messaging::{Broker, BrokerError, BrokerOptions};
use postgres::{Database, DatabaseOptions};
use secrecy::SecretString;

/// Longest wait for what a client does in the background.
const LIMIT: Duration = Duration::from_secs(30);

fn start() -> Tools {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Tools::find(&workspace_root()).unwrap()
}

fn database(server: &Postgres, host: &str, authority_file: Option<PathBuf>) -> DatabaseOptions {
    DatabaseOptions {
        host: host.to_owned(),
        port: server.port(),
        name: "postgres".to_owned(),
        user: "postgres".to_owned(),
        password: Some(SecretString::from(
            std::fs::read_to_string(server.password_file()).unwrap().trim_end().to_owned(),
        )),
        authority_file,
        max_connections: 2,
        application_name: "test".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_has_to_prove_its_name_by_the_named_authority() {
    let tools = start();
    let folder = ScratchFolder::new("local-stack-pg-tls").unwrap();
    let (ours, another) = (Authority::new("ours").unwrap(), Authority::new("another").unwrap());
    let certificate = Some(ours.certificate("localhost").unwrap());
    let options = PostgresOptions { certificate, ..PostgresOptions::new(&tools.pg_bin) };
    let server = Postgres::start(&folder.path().join("server"), &options).await.unwrap();
    let ours = ours.file(folder.path()).unwrap();

    let connected = Database::connect(&database(&server, "localhost", Some(ours.clone()))).await.unwrap();
    let encrypted: bool = sqlx::query_scalar("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        .fetch_one(connected.pool())
        .await
        .unwrap();
    assert!(encrypted);

    let refused = |host: &'static str, authority: PathBuf| {
        let options = database(&server, host, Some(authority));
        async move { Database::connect(&options).await.unwrap_err().to_string() }
    };
    let told = refused("localhost", another.file(folder.path()).unwrap()).await;
    assert!(told.contains("localhost") && told.contains("another.crt"), "{told}");
    assert!(told.contains("not signed by the authority") && told.contains("不是由指定的机构签发的"), "{told}");
    // The same server, by a name that its certificate does not have.
    let told = refused("127.0.0.1", ours.clone()).await;
    assert!(told.contains("127.0.0.1") && told.contains("not made for this name"), "{told}");
    let told = refused("localhost", folder.path().join("missing.crt")).await;
    assert!(told.contains("missing.crt"), "{told}");
    std::fs::write(folder.path().join("empty.crt"), "nothing").unwrap();
    let told = refused("localhost", folder.path().join("empty.crt")).await;
    assert!(told.contains("holds no certificate"), "{told}");
    drop(server);

    // A server without TLS is not spoken to in the clear.
    let options = PostgresOptions::new(&tools.pg_bin);
    let server = Postgres::start(&folder.path().join("server"), &options).await.unwrap();
    let told = Database::connect(&database(&server, "localhost", Some(ours))).await.unwrap_err().to_string();
    assert!(told.contains("does not support TLS"), "{told}");
    Database::connect(&database(&server, "localhost", None)).await.unwrap();
}

fn broker(server: &Nats, host: &str, authority: &Path) -> BrokerOptions {
    BrokerOptions {
        url: format!("tls://{host}:{}", server.port()),
        prefix: String::new(),
        replicas: 1,
        credentials_file: None,
        user: Some(("dudao".to_owned(), SecretString::from("a password"))),
        authority_file: Some(authority.to_owned()),
        name: "test".to_owned(),
    }
}

/// Waits until the client has got somewhere; what is wrong, if anything.
async fn outcome(broker: &Broker) -> Option<String> {
    let looks = async {
        loop {
            if broker.is_connected() {
                return None;
            }
            if let Some(trouble) = broker.trouble() {
                return Some(trouble);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, looks).await.expect("the broker neither connects nor says why")
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_has_to_prove_its_name_by_the_named_authority() {
    let tools = start();
    let folder = ScratchFolder::new("local-stack-nats-tls").unwrap();
    let (ours, another) = (Authority::new("ours").unwrap(), Authority::new("another").unwrap());
    let certificate = ours.certificate("localhost").unwrap();
    let options = NatsOptions { certificate: Some(certificate), ..NatsOptions::new("dudao", "a password") };
    let server = Nats::start(&folder.path().join("server"), &tools.nats_server, &options).await.unwrap();
    let ours = ours.file(folder.path()).unwrap();

    let connected = Broker::connect(&broker(&server, "localhost", &ours)).await.unwrap();
    assert_eq!(outcome(&connected).await, None);

    let refused = Broker::connect(&broker(&server, "localhost", &another.file(folder.path()).unwrap())).await.unwrap();
    let told = outcome(&refused).await.expect("another authority is not believed");
    assert!(told.contains("not signed by the authority in broker.authority_file"), "{told}");
    let refused = Broker::connect(&broker(&server, "127.0.0.1", &ours)).await.unwrap();
    let told = outcome(&refused).await.expect("another name is not believed");
    assert!(told.contains("not made for this name"), "{told}");
    let wrong = BrokerOptions {
        user: Some(("dudao".to_owned(), SecretString::from("another password"))),
        ..broker(&server, "localhost", &ours)
    };
    let told = outcome(&Broker::connect(&wrong).await.unwrap()).await.expect("the password is asked for");
    assert!(told.to_lowercase().contains("authorization"), "{told}");
    // A wrong path is a mistake, not a broker that is away.
    let missing = Broker::connect(&broker(&server, "localhost", &folder.path().join("missing.crt"))).await.unwrap_err();
    assert!(matches!(missing, BrokerError::Authority { .. }), "{missing}");
}
