//! Messages (消息).

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::Method;
use serde::Deserialize;
use uuid::Uuid;

use super::Asked;
use crate::api::{Failure, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, ok};
use crate::session::Ctx;

/// A message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Message {
    pub(crate) message_id: String,
    pub(crate) template: String,
    pub(crate) title: String,
    pub(crate) capacity: String,
    pub(crate) legal: bool,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) document_id: Option<String>,
    pub(crate) doc_no: Option<String>,
    pub(crate) case_id: Option<String>,
    pub(crate) rectification_id: Option<String>,
    pub(crate) unit_name: String,
    pub(crate) created_at: String,
    pub(crate) read_at: Option<String>,
}

impl Message {
    /// Where the matter is, on this console.
    pub(crate) fn place(&self) -> Option<String> {
        match (&self.rectification_id, &self.case_id) {
            (Some(id), _) => Some(format!("/rectifications/{id}")),
            (None, Some(id)) => Some(format!("/cases/{id}")),
            (None, None) => None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Found {
    items: Vec<Message>,
    next: Option<String>,
    unread: i64,
}

#[derive(Debug, Template)]
#[template(path = "inbox.html")]
struct Inbox {
    page: Page,
    forms: Forms,
    found: Found,
    unread_only: bool,
    next: Option<String>,
}

/// The caller's messages, newest first.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let found: Found = ctx.line().find(Room::Notifications, "/v1/inbox", asked.pick(&["unread", "after"])).await?;
    let next = asked.next("/inbox", found.next.as_deref());
    let unread_only = asked.get("unread") == "true";
    ok(&Inbox { page: ctx.page("nav.inbox"), forms: ctx.forms(None), found, unread_only, next })
}

/// Marks a message as read.
pub(crate) async fn read(ctx: Ctx, Path(message_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let sending = Sending { key: posted.key(), ..Sending::default() };
    let answer =
        ctx.line().send(Method::POST, Room::Notifications, &format!("/v1/inbox/{message_id}/read"), sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done("/inbox", "done.read")),
        Outcome::Again(refusal) => Err(Failure::refused(refusal)),
    }
}
