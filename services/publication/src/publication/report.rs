//! The supervision report of a case (督导报告, Regulation art. 23): once it is issued, the term for publication runs from it.

use contracts::shared::DocumentRef;
use contracts::tasks::ReportIssued;
use domain::ids::CaseId;
use jiff_sqlx::ToSqlx as _;
use messaging::ApplyError;
use postgres::Tx;
use sqlx::PgConnection;
use sqlx::types::Json;

use super::state::State;
use super::store;
use crate::rules::Rules;

/// Keeps the report, and counts the term of what nobody has decided on from it.
pub(crate) async fn reported(tx: &mut Tx, event: &ReportIssued, rules: &Rules) -> Result<(), ApplyError> {
    sqlx::query!(
        "INSERT INTO reports (case_id, document) VALUES ($1, $2) ON CONFLICT (case_id) DO NOTHING",
        event.case_id.as_uuid(),
        Json(&event.document) as _,
    )
    .execute(&mut **tx)
    .await?;
    // In the order of their names, as everywhere.
    let drafts = sqlx::query_scalar!(
        "SELECT publication_id FROM publications WHERE state = 'draft' AND (snapshot ->> 'case_id')::uuid = $1
         ORDER BY publication_id",
        event.case_id.as_uuid(),
    )
    .fetch_all(&mut **tx)
    .await?;
    for id in drafts {
        let Some(draft) = store::lock(tx, id.into()).await? else { continue };
        let State::Draft = draft.state else { continue };
        let due = rules.publication_due(&draft.snapshot, Some(event.document.issued_at)).map_err(ApplyError::NotYet)?;
        // What was told never moves earlier.
        if due.due_at <= draft.due.due_at {
            continue;
        }
        sqlx::query!(
            "UPDATE publications SET due_on = $2, due_at = $3, due_proof = $4 WHERE publication_id = $1",
            id,
            due.due_on.to_sqlx() as _,
            due.due_at.to_sqlx() as _,
            Json(&due) as _,
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// The report of a case, once it is issued.
pub(crate) async fn of_case(connection: &mut PgConnection, case_id: CaseId) -> sqlx::Result<Option<DocumentRef>> {
    let found = sqlx::query_scalar!(
        r#"SELECT document AS "document: Json<DocumentRef>" FROM reports WHERE case_id = $1"#,
        case_id.as_uuid(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|Json(document)| document))
}
