//! Migrations while people work.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests may")]

use std::borrow::Cow;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

fn migrator(statements: &[&str]) -> Migrator {
    let one = |(place, statement): (usize, &&str)| {
        let version = i64::try_from(place + 1).unwrap();
        let sql = AssertSqlSafe((*statement).to_owned()).into_sql_str();
        Migration::new(version, Cow::Borrowed("a step"), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(statements.iter().enumerate().map(one).collect())
}

const FIRST: &str = "CREATE TABLE kept (n integer); INSERT INTO kept VALUES (1)";
const SECOND: &str = "INSERT INTO kept VALUES (2); ALTER TABLE kept ADD COLUMN note text";

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_behind_a_migration_that_waits_for_a_table() {
    let (first, both) = (migrator(&[FIRST]), migrator(&[FIRST, SECOND]));
    let database = testkit::Database::new(&[&first]).await;
    let people = database.handle();
    // A backup, or a long report.
    let mut report = people.pool().begin().await.unwrap();
    sqlx::query("SELECT n FROM kept").fetch_all(&mut *report).await.unwrap();

    let migrating = database.another_pool().await;
    let migrators = [&both];
    let work = async {
        testkit::wait_until("the migration waits for the table", async || {
            let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'kept'::regclass)";
            sqlx::query_scalar::<_, bool>(waits).fetch_one(people.pool()).await.unwrap()
        })
        .await;
        // The report ends when these have had their answers: behind a migration that waits for ever, they would get none.
        for _ in 0..5 {
            let mut tx = people.pool().begin().await.unwrap();
            sqlx::query("SET LOCAL statement_timeout = '20s'").execute(&mut *tx).await.unwrap();
            let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM kept").fetch_one(&mut *tx).await.unwrap();
            assert_eq!(rows, 1, "nothing of an attempt is left");
        }
        report.rollback().await.unwrap();
    };
    let (migrated, ()) = tokio::join!(migrating.migrate(&migrators), work);
    migrated.unwrap();
    let noted = "SELECT count(*) FROM kept WHERE note IS NULL";
    let rows: i64 = sqlx::query_scalar(noted).fetch_one(people.pool()).await.unwrap();
    assert_eq!(rows, 2, "done once");
    let limit: String = sqlx::query_scalar("SHOW lock_timeout").fetch_one(migrating.pool()).await.unwrap();
    assert_eq!(limit, "0", "only a migration gives up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_fails_for_another_reason_is_not_tried_again() {
    let database = testkit::Database::new(&[&migrator(&[FIRST])]).await;
    let error = database.handle().migrate(&[&migrator(&[FIRST, "ALTER TABLE missing ADD COLUMN note text"])]).await;
    assert!(error.unwrap_err().to_string().contains("migration 2"), "names the migration");
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_at_once_migrate_once() {
    let database = testkit::Database::new(&[]).await;
    let slow = migrator(&["CREATE TABLE once (n integer); SELECT pg_sleep(0.5)"]);
    let (replica, migrators) = (database.another_pool().await, [&slow]);
    let done = tokio::join!(database.migrate(&migrators), replica.migrate(&migrators), replica.migrate(&migrators));
    for one in [done.0, done.1, done.2] {
        one.unwrap();
    }
}
