//! Opening a case: choose the unit, then say what is supervised.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::units::{self, Found, Unit};
use super::super::{Asked, List, counties};
use crate::api::{Failure, Refusal, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html};
use crate::session::Ctx;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Plan {
    plan_id: String,
    title: String,
    state: String,
}

#[derive(Debug, Template)]
#[template(path = "cases/new.html")]
struct NewCase {
    page: Page,
    forms: Forms,
    unit: Option<Unit>,
    words: String,
    county: String,
    counties: Vec<(String, String)>,
    found: Vec<Unit>,
    searched: bool,
    plans: Vec<(String, String)>,
    plan_id: String,
}

/// The page: a search until the unit is chosen, then the form.
pub(crate) async fn new(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let unit = match asked.get("unit_id").parse() {
        Ok(unit_id) => Some(units::one(&ctx, unit_id).await?),
        Err(_) => None,
    };
    render(&ctx, &asked, unit, None).await
}

async fn render(
    ctx: &Ctx,
    asked: &Asked,
    unit: Option<Unit>,
    posted: Option<(Posted, Refusal)>,
) -> Result<Response, Failure> {
    let words = asked.get("q").to_owned();
    let county = asked.get("county").to_owned();
    let found = if unit.is_none() { units::search(ctx, &words, &county, 50).await? } else { Vec::new() };
    let mut plans = vec![(String::new(), ctx.texts().t("case.no_plan").to_owned())];
    // Without the list of plans a case can still be opened.
    if let Ok(list) = ctx.line().get::<List<Plan>>(Room::Tasks, "/v1/plans").await {
        plans.extend(
            list.items.into_iter().filter(|plan| plan.state == "issued").map(|plan| (plan.plan_id, plan.title)),
        );
    }
    let counties = if unit.is_none() { counties(ctx).await } else { Vec::new() };
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    let template = NewCase {
        page: ctx.page("case.new"),
        forms: ctx.forms(posted),
        unit,
        searched: !words.is_empty(),
        words,
        county,
        counties,
        found,
        plans,
        plan_id: asked.get("plan_id").to_owned(),
    };
    html(status, &template)
}

/// Opens the case.
pub(crate) async fn create(ctx: Ctx, posted: Posted) -> Result<Response, Failure> {
    let texts = ctx.texts();
    let unit = match units::resolve(&ctx, posted.get("unit_id")).await? {
        Found::One(unit) => unit,
        Found::None | Found::Several(_) => {
            let refusal = Refusal::own(texts.t("form.invalid"), texts.t("case.choose_unit"));
            return render(&ctx, &Asked::default(), None, Some((posted, refusal))).await;
        }
    };
    let body = json!({
        "plan_id": posted.some("plan_id"),
        "supervision_kind": posted.get("supervision_kind"),
        "title": posted.get("title"),
        "unit_id": unit.unit_id,
        "matters": posted.lines("matters"),
        "visit_on": posted.get("visit_on"),
        "self_evaluation_due_on": posted.some("self_evaluation_due_on"),
    });
    let sending = Sending { body: Some(body), key: posted.key(), ..Sending::default() };
    let answer = ctx.line().send(Method::POST, Room::Tasks, "/v1/cases", sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(case) => {
            let case_id = case.get("case_id").and_then(Value::as_str).unwrap_or_default();
            Ok(done(&format!("/cases/{case_id}"), "done.case_created"))
        }
        Outcome::Again(refusal) => render(&ctx, &Asked::default(), Some(unit), Some((posted, refusal))).await,
    }
}
