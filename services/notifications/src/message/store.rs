//! The SQL of notices and messages.

use domain::ids::{AccountId, AreaId, EventId, ItemId, MessageId, RectificationId, UnitId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use postgres::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Matter, text::Frame};
use crate::{
    language::Language,
    rules::{Capacity, Channel},
    template::Template,
};

/// A notice as it is written.
#[derive(Debug)]
pub struct NewNotice<'a> {
    pub notice_id: EventId,
    pub template: Template,
    pub legal: bool,
    pub matter: &'a Matter,
    pub addressee: &'a str,
    pub link: String,
}

/// The open items of a rectification by a version of it.
#[derive(Debug, Clone)]
pub struct Open {
    pub rectification_id: RectificationId,
    pub version: i64,
    pub items: Vec<ItemId>,
}

/// A notice that somebody has to be told of.
#[derive(Debug)]
pub struct Due {
    pub notice_id: Uuid,
    pub matter: Option<String>,
    pub created_at: jiff_sqlx::Timestamp,
}

/// What a text is framed with.
#[derive(Debug, Clone)]
pub struct FrameRow {
    pub template: String,
    pub capacity: String,
    pub language: String,
    pub addressee_name: String,
    pub department_name: Option<String>,
    pub issuing_name: String,
    pub link: String,
    pub doc_no: String,
    pub unit_name: String,
    /// The body as it was told; absent with those of before there were notices.
    pub body: Option<String>,
    /// The whole text of those.
    pub old_subject: Option<String>,
    pub old_body: Option<String>,
}

/// Subject and whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub subject: String,
    pub text: String,
}

impl FrameRow {
    /// The frame.
    pub fn frame<'a>(&'a self, support: &'a str, sign_link: Option<&'a str>) -> Result<Frame<'a>, sqlx::Error> {
        Ok(Frame {
            language: Language::of_account(&self.language),
            capacity: self.capacity.parse().map_err(decode)?,
            template: self.template.parse().map_err(decode)?,
            unit: &self.unit_name,
            addressee: &self.addressee_name,
            department: self.department_name.as_deref(),
            issuing: &self.issuing_name,
            doc_no: &self.doc_no,
            link: &self.link,
            sign_link,
            support,
        })
    }

    /// Subject and text as the reader gets them.
    pub fn write(&self, support: &str, sign_link: Option<&str>) -> Result<Written, sqlx::Error> {
        if let (Some(subject), Some(text)) = (&self.old_subject, &self.old_body) {
            return Ok(Written { subject: subject.clone(), text: text.clone() });
        }
        let frame = self.frame(support, sign_link)?;
        let body = self.body.as_deref().ok_or_else(|| sqlx::Error::Decode("a message without its text".into()))?;
        Ok(Written { subject: frame.subject(), text: frame.text(body).map_err(decode)? })
    }
}

fn decode<E: std::error::Error + Send + Sync + 'static>(error: E) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

/// Messages before they are written, column by column.
#[derive(Debug, Default)]
pub struct NewMessages {
    pub ids: Vec<Uuid>,
    pub notices: Vec<Uuid>,
    pub accounts: Vec<Option<Uuid>>,
    pub endpoints: Vec<Option<String>>,
    pub templates: Vec<String>,
    pub capacities: Vec<String>,
    pub languages: Vec<String>,
    pub created: Vec<jiff_sqlx::Timestamp>,
}

/// A unit that nobody could be told in.
#[derive(Debug, Clone)]
pub struct Unreached {
    /// The notice.
    pub notice_id: Uuid,
    /// Its kind.
    pub template: Template,
    /// In which capacity somebody should have been told.
    pub capacity: Capacity,
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

/// One that can be told now.
#[derive(Debug, Clone)]
pub struct Reachable {
    /// What is awaited.
    pub unreached: Unreached,
    /// The facts.
    pub matter: Option<String>,
}

/// A message in somebody's inbox.
#[derive(Debug, Clone)]
pub struct InboxRow {
    pub message_id: Uuid,
    pub legal: bool,
    pub document_id: Option<Uuid>,
    pub case_id: Uuid,
    pub rectification_id: Option<Uuid>,
    pub unit_id: Uuid,
    pub created_at: jiff_sqlx::Timestamp,
    pub read_at: Option<jiff_sqlx::Timestamp>,
    pub frame: FrameRow,
}

fn uuids<T: Copy + Into<Uuid>>(ids: &[T]) -> Vec<Uuid> {
    ids.iter().copied().map(Into::into).collect()
}

/// A list of ids as PostgreSQL writes it: lists of different lengths fit into no array of arrays.
fn list<T: Copy + Into<Uuid>>(ids: impl IntoIterator<Item = T>) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| Into::<Uuid>::into(id).to_string()).collect();
    format!("{{{}}}", ids.join(","))
}

/// The columns of notices.
#[derive(Debug, Default)]
struct NoticeColumns {
    ids: Vec<Uuid>,
    templates: Vec<String>,
    legal: Vec<bool>,
    urgent: Vec<bool>,
    matters: Vec<String>,
    addressees: Vec<String>,
    departments: Vec<Option<String>>,
    issuing: Vec<String>,
    links: Vec<String>,
    documents: Vec<Option<Uuid>>,
    doc_nos: Vec<String>,
    cases: Vec<Uuid>,
    rectifications: Vec<Option<Uuid>>,
    units: Vec<Uuid>,
    unit_names: Vec<String>,
    counties: Vec<Option<String>>,
    areas: Vec<String>,
    concerned: Vec<String>,
}

impl NoticeColumns {
    fn push(&mut self, notice: &NewNotice<'_>) -> Result<(), sqlx::Error> {
        let matter = notice.matter;
        let unit = &matter.unit;
        self.ids.push(notice.notice_id.into());
        self.templates.push(notice.template.as_str().to_owned());
        self.legal.push(notice.legal);
        self.urgent.push(matter.urgent);
        self.matters.push(serde_json::to_string(matter).map_err(|error| sqlx::Error::Encode(Box::new(error)))?);
        self.addressees.push(notice.addressee.to_owned());
        self.departments.push(unit.competent_unit_name.clone());
        self.issuing.push(matter.issuing_unit_name.clone());
        self.links.push(notice.link.clone());
        self.documents.push(matter.document.as_ref().map(|document| Uuid::from(document.document_id)));
        self.doc_nos.push(matter.doc_no.clone());
        self.cases.push(matter.case_id.into());
        self.rectifications.push(matter.rectification_id.map(Uuid::from));
        self.units.push(unit.unit_id.into());
        self.unit_names.push(unit.name.clone());
        self.counties.push(unit.county_code.clone());
        self.areas.push(list(unit.area_path.iter().copied()));
        self.concerned.push(list([Some(unit.unit_id), unit.competent_unit_id].into_iter().flatten()));
        Ok(())
    }
}

/// Writes notices that wait to be told, unless they are there, and keeps which items of rectifications are open, unless a newer
/// version is known: one statement, however many events brought them.
pub async fn take_in(tx: &mut Tx, notices: &[NewNotice<'_>], open: &[Open]) -> Result<(), sqlx::Error> {
    let at = tx.at().to_sqlx();
    let mut columns = NoticeColumns::default();
    for notice in notices {
        columns.push(notice)?;
    }
    let rectifications: Vec<Uuid> = open.iter().map(|open| open.rectification_id.into()).collect();
    let versions: Vec<i64> = open.iter().map(|open| open.version).collect();
    let items: Vec<String> = open.iter().map(|open| list(open.items.iter().copied())).collect();
    sqlx::query!(
        "WITH newest AS (
             INSERT INTO rectifications (rectification_id, version, open_item_ids)
             SELECT DISTINCT ON (o.id) o.id, o.version, o.items::uuid[]
             FROM unnest($19::uuid[], $20::bigint[], $21::text[]) AS o(id, version, items) ORDER BY o.id, o.version DESC
             ON CONFLICT (rectification_id) DO UPDATE SET
                 version = excluded.version, open_item_ids = excluded.open_item_ids
             WHERE rectifications.version < excluded.version),
         fresh AS (
             INSERT INTO notices (notice_id, template, legal, urgent, matter, addressee_name, department_name, issuing_name, link,
                                  document_id, doc_no, case_id, rectification_id, unit_id, unit_name, county_code, area_path,
                                  unit_ids, created_at)
             SELECT n.id, n.template, n.legal, n.urgent, n.matter, n.addressee, n.department, n.issuing, n.link, n.document,
                    n.doc_no, n.case_id, n.rectification, n.unit, n.unit_name, n.county, n.areas::uuid[], n.concerned::uuid[], $22
             FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::boolean[], $5::text[], $6::text[], $7::text[], $8::text[],
                         $9::text[], $10::uuid[], $11::text[], $12::uuid[], $13::uuid[], $14::uuid[], $15::text[], $16::text[],
                         $17::text[], $18::text[])
                  AS n(id, template, legal, urgent, matter, addressee, department, issuing, link, document, doc_no, case_id,
                       rectification, unit, unit_name, county, areas, concerned)
             ON CONFLICT (notice_id) DO NOTHING RETURNING notice_id)
         INSERT INTO untold (notice_id, heard_at, next_attempt_at) SELECT notice_id, $22, statement_timestamp() FROM fresh",
        &columns.ids,
        &columns.templates,
        &columns.legal,
        &columns.urgent,
        &columns.matters,
        &columns.addressees,
        &columns.departments as &[Option<String>],
        &columns.issuing,
        &columns.links,
        &columns.documents as &[Option<Uuid>],
        &columns.doc_nos,
        &columns.cases,
        &columns.rectifications as &[Option<Uuid>],
        &columns.units,
        &columns.unit_names,
        &columns.counties as &[Option<String>],
        &columns.areas,
        &columns.concerned,
        &rectifications,
        &versions,
        &items,
        at as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Locks notices that are due to be told, the longest due first.
///
/// This transaction's statements are planned for what the tables hold now. The plan that a connection keeps is the one of its first
/// rounds, when a storm has just begun and reading a whole table costs nothing; it would read the whole growing table for each
/// batch until the tables' statistics are renewed, a minute later.
pub async fn lock_untold(tx: &mut Tx, limit: i64) -> Result<Vec<Due>, sqlx::Error> {
    sqlx::query!("SET LOCAL plan_cache_mode = force_custom_plan").execute(&mut **tx).await?;
    sqlx::query_as!(
        Due,
        "SELECT n.notice_id, n.matter, n.created_at
         FROM (SELECT notice_id FROM untold WHERE next_attempt_at <= statement_timestamp()
               ORDER BY next_attempt_at, notice_id LIMIT $1 FOR UPDATE SKIP LOCKED) AS due
         JOIN notices n USING (notice_id)",
        limit,
    )
    .fetch_all(&mut **tx)
    .await
}

/// The notices are told.
pub async fn delete_untold(tx: &mut Tx, notices: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM untold WHERE notice_id = ANY($1)", notices).execute(&mut **tx).await?;
    Ok(())
}

/// A notice could not be told: it is tried again, later and later.
pub async fn postpone(db: &mut PgConnection, notice: Uuid, error: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE untold SET attempts = attempts + 1, last_error = $2,
                next_attempt_at = clock_timestamp() + least(interval '1 hour', interval '5 seconds' * power(2, least(attempts, 20)))
         WHERE notice_id = $1",
        notice,
        error,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Writes bodies unless they are there: what was told stays as it was.
pub async fn insert_texts(
    tx: &mut Tx,
    notices: &[Uuid],
    languages: &[String],
    bodies: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO texts (notice_id, language, body) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])
         ON CONFLICT DO NOTHING",
        notices,
        languages,
        bodies,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Writes messages unless the reader has them already. Gives those that are new.
pub async fn insert(tx: &mut Tx, new: &NewMessages) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "INSERT INTO messages (message_id, event_id, account_id, endpoint, template, capacity, language, created_at)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
         ON CONFLICT DO NOTHING RETURNING message_id",
        &new.ids,
        &new.notices,
        &new.accounts as &[Option<Uuid>],
        &new.endpoints as &[Option<String>],
        &new.templates,
        &new.capacities,
        &new.languages,
        &new.created as &[jiff_sqlx::Timestamp],
    )
    .fetch_all(&mut **tx)
    .await
}

/// Writes down that nobody of a unit could be told.
pub async fn insert_unreached(tx: &mut Tx, unreached: &Unreached) -> Result<(), sqlx::Error> {
    let at = tx.at().to_sqlx();
    let parts = [
        unreached.notice_id.to_string(),
        unreached.template.as_str().to_owned(),
        unreached.capacity.as_str().to_owned(),
    ];
    let id = MessageId::derived(&parts.each_ref().map(String::as_str));
    let channels: Vec<String> = unreached.channels.iter().map(|channel| channel.as_str().to_owned()).collect();
    sqlx::query!(
        "INSERT INTO unreached (unreached_id, event_id, template, capacity, channels, awaited_roles, awaited_unit_id,
                                awaited_unit_name, passed_to, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (event_id, template, capacity) DO NOTHING",
        Uuid::from(id),
        unreached.notice_id,
        unreached.template.as_str(),
        unreached.capacity.as_str(),
        &channels,
        &unreached.awaited_roles,
        Uuid::from(unreached.awaited_unit_id),
        unreached.awaited_unit_name,
        i32::try_from(unreached.passed_to).unwrap_or(i32::MAX),
        at as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Locks what could be told now because somebody of the unit has an account.
pub async fn lock_reachable(tx: &mut Tx, limit: i64) -> Result<Vec<Reachable>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT u.event_id, u.template, u.capacity, u.channels, u.awaited_roles, u.awaited_unit_id,
                u.awaited_unit_name, u.passed_to, n.matter
         FROM unreached u JOIN notices n ON n.notice_id = u.event_id
         WHERE u.reached_at IS NULL AND (
             EXISTS (SELECT 1 FROM grants g JOIN accounts a USING (account_id)
                     WHERE g.unit_id = u.awaited_unit_id AND g.role = ANY(u.awaited_roles) AND a.active)
             OR EXISTS (SELECT 1 FROM accounts a JOIN grants g USING (account_id)
                        WHERE a.unit_id = u.awaited_unit_id AND g.role = ANY(u.awaited_roles) AND a.active))
         ORDER BY u.created_at LIMIT $1 FOR UPDATE OF u SKIP LOCKED",
        limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let channels = row.channels.iter().map(|name| name.parse().map_err(decode));
            Ok(Reachable {
                unreached: Unreached {
                    notice_id: row.event_id,
                    template: row.template.parse().map_err(decode)?,
                    capacity: if row.capacity == "copy" { Capacity::Copy } else { Capacity::To },
                    channels: channels.collect::<Result<_, _>>()?,
                    awaited_roles: row.awaited_roles,
                    awaited_unit_id: row.awaited_unit_id.into(),
                    awaited_unit_name: row.awaited_unit_name,
                    passed_to: usize::try_from(row.passed_to).unwrap_or(0),
                },
                matter: row.matter,
            })
        })
        .collect()
}

/// The unit has been told after all.
pub async fn mark_reached(tx: &mut Tx, unreached: &Unreached) -> Result<(), sqlx::Error> {
    let at = tx.at().to_sqlx();
    sqlx::query!(
        "UPDATE unreached SET reached_at = $4 WHERE event_id = $1 AND template = $2 AND capacity = $3",
        unreached.notice_id,
        unreached.template.as_str(),
        unreached.capacity.as_str(),
        at as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

macro_rules! inbox_row {
    ($row:ident) => {
        InboxRow {
            message_id: $row.message_id,
            legal: $row.legal,
            document_id: $row.document_id,
            case_id: $row.case_id,
            rectification_id: $row.rectification_id,
            unit_id: $row.unit_id,
            created_at: $row.created_at,
            read_at: $row.read_at,
            frame: FrameRow {
                template: $row.template,
                capacity: $row.capacity,
                language: $row.language,
                addressee_name: $row.addressee_name,
                department_name: $row.department_name,
                issuing_name: $row.issuing_name,
                link: $row.link,
                doc_no: $row.doc_no,
                unit_name: $row.unit_name,
                body: $row.body,
                old_subject: $row.old_subject,
                old_body: $row.old_body,
            },
        }
    };
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
    let rows = sqlx::query!(
        r#"SELECT m.message_id, m.template, m.capacity, m.language, n.legal, n.addressee_name, n.department_name, n.issuing_name,
                  n.link, n.document_id, n.doc_no, n.case_id, n.rectification_id, n.unit_id, n.unit_name, m.created_at, m.read_at,
                  t.body AS "body?", m.subject AS old_subject, m.body AS old_body
           FROM messages m JOIN notices n ON n.notice_id = m.event_id
           LEFT JOIN texts t ON t.notice_id = m.event_id AND t.language = m.language
           WHERE m.account_id = $1 AND (NOT $2 OR m.read_at IS NULL)
             AND ($3::timestamptz IS NULL OR (m.created_at, m.message_id) < ($3, $4::uuid))
           ORDER BY m.created_at DESC, m.message_id DESC LIMIT $5"#,
        Uuid::from(account),
        unread_only,
        at as _,
        id,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| inbox_row!(row)).collect())
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
    let row = sqlx::query!(
        r#"WITH m AS (
               UPDATE messages SET read_at = coalesce(read_at, $3) WHERE account_id = $1 AND message_id = $2 RETURNING *)
           SELECT m.message_id, m.template, m.capacity, m.language, n.legal, n.addressee_name, n.department_name, n.issuing_name,
                  n.link, n.document_id, n.doc_no, n.case_id, n.rectification_id, n.unit_id, n.unit_name, m.created_at, m.read_at,
                  t.body AS "body?", m.subject AS old_subject, m.body AS old_body
           FROM m JOIN notices n ON n.notice_id = m.event_id
           LEFT JOIN texts t ON t.notice_id = m.event_id AND t.language = m.language"#,
        Uuid::from(account),
        Uuid::from(message),
        at as _,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| inbox_row!(row)))
}

/// The newest notice of a kind whose unit lies in the scope, with its facts.
pub async fn sample(
    db: &mut PgConnection,
    template: Template,
    areas: &[AreaId],
    units: &[UnitId],
) -> Result<Option<(Uuid, String, String)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT notice_id, matter AS "matter!", link FROM notices
           WHERE template = $1 AND matter IS NOT NULL AND (area_path && $2 OR unit_ids && $3)
           ORDER BY created_at DESC, notice_id LIMIT 1"#,
        template.as_str(),
        &uuids(areas),
        &uuids(units),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| (row.notice_id, row.matter, row.link)))
}
