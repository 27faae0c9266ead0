//! The storm: many rectifications due at one instant out of very many armed, fired with full effect (notice, number, journal,
//! limit, next timer), against plain set-based SQL that writes the very same rows in the same run.
//!
//! The yardstick: what the engine wrote is copied aside, the tables are put back as they were, and one connection writes the
//! same rows again in batches of 1,000 with nothing but SQL. Both run twice, in turn: the engine once while people ask, for their
//! times, and once alone; of the yardstick the better run counts.
//! Prints figures with their goals and appends them to `target/bench/results.jsonl`; asserts none of them. Run by
//! `make bench`, with durable servers. `DUDAO_BENCH_ARMED` lists how many are armed (default 1000000,10000000).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::too_many_lines,
    dead_code,
    reason = "a benchmark: figures for people, and more in the shared support than it needs"
)]

#[path = "../tests/it/support.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use deadlines::firing::LANES;
use domain::severity::Severity;
use sqlx::{AssertSqlSafe, PgPool};
use support::{World, at};
use testkit::Call;
use testkit::bench::{Goal, Results};

/// Received on this day, minor: the limit ends on 5 March, the order issues when 6 March has ended.
const RECEIVED: &str = "2026-02-06T02:00:00Z";
/// The due mark was set the day before; at this instant the orders fall due.
const OVERDUE: &str = "2026-03-05T16:00:00Z";
const STORM: &str = "2026-03-06T16:00:00Z";
/// Templates from which the armed cases are multiplied; each a real case of its own.
const TEMPLATES: u32 = 40;

fn main() {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(bench());
}

async fn bench() {
    let mut results = Results::open("storm");
    let armed: Vec<u64> = std::env::var("DUDAO_BENCH_ARMED")
        .unwrap_or_else(|_| "1000000,10000000".to_owned())
        .split(',')
        .map(|text| text.trim().parse().unwrap())
        .collect();
    let world = World::new().await;
    print_settings(world.database.pool()).await;

    let started = Instant::now();
    let singles = 2_000_u32;
    for serial in 1..=singles {
        world.open(TEMPLATES + serial, &[Severity::Serious], "2026-03-01T02:00:00Z").await;
    }
    results.add(
        "arming-rate",
        f64::from(singles) / started.elapsed().as_secs_f64(),
        "cases/s",
        Goal::None("letter and receipt one by one, a transaction each"),
    );
    for serial in 1..=TEMPLATES {
        world.open(serial, &[Severity::Minor], RECEIVED).await;
    }
    // What falls due before the storm takes its effect first.
    fire_all(&world, OVERDUE).await;

    let mut total = u64::from(singles + TEMPLATES);
    for (index, armed) in armed.into_iter().enumerate() {
        let of = if armed.is_multiple_of(1_000_000) { format!("{}M", armed / 1_000_000) } else { armed.to_string() };
        fill(world.database.pool(), armed.saturating_sub(total)).await;
        total = total.max(armed);
        if index == 0 {
            idle(&world, &mut results, &of).await;
        }
        for due in [10_000_u64, 100_000] {
            let name = format!("storm-{}k-of-{of}", due / 1_000);
            storm(&world, &mut results, &name, due).await;
        }
    }
    results.print();
}

/// Multiplies a case that is not due for a long time; the texts of its letter are not read by a storm of others.
async fn fill(pool: &PgPool, rows: u64) {
    let started = Instant::now();
    // The armed are spread over a quarter, as a province's are.
    let statement = "
        INSERT INTO rectifications (rectification_id, version, state, next_timer_at, late_from, changed_at)
        SELECT n.id, 1, replace(s.state, s.rectification_id::text, n.id::text),
               timestamptz '2026-04-01' + n.i % 7776000 * interval '1 second', s.late_from, s.changed_at
        FROM (SELECT rectification_id, state, late_from, changed_at FROM rectifications
              WHERE state LIKE '%\"serious\"%' LIMIT 1) s,
             (SELECT gen_random_uuid() AS id, i FROM generate_series($1::bigint, $2::bigint) i) n";
    let step = 500_000;
    let mut from = 1;
    while from <= rows {
        let to = (from + step - 1).min(rows);
        sqlx::query(statement).bind(from as i64).bind(to as i64).execute(pool).await.unwrap();
        from = to + 1;
    }
    sqlx::query("VACUUM ANALYZE rectifications").execute(pool).await.unwrap();
    sqlx::query("CHECKPOINT").execute(pool).await.unwrap();
    println!("armed {rows} more in {:.0} s", started.elapsed().as_secs_f64());
}

/// Multiplies the templates: overdue, one working day of grace left, the order next.
async fn make_due(pool: &PgPool, due: u64) {
    sqlx::raw_sql(AssertSqlSafe(format!(
        "CREATE UNLOGGED TABLE bench_new AS
             SELECT gen_random_uuid() AS id, gen_random_uuid() AS item_id, gen_random_uuid() AS letter_id,
                    s.rectification_id, s.item AS old_item
             FROM (SELECT r.rectification_id, i.item_id AS item, row_number() OVER () AS n
                   FROM rectifications r JOIN items i USING (rectification_id)
                   WHERE i.severity = 'minor' AND r.changed_at < '{STORM}' AND i.urging_orders = 0 LIMIT {TEMPLATES}) s,
                  generate_series(1, {due}) g
             WHERE g % {TEMPLATES} = s.n - 1;
         INSERT INTO dossiers
             SELECT n.id, n.letter_id, NULL, d.letter, d.agency_area_code, d.agency_key, d.area_path, d.unit_ids,
                    d.reader_ids, d.county_code, d.search_text, d.received_at
             FROM bench_new n JOIN dossiers d USING (rectification_id);
         INSERT INTO rectifications (rectification_id, version, state, next_timer_at, late_from, changed_at)
             SELECT n.id, r.version,
                    replace(replace(r.state, n.rectification_id::text, n.id::text), n.old_item::text, n.item_id::text),
                    '{STORM}', r.late_from, r.changed_at
             FROM bench_new n JOIN rectifications r USING (rectification_id);
         CREATE UNLOGGED TABLE bench_before AS
             SELECT r.* FROM rectifications r JOIN bench_new n ON n.id = r.rectification_id;
         CREATE INDEX ON bench_before (rectification_id);"
    )))
    .execute(pool)
    .await
    .unwrap();
    settle(pool).await;
}

async fn settle(pool: &PgPool) {
    for table in ["rectifications", "dossiers", "deadlines", "urging_orders", "messaging.journal", "sheets"] {
        sqlx::query(AssertSqlSafe(format!("VACUUM ANALYZE {table}"))).execute(pool).await.unwrap();
    }
    sqlx::query("CHECKPOINT").execute(pool).await.unwrap();
}

async fn storm(world: &World, results: &mut Results, name: &str, due: u64) {
    let pool = world.database.pool();
    // The templates themselves must not be due with their copies.
    sqlx::query(AssertSqlSafe(format!(
        "UPDATE rectifications SET next_timer_at = '2027-01-01' WHERE next_timer_at <= '{STORM}'"
    )))
    .execute(pool)
    .await
    .unwrap();
    make_due(pool, due).await;

    // While people ask, for the answers' times; then alone, as the yardstick is.
    let asked = engine(world, due, true).await;
    stage(pool).await;
    for (what, table, column) in [
        ("state", "bench_after", "state"),
        ("order", "bench_orders", "bench_orders.*::text"),
        ("limit", "bench_limits", "bench_limits.*::text"),
        ("event", "bench_journal", "bench_journal.*::text"),
    ] {
        let average: f64 =
            sqlx::query_scalar(AssertSqlSafe(format!("SELECT avg(octet_length({column}))::float8 FROM {table}")))
                .fetch_one(pool)
                .await
                .unwrap();
        results.add(&format!("{name}-bytes-{what}"), average, "bytes", Goal::None("written for each notice, as text"));
    }
    put_back(pool).await;
    let plain_first = plain(pool).await;
    put_back(pool).await;
    let best = engine(world, due, false).await;
    put_back(pool).await;
    let plain_second = plain(pool).await;

    let ours = best.seconds;
    let plain = plain_first.min(plain_second);
    let goal = if due == 10_000 { Goal::AtMost(0.4) } else { Goal::AtMost(5.0) };
    results.add(name, ours, "s", goal);
    results.add(
        &format!("{name}-plain-sql"),
        plain,
        "s",
        Goal::None("the same rows, one connection, batches of 1,000"),
    );
    results.add(&format!("{name}-ratio"), ours / plain, "× plain SQL", Goal::AtMost(1.2));
    results.add(&format!("{name}-rate"), due as f64 / ours, "notices/s", Goal::None("full effect committed"));
    results.add(&format!("{name}-cpu"), best.cpu, "s", Goal::None("of this process; the rest is PostgreSQL's"));
    results.add(&format!("{name}-lateness-p50"), best.p50, "s", Goal::None("due instant to commit"));
    results.add(&format!("{name}-lateness-p99"), best.p99, "s", Goal::AtMost(2.0));
    results.add(&format!("{name}-lateness-max"), best.max, "s", Goal::AtMost(10.0));
    results.add(&format!("{name}-api-p99"), asked.api_p99 * 1e3, "ms", Goal::AtMost(100.0));
    results.add(&format!("{name}-memory"), rss_mib(), "MiB", Goal::None("resident, this process, after the storm"));
    results.print();
    clear(pool).await;
}

struct Storm {
    seconds: f64,
    /// Of this process alone, the requests of people included.
    cpu: f64,
    p50: f64,
    p99: f64,
    max: f64,
    api_p99: f64,
}

/// The engine as it runs in the service: all its lanes, with or without people who ask meanwhile.
async fn engine(world: &World, due: u64, people: bool) -> Storm {
    world.database.set_clock(at(STORM)).await;
    let stop = Arc::new(AtomicBool::new(!people));
    let cpu = cpu_seconds();
    let asking = tokio::spawn(ask(world.router.clone(), world.admin.clone(), Arc::clone(&stop)));
    let started = Instant::now();
    let mut lanes = tokio::task::JoinSet::new();
    for _ in LANES {
        let firing = world.firing();
        lanes.spawn(async move {
            let mut commits = Vec::new();
            loop {
                match firing.fire_batch().await.unwrap() {
                    0 => return commits,
                    more => commits.push((started.elapsed().as_secs_f64(), more)),
                }
            }
        });
    }
    let mut commits: Vec<(f64, usize)> = lanes.join_all().await.into_iter().flatten().collect();
    let seconds = started.elapsed().as_secs_f64();
    let cpu = cpu_seconds() - cpu;
    stop.store(true, Ordering::Relaxed);
    let mut answers = asking.await.unwrap();
    let fired: usize = commits.iter().map(|(_, n)| n).sum();
    let orders: i64 =
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM urging_orders WHERE issued_at >= '{STORM}'")))
            .fetch_one(world.database.pool())
            .await
            .unwrap();
    assert_eq!((fired as u64, orders as u64), (due, due), "a benchmark of something that does not work");
    commits.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at_share = |share: f64| {
        let wanted = due as f64 * share;
        let mut seen = 0.0;
        for (when, n) in &commits {
            seen += *n as f64;
            if seen >= wanted {
                return *when;
            }
        }
        seconds
    };
    answers.sort_by(f64::total_cmp);
    let api_p99 = answers.get(answers.len().saturating_sub(1) * 99 / 100).copied().unwrap_or_default();
    Storm { seconds, cpu, p50: at_share(0.5), p99: at_share(0.99), max: at_share(1.0), api_p99 }
}

/// Somebody looks at the list of rectifications, over and over.
async fn ask(router: axum::Router, by: access::Caller, stop: Arc<AtomicBool>) -> Vec<f64> {
    let mut answers = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let started = Instant::now();
        Call::get("/v1/rectifications?limit=20").by(&by).send(&router).await.expect(http::StatusCode::OK);
        answers.push(started.elapsed().as_secs_f64());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    answers
}

/// Copies aside what the storm wrote.
async fn stage(pool: &PgPool) {
    sqlx::raw_sql(AssertSqlSafe(format!(
        "CREATE UNLOGGED TABLE bench_after AS
             SELECT r.* FROM rectifications r JOIN bench_before b USING (rectification_id);
         CREATE UNIQUE INDEX ON bench_after (rectification_id);
         CREATE UNLOGGED TABLE bench_orders AS SELECT * FROM urging_orders WHERE issued_at >= '{STORM}';
         CREATE UNIQUE INDEX ON bench_orders (rectification_id);
         CREATE UNLOGGED TABLE bench_limits AS SELECT * FROM deadlines WHERE set_at >= '{STORM}';
         CREATE INDEX ON bench_limits (rectification_id);
         CREATE UNLOGGED TABLE bench_journal AS SELECT * FROM messaging.journal WHERE occurred_at >= '{STORM}';
         CREATE INDEX ON bench_journal (aggregate_id);
         CREATE UNLOGGED TABLE bench_sheets AS
             SELECT * FROM sheets WHERE sheet_id IN (SELECT sheet_id FROM bench_limits);
         CREATE UNIQUE INDEX ON bench_sheets (sheet_id);"
    )))
    .execute(pool)
    .await
    .unwrap();
    for table in ["bench_after", "bench_orders", "bench_limits", "bench_journal", "bench_sheets", "bench_before"] {
        sqlx::query(AssertSqlSafe(format!("VACUUM ANALYZE {table}"))).execute(pool).await.unwrap();
    }
}

/// Puts everything back as it was before the storm.
async fn put_back(pool: &PgPool) {
    sqlx::raw_sql(AssertSqlSafe(format!(
        "BEGIN;
         SET LOCAL session_replication_role = replica;
         DELETE FROM urging_orders WHERE issued_at >= '{STORM}';
         DELETE FROM deadlines WHERE set_at >= '{STORM}';
         DELETE FROM messaging.journal WHERE occurred_at >= '{STORM}';
         DELETE FROM sheets WHERE NOT EXISTS (SELECT FROM deadlines d WHERE d.sheet_id = sheets.sheet_id);
         UPDATE number_series SET last = greatest(1, (SELECT count(*) FROM urging_orders));
         UPDATE rectifications r SET version = b.version, state = b.state, next_timer_at = b.next_timer_at,
                late_from = b.late_from, changed_at = b.changed_at
             FROM bench_before b WHERE b.rectification_id = r.rectification_id;
         COMMIT;"
    )))
    .execute(pool)
    .await
    .unwrap();
    settle(pool).await;
}

/// The yardstick: take what is due and write the same rows, with nothing but SQL.
async fn plain(pool: &PgPool) -> f64 {
    let mut connection = pool.acquire().await.unwrap();
    // By the indexes: with a plan that reads all that was put aside for each batch, the yardstick would flatter us.
    sqlx::raw_sql("SET enable_hashjoin = off; SET enable_mergejoin = off").execute(&mut *connection).await.unwrap();
    let started = Instant::now();
    loop {
        sqlx::query("BEGIN").execute(&mut *connection).await.unwrap();
        sqlx::query(AssertSqlSafe(
            "CREATE TEMP TABLE IF NOT EXISTS taken (rectification_id uuid) ON COMMIT DELETE ROWS".to_owned(),
        ))
        .execute(&mut *connection)
        .await
        .unwrap();
        let taken = sqlx::query(AssertSqlSafe(format!(
            "INSERT INTO taken SELECT rectification_id FROM rectifications WHERE next_timer_at <= '{STORM}'
             ORDER BY next_timer_at LIMIT 1000 FOR UPDATE SKIP LOCKED"
        )))
        .execute(&mut *connection)
        .await
        .unwrap()
        .rows_affected();
        if taken == 0 {
            let seconds = started.elapsed().as_secs_f64();
            sqlx::raw_sql("ROLLBACK; RESET enable_hashjoin; RESET enable_mergejoin")
                .execute(&mut *connection)
                .await
                .unwrap();
            return seconds;
        }
        for statement in [
            "UPDATE rectifications r SET version = a.version, state = a.state, people = a.people,
                    next_timer_at = a.next_timer_at, late_from = a.late_from, changed_at = a.changed_at
             FROM bench_after a JOIN taken USING (rectification_id) WHERE r.rectification_id = a.rectification_id",
            "UPDATE number_series SET last = last + (SELECT count(*) FROM taken)",
            "INSERT INTO sheets SELECT DISTINCT s.* FROM bench_sheets s JOIN bench_limits l USING (sheet_id)
                 JOIN taken USING (rectification_id) ON CONFLICT DO NOTHING",
            "INSERT INTO deadlines SELECT l.* FROM bench_limits l JOIN taken USING (rectification_id)",
            "INSERT INTO urging_orders SELECT o.* FROM bench_orders o JOIN taken USING (rectification_id)",
            "INSERT INTO messaging.journal
                 (epoch, event_id, event_type, aggregate_id, aggregate_version, occurred_at, actor, traceparent, payload)
             SELECT j.epoch, j.event_id, j.event_type, j.aggregate_id, j.aggregate_version, j.occurred_at, j.actor,
                    j.traceparent, j.payload
             FROM bench_journal j JOIN taken t ON t.rectification_id = j.aggregate_id",
        ] {
            sqlx::query(statement).execute(&mut *connection).await.unwrap();
        }
        sqlx::query("COMMIT").execute(&mut *connection).await.unwrap();
    }
}

/// Takes the storm's cases away again, so that the next one begins with the same number armed.
async fn clear(pool: &PgPool) {
    put_back(pool).await;
    sqlx::raw_sql(
        "DELETE FROM rectifications USING bench_new WHERE rectifications.rectification_id = bench_new.id;
         DELETE FROM dossiers USING bench_new WHERE dossiers.rectification_id = bench_new.id;
         DROP TABLE bench_new, bench_before, bench_after, bench_orders, bench_limits, bench_journal, bench_sheets;",
    )
    .execute(pool)
    .await
    .unwrap();
    settle(pool).await;
}

/// What the engine costs while nothing is due.
async fn idle(world: &World, results: &mut Results, of: &str) {
    world.database.set_clock(at("2026-03-06T10:00:00Z")).await;
    while world.firing().fire_batch().await.unwrap() > 0 {}
    let (before, started) = (cpu_seconds(), Instant::now());
    let stop = Arc::new(AtomicBool::new(false));
    let mut lanes = tokio::task::JoinSet::new();
    for _ in LANES {
        let (firing, stop) = (world.firing(), Arc::clone(&stop));
        lanes.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                firing.fire_batch().await.unwrap();
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    stop.store(true, Ordering::Relaxed);
    lanes.join_all().await;
    let share = (cpu_seconds() - before) / started.elapsed().as_secs_f64() * 100.0;
    results.add(&format!("idle-cpu-{of}"), share, "% of a core", Goal::None("all lanes looking twice a second"));
    results.add(&format!("idle-memory-{of}"), rss_mib(), "MiB", Goal::None("resident, this process"));
}

async fn fire_all(world: &World, instant: &str) {
    world.database.set_clock(at(instant)).await;
    while world.firing().fire_batch().await.unwrap() > 0 {}
}

fn rss_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// User and system time of this process; the kernel counts in hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

async fn print_settings(pool: &PgPool) {
    let settings: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, current_setting(name) FROM pg_settings WHERE name IN
         ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'wal_level', 'shared_buffers',
          'max_wal_size', 'checkpoint_timeout', 'wal_compression', 'default_toast_compression', 'jit') ORDER BY name",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    for (name, value) in settings {
        println!("PostgreSQL {name} = {value}");
    }
}
