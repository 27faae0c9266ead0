//! What is shot while the storm is on.

use std::time::{Duration, Instant};

use anyhow::ensure;

use tests::say::Say;

use crate::replicas::Replicas;
use crate::size::Size;
use crate::templates::{Ready, STORM};

/// Generous: a machine with two busy cores and services built for development that are shot all the time.
const LIMIT: Duration = Duration::from_mins(20);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// What is done by now is said this often.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// A blow to what both replicas stand on.
#[derive(Debug, Clone, Copy)]
enum Blow {
    /// kill -9 of PostgreSQL.
    Database,
    /// kill -9 of the broker.
    Broker,
    /// Legal time goes back by an hour, to before the instant: nothing is due any more. A moment later it returns.
    Back,
    /// Legal time goes on by an hour. A moment later it returns.
    Forth,
}

/// Chance that a seed repeats.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    async fn moment(&mut self, from: u64, to: u64) {
        tokio::time::sleep(Duration::from_millis(from + self.below(to - from))).await;
    }
}

/// Shoots a replica every one or two seconds, and the other blows at shares of the work that chance chooses, until nothing is
/// due; then lets everything stand again. Returns what was done, in words.
pub async fn until_nothing_is_due(
    replicas: &Replicas,
    size: &Size,
    ready: &Ready,
    say: &Say,
) -> anyhow::Result<String> {
    let began = Instant::now();
    let over = tokio::sync::watch::Sender::new(false);
    let (shots, blows, waited) = tokio::join!(
        shoot(replicas, Chance(size.seed), over.subscribe()),
        strike(replicas, Chance(size.seed ^ 0xff), ready, over.subscribe(), say),
        async {
            let waited = wait(replicas, ready, began, say).await;
            over.send_replace(true);
            waited
        },
    );
    waited?;
    replicas.stand_again().await?;
    // A step of the clock may just have been taken back, and the last shot may have left something.
    wait(replicas, ready, began, say).await?;
    Ok(format!("{} shots at the replicas and {:?}, in {:.1} s", shots?, blows?, began.elapsed().as_secs_f64()))
}

/// Until every order is there and nothing is due.
async fn wait(replicas: &Replicas, ready: &Ready, began: Instant, say: &Say) -> anyhow::Result<()> {
    let mut said = Instant::now();
    loop {
        let orders = replicas.value::<i64>("SELECT count(*) FROM urging_orders").await?;
        let due = "SELECT count(*) FROM rectifications WHERE next_timer_at <= messaging.legal_now()";
        if orders >= ready.cases && replicas.value::<i64>(due).await? == 0 {
            return Ok(());
        }
        ensure!(began.elapsed() < LIMIT, "{orders} of {} orders within {} s", ready.cases, LIMIT.as_secs());
        if said.elapsed() > SAY_EVERY {
            say.it(&format!("{orders} orders"));
            said = Instant::now();
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

type Over = tokio::sync::watch::Receiver<bool>;

async fn shoot(replicas: &Replicas, mut chance: Chance, over: Over) -> anyhow::Result<u32> {
    let mut shots = 0;
    while !*over.borrow() {
        chance.moment(1_000, 2_000).await;
        replicas.replica(usize::try_from(chance.below(2))?)?.kill().await;
        shots += 1;
    }
    Ok(shots)
}

async fn strike(
    replicas: &Replicas,
    mut chance: Chance,
    ready: &Ready,
    over: Over,
    say: &Say,
) -> anyhow::Result<Vec<Blow>> {
    let mut blows =
        vec![Blow::Database, Blow::Broker, Blow::Back, Blow::Forth, Blow::Database, Blow::Back, Blow::Forth];
    for place in (1..blows.len()).rev() {
        blows.swap(place, usize::try_from(chance.below(place as u64 + 1))?);
    }
    let mut shares: Vec<u64> = blows.iter().map(|_| 2 + chance.below(88)).collect();
    shares.sort_unstable();
    let mut struck = Vec::new();
    for (blow, share) in blows.into_iter().zip(shares) {
        // The orders are counted, not the seconds: every blow falls into the middle of the work.
        let orders = loop {
            let orders = replicas.value::<i64>("SELECT count(*) FROM urging_orders").await?;
            if orders * 100 >= ready.cases * i64::try_from(share)? {
                break orders;
            }
            if *over.borrow() {
                return Ok(struck);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        say.it(&format!("{blow:?} at {orders} orders"));
        match blow {
            Blow::Database => replicas.postgres().kill().await,
            Blow::Broker => replicas.nats().kill().await,
            Blow::Back | Blow::Forth => {
                let hours = if matches!(blow, Blow::Back) { -1 } else { 1 };
                replicas.step_clock(hours).await?;
                chance.moment(1_000, 2_000).await;
                replicas.step_clock(-hours).await?;
                let early: bool = replicas.value(&format!("SELECT messaging.legal_now() < '{STORM}'")).await?;
                ensure!(!early, "the clock has not come back");
            }
        }
        struck.push(blow);
    }
    Ok(struck)
}
