//! The register of issued documents (发文登记簿).

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::{Asked, documents};
use crate::api::{Failure, Room};
use crate::page::{Page, ok};
use crate::session::Ctx;

const STATES: [&str; 3] = ["genuine", "void", "replaced"];
const FILTERS: [&str; 4] = ["agency", "kind", "year", "state"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    kept_as: String,
    kind: String,
    code: String,
    doc_no: String,
    title: String,
    issuing_unit_name: String,
    issued_at: String,
    state: String,
    voided: Option<Voided>,
}

impl Row {
    /// The paper's page.
    fn address(&self) -> String {
        documents::page_of(&self.kind, &self.kept_as)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Voided {
    at: String,
    cause: String,
    reason: String,
    by: String,
    replaced_by: Option<String>,
    replaced_by_no: Option<String>,
}

/// A series of numbers with its proof.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Series {
    word: String,
    year: i16,
    last: i32,
    entries: i64,
    voided: i64,
    missing: Vec<i32>,
    twice: i64,
    whole: bool,
}

impl Series {
    fn missing_words(&self) -> String {
        self.missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("、")
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Agency {
    unit_id: String,
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Found {
    items: Vec<Row>,
    next: Option<String>,
    series: Vec<Series>,
    agencies: Vec<Agency>,
    kinds: Vec<String>,
}

#[derive(Debug, Template)]
#[template(path = "register.html")]
struct Register {
    page: Page,
    found: Found,
    agency: String,
    kind: String,
    year: String,
    state: String,
    states: &'static [&'static str],
    next: Option<String>,
}

/// The lines with the proof that no number is missing.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let mut query = asked.pick(&FILTERS);
    query.push(("after", asked.get("after").to_owned()));
    let found: Found = ctx.line().find(Room::Publication, "/v1/document-register", query).await?;
    let template = Register {
        page: ctx.page("nav.register"),
        agency: asked.get("agency").to_owned(),
        kind: asked.get("kind").to_owned(),
        year: asked.get("year").to_owned(),
        state: asked.get("state").to_owned(),
        states: &STATES,
        next: asked.next("/register", found.next.as_deref()),
        found,
    };
    ok(&template)
}
