//! The SQL of messages.

use domain::ids::{AccountId, AreaId, CaseId, DocumentId, EventId, MessageId, RectificationId, UnitId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use postgres::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    rules::{Capacity, Channel},
    template::Template,
};

/// A message before it has a reader.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// The event that it tells of.
    pub event_id: EventId,
    /// Its kind.
    pub template: Template,
    /// In which capacity the reader gets it.
    pub capacity: Capacity,
    /// Cannot be switched off.
    pub legal: bool,
    /// Subject.
    pub subject: String,
    /// Text.
    pub body: String,
    /// Where to act.
    pub link: String,
    /// The document that it brings.
    pub document_id: Option<DocumentId>,
    /// Number of that document or of the letter.
    pub doc_no: String,
    /// The supervision.
    pub case_id: CaseId,
    /// The rectification.
    pub rectification_id: Option<RectificationId>,
    /// The supervised unit.
    pub unit_id: UnitId,
    /// Its name.
    pub unit_name: String,
    /// Its areas.
    pub area_path: Vec<AreaId>,
    /// The unit and its department.
    pub unit_ids: Vec<UnitId>,
}

/// A message that none of its addressees could get.
#[derive(Debug, Clone)]
pub struct Unreached {
    /// The message.
    pub message: NewMessage,
    /// The ways it should have gone.
    pub channels: Vec<Channel>,
    /// Whoever gets one of these roles for the unit gets the message.
    pub awaited_roles: Vec<String>,
    /// The unit that should have been told.
    pub awaited_unit_id: UnitId,
    /// Its name.
    pub awaited_unit_name: String,
    /// How many accounts were told in its place.
    pub passed_to: usize,
}

/// A message in somebody's inbox.
#[derive(Debug, Clone)]
pub struct InboxRow {
    pub message_id: Uuid,
    pub template: String,
    pub capacity: String,
    pub legal: bool,
    pub subject: String,
    pub body: String,
    pub link: String,
    pub document_id: Option<Uuid>,
    pub doc_no: Option<String>,
    pub case_id: Option<Uuid>,
    pub rectification_id: Option<Uuid>,
    pub unit_id: Uuid,
    pub unit_name: String,
    pub created_at: jiff_sqlx::Timestamp,
    pub read_at: Option<jiff_sqlx::Timestamp>,
}

fn uuids<T: Copy + Into<Uuid>>(ids: &[T]) -> Vec<Uuid> {
    ids.iter().copied().map(Into::into).collect()
}

/// Writes a message unless the account has it already. True when it is new.
pub async fn insert(
    tx: &mut Tx,
    message_id: MessageId,
    account: AccountId,
    message: &NewMessage,
) -> Result<bool, sqlx::Error> {
    let at = tx.at().to_sqlx();
    let done = sqlx::query!(
        "INSERT INTO messages (message_id, event_id, account_id, template, capacity, legal, subject, body, link,
                               document_id, doc_no, case_id, rectification_id, unit_id, unit_name, area_path, unit_ids, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT (event_id, account_id, template) DO NOTHING",
        Uuid::from(message_id),
        Uuid::from(message.event_id),
        Uuid::from(account),
        message.template.as_str(),
        message.capacity.as_str(),
        message.legal,
        message.subject,
        message.body,
        message.link,
        message.document_id.map(Uuid::from),
        message.doc_no,
        Uuid::from(message.case_id),
        message.rectification_id.map(Uuid::from),
        Uuid::from(message.unit_id),
        message.unit_name,
        &uuids(&message.area_path),
        &uuids(&message.unit_ids),
        at as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes down that nobody of a unit could be told.
pub async fn insert_unreached(tx: &mut Tx, unreached: &Unreached) -> Result<(), sqlx::Error> {
    let at = tx.at().to_sqlx();
    let message = &unreached.message;
    let parts =
        [message.event_id.to_string(), message.template.as_str().to_owned(), message.capacity.as_str().to_owned()];
    let id = MessageId::derived(&parts.each_ref().map(String::as_str));
    let channels: Vec<String> = unreached.channels.iter().map(|channel| channel.as_str().to_owned()).collect();
    sqlx::query!(
        "INSERT INTO unreached (unreached_id, event_id, template, capacity, legal, channels, awaited_roles, subject, body, link,
                                document_id, doc_no, case_id, rectification_id, unit_id, unit_name, awaited_unit_id,
                                awaited_unit_name, area_path, unit_ids, passed_to, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
         ON CONFLICT (event_id, template, capacity) DO NOTHING",
        Uuid::from(id),
        Uuid::from(message.event_id),
        message.template.as_str(),
        message.capacity.as_str(),
        message.legal,
        &channels,
        &unreached.awaited_roles,
        message.subject,
        message.body,
        message.link,
        message.document_id.map(Uuid::from),
        message.doc_no,
        Uuid::from(message.case_id),
        message.rectification_id.map(Uuid::from),
        Uuid::from(message.unit_id),
        message.unit_name,
        Uuid::from(unreached.awaited_unit_id),
        unreached.awaited_unit_name,
        &uuids(&message.area_path),
        &uuids(&message.unit_ids),
        i32::try_from(unreached.passed_to).unwrap_or(i32::MAX),
        at as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Locks what could be told now because somebody of the unit has an account.
pub async fn lock_reachable(tx: &mut Tx, limit: i64) -> Result<Vec<Unreached>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT event_id, template, capacity, legal, channels, awaited_roles, subject, body, link, document_id, doc_no,
                  case_id AS "case_id!", rectification_id, unit_id, unit_name, awaited_unit_id, awaited_unit_name,
                  area_path, unit_ids, passed_to
           FROM unreached u
           WHERE reached_at IS NULL AND (
               EXISTS (SELECT 1 FROM grants g JOIN accounts a USING (account_id)
                       WHERE g.unit_id = u.awaited_unit_id AND g.role = ANY(u.awaited_roles) AND a.active)
               OR EXISTS (SELECT 1 FROM accounts a JOIN grants g USING (account_id)
                          WHERE a.unit_id = u.awaited_unit_id AND g.role = ANY(u.awaited_roles) AND a.active))
           ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED"#,
        limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let channels = row.channels.iter().map(|name| match name.as_str() {
                "in_app" => Ok(Channel::InApp),
                "mail" => Ok(Channel::Mail),
                other => Err(sqlx::Error::Decode(format!("unreached.channels: {other}").into())),
            });
            Ok(Unreached {
                channels: channels.collect::<Result<_, _>>()?,
                awaited_roles: row.awaited_roles,
                awaited_unit_id: row.awaited_unit_id.into(),
                awaited_unit_name: row.awaited_unit_name,
                passed_to: usize::try_from(row.passed_to).unwrap_or(0),
                message: NewMessage {
                    event_id: row.event_id.into(),
                    template: row.template.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
                    capacity: if row.capacity == "copy" { Capacity::Copy } else { Capacity::To },
                    legal: row.legal,
                    subject: row.subject,
                    body: row.body,
                    link: row.link,
                    document_id: row.document_id.map(DocumentId::from),
                    doc_no: row.doc_no.unwrap_or_default(),
                    case_id: row.case_id.into(),
                    rectification_id: row.rectification_id.map(RectificationId::from),
                    unit_id: row.unit_id.into(),
                    unit_name: row.unit_name,
                    area_path: row.area_path.into_iter().map(AreaId::from).collect(),
                    unit_ids: row.unit_ids.into_iter().map(UnitId::from).collect(),
                },
            })
        })
        .collect()
}

/// The unit has been told after all.
pub async fn mark_reached(tx: &mut Tx, message: &NewMessage) -> Result<(), sqlx::Error> {
    let at = tx.at().to_sqlx();
    sqlx::query!(
        "UPDATE unreached SET reached_at = $4 WHERE event_id = $1 AND template = $2 AND capacity = $3",
        Uuid::from(message.event_id),
        message.template.as_str(),
        message.capacity.as_str(),
        at as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A page of an account's inbox, newest first.
pub async fn inbox(
    db: &mut PgConnection,
    account: AccountId,
    unread_only: bool,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<InboxRow>, sqlx::Error> {
    let (at, id) = after.map_or((None, None), |(at, id)| (Some(at.to_sqlx()), Some(id)));
    sqlx::query_as!(
        InboxRow,
        "SELECT message_id, template, capacity, legal, subject, body, link, document_id, doc_no, case_id,
                rectification_id, unit_id, unit_name, created_at, read_at
         FROM messages
         WHERE account_id = $1 AND (NOT $2 OR read_at IS NULL)
           AND ($3::timestamptz IS NULL OR (created_at, message_id) < ($3, $4::uuid))
         ORDER BY created_at DESC, message_id DESC LIMIT $5",
        Uuid::from(account),
        unread_only,
        at as _,
        id,
        limit,
    )
    .fetch_all(db)
    .await
}

/// How many messages an account has not read.
pub async fn unread(db: &mut PgConnection, account: AccountId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM messages WHERE account_id = $1 AND read_at IS NULL"#,
        Uuid::from(account)
    )
    .fetch_one(db)
    .await
}

/// Marks a message of an account as read, once; `None` when the account has no such message.
pub async fn mark_read(tx: &mut Tx, account: AccountId, message: MessageId) -> Result<Option<InboxRow>, sqlx::Error> {
    let at = tx.at().to_sqlx();
    sqlx::query_as!(
        InboxRow,
        "UPDATE messages SET read_at = coalesce(read_at, $3) WHERE account_id = $1 AND message_id = $2
         RETURNING message_id, template, capacity, legal, subject, body, link, document_id, doc_no, case_id,
                   rectification_id, unit_id, unit_name, created_at, read_at",
        Uuid::from(account),
        Uuid::from(message),
        at as _,
    )
    .fetch_optional(&mut **tx)
    .await
}
