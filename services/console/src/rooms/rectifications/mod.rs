//! Rectifications (整改): the list, and one with its items, plans, requests, stops and steps; what people do stands in
//! `acts`, what the page knows in `view`.

mod acts;
mod view;

use std::collections::{HashMap, HashSet};

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use domain::ids::AssignmentId;
use http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::ledger::Row as LedgerRow;
use super::{Asked, List, counties};
use crate::api::{Failure, Refusal, Room};
use crate::form::{Forms, Posted};
use crate::page::{Page, html, ok};
use crate::session::Ctx;

pub(crate) use acts::{
    answer_consultation, ask, close_out, consult, decide_request, decide_step, judge_plan, look_back, note_progress,
    refuse_close_out, report, submit_plan, verify,
};
use view::{Evidence, IssuedPaper, Item, ItemDetail, Measure, Rectification, Request, Step, Suspension, View};

/// A rectification in a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RowView {
    pub(crate) rectification_id: String,
    pub(crate) case_title: String,
    pub(crate) unit_name: String,
    pub(crate) county_name: Option<String>,
    pub(crate) letter_no: String,
    pub(crate) received_at: String,
    pub(crate) closed_at: Option<String>,
    pub(crate) open_items: i64,
    pub(crate) late_items: i64,
    pub(crate) total_items: i64,
    pub(crate) next_due_on: Option<String>,
    pub(crate) urging_orders: i64,
    pub(crate) paused: bool,
    pub(crate) liable: bool,
}

impl RowView {
    /// The light: `closed`, `paused`, `red`, `yellow` or `green`.
    fn light(&self, soon: &HashSet<String>) -> &'static str {
        if self.closed_at.is_some() {
            "closed"
        } else if self.paused {
            "paused"
        } else if self.late_items > 0 {
            "red"
        } else if soon.contains(&self.rectification_id) {
            "yellow"
        } else {
            "green"
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "rectifications/list.html")]
struct Rectifications {
    page: Page,
    rows: Vec<(RowView, &'static str)>,
    state: String,
    county: String,
    words: String,
    counties: Vec<(String, String)>,
    next: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "rectifications/rectification.html")]
struct RectificationPage {
    page: Page,
    forms: Forms,
    rectification: Rectification,
    detail: HashMap<String, ItemDetail>,
    suspensions: Vec<Suspension>,
    evidence: Vec<Evidence>,
    documents: Vec<IssuedPaper>,
    lights: HashMap<String, &'static str>,
    account_tells: bool,
}

impl RectificationPage {
    fn light(&self, item: &Item) -> &'static str {
        if item.is_done() {
            return "closed";
        }
        if self.rectification.paused_until.is_some() && item.state == "in_progress" {
            return "paused";
        }
        self.lights.get(&item.item_id).copied().unwrap_or(if item.late { "red" } else { "green" })
    }

    fn files_of<'a>(&'a self, item: &'a Item) -> impl Iterator<Item = &'a Evidence> {
        self.evidence.iter().filter(|file| file.item_id.as_deref() == Some(item.item_id.as_str()))
    }

    fn has_files(&self, item: &Item) -> bool {
        self.files_of(item).next().is_some()
    }

    /// What people need beside the snapshot; empty when the service does not tell it.
    fn detail(&self, item: &Item) -> &ItemDetail {
        static NOTHING: std::sync::LazyLock<ItemDetail> = std::sync::LazyLock::new(ItemDetail::default);
        self.detail.get(&item.item_id).unwrap_or(&NOTHING)
    }

    fn is_open(&self) -> bool {
        self.rectification.closed_at.is_none()
    }

    /// The numbers of a step's items in words.
    fn numbers(&self, step: &Step) -> String {
        let numbers: Vec<String> = step.items.iter().map(ToString::to_string).collect();
        self.page.fill("item.number", numbers.join("、"))
    }

    /// The number of the item that a paper is about.
    fn item_of(&self, paper: &IssuedPaper) -> Option<String> {
        let item = self.rectification.items.iter().find(|item| paper.item_id.as_deref() == Some(&item.item_id))?;
        Some(self.page.fill("item.number", item.number))
    }

    /// The page of the paper of a step that has one; its assignment is named by the proposal.
    fn paper_of(step: &Step) -> Option<String> {
        let assignment = AssignmentId::derived(&["step", &step.proposal_id]);
        (matches!(step.level, 2 | 3) && matches!(step.state.as_str(), "proposed" | "taken"))
            .then(|| format!("/assignments/{assignment}/paper"))
    }

    /// What a request is about: the item, or the whole.
    fn about(&self, request: &Request) -> String {
        let item =
            self.rectification.items.iter().find(|item| request.item_id.as_deref() == Some(item.item_id.as_str()));
        item.map_or_else(|| self.page.t("request.whole").to_owned(), |item| self.page.fill("item.number", item.number))
    }

    /// Whether the caller could decide a request: the chair decides on lifting a step only, everything else is for the office,
    /// which closes items too.
    fn may_decide(&self, request: &Request) -> bool {
        self.page.may("deadlines.request.decide")
            && (request.subject == "lift" || self.page.may("deadlines.item.close"))
    }

    /// Whether a request on the same matter waits, so that another one would be refused.
    fn waits(&self, subject: &str, id: &str) -> bool {
        self.rectification
            .requests
            .iter()
            .any(|request| request.subject == subject && (id.is_empty() || request.item_id.as_deref() == Some(id)))
    }

    /// The measures that a form for a plan begins with: the returned plan's, then empty lines.
    fn measures<'a>(&'a self, item: &'a Item) -> Vec<(usize, &'a Measure)> {
        static EMPTY: std::sync::LazyLock<Measure> = std::sync::LazyLock::new(Measure::default);
        let known = self.detail(item).plan.as_ref().map_or(&[][..], |plan| &plan.measures);
        (0..acts::MEASURES.max(known.len())).map(|n| (n, known.get(n).unwrap_or(&EMPTY))).collect()
    }
}

/// What `reporting` says is due soon or late, by its own definition and by legal time; nothing when it is away.
async fn ledger(ctx: &Ctx, query: Vec<(&str, String)>) -> Result<Option<Vec<LedgerRow>>, Failure> {
    match ctx.line().find::<List<LedgerRow>>(Room::Reporting, "/v1/ledger", query).await {
        Ok(rows) => Ok(Some(rows.items)),
        Err(Failure::SignedOut) => Err(Failure::SignedOut),
        Err(_) => Ok(None),
    }
}

/// The rectifications that the caller may see.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let query = asked.pick(&["state", "county", "q", "after"]);
    let soon = vec![("state", "due_soon".to_owned()), ("limit", "200".to_owned())];
    let line = ctx.line();
    let (found, soon) =
        tokio::try_join!(line.find::<List<RowView>>(Room::Deadlines, "/v1/rectifications", query), ledger(&ctx, soon))?;
    let soon: HashSet<String> = soon.unwrap_or_default().into_iter().map(|row| row.rectification_id).collect();
    let rows = found.items.into_iter().map(|row| {
        let light = row.light(&soon);
        (row, light)
    });
    let template = Rectifications {
        rows: rows.collect(),
        next: asked.next("/rectifications", found.next.as_deref()),
        state: asked.get("state").to_owned(),
        county: asked.get("county").to_owned(),
        words: asked.get("q").to_owned(),
        counties: counties(&ctx).await,
        page: ctx.page("nav.rectifications"),
    };
    ok(&template)
}

/// One rectification with its items.
pub(crate) async fn show(ctx: Ctx, Path(rectification_id): Path<Uuid>) -> Result<Response, Failure> {
    render(&ctx, rectification_id, None).await
}

async fn render(ctx: &Ctx, id: Uuid, posted: Option<(Posted, Refusal)>) -> Result<Response, Failure> {
    let View { rectification, detail, suspensions, evidence, documents } =
        ctx.line().get(Room::Deadlines, &format!("/v1/rectifications/{id}")).await?;
    let query = vec![("q", rectification.letter.doc_no.clone()), ("limit", "200".to_owned())];
    let rows = ledger(ctx, query).await?;
    let account_tells = rows.is_some();
    let lights = rows
        .unwrap_or_default()
        .into_iter()
        .map(|row| {
            let light = if row.late {
                "red"
            } else if row.due_soon {
                "yellow"
            } else {
                "green"
            };
            (row.item_id, light)
        })
        .collect();
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    let template = RectificationPage {
        page: ctx.titled(rectification.case_title.clone()),
        forms: ctx.forms(posted),
        rectification,
        detail: detail.into_iter().map(|detail| (detail.item_id.clone(), detail)).collect(),
        suspensions,
        evidence,
        documents,
        lights,
        account_tells,
    };
    html(status, &template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_light_follows_late_then_soon() {
        let mut row = RowView { rectification_id: "r".to_owned(), late_items: 1, ..RowView::default() };
        let soon = HashSet::from(["r".to_owned()]);
        assert_eq!(row.light(&soon), "red");
        row.late_items = 0;
        assert_eq!(row.light(&soon), "yellow");
        assert_eq!(row.light(&HashSet::new()), "green");
        row.paused = true;
        assert_eq!(row.light(&soon), "paused");
        row.closed_at = Some("2026-03-05T00:00:00Z".to_owned());
        assert_eq!(row.light(&soon), "closed");
    }
}
