//! SQL of assignments.

use contracts::shared::UnitRef;
use domain::ids::{AreaId, AssignmentId, ItemId, ProposalId, RectificationId, UnitId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use serde_json::Value;
use service_kit::page::PageRequest;
use sqlx::PgConnection;
use uuid::Uuid;

use super::look_back::History;
use super::{Assignment, ItemFact, Kind, Place, Standing, State, Subject};
use crate::registry::store::uuids;

/// The sort key of the list: what is due first.
pub(super) type Cursor = (Timestamp, Uuid);

struct Row {
    assignment_id: Uuid,
    kind: String,
    state: String,
    rectification_id: Uuid,
    version: i64,
    proposal_id: Option<Uuid>,
    item_id: Option<Uuid>,
    level: Option<i16>,
    case_id: Uuid,
    case_title: String,
    letter_no: String,
    unit_id: Uuid,
    unit_name: String,
    county_code: Option<String>,
    county_name: Option<String>,
    area_path: Vec<Uuid>,
    item_numbers: Vec<i32>,
    since: jiff_sqlx::Timestamp,
    due: jiff_sqlx::Timestamp,
    done_at: Option<jiff_sqlx::Timestamp>,
    note: Option<String>,
    article: Option<String>,
    policy_facts: Vec<String>,
    facts: Value,
}

impl TryFrom<Row> for Assignment {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        // The checks of the table admit no such row.
        let unreadable = |what: &'static str| sqlx::Error::ColumnDecode {
            index: format!("assignments.{what} of {}", row.assignment_id),
            source: "a newer version wrote it".into(),
        };
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == row.kind);
        let subject = match (kind, row.proposal_id, row.level, row.item_id) {
            (Some(Kind::LookBack), None, None, Some(item_id)) => Subject::LookBack { item_id: item_id.into() },
            (Some(kind), Some(proposal_id), Some(level), None) => {
                Subject::Step { proposal_id: proposal_id.into(), level, kind }
            }
            _ => return Err(unreadable("kind")),
        };
        let Some(state) = State::ALL.into_iter().find(|state| state.as_str() == row.state) else {
            return Err(unreadable("state"));
        };
        Ok(Self {
            assignment_id: row.assignment_id.into(),
            subject,
            rectification_id: row.rectification_id.into(),
            case_id: row.case_id.into(),
            case_title: row.case_title,
            letter_no: row.letter_no,
            unit: Place {
                unit_id: row.unit_id.into(),
                name: row.unit_name,
                county_code: row.county_code,
                county_name: row.county_name,
                area_path: row.area_path.into_iter().map(AreaId::from).collect(),
            },
            item_numbers: row.item_numbers,
            since: row.since.to_jiff(),
            standing: Standing {
                version: row.version,
                state,
                due: row.due.to_jiff(),
                done_at: row.done_at.map(jiff_sqlx::Timestamp::to_jiff),
                note: row.note,
            },
            article: row.article,
            policy_facts: row.policy_facts,
            facts: serde_json::from_value(row.facts).map_err(|source| sqlx::Error::ColumnDecode {
                index: format!("assignments.facts of {}", row.assignment_id),
                source: Box::new(source),
            })?,
        })
    }
}

fn encoded(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Encode(Box::new(error))
}

/// Where a step stands by this version, unless a newer one is known. What only its proposal says stays as it is.
pub(super) async fn save_step(tx: &mut PgConnection, assignment: &Assignment) -> sqlx::Result<()> {
    let Subject::Step { proposal_id, level, kind } = assignment.subject else { return Ok(()) };
    let (unit, standing) = (&assignment.unit, &assignment.standing);
    sqlx::query!(
        "INSERT INTO assignments (assignment_id, kind, state, rectification_id, version, proposal_id, level, case_id,
             case_title, letter_no, unit_id, unit_name, county_code, county_name, area_path, item_numbers, since, due,
             done_at, note)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
         ON CONFLICT (assignment_id) DO UPDATE SET state = excluded.state, version = excluded.version,
             unit_name = excluded.unit_name, county_code = excluded.county_code, county_name = excluded.county_name,
             area_path = excluded.area_path, item_numbers = excluded.item_numbers, due = excluded.due,
             done_at = excluded.done_at, note = excluded.note
         WHERE assignments.version < excluded.version",
        assignment.assignment_id.as_uuid(),
        kind.as_str(),
        standing.state.as_str(),
        assignment.rectification_id.as_uuid(),
        standing.version,
        proposal_id.as_uuid(),
        level,
        assignment.case_id.as_uuid(),
        assignment.case_title,
        assignment.letter_no,
        unit.unit_id.as_uuid(),
        unit.name,
        unit.county_code,
        unit.county_name,
        &uuids(&unit.area_path),
        &assignment.item_numbers,
        assignment.since.to_sqlx() as _,
        standing.due.to_sqlx() as _,
        standing.done_at.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        standing.note,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Gives what there is to do about a rectification to the office that is in charge of it from now on. Where it was done, it
/// counts for the county of then.
pub(super) async fn hand_over(
    tx: &mut PgConnection,
    rectification: RectificationId,
    unit: &UnitRef,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE assignments SET area_path = $2,
             county_code = CASE WHEN state = 'open' THEN $3 ELSE county_code END,
             county_name = CASE WHEN state = 'open' THEN $4 ELSE county_name END
         WHERE rectification_id = $1",
        rectification.as_uuid(),
        &uuids(&unit.area_path),
        unit.county_code,
        unit.county_name,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// What only the proposal says: on what the step rests. False when there is no such step.
pub(super) async fn tell(
    tx: &mut PgConnection,
    proposal: ProposalId,
    article: &str,
    policy_facts: &[String],
    facts: &[ItemFact],
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE assignments SET article = nullif($2, ''), policy_facts = $3, facts = $4 WHERE proposal_id = $1",
        proposal.as_uuid(),
        article,
        policy_facts,
        serde_json::to_value(facts).map_err(encoded)?,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A look-back that is owed, unless it is known.
pub(super) async fn save_look_back(tx: &mut PgConnection, assignment: &Assignment) -> sqlx::Result<()> {
    let Subject::LookBack { item_id } = assignment.subject else { return Ok(()) };
    let (unit, standing) = (&assignment.unit, &assignment.standing);
    sqlx::query!(
        "INSERT INTO assignments (assignment_id, kind, state, rectification_id, version, item_id, case_id, case_title,
             letter_no, unit_id, unit_name, county_code, county_name, area_path, item_numbers, since, due, facts)
         VALUES ($1, 'look_back', 'open', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         ON CONFLICT (assignment_id) DO NOTHING",
        assignment.assignment_id.as_uuid(),
        assignment.rectification_id.as_uuid(),
        standing.version,
        item_id.as_uuid(),
        assignment.case_id.as_uuid(),
        assignment.case_title,
        assignment.letter_no,
        unit.unit_id.as_uuid(),
        unit.name,
        unit.county_code,
        unit.county_name,
        &uuids(&unit.area_path),
        &assignment.item_numbers,
        assignment.since.to_sqlx() as _,
        standing.due.to_sqlx() as _,
        serde_json::to_value(&assignment.facts).map_err(encoded)?,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Where a look-back stands; its history knows all versions, so that no newer one can stand against it.
pub(super) async fn set_standing(tx: &mut PgConnection, id: AssignmentId, standing: &Standing) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE assignments SET state = $2, version = $3, done_at = $4, note = $5 WHERE assignment_id = $1",
        id.as_uuid(),
        standing.state.as_str(),
        standing.version,
        standing.done_at.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        standing.note,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// What was heard of an item's look-backs. The row is locked: of two replicas one goes on with what the other heard.
pub(super) async fn look_backs_for_update(tx: &mut PgConnection, item: ItemId) -> sqlx::Result<History> {
    let nothing = serde_json::to_value(History::default()).map_err(encoded)?;
    sqlx::query!(
        "INSERT INTO look_back_histories (item_id, history) VALUES ($1, $2) ON CONFLICT (item_id) DO NOTHING",
        item.as_uuid(),
        nothing,
    )
    .execute(&mut *tx)
    .await?;
    let history =
        sqlx::query_scalar!("SELECT history FROM look_back_histories WHERE item_id = $1 FOR UPDATE", item.as_uuid(),)
            .fetch_one(tx)
            .await?;
    serde_json::from_value(history).map_err(|source| sqlx::Error::ColumnDecode {
        index: format!("look_back_histories.history of {item}"),
        source: Box::new(source),
    })
}

pub(super) async fn save_look_backs(tx: &mut PgConnection, item: ItemId, history: &History) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE look_back_histories SET history = $2 WHERE item_id = $1",
        item.as_uuid(),
        serde_json::to_value(history).map_err(encoded)?,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The assignment, and nobody else writes it or a paper of it meanwhile.
pub(super) async fn find_for_update(tx: &mut PgConnection, id: AssignmentId) -> sqlx::Result<Option<Assignment>> {
    sqlx::query!("SELECT assignment_id FROM assignments WHERE assignment_id = $1 FOR UPDATE", id.as_uuid())
        .fetch_optional(&mut *tx)
        .await?;
    find(tx, id).await
}

pub(super) async fn find(tx: &mut PgConnection, id: AssignmentId) -> sqlx::Result<Option<Assignment>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT assignment_id, kind, state, rectification_id, version, proposal_id, item_id, level, case_id, case_title,
             letter_no, unit_id, unit_name, county_code, county_name, area_path, item_numbers, since, due, done_at, note,
             article, policy_facts, facts
         FROM assignments WHERE assignment_id = $1",
        id.as_uuid(),
    )
    .fetch_optional(tx)
    .await?;
    row.map(Assignment::try_from).transpose()
}

/// What a list of assignments asks for.
pub(super) struct Wanted<'a> {
    /// Areas whose steps and look-backs are shown.
    pub areas: &'a [AreaId],
    /// Areas of which only the look-backs are shown.
    pub look_back_areas: &'a [AreaId],
    pub kind: Option<Kind>,
    pub state: Option<State>,
    pub county: Option<&'a str>,
    /// Whether it waits although its instant has passed.
    pub overdue: Option<bool>,
    pub at: Timestamp,
}

/// Assignments in these areas, what is due first.
pub(super) async fn list(
    tx: &mut PgConnection,
    wanted: &Wanted<'_>,
    page: &PageRequest<Cursor>,
) -> sqlx::Result<Vec<Assignment>> {
    let (after_due, after_id) = page.after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "SELECT assignment_id, kind, state, rectification_id, version, proposal_id, item_id, level, case_id, case_title,
             letter_no, unit_id, unit_name, county_code, county_name, area_path, item_numbers, since, due, done_at, note,
             article, policy_facts, facts
         FROM assignments
         WHERE (area_path && $1 OR (kind = 'look_back' AND area_path && $2))
           AND ($3::text IS NULL OR kind = $3) AND ($4::text IS NULL OR state = $4)
           AND ($5::text IS NULL OR county_code = $5)
           AND ($6::boolean IS NULL OR (state = 'open' AND due <= $7) = $6)
           AND ($8::timestamptz IS NULL OR (due, assignment_id) > ($8, $9))
         ORDER BY due, assignment_id LIMIT $10",
        &uuids(wanted.areas),
        &uuids(wanted.look_back_areas),
        wanted.kind.map(Kind::as_str),
        wanted.state.map(State::as_str),
        wanted.county,
        wanted.overdue,
        wanted.at.to_sqlx() as _,
        after_due.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        after_id,
        page.fetch(),
    )
    .fetch_all(tx)
    .await?;
    rows.into_iter().map(Assignment::try_from).collect()
}

/// The unit that an assignment concerns.
pub(crate) async fn unit_of(tx: &mut PgConnection, id: AssignmentId) -> sqlx::Result<Option<UnitId>> {
    let unit = sqlx::query_scalar!("SELECT unit_id FROM assignments WHERE assignment_id = $1", id.as_uuid())
        .fetch_optional(tx)
        .await?;
    Ok(unit.map(UnitId::from))
}
