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
    /// Comes as a short message, if its rule says so and there is a number.
    pub sms: bool,
}

/// What an account wants by mail (消息偏好).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PreferenceList {
    /// Version; 0 when nothing was ever set.
    pub version: i64,
    /// Mobile number for short messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// What has no legal effect comes as one mail a day.
    pub daily_digest: bool,
    /// Every kind of message.
    pub templates: Vec<PreferenceLine>,
}

/// What is wanted by which way; it replaces what was wanted before.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPreferences {
    /// Kinds that are not wanted by mail.
    pub mail_off: Vec<Template>,
    /// Kinds that are not wanted as short messages.
    #[serde(default)]
    pub sms_off: Vec<Template>,
    /// Mobile number for short messages; without it there are none.
    #[serde(default)]
    pub phone: Option<String>,
    /// What has no legal effect comes as one mail a day.
    #[serde(default)]
    pub daily_digest: bool,
}

fn answer(rules: &Rules, preferences: &Preferences) -> Versioned<Json<PreferenceList>> {
    let templates = rules
        .all()
        .map(|rule| PreferenceLine {
            template: rule.template,
            title: rule.template.zh().to_owned(),
            legal: rule.legal,
            mail: rule.legal || !preferences.mail_off.iter().any(|off| off == rule.template.as_str()),
            sms: rule.legal || !preferences.sms_off.iter().any(|off| off == rule.template.as_str()),
        })
        .collect();
    let list = PreferenceList {
        version: preferences.version,
        phone: preferences.phone.clone(),
        daily_digest: preferences.daily_digest,
        templates,
    };
    Versioned(preferences.version, Json(list))
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
    let wanted = super::Wanted {
        mail_off: &body.mail_off,
        sms_off: &body.sms_off,
        phone: body.phone.as_deref(),
        daily_digest: body.daily_digest,
    };
    let preferences = super::set(&mut tx, &state.telling.rules, account, wanted, based_on).await?;
    tx.commit().await?;
    Ok(answer(&state.telling.rules, &preferences))
}
