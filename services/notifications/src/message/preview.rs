//! Looking at a kind of message before anybody gets it: the newest notice of that kind in the caller's scope, in each language,
//! capacity and form.

use access::Permit;
use axum::extract::State;
use problem::{Json, Path, Problem, Query, Text};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    Matter,
    store::{self, FrameRow},
    text,
};
use crate::{app::AppState, language::Language, rules::Capacity, template::Template};

/// In which shape.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PreviewQuery {
    /// `zh-Hans`, `zh-Hant` or `en`; Simplified Chinese when absent.
    #[param(inline)]
    pub language: Option<Language>,
    /// `to`, `copy`, `inform` or `fallback`; `to` when absent.
    #[param(inline)]
    pub capacity: Option<PreviewCapacity>,
}

/// In which capacity a reader would get it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreviewCapacity {
    /// As addressee (主送).
    To,
    /// With a copy (抄送).
    Copy,
    /// For their own work (知会).
    Inform,
    /// In place of a unit without any account (代转).
    Fallback,
}

impl From<PreviewCapacity> for Capacity {
    fn from(capacity: PreviewCapacity) -> Self {
        match capacity {
            PreviewCapacity::To => Self::To,
            PreviewCapacity::Copy => Self::Copy,
            PreviewCapacity::Inform => Self::Inform,
            PreviewCapacity::Fallback => Self::Fallback,
        }
    }
}

/// A message as it would be written today (消息预览).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Preview {
    /// Its kind.
    pub template: Template,
    /// The kind in words.
    pub title: String,
    /// The notice that the facts are from.
    pub notice_id: Uuid,
    /// The language.
    pub language: Language,
    /// Subject.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The same as simple HTML.
    pub html: String,
    /// What goes to a phone or a chat.
    pub short: String,
}

/// A kind of message on the newest real data of one's own area.
#[utoipa::path(get, operation_id = "templates_preview", path = "/v1/templates/{template}/preview", tag = "消息", summary = "消息预览",
    params(("template" = Template, Path), PreviewQuery), responses((status = 200, body = Preview)))]
pub async fn preview(
    State(state): State<AppState>,
    permit: Permit,
    Path(template): Path<Template>,
    Query(query): Query<PreviewQuery>,
) -> problem::Result<Json<Preview>> {
    let scope = permit.scope();
    let mut db = state.database.pool().acquire().await?;
    let sample = store::sample(&mut db, template, &scope.areas, &scope.units).await?;
    let Some((notice_id, facts, link)) = sample else {
        return Err(Problem::unknown_resource(Text::new(
            "本辖区尚无这类消息，无法用真实数据预览。",
            "There is no such message in your area yet that could be shown.",
        )));
    };
    let matter: Matter = serde_json::from_str(&facts)
        .map_err(|error| sqlx::Error::Decode(format!("notices.matter of {notice_id}: {error}").into()))?;
    let language = query.language.unwrap_or_default();
    let rule = state.telling.rules.of(template);
    let body = matter.body(language).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let frame = FrameRow {
        template: template.as_str().to_owned(),
        capacity: query.capacity.map_or(Capacity::To, Capacity::from).as_str().to_owned(),
        language: language.as_str().to_owned(),
        addressee_name: rule.map_or_else(|| matter.unit.name.clone(), |rule| rule.addressee(&matter).1.to_owned()),
        department_name: matter.unit.competent_unit_name.clone(),
        issuing_name: matter.issuing_unit_name.clone(),
        link,
        doc_no: matter.doc_no.clone(),
        unit_name: matter.unit.name.clone(),
        body: Some(body),
        old_subject: None,
        old_body: None,
    };
    let written = frame.write(&state.telling.support, None)?;
    let html = text::html(language, &written.subject, &written.text, &frame.link, None)
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let short = frame.frame(&state.telling.support, None)?.short();
    Ok(Json(Preview {
        template,
        title: template.title(language).to_owned(),
        notice_id,
        language,
        subject: written.subject,
        text: written.text,
        html,
        short,
    }))
}
