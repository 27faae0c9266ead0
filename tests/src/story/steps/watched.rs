//! Part of step 10: what an operator sees of the story. One trace for each hop over the broker, a bounded number of series, and
//! logs without a word about persons.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use contracts::subjects;
use futures_util::TryStreamExt as _;
use local_stack::SERVICES;
use regex::Regex;

use crate::story::facts::Facts;
use crate::story::http::client;
use crate::story::plot::Story;
use crate::story::wait::{LIMIT, until};
use crate::story::world::PASSWORD;

/// Series that one process may show; the story plays most routes and every consumer. A label with a name, a number or an
/// identifier in it would pass this within minutes of real use.
const MOST_SERIES: usize = 1_500;

/// Everything.
pub async fn check(story: &Story, facts: &mut Facts) -> anyhow::Result<()> {
    story.show.now("链路、指标、日志 · traces, metrics, logs");
    traces(story, facts).await?;
    series(story, facts).await?;
    logs(story, facts).await
}

/// Who hears whom: of every durable consumer that has been given anything, the service that keeps it, and the owner of the stream.
async fn hops(story: &Story) -> anyhow::Result<BTreeSet<(String, String)>> {
    let jetstream = story.world.jetstream().await?;
    let mut hops = BTreeSet::new();
    let mut streams = jetstream.streams();
    while let Some(stream) = streams.try_next().await.context("the streams")? {
        let owner = SERVICES.iter().find(|name| subjects::stream("", name) == stream.config.name);
        let Some(owner) = owner else { continue };
        let stream = jetstream.get_stream(&stream.config.name).await?;
        let mut consumers = stream.consumers();
        while let Some(consumer) = consumers.try_next().await.context("the consumers")? {
            if consumer.delivered.consumer_sequence > 0 {
                let service = consumer.name.split('-').next().unwrap_or_default().to_owned();
                hops.insert(((*owner).to_owned(), service));
            }
        }
    }
    Ok(hops)
}

/// Whoever hears an event goes on with the trace in which it was made, or is linked to it.
async fn traces(story: &Story, facts: &mut Facts) -> anyhow::Result<()> {
    let wanted = hops(story).await?;
    ensure!(wanted.len() >= 10, "the services hear each other: {wanted:?}");
    let seen = until("every hop over the broker to be told", LIMIT, || async {
        let spans = story.collector.spans();
        let mut services: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for span in &spans {
            services.entry(&span.trace).or_default().insert(&span.service);
        }
        let mut seen = BTreeSet::new();
        for span in &spans {
            let Some(event_type) = span.name.strip_prefix("consume ") else { continue };
            let owner = subjects::owner(event_type);
            let of_owner = |trace: &str| services.get(trace).is_some_and(|services| services.contains(owner));
            if of_owner(&span.trace) || span.links.iter().any(|trace| of_owner(trace)) {
                seen.insert((owner.to_owned(), span.service.clone()));
            }
        }
        Ok(wanted.is_subset(&seen).then_some(seen))
    })
    .await
    .with_context(|| format!("of {wanted:?}"))?;
    let spans = story.collector.spans();
    let known: BTreeSet<&str> = spans.iter().map(|span| span.id.as_str()).collect();
    let torn = spans.iter().filter(|span| span.name.starts_with("consume ") && !known.contains(span.parent.as_str()));
    facts.set("hops_over_the_broker_in_one_trace", seen.len());
    facts.set("spans", spans.len());
    facts.set("consume_spans_without_their_parent", torn.count());
    // To the platform, too.
    let sent = spans.iter().any(|span| span.service == "exchange" && span.name == "exchange.message.send");
    facts.holds("the_platforms_request_is_a_span", sent, spans.len())
}

/// What a process shows to Prometheus.
async fn metrics(story: &Story, name: &str) -> anyhow::Result<String> {
    let entry = story.world.installation.services.iter().find(|service| service.name == name);
    let address = format!("{}/metrics", entry.with_context(|| format!("no service {name}"))?.operations);
    Ok(client(false)?.get(address).send().await?.error_for_status()?.text().await?)
}

/// No series is about one thing or one caller, and there are not many.
async fn series(story: &Story, facts: &mut Facts) -> anyhow::Result<()> {
    let one_thing = Regex::new(r"[0-9a-f]{8}-[0-9a-f]{4}-|[0-9]{6,}|[^\x00-\x7f]").context("the pattern")?;
    let mut most = (0, String::new());
    for name in SERVICES {
        let text = metrics(story, name).await?;
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        ensure!(!lines.is_empty(), "{name} shows no metrics");
        for line in &lines {
            let labels = line.rsplit_once(' ').map_or(*line, |(labels, _)| labels);
            ensure!(!one_thing.is_match(labels), "{name}: a series about one thing: {labels}");
        }
        if lines.len() > most.0 {
            most = (lines.len(), name.to_string());
        }
    }
    facts.holds("series_of_a_process_are_bounded", most.0 <= MOST_SERIES, &most)
}

/// No name, login, address, number, password, token or text that somebody wrote stands in any log.
async fn logs(story: &Story, facts: &mut Facts) -> anyhow::Result<()> {
    let mut secrets: BTreeMap<String, &str> = BTreeMap::from([(PASSWORD.to_owned(), "a password")]);
    let mut know = |rows: Vec<serde_json::Value>, what: &'static str| {
        for row in rows {
            let values = row.as_object().into_iter().flat_map(|row| row.values()).filter_map(|value| value.as_str());
            for text in values.map(str::trim).filter(|text| text.chars().count() >= 3) {
                secrets.insert(text.to_owned(), what);
            }
        }
    };
    let accounts = "SELECT display_name, email, login FROM accounts WHERE NOT built_in";
    know(story.db().rows("registry", accounts, &[]).await?, "about a person");
    let found = "SELECT finding ->> 'description' AS a, finding ->> 'demand' AS b
                 FROM messaging.journal, json_array_elements(payload::json -> 'findings') AS finding
                 WHERE event_type = 'tasks.letter.issued.v1'";
    know(story.db().rows("tasks", found, &[]).await?, "a text that somebody wrote");
    let reports = "SELECT DISTINCT item ->> 'report' AS a
                   FROM messaging.journal, json_array_elements(payload::json #> '{rectification,items}') AS item
                   WHERE event_type = 'deadlines.item.reported.v1'";
    know(story.db().rows("deadlines", reports, &[]).await?, "a text that somebody wrote");
    ensure!(secrets.len() > 20, "the story has people and texts: {}", secrets.len());
    let patterns = [
        (r"\b1[3-9][0-9]{9}\b", "a mobile number"),
        (r"\b[1-9][0-9]{16}[0-9Xx]\b", "an identity card"),
        (r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]", "a mail address"),
        (r"eyJ[A-Za-z0-9_-]{8,}\.", "a token"),
        (r"(?i)bearer\s+[A-Za-z0-9]", "a token"),
        (r"-----BEGIN", "a key"),
    ];
    let patterns = patterns.iter().map(|(pattern, what)| Ok((Regex::new(pattern)?, *what)));
    let patterns = patterns.collect::<anyhow::Result<Vec<_>>>()?;
    let mut lines = 0;
    for name in SERVICES {
        let file = story.world.folder().join("logs").join(format!("{name}.log"));
        let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        for line in text.lines() {
            lines += 1;
            if let Some((_, what)) = secrets.iter().find(|(text, _)| line.contains(text.as_str())) {
                anyhow::bail!("{what} stands in the log of {name}: {line}");
            }
            if let Some((_, what)) = patterns.iter().find(|(pattern, _)| pattern.is_match(line)) {
                anyhow::bail!("{what} stands in the log of {name}: {line}");
            }
        }
    }
    facts.holds("log_lines_without_personal_data", lines > 100, lines)
}
