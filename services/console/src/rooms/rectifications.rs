//! Rectifications (整改): list, items with their due dates, report, verification, close-out.

use std::collections::{HashMap, HashSet};

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::ledger::Row as LedgerRow;
use super::{Asked, Document, List, Named, counties};
use crate::api::{Failure, Refusal, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted, Upload};
use crate::page::{Page, done, html, ok};
use crate::session::Ctx;

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
}

impl RowView {
    /// The light: `closed`, `red`, `yellow` or `green`.
    fn light(&self, soon: &HashSet<String>) -> &'static str {
        if self.closed_at.is_some() {
            "closed"
        } else if self.late_items > 0 {
            "red"
        } else if soon.contains(&self.rectification_id) {
            "yellow"
        } else {
            "green"
        }
    }
}

/// An item (整改事项).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    item_id: String,
    number: i32,
    severity: String,
    category: String,
    description: String,
    basis: String,
    demand: String,
    responsible_unit_name: String,
    state: String,
    deadline_id: String,
    due_on: String,
    due_at: String,
    provisional: bool,
    first_due_on: String,
    reported_at: Option<String>,
    report: Option<String>,
    late: bool,
    verified_at: Option<String>,
    verified_by: Option<String>,
    closed_at: Option<String>,
    returned: i32,
    urging_order_no: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UrgedItem {
    number: i32,
    was_due_on: String,
    due_on: String,
    deadline_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UrgingOrder {
    urging_order_id: String,
    document: Document,
    items: Vec<UrgedItem>,
    copy_to: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rectification {
    rectification_id: String,
    version: i64,
    case_id: String,
    letter: Document,
    case_title: String,
    supervision_kind: String,
    unit: Named,
    received_at: String,
    closed_at: Option<String>,
    items: Vec<Item>,
    urging_orders: Vec<UrgingOrder>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Evidence {
    file_id: String,
    item_id: Option<String>,
    media_type: String,
    bytes: i64,
    name: String,
    uploaded_at: String,
    uploaded_by: String,
}

impl Evidence {
    fn is_picture(&self) -> bool {
        matches!(self.media_type.as_str(), "image/jpeg" | "image/png" | "image/webp")
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct View {
    rectification: Rectification,
    evidence: Vec<Evidence>,
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
    evidence: Vec<Evidence>,
    lights: HashMap<String, &'static str>,
    account_tells: bool,
}

impl RectificationPage {
    fn light(&self, item: &Item) -> &'static str {
        if item.state == "closed" {
            return "closed";
        }
        self.lights.get(&item.item_id).copied().unwrap_or(if item.late { "red" } else { "green" })
    }

    fn files_of<'a>(&'a self, item: &'a Item) -> impl Iterator<Item = &'a Evidence> {
        self.evidence.iter().filter(|file| file.item_id.as_deref() == Some(item.item_id.as_str()))
    }

    fn has_files(&self, item: &Item) -> bool {
        self.files_of(item).next().is_some()
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
    let View { rectification, evidence } = ctx.line().get(Room::Deadlines, &format!("/v1/rectifications/{id}")).await?;
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
        evidence,
        lights,
        account_tells,
    };
    html(status, &template)
}

/// Sends an act on an item and returns to it, or shows the form again.
async fn act(
    ctx: &Ctx,
    (id, item_id): (Uuid, Uuid),
    verb: &str,
    posted: Posted,
    body: Value,
    word: &str,
) -> Result<Response, Failure> {
    let sending = Sending { body: Some(body), key: posted.key(), version: posted.version(), ..Sending::default() };
    let path = format!("/v1/rectifications/{id}/items/{item_id}/{verb}");
    let answer = ctx.line().send(Method::POST, Room::Deadlines, &path, sending).await;
    match outcome(ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/rectifications/{id}#item-{item_id}"), word)),
        Outcome::Again(refusal) => render(ctx, id, Some((posted, refusal))).await,
    }
}

/// Uploads one file as evidence of an item; its id.
async fn upload(
    ctx: &Ctx,
    id: Uuid,
    item_id: Uuid,
    n: usize,
    file: &Upload,
    posted: &Posted,
) -> Result<Value, Failure> {
    let sending = Sending {
        parts: Some((vec![("item_id".to_owned(), item_id.to_string())], std::slice::from_ref(file))),
        key: posted.key().map(|key| format!("{key}-f{n}")),
        ..Sending::default()
    };
    let answer =
        ctx.line().send(Method::POST, Room::Deadlines, &format!("/v1/rectifications/{id}/evidence"), sending).await?;
    Ok(answer.get("file_id").cloned().unwrap_or_default())
}

/// The unit reports on an item, with evidence (整改报告).
pub(crate) async fn report(
    ctx: Ctx,
    Path((id, item_id)): Path<(Uuid, Uuid)>,
    posted: Posted,
) -> Result<Response, Failure> {
    let mut evidence: Vec<Value> = posted.all("evidence").map(|file_id| json!(file_id)).collect();
    for (n, file) in posted.files.iter().enumerate() {
        match outcome(&ctx, &posted, upload(&ctx, id, item_id, n, file, &posted).await)? {
            Outcome::Done(file_id) => evidence.push(file_id),
            Outcome::Again(mut refusal) => {
                let detail = format!("{}：{}", file.file_name, refusal.detail);
                refusal.errors.clear();
                return render(&ctx, id, Some((posted, refusal.field("/files", detail)))).await;
            }
        }
    }
    let body = json!({ "text": posted.get("text"), "evidence": evidence });
    let had_none = evidence.is_empty();
    let sending = Sending { body: Some(body), key: posted.key(), version: posted.version(), ..Sending::default() };
    let path = format!("/v1/rectifications/{id}/items/{item_id}/report");
    let answer = ctx.line().send(Method::POST, Room::Deadlines, &path, sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/rectifications/{id}#item-{item_id}"), "done.reported")),
        Outcome::Again(mut refusal) => {
            // In the form new evidence is the field of files.
            for fault in &mut refusal.errors {
                if had_none && fault.pointer.starts_with("/evidence") {
                    "/files".clone_into(&mut fault.pointer);
                }
            }
            render(&ctx, id, Some((posted, refusal))).await
        }
    }
}

/// Another person verifies the report, or returns it (核查).
pub(crate) async fn verify(ctx: Ctx, Path(ids): Path<(Uuid, Uuid)>, posted: Posted) -> Result<Response, Failure> {
    let word = if posted.get("decision") == "return" { "done.returned" } else { "done.verified" };
    let body = json!({ "decision": posted.get("decision"), "note": posted.get("note") });
    act(&ctx, ids, "verify", posted, body, word).await
}

/// The office closes an item (销号).
pub(crate) async fn close_out(ctx: Ctx, Path(ids): Path<(Uuid, Uuid)>, posted: Posted) -> Result<Response, Failure> {
    act(&ctx, ids, "close-out", posted, json!({}), "done.closed_out").await
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
        row.closed_at = Some("2026-03-05T00:00:00Z".to_owned());
        assert_eq!(row.light(&soon), "closed");
    }
}
