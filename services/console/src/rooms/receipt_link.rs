//! The page that a mail's one-time link opens (一次性签收链接): what is signed for, and one button. Nobody is signed in here;
//! the link itself says who signs.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::CookieJar;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Asked;
use crate::api::{Failure, Refusal, Room, Sending, percent};
use crate::app::AppState;
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html};
use crate::session::lang_of;
use crate::texts::Lang;

/// Its address; `code` is what the link carries.
const ADDRESS: &str = "/receipts/link";

/// What a link is for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Link {
    document_kind_zh: String,
    doc_no: String,
    title: String,
    unit_name: String,
    issuing_unit_name: String,
    signer_name: String,
    state: String,
    due_on: String,
    usable: bool,
}

#[derive(Debug, Template)]
#[template(path = "receipts/link.html")]
struct LinkPage {
    page: Page,
    forms: Forms,
    code: String,
    /// Absent when the link is none of ours.
    link: Option<Link>,
    /// Why there is nothing to sign.
    refused: String,
}

async fn call(app: &AppState, lang: Lang, verb: &str, code: &str) -> Result<Value, Failure> {
    let sending = Sending { body: Some(json!({ "token": code })), ..Sending::default() };
    app.api
        .line(None, lang)
        .send(Method::POST, Room::Notifications, &format!("/v1/receipt-links/{verb}"), sending)
        .await
}

async fn render(
    app: &AppState,
    lang: Lang,
    code: String,
    signed: bool,
    posted: Option<(Posted, Refusal)>,
) -> Result<Response, Failure> {
    let (link, refused, unknown) = match call(app, lang, "show", &code).await {
        Ok(answer) => {
            let link: Link = serde_json::from_value(answer).map_err(|_| Failure::Broken(Room::Notifications))?;
            (Some(link), String::new(), None)
        }
        Err(Failure::Refused(refusal)) => (None, refusal.detail.clone(), Some(refusal.status())),
        Err(failure) => return Err(failure),
    };
    let refusal = posted.as_ref().map(|(_, refusal)| refusal.status());
    let texts = app.catalogue.texts(lang);
    let mut page = Page::outside(lang, "receipt_link.title", &format!("{ADDRESS}?code={}", percent(&code)));
    page.done = signed.then(|| "done.signed".into());
    let forms = Forms::new(texts, app.ids.new_id().simple().to_string(), posted);
    html(unknown.or(refusal).unwrap_or(StatusCode::OK), &LinkPage { page, forms, code, link, refused })
}

/// What the link is for. Looking uses nothing up: scanners of mail follow links.
pub(crate) async fn show(
    State(app): State<AppState>,
    jar: CookieJar,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let signed = asked.get("done") == "signed";
    render(&app, lang_of(&jar), asked.get("code").to_owned(), signed, None).await
}

/// Signs for the document (签收).
pub(crate) async fn sign(State(app): State<AppState>, jar: CookieJar, posted: Posted) -> Result<Response, Failure> {
    let lang = lang_of(&jar);
    let code = posted.get("code").to_owned();
    match call(&app, lang, "sign", &code).await {
        Ok(_) => Ok(done(&format!("{ADDRESS}?code={}", percent(&code)), "done.signed")),
        Err(Failure::Refused(refusal)) => render(&app, lang, code, false, Some((posted, *refusal))).await,
        Err(failure) => Err(failure),
    }
}
