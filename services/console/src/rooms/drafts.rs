//! Publication (公开审批): drafts, preview, approval, withdrawal.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Asked, List};
use crate::api::{Failure, Refusal, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html, ok};
use crate::session::Ctx;

/// A draft in a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Row {
    pub(crate) publication_id: String,
    pub(crate) state: String,
    pub(crate) state_zh: String,
    pub(crate) needs_approval: bool,
    pub(crate) rectification_id: String,
    pub(crate) title: String,
    pub(crate) unit_name: String,
    pub(crate) county_name: Option<String>,
    pub(crate) letter_no: String,
    pub(crate) due_on: String,
    pub(crate) overdue: bool,
    pub(crate) marks: u32,
    pub(crate) published_at: Option<String>,
    pub(crate) path: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Mark {
    kind: String,
    original: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Finding {
    number: i32,
    severity_zh: String,
    category: String,
    original: String,
    text: String,
    marks: Vec<Mark>,
    edited: bool,
    due_on: String,
    state_zh: String,
    urging_order_no: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Approval {
    by: Value,
    at: String,
    reason: String,
}

impl Approval {
    /// The name of whoever decided.
    fn name(&self) -> &str {
        match &self.by {
            Value::String(name) => name,
            Value::Object(members) => ["display_name", "name"]
                .iter()
                .find_map(|key| members.get(*key).and_then(Value::as_str))
                .unwrap_or_default(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => "",
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Published {
    version: i64,
    published_at: String,
    content_sha256: String,
    cause: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Draft {
    #[serde(flatten)]
    row: Row,
    version: i64,
    case_title: String,
    findings: Vec<Finding>,
    preview: Value,
    approval: Option<Approval>,
    withdrawal: Option<Approval>,
    history: Vec<Published>,
}

#[derive(Debug, Template)]
#[template(path = "drafts/list.html")]
struct Drafts {
    page: Page,
    rows: Vec<Row>,
    state: String,
    next: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "drafts/draft.html")]
struct DraftPage {
    page: Page,
    forms: Forms,
    draft: Draft,
}

/// The drafts, those that wait longest first.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let found: List<Row> = ctx.line().find(Room::Publication, "/v1/drafts", asked.pick(&["state", "after"])).await?;
    let next = asked.next("/drafts", found.next.as_deref());
    ok(&Drafts { page: ctx.page("nav.drafts"), rows: found.items, state: asked.get("state").to_owned(), next })
}

/// One draft with the preview of its public page.
pub(crate) async fn show(ctx: Ctx, Path(publication_id): Path<Uuid>) -> Result<Response, Failure> {
    render(&ctx, publication_id, None).await
}

async fn load(ctx: &Ctx, publication_id: Uuid) -> Result<Draft, Failure> {
    ctx.line().get(Room::Publication, &format!("/v1/drafts/{publication_id}")).await
}

async fn render(ctx: &Ctx, publication_id: Uuid, posted: Option<(Posted, Refusal)>) -> Result<Response, Failure> {
    let draft = load(ctx, publication_id).await?;
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    html(status, &DraftPage { page: ctx.titled(draft.row.title.clone()), forms: ctx.forms(posted), draft })
}

/// Approves the page. Findings whose wording was changed in the form are sent along.
pub(crate) async fn approve(ctx: Ctx, Path(publication_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let draft = load(&ctx, publication_id).await?;
    let mut findings = Vec::new();
    let mut numbers = Vec::new();
    for finding in &draft.findings {
        let Some(text) = posted.some(&format!("text/{}", finding.number)) else { continue };
        let names_checked = posted.ticked(&format!("names_checked/{}", finding.number));
        if text != finding.text.trim().replace("\r\n", "\n") || names_checked {
            findings.push(json!({ "number": finding.number, "text": text, "names_checked": names_checked }));
            numbers.push(finding.number);
        }
    }
    let body = if findings.is_empty() { json!({}) } else { json!({ "findings": findings }) };
    let sending = Sending { body: Some(body), key: posted.key(), version: posted.version(), ..Sending::default() };
    let path = format!("/v1/drafts/{publication_id}/approve");
    let answer = ctx.line().send(Method::POST, Room::Publication, &path, sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/drafts/{publication_id}"), "done.approved")),
        Outcome::Again(mut refusal) => {
            // The service counts the findings that were sent; the form knows them by their number.
            for fault in &mut refusal.errors {
                let sent = fault.pointer.strip_prefix("/findings/").and_then(|rest| rest.split('/').next());
                if let Some(number) = sent.and_then(|n| n.parse::<usize>().ok()).and_then(|n| numbers.get(n)) {
                    fault.pointer = format!("/text/{number}");
                }
            }
            render(&ctx, publication_id, Some((posted, refusal))).await
        }
    }
}

/// Withdraws the page, with the reason.
pub(crate) async fn withdraw(ctx: Ctx, Path(publication_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let sending = Sending {
        body: Some(json!({ "reason": posted.get("reason") })),
        key: posted.key(),
        version: posted.version(),
        ..Sending::default()
    };
    let path = format!("/v1/drafts/{publication_id}/withdraw");
    let answer = ctx.line().send(Method::POST, Room::Publication, &path, sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/drafts/{publication_id}"), "done.withdrawn")),
        Outcome::Again(refusal) => render(&ctx, publication_id, Some((posted, refusal))).await,
    }
}
