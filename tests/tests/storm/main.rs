//! A storm against real servers: very many orders fall due at one instant, at two real `deadlines` processes on one durable
//! database, while either process is shot every second or two, the database server and the broker are shot, and the
//! clock is stepped an hour back and forth. Afterwards every order was issued exactly once.
//!
//! The verdict depends on no moment: the end is waited for by its condition, and the proof reads what stands in the database.
//! The seed is printed; `DUDAO_STORM_SEED` plays the same chances again, `DUDAO_STORM` sets how many cases (see
//! [`size::Size::read`]).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod chaos;
mod proof;
mod replicas;
mod size;
mod templates;

use local_stack::workspace_root;
use tests::say::Say;

use crate::replicas::Replicas;
use crate::size::Size;

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_orders_is_issued_exactly_once_whatever_is_shot() {
    service_kit::install_crypto();
    let size = Size::read();
    let folder = workspace_root().join("target/storm").join(std::process::id().to_string());
    let say = Say::new();
    say.it(&format!("{} cases, seed {}, in {}", size.cases, size.seed, folder.display()));
    let replicas = Replicas::start(&folder).await.unwrap();
    let played = play(&replicas, &size, &say).await;
    say.it("stopping");
    replicas.stop().await;
    // On a failure the folder stays: its logs say what happened.
    played.unwrap_or_else(|error| panic!("seed {}, logs in {}: {error:#}", size.seed, folder.display()));
    std::fs::remove_dir_all(&folder).ok();
    say.it("done");
}

async fn play(replicas: &Replicas, size: &Size, say: &Say) -> anyhow::Result<()> {
    let ready = templates::make(replicas, size).await?;
    say.it(&format!("{} cases with {} items are armed; the clock passes", ready.cases, ready.items));
    replicas.set_clock(templates::STORM).await?;
    let blows = chaos::until_nothing_is_due(replicas, size, &ready, say).await?;
    say.it(&format!("nothing is due any more, after {blows}"));
    proof::all(replicas, &ready).await
}
