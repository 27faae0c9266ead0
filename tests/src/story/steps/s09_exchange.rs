//! Step 9: the national platform has everything exactly once, in order per case, signed, whatever it answered meanwhile.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::story::api::Body;
use crate::story::cast::account;
use crate::story::facts::Facts;
use crate::story::json::Read as _;
use crate::story::plot::{GOVERNMENT, LATE, PUNCTUAL, Story};
use crate::story::wait::{LIMIT, until, until_true};

/// Plays the step.
pub async fn play(story: &mut Story, facts: &mut Facts) -> anyhow::Result<()> {
    story.show.now("等待全部上报 · everything arrives");
    all_arrived(story, 8).await?;
    check(story, facts, &expected(story)?).await?;
    let outcomes = "SELECT outcome, count(*)::int AS n FROM attempts GROUP BY outcome ORDER BY outcome";
    for outcome in ["server_error", "throttled", "unreachable", "timed_out"] {
        let query = "SELECT count(*) FROM attempts WHERE outcome = $1";
        let count = story.db().count("exchange", query, &[outcome]).await?;
        let seen = count > 0 || !story.undisturbed()?;
        facts.holds(&format!("outlived_{outcome}"), seen, count)?;
    }
    facts.set("attempts_by_outcome", story.db().rows("exchange", outcomes, &[]).await?);
    let refused = story
        .db()
        .count("exchange", "SELECT count(*) FROM messages WHERE state IN ('rejected', 'invalid')", &[])
        .await?;
    facts.same("messages_refused", refused, 0)?;
    let shown = story.api().get(account::PROVINCE, "exchange", "/v1/messages?limit=200").await?;
    facts.same("messages_shown_to_the_office", shown.list("/items")?.len(), 8)?;
    trace(story, facts).await
}

/// What the platform must have of each case, in this order.
pub fn expected(story: &Story) -> anyhow::Result<BTreeMap<String, Vec<&'static str>>> {
    let mut expected = BTreeMap::new();
    for (index, kinds) in [
        (PUNCTUAL, vec!["opinion_letter", "rectification", "closure"]),
        (LATE, vec!["opinion_letter", "rectification", "urging_order"]),
        (GOVERNMENT, vec!["opinion_letter", "rectification"]),
    ] {
        expected.insert(story.case(index)?.case_id.clone(), kinds);
    }
    Ok(expected)
}

/// Compares what the platform received with what it must have.
pub async fn check(
    story: &Story,
    facts: &mut Facts,
    expected: &BTreeMap<String, Vec<&'static str>>,
) -> anyhow::Result<()> {
    let received = story.received().await?;
    let wanted: usize = expected.values().map(Vec::len).sum();
    facts.same("received", received.len(), wanted)?;
    let ids: std::collections::BTreeSet<_> = received.iter().map(|message| message["message_id"].to_string()).collect();
    facts.same("received_twice", received.len() - ids.len(), 0)?;
    for (case, kinds) in expected {
        let mine: Vec<&Value> = received.iter().filter(|message| message["case_id"] == case.as_str()).collect();
        let arrived: Vec<&str> = mine.iter().filter_map(|message| message["kind"].as_str()).collect();
        ensure!(arrived == *kinds, "case {case}: {arrived:?} instead of {kinds:?}");
        let sequence: Vec<_> = mine.iter().filter_map(|message| message["sequence"].as_i64()).collect();
        let straight: Vec<i64> = (1..).take(kinds.len()).collect();
        ensure!(sequence == straight, "case {case}: {sequence:?}");
    }
    facts.set("in_order_per_case", true);
    let key = messaging::JournalPublicKey::from_hex(&story.world.platform_key()?).context("the public key")?;
    // The platform refuses what is not signed by a key it knows; here is which key it saw.
    let signed = received
        .iter()
        .filter(|message| {
            message["keyid"].as_str().is_some_and(|id| id.contains(key.id()) || key.to_hex().contains(id))
        })
        .count();
    facts.same("signed_by_the_province", signed, wanted)?;
    let statistics = until("the platform's statistics", LIMIT, || async {
        let get = reqwest::Method::GET;
        Ok(Some(story.api().outside(get, "national-platform", "/v1/statistics", Body::None).await?))
    })
    .await?;
    facts.set("platform_statistics", &statistics);
    for status in ["401", "403", "422"] {
        let count = &statistics["by_status"][status];
        ensure!(count.is_null() || *count == json!(0), "the platform answered {status}: {statistics}");
    }
    Ok(())
}

/// One trace runs from the request in `tasks` to the platform's request.
async fn trace(story: &Story, facts: &mut Facts) -> anyhow::Result<()> {
    let late = story.case(LATE)?;
    let query = "SELECT traceparent FROM messaging.journal WHERE event_type = 'tasks.letter.issued.v1' AND aggregate_id = $1::uuid";
    let began = story.db().value("tasks", query, &[&late.letter_id]).await?;
    let received = story.received().await?;
    let letter = received
        .iter()
        .find(|message| message["case_id"] == late.case_id.as_str() && message["kind"] == "opinion_letter");
    let arrived = letter.context("the letter arrived")?["traceparent"].clone();
    let id = |value: &Value| value.as_str().and_then(|text| text.split('-').nth(1)).map(str::to_owned);
    facts.holds(
        "one_trace_from_the_letter_to_the_platform",
        id(&began).is_some() && id(&began) == id(&arrived),
        (began, arrived),
    )
}

/// Everything has arrived.
pub async fn all_arrived(story: &Story, messages: i64) -> anyhow::Result<()> {
    until_true("everything has arrived at the platform", || async {
        let query = "SELECT count(*) FROM messages WHERE state = 'accepted'";
        let waiting = "SELECT count(*) FROM messages WHERE state <> 'accepted'";
        Ok(story.db().count("exchange", query, &[]).await? == messages
            && story.db().count("exchange", waiting, &[]).await? == 0)
    })
    .await
}
