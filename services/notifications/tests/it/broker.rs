//! From another service's journal over the real broker to the mail server.

use contracts::Actor;
use messaging::{Consumer, Relay};
use notifications::consume::{Directory, Matters};
use service_kit::telemetry::Metrics;
use tokio_util::sync::CancellationToken;

use crate::world::*;

#[tokio::test]
async fn an_order_in_another_journal_ends_as_mail_and_garbage_as_a_dead_letter() {
    let world = World::new().await;
    let cancel = CancellationToken::new();
    let mut running = Vec::new();
    let (registry, deadlines) =
        (testkit::Database::new(&[&messaging::MIGRATOR]).await, testkit::Database::new(&[&messaging::MIGRATOR]).await);
    for (database, service) in [(&registry, "registry"), (&deadlines, "deadlines")] {
        let relay = Relay::new(database.handle(), world.broker.clone(), service, testkit::journal_key());
        running.push(tokio::spawn(relay.run(cancel.clone())));
    }
    let (database, broker) = (world.db.handle(), world.broker.clone());
    let directory = Consumer::new(database.clone(), broker.clone(), "notifications-directory", Directory);
    running.push(tokio::spawn(directory.run(cancel.clone())));
    let matters = Consumer::new(database, broker, "notifications-matters", Matters(world.telling.clone()));
    running.push(tokio::spawn(matters.run(cancel.clone())));
    let meter = Metrics::new("notifications").unwrap().meter();
    for worker in world.assembled.workers() {
        running.push(tokio::spawn(worker.clone().run(meter.clone(), cancel.clone())));
    }

    let mut tx = registry.begin().await.unwrap();
    messaging::append_all(&mut tx, &Actor::system("test"), &people()).await.unwrap();
    tx.commit().await.unwrap();
    testkit::wait_until("the accounts are known", async || {
        let known: i64 = sqlx::query_scalar("SELECT count(*) FROM accounts").fetch_one(world.db.pool()).await.unwrap();
        known == 6
    })
    .await;

    let mut tx = deadlines.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO messaging.journal (event_id, event_type, aggregate_id, aggregate_version, occurred_at, actor, payload)
         VALUES ($1, 'deadlines.urging_order.issued.v1', $1, 1, clock_timestamp(), '{\"kind\":\"system\",\"worker\":\"x\"}', '{}')",
    )
    .bind(ORDER)
    .execute(&mut *tx)
    .await
    .unwrap();
    messaging::append(&mut tx, &Actor::system("test"), &urged()).await.unwrap();
    tx.commit().await.unwrap();

    testkit::wait_until("everyone has the order by mail", async || world.sink.mails().len() == 4).await;
    testkit::wait_until("the garbage lies among the dead letters", async || {
        let dead: i64 =
            sqlx::query_scalar("SELECT count(*) FROM messaging.dead_letters").fetch_one(world.db.pool()).await.unwrap();
        dead == 1
    })
    .await;
    testkit::wait_until("everything is marked as delivered", async || world.mails_in("delivered").await == 4).await;
    cancel.cancel();
    for task in running {
        task.await.unwrap();
    }
    let told: Vec<_> = world.told().await.into_iter().map(|row| row.0).collect();
    assert_eq!(told, ["教育局", "校长", "海口办", "联络员"]);
}
