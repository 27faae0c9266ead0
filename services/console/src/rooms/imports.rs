//! Imports (导入): upload a register, read the report of bad rows.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{Asked, List};
use crate::api::{Failure, Refusal, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html, ok};
use crate::session::Ctx;
use crate::texts::Lang;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reason {
    zh: String,
    en: String,
}

impl Reason {
    fn words(&self, page: &Page) -> &str {
        if page.lang() == Lang::En.tag() { &self.en } else { &self.zh }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Bad {
    sheet: String,
    row: u32,
    column: Value,
    reason: Reason,
}

impl Bad {
    fn column_words(&self) -> String {
        match &self.column {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Table {
    table: String,
    rows: u64,
    created: u64,
    changed: u64,
    unchanged: u64,
    rejected_rows: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Import {
    import_id: String,
    kind: String,
    file_name: String,
    imported_at: String,
    rows: u64,
    created: u64,
    changed: u64,
    unchanged: u64,
    rejected_rows: u64,
    rejected: Vec<Bad>,
    warnings: Vec<Bad>,
    tables: Vec<Table>,
    ignored_sheets: Vec<String>,
}

#[derive(Debug, Template)]
#[template(path = "imports/list.html")]
struct Imports {
    page: Page,
    forms: Forms,
    rows: Vec<Import>,
    next: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "imports/import.html")]
struct ImportPage {
    page: Page,
    import: Import,
}

/// The form and the imports so far.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    render(&ctx, &asked, None).await
}

async fn render(ctx: &Ctx, asked: &Asked, posted: Option<(Posted, Refusal)>) -> Result<Response, Failure> {
    let found: List<Import> = ctx.line().find(Room::Registry, "/v1/imports", asked.pick(&["after"])).await?;
    let next = asked.next("/imports", found.next.as_deref());
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    html(status, &Imports { page: ctx.page("nav.imports"), forms: ctx.forms(posted), rows: found.items, next })
}

/// Uploads a register.
pub(crate) async fn run(ctx: Ctx, posted: Posted) -> Result<Response, Failure> {
    let texts = ctx.texts();
    let Some(file) = posted.files.first() else {
        let refusal = Refusal::own(texts.t("form.invalid"), texts.t("form.invalid_advice"))
            .field("/file", texts.t("import.no_file").to_owned());
        return render(&ctx, &Asked::default(), Some((posted, refusal))).await;
    };
    let sending = Sending {
        parts: Some((vec![("kind".to_owned(), posted.get("kind").to_owned())], std::slice::from_ref(file))),
        key: posted.key(),
        ..Sending::default()
    };
    let answer = ctx.line().send(Method::POST, Room::Registry, "/v1/imports", sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(import) => {
            let import_id = import.get("import_id").and_then(Value::as_str).unwrap_or_default();
            Ok(done(&format!("/imports/{import_id}"), "done.imported"))
        }
        Outcome::Again(mut refusal) => {
            if refusal.errors.is_empty() {
                let detail = refusal.detail.clone();
                refusal = refusal.field("/file", detail);
            }
            render(&ctx, &Asked::default(), Some((posted, refusal))).await
        }
    }
}

/// The report of an import.
pub(crate) async fn show(ctx: Ctx, Path(import_id): Path<Uuid>) -> Result<Response, Failure> {
    let import: Import = ctx.line().get(Room::Registry, &format!("/v1/imports/{import_id}")).await?;
    ok(&ImportPage { page: ctx.page("import.report"), import })
}
