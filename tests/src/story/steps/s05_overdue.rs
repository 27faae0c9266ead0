//! Step 5: the clock moves past the due date, and without any human act there is one numbered supervision notice.

use anyhow::{Context as _, ensure};
use domain::local_time::end_of_day;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::story::facts::Facts;
use crate::story::json::Read as _;
use crate::story::plot::{LATE, Story};
use crate::story::wait::{LIMIT, until, until_true};

use super::s03_clocks::Holidays;

/// Plays the step.
pub async fn play(story: &mut Story, facts: &mut Facts) -> anyhow::Result<()> {
    let late = story.case(LATE)?.clone();
    let id = late.rectification_id.as_str();
    let before = story.rectification(&late.unit.principal, id).await?;
    let due_on = before.day("/rectification/items/0/due_on")?;
    let order_at = end_of_day(Holidays::load()?.working_days(due_on, 1)?).context("the day ends")?;
    facts.set("due_on", due_on);
    facts.set("order_due_at", order_at);

    let mut seen = Vec::new();
    // The order sets a new limit with reminders of its own; the story goes no further.
    while seen.last().is_none_or(|kind| kind != "urge") {
        let (kind, at) = next(story, id, "%").await?.context("a timer is armed")?;
        story.show.now(&format!("时钟移到 {kind}：{at} · the clock moves"));
        if kind == "urge" {
            facts.same("order_is_due_one_working_day_after", at, order_at)?;
            // A little before: nothing yet. And from here on the mail server refuses for a while.
            story.world.move_to(at - SignedDuration::from_secs(30)).await?;
            let orders = "SELECT count(*) FROM urging_orders";
            facts.same("orders_half_a_minute_before", story.db().count("deadlines", orders, &[]).await?, 0)?;
            story.sink_mode("refuse_4xx").await?;
        }
        story.world.move_to(at).await?;
        fired(story, id, at).await?;
        seen.push(kind);
        facts.same("each_firing_told_once", told_twice(story, id).await?, 0)?;
    }
    let expected = ["reminder", "reminder", "due", "urge"].map(str::to_owned).to_vec();
    facts.same("fired_in_order", seen, expected)?;
    let reminders = events(story, id, "deadlines.reminder.due.v1").await?;
    facts.same("reminders", reminders, 2)?;
    facts.same("overdue_events", events(story, id, "deadlines.item.overdue.v1").await?, 1)?;

    order(story, facts, &late.unit.principal, id, order_at).await?;
    recover(story, facts).await
}

/// The next timer of the rectification, of a kind.
pub async fn next(story: &Story, id: &str, kind: &str) -> anyhow::Result<Option<(String, Timestamp)>> {
    let query = "SELECT kind, due_at FROM timers WHERE rectification_id = $1::uuid AND kind LIKE $2
                 ORDER BY due_at, kind LIMIT 1";
    let rows = story.db().rows("deadlines", query, &[id, kind]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some((row.text("/kind")?.to_owned(), row.instant("/due_at")?)))
}

/// Waits until everything due at the instant has taken effect: nothing of it is armed any more, and the journal tells of it.
pub async fn fired(story: &Story, id: &str, at: Timestamp) -> anyhow::Result<()> {
    let instant = at.to_string();
    until_true("the timers that are due have fired", || async {
        let query = "SELECT count(*) FROM timers WHERE rectification_id = $1::uuid AND due_at <= $2::timestamptz";
        let armed = story.db().count("deadlines", query, &[id, &instant]).await?;
        let query =
            "SELECT count(*) FROM messaging.journal WHERE aggregate_id = $1::uuid AND occurred_at >= $2::timestamptz
                     AND actor::json ->> 'kind' = 'system'";
        let told = story.db().count("deadlines", query, &[id, &instant]).await?;
        Ok(armed == 0 && told > 0)
    })
    .await
}

/// Versions that are not contiguous, and what the clock told more than once: fired timers are not kept, their effects are.
async fn told_twice(story: &Story, id: &str) -> anyhow::Result<i64> {
    let query = "SELECT (SELECT count(DISTINCT aggregate_version) <> max(aggregate_version) FROM messaging.journal
                         WHERE aggregate_id = $1::uuid)::int
                      + (SELECT count(*) FROM (
                            SELECT FROM messaging.journal WHERE aggregate_id = $1::uuid
                            GROUP BY event_type, (payload::jsonb #- '{rectification,version}')::text
                            HAVING count(*) > 1) t)";
    story.db().count("deadlines", query, &[id]).await
}

/// Events of a type about the rectification.
async fn events(story: &Story, id: &str, event_type: &str) -> anyhow::Result<i64> {
    let query = "SELECT count(*) FROM messaging.journal WHERE aggregate_id = $1::uuid AND event_type = $2";
    story.db().count("deadlines", query, &[id, event_type]).await
}

/// One notice, numbered, listing both late items, with a new limit, copied to the competent department, and the next step
/// of the ladder armed. Caused by the clock.
async fn order(story: &Story, facts: &mut Facts, who: &str, id: &str, order_at: Timestamp) -> anyhow::Result<()> {
    let query = "SELECT urging_order_id, doc_no, serial, issued_at, content FROM urging_orders";
    let rows = story.db().rows("deadlines", query, &[]).await?;
    facts.same("orders", rows.len(), 1)?;
    let row = rows.first().context("there is one order")?;
    facts.set("order_no", row.text("/doc_no")?);
    facts.same("serial", row.number("/serial")?, 1)?;
    let issued_at = row.instant("/issued_at")?;
    ensure!(issued_at >= order_at, "issued at {issued_at}, before {order_at}");
    facts.set("issued_at", issued_at);
    let content: Value = serde_json::from_str(row.text("/content")?)?;
    facts.same("copy_to", content.text("/head/copies/0")?.to_owned(), "海口市教育局".to_owned())?;
    let items = content.list("/body/urging_order/late_items")?;
    let numbers: Vec<_> = items.iter().map(|item| item["number"].clone()).collect();
    facts.same("late_items", numbers, vec![json!(1), json!(2)])?;
    let holidays = Holidays::load()?;
    let new_limit = holidays.working_days(domain::local_time::local_date(issued_at), 5)?;
    for item in items {
        ensure!(item.day("/due_on")? == new_limit, "new limit {} instead of {new_limit}", item.text("/due_on")?);
    }
    facts.set("new_limit", new_limit);
    let caused =
        "SELECT actor::json ->> 'kind' FROM messaging.journal WHERE event_type = 'deadlines.urging_order.issued.v1'";
    facts.same("caused_by", story.db().value("deadlines", caused, &[]).await?, json!("system"))?;
    let order_id = row.text("/urging_order_id")?;
    let shown = story.api().get(who, "deadlines", &format!("/v1/urging-orders/{order_id}")).await?;
    facts.same("order_shown_to_the_unit", shown.at("/order/document/doc_no")?.clone(), row["doc_no"].clone())?;
    let (kind, at) = next(story, id, "escalate").await?.context("the next step is armed")?;
    facts.same("next_step_armed", kind, "escalate".to_owned())?;
    facts.same("next_step_at", at, end_of_day(new_limit).context("the day ends")?)?;
    let gaps =
        "SELECT count(*) FROM (SELECT max(serial) - count(*) AS gap FROM urging_orders GROUP BY agency_word, year) s
                WHERE gap <> 0";
    facts.same("number_series_with_gaps", story.db().count("deadlines", gaps, &[]).await?, 0)
}

/// The mail server refused at first and takes mail again; the platform comes back, slow and cross.
async fn recover(story: &Story, facts: &mut Facts) -> anyhow::Result<()> {
    story.show.now("邮件服务器和国家平台恢复 · mail and platform come back");
    let refused = until("a mail was refused", LIMIT, || async {
        let query = "SELECT count(*) FROM deliveries WHERE channel = 'mail' AND state <> 'delivered' AND last_error IS NOT NULL";
        let count = story.db().count("notifications", query, &[]).await?;
        // A mail server that was shot meanwhile takes mail again at once.
        let query = "SELECT count(*) FROM messages m JOIN deliveries d USING (message_id)
                     WHERE m.template = 'urging_order' AND d.channel = 'mail' AND d.state = 'delivered'";
        let sent = story.db().count("notifications", query, &[]).await?;
        Ok((count > 0 || sent > 0).then_some(count))
    })
    .await?;
    facts.set("mails_refused_at_first", refused > 0);
    story.sink_mode("ok").await?;
    let away = "SELECT count(*) FROM messages WHERE state <> 'accepted'";
    facts.set("messages_kept_while_the_platform_was_away", story.db().count("exchange", away, &[]).await?);
    story.world.simulator("national-platform")?.bring_up().await?;
    story.platform_mode("hang", Some(1)).await?;
    story.outcome_seen("timed_out").await?;
    story.platform_mode("slow", None).await
}
