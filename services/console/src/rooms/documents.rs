//! Official documents as they were issued, voiding and replacing them, and files of evidence.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Document;
use crate::api::{Failure, Refusal, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html};
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
    /// Address of its page, below which its files lie.
    pub(crate) address: String,
    /// The code for verification (核验码).
    pub(crate) code: String,
    pub(crate) voided: Option<Voided>,
    /// What it takes to void it.
    pub(crate) action: &'static str,
    /// Why it cannot just be voided, as a key of the texts.
    pub(crate) obstacle: Option<&'static str>,
    /// The words that a correction may change, by name.
    pub(crate) correctable: Vec<Correctable>,
}

/// A document no longer holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Voided {
    pub(crate) at: String,
    pub(crate) cause: String,
    pub(crate) reason: String,
    pub(crate) by: String,
    pub(crate) replaced_by: Option<Document>,
}

/// Words that may be corrected.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Correctable {
    pub(crate) field: String,
    pub(crate) text: String,
}

/// The causes for which a document is voided.
pub(crate) const CAUSES: [&str; 3] = ["wrong_content", "issued_in_error", "circumstances_changed"];

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

/// A document as `tasks` keeps it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stored {
    document: Document,
    sha256: String,
    content: Content,
    received_at: Option<String>,
    code: String,
    voided: Option<Voided>,
    carries_a_clock: bool,
    correctable: Vec<Correctable>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Order {
    document: Document,
}

/// An urging order as `deadlines` keeps it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StoredOrder {
    order: Order,
    rectification_id: String,
    content: Content,
    content_sha256: String,
    code: String,
    voided: Option<Voided>,
    resting: Vec<u32>,
}

/// A paper at the end of a rectification as `deadlines` keeps it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StoredPaper {
    document: Document,
    rectification_id: String,
    content: Content,
    content_sha256: String,
    code: String,
}

/// A frozen content (`crates/documents`): the head that all kinds have, and the fields of its kind under its name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Content {
    head: Map<String, Value>,
    body: Map<String, Value>,
}

/// The frozen bytes as they were hashed, and whether they still hold.
#[derive(Debug, Deserialize)]
struct Frozen {
    content: Box<RawValue>,
    #[serde(default)]
    voided: Option<Voided>,
}

/// The kind that `deadlines` issues by the clock.
const URGING_ORDER: &str = "urging_order";
/// The kinds that it issues when something is closed.
const CLOSING: [&str; 2] = ["acceptance_opinion", "closing_approval"];

/// What a document is made as.
pub(crate) const FORMATS: [&str; 3] = ["pdf", "docx", "txt"];

#[derive(Debug, Template)]
#[template(path = "document.html")]
struct DocumentPage {
    page: Page,
    forms: Forms,
    paper: Paper,
}

/// The parts of the head that do not stand above or below the text anyway.
const OF_HEAD: [&str; 8] =
    ["urgency", "secrecy", "signer", "contact", "phone", "attachments", "legal_basis", "publication"];

/// The parts in the order in which they are read; what is not named here follows.
const ORDER: &[&str] = &[
    "urgency",
    "secrecy",
    "subject",
    "case_title",
    "supervision",
    "supervision_kind",
    "closing_no",
    "letter_no",
    "letter_issued_on",
    "sequence",
    "lead_unit",
    "lead_leader",
    "assisting_units",
    "unit",
    "units",
    "year",
    "aim",
    "number",
    "duty",
    "role",
    "title",
    "name",
    "post",
    "indicator",
    "full",
    "score",
    "remark",
    "text",
    "severity",
    "category",
    "situation",
    "found_on",
    "source",
    "inspector",
    "problem",
    "basis",
    "matter",
    "targets",
    "window_from",
    "window_to",
    "matters",
    "method",
    "lead",
    "partners",
    "visit_on",
    "visit_to",
    "visits",
    "arrived_at",
    "left_at",
    "reason",
    "interviewee",
    "at",
    "place",
    "hosts",
    "interviewees",
    "team",
    "self_evaluation_demand",
    "self_evaluation_template",
    "self_evaluation_due_on",
    "materials",
    "facts",
    "evaluation",
    "reasons",
    "results",
    "practices",
    "problems",
    "causes",
    "rectification_state",
    "attitude",
    "result",
    "opinion",
    "items",
    "findings",
    "late_items",
    "content",
    "rectified",
    "plea",
    "plea_treatment",
    "plea_right",
    "plea_limit",
    "plea_address",
    "demand",
    "demands",
    "bars",
    "measure",
    "until",
    "advice",
    "responsible_unit",
    "limit",
    "limit_days",
    "was_due_on",
    "days_late",
    "due_on",
    "rule",
    "limit_on",
    "feedback_cycle",
    "verified_on",
    "total",
    "closed",
    "completion_rate",
    "conclusion",
    "look_back",
    "met",
    "evidence",
    "conditions",
    "approvals",
    "closed_on",
    "report_to",
    "report_how",
    "copy_office",
    "scores",
    "objection_right",
    "recusal_right",
    "requirements",
];

/// The members of an object that are shown, in reading order.
fn members(object: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = object.iter().filter(|(key, value)| !key.ends_with("_id") && !is_empty(value)).collect();
    members.sort_by_key(|(key, _)| ORDER.iter().position(|known| known == key).unwrap_or(ORDER.len()));
    members
}

/// Where the documents of a kind are kept: what urges or closes by `deadlines`, all others by `tasks`.
fn keeper(kind: &str, document_id: Uuid) -> (Room, String) {
    if kind == URGING_ORDER {
        (Room::Deadlines, format!("/v1/urging-orders/{document_id}"))
    } else if CLOSING.contains(&kind) {
        (Room::Deadlines, format!("/v1/documents/{document_id}"))
    } else {
        (Room::Tasks, format!("/v1/documents/{document_id}"))
    }
}

/// The page of a document of a kind.
pub(crate) fn page_of(kind: &str, document_id: impl std::fmt::Display) -> String {
    let folder = if kind == URGING_ORDER {
        "urging-orders"
    } else if CLOSING.contains(&kind) {
        "rectification-papers"
    } else {
        "documents"
    };
    format!("/{folder}/{document_id}")
}

/// The document of a kind.
pub(crate) async fn paper(ctx: &Ctx, kind: &str, document_id: Uuid) -> Result<Paper, Failure> {
    let (room, path) = keeper(kind, document_id);
    if kind == URGING_ORDER {
        let stored: StoredOrder = ctx.line().get(room, &path).await?;
        return Ok(Paper {
            document: stored.order.document,
            sha256: stored.content_sha256,
            rectification_id: Some(stored.rectification_id),
            address: page_of(kind, document_id),
            code: stored.code,
            voided: stored.voided,
            action: "deadlines.urging_order.void",
            obstacle: (!stored.resting.is_empty()).then_some("void.items_rest"),
            ..read(ctx, &stored.content)
        });
    }
    if CLOSING.contains(&kind) {
        let stored: StoredPaper = ctx.line().get(room, &path).await?;
        return Ok(Paper {
            document: stored.document,
            sha256: stored.content_sha256,
            rectification_id: Some(stored.rectification_id),
            address: page_of(kind, document_id),
            code: stored.code,
            ..read(ctx, &stored.content)
        });
    }
    let stored: Stored = ctx.line().get(room, &path).await?;
    Ok(Paper {
        document: stored.document,
        sha256: stored.sha256,
        received_at: stored.received_at,
        address: page_of(kind, document_id),
        code: stored.code,
        voided: stored.voided,
        action: "tasks.document.void",
        obstacle: stored.carries_a_clock.then_some("void.clock_runs"),
        correctable: stored.correctable,
        ..read(ctx, &stored.content)
    })
}

/// What the content says; a kind that is not known here is read the same way.
fn read(ctx: &Ctx, content: &Content) -> Paper {
    let page = ctx.page("document.title");
    let text = |key: &str| content.head.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let copies = content.head.get("copies").and_then(Value::as_array);
    let mut parts = Map::new();
    for body in content.body.values().filter_map(Value::as_object) {
        parts.extend(body.clone());
    }
    parts.extend(OF_HEAD.iter().filter_map(|&key| Some((key.to_owned(), content.head.get(key)?.clone()))));
    Paper {
        addressee: text("addressee"),
        copies: copies.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("，"),
        lines: lines(&page, &parts),
        ..Paper::default()
    }
}

impl Paper {
    /// The corrections to choose from; a paper without an obstacle may also be voided with nothing in its place.
    pub(crate) fn corrections(&self, page: &Page) -> Vec<(String, String)> {
        let mut options = Vec::new();
        if self.obstacle.is_none() {
            options.push((String::new(), page.t("void.no_replacement").to_owned()));
        }
        let name = |field: &str| match field {
            "title" => page.t("document.name").to_owned(),
            other => page.word("paper", other).to_owned(),
        };
        options.extend(self.correctable.iter().map(|one| (one.field.clone(), name(&one.field))));
        options
    }
}

/// The parts of a text with their names in words; what has no word keeps its key.
fn lines(page: &Page, parts: &Map<String, Value>) -> Vec<Line> {
    members(parts)
        .into_iter()
        .map(|(key, value)| Line { name: page.word("paper", key).to_owned(), part: part(page, key, value) })
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
        Value::String(text) if key == "at" || key.ends_with("_at") => page.moment(text),
        Value::String(text)
            if key.ends_with("_on") || key.starts_with("window_") || ["visit_to", "until"].contains(&key) =>
        {
            page.date(text)
        }
        Value::String(text) if key == "publication" => page.word("publication", text).to_owned(),
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
    render(&ctx, "", document_id, None).await
}

/// An urging order (督办单).
pub(crate) async fn urging_order(ctx: Ctx, Path(urging_order_id): Path<Uuid>) -> Result<Response, Failure> {
    render(&ctx, URGING_ORDER, urging_order_id, None).await
}

async fn render(
    ctx: &Ctx,
    kind: &str,
    document_id: Uuid,
    posted: Option<(Posted, Refusal)>,
) -> Result<Response, Failure> {
    let paper = paper(ctx, kind, document_id).await?;
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    html(status, &DocumentPage { page: ctx.titled(paper.document.title.clone()), forms: ctx.forms(posted), paper })
}

/// Voids a document, or replaces it by one with corrected words.
pub(crate) async fn void(ctx: Ctx, Path(document_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    voided(&ctx, "", document_id, posted).await
}

/// Voids an urging order.
pub(crate) async fn void_urging_order(
    ctx: Ctx,
    Path(urging_order_id): Path<Uuid>,
    posted: Posted,
) -> Result<Response, Failure> {
    voided(&ctx, URGING_ORDER, urging_order_id, posted).await
}

async fn voided(ctx: &Ctx, kind: &str, document_id: Uuid, posted: Posted) -> Result<Response, Failure> {
    let (room, path) = keeper(kind, document_id);
    let mut body = json!({ "cause": posted.get("cause"), "reason": posted.get("reason") });
    if let Some(field) = posted.some("field") {
        body["corrections"] = json!([{ "field": field, "text": posted.get("text") }]);
    }
    let sending = Sending { body: Some(body), key: posted.key(), ..Sending::default() };
    let answer = ctx.line().send(Method::POST, room, &format!("{path}/void"), sending).await;
    match outcome(ctx, &posted, answer)? {
        Outcome::Done(answer) => {
            let other = answer.pointer("/voided/replaced_by/document_id").and_then(Value::as_str);
            // To the document that holds now, where there is one.
            match other {
                Some(other) => Ok(done(&page_of(kind, other), "done.replaced")),
                None => Ok(done(&page_of(kind, document_id), "done.voided")),
            }
        }
        Outcome::Again(mut refusal) => {
            for fault in &mut refusal.errors {
                fault.pointer = fault.pointer.replace("/corrections/0", "");
            }
            render(ctx, kind, document_id, Some((posted, refusal))).await
        }
    }
}

/// A paper at the end of a rectification (整改验收意见、销号审批表).
pub(crate) async fn rectification_paper(ctx: Ctx, Path(document_id): Path<Uuid>) -> Result<Response, Failure> {
    let [kind, _] = CLOSING;
    render(&ctx, kind, document_id, None).await
}

/// The same as a file.
pub(crate) async fn rectification_paper_file(
    ctx: Ctx,
    Path((document_id, format)): Path<(Uuid, String)>,
) -> Result<Response, Failure> {
    let [kind, _] = CLOSING;
    made(&ctx, kind, document_id, &format).await
}

/// A document of a case or a plan as a file.
pub(crate) async fn file(ctx: Ctx, Path((document_id, format)): Path<(Uuid, String)>) -> Result<Response, Failure> {
    made(&ctx, "", document_id, &format).await
}

/// An urging order as a file.
pub(crate) async fn urging_order_file(
    ctx: Ctx,
    Path((urging_order_id, format)): Path<(Uuid, String)>,
) -> Result<Response, Failure> {
    made(&ctx, URGING_ORDER, urging_order_id, &format).await
}

/// Whoever may read the frozen content may have it made into a file, byte for byte as it was hashed.
async fn made(ctx: &Ctx, kind: &str, document_id: Uuid, format: &str) -> Result<Response, Failure> {
    if !FORMATS.contains(&format) {
        return Err(Failure::NotFound);
    }
    let stored = stored(ctx, kind, document_id).await?;
    let state = match &stored.voided {
        None => "genuine",
        Some(Voided { replaced_by: None, .. }) => "void",
        Some(Voided { replaced_by: Some(_), .. }) => "replaced",
    };
    ctx.line().rendered("/v1/documents/render", stored.content, format, Some(state)).await
}

async fn stored(ctx: &Ctx, kind: &str, document_id: Uuid) -> Result<Frozen, Failure> {
    let (room, path) = keeper(kind, document_id);
    ctx.line().get(room, &path).await
}

/// The frozen content of a document, byte for byte, for whoever may read it.
pub(crate) async fn frozen(ctx: &Ctx, kind: &str, document_id: Uuid) -> Result<Box<RawValue>, Failure> {
    Ok(stored(ctx, kind, document_id).await?.content)
}

/// Kind and identity of the document that somebody names by the address of its page or of its file, or by its identity.
pub(crate) fn place(text: &str) -> Option<(&'static str, Uuid)> {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let [closing, _] = CLOSING;
    let kind = if text.contains("/urging-orders/") {
        URGING_ORDER
    } else if text.contains("/rectification-papers/") {
        closing
    } else {
        ""
    };
    text.split('/').find_map(|part| part.trim().parse().ok()).map(|document_id| (kind, document_id))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_named_by_the_address_of_its_page() {
        let id = Uuid::from_u128(0x019a_0000_0000_7000_8000_0000_0000_0001);
        for (text, kind) in [
            (format!("{id}"), ""),
            (format!("/documents/{id}"), ""),
            (format!("https://console.example/documents/{id}/pdf?x=1#y"), ""),
            (format!(" https://console.example/urging-orders/{id} "), URGING_ORDER),
            (format!("/rectification-papers/{id}"), CLOSING[0]),
        ] {
            assert_eq!(place(&text), Some((kind, id)), "{text}");
        }
        assert_eq!(place("/documents/12"), None);
    }
}
