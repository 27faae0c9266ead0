//! The proof, read from the databases, the national platform and the mail sink.

use std::collections::{BTreeMap, BTreeSet};

use crate::world::World;
use crate::world::api::Body;
use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde::Serialize;
use serde_json::Value;

use super::flow::{self, CONSUMERS, JOURNALS};
use super::{LETTER, Lives, people};

/// What was compared: so many should be there, so many are.
#[derive(Debug, Clone, Serialize)]
pub struct Proven {
    /// Of what.
    pub what: &'static str,
    /// What should be there.
    pub expected: i64,
    /// What is.
    pub found: i64,
}

/// Everything: an error names the first thing that is missing, surplus or doubled.
pub async fn all(world: &World, lives: &Lives<'_>) -> anyhow::Result<Vec<Proven>> {
    let events = chains(world).await?;
    let applied = delivery(world).await?;
    let n = lifes(world, lives).await?;
    versions(world).await?;
    let orders = orders(world, lives).await?;
    let (mails, sent) = messages(world, lives).await?;
    let told = platform(world, lives).await?;
    copies(world).await?;
    let proven = |what, expected, found| Proven { what, expected, found };
    Ok(vec![
        proven("整改 rectifications", i64::try_from(lives.lived().count())?, n),
        proven("督办单 urging orders", i64::try_from(lives.lived().filter(|life| !life.closes).count())?, orders),
        proven("签名日志中的事件 events below signed batches", events.0, events.1),
        proven("消费的事件 events applied", applied.0, applied.1),
        proven("邮件 mails", mails, sent),
        proven("报送国家平台 messages at the national platform", told.0, told.1),
    ])
}

/// Every journal holds, and every row of it stands below a signed batch.
pub async fn chains(world: &World) -> anyhow::Result<(i64, i64)> {
    let (mut all, mut below) = (0, 0);
    for service in world.installation.journals() {
        let report = dudao::journal::verify(service).await?;
        ensure!(report.faults.is_empty(), "the journal of {}: {:?}", service.name, report.faults);
        let rows = world.db.count(&service.name, "SELECT count(*) AS n FROM messaging.journal", &[]).await?;
        ensure!(
            i64::try_from(report.events)? == rows,
            "{}: {rows} journal rows, {} below signed batches",
            service.name,
            report.events
        );
        let database = people::connect(world, &service.name).await?;
        ensure!(messaging::lag(&database).await? == 0, "{} has a lag", service.name);
        database.pool().close().await;
        all += rows;
        below += i64::try_from(report.events)?;
    }
    Ok((all, below))
}

/// Each consumer applied exactly the events that it wants, and nothing is a dead letter.
async fn delivery(world: &World) -> anyhow::Result<(i64, i64)> {
    let (mut all, mut there) = (0, 0);
    let events = flow::journalled(world).await?;
    for consumer in CONSUMERS {
        let (wanted, applied) = (consumer.wanted(&events), consumer.applied(world).await?);
        let missing: Vec<_> = wanted.difference(&applied).take(3).collect();
        let surplus: Vec<_> = applied.difference(&wanted).take(3).collect();
        ensure!(
            missing.is_empty() && surplus.is_empty(),
            "{}: missing {missing:?}, surplus {surplus:?}",
            consumer.name
        );
        all += i64::try_from(wanted.len())?;
        there += i64::try_from(applied.len())?;
    }
    for service in JOURNALS {
        let letters =
            world.db.rows(service, "SELECT consumer, subject, cause FROM messaging.dead_letters", &[]).await?;
        ensure!(letters.is_empty(), "dead letters of {service}: {letters:?}");
    }
    Ok((all, there))
}

/// One rectification for each letter, in the state that its people brought it to.
async fn lifes(world: &World, lives: &Lives<'_>) -> anyhow::Result<i64> {
    let n = i64::try_from(lives.lived().count())?;
    same(world, "tasks", &format!("SELECT count(*) AS n FROM messaging.journal WHERE event_type = '{LETTER}'"), n)
        .await?;
    same(world, "tasks", "SELECT count(*) AS n FROM receipts", n).await?;
    same(world, "deadlines", "SELECT count(*) AS n FROM rectifications", n).await?;
    same(world, "deadlines", "SELECT count(DISTINCT letter_id) AS n FROM dossiers WHERE liable_for IS NULL", n).await?;
    same(world, "deadlines", "SELECT count(*) AS n FROM dossiers JOIN rectifications USING (rectification_id)", n)
        .await?;
    let closed = lives.lived().filter(|life| life.closes);
    let expected: BTreeSet<String> = closed.map(|life| life.rectification_id().to_string()).collect();
    let found = texts(
        world,
        "deadlines",
        "SELECT rectification_id::text AS id FROM rectifications WHERE closed_at IS NOT NULL",
    )
    .await?;
    ensure!(found == expected, "{} are closed, {} should be", found.len(), expected.len());
    // Numbers of the letters, taken in the same transactions as their journal rows.
    let gaps = "SELECT count(*) AS n FROM (SELECT agency_word FROM documents GROUP BY agency_word
                HAVING count(*) <> max(serial) OR min(serial) <> 1) g";
    same(world, "tasks", gaps, 0).await?;
    world.db.count("deadlines", "SELECT count(*) AS n FROM rectifications", &[]).await
}

/// Versions in the journal run from 1 without a gap, and one version is one state.
async fn versions(world: &World) -> anyhow::Result<()> {
    let gaps = "SELECT count(*) AS n FROM (
                    SELECT j.aggregate_id FROM messaging.journal j JOIN rectifications r ON r.rectification_id = j.aggregate_id
                    GROUP BY j.aggregate_id, r.version
                    HAVING min(j.aggregate_version) <> 1 OR max(j.aggregate_version) <> r.version
                        OR count(DISTINCT j.aggregate_version) <> r.version) g";
    same(world, "deadlines", gaps, 0).await?;
    let rectifications = "SELECT (SELECT count(*) FROM rectifications) - count(DISTINCT aggregate_id) AS n
                          FROM messaging.journal WHERE event_type NOT LIKE 'deadlines.document.%'";
    same(world, "deadlines", rectifications, 0).await?;
    // The papers of a closing: each told to the register, once.
    let papers = "SELECT count(*) FILTER (WHERE d.document_id IS NULL OR j.times IS DISTINCT FROM 1) AS n
                  FROM documents d FULL JOIN (
                      SELECT aggregate_id AS document_id, count(*) AS times FROM messaging.journal
                      WHERE event_type = 'deadlines.document.issued.v1' GROUP BY aggregate_id) j USING (document_id)";
    same(world, "deadlines", papers, 0).await?;
    let torn = "SELECT count(*) AS n FROM (
                    SELECT aggregate_id FROM messaging.journal WHERE event_type NOT LIKE 'deadlines.document.%'
                    GROUP BY aggregate_id, aggregate_version
                    HAVING count(DISTINCT (payload::jsonb -> 'rectification')::text) <> 1) t";
    same(world, "deadlines", torn, 0).await?;
    // Two versions never say the same apart from their number.
    let repeated = "SELECT count(*) AS n FROM (
                        SELECT aggregate_id FROM messaging.journal
                        GROUP BY aggregate_id, event_type, (payload::jsonb #- '{rectification,version}')::text
                        HAVING count(*) > 1) t";
    same(world, "deadlines", repeated, 0).await
}

/// One urging order for each late letter, numbers without gap; each late item on exactly one order and one journal event for
/// each order. Fired timers are not kept: what they did stands in orders, limits and journal, and is proven there.
async fn orders(world: &World, lives: &Lives<'_>) -> anyhow::Result<i64> {
    let late = lives.lived().filter(|life| !life.closes);
    let expected: BTreeSet<String> = late.map(|life| life.rectification_id().to_string()).collect();
    let count = i64::try_from(expected.len())?;
    let found = texts(world, "deadlines", "SELECT rectification_id::text AS id FROM urging_orders").await?;
    ensure!(found == expected, "urging orders for {} letters, expected {}", found.len(), expected.len());
    same(world, "deadlines", "SELECT count(*) AS n FROM urging_orders", count).await?;
    let issued = "SELECT count(*) AS n FROM messaging.journal WHERE event_type = 'deadlines.urging_order.issued.v1'";
    same(world, "deadlines", issued, count).await?;
    let gaps = "SELECT count(*) AS n FROM (
                    SELECT s.agency_word FROM number_series s LEFT JOIN (
                        SELECT agency_word, kind_word, year, serial FROM urging_orders
                        UNION ALL SELECT agency_word, kind_word, year, serial FROM documents) o
                    USING (agency_word, kind_word, year)
                    GROUP BY s.agency_word, s.kind_word, s.year, s.last
                    HAVING count(o.serial) <> s.last OR min(o.serial) <> 1 OR max(o.serial) <> s.last) g";
    same(world, "deadlines", gaps, 0).await?;
    // One journal event for each order, about that order.
    let told = "SELECT count(*) AS n FROM urging_orders o WHERE (
                    SELECT count(*) FROM messaging.journal j
                    WHERE j.event_type = 'deadlines.urging_order.issued.v1' AND j.aggregate_id = o.rectification_id
                        AND (j.payload::jsonb #>> '{urging_order_id}')::uuid = o.urging_order_id) <> 1";
    same(world, "deadlines", told, 0).await?;
    // Nothing that is due is armed still.
    same(world, "deadlines", "SELECT count(*) AS n FROM timers WHERE due_at <= messaging.legal_now()", 0).await?;
    // The clock of a round ran out once: a late item stands on one order, was told overdue once, and has one limit by an
    // order; an item that was closed in time has none of it.
    for once in [
        "SELECT count(*) FROM urging_orders o, json_array_elements(o.content::json #> '{body,urging_order,late_items}') u
         WHERE o.rectification_id = i.rectification_id AND (u.value ->> 'number')::integer = i.number",
        "SELECT count(*) FROM messaging.journal j, jsonb_array_elements_text(j.payload::jsonb -> 'item_ids') u
         WHERE j.event_type = 'deadlines.item.overdue.v1' AND j.aggregate_id = i.rectification_id
             AND u.value::uuid = i.item_id",
        "SELECT count(*) FROM deadlines d WHERE d.item_id = i.item_id AND d.basis = 'urging_order'",
    ] {
        let unlike = format!(
            "SELECT count(*) AS n FROM items i WHERE ({once}) <> (CASE WHEN i.state = 'closed' THEN 0 ELSE 1 END)"
        );
        same(world, "deadlines", &unlike, 0).await?;
    }
    // The limits of an item are its rounds, none twice and none left out.
    let rounds = "SELECT count(*) AS n FROM (
                      SELECT item_id FROM deadlines GROUP BY item_id
                      HAVING min(round) <> 0 OR max(round) <> count(*) - 1 OR count(DISTINCT round) <> count(*)) r";
    same(world, "deadlines", rounds, 0).await?;
    // A reminder of a round goes out once for each day that is left.
    let reminders = "SELECT count(*) AS n FROM (
                         SELECT FROM messaging.journal j, jsonb_array_elements_text(j.payload::jsonb -> 'item_ids') u
                         WHERE j.event_type = 'deadlines.reminder.due.v1'
                         GROUP BY u.value, j.payload::jsonb -> 'due_on', j.payload::jsonb -> 'working_days_left'
                         HAVING count(*) > 1) t";
    same(world, "deadlines", reminders, 0).await?;
    Ok(i64::try_from(found.len())?)
}

/// One message for each event, account and template, one receipt for each document, and every mail arrived.
async fn messages(world: &World, lives: &Lives<'_>) -> anyhow::Result<(i64, i64)> {
    let twice = "SELECT count(*) AS n FROM (SELECT event_id FROM messages GROUP BY event_id, account_id, template
                 HAVING count(*) > 1) t";
    same(world, "notifications", twice, 0).await?;
    // The head of the unit got each of the matters that are for him: letter, beginning and urging order or closure.
    for (template, event_type) in [
        ("opinion_letter", LETTER),
        ("rectification_opened", "deadlines.rectification.opened.v1"),
        ("urging_order", "deadlines.urging_order.issued.v1"),
        ("item_closed", "deadlines.item.closed.v1"),
        ("rectification_closed", "deadlines.rectification.closed.v1"),
    ] {
        let service = event_type.split('.').next().unwrap_or_default();
        let events = format!("SELECT event_id::text AS id FROM messaging.journal WHERE event_type = '{event_type}'");
        let told =
            format!("SELECT event_id::text AS id FROM messages WHERE template = '{template}' AND capacity = 'to'");
        let (events, told) = (texts(world, service, &events).await?, texts(world, "notifications", &told).await?);
        ensure!(events == told, "{template}: {} events, {} of them told", events.len(), told.len());
    }
    // Letters may have come before the accounts of those who must be told; by now everyone has been told.
    same(world, "notifications", "SELECT count(*) AS n FROM unreached WHERE reached_at IS NULL", 0).await?;
    // Only who has no address got no mail.
    let undelivered =
        "SELECT count(*) AS n FROM deliveries JOIN messages USING (message_id) JOIN accounts USING (account_id)
                       WHERE state <> 'delivered' AND NOT (channel = 'mail' AND email IS NULL)";
    same(world, "notifications", undelivered, 0).await?;
    let orders = world.db.count("deadlines", "SELECT count(*) AS n FROM urging_orders", &[]).await?;
    let papers = "SELECT count(*) AS n FROM receipts WHERE document_kind = 'urging_order'";
    same(world, "notifications", papers, orders).await?;
    // SMTP cannot promise once: what was accepted before the sender was shot is sent again, with the same Message-ID.
    let sent = "SELECT count(*) AS n FROM deliveries WHERE channel = 'mail' AND state = 'delivered'";
    let sent = world.db.count("notifications", sent, &[]).await?;
    let mails = world.api.outside(Method::GET, "mail-sink", "/messages", Body::None).await?;
    let mails = mails.as_array().context("a list of mails")?;
    let ids: BTreeSet<&str> = mails.iter().filter_map(|mail| mail["message_id"].as_str()).collect();
    // What was lost by nature had been sent already.
    let there = i64::try_from(ids.len())?;
    ensure!(
        there == sent || (there > sent && !lives.gone().is_empty()),
        "{sent} mails were delivered, the sink has {there} different ones"
    );
    Ok((sent, there))
}

/// The platform has each message of each case once and in order, and `exchange` has each receipt.
async fn platform(world: &World, lives: &Lives<'_>) -> anyhow::Result<(i64, i64)> {
    let received = world.api.outside(Method::GET, "national-platform", "/v1/received", Body::None).await?;
    let received = received["messages"].as_array().context("a list of messages")?;
    let gone: BTreeSet<String> = lives.gone().iter().map(|life| life.letter.case_id.to_string()).collect();
    let of_the_living = |message: &&Value| !message["case_id"].as_str().is_some_and(|case| gone.contains(case));
    let received: Vec<&Value> = received.iter().filter(of_the_living).collect();
    let mut by_case: BTreeMap<&str, Vec<(i64, &str)>> = BTreeMap::new();
    for message in &received {
        let case = message["case_id"].as_str().unwrap_or_default();
        let sequence = message["sequence"].as_i64().unwrap_or_default();
        by_case.entry(case).or_default().push((sequence, message["kind"].as_str().unwrap_or_default()));
    }
    let letters = lives.lived().count();
    ensure!(by_case.len() == letters, "{} cases at the platform, {letters} letters", by_case.len());
    for life in lives.lived() {
        let case = life.letter.case_id.to_string();
        let last = if life.closes { "closure" } else { "urging_order" };
        let expected = vec![(1, "opinion_letter"), (2, "rectification"), (3, last)];
        ensure!(by_case.get(case.as_str()) == Some(&expected), "case {case}: {:?}", by_case.get(case.as_str()));
    }
    let receipts: BTreeSet<(&str, &str)> = received
        .iter()
        .filter_map(|message| Some((message["message_id"].as_str()?, message["receipt_no"].as_str()?)))
        .collect();
    let kept = world
        .db
        .rows("exchange", "SELECT message_id::text, coalesce(receipt_no, state) AS receipt_no FROM messages", &[])
        .await?;
    let kept: BTreeSet<(&str, &str)> =
        kept.iter().filter_map(|row| Some((row["message_id"].as_str()?, row["receipt_no"].as_str()?))).collect();
    ensure!(kept == receipts, "{} messages here, {} at the platform", kept.len(), receipts.len());
    let told = "SELECT count(*) AS n FROM messaging.journal WHERE event_type = 'exchange.message.accepted.v1'";
    let received = i64::try_from(received.len())?;
    same(world, "exchange", told, received).await?;
    Ok((i64::try_from(3 * letters)?, received))
}

/// Reporting and publication have the newest version of every rectification.
async fn copies(world: &World) -> anyhow::Result<()> {
    let truth =
        pairs(world, "deadlines", "SELECT rectification_id::text AS id, version AS v FROM rectifications").await?;
    for (service, query) in [
        ("reporting", "SELECT rectification_id::text AS id, version AS v FROM rectifications"),
        ("reporting", "SELECT rectification_id::text AS id, (snapshot ->> 'version')::bigint AS v FROM rectifications"),
        ("publication", "SELECT rectification_id::text AS id, (snapshot ->> 'version')::bigint AS v FROM publications"),
    ] {
        let copy = pairs(world, service, query).await?;
        let unlike: Vec<_> = truth.iter().filter(|(id, version)| copy.get(*id) != Some(version)).take(3).collect();
        ensure!(unlike.is_empty() && copy.len() == truth.len(), "{service} differs from deadlines: {unlike:?}");
    }
    let items = world.db.count("deadlines", "SELECT count(*) AS n FROM items", &[]).await?;
    same(world, "reporting", "SELECT count(*) AS n FROM ledger_rows", items).await
}

async fn same(world: &World, service: &str, query: &str, expected: i64) -> anyhow::Result<()> {
    let found = world.db.count(service, query, &[]).await?;
    ensure!(found == expected, "{service}: found {found}, expected {expected}: {query}");
    Ok(())
}

async fn texts(world: &World, service: &str, query: &str) -> anyhow::Result<BTreeSet<String>> {
    let rows = world.db.rows(service, query, &[]).await?;
    Ok(rows.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)).collect())
}

async fn pairs(world: &World, service: &str, query: &str) -> anyhow::Result<BTreeMap<String, i64>> {
    let rows: Vec<Value> = world.db.rows(service, query, &[]).await?;
    Ok(rows.iter().filter_map(|row| Some((row["id"].as_str()?.to_owned(), row["v"].as_i64()?))).collect())
}
