//! The page of verification (文书核验): whether a document is genuine, void or replaced, and whether a file is one of its own.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use documents::{Kind, PaperState, VerificationCode};
use domain::local_time::local_date;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::answer::Answer;
use super::cache::Key;
use super::documents::state_of;
use super::store::{self, Registered};
use super::view::Frame;
use super::words::{Lang, Words};
use super::{Portal, PortalError, view};
use crate::config::PortalSection;

/// What is asked.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Asked {
    code: Option<String>,
    lang: Option<String>,
}

#[derive(Template)]
#[template(path = "verify.html")]
struct Page<'a> {
    frame: Frame<'a>,
    words: &'static Words,
    script: String,
    /// Name, tag and address of the page in the other languages.
    languages: Vec<(&'static str, &'static str, String)>,
    /// What stands in the field.
    typed: &'a str,
    /// Heading and advice about what was typed.
    trouble: Option<(&'static str, &'static str)>,
    found: Option<Found<'a>>,
}

/// A registered document in words.
struct Found<'a> {
    document: &'a Registered,
    kind: &'static str,
    issued_on: String,
    voided_on: Option<String>,
    cause: Option<&'static str>,
    replaced_by: Option<(String, String)>,
    state: &'static str,
    heading: &'static str,
    advice: &'static str,
    matches: &'static str,
    files: Vec<(&'a str, String)>,
    /// What it says, of an open document, and where it can be had as a file.
    text: Option<(String, String)>,
}

/// An address of the portal in a language.
pub(super) fn address(path: &str, lang: Lang) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    if lang == Lang::default() { path.to_owned() } else { format!("{path}{mark}lang={}", lang.tag()) }
}

fn page(
    site: &PortalSection,
    lang: Lang,
    path: &str,
    typed: &str,
    trouble: Option<(&'static str, &'static str)>,
    found: Option<Found<'_>>,
) -> Result<String, PortalError> {
    let template = Page {
        frame: Frame::in_language(site, path, lang.words()),
        words: lang.words(),
        script: view::script_address(),
        languages: Lang::ALL
            .into_iter()
            .filter(|other| *other != lang)
            .map(|other| (other.words().name, other.tag(), address(path, other)))
            .collect(),
        typed,
        trouble,
        found,
    };
    Ok(template.render()?)
}

/// The form, and the way from it to a document.
pub(super) async fn form(State(portal): State<Portal>, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    let lang = Lang::of(asked.lang.as_deref());
    let typed = asked.code.as_deref().unwrap_or_default().trim();
    if typed.is_empty() {
        return match page(&portal.site, lang, "/verify", "", None, None) {
            Ok(body) => Answer::html(body, String::new(), None).in_language(lang.tag()).respond(&headers),
            Err(error) => portal.failed(&error),
        };
    }
    match typed.parse::<VerificationCode>() {
        Ok(code) => Redirect::to(&address(&format!("/verify/{code}"), lang)).into_response(),
        Err(_) => missing(&portal, lang, typed, &headers, (lang.words().malformed, "")),
    }
}

/// A document by its code, however it is written.
pub(super) async fn show(
    State(portal): State<Portal>,
    headers: HeaderMap,
    Path(typed): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let lang = Lang::of(asked.lang.as_deref());
    let Ok(code) = typed.parse::<VerificationCode>() else {
        return missing(&portal, lang, &typed, &headers, (lang.words().malformed, ""));
    };
    let text = code.to_string();
    let made = portal
        .cache
        .answer(
            &Key::Document(code, lang),
            || async { Ok(store::document_version(&portal.database, &text).await?.unwrap_or_default()) },
            |version| {
                let portal = portal.clone();
                let text = text.clone();
                async move {
                    let Some(document) = store::document(&portal.database, &text).await? else { return Ok(None) };
                    let path = format!("/verify/{text}");
                    let body = page(&portal.site, lang, &path, &text, None, Some(found(&portal, &document, lang)))?;
                    Ok(Some(Answer::html(body, version, None).in_language(lang.tag()).with_script()))
                }
            },
        )
        .await;
    match made {
        Ok(None) => {
            let words = lang.words();
            missing(&portal, lang, &text, &headers, (words.unknown, words.unknown_advice))
        }
        made => portal.respond(made, &headers),
    }
}

/// The script that computes a file's hash.
pub(super) async fn script(headers: HeaderMap) -> Response {
    Answer::script(view::SCRIPT, view::SCRIPT_VERSION.clone()).respond(&headers)
}

fn missing(
    portal: &Portal,
    lang: Lang,
    typed: &str,
    headers: &HeaderMap,
    trouble: (&'static str, &'static str),
) -> Response {
    // What was typed is shown as it was, not too much of it.
    let typed: String = typed.chars().take(40).collect();
    match page(&portal.site, lang, "/verify", &typed, Some(trouble), None) {
        Ok(body) => Answer::missing(body, StatusCode::NOT_FOUND).in_language(lang.tag()).respond(headers),
        Err(error) => portal.failed(&error),
    }
}

fn found<'a>(portal: &Portal, document: &'a Registered, lang: Lang) -> Found<'a> {
    let words = lang.words();
    let state = state_of(document.voided.is_some(), document.replaced_by.is_some());
    let (heading, advice, matches) = match state {
        PaperState::Genuine | PaperState::Preview => (words.genuine, words.genuine_advice, words.matches),
        PaperState::Void => (words.void, words.void_advice, words.matches_void),
        PaperState::Replaced => (words.replaced, words.replaced_advice, words.matches_replaced),
    };
    let kind = Kind::ALL.iter().find(|kind| kind.as_str() == document.kind);
    Found {
        kind: kind.map_or(words.title, |kind| lang.kind(*kind)),
        issued_on: lang.day(local_date(document.issued_at)),
        voided_on: document.voided.map(|(at, _)| lang.day(local_date(at))),
        cause: document.voided.map(|(_, cause)| lang.cause(cause)),
        replaced_by: document
            .replaced_by
            .as_ref()
            .map(|(number, code)| (number.clone(), address(&format!("/verify/{code}"), lang))),
        state: state.key(),
        heading,
        advice,
        matches,
        text: portal.text(document).map(|text| (text, format!("/verify/{}/text", document.code))),
        files: document.files.iter().map(|(sha256, format)| (sha256.as_str(), format.to_uppercase())).collect(),
        document,
    }
}

/// The routes.
pub(super) fn routes() -> axum::Router<Portal> {
    use axum::routing::get;
    axum::Router::new()
        .route("/verify", get(form))
        .route("/verify/{code}", get(show))
        .route(view::SCRIPT_PATH, get(script))
}
