//! Documents that wait for a signature of receipt (待签收文书).

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::documents::{self, Paper, Part};
use super::{Asked, List};
use crate::api::{Failure, Refusal, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html, instant_of_local, ok};
use crate::session::Ctx;

/// A document to sign for, or signed for.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Receipt {
    pub(crate) document_id: String,
    pub(crate) document_kind: String,
    pub(crate) document_kind_zh: String,
    pub(crate) doc_no: String,
    pub(crate) title: String,
    pub(crate) unit_name: String,
    pub(crate) issuing_unit_name: String,
    pub(crate) case_id: String,
    pub(crate) rectification_id: Option<String>,
    pub(crate) issued_at: String,
    pub(crate) due_on: String,
    pub(crate) overdue: bool,
    pub(crate) state: String,
    pub(crate) signed_at: Option<String>,
    pub(crate) signer_name: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) recorded_at: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) chases: i32,
    pub(crate) next_chase_at: Option<String>,
}

/// What an office is told of a document on its way.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OfArea {
    receipts: Vec<Receipt>,
}

#[derive(Debug, Template)]
#[template(path = "receipts/list.html")]
struct Receipts {
    page: Page,
    rows: Vec<Receipt>,
    signed: bool,
    next: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "receipts/receipt.html")]
struct ReceiptPage {
    page: Page,
    forms: Forms,
    receipt: Receipt,
    /// Whether it is the caller's own to sign, and not one of the office's area.
    own: bool,
    paper: Option<Paper>,
}

/// The documents to sign for, or those that were.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let signed = asked.get("state") == "signed";
    let query =
        vec![("state", if signed { "signed" } else { "open" }.to_owned()), ("after", asked.get("after").to_owned())];
    let found: List<Receipt> = ctx.line().find(Room::Notifications, "/v1/receipts", query).await?;
    let next = asked.next("/receipts", found.next.as_deref());
    ok(&Receipts { page: ctx.page("nav.receipts"), rows: found.items, signed, next })
}

/// The receipt of a document among the caller's, and whether it is; for an office, among those of its area.
async fn find(ctx: &Ctx, document_id: Uuid) -> Result<(Receipt, bool), Failure> {
    let id = document_id.to_string();
    for state in ["open", "signed"] {
        let mut after = String::new();
        loop {
            let query = vec![("state", state.to_owned()), ("limit", "200".to_owned()), ("after", after)];
            let found: List<Receipt> = ctx.line().find(Room::Notifications, "/v1/receipts", query).await?;
            if let Some(receipt) = found.items.into_iter().find(|receipt| receipt.document_id == id) {
                return Ok((receipt, true));
            }
            match found.next {
                Some(next) => after = next,
                None => break,
            }
        }
    }
    if !ctx.may(access::Action::NotificationsDeliveryRead) {
        return Err(Failure::NotFound);
    }
    let query = vec![("document_id", id.clone()), ("limit", "1".to_owned())];
    let found: OfArea = ctx.line().find(Room::Notifications, "/v1/deliveries", query).await?;
    let receipt = found.receipts.into_iter().find(|receipt| receipt.document_id == id);
    receipt.map(|receipt| (receipt, false)).ok_or(Failure::NotFound)
}

/// A document with the button that signs for it.
pub(crate) async fn show(ctx: Ctx, Path(document_id): Path<Uuid>) -> Result<Response, Failure> {
    render(&ctx, document_id, None).await
}

async fn render(ctx: &Ctx, document_id: Uuid, posted: Option<(Posted, Refusal)>) -> Result<Response, Failure> {
    let (receipt, own) = find(ctx, document_id).await?;
    // The receipt can be signed also while the service that keeps the text is away: the notice says so.
    let paper = match documents::paper(ctx, &receipt.document_kind, document_id).await {
        Ok(paper) => Some(paper),
        Err(Failure::SignedOut) => return Err(Failure::SignedOut),
        Err(_) => None,
    };
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    let page = ctx.titled(receipt.title.clone());
    html(status, &ReceiptPage { page, forms: ctx.forms(posted), receipt, own, paper })
}

/// Signs for a document (签收).
pub(crate) async fn sign(ctx: Ctx, Path(document_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let sending = Sending { key: posted.key(), ..Sending::default() };
    let path = format!("/v1/receipts/{document_id}/sign");
    let answer = ctx.line().send(Method::POST, Room::Notifications, &path, sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/receipts/{document_id}"), "done.signed")),
        Outcome::Again(refusal) => render(&ctx, document_id, Some((posted, refusal))).await,
    }
}

/// Records that the unit signed on paper (纸质签收).
pub(crate) async fn record_paper(ctx: Ctx, Path(document_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let Some(received_at) = instant_of_local(posted.get("received_at")) else {
        let texts = ctx.texts();
        let refusal = Refusal::own(texts.t("form.invalid"), texts.t("form.invalid_advice"))
            .field("/received_at", texts.t("form.no_moment").to_owned());
        return render(&ctx, document_id, Some((posted, refusal))).await;
    };
    let body = json!({
        "received_at": received_at, "signer_name": posted.get("signer_name"), "note": posted.get("note"),
    });
    let sending = Sending { body: Some(body), key: posted.key(), ..Sending::default() };
    let path = format!("/v1/receipts/{document_id}/paper");
    let answer = ctx.line().send(Method::POST, Room::Notifications, &path, sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/receipts/{document_id}"), "done.paper_recorded")),
        Outcome::Again(refusal) => render(&ctx, document_id, Some((posted, refusal))).await,
    }
}
