//! Signing in and out, activation of an account, the language.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use http::{Method, StatusCode};
use serde_json::json;

use super::Asked;
use super::sign_on::{Door, SignOn};
use crate::api::{Failure, Refusal, Room, Sending};
use crate::app::AppState;
use crate::form::{Forms, Posted};
use crate::page::{Page, html};
use crate::session::{Client, LANGUAGE_COOKIE, Session, lang_of};
use crate::texts::Lang;

#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    page: Page,
    forms: Forms,
    next: String,
    activated: bool,
    /// The government's sign-on, where there is one.
    sign_on: Option<Door>,
    /// Where its session ends; for whoever has just left by it.
    end_session: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "activate.html")]
struct Activation {
    page: Page,
    forms: Forms,
}

/// A path of our own to go on to; anything else leads home.
pub(super) fn local(path: &str) -> &str {
    let ours = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.contains(char::is_control)
        && !path.starts_with("/sign-");
    if ours { path } else { "/" }
}

fn forms(app: &AppState, lang: Lang, posted: Option<(Posted, Refusal)>) -> Forms {
    Forms::new(app.catalogue.texts(lang), app.ids.new_id().simple().to_string(), posted)
}

/// The page for signing in.
pub(crate) async fn form(
    State(app): State<AppState>,
    jar: CookieJar,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let next = local(asked.get("next")).to_owned();
    if app.sealer.open(&jar, app.clock.now()).is_some() {
        return Ok(Redirect::to(&next).into_response());
    }
    let lang = lang_of(&jar);
    let sign_on = SignOn::of(&app, lang).await;
    let template = SignIn {
        page: Page::outside(lang, "sign_in.title", "/sign-in"),
        forms: forms(&app, lang, None),
        next,
        activated: asked.get("activated") == "1",
        end_session: sign_on.end_session.filter(|_| asked.get("left") == "1"),
        sign_on: sign_on.door,
    };
    html(StatusCode::OK, &template)
}

/// Signs in at the registry and keeps the token.
pub(crate) async fn enter(
    State(app): State<AppState>,
    Client(client): Client,
    jar: CookieJar,
    posted: Posted,
) -> Result<Response, Failure> {
    let lang = lang_of(&jar);
    let next = local(posted.get("next")).to_owned();
    let body = json!({ "login": posted.get("login"), "password": posted.get("password") });
    let sending = Sending { body: Some(body), ..Sending::default() };
    let line = app.api.line(None, lang).for_client(client);
    let answer = line.send(Method::POST, Room::Registry, "/v1/sessions", sending).await;
    let refusal = match answer {
        Ok(answer) => {
            let session = Session::of_answer(&answer, false).ok_or(Failure::Broken(Room::Registry))?;
            let texts = app.catalogue.texts(lang);
            match app.sealer.cookie(&session) {
                Ok(cookie) => return Ok((jar.add(cookie), Redirect::to(&next)).into_response()),
                Err(error) => {
                    tracing::error!(%error, "the session cannot be kept");
                    Refusal::own(texts.t("sign_in.title"), texts.t("sign_in.too_long"))
                }
            }
        }
        Err(Failure::Refused(refusal)) => *refusal,
        Err(failure) => return Err(failure),
    };
    let status = refusal.status();
    let template = SignIn {
        page: Page::outside(lang, "sign_in.title", "/sign-in"),
        forms: forms(&app, lang, Some((posted, refusal))),
        next,
        activated: false,
        end_session: None,
        sign_on: SignOn::of(&app, lang).await.door,
    };
    html(status, &template)
}

/// Forgets the token.
pub(crate) async fn leave(State(app): State<AppState>, jar: CookieJar) -> Response {
    // Not straight to the provider: a form of ours may lead to our own pages alone. The page offers the way there.
    let signed_on = app.sealer.open(&jar, app.clock.now()).is_some_and(|session| session.signed_on);
    let to = if signed_on { "/sign-in?left=1" } else { "/sign-in" };
    (jar.remove(app.sealer.removal()), Redirect::to(to)).into_response()
}

/// The page on which a new account chooses its password.
pub(crate) async fn activation(State(app): State<AppState>, jar: CookieJar) -> Result<Response, Failure> {
    let lang = lang_of(&jar);
    let page = Page::outside(lang, "activate.title", "/activate");
    html(StatusCode::OK, &Activation { page, forms: forms(&app, lang, None) })
}

/// Activates an account by its code.
pub(crate) async fn activate(
    State(app): State<AppState>,
    Client(client): Client,
    jar: CookieJar,
    posted: Posted,
) -> Result<Response, Failure> {
    let lang = lang_of(&jar);
    let texts = app.catalogue.texts(lang);
    let refusal = if posted.get("password") == posted.get("password_again") {
        let body = json!({
            "login": posted.get("login"), "code": posted.get("code"), "password": posted.get("password"),
        });
        let sending = Sending { body: Some(body), ..Sending::default() };
        let line = app.api.line(None, lang).for_client(client);
        match line.send(Method::POST, Room::Registry, "/v1/activations", sending).await {
            Ok(_) => return Ok(Redirect::to("/sign-in?activated=1").into_response()),
            Err(Failure::Refused(refusal)) => *refusal,
            Err(failure) => return Err(failure),
        }
    } else {
        Refusal::own(texts.t("form.invalid"), texts.t("form.invalid_advice"))
            .field("/password_again", texts.t("activate.differs").to_owned())
    };
    let status = refusal.status();
    let page = Page::outside(lang, "activate.title", "/activate");
    html(status, &Activation { page, forms: forms(&app, lang, Some((posted, refusal))) })
}

/// Changes the language and comes back.
pub(crate) async fn language(jar: CookieJar, Query(asked): Query<Asked>) -> Response {
    let back = Redirect::to(local(asked.get("back")));
    let Some(lang) = Lang::of_tag(asked.get("tag")) else { return back.into_response() };
    let mut cookie = Cookie::build((LANGUAGE_COOKIE, lang.tag())).path("/").http_only(true).same_site(SameSite::Lax);
    cookie = cookie.permanent();
    (jar.add(cookie), back).into_response()
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn only_paths_of_our_own_are_gone_on_to() {
        assert_eq!(local("/cases?state=a"), "/cases?state=a");
        for foreign in
            ["", "https://evil.example/", "//evil.example", "/\\evil.example", "cases", "/\r\nx: y", "/sign-out"]
        {
            assert_eq!(local(foreign), "/", "{foreign}");
        }
    }
}
