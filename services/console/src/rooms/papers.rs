//! Papers that people write on a page of their own: the interview notice and the circular of a proposed step (约谈通知书、通报),
//! and the supervision report of a case (督导报告).
//!
//! Lists are typed as text, a line for each entry, its parts between bars; parts of a report as blocks, the first line of
//! which is the heading.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Named;
use super::assignments::{Assignment, Fact};
use crate::api::{Failure, Refusal, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html, instant_of_local};
use crate::session::Ctx;

impl Assignment {
    /// The bar that measure 14 lays on the leading group, as the form takes it.
    fn bar(&self) -> String {
        format!("{}领导班子成员 | 不得评优评先、提拔使用或者转任重要职务 |", self.unit.name)
    }

    /// What is known of the facts, in the words of the paper.
    fn told(&self, page: &Page) -> String {
        let line = |fact: &Fact| {
            let due = fact.was_due_on.as_ref().map(|due_on| format!("原整改期限为{}。", page.date(due_on)));
            let urged = fact.urging_order_no.as_ref().map(|no| format!("经{no}督办，仍未完成。"));
            format!("第{}项：{}{}{}", fact.number, fact.description, due.unwrap_or_default(), urged.unwrap_or_default())
        };
        let lines: Vec<String> = self.facts.iter().map(line).collect();
        format!("{}所列下列问题，{}未按期完成整改。\n{}", self.letter_no, self.unit.name, lines.join("\n"))
    }
}

#[derive(Debug, Template)]
#[template(path = "papers/step.html")]
struct StepPage {
    page: Page,
    forms: Forms,
    assignment: Assignment,
}

/// The page of the paper of a step.
pub(crate) async fn step(ctx: Ctx, Path(assignment_id): Path<Uuid>) -> Result<Response, Failure> {
    render_step(&ctx, assignment_id, None).await
}

async fn render_step(ctx: &Ctx, id: Uuid, posted: Option<(Posted, Refusal)>) -> Result<Response, Failure> {
    let assignment: Assignment = ctx.line().get(Room::Tasks, &format!("/v1/assignments/{id}")).await?;
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    let title = if assignment.kind == "circular" { "step_paper.circular" } else { "step_paper.interview" };
    html(status, &StepPage { page: ctx.page(title), forms: ctx.forms(posted), assignment })
}

/// The parts of a line, between bars of either width.
fn parts(line: &str) -> Vec<String> {
    line.split(['|', '｜']).map(|part| part.trim().to_owned()).collect()
}

/// A part unless it is empty.
fn part(parts: &[String], place: usize) -> Option<&String> {
    parts.get(place).filter(|part| !part.is_empty())
}

/// People, a line each: a name, or name and post, or duty, name and post.
fn people(posted: &Posted, field: &str) -> Vec<Value> {
    posted
        .lines(field)
        .iter()
        .map(|line| {
            let parts = parts(line);
            match parts.len() {
                0 | 1 => json!({ "name": part(&parts, 0) }),
                2 => json!({ "name": part(&parts, 0), "post": part(&parts, 1) }),
                _ => json!({ "duty": part(&parts, 0), "name": part(&parts, 1), "post": part(&parts, 2) }),
            }
        })
        .map(|mut person| {
            // A line without a name is refused at its field by the service.
            if person["name"].is_null() {
                person["name"] = json!("");
            }
            person
        })
        .collect()
}

/// Bodies, a line each; nothing when the service is to name those that the measure names.
fn bodies(posted: &Posted, field: &str) -> Value {
    let lines = posted.lines(field);
    if lines.is_empty() { Value::Null } else { json!(lines) }
}

/// Issues the interview notice (印发约谈通知书).
pub(crate) async fn interview(ctx: Ctx, Path(id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let Some(at) = instant_of_local(posted.get("at")) else {
        let texts = ctx.texts();
        let refusal = Refusal::own(texts.t("form.invalid"), texts.t("form.invalid_advice"))
            .field("/at", texts.t("form.no_moment").to_owned());
        return render_step(&ctx, id, Some((posted, refusal))).await;
    };
    let body = json!({
        "at": at,
        "place": posted.get("place"),
        "reason": posted.some("reason"),
        "hosts": people(&posted, "hosts"),
        "interviewees": people(&posted, "interviewees"),
        "materials": posted.lines("materials"),
        "copies": bodies(&posted, "copies"),
        "contact": posted.get("contact"),
        "phone": posted.get("phone"),
    });
    issue(&ctx, id, "interview-notice", posted, body).await
}

/// Issues the circular (印发通报).
pub(crate) async fn circular(ctx: Ctx, Path(id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let bars: Vec<Value> = posted
        .lines("bars")
        .iter()
        .map(|line| {
            let parts = parts(line);
            if parts.len() == 1 {
                return json!({ "measure": part(&parts, 0) });
            }
            json!({
                "unit": part(&parts, 0),
                "measure": part(&parts, 1).map_or("", String::as_str),
                "until": part(&parts, 2),
            })
        })
        .collect();
    let body = json!({
        "facts": posted.get("facts"),
        "attitude": posted.some("attitude"),
        "rectification_state": posted.get("rectification_state"),
        "result": posted.get("result"),
        "demands": posted.lines("demands"),
        "bars": bars,
        "addressees": bodies(&posted, "addressees"),
        "copies": bodies(&posted, "copies"),
        "open": posted.ticked("open"),
        "contact": posted.some("contact"),
        "phone": posted.some("phone"),
    });
    issue(&ctx, id, "circular", posted, body).await
}

async fn issue(ctx: &Ctx, id: Uuid, verb: &str, posted: Posted, body: Value) -> Result<Response, Failure> {
    let sending = Sending { body: Some(body), key: posted.key(), ..Sending::default() };
    let answer = ctx.line().send(Method::POST, Room::Tasks, &format!("/v1/assignments/{id}/{verb}"), sending).await;
    match outcome(ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/assignments/{id}/paper"), "done.paper_issued")),
        Outcome::Again(refusal) => render_step(ctx, id, Some((posted, refusal))).await,
    }
}

/// A part of a report.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Topic {
    title: String,
    text: String,
}

/// A draft of a report as `tasks` begins it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Draft {
    situation: String,
    results: Vec<Topic>,
    problems: Vec<Topic>,
    advice: Vec<Topic>,
    demands: Vec<String>,
}

/// A report before it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Begun {
    addressee: String,
    copies: Vec<String>,
    due_on: String,
    due_article: String,
    late: bool,
    draft: Draft,
}

/// The case that it reports on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Case {
    version: i64,
    title: String,
    unit: Named,
}

#[derive(Debug, Template)]
#[template(path = "papers/report.html")]
struct ReportPage {
    page: Page,
    forms: Forms,
    case_id: String,
    case: Case,
    begun: Begun,
}

impl ReportPage {
    /// Topics as the form takes them: the heading, its text below, a blank line between two.
    fn blocks(topics: &[Topic]) -> String {
        topics.iter().map(|topic| format!("{}\n{}", topic.title, topic.text)).collect::<Vec<_>>().join("\n\n")
    }
}

/// The page on which a report is written.
pub(crate) async fn report(ctx: Ctx, Path(case_id): Path<Uuid>) -> Result<Response, Failure> {
    render_report(&ctx, case_id, None).await
}

async fn render_report(ctx: &Ctx, id: Uuid, posted: Option<(Posted, Refusal)>) -> Result<Response, Failure> {
    let line = ctx.line();
    let (case_path, draft_path) = (format!("/v1/cases/{id}"), format!("/v1/cases/{id}/report-draft"));
    let (case, begun): (Case, Begun) =
        tokio::try_join!(line.get(Room::Tasks, &case_path), line.get(Room::Tasks, &draft_path))?;
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    let page = ctx.page("report.title");
    html(status, &ReportPage { page, forms: ctx.forms(posted), case_id: id.to_string(), case, begun })
}

/// The blocks of a field: heading and text. A block of one line is a text without a heading, which the service refuses.
fn topics(posted: &Posted, field: &str) -> Vec<Value> {
    let text = posted.get(field);
    text.split("\n\n")
        .map(str::trim)
        .filter(|block| !block.is_empty())
        .map(|block| {
            let (title, text) = block.split_once('\n').unwrap_or((block, ""));
            json!({ "title": title.trim(), "text": text.trim() })
        })
        .collect()
}

/// Issues the report (印发督导报告).
pub(crate) async fn issue_report(ctx: Ctx, Path(id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let scores: Vec<Value> = posted
        .lines("scores")
        .iter()
        .map(|line| {
            let parts = parts(line);
            let text = |place| part(&parts, place).map_or("", String::as_str);
            json!({ "indicator": text(0), "full": part(&parts, 1), "score": text(2), "remark": part(&parts, 3) })
        })
        .collect();
    let body = json!({
        "situation": posted.get("situation"),
        "results": topics(&posted, "results"),
        "practices": topics(&posted, "practices"),
        "problems": topics(&posted, "problems"),
        "causes": posted.some("causes"),
        "advice": topics(&posted, "advice"),
        "demands": posted.lines("demands"),
        "scores": scores,
        "signer": posted.get("signer"),
        "contact": posted.some("contact"),
    });
    let sending = Sending { body: Some(body), key: posted.key(), version: posted.version(), ..Sending::default() };
    let answer = ctx.line().send(Method::POST, Room::Tasks, &format!("/v1/cases/{id}/report"), sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/cases/{id}"), "done.report_issued")),
        Outcome::Again(refusal) => render_report(&ctx, id, Some((posted, refusal))).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_read_from_lines() {
        let posted = Posted::of(&[("hosts", "主谈 | 总督学 | 省教育厅\n承办人员\n 王处长｜组织部 \n | | 无名")]);
        assert_eq!(
            people(&posted, "hosts"),
            [
                json!({"duty": "主谈", "name": "总督学", "post": "省教育厅"}),
                json!({"name": "承办人员"}),
                json!({"name": "王处长", "post": "组织部"}),
                json!({"duty": null, "name": "", "post": "无名"}),
            ]
        );
    }

    #[test]
    fn parts_of_a_report_are_read_from_blocks() {
        let posted = Posted::of(&[("problems", "班额偏大\n有6所学校。\n其中3个班超过55人。\n\n\n没有正文")]);
        assert_eq!(
            topics(&posted, "problems"),
            [
                json!({"title": "班额偏大", "text": "有6所学校。\n其中3个班超过55人。"}),
                json!({"title": "没有正文", "text": ""}),
            ]
        );
    }
}
