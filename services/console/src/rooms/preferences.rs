//! What comes to oneself by which way (消息偏好), and how a kind of message reads (消息预览).

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::Asked;
use crate::api::{Failure, Refusal, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html, ok};
use crate::session::Ctx;
use crate::texts::Lang;

/// In which capacity a reader gets a message.
const CAPACITIES: [&str; 4] = ["to", "copy", "inform", "fallback"];

/// A kind of message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Kind {
    template: String,
    title: String,
    legal: bool,
    mail: bool,
    sms: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    version: i64,
    phone: Option<String>,
    daily_digest: bool,
    templates: Vec<Kind>,
}

impl Kind {
    fn mail(&self) -> &'static str {
        tick(self.mail)
    }

    fn sms(&self) -> &'static str {
        tick(self.sms)
    }
}

impl Wanted {
    fn digest(&self) -> &'static str {
        tick(self.daily_digest)
    }

    fn of_kind(&self, legal: bool) -> impl Iterator<Item = &Kind> {
        self.templates.iter().filter(move |kind| kind.legal == legal)
    }
}

#[derive(Debug, Template)]
#[template(path = "preferences.html")]
struct Preferences {
    page: Page,
    forms: Forms,
    wanted: Wanted,
}

/// The value of a box that begins ticked, or does not.
fn tick(yes: bool) -> &'static str {
    if yes { "true" } else { "" }
}

async fn wanted(ctx: &Ctx) -> Result<Wanted, Failure> {
    ctx.line().get(Room::Notifications, "/v1/preferences").await
}

/// One's own preferences.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Failure> {
    render(&ctx, None).await
}

async fn render(ctx: &Ctx, posted: Option<(Posted, Refusal)>) -> Result<Response, Failure> {
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    let template =
        Preferences { page: ctx.page("preference.title"), forms: ctx.forms(posted), wanted: wanted(ctx).await? };
    html(status, &template)
}

/// Replaces them.
pub(crate) async fn save(ctx: Ctx, posted: Posted) -> Result<Response, Failure> {
    let off = |way: &str| -> Vec<&str> {
        posted.all("kind").filter(|kind| !posted.ticked(&format!("{way}/{kind}"))).collect()
    };
    let body = json!({
        "mail_off": off("mail"), "sms_off": off("sms"), "phone": posted.some("phone"),
        "daily_digest": posted.ticked("daily_digest"),
    });
    let sending = Sending { body: Some(body), version: posted.version(), ..Sending::default() };
    let answer = ctx.line().send(Method::PUT, Room::Notifications, "/v1/preferences", sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done("/preferences", "done.preferences_saved")),
        Outcome::Again(refusal) => render(&ctx, Some((posted, refusal))).await,
    }
}

/// A message as it would be written today.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sample {
    subject: String,
    text: String,
    short: String,
    language: String,
}

#[derive(Debug, Template)]
#[template(path = "message_preview.html")]
struct PreviewPage {
    page: Page,
    kinds: Vec<(String, String)>,
    kind: String,
    language: String,
    capacity: String,
    sample: Option<Sample>,
    /// Why there is nothing to show.
    refused: String,
}

/// A kind of message on the newest real notice of one's area.
pub(crate) async fn preview(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let kinds: Vec<(String, String)> =
        wanted(&ctx).await?.templates.into_iter().map(|kind| (kind.template, kind.title)).collect();
    let kind = kinds.iter().find(|(kind, _)| kind == asked.get("kind")).map_or("", |(kind, _)| kind).to_owned();
    let (sample, refused) = if kind.is_empty() {
        (None, String::new())
    } else {
        let path = format!("/v1/templates/{kind}/preview");
        match ctx.line().find(Room::Notifications, &path, asked.pick(&["language", "capacity"])).await {
            Ok(sample) => (Some(sample), String::new()),
            // There is no such message yet, or the words of the address are none of ours.
            Err(Failure::Refused(refusal)) if refusal.status() != StatusCode::FORBIDDEN => (None, refusal.detail),
            Err(failure) => return Err(failure),
        }
    };
    let (language, capacity) = (asked.get("language").to_owned(), asked.get("capacity").to_owned());
    ok(&PreviewPage { page: ctx.page("message_preview.title"), kinds, kind, language, capacity, sample, refused })
}
