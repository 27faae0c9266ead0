//! What goes to the national platform (上报): messages, their states, sending again.

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

/// The states of a message.
const STATES: [&str; 5] = ["held", "ready", "accepted", "rejected", "invalid"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fault {
    field: String,
    reason_zh: String,
    reason_en: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Attempt {
    attempt: i64,
    finished_at: Option<String>,
    outcome: String,
    status: Option<u16>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Change {
    field: String,
    value: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Correction {
    made_at: String,
    reason: String,
    changes: Vec<Change>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    message_id: String,
    version: i64,
    case_id: String,
    case_title: String,
    kind: String,
    kind_zh: String,
    sequence: i64,
    state: String,
    state_zh: String,
    unit_name: String,
    doc_no: Option<String>,
    occurred_at: String,
    attempts: i64,
    next_attempt_at: Option<String>,
    last_outcome: Option<String>,
    reason: Option<String>,
    faults: Vec<Fault>,
    sha256: String,
    receipt_no: Option<String>,
    accepted_at: Option<String>,
    payload: Value,
    history: Vec<Attempt>,
    corrections: Vec<Correction>,
}

impl Message {
    fn payload_text(&self) -> String {
        serde_json::to_string_pretty(&self.payload).unwrap_or_default()
    }

    fn resendable(&self) -> bool {
        matches!(self.state.as_str(), "rejected" | "invalid" | "ready")
    }
}

#[derive(Debug, Template)]
#[template(path = "exchange/list.html")]
struct Messages {
    page: Page,
    rows: Vec<Message>,
    state: String,
    states: &'static [&'static str],
    next: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "exchange/message.html")]
struct MessagePage {
    page: Page,
    forms: Forms,
    message: Message,
}

/// The messages, newest first.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let query = asked.pick(&["state", "case_id", "kind", "after"]);
    let found: List<Message> = ctx.line().find(Room::Exchange, "/v1/messages", query).await?;
    let next = asked.next("/exchange", found.next.as_deref());
    let state = asked.get("state").to_owned();
    ok(&Messages { page: ctx.page("nav.exchange"), rows: found.items, state, states: &STATES, next })
}

/// One message with what was sent and what came back.
pub(crate) async fn show(ctx: Ctx, Path(message_id): Path<Uuid>) -> Result<Response, Failure> {
    render(&ctx, message_id, None).await
}

async fn render(ctx: &Ctx, message_id: Uuid, posted: Option<(Posted, Refusal)>) -> Result<Response, Failure> {
    let message: Message = ctx.line().get(Room::Exchange, &format!("/v1/messages/{message_id}")).await?;
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    html(status, &MessagePage { page: ctx.titled(message.kind_zh.clone()), forms: ctx.forms(posted), message })
}

/// A corrected value as JSON when it is a number or a truth value, else as text.
fn value_of(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        Ok(_) | Err(_) => json!(text),
    }
}

/// Sends a message again, corrected or as it is.
pub(crate) async fn resend(ctx: Ctx, Path(message_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let mut body = json!({ "reason": posted.get("reason") });
    if let Some(field) = posted.some("field") {
        body["corrections"] = json!([{ "field": field, "value": value_of(posted.get("value")) }]);
    }
    let sending = Sending { body: Some(body), key: posted.key(), version: posted.version(), ..Sending::default() };
    let path = format!("/v1/messages/{message_id}/resend");
    let answer = ctx.line().send(Method::POST, Room::Exchange, &path, sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/exchange/{message_id}"), "done.resent")),
        Outcome::Again(mut refusal) => {
            for fault in &mut refusal.errors {
                if fault.pointer.starts_with("/payload") || fault.pointer.starts_with("/corrections") {
                    fault.detail = format!("{}：{}", fault.pointer, fault.detail);
                    "/value".clone_into(&mut fault.pointer);
                }
            }
            render(&ctx, message_id, Some((posted, refusal))).await
        }
    }
}
