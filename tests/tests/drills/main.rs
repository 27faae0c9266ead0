//! Each drill in a small size, on servers and ports of its own. `make drills` plays them in full.
//!
//! A test for each: they run beside each other, and a failure names its drill. A failed drill leaves its folder below
//! `target/drills`, whose logs say what happened.

#![allow(clippy::panic, reason = "tests may")]

use local_stack::workspace_root;

/// Plays the drill of that name with so many rectifications.
async fn play(name: &str, rectifications: usize) {
    service_kit::install_crypto();
    let Some(drill) = tests::drill::find(name) else { panic!("no drill is called {name}") };
    let folder = workspace_root().join("target/drills").join(format!("test-{name}-{}", std::process::id()));
    let outcome = drill.play(&folder, rectifications, 20_260_210, true, None).await;
    assert!(outcome.is_good(), "{}\nin {}", tests::drill::table(&[outcome]), folder.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_brings_back_what_was_done_before_the_moment() {
    play("restore", 24).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_everything_may_be_lost() {
    play("replica", 60).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_nothing_is_half_written() {
    play("full-disk", 32).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_programs_work_on_tables_that_were_migrated_further() {
    play("upgrade", 120).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_may_lose_its_disk() {
    play("broker-disk", 24).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_and_password_may_be_changed() {
    play("rotation", 60).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_one_node_may_be_an_hour_off() {
    play("wrong-clock", 36).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_national_platform_may_be_away_for_a_week() {
    play("platform-away", 27).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_county_may_become_a_part_of_another_one() {
    play("county-move", 16).await;
}
