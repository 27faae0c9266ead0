//! Signing on (统一身份认证), and the own account with its identity.
//!
//! What belongs to an attempt is kept in a sealed cookie of the browser that began it, for ten minutes: whoever brings a code
//! without it is sent away, so nobody can be signed on as somebody else by a link.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::sign_in::local;
use super::{Asked, Named};
use crate::api::{Failure, Refusal, Room, Sending};
use crate::app::AppState;
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html};
use crate::session::{Client, Ctx, Session, lang_of};
use crate::texts::Lang;

/// How long somebody has at the provider.
const ATTEMPT_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// The name of the sign-on in the language of the page.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) name: String,
}

/// What the registry says about the sign-on.
#[derive(Debug, Default)]
pub(super) struct SignOn {
    pub(super) door: Option<Door>,
    pub(super) end_session: Option<String>,
}

impl SignOn {
    /// Whether there is a sign-on. A registry that does not answer costs the button, not the page.
    pub(super) async fn of(app: &AppState, lang: Lang) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Answer {
            enabled: bool,
            name: Value,
            end_session: Option<String>,
        }
        let answer: Answer = app.api.line(None, lang).get(Room::Registry, "/v1/sign-on").await.unwrap_or_default();
        let name = answer.name.get(lang.tag()).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { door: answer.enabled.then_some(Door { name }), end_session: answer.end_session }
    }
}

/// What the browser keeps of an attempt.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    state: String,
    nonce: String,
    verifier: String,
    /// Where to go on to.
    next: String,
    /// To bind the identity to the account that is signed in, instead of signing on.
    bind: bool,
    until: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Attempt {
    authorization_url: String,
    state: String,
    nonce: String,
    code_verifier: String,
}

/// Keeps an attempt of the registry; the jar with its cookie, and where the browser goes.
fn keep(app: &AppState, jar: CookieJar, answer: Value, next: &str, bind: bool) -> Result<(CookieJar, String), Failure> {
    let attempt: Attempt = serde_json::from_value(answer).map_err(|_| Failure::Broken(Room::Registry))?;
    let until = app.clock.now().checked_add(ATTEMPT_LIFE).unwrap_or(Timestamp::MAX);
    let kept = Kept {
        state: attempt.state,
        nonce: attempt.nonce,
        verifier: attempt.code_verifier,
        next: next.to_owned(),
        bind,
        until,
    };
    let cookie = app.sealer.sealed(app.sealer.attempt_name(), &kept).map_err(|error| {
        tracing::error!(%error, "an attempt to sign on cannot be kept");
        Failure::Broken(Room::Registry)
    })?;
    Ok((jar.add(cookie), attempt.authorization_url))
}

#[derive(Debug, Template)]
#[template(path = "sign_on_failed.html")]
struct Failed {
    page: Page,
    explanation: String,
}

/// Begins to sign on.
pub(crate) async fn start(
    State(app): State<AppState>,
    jar: CookieJar,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let lang = lang_of(&jar);
    let next = local(asked.get("next"));
    let answer =
        app.api.line(None, lang).send(Method::POST, Room::Registry, "/v1/sign-on/attempts", Sending::default()).await;
    let answer = match answer {
        Ok(answer) => answer,
        // The registry is there, and the provider is not: the password still opens the door, and the page says so.
        Err(Failure::Away(_)) => return failed(&app, jar, lang, StatusCode::SERVICE_UNAVAILABLE, None),
        Err(Failure::Refused(refusal)) => return failed(&app, jar, lang, refusal.status(), Some(&refusal)),
        Err(failure) => return Err(failure),
    };
    let (jar, address) = keep(&app, jar, answer, next, false)?;
    Ok((jar, Redirect::to(&address)).into_response())
}

fn failed(
    app: &AppState,
    jar: CookieJar,
    lang: Lang,
    status: StatusCode,
    refusal: Option<&Refusal>,
) -> Result<Response, Failure> {
    let page = Page::outside(lang, "sign_on.failed", "/sign-in");
    let explanation = match refusal {
        Some(refusal) => refusal.detail.clone(),
        None if status == StatusCode::SERVICE_UNAVAILABLE => page.t("sign_on.away").to_owned(),
        None => page.t("sign_on.not_yours").to_owned(),
    };
    let jar = jar.remove(app.sealer.removal_of(app.sealer.attempt_name()));
    Ok((jar, html(status, &Failed { page, explanation })?).into_response())
}

/// Where the provider sends people back to.
pub(crate) async fn callback(
    State(app): State<AppState>,
    Client(client): Client,
    jar: CookieJar,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let lang = lang_of(&jar);
    let now = app.clock.now();
    let kept: Option<Kept> = app.sealer.unsealed(app.sealer.attempt_name(), &jar);
    let kept = kept.filter(|kept| kept.until > now && !kept.state.is_empty() && kept.state == asked.get("state"));
    let Some(kept) = kept else { return failed(&app, jar, lang, StatusCode::BAD_REQUEST, None) };
    let texts = app.catalogue.texts(lang);
    if asked.get("code").is_empty() {
        // What the provider says about it is its own words, and anybody may have written them.
        let refusal = Refusal::own(texts.t("sign_on.failed"), texts.t("sign_on.not_finished"));
        return failed(&app, jar, lang, StatusCode::FORBIDDEN, Some(&refusal));
    }
    let body = json!({ "code": asked.get("code"), "nonce": kept.nonce, "code_verifier": kept.verifier });
    let sending = Sending { body: Some(body), ..Sending::default() };
    let session = app.sealer.open(&jar, now);
    let (token, path) = match (&session, kept.bind) {
        (Some(session), true) => (Some(session.token()), "/v1/me/identity"),
        (None, true) => return Err(Failure::SignedOut),
        (_, false) => (None, "/v1/sign-on/sessions"),
    };
    let answer =
        match app.api.line(token, lang).for_client(client).send(Method::POST, Room::Registry, path, sending).await {
            Ok(answer) => answer,
            Err(Failure::Away(_)) => return failed(&app, jar, lang, StatusCode::SERVICE_UNAVAILABLE, None),
            Err(Failure::Refused(refusal)) => return failed(&app, jar, lang, refusal.status(), Some(&refusal)),
            Err(failure) => return Err(failure),
        };
    let jar = jar.remove(app.sealer.removal_of(app.sealer.attempt_name()));
    if kept.bind {
        return Ok((jar, done("/account", "done.identity_bound")).into_response());
    }
    let session = Session::of_answer(&answer, true).ok_or(Failure::Broken(Room::Registry))?;
    match app.sealer.cookie(&session) {
        Ok(cookie) => Ok((jar.add(cookie), Redirect::to(local(&kept.next))).into_response()),
        Err(error) => {
            tracing::error!(%error, "the session cannot be kept");
            let refusal = Refusal::own(texts.t("sign_on.failed"), texts.t("sign_in.too_long"));
            failed(&app, jar, lang, StatusCode::UNPROCESSABLE_ENTITY, Some(&refusal))
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Granted {
    role: String,
    area: Named,
    unit: Named,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Me {
    login: String,
    display_name: String,
    identity_bound: bool,
    grants: Vec<Granted>,
}

#[derive(Debug, Template)]
#[template(path = "account.html")]
struct Own {
    page: Page,
    forms: Forms,
    me: Me,
    sign_on: Option<Door>,
}

#[derive(Debug, Template)]
#[template(path = "sign_on_go.html")]
struct Go {
    page: Page,
    address: String,
    name: String,
}

/// The own account.
pub(crate) async fn account(ctx: Ctx) -> Result<Response, Failure> {
    render(&ctx, None).await
}

async fn render(ctx: &Ctx, posted: Option<(Posted, Refusal)>) -> Result<Response, Failure> {
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    let me = ctx.line().get(Room::Registry, "/v1/me").await?;
    let sign_on = SignOn::of(&ctx.app, ctx.lang).await.door;
    html(status, &Own { page: ctx.page("own.title"), forms: ctx.forms(posted), me, sign_on })
}

/// Begins to bind the own identity. A page leads on, not a redirect: a form of ours may lead to our own pages alone.
pub(crate) async fn bind(ctx: Ctx, jar: CookieJar, posted: Posted) -> Result<Response, Failure> {
    let sending = Sending { body: Some(json!({ "password": posted.get("password") })), ..Sending::default() };
    let answer = ctx.line().send(Method::POST, Room::Registry, "/v1/me/identity/attempts", sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(answer) => {
            let (jar, address) = keep(&ctx.app, jar, answer, "/account", true)?;
            let name = SignOn::of(&ctx.app, ctx.lang).await.door.map(|door| door.name).unwrap_or_default();
            Ok((jar, html(StatusCode::OK, &Go { page: ctx.page("own.title"), address, name })?).into_response())
        }
        Outcome::Again(refusal) => render(&ctx, Some((posted, refusal))).await,
    }
}

/// Ends the binding of the own identity.
pub(crate) async fn unbind(ctx: Ctx, posted: Posted) -> Result<Response, Failure> {
    let sending = Sending { body: Some(json!({ "password": posted.get("password") })), ..Sending::default() };
    let answer = ctx.line().send(Method::POST, Room::Registry, "/v1/me/identity/removal", sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done("/account", "done.identity_unbound")),
        Outcome::Again(refusal) => render(&ctx, Some((posted, refusal))).await,
    }
}
