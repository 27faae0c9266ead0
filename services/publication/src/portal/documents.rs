//! Open documents (公开文书): the list, and what each of them says, as plain text.
//!
//! The text is the document as it was issued, composed from the frozen content with the templates that it names: the same bytes
//! as the text file that an office saves. So it can be compared, and nothing of it is masked or shortened.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use documents::{Frozen, Kind, PaperState, VerificationCode};
use domain::local_time::local_date;
use http::HeaderMap;
use serde::Deserialize;

use super::answer::Answer;
use super::cache::Key;
use super::store::{self, OpenLine, Registered};
use super::verify::address;
use super::view::Frame;
use super::words::{Lang, Words};
use super::{Portal, PortalError};

/// Documents on a page of the list.
const PER_PAGE: i64 = 20;

#[derive(Template)]
#[template(path = "documents.html")]
struct List<'a> {
    frame: Frame<'a>,
    words: &'static Words,
    languages: Vec<(&'static str, &'static str, String)>,
    lines: Vec<Line>,
    earlier: Option<String>,
    later: Option<String>,
}

struct Line {
    link: String,
    title: String,
    kind: &'static str,
    doc_no: String,
    agency: String,
    issued_on: String,
    state: &'static str,
    heading: &'static str,
}

/// What is asked of the list.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Asked {
    page: Option<String>,
    lang: Option<String>,
}

/// How a document stands, from whether it was voided and replaced.
pub(super) fn state_of(voided: bool, replaced: bool) -> PaperState {
    match (voided, replaced) {
        (false, _) => PaperState::Genuine,
        (true, false) => PaperState::Void,
        (true, true) => PaperState::Replaced,
    }
}

impl Portal {
    /// What an open document says; `None` for one that is not open, or whose content is from before it was told.
    pub(super) fn text(&self, document: &Registered) -> Option<String> {
        let frozen = Frozen::read(document.content.as_deref()?.as_bytes()).ok()?;
        let state = state_of(document.voided.is_some(), document.replaced_by.is_some());
        self.templates.text_of(&frozen, &document.content_sha256, state, &self.site.address)
    }
}

/// The newest first.
pub(super) async fn list(State(portal): State<Portal>, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    let lang = Lang::of(asked.lang.as_deref());
    let number = match asked.page.as_deref().filter(|page| !page.is_empty()) {
        None => Some(1),
        Some(page) => page.parse::<i64>().ok().filter(|page| (1..=10_000).contains(page)),
    };
    let Some(number) = number else { return portal.not_found(&headers) };
    let made = portal
        .answer(
            &Key::Documents(lang, number),
            |database| async move { store::open_version(&database).await },
            |database, version| {
                let portal = portal.clone();
                async move {
                    let mut found = store::open_documents(&database, PER_PAGE + 1, (number - 1) * PER_PAGE).await?;
                    if number > 1 && found.is_empty() {
                        return Ok(None);
                    }
                    let more = i64::try_from(found.len()).unwrap_or(i64::MAX) > PER_PAGE;
                    found.truncate(usize::try_from(PER_PAGE).unwrap_or_default());
                    let body = page(&portal, lang, number, more, found)?;
                    Ok(Some(Answer::html(body, version, None).in_language(lang.tag())))
                }
            },
        )
        .await;
    portal.respond(made, &headers)
}

fn page(portal: &Portal, lang: Lang, number: i64, more: bool, found: Vec<OpenLine>) -> Result<String, PortalError> {
    let words = lang.words();
    let path = |number: i64| match number {
        1 => "/documents".to_owned(),
        number => format!("/documents?page={number}"),
    };
    let lines = found
        .into_iter()
        .map(|line| {
            let state = state_of(line.voided, line.replaced);
            let kind = Kind::ALL.iter().find(|kind| kind.as_str() == line.kind);
            Line {
                link: address(&format!("/verify/{}", line.code), lang),
                title: line.title,
                kind: kind.map_or(words.title, |kind| lang.kind(*kind)),
                doc_no: line.doc_no,
                agency: line.agency,
                issued_on: lang.day(local_date(line.issued_at)),
                state: state.key(),
                heading: match state {
                    PaperState::Void => words.void,
                    PaperState::Replaced => words.replaced,
                    PaperState::Genuine | PaperState::Preview => words.genuine,
                },
            }
        })
        .collect();
    let template = List {
        frame: Frame::in_language(&portal.site, path(number), words),
        words,
        languages: Lang::ALL
            .into_iter()
            .filter(|other| *other != lang)
            .map(|other| (other.words().name, other.tag(), address(&path(number), other)))
            .collect(),
        lines,
        earlier: (number > 1).then(|| address(&path(number - 1), lang)),
        later: more.then(|| address(&path(number + 1), lang)),
    };
    Ok(template.render()?)
}

/// What a document says, as a text file.
pub(super) async fn text(State(portal): State<Portal>, headers: HeaderMap, Path(typed): Path<String>) -> Response {
    let Ok(code) = typed.parse::<VerificationCode>() else { return portal.not_found(&headers) };
    let name = code.to_string();
    let made = portal
        .cache
        .answer(
            &Key::DocumentText(code),
            || async { Ok(store::document_version(&portal.database, &name).await?.unwrap_or_default()) },
            |version| {
                let portal = portal.clone();
                let name = name.clone();
                async move {
                    let document = store::document(&portal.database, &name).await?;
                    let text = document.and_then(|document| portal.text(&document));
                    Ok(text.map(|text| Answer::text(text, version)))
                }
            },
        )
        .await;
    portal.respond(made, &headers)
}

/// The routes.
pub(super) fn routes() -> axum::Router<Portal> {
    use axum::routing::get;
    axum::Router::new().route("/documents", get(list)).route("/verify/{code}/text", get(text))
}
