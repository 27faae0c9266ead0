//! The failure catalogue: every way in which the timers of comparable systems have failed their users, a test each, numbered
//! as in the catalogue. The comment says the failure, and what the test proves against it.

mod book;
mod claiming;
mod counting;
mod ladder;
mod watching;

use std::process::Command;
use std::sync::Arc;

use clockwork::invariants;
use deadlines::firing::Firing;
use domain::ids::RectificationId;
use domain::severity::Severity;
use sqlx::AssertSqlSafe;
use testkit::wait_until;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::support::World;

/// A minor finding received on this day is due on 5 March; the order issues when 6 March has ended.
const RECEIVED: &str = "2026-02-06T02:00:00Z";
const OVERDUE: &str = "2026-03-05T16:00:00Z";
const URGED: &str = "2026-03-06T16:00:00Z";

/// Cases whose order is due at [`URGED`]: one that was opened, and its copies.
async fn due_cases(world: &World, number: i64) {
    let template = world.open(1, &[Severity::Minor], RECEIVED).await;
    world.fire_at(OVERDUE).await;
    multiply(world, template, number - 1).await;
}

/// Copies a case of one item with its letter; only the identifiers are others.
async fn multiply(world: &World, template: RectificationId, copies: i64) {
    let template = Uuid::from(template);
    sqlx::raw_sql(AssertSqlSafe(format!(
        "CREATE TEMP TABLE fresh ON COMMIT DROP AS
             SELECT gen_random_uuid() AS id, gen_random_uuid() AS item_id, gen_random_uuid() AS letter_id
             FROM generate_series(1, {copies});
         INSERT INTO dossiers
             SELECT n.id, n.letter_id, NULL, d.letter, d.agency_area_code, d.agency_key, d.area_path, d.unit_ids,
                    d.reader_ids, d.county_code, d.search_text, d.received_at
             FROM fresh n, dossiers d WHERE d.rectification_id = '{template}';
         INSERT INTO rectifications (rectification_id, version, state, next_timer_at, late_from, changed_at)
             SELECT n.id, r.version, replace(replace(r.state, '{template}', n.id::text), i.item_id::text, n.item_id::text),
                    r.next_timer_at, r.late_from, r.changed_at
             FROM fresh n, rectifications r JOIN items i USING (rectification_id)
             WHERE r.rectification_id = '{template}'"
    )))
    .execute(world.database.pool())
    .await
    .unwrap();
}

/// A replica of its own: another pool, nothing remembered.
async fn replica(world: &World) -> Firing {
    Firing::new(world.database.another_pool().await, Arc::clone(&world.rules))
}

/// Fires what is due at the instant, round after round, until nothing is.
async fn fire_all(world: &World, instant: &str) -> usize {
    let mut taken = world.fire_at(instant).await;
    loop {
        match world.firing().fire_batch().await.unwrap() {
            0 => return taken,
            more => taken += more,
        }
    }
}

/// A round that stands still in the middle: its cases are taken and written, and it waits for its numbers.
struct StandingRound {
    holder: sqlx::Transaction<'static, sqlx::Postgres>,
    round: JoinHandle<anyhow::Result<usize>>,
}

impl StandingRound {
    async fn of(world: &World, firing: Firing) -> Self {
        let mut holder = world.database.pool().begin().await.unwrap();
        sqlx::query("LOCK TABLE number_series IN SHARE MODE").execute(&mut *holder).await.unwrap();
        let round = tokio::spawn(async move { firing.fire_batch().await });
        wait_until("the round waits for its numbers", || async { waiting(world).await == 1 }).await;
        Self { holder, round }
    }

    /// Lets it go on to its end.
    async fn goes_on(self) -> usize {
        self.holder.rollback().await.unwrap();
        self.round.await.unwrap().unwrap()
    }

    /// Ends its connection, as the death of its process would.
    async fn dies(self, world: &World) {
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE wait_event_type = 'Lock' AND datname = current_database()",
        )
        .execute(world.database.pool())
        .await
        .unwrap();
        self.round.await.unwrap().unwrap_err();
        self.holder.rollback().await.unwrap();
    }
}

async fn waiting(world: &World) -> i64 {
    count(
        world,
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
    )
    .await
}

async fn count(world: &World, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(world.database.pool()).await.unwrap()
}

async fn orders(world: &World) -> i64 {
    count(world, "SELECT count(*) FROM urging_orders").await
}

/// Journal rows that say an order was issued.
async fn told(world: &World) -> i64 {
    count(world, "SELECT count(*) FROM messaging.journal WHERE event_type = 'deadlines.urging_order.issued.v1'").await
}

/// What is proved every night holds, and of the open cases none has an instant behind it.
async fn assert_proved(world: &World) {
    let mut tx = world.database.begin().await.unwrap();
    let at = tx.at();
    let proof = invariants::prove(&mut tx, at).await.unwrap();
    let broken: Vec<_> = proof.findings.iter().filter(|finding| finding.violations > 0).collect();
    assert!(broken.is_empty(), "{broken:?}");
    let behind = "SELECT count(*) FROM rectifications WHERE next_timer_at <= messaging.legal_now()";
    assert_eq!(count(world, behind).await, 0);
}

/// Runs a test of this program that is marked `ignore`, in a process of its own with that environment; returns what it
/// printed. What belongs to the whole process, its zone and its metrics, is tried there.
fn in_a_process_of_its_own(test: &str, environment: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{test}: {printed}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("1 passed"), "there is no such test as {test}: {printed}");
    printed
}
