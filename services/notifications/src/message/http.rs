//! The inbox over HTTP.

use access::{Permit, Resource};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use problem::{Json, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use service_kit::{
    idempotency::{Begun, Idempotent},
    page::{Page, PageQuery},
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    inbox,
    store::{self, InboxRow},
};
use crate::{app::AppState, template::Template};

/// Which messages.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InboxQuery {
    /// Only what has not been read.
    pub unread: Option<bool>,
    /// Rows of the page, 1 to 200; 50 when absent.
    pub limit: Option<u16>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// A message (消息).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON members")]
pub struct Message {
    /// The message.
    pub message_id: Uuid,
    /// Its kind.
    pub template: String,
    /// The kind in Chinese.
    pub title: String,
    /// `to`, `copy`, `inform` or `fallback`.
    pub capacity: String,
    /// It has legal effect.
    pub legal: bool,
    /// Subject.
    pub subject: String,
    /// Text.
    pub text: String,
    /// Where to act.
    pub link: String,
    /// The document that it brings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_id: Option<Uuid>,
    /// Number of the document or of the letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc_no: Option<String>,
    /// The supervision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_id: Option<Uuid>,
    /// The rectification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rectification_id: Option<Uuid>,
    /// The supervised unit.
    pub unit_id: Uuid,
    /// Its name.
    pub unit_name: String,
    /// Legal time of the message.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub read_at: Option<Timestamp>,
}

/// A page of the inbox (收件箱).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Inbox {
    /// The messages, newest first.
    pub items: Vec<Message>,
    /// Cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many have not been read, on all pages.
    pub unread: i64,
}

/// The Chinese title of a kind; a kind that is no longer in use shows its name.
pub(crate) fn title(template: &str) -> String {
    template.parse::<Template>().map_or_else(|_| template.to_owned(), |template| template.zh().to_owned())
}

impl Message {
    fn try_new(row: InboxRow, support: &str) -> Result<Self, sqlx::Error> {
        let written = row.frame.write(support, None)?;
        let frame = row.frame;
        Ok(Self {
            message_id: row.message_id,
            title: title(&frame.template),
            template: frame.template,
            capacity: frame.capacity,
            legal: row.legal,
            subject: written.subject,
            text: written.text,
            link: frame.link,
            document_id: row.document_id,
            doc_no: Some(frame.doc_no),
            case_id: Some(row.case_id),
            rectification_id: row.rectification_id,
            unit_id: row.unit_id,
            unit_name: frame.unit_name,
            created_at: row.created_at.to_jiff(),
            read_at: row.read_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// One's own messages.
#[utoipa::path(get, operation_id = "inbox_list", path = "/v1/inbox", tag = "消息", summary = "本人消息", params(InboxQuery),
    responses((status = 200, body = Inbox)))]
pub async fn list(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<InboxQuery>,
) -> problem::Result<Json<Inbox>> {
    let account = permit.caller().account_id;
    permit.on(&Resource::owned_by(account))?;
    let request = PageQuery { limit: query.limit, after: query.after }.request::<(Timestamp, Uuid)>()?;
    let mut db = state.database.pool().acquire().await?;
    let unread_only = query.unread.unwrap_or(false);
    let rows = store::inbox(&mut db, account, unread_only, request.after, request.fetch()).await?;
    let unread = store::unread(&mut db, account).await?;
    let page = Page::new(rows, &request, |row| (row.created_at.to_jiff(), row.message_id));
    let support = &state.telling.support;
    let items = page.items.into_iter().map(|row| Message::try_new(row, support)).collect::<Result<_, _>>()?;
    Ok(Json(Inbox { items, next: page.next, unread }))
}

/// Marks a message as read.
#[utoipa::path(post, operation_id = "inbox_read", path = "/v1/inbox/{message_id}/read", tag = "消息", summary = "标为已读",
    params(("message_id" = Uuid, Path)), responses((status = 200, body = Message)))]
pub async fn read(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Path(message_id): Path<Uuid>,
) -> Result<Response, Problem> {
    let account = permit.caller().account_id;
    permit.on(&Resource::owned_by(account))?;
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let row = inbox::mark_read(&mut work, account, message_id.into()).await?;
    let message = Message::try_new(row, &state.telling.support)?;
    work.commit(Json(message).into_response()).await
}
