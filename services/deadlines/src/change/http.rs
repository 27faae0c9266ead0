//! Changes of calendars and rules over HTTP.

use access::{Permit, Resource};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use clockwork::changes::ChangeKind;
use domain::ids::{RectificationId, RuleChangeId};
use domain::local_time::{local_date, start_of_day};
use garde::Validate;
use http::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use postgres::Tx;
use problem::{Json, Path, Problem, ProblemKind, Query, Text, ValidJson};
use serde::{Deserialize, Serialize};
use service_kit::etag::{IfMatch, Versioned};
use service_kit::idempotency::{Begun, Idempotent};
use service_kit::page::{Page, PageQuery};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::dry_run::{CaseDiff, DryRun};
use super::store::{self, ChangeState, NewChange, Outcome, RuleChange};
use super::text;
use crate::app::AppState;

/// What a change changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A layer of the calendar: a year's notice, a province's or a county's days.
    Calendar,
    /// A version of the rulebook.
    Rulebook,
}

impl From<Kind> for ChangeKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Calendar => Self::Calendar,
            Kind::Rulebook => Self::Rulebook,
        }
    }
}

impl From<ChangeKind> for Kind {
    fn from(kind: ChangeKind) -> Self {
        match kind {
            ChangeKind::Calendar => Self::Calendar,
            ChangeKind::Rulebook => Self::Rulebook,
        }
    }
}

/// A proposal.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRuleChange {
    /// What it changes.
    #[garde(skip)]
    kind: Kind,
    /// The TOML text of the layer or of the rulebook, as in the folder of rules.
    #[garde(length(bytes, min = 1, max = 200_000))]
    content: String,
    /// Why, with the document that orders it.
    #[garde(length(chars, min = 1, max = 2_000))]
    reason: String,
    /// The day on which it takes effect, at its beginning; today at the earliest.
    #[garde(skip)]
    #[schema(value_type = String, format = Date)]
    effective_on: Date,
    /// For a rulebook: whether open cases go over to it; yes when absent. A calendar counts for all.
    #[garde(skip)]
    live_cases: Option<bool>,
}

/// A roll-back.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRollBack {
    /// Why.
    #[garde(length(chars, min = 1, max = 2_000))]
    reason: String,
    /// The day on which the former text takes effect again; today at the earliest.
    #[garde(skip)]
    #[schema(value_type = String, format = Date)]
    effective_on: Date,
}

/// A change in the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleChangeRow {
    change_id: RuleChangeId,
    version: i64,
    kind: Kind,
    /// The name of the layer, or the version of the rulebook.
    subject: String,
    reason: String,
    /// `proposed`, `approved`, `in_effect` or `withdrawn`.
    state: String,
    #[schema(value_type = String, format = Date)]
    effective_on: Date,
    #[schema(value_type = String, format = DateTime)]
    proposed_at: Timestamp,
    proposed_by: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    approved_at: Option<Timestamp>,
    approved_by: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    withdrawn_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    took_effect_at: Option<Timestamp>,
    /// When the last open case was counted by it.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    /// The change whose former text it restores.
    restores: Option<RuleChangeId>,
}

/// A change with its texts and what it does.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleChangeView {
    #[serde(flatten)]
    row: RuleChangeRow,
    /// The text.
    content: String,
    /// The text that it takes the place of; before it takes effect, as of now.
    former: Option<String>,
    /// Whether open cases go over to a new rulebook.
    live_cases: bool,
    /// The version of the rules that began with it.
    rules_version: Option<i64>,
    /// What it would do, were it in effect; absent until the worker has tried it out.
    dry_run: Option<DryRun>,
    /// What it did.
    outcome: Option<Outcome>,
    /// Why it cannot be used.
    fault: Option<String>,
}

/// Which of what a change does to cases.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CasesQuery {
    /// As tried out or as it happened; as tried out when absent.
    run: Option<Run>,
    /// Only cases with an item of this effect.
    effect: Option<Effect>,
    /// Rows of the page, 1 to 200; 50 when absent.
    limit: Option<u16>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// Tried out, or done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Run {
    /// As tried out.
    Dry,
    /// As it happened.
    Real,
}

/// An effect on an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effect {
    /// The last day moves later.
    Later,
    /// Late, and no longer.
    Freed,
    /// Counted earlier; the told day stays.
    Kept,
    /// No longer provisional.
    Final,
    /// Provisional now.
    Provisional,
}

impl Effect {
    fn key(self) -> &'static str {
        use domain::rectification::RecountEffect;
        super::effect_key(match self {
            Self::Later => RecountEffect::Later,
            Self::Freed => RecountEffect::Freed,
            Self::Kept => RecountEffect::Kept,
            Self::Final => RecountEffect::Final,
            Self::Provisional => RecountEffect::Provisional,
        })
    }
}

fn row(change: &RuleChange) -> RuleChangeRow {
    RuleChangeRow {
        change_id: change.change_id,
        version: change.version,
        kind: change.kind.into(),
        subject: change.subject.clone(),
        reason: change.reason.clone(),
        state: change.state.key().to_owned(),
        effective_on: change.effective_on,
        proposed_at: change.proposed_at,
        proposed_by: change.proposer_name.clone(),
        approved_at: change.approved_at,
        approved_by: change.approver_name.clone(),
        withdrawn_at: change.withdrawn_at,
        took_effect_at: change.took_effect_at,
        finished_at: change.finished_at,
        restores: change.restores,
    }
}

fn view(state: &AppState, change: RuleChange) -> RuleChangeView {
    let former = match change.sequence {
        Some(_) => change.former.clone(),
        None => state.rules.current().with(change.kind, &change.content).ok().and_then(|(_, former)| former),
    };
    RuleChangeView {
        row: row(&change),
        former,
        live_cases: change.live_cases,
        rules_version: change.sequence,
        dry_run: change.dry_run.filter(|_| change.fault.is_none()),
        outcome: change.outcome,
        fault: change.fault,
        content: change.content,
    }
}

fn unknown() -> Problem {
    Problem::unknown_resource(Text::new(
        "没有这项变更，或您无权查看。",
        "There is no such change, or you may not see it.",
    ))
}

/// Changes of the rules are the province's matter.
async fn check_permit(connection: &mut PgConnection, permit: &Permit) -> Result<(), Problem> {
    permit.on(&Resource::in_area(store::province(connection).await?))
}

fn wrong_state(change: &RuleChange, zh: &'static str, en: &'static str) -> Problem {
    Problem::state_refuses(Text::new(zh, en), change.state.key())
}

/// 提出日历或规则变更
#[utoipa::path(post, path = "/v1/rule-changes", tag = "日历和规则变更", request_body = NewRuleChange,
    responses((status = 201, body = RuleChangeView)))]
pub(crate) async fn propose(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    ValidJson(body): ValidJson<NewRuleChange>,
) -> Result<Response, Problem> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    check_permit(&mut work, &permit).await?;
    let wish = Wish {
        change_id: idempotent.derived_id().into(),
        kind: body.kind.into(),
        content: body.content,
        reason: body.reason,
        effective_on: body.effective_on,
        live_cases: body.live_cases.unwrap_or(true),
        restores: None,
    };
    let change = put_forward(&state, &mut work, &permit, wish).await?;
    work.commit((StatusCode::CREATED, Versioned(change.version, Json(view(&state, change))))).await
}

struct Wish {
    change_id: RuleChangeId,
    kind: ChangeKind,
    content: String,
    reason: String,
    effective_on: Date,
    live_cases: bool,
    restores: Option<RuleChangeId>,
}

async fn put_forward(state: &AppState, tx: &mut Tx, permit: &Permit, wish: Wish) -> Result<RuleChange, Problem> {
    let at = tx.at();
    let today = local_date(at);
    let effective_at = start_of_day(wish.effective_on).filter(|_| wish.effective_on >= today).ok_or_else(|| {
        Problem::invalid_field(
            "/effective_on",
            Text::new("生效日期最早为今日。", "The date of effect is today at the earliest."),
        )
    })?;
    let ruling = state.rules.in_force(tx).await?;
    let subject = text::check(wish.kind, &wish.content, wish.effective_on, ruling.province())?;
    if wish.kind == ChangeKind::Rulebook && ruling.rulebook(&subject.name).is_some() {
        let fault = format!("version {} is there already; a changed rulebook is a new version", subject.name);
        return Err(text::refused([(None, fault)]));
    }
    ruling.with(wish.kind, &wish.content).map_err(|error| text::unfit(&error))?;
    let caller = permit.caller();
    let change = NewChange {
        change_id: wish.change_id,
        kind: wish.kind,
        subject: &subject.name,
        reason: &wish.reason,
        content: &wish.content,
        live_cases: wish.live_cases,
        effective_on: wish.effective_on,
        effective_at,
        restores: wish.restores,
        by: caller.account_id,
        name: &caller.display_name,
    };
    store::propose(tx, &change, at).await?;
    store::find(tx, wish.change_id).await?.ok_or_else(unknown)
}

/// 日历和规则变更列表
#[utoipa::path(get, path = "/v1/rule-changes", tag = "日历和规则变更", params(PageQuery),
    responses((status = 200, body = Page<RuleChangeRow>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<RuleChangeRow>>, Problem> {
    let page = query.request::<(Timestamp, Uuid)>()?;
    let mut connection = state.database.pool().acquire().await?;
    check_permit(&mut connection, &permit).await?;
    let changes = store::list(&mut connection, page.after, page.fetch()).await?;
    let rows = changes.iter().map(row).collect();
    Ok(Json(Page::new(rows, &page, |row: &RuleChangeRow| (row.proposed_at, Uuid::from(row.change_id)))))
}

/// 日历和规则变更详情
#[utoipa::path(get, path = "/v1/rule-changes/{change_id}", tag = "日历和规则变更",
    params(("change_id" = RuleChangeId, Path)), responses((status = 200, body = RuleChangeView)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    permit: Permit,
    Path(change_id): Path<RuleChangeId>,
) -> Result<Response, Problem> {
    // A transaction, so that the text it takes the place of is the one in force.
    let mut tx = state.database.begin().await?;
    check_permit(&mut tx, &permit).await.map_err(|_| unknown())?;
    state.rules.in_force(&mut tx).await?;
    let change = store::find(&mut tx, change_id).await?.ok_or_else(unknown)?;
    Ok(Versioned(change.version, Json(view(&state, change))).into_response())
}

/// 变更对各项整改的影响
#[utoipa::path(get, path = "/v1/rule-changes/{change_id}/cases", tag = "日历和规则变更",
    params(("change_id" = RuleChangeId, Path), CasesQuery), responses((status = 200, body = Page<CaseDiff>)))]
pub(crate) async fn cases(
    State(state): State<AppState>,
    permit: Permit,
    Path(change_id): Path<RuleChangeId>,
    Query(query): Query<CasesQuery>,
) -> Result<Json<Page<CaseDiff>>, Problem> {
    let page = PageQuery { limit: query.limit, after: query.after }.request::<RectificationId>()?;
    let mut connection = state.database.pool().acquire().await?;
    check_permit(&mut connection, &permit).await.map_err(|_| unknown())?;
    store::find(&mut connection, change_id).await?.ok_or_else(unknown)?;
    let run = match query.run {
        Some(Run::Real) => "real",
        Some(Run::Dry) | None => "dry",
    };
    let after = page.after.map(Uuid::from);
    let rows =
        store::cases(&mut connection, change_id, run, query.effect.map(Effect::key), after, page.fetch()).await?;
    Ok(Json(Page::new(rows, &page, |diff: &CaseDiff| diff.rectification_id)))
}

/// 批准变更
#[utoipa::path(post, path = "/v1/rule-changes/{change_id}/approval", tag = "日历和规则变更",
    params(("change_id" = RuleChangeId, Path)), responses((status = 200, body = RuleChangeView)))]
pub(crate) async fn approve(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    idempotent: Idempotent,
    Path(change_id): Path<RuleChangeId>,
) -> Result<Response, Problem> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    check_permit(&mut work, &permit).await?;
    let ruling = state.rules.in_force(&mut work).await?;
    let change = store::lock(&mut work, change_id).await?.ok_or_else(unknown)?;
    if change.state != ChangeState::Proposed {
        return Err(wrong_state(&change, "只有待批准的变更可以批准。", "Only a proposed change can be approved."));
    }
    let caller = permit.caller();
    if change.proposed_by == caller.account_id {
        return Err(Problem::new(
            ProblemKind::SeparationOfDuties,
            Text::new("变更须由提出人以外的人批准。", "A change is approved by another person than who proposed it."),
        ));
    }
    if let Some(fault) = &change.fault {
        return Err(text::refused([(None, fault.clone())]));
    }
    match (&change.dry_run, change.dry_run_rules) {
        (Some(dry_run), Some(rules)) if rules == ruling.version() => {
            if dry_run.failed > 0 {
                return Err(wrong_state(
                    &change,
                    "试算中有整改无法按新规则计算，不能批准。请查看试算结果。",
                    "Some cases cannot be counted by the change, so it cannot be approved; see the dry run.",
                ));
            }
        }
        (Some(_), _) => {
            // The answer of a refusal is not kept, and neither would this be: it stands in a transaction of its own.
            drop(work);
            let mut tx = state.database.begin().await?;
            store::try_again(&mut tx, change_id).await?;
            tx.commit().await?;
            return Err(wrong_state(
                &change,
                "试算之后规则已有变化，正在重新试算，请查看新的结果后再批准。",
                "The rules have changed since the dry run; it is being made again.",
            ));
        }
        (None, _) => {
            return Err(wrong_state(
                &change,
                "正在试算，请查看结果后再批准。",
                "The dry run is being made; look at its result first.",
            ));
        }
    }
    if_match.check(change.version)?;
    let at = work.at();
    store::approve(&mut work, change_id, caller.account_id, &caller.display_name, at).await?;
    answer(&state, work, change_id).await
}

/// 撤回变更
#[utoipa::path(post, path = "/v1/rule-changes/{change_id}/withdrawal", tag = "日历和规则变更",
    params(("change_id" = RuleChangeId, Path)), responses((status = 200, body = RuleChangeView)))]
pub(crate) async fn withdraw(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    idempotent: Idempotent,
    Path(change_id): Path<RuleChangeId>,
) -> Result<Response, Problem> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    check_permit(&mut work, &permit).await?;
    let change = store::lock(&mut work, change_id).await?.ok_or_else(unknown)?;
    match change.state {
        ChangeState::Proposed | ChangeState::Approved => {}
        ChangeState::InEffect | ChangeState::Withdrawn => {
            return Err(wrong_state(
                &change,
                "已生效的变更不能撤回，请提出回退；已撤回的不必再撤。",
                "A change in effect is rolled back, not withdrawn; a withdrawn one need not be withdrawn again.",
            ));
        }
    }
    if_match.check(change.version)?;
    let at = work.at();
    store::withdraw(&mut work, change_id, permit.caller().account_id, at).await?;
    answer(&state, work, change_id).await
}

/// 回退变更
#[utoipa::path(post, path = "/v1/rule-changes/{change_id}/roll-back", tag = "日历和规则变更",
    params(("change_id" = RuleChangeId, Path)), request_body = NewRollBack,
    responses((status = 201, body = RuleChangeView)))]
pub(crate) async fn roll_back(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Path(change_id): Path<RuleChangeId>,
    ValidJson(body): ValidJson<NewRollBack>,
) -> Result<Response, Problem> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    check_permit(&mut work, &permit).await?;
    let change = store::find(&mut work, change_id).await?.ok_or_else(unknown)?;
    let not_in_effect =
        || wrong_state(&change, "只有已生效的变更可以回退。", "Only a change in effect can be rolled back.");
    let sequence = change.sequence.ok_or_else(not_in_effect)?;
    let content = text::restored(change.kind, &change.content, change.former.as_deref(), sequence, body.effective_on)
        .ok_or_else(not_in_effect)?;
    let wish = Wish {
        change_id: idempotent.derived_id().into(),
        kind: change.kind,
        content,
        reason: body.reason,
        effective_on: body.effective_on,
        live_cases: change.live_cases,
        restores: Some(change_id),
    };
    let change = put_forward(&state, &mut work, &permit, wish).await?;
    work.commit((StatusCode::CREATED, Versioned(change.version, Json(view(&state, change))))).await
}

async fn answer(
    state: &AppState,
    mut work: Box<service_kit::idempotency::IdempotentTx>,
    change_id: RuleChangeId,
) -> Result<Response, Problem> {
    let change = store::find(&mut work, change_id).await?.ok_or_else(unknown)?;
    work.commit(Versioned(change.version, Json(view(state, change)))).await
}
