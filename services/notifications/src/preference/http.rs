//! Preferences over HTTP.

use access::{Permit, Resource};
use axum::extract::State;
use problem::Json;
use serde::{Deserialize, Serialize};
use service_kit::etag::{IfMatch, Versioned};
use utoipa::ToSchema;

use super::store::{self, Preferences};
use crate::{app::AppState, rules::Rules, template::Template};

/// One kind of message and whether it comes by mail.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PreferenceLine {
    /// The kind.
    pub template: Template,
    /// The kind in Chinese.
    pub title: String,
    /// Cannot be switched off.
    pub legal: bool,
    /// Comes by mail, if its rule says so.
    pub mail: bool,
}

/// What an account wants by mail (消息偏好).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PreferenceList {
    /// Version; 0 when nothing was ever set.
    pub version: i64,
    /// Every kind of message.
    pub templates: Vec<PreferenceLine>,
}

/// The kinds of message that are not wanted by mail; the list replaces the old one.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPreferences {
    /// The kinds.
    pub mail_off: Vec<Template>,
}

fn answer(rules: &Rules, preferences: &Preferences) -> Versioned<Json<PreferenceList>> {
    let templates = rules
        .all()
        .map(|rule| PreferenceLine {
            template: rule.template,
            title: rule.template.zh().to_owned(),
            legal: rule.legal,
            mail: rule.legal || !preferences.mail_off.iter().any(|off| off == rule.template.as_str()),
        })
        .collect();
    Versioned(preferences.version, Json(PreferenceList { version: preferences.version, templates }))
}

/// One's own preferences.
#[utoipa::path(get, operation_id = "preferences_get", path = "/v1/preferences", tag = "消息", summary = "本人消息偏好",
    responses((status = 200, body = PreferenceList)))]
pub async fn get(State(state): State<AppState>, permit: Permit) -> problem::Result<Versioned<Json<PreferenceList>>> {
    let account = permit.caller().account_id;
    permit.on(&Resource::owned_by(account))?;
    let mut db = state.database.pool().acquire().await?;
    let preferences = store::of(&mut db, account).await?;
    Ok(answer(&state.telling.rules, &preferences))
}

/// Replaces one's own preferences.
#[utoipa::path(put, operation_id = "preferences_set", path = "/v1/preferences", tag = "消息", summary = "设置消息偏好", request_body = SetPreferences,
    params(("If-Match" = String, Header)), responses((status = 200, body = PreferenceList)))]
pub async fn put(
    State(state): State<AppState>,
    permit: Permit,
    based_on: IfMatch,
    Json(body): Json<SetPreferences>,
) -> problem::Result<Versioned<Json<PreferenceList>>> {
    let account = permit.caller().account_id;
    permit.on(&Resource::owned_by(account))?;
    let mut tx = state.database.begin().await?;
    let preferences = super::set(&mut tx, &state.telling.rules, account, &body.mail_off, based_on).await?;
    tx.commit().await?;
    Ok(answer(&state.telling.rules, &preferences))
}
