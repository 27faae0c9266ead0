//! The portal over a real writer and a real standby that follows it.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use local_stack::{Postgres, PostgresOptions, ScratchFolder, Tools, workspace_root};
use postgres::Standby;
use service_kit::Worker;
use sqlx::postgres::PgConnectOptions;
use testkit::{Call, Database};

use crate::support::{App, public_path_of, rectification, replica};

/// A replica of the service with nothing in its memory, whose worker is run by hand.
struct Replica {
    router: axum::Router,
    worker: Worker,
    standby: Arc<Standby>,
}

impl Replica {
    async fn new(app: &App, standby: &PgConnectOptions, limit: Duration) -> Self {
        let database = app.database.another_pool().await;
        let standby = Arc::new(Standby::new(database.clone(), standby.clone(), 2, limit));
        let (router, workers) = replica(database, Some(Arc::clone(&standby))).await;
        let worker = workers.into_iter().find(|worker| format!("{worker:?}").contains("portal-standby")).unwrap();
        Self { router, worker, standby }
    }

    async fn status(&self, path: &str) -> StatusCode {
        Call::get(path).header("accept", "text/html").send(&self.router).await.status
    }

    fn reads_standby(&self) -> bool {
        self.standby.database().is_some()
    }

    /// Measures until the standby is read, or no longer.
    async fn until(&self, reads_standby: bool) {
        let measured = async {
            self.worker.run_once().await.unwrap();
            while self.reads_standby() != reads_standby {
                tokio::time::sleep(Duration::from_millis(50)).await;
                self.worker.run_once().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(Duration::from_mins(1), measured).await;
        assert!(waited.is_ok(), "the standby never becomes fit or unfit: wanted {reads_standby}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_come_from_the_standby_while_it_keeps_up_and_from_the_writer_otherwise() {
    let folder = ScratchFolder::new("publication-standby").unwrap();
    let bin = Tools::find(&workspace_root()).unwrap().pg_bin;
    let options = PostgresOptions { durable: false, max_connections: 100, ..PostgresOptions::new(bin) };
    let writer = Postgres::start(&folder.path().join("writer"), &options).await.unwrap();
    let database = Database::on(writer.superuser("postgres"), &[&messaging::MIGRATOR, &publication::MIGRATOR]).await;
    let app = App::over(database).await;
    let follower = writer.standby(&folder.path().join("standby"), &options).await.unwrap();
    let name = "SELECT current_database()::text";
    let name: String = sqlx::query_scalar(name).fetch_one(app.database.pool()).await.unwrap();
    let standby = follower.superuser(&name);
    let mut on_standby = follower.connect(&name).await.unwrap();

    let patient = Replica::new(&app, &standby, Duration::from_mins(10)).await;
    let hasty = Replica::new(&app, &standby, Duration::from_secs(1)).await;
    patient.until(true).await;
    hasty.until(true).await;

    // The standby stands still. What is published now is not on it.
    sqlx::query("SELECT pg_wal_replay_pause()").execute(&mut on_standby).await.unwrap();
    let paused = async {
        let state = "SELECT pg_get_wal_replay_pause_state() = 'paused'";
        while !sqlx::query_scalar::<_, bool>(state).fetch_one(&mut on_standby).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), paused).await.expect("the standby does not pause");
    let rectification = rectification("甲", &["问题一"]);
    app.feed(&rectification).await;
    app.approve(&rectification).await;
    let page = public_path_of(&rectification);

    // Not too far behind for the one: the standby answers, and does not know it yet.
    patient.worker.run_once().await.unwrap();
    assert!(patient.reads_standby());
    assert_eq!(patient.status(&page).await, StatusCode::NOT_FOUND);
    // Who decides reads from the writer, whatever the portal shows.
    assert_eq!(app.draft(&rectification).await["state"], "published");
    // Too far for the other: the writer answers.
    hasty.until(false).await;
    assert_eq!(hasty.status(&page).await, StatusCode::OK);

    // It keeps up again, then goes away in the middle: what is asked for next comes from the writer.
    sqlx::query("SELECT pg_wal_replay_resume()").execute(&mut on_standby).await.unwrap();
    let replayed = async {
        while patient.status(&page).await != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), replayed).await.expect("the standby never catches up");
    patient.until(true).await;
    follower.process().take_down().await;
    assert!(patient.reads_standby(), "nobody has looked since");
    assert_eq!(patient.status("/").await, StatusCode::OK);
    assert!(!patient.reads_standby(), "the next reader does not wait for it");
    patient.worker.run_once().await.unwrap();
    assert_eq!(patient.status("/feed.atom").await, StatusCode::OK);
}
