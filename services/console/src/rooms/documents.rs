//! Official documents as they were issued, and files of evidence.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Document, Named};
use crate::api::{Failure, Room};
use crate::page::{Page, ok};
use crate::session::Ctx;

/// The frozen text of a document, in lines.
#[derive(Debug, Default)]
pub(crate) struct Paper {
    pub(crate) document: Document,
    pub(crate) sha256: String,
    pub(crate) addressee: String,
    pub(crate) copies: String,
    pub(crate) received_at: Option<String>,
    pub(crate) lines: Vec<Line>,
    pub(crate) rectification_id: Option<String>,
}

/// A part of a document: its name and what stands there.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) part: Part,
}

/// What stands in a part.
#[derive(Debug)]
pub(crate) enum Part {
    /// Words.
    Text(String),
    /// Several words.
    List(Vec<String>),
    /// Rows, each with its parts by name.
    Rows(Vec<Vec<(String, String)>>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stored {
    document: Document,
    sha256: String,
    content: Map<String, Value>,
    received_at: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Order {
    document: Document,
    copy_to: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StoredOrder {
    order: Order,
    rectification_id: String,
    unit: Named,
    content: Map<String, Value>,
    content_sha256: String,
}

#[derive(Debug, Template)]
#[template(path = "document.html")]
struct DocumentPage {
    page: Page,
    paper: Paper,
}

/// Parts that stand in the head of the page already, or say the same as another part.
const IN_HEAD: [&str; 13] = [
    "doc_no",
    "kind",
    "kind_name",
    "title",
    "issuing_agency",
    "addressee",
    "copies",
    "issued_at",
    "issued_on_text",
    "supervision_kind",
    "document_id",
    "issuing_unit_name",
    "copy_to",
];

/// The parts in the order in which they are read; what is not named here follows.
const ORDER: [&str; 48] = [
    "case_title",
    "supervision",
    "kind_name",
    "letter_no",
    "unit",
    "year",
    "matters",
    "visit_on",
    "visits",
    "team",
    "self_evaluation_due_on",
    "materials",
    "contact",
    "evaluation",
    "items",
    "findings",
    "late_items",
    "limits",
    "plea",
    "plea_right",
    "plea_rule",
    "number",
    "name",
    "leader",
    "severity",
    "category",
    "problem",
    "description",
    "basis",
    "matter",
    "target_units",
    "window_from",
    "window_to",
    "arrived_at",
    "left_at",
    "place",
    "text",
    "demand",
    "advice",
    "responsible_unit_name",
    "was_due_on",
    "days_late",
    "due_on",
    "rule",
    "objection_right",
    "recusal_right",
    "legal_basis",
    "issued_on",
];

/// The members of an object that are shown, in reading order.
fn members(object: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = object.iter().filter(|(key, value)| !key.ends_with("_id") && !is_empty(value)).collect();
    members.sort_by_key(|(key, _)| ORDER.iter().position(|known| known == key).unwrap_or(ORDER.len()));
    members
}

/// The document of a kind: urging orders are kept by `deadlines`, all others by `tasks`.
pub(crate) async fn paper(ctx: &Ctx, kind: &str, document_id: Uuid) -> Result<Paper, Failure> {
    if kind == "urging_order" {
        let stored: StoredOrder = ctx.line().get(Room::Deadlines, &format!("/v1/urging-orders/{document_id}")).await?;
        let body = stored.content.get("body").and_then(Value::as_object).unwrap_or(&stored.content);
        return Ok(Paper {
            lines: lines(ctx, body),
            document: stored.order.document,
            sha256: stored.content_sha256,
            addressee: stored.unit.name,
            copies: stored.order.copy_to.unwrap_or_default(),
            received_at: None,
            rectification_id: Some(stored.rectification_id),
        });
    }
    let stored: Stored = ctx.line().get(Room::Tasks, &format!("/v1/documents/{document_id}")).await?;
    let text = |key: &str| stored.content.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let body = stored.content.get("body").and_then(Value::as_object).unwrap_or(&stored.content);
    let copies = stored.content.get("copies").and_then(Value::as_array);
    Ok(Paper {
        lines: lines(ctx, body),
        addressee: text("addressee"),
        copies: copies.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("，"),
        sha256: stored.sha256,
        received_at: stored.received_at,
        document: stored.document,
        rectification_id: None,
    })
}

/// The parts of a text with their names in words; what has no word keeps its key.
fn lines(ctx: &Ctx, body: &Map<String, Value>) -> Vec<Line> {
    let page = ctx.page("document.title");
    members(body)
        .into_iter()
        .filter(|(key, _)| !IN_HEAD.contains(&key.as_str()))
        .map(|(key, value)| Line { name: page.word("paper", key).to_owned(), part: part(&page, key, value) })
        .collect()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

fn part(page: &Page, key: &str, value: &Value) -> Part {
    match value {
        Value::Array(items) if items.iter().any(Value::is_object) => Part::Rows(
            items
                .iter()
                .filter_map(Value::as_object)
                .map(|row| {
                    members(row)
                        .into_iter()
                        .filter(|(_, value)| !value.is_object())
                        .map(|(key, value)| (page.word("paper", key).to_owned(), words(page, key, value)))
                        .collect()
                })
                .collect(),
        ),
        Value::Array(items) => Part::List(items.iter().map(|item| words(page, key, item)).collect()),
        Value::Object(object) => Part::Rows(vec![
            members(object)
                .into_iter()
                .map(|(key, value)| (page.word("paper", key).to_owned(), words(page, key, value)))
                .collect(),
        ]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Part::Text(words(page, key, value)),
    }
}

/// One value in words: days and instants are told as such, known values by their words.
fn words(page: &Page, key: &str, value: &Value) -> String {
    match value {
        Value::String(text) if key.ends_with("_at") => page.moment(text),
        Value::String(text) if key == "at" => page.moment(text),
        Value::String(text) if key.ends_with("_on") || key.starts_with("window_") => page.date(text),
        Value::String(text) if key == "severity" => page.word("severity", text).to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(yes) => page.t(if *yes { "form.yes" } else { "form.no" }).to_owned(),
        Value::Array(items) => items.iter().map(|item| words(page, key, item)).collect::<Vec<_>>().join("；"),
        Value::Null => String::new(),
        Value::Number(number) => number.to_string(),
        // A unit inside of a row is known by its name.
        Value::Object(object) => object.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
    }
}

/// A document of a case or a plan.
pub(crate) async fn show(ctx: Ctx, Path(document_id): Path<Uuid>) -> Result<Response, Failure> {
    let paper = paper(&ctx, "", document_id).await?;
    ok(&DocumentPage { page: ctx.titled(paper.document.title.clone()), paper })
}

/// An urging order (督办单).
pub(crate) async fn urging_order(ctx: Ctx, Path(urging_order_id): Path<Uuid>) -> Result<Response, Failure> {
    let paper = paper(&ctx, "urging_order", urging_order_id).await?;
    ok(&DocumentPage { page: ctx.titled(paper.document.title.clone()), paper })
}

/// A file of evidence of a case.
pub(crate) async fn case_evidence(ctx: Ctx, Path(sha256): Path<String>) -> Result<Response, Failure> {
    if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Failure::NotFound);
    }
    ctx.line().file(Room::Tasks, &format!("/v1/evidence/{sha256}"), Vec::new(), None).await
}

/// A file of evidence of a rectification.
pub(crate) async fn rectification_evidence(ctx: Ctx, Path(file_id): Path<Uuid>) -> Result<Response, Failure> {
    ctx.line().file(Room::Deadlines, &format!("/v1/evidence/{file_id}"), Vec::new(), None).await
}
