//! The tool on an installation whose PostgreSQL and NATS have to prove their names, as those of a province do: what is found with the
//! right authorities is found behind the encryption; a stranger's authority is said to be the trouble.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

use std::path::{Path, PathBuf};

use dudao::doctor::{self, Finding};
use dudao::{BrokerEntry, DatabaseEntry, Installation, ServiceEntry};
use local_stack::{Authority, Nats, NatsOptions, Postgres, PostgresOptions, ScratchFolder, Tools, workspace_root};

fn file(folder: &ScratchFolder, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// One service, whose database is the server's own: there, and without any of our tables.
fn installation(postgres: &Postgres, nats: &Nats, broker_password: PathBuf, authority: &Path) -> Installation {
    Installation {
        broker: BrokerEntry {
            url: format!("tls://localhost:{}", nats.port()),
            user: Some("dudao".to_owned()),
            password_file: Some(broker_password),
            authority_file: Some(authority.to_owned()),
            ..BrokerEntry::default()
        },
        files: None,
        services: vec![ServiceEntry {
            name: "tasks".to_owned(),
            // Port 1 is never served.
            operations: "http://127.0.0.1:1".to_owned(),
            journal_public_keys: Vec::new(),
            journal_public_keys_file: None,
            database: Some(DatabaseEntry {
                host: "localhost".to_owned(),
                port: postgres.port(),
                name: "postgres".to_owned(),
                user: "postgres".to_owned(),
                password_file: postgres.password_file().to_owned(),
                authority_file: Some(authority.to_owned()),
            }),
        }],
    }
}

fn said<'a>(findings: &'a [Finding], words: &str) -> Option<&'a Finding> {
    findings.iter().find(|finding| finding.en.contains(words))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_believes_the_authorities_that_the_description_names_and_no_other() {
    service_kit::install_crypto();
    let tools = Tools::find(&workspace_root()).unwrap();
    let folder = ScratchFolder::new("dudao-tls").unwrap();
    let ours = Authority::new("ours").unwrap();
    let certificate = Some(ours.certificate("localhost").unwrap());
    let options = PostgresOptions { certificate: certificate.clone(), ..PostgresOptions::new(&tools.pg_bin) };
    let postgres = Postgres::start(&folder.path().join("postgres"), &options).await.unwrap();
    let options = NatsOptions { certificate, ..NatsOptions::new("dudao", "a password") };
    let nats = Nats::start(&folder.path().join("nats"), &tools.nats_server, &options).await.unwrap();
    let password = file(&folder, "password", "a password\n");
    let ours = ours.file(folder.path()).unwrap();
    let another = Authority::new("another").unwrap().file(folder.path()).unwrap();

    // No table and no stream: both are only seen by who is let in.
    let found = doctor::examine(&installation(&postgres, &nats, password.clone(), &ours)).await;
    assert!(said(&found, "there is no stream TASKS").is_some(), "{found:?}");
    assert!(said(&found, "cannot read migrations").is_some(), "{found:?}");

    let found = doctor::examine(&installation(&postgres, &nats, password, &another)).await;
    let broker = said(&found, "the broker cannot be reached").expect("another authority is not believed");
    assert!(broker.en.contains("not signed by the authority in broker.authority_file"), "{broker:?}");
    let database = said(&found, "its database cannot be reached").expect("another authority is not believed");
    assert!(database.en.contains("another.crt"), "{database:?}");

    let wrong = file(&folder, "wrong", "another password\n");
    let found = doctor::examine(&installation(&postgres, &nats, wrong, &ours)).await;
    let broker = said(&found, "the broker cannot be reached").expect("the password is asked for");
    assert!(broker.en.to_lowercase().contains("authorization"), "{broker:?}");
}
