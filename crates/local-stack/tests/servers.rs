//! Real servers, really shot. As root (PostgreSQL then runs as the user postgres) and as anybody else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use local_stack::{
    Error, KeyMakers, KeyTexts, Nats, NatsOptions, NatsUser, Postgres, PostgresOptions, SERVICES, SIMULATORS,
    ScratchFolder, Settings, Stack, StackOptions, Tools, workspace_root,
};
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Row as _};

fn tools() -> Tools {
    Tools::find(&workspace_root()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_committed_rows_over_a_kill_and_over_a_new_start() {
    let folder = ScratchFolder::new("local-stack-pg").unwrap();
    let options = PostgresOptions::new(tools().pg_bin);
    let server = Postgres::start(folder.path(), &options).await.unwrap();
    let mut connection = server.connect("postgres").await.unwrap();
    sqlx::raw_sql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (41)").execute(&mut connection).await.unwrap();

    let before = server.process().pid().unwrap();
    server.process().kill().await;
    // It comes back by itself, as a new process on the same data.
    server.process().ready().await.unwrap();
    assert_ne!(server.process().pid().unwrap(), before);
    assert!(sqlx::query("SELECT 1").execute(&mut connection).await.is_err(), "the old connection is dead");
    let mut connection = server.connect("postgres").await.unwrap();
    sqlx::query("UPDATE kept SET n = n + 1").execute(&mut connection).await.unwrap();
    drop(server);

    let again = Postgres::start(folder.path(), &options).await.unwrap();
    let mut connection = again.connect("postgres").await.unwrap();
    let n: i32 = sqlx::query_scalar("SELECT n FROM kept").fetch_one(&mut connection).await.unwrap();
    assert_eq!(n, 42);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_closed_to_whoever_has_no_password() {
    let folder = ScratchFolder::new("local-stack-pg-password").unwrap();
    let server = Postgres::start(folder.path(), &PostgresOptions::new(tools().pg_bin)).await.unwrap();
    let guess = server.superuser("postgres").password("guess");
    let refused = PgConnection::connect_with(&guess).await.unwrap_err();
    assert_eq!(refused.as_database_error().and_then(DatabaseError::code).as_deref(), Some("28P01"), "{refused}");
}

/// As the user that may come in.
async fn come_in(server: &Nats, name: &str, password: &str) -> Result<async_nats::Client, async_nats::ConnectError> {
    async_nats::ConnectOptions::with_user_and_password(name.to_owned(), password.to_owned()).connect(server.url()).await
}

async fn streams(server: &Nats) -> async_nats::jetstream::Context {
    async_nats::jetstream::new(come_in(server, "dudao", "a password").await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_lets_in_whom_it_is_told_to_and_learns_of_a_change_while_it_runs() {
    let folder = ScratchFolder::new("local-stack-nats-users").unwrap();
    let options = NatsOptions::new("dudao", "a \"password\" {}");
    let server = Nats::start(folder.path(), &tools().nats_server, &options).await.unwrap();
    assert!(async_nats::connect(server.url()).await.is_err(), "nobody comes in without a name");
    let before = come_in(&server, "dudao", "a \"password\" {}").await.unwrap();
    let command = std::fs::read_to_string(format!("/proc/{}/cmdline", server.process().pid().unwrap())).unwrap();
    assert!(!command.contains("password"), "the password is no matter for the list of processes");

    let next = NatsUser { name: "dudao-2".to_owned(), password: "another".to_owned() };
    server.set_users(&[options.users[0].clone(), next.clone()]).unwrap();
    let begun = Instant::now();
    while come_in(&server, &next.name, &next.password).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", server.process().tail());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(before.flush().await.is_ok());
    assert!(come_in(&server, "dudao", "a \"password\" {}").await.is_ok());

    server.set_users(std::slice::from_ref(&next)).unwrap();
    while come_in(&server, "dudao", "a \"password\" {}").await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(40), "{}", server.process().tail());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What it learnt stays over a new start.
    server.process().kill().await;
    server.process().ready().await.unwrap();
    assert!(come_in(&server, &next.name, &next.password).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_keeps_its_stream_over_a_kill_and_loses_it_when_wiped() {
    let folder = ScratchFolder::new("local-stack-nats").unwrap();
    let options = NatsOptions::new("dudao", "a password");
    let server = Nats::start(folder.path(), &tools().nats_server, &options).await.unwrap();
    let jetstream = streams(&server).await;
    let config = async_nats::jetstream::stream::Config {
        name: "KEPT".to_owned(),
        subjects: vec!["kept.>".to_owned()],
        ..Default::default()
    };
    jetstream.create_stream(config).await.unwrap();
    jetstream.publish("kept.one", "text".into()).await.unwrap().await.unwrap();

    server.process().kill().await;
    server.process().ready().await.unwrap();
    let jetstream = streams(&server).await;
    let messages = jetstream.get_stream("KEPT").await.unwrap().info().await.unwrap().state.messages;
    assert_eq!(messages, 1);

    server.wipe().await.unwrap();
    let jetstream = streams(&server).await;
    assert!(jetstream.get_stream("KEPT").await.is_err(), "the stream is wiped");
}

/// A program of this crate's examples folder, which cargo builds before the tests.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let example = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(
        example.is_file(),
        "{} is missing: cargo test builds it unless told --test; cargo build -p local-stack --examples",
        example.display()
    );
    example
}

/// A folder of programs in which every service is the probe service.
fn binaries(folder: &ScratchFolder) -> PathBuf {
    let binaries = folder.path().join("bin");
    std::fs::create_dir_all(&binaries).unwrap();
    for name in SERVICES.iter().chain(&SIMULATORS) {
        let link = binaries.join(name);
        if !link.exists() {
            std::os::unix::fs::symlink(example("probe_service"), link).unwrap();
        }
    }
    binaries
}

fn options(folder: &ScratchFolder) -> StackOptions {
    let keys = KeyMakers { journal: || Ok(key("journal")), token: || Ok(key("token")) };
    StackOptions { durable: false, ..StackOptions::new(folder.path().join("run"), tools(), binaries(folder), keys) }
}

fn key(name: &str) -> KeyTexts {
    KeyTexts { private: format!("{name} private"), public: format!("{name} public") }
}

fn configuration(settings: &Settings) -> String {
    settings.ready_at().to_string()
}

async fn connect_as(settings: &Settings, database: &str) -> Result<PgConnection, sqlx::Error> {
    let own = settings.database.as_ref().unwrap();
    let password = std::fs::read_to_string(&own.password_file).unwrap();
    let options = PgConnectOptions::new_without_pgpass()
        .host(&own.host)
        .port(own.port)
        .username(&own.user)
        .password(password.trim())
        .database(database);
    PgConnection::connect_with(&options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_starts_stops_and_is_found_again() {
    let folder = ScratchFolder::new("local-stack-stack").unwrap();
    let all: Vec<&str> = SERVICES.into_iter().chain(SIMULATORS).collect();
    let mut stack = Stack::open(options(&folder)).await.unwrap();
    stack.start(&all, configuration).await.unwrap();
    assert_eq!(stack.names().len(), 13);

    let busy = Stack::open(options(&folder)).await.unwrap_err();
    assert!(matches!(busy, Error::Busy(_)), "{busy}");

    let tasks = stack.settings("tasks");
    assert!(stack.settings("console").database.is_none());
    let mut connection = connect_as(&tasks, "tasks").await.unwrap();
    sqlx::raw_sql("CREATE SCHEMA work; CREATE TABLE work.kept AS SELECT 7 AS n")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let pids: Vec<u32> = stack.names().iter().filter_map(|name| stack.process(name).unwrap().pid()).collect();
    assert_eq!(pids.len(), 13);
    stack.stop().await;
    for pid in pids {
        assert!(!PathBuf::from(format!("/proc/{pid}")).exists(), "process {pid} still runs");
    }

    // The second start finds data, passwords, keys and ports.
    let mut stack = Stack::open(options(&folder)).await.unwrap();
    stack.start(&["tasks"], configuration).await.unwrap();
    assert_eq!(stack.settings("tasks").http, tasks.http);
    let mut connection = connect_as(&stack.settings("tasks"), "tasks").await.unwrap();
    let row = sqlx::query("SELECT n FROM work.kept").fetch_one(&mut connection).await.unwrap();
    assert_eq!(row.get::<i32, _>("n"), 7);
    assert_eq!(std::fs::read_to_string(tasks.journal_key).unwrap(), "journal private");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_reaches_its_own_database_only_and_cannot_move_its_clock() {
    let folder = ScratchFolder::new("local-stack-roles").unwrap();
    let stack = Stack::open(options(&folder)).await.unwrap();
    let tasks = stack.settings("tasks");
    let foreign = connect_as(&tasks, "deadlines").await.unwrap_err();
    assert!(foreign.to_string().contains("permission denied"), "{foreign}");

    stack.move_clock(Duration::from_hours(72)).await.unwrap();
    stack.move_clock(Duration::from_micros(1)).await.unwrap();
    let moved = Duration::from_hours(72) + Duration::from_micros(1);
    for service in stack.databases().keys() {
        assert_eq!(stack.clock_shift(service).await.unwrap(), moved, "{service}");
    }
    let mut connection = connect_as(&tasks, "tasks").await.unwrap();
    let seen: bool = sqlx::query_scalar("SELECT shift >= interval '3 days' FROM rehearsal.clock")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(seen);
    for forbidden in [
        "UPDATE rehearsal.clock SET shift = '0'",
        "DROP SCHEMA rehearsal CASCADE",
        "ALTER TABLE rehearsal.clock RENAME TO other",
        "CREATE TABLE rehearsal.clock2 (shift interval)",
    ] {
        let refused = sqlx::raw_sql(forbidden).execute(&mut connection).await.unwrap_err();
        assert_eq!(refused.as_database_error().and_then(DatabaseError::code).as_deref(), Some("42501"), "{refused}");
    }
    for secret in [tasks.database.unwrap().password_file, tasks.journal_key, tasks.token_key] {
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&secret).unwrap());
        assert_eq!(mode & 0o777, 0o600, "{}", secret.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shot_service_comes_back_one_taken_down_stays_down() {
    let folder = ScratchFolder::new("local-stack-faults").unwrap();
    let mut stack = Stack::open(options(&folder)).await.unwrap();
    stack.start(&["tasks", "exchange"], configuration).await.unwrap();
    let tasks = stack.process("tasks").unwrap();
    let first = tasks.pid().unwrap();
    tasks.kill().await;
    tasks.ready().await.unwrap();
    let second = tasks.pid().unwrap();
    assert_ne!(first, second);

    tasks.take_down().await;
    assert_eq!(tasks.pid(), None);
    assert!(matches!(tasks.ready().await, Err(Error::Stopped(_))));
    tasks.bring_up().await.unwrap();
    tasks.restart().await.unwrap();
    assert_ne!(tasks.pid().unwrap(), second);

    // Shot from outside, as the kernel does when memory runs out.
    let third = tasks.pid().unwrap();
    std::process::Command::new("/bin/sh").args(["-c", &format!("kill -9 {third}")]).status().unwrap();
    let limit = Instant::now() + Duration::from_secs(20);
    while tasks.pid().is_none_or(|pid| pid == third) {
        assert!(Instant::now() < limit, "it did not come back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stack.all_ready().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_is_told_with_the_end_of_the_log() {
    let folder = ScratchFolder::new("local-stack-wrong").unwrap();
    let mut stack = Stack::open(options(&folder)).await.unwrap();
    let error = stack.start(&["tasks"], |_| "nonsense".to_owned()).await.unwrap_err();
    assert!(matches!(error, Error::Ended { .. }));
    assert!(error.to_string().contains("the configuration is wrong: \"nonsense\""), "{error}");
    assert!(matches!(stack.start(&["tax"], configuration).await, Err(Error::Unknown(_))));
}

/// Another process that holds a stack in the folder, and the processes of that stack.
fn hold_stack(folder: &ScratchFolder) -> (std::process::Child, Vec<u32>) {
    let pids = folder.path().join("pids");
    std::fs::remove_file(&pids).ok();
    let mut holder =
        std::process::Command::new(example("hold_stack")).args([folder.path(), &binaries(folder)]).spawn().unwrap();
    let limit = Instant::now() + Duration::from_mins(1);
    while !pids.exists() {
        assert_eq!(holder.try_wait().unwrap(), None, "it ended early");
        assert!(Instant::now() < limit, "it did not open its stack");
        std::thread::sleep(Duration::from_millis(20));
    }
    let pids = std::fs::read_to_string(&pids).unwrap().lines().map(|pid| pid.parse().unwrap()).collect::<Vec<u32>>();
    assert_eq!(pids.len(), 3);
    assert!(pids.iter().all(|pid| runs(*pid)));
    (holder, pids)
}

fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie that nobody collects yet does not run.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_shot_run_left_behind_is_ended_by_the_next() {
    let folder = ScratchFolder::new("local-stack-leftover").unwrap();
    let (mut holder, orphans) = hold_stack(&folder);
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(orphans.iter().all(|pid| runs(*pid)), "nobody was there to end them");

    let mut next = Stack::open(options(&folder)).await.unwrap();
    assert!(!orphans.iter().any(|pid| runs(*pid)));
    next.start(&["tasks"], configuration).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_ends_everything() {
    let folder = ScratchFolder::new("local-stack-interrupt").unwrap();
    for signal in ["INT", "TERM", "HUP"] {
        let (mut holder, pids) = hold_stack(&folder);
        std::process::Command::new("/bin/sh")
            .args(["-c", &format!("kill -s {signal} {}", holder.id())])
            .status()
            .unwrap();
        assert!(holder.wait().unwrap().success(), "{signal}");
        assert!(!pids.iter().any(|pid| runs(*pid)), "{signal}");
    }
}
