//! What became of messages (送达): per reader and channel, what was given up and waits for a person, and the last sweep.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::{Method, StatusCode, Uri};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Asked;
use super::receipts::Receipt;
use crate::api::{Failure, Refusal, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html, ok};
use crate::session::Ctx;

/// Where a delivery stands.
const STATES: [&str; 8] = ["held", "queued", "sending", "delivered", "digested", "failed", "discarded", "no_recipient"];
/// The ways on which something can be given up.
const CHANNELS: [&str; 5] = ["mail", "sms", "webhook", "wecom", "dingtalk"];
/// What the list is about.
const FILTERS: [&str; 4] = ["document_id", "rectification_id", "case_id", "state"];
/// Its address.
const LIST: &str = "/deliveries";

/// A message on its way to one reader by one channel.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Delivery {
    delivery_id: String,
    title: String,
    capacity: String,
    subject: String,
    recipient: String,
    unit_name: String,
    channel: Option<String>,
    state: String,
    attempts: i32,
    next_attempt_at: Option<String>,
    not_before: Option<String>,
    provider: Option<String>,
    redrives: i32,
    discard_reason: Option<String>,
    last_error: Option<String>,
    created_at: String,
    delivered_at: Option<String>,
    read_at: Option<String>,
}

impl Delivery {
    fn light(&self) -> &'static str {
        match self.state.as_str() {
            "failed" | "no_recipient" => "red",
            "held" | "queued" | "sending" => "yellow",
            "delivered" => "green",
            _ => "closed",
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Counts {
    held: i64,
    queued: i64,
    sending: i64,
    delivered: i64,
    digested: i64,
    failed: i64,
    discarded: i64,
    no_recipient: i64,
}

impl Counts {
    /// The states with their counts, in the order of [`STATES`].
    fn all(&self) -> [(&'static str, i64); 8] {
        let [held, queued, sending, delivered, digested, failed, discarded, nobody] = STATES;
        [
            (held, self.held),
            (queued, self.queued),
            (sending, self.sending),
            (delivered, self.delivered),
            (digested, self.digested),
            (failed, self.failed),
            (discarded, self.discarded),
            (nobody, self.no_recipient),
        ]
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Found {
    counts: Counts,
    receipts: Vec<Receipt>,
    items: Vec<Delivery>,
    next: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "deliveries/list.html")]
struct Deliveries {
    page: Page,
    forms: Forms,
    found: Found,
    /// Whether it is about one document, rectification or supervision.
    named: bool,
    asked: Asked,
    state: String,
    /// The page itself, for its forms to come back to.
    back: String,
    next: Option<String>,
}

impl Deliveries {
    /// The page that the deliveries are about, and its word.
    fn about(&self) -> Option<(String, &'static str)> {
        [
            ("document_id", "/documents/", "document.title"),
            ("rectification_id", "/rectifications/", "receipt.to_rectification"),
            ("case_id", "/cases/", "receipt.to_case"),
        ]
        .into_iter()
        .find(|(name, ..)| !self.asked.get(name).is_empty())
        .map(|(name, page, word)| (format!("{page}{}", self.asked.get(name)), word))
    }

    /// The other parts of a document's, rectification's or supervision's filter, for the form.
    fn kept(&self) -> Vec<(&'static str, String)> {
        let named = FILTERS.iter().filter(|name| **name != "state");
        named.map(|name| (*name, self.asked.get(name).to_owned())).filter(|(_, value)| !value.is_empty()).collect()
    }
}

/// The deliveries of a document, a rectification or a supervision; without one of them, what was given up in the caller's area.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    render(&ctx, asked, None).await
}

async fn render(ctx: &Ctx, asked: Asked, posted: Option<(Posted, Refusal)>) -> Result<Response, Failure> {
    let named = FILTERS.iter().any(|name| *name != "state" && !asked.get(name).is_empty());
    let state = if named { asked.get("state") } else { "failed" }.to_owned();
    let mut query = asked.pick(&["document_id", "rectification_id", "case_id", "after"]);
    query.push(("state", state.clone()));
    let found: Found = ctx.line().find(Room::Notifications, "/v1/deliveries", query).await?;
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    let template = Deliveries {
        page: ctx.page(if named { "delivery.title" } else { "nav.deliveries" }),
        forms: ctx.forms(posted),
        named,
        state,
        back: asked.same(LIST, &FILTERS),
        next: asked.next(LIST, found.next.as_deref()),
        asked,
        found,
    };
    html(status, &template)
}

/// The page that a form came from.
fn back(posted: &Posted) -> Asked {
    let address: Option<Uri> = posted.get("back").parse().ok();
    let address = address.filter(|address| address.path() == LIST && address.host().is_none());
    address.and_then(|address| Query::<Asked>::try_from_uri(&address).ok()).map_or_else(Asked::default, |asked| asked.0)
}

async fn decide(ctx: Ctx, path: &str, body: Option<Value>, posted: Posted, word: &str) -> Result<Response, Failure> {
    let sending = Sending { body, key: posted.key(), ..Sending::default() };
    let answer = ctx.line().send(Method::POST, Room::Notifications, path, sending).await;
    let asked = back(&posted);
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&asked.same(LIST, &FILTERS), word)),
        Outcome::Again(refusal) => render(&ctx, asked, Some((posted, refusal))).await,
    }
}

/// Sends again what was given up.
pub(crate) async fn redrive(ctx: Ctx, Path(delivery_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    decide(ctx, &format!("/v1/deliveries/{delivery_id}/redrive"), None, posted, "done.redriven").await
}

/// Leaves it at that, with a reason.
pub(crate) async fn discard(ctx: Ctx, Path(delivery_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let body = json!({ "reason": posted.get("reason") });
    decide(ctx, &format!("/v1/deliveries/{delivery_id}/discard"), Some(body), posted, "done.discarded").await
}

/// Sends everything again that was given up, or all of a channel.
pub(crate) async fn redrive_all(ctx: Ctx, posted: Posted) -> Result<Response, Failure> {
    let body = json!({ "channel": posted.some("channel") });
    decide(ctx, "/v1/deliveries/redrive", Some(body), posted, "done.redriven").await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SweepLine {
    zh: String,
    en: String,
    count: i64,
    offenders: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sweep {
    swept_at: String,
    holds: bool,
    open: i64,
    findings: Vec<SweepLine>,
}

#[derive(Debug, Template)]
#[template(path = "deliveries/sweep.html")]
struct SweepPage {
    page: Page,
    /// Absent before the first one.
    sweep: Option<Sweep>,
}

/// The last sweep (送达核对): whether every notice has reached an end or is being tried, and which ones have not.
pub(crate) async fn sweep(ctx: Ctx) -> Result<Response, Failure> {
    let sweep = match ctx.line().get(Room::Notifications, "/v1/sweeps/latest").await {
        Ok(sweep) => Some(sweep),
        Err(Failure::Refused(refusal)) if refusal.status() == StatusCode::NOT_FOUND => None,
        Err(failure) => return Err(failure),
    };
    ok(&SweepPage { page: ctx.page("nav.sweep"), sweep })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_comes_back_to_our_own_list_alone() {
        let came = |address: &str| back(&Posted::of(&[("back", address)])).same(LIST, &FILTERS);
        assert_eq!(came("/deliveries?case_id=x&state=failed"), "/deliveries?case_id=x&state=failed");
        for other in
            ["", "https://evil.example/deliveries?state=failed", "//evil.example/deliveries?state=x", "/cases?state=x"]
        {
            assert_eq!(came(other), "/deliveries", "{other}");
        }
    }
}
