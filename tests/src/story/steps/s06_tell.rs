//! Step 6: reminders before, the notice after, in the inboxes and by real mail, each once, with its delivery state.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::story::cast::account;
use crate::story::facts::Facts;
use crate::story::json::Read as _;
use crate::story::plot::{LATE, Story};
use crate::story::wait::until_true;

/// Plays the step.
pub async fn play(story: &mut Story, facts: &mut Facts) -> anyhow::Result<()> {
    let late = story.case(LATE)?.clone();
    let order = story.db().rows("deadlines", "SELECT doc_no FROM urging_orders LIMIT 1", &[]).await?;
    let order_no = order.first().context("there is an order")?.text("/doc_no")?.to_owned();
    story.show.now("等待消息送达 · deliveries");
    until_true("every message about the order is delivered", || async {
        let query = "SELECT count(*) FROM messages m JOIN deliveries d USING (message_id)
                     WHERE m.template = 'urging_order' AND d.channel = 'mail' AND d.state = 'delivered'";
        let waiting = "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending')";
        let sent = story.db().count("notifications", query, &[]).await?;
        Ok(sent >= 3 && story.db().count("notifications", waiting, &[]).await? == 0)
    })
    .await?;

    let mails = story.mails().await?;
    let people = [late.unit.principal.as_str(), late.unit.contact.as_str(), account::BUREAU];
    for who in people {
        let address = format!("{who}@hainan.example");
        let mine: Vec<&Value> = mails
            .iter()
            .filter(|mail| mail["to"].as_array().is_some_and(|to| to.contains(&address.clone().into())))
            .collect();
        let about = mine.iter().filter(|mail| says(mail, &order_no)).count();
        facts.same(&format!("notice_mails_to_{who}"), about, 1)?;
        let titles = "SELECT count(*) FROM messages m JOIN accounts a USING (account_id)
                      WHERE m.template = 'reminder' AND a.email = $1";
        facts.same(&format!("reminders_to_{who}"), story.db().count("notifications", titles, &[&address]).await?, 2)?;
        inbox(story, facts, who, &order_no).await?;
    }
    let ids: BTreeMap<&str, usize> =
        mails.iter().filter_map(|mail| mail["message_id"].as_str()).fold(BTreeMap::new(), |mut ids, id| {
            *ids.entry(id).or_default() += 1;
            ids
        });
    let twice = ids.values().filter(|count| **count > 1).count();
    facts.same("mails_that_came_twice", twice, 0)?;
    let sent = "SELECT count(*) FROM deliveries WHERE channel = 'mail' AND state = 'delivered'";
    facts.same("mails", i64::try_from(ids.len())?, story.db().count("notifications", sent, &[]).await?)?;
    let lost = "SELECT count(*) FROM deliveries WHERE state = 'failed'";
    facts.same("deliveries_given_up", story.db().count("notifications", lost, &[]).await?, 0)?;
    let chinese = mails
        .iter()
        .all(|mail| mail["subject"].as_str().is_some_and(|text| text.chars().any(|c| ('一'..='龥').contains(&c))));
    facts.holds("mails_are_in_chinese", chinese, mails.first())?;
    deliveries(story, facts, late.chief, &late.rectification_id).await?;
    acknowledge(story, facts, &late.unit.principal).await
}

fn says(mail: &Value, words: &str) -> bool {
    ["subject", "text"].iter().any(|part| mail[*part].as_str().is_some_and(|text| text.contains(words)))
}

/// The order stands once in the person's inbox.
async fn inbox(story: &Story, facts: &mut Facts, who: &str, order_no: &str) -> anyhow::Result<()> {
    let inbox = story.api().get(who, "notifications", "/v1/inbox?limit=200").await?;
    let orders = inbox
        .list("/items")?
        .iter()
        .filter(|message| message["template"] == "urging_order" && message["doc_no"] == order_no);
    facts.same(&format!("notice_in_the_inbox_of_{who}"), orders.count(), 1)
}

/// The office sees that everything reached its people.
async fn deliveries(story: &Story, facts: &mut Facts, office: &str, id: &str) -> anyhow::Result<()> {
    let path = format!("/v1/deliveries?rectification_id={id}&limit=200");
    let found = story.api().get(office, "notifications", &path).await?;
    let counts = found.at("/counts")?;
    facts.set("deliveries", counts);
    ensure!(counts.number("/delivered")? > 0, "nothing was delivered: {counts}");
    facts.same("deliveries_failed", counts.number("/failed")? + counts.number("/no_recipient")?, 0)
}

/// The unit acknowledges the notice.
async fn acknowledge(story: &Story, facts: &mut Facts, who: &str) -> anyhow::Result<()> {
    let open = story.api().get(who, "notifications", "/v1/receipts?state=open&limit=200").await?;
    let receipt = open.list("/items")?.iter().find(|receipt| receipt["document_kind"] == "urging_order").cloned();
    let document = receipt.context("the notice waits for a signature")?.text("/document_id")?.to_owned();
    let signed = story.sign(who, &document).await?;
    facts.same("notice_acknowledged", signed.text("/state")?.to_owned(), "signed".to_owned())
}
