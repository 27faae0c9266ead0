//! What the clock hands to people (待办事项): steps of the ladder to decide on, look-backs to visit for.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::{Asked, Document, List, Named, counties};
use crate::api::{Failure, Room};
use crate::page::{Page, ok};
use crate::session::Ctx;

/// What is to be done.
const KINDS: [&str; 4] = ["interview", "circular", "accountability", "look_back"];
/// Where it stands.
const STATES: [&str; 4] = ["open", "done", "lifted", "moot"];

/// What is known of an item, as it stood when the assignment arose.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fact {
    pub(crate) item_id: String,
    pub(crate) number: i32,
    pub(crate) severity: String,
    pub(crate) category: String,
    pub(crate) description: String,
    pub(crate) demand: String,
    pub(crate) was_due_on: Option<String>,
    pub(crate) days_late: Option<i32>,
    pub(crate) urging_order_no: Option<String>,
    pub(crate) returned: i32,
    pub(crate) extensions: i32,
    pub(crate) reopened: i32,
    pub(crate) closed_at: Option<String>,
    pub(crate) verified_by: Option<String>,
}

/// An assignment; the list tells a part of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Assignment {
    pub(crate) assignment_id: String,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) due: String,
    pub(crate) overdue: bool,
    pub(crate) since: String,
    pub(crate) rectification_id: String,
    pub(crate) case_id: String,
    pub(crate) letter_no: String,
    pub(crate) case_title: String,
    pub(crate) unit: Named,
    pub(crate) county_name: Option<String>,
    pub(crate) item_numbers: Vec<i32>,
    pub(crate) done_at: Option<String>,
    pub(crate) item_id: Option<String>,
    pub(crate) article: Option<String>,
    pub(crate) policy_facts: Vec<String>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) note: Option<String>,
    /// The interview notice or circular that was issued for it.
    pub(crate) paper: Option<Document>,
}

impl Assignment {
    fn light(&self) -> &'static str {
        match self.state.as_str() {
            "open" if self.overdue => "red",
            "open" => "yellow",
            _ => "closed",
        }
    }

    /// The numbers of its items in words.
    pub(crate) fn items(&self, page: &Page) -> String {
        let numbers: Vec<String> = self.item_numbers.iter().map(ToString::to_string).collect();
        page.fill("item.number", numbers.join("、"))
    }

    /// Whether a step like it has a paper, an interview notice or a circular.
    pub(crate) fn has_paper(&self) -> bool {
        matches!(self.kind.as_str(), "interview" | "circular")
    }

    /// Whether that paper may still go out.
    pub(crate) fn takes_paper(&self) -> bool {
        self.has_paper() && self.paper.is_none() && matches!(self.state.as_str(), "open" | "done")
    }

    /// Where it is done: at the item of a look-back, at the rectification of a step.
    fn place(&self) -> String {
        let item = self.item_id.as_ref().map(|id| format!("#item-{id}")).unwrap_or_default();
        format!("/rectifications/{}{item}", self.rectification_id)
    }
}

#[derive(Debug, Template)]
#[template(path = "assignments/list.html")]
struct Assignments {
    page: Page,
    rows: Vec<Assignment>,
    kind: String,
    state: String,
    county: String,
    overdue: bool,
    counties: Vec<(String, String)>,
    next: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "assignments/assignment.html")]
struct AssignmentPage {
    page: Page,
    assignment: Assignment,
}

/// The assignments that the caller may see; what waits, unless something else is asked for.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let state = if asked.has("state") { asked.get("state") } else { "open" }.to_owned();
    let mut query = asked.pick(&["kind", "county", "overdue", "after"]);
    query.push(("state", state.clone()));
    let found: List<Assignment> = ctx.line().find(Room::Tasks, "/v1/assignments", query).await?;
    let template = Assignments {
        page: ctx.page("nav.assignments"),
        kind: asked.get("kind").to_owned(),
        state,
        county: asked.get("county").to_owned(),
        overdue: asked.get("overdue") == "true",
        counties: counties(&ctx).await,
        next: asked.next("/assignments", found.next.as_deref()),
        rows: found.items,
    };
    ok(&template)
}

/// One assignment with the facts for it.
pub(crate) async fn show(ctx: Ctx, Path(assignment_id): Path<Uuid>) -> Result<Response, Failure> {
    let assignment: Assignment = ctx.line().get(Room::Tasks, &format!("/v1/assignments/{assignment_id}")).await?;
    let title = format!("{}：{}", ctx.texts().word("assignment_kind", &assignment.kind), assignment.unit.name);
    ok(&AssignmentPage { page: ctx.titled(title), assignment })
}
