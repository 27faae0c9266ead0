//! Routes of signing on. Those whose answers carry secrets keep none for an idempotency key.

use access::{Permit, Resource};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header::CACHE_CONTROL};
use problem::{Json, Path, Problem, Text};
use serde::{Deserialize, Serialize};
use service_kit::etag::{IfMatch, Versioned};
use service_kit::idempotency::{Begun, Idempotent};
use utoipa::ToSchema;
use uuid::Uuid;

use super::session::{self, Return};
use super::{Attempt, Provider, identity, not_configured};
use crate::account::{self, Account};
use crate::app::{AppState, actor_of};
use crate::sign_in::http::{Address, Session};

fn provider(state: &AppState) -> Result<&Provider, Problem> {
    state.sign_on.as_deref().ok_or_else(not_configured)
}

/// Whether this installation has a sign-on, and its name.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct SignOn {
    /// False: sign in with account and password.
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Name>,
    /// Where a browser ends its session at the provider; missing where the provider has no such page.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_session: Option<String>,
}

/// What the sign-on is called.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Name {
    #[serde(rename = "zh-Hans")]
    zh_hans: String,
    #[serde(rename = "zh-Hant")]
    zh_hant: String,
    en: String,
}

/// Whether there is a sign-on.
#[utoipa::path(get, path = "/v1/sign-on", tag = "统一身份认证", summary = "查看是否启用统一身份认证",
    responses((status = 200, body = SignOn)))]
pub(crate) async fn show(State(state): State<AppState>) -> Json<SignOn> {
    let Some(provider) = state.sign_on.as_deref() else { return Json(SignOn::default()) };
    let settings = provider.settings();
    let name = Name {
        zh_hans: settings.name_zh_hans.clone(),
        zh_hant: settings.name_zh_hant.clone(),
        en: settings.name_en.clone(),
    };
    Json(SignOn { enabled: true, name: Some(name), end_session: provider.end_session() })
}

/// An attempt to sign on. Whoever asks for it keeps it for the browser that it is for, and compares the state.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignOnAttempt {
    /// Where the browser goes.
    authorization_url: String,
    /// Comes back beside the code, and must be the same.
    state: String,
    /// To be handed in with the code.
    nonce: String,
    /// To be handed in with the code (PKCE).
    code_verifier: String,
}

fn begun(attempt: Attempt) -> Response {
    let body = SignOnAttempt {
        authorization_url: attempt.address,
        state: attempt.state,
        nonce: attempt.nonce,
        code_verifier: attempt.verifier,
    };
    (StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// Begins an attempt.
#[utoipa::path(post, path = "/v1/sign-on/attempts", tag = "统一身份认证", summary = "开始统一身份认证",
    responses((status = 201, body = SignOnAttempt)))]
pub(crate) async fn begin(State(state): State<AppState>) -> problem::Result<Response> {
    Ok(begun(provider(&state)?.begin(state.clock.now()).await?))
}

/// What came back from the provider.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Returned {
    /// The code.
    code: String,
    /// Of the attempt.
    nonce: String,
    /// Of the attempt.
    code_verifier: String,
}

impl From<Returned> for Return {
    fn from(code: Returned) -> Self {
        Self { code: code.code, nonce: code.nonce, verifier: code.code_verifier }
    }
}

/// Signs on with a code.
#[utoipa::path(post, path = "/v1/sign-on/sessions", tag = "统一身份认证", summary = "以统一身份登录", request_body = Returned,
    responses((status = 201, body = Session)))]
pub(crate) async fn create_session(
    State(state): State<AppState>,
    Address(address): Address,
    Json(code): Json<Returned>,
) -> problem::Result<Response> {
    let (issued, caller) = session::sign_on(&state, provider(&state)?, address.as_deref(), &Return::from(code)).await?;
    Ok(Session::new(issued, caller).into_response())
}

/// The password once more.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Password {
    /// The password of the own account.
    password: String,
}

/// The own account, which is what the permission must cover.
fn own(permit: &Permit) -> Result<Uuid, Problem> {
    let account_id = permit.caller().account_id;
    permit.on(&Resource::owned_by(account_id))?;
    Ok(account_id.into())
}

/// Begins to bind one's own identity.
#[utoipa::path(post, path = "/v1/me/identity/attempts", tag = "统一身份认证", summary = "开始绑定本人统一身份",
    request_body = Password, responses((status = 201, body = SignOnAttempt)))]
pub(crate) async fn begin_own(
    State(state): State<AppState>,
    permit: Permit,
    Address(address): Address,
    Json(request): Json<Password>,
) -> problem::Result<Response> {
    let account_id = own(&permit)?;
    Ok(begun(session::begin_own(&state, provider(&state)?, account_id, address, &request.password).await?))
}

/// Binds one's own identity with a code.
#[utoipa::path(post, path = "/v1/me/identity", tag = "统一身份认证", summary = "绑定本人统一身份", request_body = Returned,
    responses((status = 204, description = "已绑定")))]
pub(crate) async fn bind_own(
    State(state): State<AppState>,
    permit: Permit,
    Json(code): Json<Returned>,
) -> problem::Result<StatusCode> {
    let account_id = own(&permit)?;
    session::bind_own(&state, provider(&state)?, &actor_of(&permit), account_id, &Return::from(code)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the binding of one's own identity.
#[utoipa::path(post, path = "/v1/me/identity/removal", tag = "统一身份认证", summary = "解除本人统一身份",
    request_body = Password, responses((status = 204, description = "已解除")))]
pub(crate) async fn unbind_own(
    State(state): State<AppState>,
    permit: Permit,
    Address(address): Address,
    Json(request): Json<Password>,
) -> problem::Result<StatusCode> {
    let account_id = own(&permit)?;
    session::unbind_own(&state, &actor_of(&permit), account_id, address, &request.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whose identity.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Subject {
    /// What the provider calls the person (the claim `oidc.subject_claim`), exactly.
    subject: String,
}

/// Binds an identity to an account.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/identity", tag = "统一身份认证", summary = "为账号绑定统一身份",
    params(("account_id" = Uuid, Path)), request_body = Subject, responses((status = 200, body = Account)))]
pub(crate) async fn bind(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    version: IfMatch,
    Path(account_id): Path<Uuid>,
    Json(request): Json<Subject>,
) -> problem::Result<Response> {
    let subject = request.subject.trim();
    if subject.is_empty() || subject.len() > 255 || subject.contains(char::is_control) {
        return Err(Problem::invalid_field(
            "/subject",
            Text::new("1 至 255 个字符，且不含控制字符", "1 to 255 characters and no control characters"),
        ));
    }
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let account = account::store::lock(&mut work, account_id).await?.ok_or_else(account::unknown_account)?;
    permit.on(&account.resource())?;
    version.check(account.version)?;
    let wish = identity::Wish {
        account: &account,
        issuer: &provider(&state)?.settings().issuer,
        subject,
        actor: &actor_of(&permit),
        by: permit.caller().account_id.into(),
    };
    let account = identity::bind(&mut work, state.ids.as_ref(), wish).await?;
    work.commit(Versioned(account.version, Json(account))).await
}

/// Ends the binding of an account.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/identity/removal", tag = "统一身份认证",
    summary = "解除账号的统一身份", params(("account_id" = Uuid, Path)), responses((status = 200, body = Account)))]
pub(crate) async fn unbind(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    version: IfMatch,
    Path(account_id): Path<Uuid>,
) -> problem::Result<Response> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let account = account::store::lock(&mut work, account_id).await?.ok_or_else(account::unknown_account)?;
    permit.on(&account.resource())?;
    version.check(account.version)?;
    let by = permit.caller().account_id.into();
    let account = identity::unbind(&mut work, &account, &actor_of(&permit), by).await?;
    work.commit(Versioned(account.version, Json(account))).await
}
