//! Templates of documents (文书模板): which there are, and a trial of a changed one on a real document.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Asked;
use super::documents::{self, FORMATS};
use super::lines::{TextLine, faulty};
use crate::api::{Failure, Refusal, Room};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, html};
use crate::session::Ctx;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Kind {
    name: String,
}

/// A version of the templates.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Version {
    version: String,
    title: String,
    effective_on: String,
    kinds: Vec<Kind>,
}

#[derive(Debug, Template)]
#[template(path = "templates.html")]
struct Templates {
    page: Page,
    forms: Forms,
    versions: Vec<Version>,
    /// The document of the address.
    document: String,
    /// Lines of the posted text that have faults.
    lines: Vec<TextLine>,
}

impl Templates {
    /// The versions as choices, with their days.
    fn choices(&self) -> Vec<(String, String)> {
        let word = |version: &Version| {
            self.page.fill2("template.choice", &version.version, self.page.date(&version.effective_on))
        };
        self.versions.iter().map(|version| (version.version.clone(), word(version))).collect()
    }
}

/// The trial that `documents` is asked for.
#[derive(Debug, Serialize)]
struct Trial<'a> {
    content: &'a RawValue,
    template_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<&'a str>,
}

/// The versions, the newest first, and the form for a trial.
pub(crate) async fn show(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    render(&ctx, asked.get("document").to_owned(), None).await
}

async fn render(ctx: &Ctx, document: String, posted: Option<(Posted, Refusal)>) -> Result<Response, Failure> {
    let mut versions: Vec<Version> = ctx.line().get(Room::Documents, "/v1/templates").await?;
    versions.sort_by(|a, b| b.effective_on.cmp(&a.effective_on));
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    let lines = posted.as_ref().map_or_else(Vec::new, |(posted, refusal)| faulty(posted.get("template"), refusal));
    let page = ctx.page("nav.templates");
    html(status, &Templates { page, forms: ctx.forms(posted), versions, document, lines })
}

/// Shows a document in a version that may not be in force yet, or in a changed text, marked as a trial.
pub(crate) async fn preview(ctx: Ctx, posted: Posted) -> Result<Response, Failure> {
    let refused = |key: &str| {
        let texts = ctx.texts();
        Refusal::own(texts.t("form.invalid"), texts.t("form.invalid_advice"))
            .field("/document", texts.t(key).to_owned())
    };
    let Some((kind, document_id)) = documents::place(posted.get("document")) else {
        let refusal = refused("template.no_document");
        return render(&ctx, String::new(), Some((posted, refusal))).await;
    };
    let content = match documents::frozen(&ctx, kind, document_id).await {
        Ok(content) => content,
        Err(Failure::Refused(refusal)) => {
            let refusal = refusal.field("/document", ctx.texts().t("template.not_read").to_owned());
            return render(&ctx, String::new(), Some((posted, refusal))).await;
        }
        Err(failure) => return Err(failure),
    };
    let format = FORMATS.into_iter().find(|format| *format == posted.get("format")).unwrap_or("pdf");
    let trial = Trial {
        content: &content,
        template_version: posted.get("template_version"),
        template: posted.some("template"),
    };
    let trial = serde_json::value::to_raw_value(&trial).map_err(|_| Failure::Broken(Room::Documents))?;
    match ctx.line().rendered("/v1/documents/preview", trial, format, None).await {
        Ok(file) => Ok(file),
        Err(failure) => match outcome(&ctx, &posted, Err(failure))? {
            Outcome::Done(_) => Err(Failure::Broken(Room::Documents)),
            Outcome::Again(mut refusal) => {
                // What is no field of the form is a part of the document.
                for fault in &mut refusal.errors {
                    let field = match fault.pointer.as_str() {
                        "/template" => "/template_version",
                        pointer if pointer.starts_with("/template#") => "/template",
                        _ => "/document",
                    };
                    field.clone_into(&mut fault.pointer);
                }
                render(&ctx, String::new(), Some((posted, refusal))).await
            }
        },
    }
}
