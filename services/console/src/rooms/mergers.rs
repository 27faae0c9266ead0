//! Mergers of county units (市县并入): announced by the province, withdrawn before their day, carried out by themselves.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Asked, List, counties};
use crate::api::{Failure, Refusal, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html};
use crate::session::Ctx;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Merger {
    merger_id: String,
    version: i64,
    area_name: String,
    into_name: String,
    effective_on: String,
    ground: String,
    state: String,
    announced_by: String,
}

impl Merger {
    fn light(&self) -> &'static str {
        match self.state.as_str() {
            "announced" => "yellow",
            "carried_out" => "green",
            _ => "closed",
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "mergers.html")]
struct Mergers {
    page: Page,
    forms: Forms,
    rows: Vec<Merger>,
    /// Divisions to choose from, code and name.
    counties: Vec<(String, String)>,
    next: Option<String>,
}

/// The mergers, the latest day first, and the form for another one.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    render(&ctx, &asked, None).await
}

async fn render(ctx: &Ctx, asked: &Asked, posted: Option<(Posted, Refusal)>) -> Result<Response, Failure> {
    let found: List<Merger> = ctx.line().find(Room::Registry, "/v1/area-mergers", asked.pick(&["after"])).await?;
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    // Nobody shall end a county by a choice that was not made.
    let mut choice = vec![(String::new(), ctx.texts().t("merger.choose").to_owned())];
    choice.extend(counties(ctx).await);
    let template = Mergers {
        page: ctx.page("nav.mergers"),
        forms: ctx.forms(posted),
        rows: found.items,
        counties: choice,
        next: asked.next("/area-mergers", found.next.as_deref()),
    };
    html(status, &template)
}

/// Announces one.
pub(crate) async fn announce(ctx: Ctx, posted: Posted) -> Result<Response, Failure> {
    let body = json!({
        "area_code": posted.get("area_code"), "into_code": posted.get("into_code"),
        "effective_on": posted.get("effective_on"), "ground": posted.get("ground"),
    });
    act(&ctx, "/v1/area-mergers", Some(body), posted, "done.merger_announced").await
}

/// Takes one back before its day.
pub(crate) async fn withdraw(ctx: Ctx, Path(merger_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    act(&ctx, &format!("/v1/area-mergers/{merger_id}/withdrawal"), None, posted, "done.merger_withdrawn").await
}

async fn act(ctx: &Ctx, path: &str, body: Option<Value>, posted: Posted, word: &str) -> Result<Response, Failure> {
    let sending = Sending { body, key: posted.key(), version: posted.version(), ..Sending::default() };
    let answer = ctx.line().send(Method::POST, Room::Registry, path, sending).await;
    match outcome(ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done("/area-mergers", word)),
        Outcome::Again(refusal) => render(ctx, &Asked::default(), Some((posted, refusal))).await,
    }
}
