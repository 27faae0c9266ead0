//! Changes of calendars and rules (日历和规则变更): proposed, tried out on every open case, approved by another person, in
//! effect by date, rolled back.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::lines::{TextLine, difference, faulty};
use super::{Asked, List};
use crate::api::{Failure, Refusal, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html, ok};
use crate::session::Ctx;

/// What a change changes.
const KINDS: [&str; 2] = ["calendar", "rulebook"];
/// What a change does to an item.
const EFFECTS: [&str; 5] = ["later", "freed", "kept", "final", "provisional"];

/// A change in the list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    change_id: String,
    version: i64,
    kind: String,
    subject: String,
    reason: String,
    state: String,
    effective_on: String,
    proposed_at: String,
    proposed_by: String,
    approved_at: Option<String>,
    approved_by: Option<String>,
    withdrawn_at: Option<String>,
    took_effect_at: Option<String>,
    finished_at: Option<String>,
    restores: Option<String>,
}

impl Row {
    fn light(&self) -> &'static str {
        match self.state.as_str() {
            "proposed" => "yellow",
            "in_effect" => "green",
            _ => "closed",
        }
    }
}

/// Items by effect.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Effects {
    later: u64,
    freed: u64,
    kept: u64,
    #[serde(rename = "final")]
    certain: u64,
    provisional: u64,
}

impl Effects {
    /// With their counts, in the order of [`EFFECTS`].
    fn all(&self) -> [(&'static str, u64); 5] {
        let [later, freed, kept, certain, provisional] = EFFECTS;
        [
            (later, self.later),
            (freed, self.freed),
            (kept, self.kept),
            (certain, self.certain),
            (provisional, self.provisional),
        ]
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Uncounted {
    rectification_id: String,
    cause: String,
}

/// The load of one day, before and after the change.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Day {
    on: String,
    due_before: i64,
    due_after: i64,
    peak_before: i64,
    peak_after: i64,
}

/// What the change would do, were it in effect.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DryRun {
    at: Option<String>,
    cases: u64,
    touched: u64,
    paused: u64,
    items: Effects,
    late_if_told_days_fell: u64,
    orders_tonight_before: u64,
    orders_tonight_after: u64,
    failed: u64,
    failed_already: u64,
    failures: Vec<Uncounted>,
    curve: Vec<Day>,
}

/// Two bars of the curve, in the units of the picture.
#[derive(Debug)]
struct Bars {
    x: usize,
    before: i64,
    after: i64,
}

/// Height of the picture and the room of one day in it.
const HEIGHT: i64 = 120;
const DAY: usize = 16;

impl DryRun {
    fn most(&self) -> i64 {
        self.curve.iter().map(|day| day.due_before.max(day.due_after)).max().unwrap_or_default()
    }

    fn bars(&self) -> Vec<Bars> {
        let most = self.most().max(1);
        let of = |count: i64| count.saturating_mul(HEIGHT) / most;
        let bars = self.curve.iter().enumerate();
        bars.map(|(n, day)| Bars { x: n * DAY, before: of(day.due_before), after: of(day.due_after) }).collect()
    }

    fn width(&self) -> usize {
        self.curve.len() * DAY
    }

    /// The days whose load the change moves.
    fn moved(&self) -> Vec<&Day> {
        let moved = |day: &&Day| (day.due_before, day.peak_before) != (day.due_after, day.peak_after);
        self.curve.iter().filter(moved).collect()
    }
}

/// What the change did.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Effected {
    touched: u64,
    items: Effects,
    set_aside: u64,
}

/// A change with its texts and what it does.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Change {
    #[serde(flatten)]
    row: Row,
    content: String,
    former: Option<String>,
    live_cases: bool,
    rules_version: Option<i64>,
    dry_run: Option<DryRun>,
    outcome: Option<Effected>,
    fault: Option<String>,
}

/// What a change does to one item.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ItemDiff {
    number: i32,
    was_due_on: String,
    counted_on: String,
    due_on: String,
    effect: String,
    late_if_told_day_fell: bool,
}

/// What a change does to one case.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CaseDiff {
    rectification_id: String,
    unit_name: String,
    letter_no: String,
    items: Vec<ItemDiff>,
    order_tonight: bool,
}

#[derive(Debug, Template)]
#[template(path = "rule_changes/list.html")]
struct RuleChanges {
    page: Page,
    rows: Vec<Row>,
    next: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "rule_changes/new.html")]
struct NewRuleChange {
    page: Page,
    forms: Forms,
    /// What the form begins with.
    kind: String,
    content: String,
    /// Lines of the posted text that have faults.
    lines: Vec<TextLine>,
}

#[derive(Debug, Template)]
#[template(path = "rule_changes/change.html")]
struct RuleChangePage {
    page: Page,
    forms: Forms,
    change: Change,
    /// The text against the one whose place it takes.
    lines: Vec<TextLine>,
    cases: Vec<CaseDiff>,
    effect: String,
    next: Option<String>,
}

/// The changes, the newest first.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let found: List<Row> = ctx.line().find(Room::Deadlines, "/v1/rule-changes", asked.pick(&["after"])).await?;
    let next = asked.next("/rule-changes", found.next.as_deref());
    ok(&RuleChanges { page: ctx.page("nav.rule_changes"), rows: found.items, next })
}

/// The form for a proposal; it may begin with the text of an earlier change.
pub(crate) async fn new(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let begin = match asked.get("from").parse::<Uuid>() {
        Ok(change_id) => find(&ctx, change_id).await?,
        Err(_) => Change::default(),
    };
    ok(&NewRuleChange {
        page: ctx.page("rule_change.new"),
        forms: ctx.forms(None),
        kind: begin.row.kind,
        content: begin.content,
        lines: Vec::new(),
    })
}

/// Proposes a change.
pub(crate) async fn propose(ctx: Ctx, posted: Posted) -> Result<Response, Failure> {
    let body = json!({
        "kind": posted.get("kind"), "content": posted.get("content"), "reason": posted.get("reason"),
        "effective_on": posted.get("effective_on"), "live_cases": posted.ticked("live_cases"),
    });
    let sending = Sending { body: Some(body), key: posted.key(), ..Sending::default() };
    let answer = ctx.line().send(Method::POST, Room::Deadlines, "/v1/rule-changes", sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(answer) => Ok(done(&address(&answer), "done.rule_change_proposed")),
        Outcome::Again(refusal) => {
            let template = NewRuleChange {
                page: ctx.page("rule_change.new"),
                lines: faulty(posted.get("content"), &refusal),
                kind: String::new(),
                content: String::new(),
                forms: ctx.forms(Some((posted, refusal.clone()))),
            };
            html(refusal.status(), &template)
        }
    }
}

/// The page of the change of an answer.
fn address(answer: &Value) -> String {
    let change_id = answer.get("change_id").and_then(Value::as_str).unwrap_or_default();
    format!("/rule-changes/{change_id}")
}

async fn find(ctx: &Ctx, change_id: Uuid) -> Result<Change, Failure> {
    ctx.line().get(Room::Deadlines, &format!("/v1/rule-changes/{change_id}")).await
}

/// A change with its dry run, its outcome and the cases that it touches.
pub(crate) async fn show(
    ctx: Ctx,
    Path(change_id): Path<Uuid>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    render(&ctx, change_id, &asked, None).await
}

async fn render(
    ctx: &Ctx,
    change_id: Uuid,
    asked: &Asked,
    posted: Option<(Posted, Refusal)>,
) -> Result<Response, Failure> {
    let change = find(ctx, change_id).await?;
    let mut query = asked.pick(&["effect", "after"]);
    query.push(("run", if change.outcome.is_some() { "real" } else { "dry" }.to_owned()));
    let path = format!("/v1/rule-changes/{change_id}/cases");
    let cases: List<CaseDiff> = ctx.line().find(Room::Deadlines, &path, query).await?;
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    let template = RuleChangePage {
        page: ctx.titled(format!("{} {}", ctx.texts().word("rule_change_kind", &change.row.kind), change.row.subject)),
        forms: ctx.forms(posted),
        lines: difference(change.former.as_deref().unwrap_or_default(), &change.content),
        effect: asked.get("effect").to_owned(),
        next: asked.next(&format!("/rule-changes/{change_id}"), cases.next.as_deref()),
        cases: cases.items,
        change,
    };
    html(status, &template)
}

async fn act(
    ctx: &Ctx,
    change_id: Uuid,
    verb: &str,
    body: Option<Value>,
    posted: Posted,
    word: &str,
) -> Result<Response, Failure> {
    let sending = Sending { body, key: posted.key(), version: posted.version(), ..Sending::default() };
    let path = format!("/v1/rule-changes/{change_id}/{verb}");
    let answer = ctx.line().send(Method::POST, Room::Deadlines, &path, sending).await;
    match outcome(ctx, &posted, answer)? {
        Outcome::Done(answer) => Ok(done(&address(&answer), word)),
        Outcome::Again(refusal) => render(ctx, change_id, &Asked::default(), Some((posted, refusal))).await,
    }
}

/// Another person approves.
pub(crate) async fn approve(ctx: Ctx, Path(change_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    act(&ctx, change_id, "approval", None, posted, "done.rule_change_approved").await
}

/// Takes a proposal back.
pub(crate) async fn withdraw(ctx: Ctx, Path(change_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    act(&ctx, change_id, "withdrawal", None, posted, "done.rule_change_withdrawn").await
}

/// Proposes the text that a change in effect has replaced.
pub(crate) async fn roll_back(ctx: Ctx, Path(change_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let body = json!({ "reason": posted.get("reason"), "effective_on": posted.get("effective_on") });
    act(&ctx, change_id, "roll-back", Some(body), posted, "done.rule_change_proposed").await
}
