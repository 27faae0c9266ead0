//! The ledger (整改台账) and its workbook.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::{Asked, counties};
use crate::api::{Failure, Room};
use crate::page::{Page, ok};
use crate::session::Ctx;

/// The states that the ledger can be narrowed to.
const STATES: [&str; 10] =
    ["open", "in_progress", "reported", "verified", "closed", "waived", "paused", "reopened", "late", "due_soon"];
const FILTERS: [&str; 3] = ["county", "state", "q"];

/// A row: one item.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "as the service tells it")]
pub(crate) struct Row {
    pub(crate) item_id: String,
    pub(crate) rectification_id: String,
    pub(crate) item_no: String,
    pub(crate) case_title: String,
    pub(crate) county_name: String,
    pub(crate) unit_name: String,
    pub(crate) description: String,
    pub(crate) severity: String,
    pub(crate) severity_zh: String,
    pub(crate) responsible_unit_name: String,
    pub(crate) letter_no: String,
    pub(crate) first_due_on: String,
    pub(crate) due_on: String,
    pub(crate) provisional: bool,
    pub(crate) state: String,
    pub(crate) state_zh: String,
    pub(crate) late: bool,
    pub(crate) due_soon: bool,
    pub(crate) paused: bool,
    pub(crate) reopened: i32,
    pub(crate) joint_liability: bool,
    pub(crate) reported_at: Option<String>,
    pub(crate) verified_at: Option<String>,
    pub(crate) closed_at: Option<String>,
    pub(crate) urging_order_no: Option<String>,
    pub(crate) public_path: Option<String>,
}

impl Row {
    /// The light of the item.
    pub(crate) fn light(&self) -> &'static str {
        if matches!(self.state.as_str(), "closed" | "waived") {
            "closed"
        } else if self.paused && self.state == "in_progress" {
            "paused"
        } else if self.late {
            "red"
        } else if self.due_soon {
            "yellow"
        } else {
            "green"
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Found {
    as_of: String,
    items: Vec<Row>,
    next: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "ledger.html")]
struct Ledger {
    page: Page,
    found: Found,
    county: String,
    state: String,
    words: String,
    counties: Vec<(String, String)>,
    states: &'static [&'static str],
    workbook: String,
    next: Option<String>,
}

/// The rows.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let query = asked.pick(&["county", "state", "q", "after"]);
    let found: Found = ctx.line().find(Room::Reporting, "/v1/ledger", query).await?;
    let template = Ledger {
        page: ctx.page("nav.ledger"),
        county: asked.get("county").to_owned(),
        state: asked.get("state").to_owned(),
        words: asked.get("q").to_owned(),
        counties: counties(&ctx).await,
        states: &STATES,
        workbook: asked.same("/ledger.xlsx", &FILTERS),
        next: asked.next("/ledger", found.next.as_deref()),
        found,
    };
    ok(&template)
}

/// The same rows as a workbook.
pub(crate) async fn workbook(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let name = format!("{}.xlsx", ctx.texts().t("ledger.file"));
    ctx.line().file(Room::Reporting, "/v1/ledger.xlsx", asked.pick(&FILTERS), Some(&name)).await
}
