//! Supervision plans (督导计划): list, write, issue.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::units::{self, Found};
use super::{Asked, Document, List, Named};
use crate::api::{Failure, Refusal, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html, ok};
use crate::session::Ctx;

/// Rows that a new plan offers at first.
const ROWS: usize = 3;
/// Most rows of one form.
const MOST_ROWS: usize = 60;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PlanItem {
    number: i32,
    supervision_kind: String,
    matter: String,
    target_units: Vec<Named>,
    window_from: String,
    window_to: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Plan {
    plan_id: String,
    version: i64,
    year: i32,
    title: String,
    state: String,
    agency: Named,
    items: Vec<PlanItem>,
    document: Option<Document>,
    created_at: String,
}

#[derive(Debug, Template)]
#[template(path = "plans/list.html")]
struct Plans {
    page: Page,
    rows: Vec<Plan>,
    year: String,
    next: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "plans/plan.html")]
struct PlanPage {
    page: Page,
    forms: Forms,
    plan: Plan,
}

#[derive(Debug, Template)]
#[template(path = "plans/new.html")]
struct NewPlan {
    page: Page,
    forms: Forms,
    rows: usize,
}

/// The plans.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let found: List<Plan> = ctx.line().find(Room::Tasks, "/v1/plans", asked.pick(&["year", "after"])).await?;
    let next = asked.next("/plans", found.next.as_deref());
    ok(&Plans { page: ctx.page("nav.plans"), rows: found.items, year: asked.get("year").to_owned(), next })
}

/// The form of a new plan.
pub(crate) async fn new(ctx: Ctx) -> Result<Response, Failure> {
    ok(&NewPlan { page: ctx.page("plan.new"), forms: ctx.forms(None), rows: ROWS })
}

fn again(ctx: &Ctx, posted: Posted, rows: usize, refusal: Refusal) -> Result<Response, Failure> {
    let status = refusal.status();
    html(status, &NewPlan { page: ctx.page("plan.new"), forms: ctx.forms(Some((posted, refusal))), rows })
}

/// Writes a plan. The rows of its form that are wholly empty are left out.
pub(crate) async fn create(ctx: Ctx, posted: Posted) -> Result<Response, Failure> {
    let texts = ctx.texts();
    let rows = posted.get("rows").parse().unwrap_or(ROWS).clamp(1, MOST_ROWS);
    if posted.ticked("more") {
        let rows = (rows + ROWS).min(MOST_ROWS);
        let refusal = Refusal { status: 200, ..Refusal::own(texts.t("plan.more_done"), texts.t("plan.more_hint")) };
        return again(&ctx, posted, rows, refusal);
    }
    let mut refusal = Refusal::own(texts.t("form.invalid"), texts.t("form.invalid_advice"));
    let (mut items, mut numbers) = (Vec::new(), Vec::new());
    for n in 0..rows {
        let field = |name: &str| posted.get(&format!("items/{n}/{name}")).to_owned();
        let targets = posted.lines(&format!("items/{n}/target_unit_ids"));
        if field("matter").is_empty() && targets.is_empty() && field("window_from").is_empty() {
            continue;
        }
        let mut target_unit_ids = Vec::new();
        for target in targets {
            let pointer = format!("/items/{n}/target_unit_ids");
            match units::resolve(&ctx, &target).await? {
                Found::One(unit) => target_unit_ids.push(unit.unit_id),
                Found::None => refusal = refusal.field(&pointer, texts.fill("unit.unknown", &[&target])),
                Found::Several(units) => {
                    let names: Vec<&str> = units.iter().take(5).map(|unit| unit.name.as_str()).collect();
                    refusal = refusal.field(&pointer, texts.fill("unit.several", &[&target, &names.join("、")]));
                }
            }
        }
        numbers.push(n);
        items.push(json!({
            "supervision_kind": field("supervision_kind"),
            "matter": field("matter"),
            "target_unit_ids": target_unit_ids,
            "window_from": field("window_from"),
            "window_to": field("window_to"),
        }));
    }
    if !refusal.errors.is_empty() {
        return again(&ctx, posted, rows, refusal);
    }
    let year = posted.get("year").parse::<i16>().map_or_else(|_| json!(posted.get("year")), |year| json!(year));
    let body = json!({ "year": year, "title": posted.get("title"), "items": items });
    let sending = Sending { body: Some(body), key: posted.key(), ..Sending::default() };
    let answer = ctx.line().send(Method::POST, Room::Tasks, "/v1/plans", sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(plan) => {
            let plan_id = plan.get("plan_id").and_then(Value::as_str).unwrap_or_default();
            Ok(done(&format!("/plans/{plan_id}"), "done.plan_created"))
        }
        Outcome::Again(mut refusal) => {
            for fault in &mut refusal.errors {
                fault.pointer = row_of(&fault.pointer, &numbers);
            }
            again(&ctx, posted, rows, refusal)
        }
    }
}

/// The service counts the items that it got; the form has empty rows between them.
fn row_of(pointer: &str, numbers: &[usize]) -> String {
    let mut parts: Vec<&str> = pointer.split('/').collect();
    let row = match parts.get(1..3) {
        Some(["items", n]) => n.parse::<usize>().ok().and_then(|n| numbers.get(n)).map(ToString::to_string),
        Some(_) | None => None,
    };
    match (row, parts.get_mut(2)) {
        (Some(row), Some(part)) => {
            *part = &row;
            parts.join("/")
        }
        (_, _) => pointer.to_owned(),
    }
}

/// One plan.
pub(crate) async fn show(ctx: Ctx, Path(plan_id): Path<Uuid>) -> Result<Response, Failure> {
    render(&ctx, plan_id, None).await
}

async fn render(ctx: &Ctx, plan_id: Uuid, posted: Option<(Posted, Refusal)>) -> Result<Response, Failure> {
    let plan: Plan = ctx.line().get(Room::Tasks, &format!("/v1/plans/{plan_id}")).await?;
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    html(status, &PlanPage { page: ctx.titled(plan.title.clone()), forms: ctx.forms(posted), plan })
}

/// Issues a plan: it gets its number.
pub(crate) async fn issue(ctx: Ctx, Path(plan_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let sending = Sending { key: posted.key(), version: posted.version(), ..Sending::default() };
    let answer = ctx.line().send(Method::POST, Room::Tasks, &format!("/v1/plans/{plan_id}/issue"), sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/plans/{plan_id}"), "done.plan_issued")),
        Outcome::Again(refusal) => render(&ctx, plan_id, Some((posted, refusal))).await,
    }
}

#[cfg(test)]
mod tests {
    use super::row_of;

    #[test]
    fn faults_find_the_row_that_they_came_from() {
        assert_eq!(row_of("/items/1/matter", &[0, 4]), "/items/4/matter");
        assert_eq!(row_of("/items/9/matter", &[0, 4]), "/items/9/matter");
        assert_eq!(row_of("/title", &[0]), "/title");
    }
}
