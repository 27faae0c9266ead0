//! Step 8: the public page, once a person has approved it.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::story::cast::account;
use crate::story::facts::Facts;
use crate::story::json::Read as _;
use crate::story::plot::{GOVERNMENT, LATE, PUNCTUAL, Story};
use crate::story::wait::{LIMIT, until, until_true};

/// Plays the step.
pub async fn play(story: &mut Story, facts: &mut Facts) -> anyhow::Result<()> {
    let order = story.db().rows("deadlines", "SELECT doc_no FROM urging_orders LIMIT 1", &[]).await?;
    let order_no = order.first().context("there is an order")?.text("/doc_no")?.to_owned();
    story.show.now("等待公开草稿 · drafts");
    let drafts = until("the drafts are complete", LIMIT, || async {
        let found = story.api().get(account::PUBLICITY, "publication", "/v1/drafts?limit=200").await?;
        let drafts = found.list("/items")?.to_vec();
        let late = drafts.iter().find(|draft| {
            draft["rectification_id"] == story.case(LATE).map_or("", |case| case.rectification_id.as_str())
        });
        let Some(late) = late else { return Ok(None) };
        let path = format!("/v1/drafts/{}", late.text("/publication_id")?);
        let whole = story.api().get(account::PUBLICITY, "publication", &path).await?;
        // The notice has arrived in the draft.
        Ok((drafts.len() == 3 && whole.to_string().contains(&order_no)).then_some(drafts))
    })
    .await?;
    facts.same("drafts", drafts.len(), 3)?;
    for draft in &drafts {
        let path = format!("/rectifications/{}", draft.text("/publication_id")?);
        let early = story.api().public("publication", &path).await?;
        facts.same("status_before_approval", early.status, 404)?;
    }
    for index in [PUNCTUAL, LATE] {
        let case = story.case(index)?;
        let draft = of(&drafts, &case.rectification_id)?;
        let id = draft.text("/publication_id")?;
        story.show.now(&format!("批准公开：{} · approval", case.unit_name));
        let whole = story.api().get(account::PUBLICITY, "publication", &format!("/v1/drafts/{id}")).await?;
        ensure!(!whole.text("/due_at")?.is_empty(), "the draft has no deadline: {whole}");
        let version = whole.number("/version")?;
        let path = format!("/v1/drafts/{id}/approve");
        let done = story.api().act(account::PUBLICITY, "publication", &path, version, json!({})).await?;
        facts.same(&format!("state_{}", case.label), done.text("/state")?.to_owned(), "published".to_owned())?;
        page(story, facts, index, &done, &order_no).await?;
    }
    let hidden = of(&drafts, &story.case(GOVERNMENT)?.rectification_id)?;
    let unapproved =
        story.api().public("publication", &format!("/rectifications/{}", hidden.text("/publication_id")?)).await?;
    facts.same("unapproved_page", unapproved.status, 404)?;
    portal(story, facts).await
}

fn of<'a>(drafts: &'a [Value], rectification_id: &str) -> anyhow::Result<&'a Value> {
    drafts.iter().find(|draft| draft["rectification_id"] == rectification_id).context("the rectification has a draft")
}

/// Finding, deadline, status and notice stand on the page; its data are what was hashed.
async fn page(story: &Story, facts: &mut Facts, index: usize, draft: &Value, order_no: &str) -> anyhow::Result<()> {
    let case = story.case(index)?;
    let path = draft.text("/path")?.to_owned();
    let html = until("the public page", LIMIT, || async {
        let answer = story.api().public("publication", &path).await?;
        Ok((answer.status == 200).then(|| String::from_utf8_lossy(&answer.bytes).into_owned()))
    })
    .await?;
    let mut wanted = vec![case.unit_name.clone(), case.letter_no.clone()];
    for finding in draft.list("/findings")? {
        wanted.push(finding.text("/text")?.to_owned());
        wanted.push(finding.text("/state_zh")?.to_owned());
    }
    if index == LATE {
        wanted.push(order_no.to_owned());
    }
    let missing: Vec<_> = wanted.iter().filter(|text| !html.contains(text.as_str())).collect();
    facts.holds(&format!("page_of_{}", case.label), missing.is_empty(), missing)?;
    // A deadline is shown as a date in words or in figures.
    let due = draft.at("/findings/0/due_on")?.as_str().context("a finding has a deadline")?;
    let day: jiff::civil::Date = due.parse()?;
    let shown = html.contains(due) || html.contains(&domain::local_time::date_zh(day));
    facts.holds(&format!("deadline_on_the_page_of_{}", case.label), shown, due)?;
    let data = story.api().public("publication", &format!("{path}.json")).await?;
    let hash = hex::encode(Sha256::digest(&data.bytes));
    facts.same(&format!("hash_of_{}", case.label), hash, draft.text("/content_sha256")?.to_owned())
}

async fn portal(story: &Story, facts: &mut Facts) -> anyhow::Result<()> {
    let published = [PUNCTUAL, LATE].map(|index| story.case(index).map(|case| case.unit_name.clone()));
    for name in published {
        let name = name?;
        until_true("the portal's list shows the school", || async {
            let list = story.api().public("publication", "/").await?;
            Ok(String::from_utf8_lossy(&list.bytes).contains(&name))
        })
        .await?;
    }
    facts.set("listed_on_the_portal", 2);
    let open = story.api().public("publication", "/open-data/rectifications.csv").await?;
    facts.same("open_data", open.status, 200)?;
    let government = &story.case(GOVERNMENT)?.letter_no;
    let leaked = String::from_utf8_lossy(&open.bytes).contains(government.as_str());
    facts.holds("open_data_hides_what_is_not_approved", !leaked, government)?;
    // Reporting learns of the page.
    until_true("the ledger links the public page", || async {
        let ledger = story.api().get(account::PROVINCE, "reporting", "/v1/ledger?limit=200").await?;
        Ok(ledger.list("/items")?.iter().filter(|row| row["public_path"].is_string()).count() == 4)
    })
    .await?;
    facts.set("ledger_rows_with_public_page", 4);
    Ok(())
}
