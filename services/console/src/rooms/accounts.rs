//! Accounts (账号): find one, give it an activation code, switch it off and on.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::sign_on::SignOn;
use super::{Asked, List};
use crate::api::{Failure, Refusal, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html, ok};
use crate::session::Ctx;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Grant {
    role: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the names are those of the interface")]
struct Account {
    account_id: String,
    version: i64,
    login: String,
    display_name: String,
    active: bool,
    activated: bool,
    identity_bound: bool,
    built_in: bool,
    grants: Vec<Grant>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Code {
    login: String,
    code: String,
    expires_at: String,
}

#[derive(Debug, Template)]
#[template(path = "accounts/list.html")]
struct Accounts {
    page: Page,
    forms: Forms,
    rows: Vec<Account>,
    /// Whether this installation has a sign-on.
    sign_on: bool,
    words: String,
    next: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "accounts/code.html")]
struct CodePage {
    page: Page,
    code: Code,
}

/// The accounts of the caller's area.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    render(&ctx, &asked, None).await
}

async fn render(ctx: &Ctx, asked: &Asked, posted: Option<(Posted, Refusal)>) -> Result<Response, Failure> {
    let found: List<Account> =
        ctx.line().find(Room::Registry, "/v1/accounts", asked.pick(&["q", "area", "role", "after"])).await?;
    let next = asked.next("/accounts", found.next.as_deref());
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    let words = asked.get("q").to_owned();
    let sign_on = SignOn::of(&ctx.app, ctx.lang).await.door.is_some();
    let page = ctx.page("nav.accounts");
    html(status, &Accounts { page, forms: ctx.forms(posted), rows: found.items, sign_on, words, next })
}

/// A new activation code, shown once.
pub(crate) async fn activation(ctx: Ctx, Path(account_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let path = format!("/v1/accounts/{account_id}/activation");
    let answer = ctx.line().send(Method::POST, Room::Registry, &path, Sending::default()).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(code) => {
            let code: Code = serde_json::from_value(code).map_err(|_| Failure::Broken(Room::Registry))?;
            ok(&CodePage { page: ctx.page("account.code"), code })
        }
        Outcome::Again(refusal) => render(&ctx, &Asked::default(), Some((posted, refusal))).await,
    }
}

/// Switches an account off.
pub(crate) async fn deactivation(ctx: Ctx, path: Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    switch(&ctx, path.0, "deactivation", posted, "done.deactivated").await
}

/// Switches an account on again.
pub(crate) async fn reactivation(ctx: Ctx, path: Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    switch(&ctx, path.0, "reactivation", posted, "done.reactivated").await
}

/// Binds an identity of the sign-on.
pub(crate) async fn bind(ctx: Ctx, path: Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let body = json!({ "subject": posted.get("subject") });
    change(&ctx, path.0, "identity", Some(body), posted, "done.identity_bound").await
}

/// Ends that.
pub(crate) async fn unbind(ctx: Ctx, path: Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    change(&ctx, path.0, "identity/removal", None, posted, "done.identity_unbound").await
}

async fn switch(ctx: &Ctx, account_id: Uuid, verb: &str, posted: Posted, word: &str) -> Result<Response, Failure> {
    change(ctx, account_id, verb, None, posted, word).await
}

async fn change(
    ctx: &Ctx,
    account_id: Uuid,
    verb: &str,
    body: Option<Value>,
    posted: Posted,
    word: &str,
) -> Result<Response, Failure> {
    let sending = Sending { body, key: posted.key(), version: posted.version(), ..Sending::default() };
    let answer =
        ctx.line().send(Method::POST, Room::Registry, &format!("/v1/accounts/{account_id}/{verb}"), sending).await;
    match outcome(ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done("/accounts", word)),
        Outcome::Again(refusal) => render(ctx, &Asked::default(), Some((posted, refusal))).await,
    }
}
