//! What every drill is given, and what most of them do.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::Report;
use crate::lives::people::People;
use crate::lives::{Lives, Size, proof, quiet};
use crate::say::Say;
use crate::world::{World, WorldOptions};

/// Between the beginnings of two lives while load runs, in full size.
const PACE: Duration = Duration::from_millis(150);
/// The same in the small size, whose processes share two cores with other tests.
const SMALL_PACE: Duration = Duration::from_millis(600);

/// Where a drill plays.
#[derive(Debug)]
pub struct Ground {
    /// Its own folder, empty at the start.
    pub folder: PathBuf,
    /// How many rectifications live at most, and the seed.
    pub size: Size,
    /// Whether it is the small one of `make test`.
    pub small: bool,
    /// The former version, as a commit or a tag, for the drill that upgrades from it.
    pub from: Option<String>,
    /// Whom it tells how far it is.
    pub say: Say,
}

/// People who go on acting while something is struck, see [`Ground::under_load`].
#[derive(Debug, Default)]
pub struct Load {
    stop: AtomicBool,
}

impl Load {
    /// Lets nobody begin any more; those who have begun end in their time.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }
}

impl Ground {
    /// The usual world in the drill's folder: durable, everything once, no doors.
    pub fn world(&self) -> WorldOptions {
        WorldOptions::new(self.folder.join("world"))
    }

    /// Starts a world and settles its people.
    pub async fn start(&self, options: WorldOptions) -> anyhow::Result<(World, People)> {
        let world = World::start(options).await?;
        let people = People::settle(&world, &self.size).await?;
        self.say.it("the world stands and its people are there");
        Ok((world, people))
    }

    /// Does something while lives go on beginning, and lets them end afterwards. The time is that of what was done.
    pub async fn under_load<T>(
        &self,
        lives: &Lives<'_>,
        act: impl AsyncFnOnce(&Load) -> anyhow::Result<T>,
    ) -> anyhow::Result<(T, Duration)> {
        self.under_load_as(self.pace(), usize::MAX, lives, act).await
    }

    /// The same with so many lives at most.
    pub async fn under_load_of<T>(
        &self,
        lives: &Lives<'_>,
        most: usize,
        act: impl AsyncFnOnce(&Load) -> anyhow::Result<T>,
    ) -> anyhow::Result<(T, Duration)> {
        self.under_load_as(self.pace(), most, lives, act).await
    }

    /// The same with another time between the beginnings of two lives: what takes minutes needs people who come for minutes.
    pub async fn under_load_every<T>(
        &self,
        pace: Duration,
        most: usize,
        lives: &Lives<'_>,
        act: impl AsyncFnOnce(&Load) -> anyhow::Result<T>,
    ) -> anyhow::Result<(T, Duration)> {
        self.under_load_as(pace, most, lives, act).await
    }

    fn pace(&self) -> Duration {
        if self.small { SMALL_PACE } else { PACE }
    }

    async fn under_load_as<T>(
        &self,
        pace: Duration,
        most: usize,
        lives: &Lives<'_>,
        act: impl AsyncFnOnce(&Load) -> anyhow::Result<T>,
    ) -> anyhow::Result<(T, Duration)> {
        let load = Load::default();
        lives.about_to_act();
        let acting = async {
            let began = Instant::now();
            let done = act(&load).await;
            load.stop();
            Ok((done?, began.elapsed()))
        };
        let (done, ()) = tokio::try_join!(acting, lives.live_until(pace, most, &load.stop))?;
        Ok(done)
    }

    /// Waits until the lives have taken so many steps more.
    pub async fn steps(&self, lives: &Lives<'_>, more: usize) -> anyhow::Result<()> {
        let goal = lives.progress().load(Ordering::Relaxed) + more;
        crate::world::wait::until_true("people act", || async { Ok(lives.progress().load(Ordering::Relaxed) >= goal) })
            .await
    }

    /// The same, or until everybody who was let act has come to an end.
    pub async fn steps_or_end(&self, lives: &Lives<'_>, more: usize) -> anyhow::Result<()> {
        let goal = lives.progress().load(Ordering::Relaxed) + more;
        crate::world::wait::until_true("people act", || async {
            Ok(!lives.are_acting() || lives.progress().load(Ordering::Relaxed) >= goal)
        })
        .await
    }

    /// Waits until everything is applied and told; answers how long that took.
    pub async fn quiet(&self, world: &World) -> anyhow::Result<Duration> {
        let began = Instant::now();
        quiet::wait(world, &self.say).await?;
        Ok(began.elapsed())
    }

    /// The end of most drills: everything catches up, the clock passes every limit, what is late takes effect, and everything is
    /// proven: chains, effects, copies, and the standing invariants.
    pub async fn prove(&self, world: &World, lives: &Lives<'_>, report: &mut Report) -> anyhow::Result<()> {
        report.phase("全部跟上 everything caught up", self.quiet(world).await?);
        lives.pass_every_limit().await?;
        self.quiet(world).await?;
        let proven = proof::all(world, lives).await?;
        invariants(world).await?;
        report.prove(&proven);
        report.people(lives);
        self.say.it("proven");
        Ok(())
    }
}

/// `dudao prove`: the standing invariants of the cases.
pub(super) async fn invariants(world: &World) -> anyhow::Result<()> {
    let deadlines = world.installation.chosen("deadlines")?;
    let proof = dudao::prove::prove(deadlines.first().context("no deadlines")?).await?;
    let broken: Vec<_> = proof.findings.iter().filter(|finding| finding.violations > 0).collect();
    ensure!(broken.is_empty(), "standing invariants are broken: {broken:?}");
    Ok(())
}
