//! Routes of accounts.

use access::{Grant, Permit, Resource, Role};
use axum::extract::State;
use axum::response::Response;
use contracts::Actor;
use problem::{Json, Path, Problem, Query, Text};
use serde::{Deserialize, Serialize};
use service_kit::{
    etag::{IfMatch, Versioned},
    idempotency::{Begun, Idempotent},
    page::{Page, PageQuery},
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Account, store, switch, unknown_account};
use crate::{
    app::{AppState, actor_of},
    inspector,
    query::{pattern, plain},
};

/// What a list of accounts is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AccountQuery {
    /// Division code; with everything below it.
    area: Option<String>,
    /// A role, such as `unit_principal`.
    role: Option<Role>,
    /// Part of the login or of the name.
    q: Option<String>,
}

/// The accounts that the caller may manage, by login.
#[utoipa::path(get, path = "/v1/accounts", tag = "账号", summary = "查看账号", params(AccountQuery, PageQuery),
    responses((status = 200, body = Page<Account>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<AccountQuery>,
    Query(page): Query<PageQuery>,
) -> problem::Result<Json<Page<Account>>> {
    let page = page.request::<String>()?;
    for (pointer, text) in [("query/area", &query.area), ("query/after", &page.after)] {
        text.as_deref().map(|text| plain(pointer, text)).transpose()?;
    }
    let filter = store::Filter {
        areas: permit.scope().areas.into_iter().map(Into::into).collect(),
        area_code: query.area,
        role: query.role.map(|role| role.to_string()),
        pattern: pattern(query.q.as_deref())?,
        after: page.after.clone(),
        limit: page.fetch(),
    };
    let mut connection = state.database.pool().acquire().await?;
    let rows = store::page(&mut connection, &filter).await?;
    Ok(Json(Page::new(rows, &page, |account| account.login.clone())))
}

/// One account.
#[utoipa::path(get, path = "/v1/accounts/{account_id}", tag = "账号", summary = "查看一个账号",
    params(("account_id" = Uuid, Path)), responses((status = 200, body = Account)))]
pub(crate) async fn one(
    State(state): State<AppState>,
    permit: Permit,
    Path(account_id): Path<Uuid>,
) -> problem::Result<Versioned<Json<Account>>> {
    let mut connection = state.database.pool().acquire().await?;
    let account = store::get(&mut connection, account_id)
        .await?
        .filter(|account| permit.on(&account.resource()).is_ok())
        .ok_or_else(unknown_account)?;
    Ok(Versioned(account.version, Json(account)))
}

/// Takes an account out of use.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/deactivation", tag = "账号", summary = "停用账号",
    params(("account_id" = Uuid, Path)), responses((status = 200, body = Account)))]
pub(crate) async fn deactivate(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    version: IfMatch,
    Path(account_id): Path<Uuid>,
) -> problem::Result<Response> {
    switch_once(&state, &permit, &idempotent, version, account_id, false).await
}

/// Takes an account into use again.
#[utoipa::path(post, path = "/v1/accounts/{account_id}/reactivation", tag = "账号", summary = "恢复账号",
    params(("account_id" = Uuid, Path)), responses((status = 200, body = Account)))]
pub(crate) async fn reactivate(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    version: IfMatch,
    Path(account_id): Path<Uuid>,
) -> problem::Result<Response> {
    switch_once(&state, &permit, &idempotent, version, account_id, true).await
}

async fn switch_once(
    state: &AppState,
    permit: &Permit,
    idempotent: &Idempotent,
    version: IfMatch,
    account_id: Uuid,
    active: bool,
) -> problem::Result<Response> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let actor: Actor = actor_of(permit);
    let account = switch(&mut work, permit, &actor, account_id, version, active).await?;
    work.commit(Versioned(account.version, Json(account))).await
}

/// The caller's own account with names for its scopes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    account_id: Uuid,
    version: i64,
    login: String,
    display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    language: String,
    active: bool,
    /// Has an identity of the sign-on.
    identity_bound: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<NamedUnit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inspector: Option<NamedInspector>,
    grants: Vec<NamedGrant>,
}

/// A role with names.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NamedGrant {
    role: Role,
    /// The official name of the role.
    role_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    area: Option<NamedArea>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<NamedUnit>,
}

/// An area with its name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct NamedArea {
    area_id: Uuid,
    code: String,
    name: String,
}

/// A unit with its name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct NamedUnit {
    unit_id: Uuid,
    key: String,
    name: String,
}

/// An inspector with name and number.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NamedInspector {
    person_id: Uuid,
    inspector_no: String,
    name: String,
}

/// The caller's own account, as the register has it now: a token may be older.
#[utoipa::path(get, path = "/v1/me", tag = "账号", summary = "查看本人账号", responses((status = 200, body = Me)))]
pub(crate) async fn me(State(state): State<AppState>, permit: Permit) -> problem::Result<Versioned<Json<Me>>> {
    let account_id = permit.caller().account_id;
    permit.on(&Resource::owned_by(account_id))?;
    let mut connection = state.database.pool().acquire().await?;
    let account = store::get(&mut connection, account_id.into()).await?.ok_or_else(|| {
        Problem::unknown_resource(Text::new("您的账号不在登记中。", "Your account is not in the register."))
    })?;
    let areas: Vec<Uuid> = account.grants.iter().filter_map(|grant| grant.area_id.map(Into::into)).collect();
    let units: Vec<Uuid> =
        account.grants.iter().filter_map(|grant| grant.unit_id.map(Into::into)).chain(account.unit_id).collect();
    let areas: Vec<NamedArea> = store::area_names(&mut connection, &areas)
        .await?
        .into_iter()
        .map(|row| NamedArea { area_id: row.area_id, code: row.code, name: row.name })
        .collect();
    let units: Vec<NamedUnit> = store::unit_names(&mut connection, &units)
        .await?
        .into_iter()
        .map(|row| NamedUnit { unit_id: row.unit_id, key: row.key, name: row.name })
        .collect();
    let inspector = match account.person_id {
        Some(person_id) => inspector::store::get(&mut connection, person_id).await?,
        None => None,
    };
    let area = |id: Option<Uuid>| areas.iter().find(|area| Some(area.area_id) == id).cloned();
    let unit = |id: Option<Uuid>| units.iter().find(|unit| Some(unit.unit_id) == id).cloned();
    let named = |grant: &Grant| NamedGrant {
        role: grant.role,
        role_name: grant.role.zh().to_owned(),
        area: area(grant.area_id.map(Into::into)),
        unit: unit(grant.unit_id.map(Into::into)),
    };
    let me = Me {
        account_id: account.account_id,
        version: account.version,
        grants: account.grants.iter().map(named).collect(),
        unit: unit(account.unit_id),
        login: account.login,
        display_name: account.display_name,
        email: account.email,
        language: account.language,
        active: account.active,
        identity_bound: account.identity_bound,
        inspector: inspector.map(|found| NamedInspector {
            person_id: found.person_id,
            inspector_no: found.inspector_no,
            name: found.name,
        }),
    };
    Ok(Versioned(me.version, Json(me)))
}
