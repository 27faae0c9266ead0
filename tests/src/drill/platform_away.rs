//! The national platform is away for a week: acts go on each day, what is to be told waits in its order. When the platform is back
//! it gets each message once and in order, and the accounts of each day agree.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use domain::local_time::{at_local, local_date};
use jiff::ToSpan as _;
use jiff::civil::{Date, time};
use reqwest::Method;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Ground, Report, metric};
use crate::lives::Lives;
use crate::world::api::Body;
use crate::world::wait::until_true;
use crate::world::{PASSWORD, World};

/// Days on which nobody answers.
const DAYS: usize = 7;
/// From how many seconds on `DudaoExchangeLagging` rings (helm/dudao/rules).
const ALERT: f64 = 900.0;
/// What the platform does not have yet.
const WAITING: &str = "SELECT count(*) AS n FROM messages WHERE state <> 'accepted'";

/// Plays it.
pub async fn drill(ground: &Ground) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let (world, people) = ground.start(ground.world()).await?;
    world.api.sign_in("operator", PASSWORD).await?;
    let lives = Lives::new(&world, &people, &ground.size)?;
    // Those of the day before, of each day of the week, and of the day after.
    let a_day = (ground.size.rectifications / (DAYS + 2)).max(1);
    lives.live_next(a_day).await?;
    ground.quiet(&world).await?;

    let platform = world.simulator("national-platform")?;
    platform.terminate().await;
    ground.say.it("the national platform is gone");
    let mut days: Vec<Date> = vec![local_date(world.now().await?)];
    for _ in 0..DAYS {
        lives.live_next(a_day).await?;
        let morning = at_local(days[days.len() - 1] + 1.day(), time(9, 0, 0, 0)).context("there is a next morning")?;
        world.move_to(morning).await?;
        days.push(local_date(morning));
    }
    let told = "SELECT count(*) AS n FROM messages";
    let expected = i64::try_from(lives.lived().map(|life| if life.closes { 3 } else { 2 }).sum::<usize>())?;
    until_true("every fact is a message", || async { Ok(world.db.count("exchange", told, &[]).await? == expected) })
        .await?;
    let waiting = world.db.count("exchange", WAITING, &[]).await?;
    ensure!(waiting > 0, "nothing waits: the platform was not away");
    let mut oldest = 0.0;
    until_true("the metric shows it", || async {
        Ok(metric(&world, "exchange", "dudao_exchange_oldest_seconds", "state=\"ready\"")
            .await?
            .is_some_and(|s| s > ALERT))
    })
    .await?;
    if let Some(seconds) = metric(&world, "exchange", "dudao_exchange_oldest_seconds", "state=\"ready\"").await? {
        oldest = seconds;
    }
    let attempts =
        world.db.count("exchange", "SELECT count(*) AS n FROM attempts WHERE outcome <> 'accepted'", &[]).await?;
    report.note(format!(
        "{waiting} 条在 {DAYS} 天内等待，最早的等了 {:.1} 天（15 分钟后 DudaoExchangeLagging 即告警）；其间尝试 {attempts} 次。 \
         {waiting} messages waited, the oldest {:.1} days (DudaoExchangeLagging rings after 15 minutes); {attempts} attempts meanwhile.",
        oldest / 86_400.0,
        oldest / 86_400.0
    ));

    let back = Instant::now();
    platform.bring_up().await?;
    ground.say.it(&format!("the national platform is back, {waiting} messages wait"));
    let caught_up = async {
        until_true("the platform has everything", || async {
            Ok(world.db.count("exchange", WAITING, &[]).await? == 0)
        })
        .await?;
        Ok::<_, anyhow::Error>(back.elapsed())
    };
    // People go on while it catches up.
    let (caught_up, ()) = tokio::try_join!(caught_up, lives.live_next(a_day))?;
    report.phase("补报完成 the platform has caught up", caught_up);
    let agreed = reconcile(&world, &days).await?;
    report.note(format!(
        "{} 天对账一致，共 {agreed} 条。 The accounts of {} days agree, {agreed} messages.",
        days.len(),
        days.len()
    ));
    ground.prove(&world, &lives, &mut report).await?;
    world.stop().await;
    Ok(report)
}

/// Both sides' accounts of each day agree: message by message, and by the manifest.
async fn reconcile(world: &World, days: &[Date]) -> anyhow::Result<usize> {
    until_true("nothing waits", || async { Ok(world.db.count("exchange", WAITING, &[]).await? == 0) }).await?;
    let received = world.api.outside(Method::GET, "national-platform", "/v1/received", Body::None).await?;
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let theirs: BTreeMap<String, (String, String)> = received["messages"]
        .as_array()
        .context("a list of messages")?
        .iter()
        .map(|message| (text(message, "message_id"), (text(message, "sha256"), text(message, "receipt_no"))))
        .collect();
    let mut agreed = 0;
    for day in days {
        let mut lines = Vec::new();
        let mut after = String::new();
        let manifest = loop {
            let path = format!("/v1/reconciliation?on={day}&limit=200{after}");
            let page = world.api.get("operator", "exchange", &path).await?;
            lines.extend(page["messages"]["items"].as_array().context("a page of messages")?.iter().cloned());
            let Some(next) = page["messages"]["next"].as_str() else {
                break text(&page, "accepted_manifest_sha256");
            };
            after = format!("&after={next}");
        };
        let mut hash = Sha256::new();
        for line in &lines {
            ensure!(line["state"] == "accepted", "on {day}: {line}");
            let id = text(line, "message_id");
            let (sha256, receipt_no) = theirs.get(&id).with_context(|| format!("the platform has no message {id}"))?;
            ensure!(*sha256 == text(line, "sha256") && *receipt_no == text(line, "receipt_no"), "on {day}: {line}");
            hash.update(format!("{id} {sha256} {receipt_no}\n"));
        }
        let found = hex::encode(hash.finalize());
        ensure!(found == manifest, "on {day}: the manifest is {manifest}, of the platform's receipts {found}");
        agreed += lines.len();
    }
    Ok(agreed)
}
