//! Routes of signing in. None of them keeps its answer for an idempotency key: they carry secrets.

use access::{Caller, IssuedToken, Permit};
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header::CACHE_CONTROL, request::Parts};
use jiff::Timestamp;
use problem::{Json, Path, Problem};
use serde::{Deserialize, Serialize};
use service_kit::client::client_address;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{activate, issue_code, session::Origin, sign_in};
use crate::app::AppState;

/// The address behind a request: the peer's, or the one that a trusted proxy (the console, the gateway) passes on.
#[derive(Debug)]
pub(crate) struct Address(pub(crate) Option<String>);

impl FromRequestParts<AppState> for Address {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let address = client_address(&parts.extensions, &parts.headers, &state.trusted_proxies);
        Ok(Self(address.map(|address| address.to_string())))
    }
}

/// Login and password.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct SignIn {
    /// The login; letter case does not matter.
    login: String,
    /// The password.
    password: String,
}

/// A token and whom it speaks for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// For the header `Authorization: Bearer …`.
    token: String,
    /// Machine time from which on it does not hold.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Whom it speaks for.
    caller: Caller,
}

impl Session {
    pub(crate) fn new(issued: IssuedToken, caller: Caller) -> Self {
        Self { token: issued.token, expires_at: issued.expires_at, caller }
    }
}

impl IntoResponse for Session {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(self)).into_response()
    }
}

/// Signs in.
#[utoipa::path(post, path = "/v1/sessions", tag = "登录", summary = "登录", request_body = SignIn,
    responses((status = 201, body = Session)))]
pub(crate) async fn create_session(
    State(state): State<AppState>,
    Address(address): Address,
    Json(request): Json<SignIn>,
) -> problem::Result<Response> {
    let origin = Origin::new(&request.login, address);
    let (issued, caller) = sign_in(&state, &origin, &request.password).await?;
    Ok(Session::new(issued, caller).into_response())
}

/// A one-time code and the password to be set.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Activate {
    /// The login.
    login: String,
    /// The code as handed out.
    code: String,
    /// The new password.
    password: String,
}

/// Sets a password by a one-time code.
#[utoipa::path(post, path = "/v1/activations", tag = "登录", summary = "激活账号、设置密码", request_body = Activate,
    responses((status = 204, description = "密码已设置")))]
pub(crate) async fn create_activation(
    State(state): State<AppState>,
    Address(address): Address,
    Json(request): Json<Activate>,
) -> problem::Result<StatusCode> {
    let origin = Origin::new(&request.login, address);
    activate(&state, &origin, &request.code, &request.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A one-time code for handing over.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IssuedCode {
    account_id: Uuid,
    login: String,
    /// `ABCD-EFGH-JKMN`; shown this once.
    code: String,
    /// Machine time from which on it does not hold.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Makes a one-time code for an account; an earlier one is void.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/activation", tag = "账号", summary = "签发激活码",
    params(("account_id" = Uuid, Path)), responses((status = 201, body = IssuedCode)))]
pub(crate) async fn issue(
    State(state): State<AppState>,
    permit: Permit,
    Path(account_id): Path<Uuid>,
) -> problem::Result<Response> {
    let mut tx = state.database.begin().await?;
    let (account, code) = issue_code(&mut tx, &permit, account_id, state.clock.now()).await?;
    tx.commit().await?;
    let issued = IssuedCode { account_id, login: account.login, code: code.shown, expires_at: code.expires_at };
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(issued)).into_response())
}

/// The public keys that tokens are signed with (a JWK set).
#[utoipa::path(get, path = "/v1/keys", tag = "登录", summary = "令牌公钥（JWKS）",
    responses((status = 200, description = "JSON Web Key Set", body = serde_json::Value)))]
pub(crate) async fn keys(State(state): State<AppState>) -> problem::Result<Response> {
    let keys = state.issuer.jwks().map_err(|error| Problem::internal(&error))?;
    Ok(Json(keys).into_response())
}
