//! Supervision cases (督导项目): list, opening, and one page with every step from the team to the letter.

mod acts;
mod open;
mod team;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::{Asked, Document, List, Named};
use crate::api::{Failure, Refusal, Room};
use crate::form::{Forms, Posted};
use crate::page::{Page, html, ok};
use crate::session::Ctx;

pub(crate) use acts::{
    add_finding, change_finding, delete_finding, feedback, finding, hearing, letter, notify, plea, plea_decision,
    review, self_evaluation, visit,
};
pub(crate) use open::{create, new};
pub(crate) use team::{save as save_team, show as team};

/// The states in the order of the procedure.
const STATES: [&str; 7] = ["planned", "notified", "on_site", "deliberating", "feedback", "pleading", "lettered"];
/// The types of supervision.
pub(super) const KINDS: [&str; 4] = ["comprehensive", "special", "regular", "emergency"];
/// The severities of a finding.
const SEVERITIES: [&str; 4] = ["minor", "major", "serious", "immediate"];
/// The groups whose opinion is heard.
const GROUPS: [&str; 4] = ["students", "parents", "teachers", "community"];
/// The grounds for recusal.
const RECUSALS: [&str; 6] = [
    "near_relative_of_principal",
    "family_works_or_studies_there",
    "works_there",
    "left_within_three_years",
    "interest_or_other_relation",
    "same_unit_last_round",
];

/// A case in a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Row {
    pub(crate) case_id: String,
    pub(crate) state: String,
    pub(crate) supervision_kind: String,
    pub(crate) title: String,
    pub(crate) unit: Named,
    pub(crate) visit_on: String,
    pub(crate) findings: Option<u32>,
    pub(crate) letter_no: Option<String>,
}

/// A member of the group.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Member {
    person_id: String,
    name: String,
    inspector_no: String,
    leader: bool,
    recusals: Vec<String>,
    counts: bool,
    reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Served {
    document: Document,
    received_at: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SelfEvaluation {
    files: Vec<String>,
    received_at: String,
    review: Option<String>,
    reviewed_by: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Visit {
    arrived_at: String,
    left_at: String,
    place: String,
    matters: Vec<String>,
    methods: Vec<String>,
    highlights: String,
    problems: String,
    evidence: Vec<String>,
    recorded_by: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Hearing {
    group: String,
    how_drawn: String,
    points: Vec<String>,
    participants: u32,
    questionnaires: u32,
    recorded_by: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Evidence {
    sha256: String,
    bytes: i64,
    media_type: String,
    name: String,
    uploaded_at: String,
    uploaded_by: String,
}

impl Evidence {
    fn is_picture(&self) -> bool {
        matches!(self.media_type.as_str(), "image/jpeg" | "image/png" | "image/webp")
    }
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct Finding {
    finding_id: String,
    number: i32,
    severity: String,
    category: String,
    description: String,
    basis: String,
    demand: String,
    advice: String,
    responsible_unit_id: String,
    responsible_unit_name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Opinion {
    document: Document,
    evaluation: String,
    deliberation: Option<String>,
    received_at: Option<String>,
    plea_due_on: String,
    plea_due_explained: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Plea {
    text: Option<String>,
    waived: bool,
    by: String,
    at: String,
    treatment: Option<String>,
    decided_at: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Letter {
    document: Document,
    evaluation: String,
    plea_treatment: Option<String>,
    received_at: Option<String>,
}

/// A step and what stands in its way.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Step {
    step: String,
    title: String,
    allowed: bool,
    reason: Option<String>,
}

/// A case as its service shows it to this caller.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Case {
    case_id: String,
    version: i64,
    state: String,
    supervision_kind: String,
    title: String,
    unit: Named,
    agency: Named,
    matters: Vec<String>,
    visit_on: String,
    self_evaluation_due_on: Option<String>,
    team: Vec<Member>,
    notification: Option<Served>,
    self_evaluation: Option<SelfEvaluation>,
    visit_records: Vec<Visit>,
    evidence: Vec<Evidence>,
    hearings: Vec<Hearing>,
    findings: Vec<Finding>,
    preliminary_opinion: Option<Opinion>,
    plea: Option<Plea>,
    letter: Option<Letter>,
    report: Option<Document>,
    next_steps: Vec<Step>,
}

impl Case {
    /// What the procedure ends with, as a kind of document.
    fn letter_kind(&self) -> &'static str {
        if self.supervision_kind == "regular" { "rectification_notice" } else { "opinion_letter" }
    }

    /// Whether a step may be taken now.
    fn can(&self, step: &str) -> bool {
        self.next_steps.iter().any(|next| next.step == step && next.allowed)
    }

    /// Whether the caller conducts the case: the unit sees its own step only.
    fn conducts(&self) -> bool {
        self.next_steps.iter().any(|next| next.step != "plea")
    }

    /// Findings are written after the visit and before the feedback.
    fn takes_findings(&self) -> bool {
        self.conducts() && matches!(self.state.as_str(), "on_site" | "deliberating")
    }

    fn takes_self_evaluation(&self) -> bool {
        self.conducts()
            && self.self_evaluation_due_on.is_some()
            && self.self_evaluation.is_none()
            && matches!(self.state.as_str(), "notified" | "on_site")
    }

    fn takes_review(&self) -> bool {
        self.conducts()
            && self.self_evaluation.as_ref().is_some_and(|report| report.review.is_none())
            && matches!(self.state.as_str(), "notified" | "on_site")
    }

    /// The state's place in the procedure with its marks for the bar of steps: done, current.
    fn bar(&self) -> Vec<(&'static str, bool, bool)> {
        let place = STATES.iter().position(|state| *state == self.state).unwrap_or_default();
        let skipped = |state: &str| state == "notified" && self.supervision_kind == "regular";
        STATES
            .iter()
            .enumerate()
            .filter(|(_, state)| !skipped(state))
            .map(|(n, state)| (*state, n < place, n == place))
            .collect()
    }

    fn evidence_name<'a>(&'a self, sha256: &'a str) -> &'a str {
        self.evidence.iter().find(|file| file.sha256 == sha256).map_or(sha256, |file| &file.name)
    }
}

#[derive(Debug, Template)]
#[template(path = "cases/list.html")]
struct Cases {
    page: Page,
    rows: Vec<Row>,
    state: String,
    next: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "cases/case.html")]
struct CasePage {
    page: Page,
    forms: Forms,
    case: Case,
}

/// The cases that the caller may see.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let found: List<Row> =
        ctx.line().find(Room::Tasks, "/v1/cases", asked.pick(&["state", "unit_id", "after"])).await?;
    let next = asked.next("/cases", found.next.as_deref());
    ok(&Cases { page: ctx.page("nav.cases"), rows: found.items, state: asked.get("state").to_owned(), next })
}

/// One case.
pub(crate) async fn show(ctx: Ctx, Path(case_id): Path<Uuid>) -> Result<Response, Failure> {
    render(&ctx, case_id, None).await
}

async fn load(ctx: &Ctx, case_id: Uuid) -> Result<Case, Failure> {
    ctx.line().get(Room::Tasks, &format!("/v1/cases/{case_id}")).await
}

/// The page of a case, with the form that was refused, if any.
async fn render(ctx: &Ctx, case_id: Uuid, posted: Option<(Posted, Refusal)>) -> Result<Response, Failure> {
    let case = load(ctx, case_id).await?;
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    html(status, &CasePage { page: ctx.titled(case.title.clone()), forms: ctx.forms(posted), case })
}
