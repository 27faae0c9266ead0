//! A storm: many rectifications due at one instant, fired with full effect, against plain set-based SQL that writes the same
//! number of rows in the same run.
//!
//! Prints figures, asserts none. Run by `make bench`, with durable servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    dead_code,
    reason = "a benchmark: figures for people, and more in the shared support than it needs"
)]

#[path = "../tests/it/support.rs"]
mod support;

use std::time::Instant;

use domain::severity::Severity;
use support::{World, at};

const DUE: u32 = 5_000;
const NOT_DUE: u32 = 5_000;

#[tokio::main]
async fn main() {
    let world = World::new().await;
    let started = Instant::now();
    for serial in 1..=DUE {
        world.open(serial, &[Severity::Minor], "2026-02-06T02:00:00Z").await;
    }
    for serial in DUE + 1..=DUE + NOT_DUE {
        world.open(serial, &[Severity::Serious], "2026-03-01T02:00:00Z").await;
    }
    println!("opened {} rectifications one by one in {:.1} s", DUE + NOT_DUE, started.elapsed().as_secs_f64());

    world.database.set_clock(at("2026-03-06T16:00:00Z")).await;
    let firing = world.firing();
    let started = Instant::now();
    let mut taken = 0;
    loop {
        match firing.fire_batch().await.unwrap() {
            0 => break,
            more => taken += more,
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let orders: i64 =
        sqlx::query_scalar("SELECT count(*) FROM urging_orders").fetch_one(world.database.pool()).await.unwrap();
    println!(
        "storm: {taken} rectifications, {orders} numbered orders with journal and next timers in {seconds:.2} s = {:.0} per second",
        taken as f64 / seconds
    );
}
