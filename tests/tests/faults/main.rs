//! Faults across real processes: while rectifications live through their lives, every service, the broker, the database and
//! the national platform are shot at moments that chance chooses, and the broker's storage is wiped; afterwards nothing is
//! missing and nothing happened twice. Then every consumer is fed duplicates, old versions and garbage.
//!
//! The verdict depends on no moment: everything is waited for by its condition, and the proof reads what stands in the
//! databases, the platform and the mail sink. The seed is printed; the number of rectifications comes from `DUDAO_FAULTS`
//! (see [`size::read`]).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod chance;
mod chaos;
mod garbage;
mod size;

use local_stack::workspace_root;
use tests::lives::people::People;
use tests::lives::{Lives, Size, proof, quiet};
use tests::say::Say;
use tests::world::{World, WorldOptions};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_happens_twice_whatever_is_shot() {
    service_kit::install_crypto();
    let size = size::read();
    let folder = workspace_root().join("target/faults").join(std::process::id().to_string());
    let say = Say::new();
    say.it(&format!("{} rectifications, seed {}, in {}", size.rectifications, size.seed, folder.display()));
    // Durable: a database that is shot must not lose what it has committed.
    let options = WorldOptions { durable: true, ..WorldOptions::new(&folder) };
    let world = World::start(options).await.unwrap();
    let played = play(&world, &size, &say).await;
    say.it("stopping");
    world.stop().await;
    // On a failure the folder stays: its logs say what happened.
    played.unwrap_or_else(|error| panic!("seed {}, logs in {}: {error:#}", size.seed, folder.display()));
    std::fs::remove_dir_all(&folder).ok();
    say.it("done");
}

async fn play(world: &World, size: &Size, say: &Say) -> anyhow::Result<()> {
    let people = People::settle(world, size).await?;
    say.it("people are there");
    let lives = Lives::new(world, &people, size)?;
    let shooting = chaos::during(world, size, lives.progress(), lives.steps(), say);
    let (answers, ()) = tokio::try_join!(lives.live(), shooting)?;
    say.it(&format!("lives are lived: {answers}"));
    quiet::wait(world, say).await?;
    say.it("quiet; now the clock passes every limit");
    tokio::try_join!(lives.pass_every_limit(), chaos::while_firing(world, size, say))?;
    quiet::wait(world, say).await?;
    say.it("quiet; the proof");
    proof::all(world, &lives).await?;
    say.it("proven; now garbage");
    garbage::feed_and_check(world, &lives, say).await?;
    proof::chains(world).await?;
    Ok(())
}
