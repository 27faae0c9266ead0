//! Step 4: reports in time with evidence, verified by another person, closed. One unit does not report.

use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::story::api::Body;
use crate::story::facts::Facts;
use crate::story::json::Read as _;
use crate::story::photo::photo;
use crate::story::plot::{GOVERNMENT, PUNCTUAL, Played, Story};

/// Plays the step.
pub async fn play(story: &mut Story, facts: &mut Facts) -> anyhow::Result<()> {
    // The platform is away altogether from here until the notice is out.
    story.platform_mode("ok", None).await?;
    story.world.simulator("national-platform")?.terminate().await;
    let now = story.world.now().await?;
    story.world.move_to(now + SignedDuration::from_hours(24)).await?;
    let school = story.case(PUNCTUAL)?.clone();
    let government = story.case(GOVERNMENT)?.clone();
    rules(story, facts, &school).await?;
    for number in [1, 2] {
        rectify(story, facts, &school, number).await?;
    }
    rectify(story, facts, &government, 1).await?;
    check(story, facts, &school, &government).await?;
    story.outcome_seen("unreachable").await
}

/// Who may not, cannot: no evidence, the reporter himself, close-out before verification, another school.
async fn rules(story: &Story, facts: &mut Facts, case: &Played) -> anyhow::Result<()> {
    story.show.now("守卫条件 · guards");
    let item = item_id(story, case, 1).await?;
    for (key, who, act, body, expected) in [
        (
            "report_without_evidence",
            case.unit.contact.as_str(),
            "report",
            json!({ "text": "已整改", "evidence": [] }),
            422,
        ),
        ("close_out_before_verification", case.chief, "close-out", json!({}), 409),
        (
            "verification_before_a_report",
            case.verifier()?,
            "verify",
            json!({ "decision": "accept", "note": "属实" }),
            409,
        ),
        (
            "another_school_reports",
            story.cast.late.contact.as_str(),
            "report",
            json!({ "text": "已整改", "evidence": [] }),
            403,
        ),
    ] {
        let version =
            story.rectification(case.chief, &case.rectification_id).await?.number("/rectification/version")?;
        let path = format!("/v1/rectifications/{}/items/{item}/{act}", case.rectification_id);
        let post = reqwest::Method::POST;
        let answer = story.api().send(Some(who), post, "deadlines", &path, Some(version), Body::Json(body)).await?;
        ensure!(answer.status == expected, "{key}: {} {}", answer.status, answer.json);
        facts.set(key, answer.status);
    }
    Ok(())
}

async fn item_id(story: &Story, case: &Played, number: i64) -> anyhow::Result<String> {
    let view = story.rectification(case.chief, &case.rectification_id).await?;
    let item = view.list("/rectification/items")?.iter().find(|item| item["number"] == number).cloned();
    Ok(item.with_context(|| format!("no item {number}"))?.text("/item_id")?.to_owned())
}

/// Report with a photo, a verification that sends it back and one that accepts, close-out.
async fn rectify(story: &Story, facts: &mut Facts, case: &Played, number: u32) -> anyhow::Result<()> {
    story.show.now(&format!("整改：{} 第{number}项 · rectification", case.unit_name));
    let id = &case.rectification_id;
    let item = item_id(story, case, number.into()).await?;
    let who = &case.unit.contact;
    let seed = 100 + number + u32::try_from(case.label.len())? * 10;
    let file = story.upload(who, id, &item, photo(seed)?).await?;
    let report = json!({ "text": "已按要求完成整改，附现场照片。", "evidence": [file] });
    story.act_on_item(who, id, &item, "report", report.clone()).await?;
    // The reporter cannot verify; the account has not even the role.
    let version = story.rectification(who, id).await?.number("/rectification/version")?;
    let path = format!("/v1/rectifications/{id}/items/{item}/verify");
    let accept = json!({ "decision": "accept", "note": "现场核查属实，整改到位。" });
    let post = reqwest::Method::POST;
    let own = story.api().send(Some(who), post, "deadlines", &path, Some(version), Body::Json(accept.clone())).await?;
    facts.same("reporter_may_not_verify", i64::from(own.status), 403)?;
    let verifier = case.verifier()?;
    if case.label == "school_in_time" && number == 2 {
        let back = json!({ "decision": "return", "note": "课程表未盖章，请补充。" });
        let returned = story.act_on_item(verifier, id, &item, "verify", back).await?;
        let states: Vec<_> =
            returned.list("/rectification/items")?.iter().map(|item| item["returned"].clone()).collect();
        facts.set("returned_once", states.contains(&json!(1)));
        let file = story.upload(who, id, &item, photo(seed + 1)?).await?;
        let again = json!({ "text": "已补充盖章课程表。", "evidence": [file] });
        story.act_on_item(who, id, &item, "report", again).await?;
    }
    story.act_on_item(verifier, id, &item, "verify", accept).await?;
    let closed = story.act_on_item(case.chief, id, &item, "close-out", json!({})).await?;
    let state = closed.list("/rectification/items")?.iter().find(|found| found["item_id"] == item.as_str()).cloned();
    let state = state.context("the item is there")?;
    ensure!(state["state"] == "closed" && state["late"] == false, "not closed in time: {state}");
    Ok(())
}

async fn check(story: &Story, facts: &mut Facts, school: &Played, government: &Played) -> anyhow::Result<()> {
    let closed = story.rectification(school.chief, &school.rectification_id).await?;
    let at: Timestamp = closed.instant("/rectification/closed_at")?;
    facts.set("school_closed_at", at);
    let open = story.rectification(government.chief, &government.rectification_id).await?;
    facts.holds(
        "government_still_open",
        open["rectification"]["closed_at"].is_null(),
        &open["rectification"]["closed_at"],
    )?;
    let states = "SELECT state, count(*)::int AS n FROM items GROUP BY state ORDER BY state";
    let rows = story.db().rows("deadlines", states, &[]).await?;
    let counts: Vec<(String, i64)> = rows
        .iter()
        .map(|row| Ok((row.text("/state")?.to_owned(), row.number("/n")?)))
        .collect::<anyhow::Result<_>>()?;
    let expected = vec![("closed".to_owned(), 3), ("in_progress".to_owned(), 3)];
    facts.same("items_by_state", counts, expected)?;
    let files = "SELECT count(DISTINCT sha256) FROM evidence";
    facts.same("photos_of_rectification", story.db().count("deadlines", files, &[]).await?, 4)
}
