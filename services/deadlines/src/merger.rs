//! A county unit became a part of another one (区划并入): its cases go over to the office that takes over.
//!
//! Who is in charge changes, and who issues from now on; for open cases also the county that they count for and the competent
//! department. No limit moves: each case keeps the calendar and the rules that its unit was told by, its documents their
//! numbers. What is closed goes to the new office's archive and counts where it was closed.

use std::sync::Arc;

use contracts::Actor;
use contracts::deadlines::{Change, RectificationChanged};
use contracts::registry::AreaMerged;
use contracts::tasks::LetterIssued;
use domain::ids::RectificationId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use messaging::ApplyError;
use postgres::Tx;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::letter::store::Agency;
use crate::rectification::dossier::{Dossier, Successor};
use crate::rectification::snapshot::snapshot;
use crate::rectification::store;

/// Carries every case over that the merger concerns, and remembers it for letters that come later.
pub(crate) async fn apply(tx: &mut Tx, merged: &AreaMerged, actor: &Actor) -> Result<(), ApplyError> {
    let at = tx.at();
    // Letters that are being entered come first, and are carried over below; those that come next see the merger.
    sqlx::query!("LOCK TABLE area_mergers IN EXCLUSIVE MODE").execute(&mut **tx).await?;
    sqlx::query!(
        "INSERT INTO area_mergers (area_id, merged, known_at) VALUES ($1, $2, $3) ON CONFLICT (area_id) DO NOTHING",
        Uuid::from(merged.area_id),
        Json(merged) as _,
        at.to_sqlx() as _
    )
    .execute(&mut **tx)
    .await?;
    let mut told = Vec::new();
    for rectification_id in concerned(tx, merged).await? {
        let Some(stored) = store::lock(tx, rectification_id).await? else { continue };
        let mut dossier = stored.dossier;
        if !carry(&mut dossier, merged, at) {
            continue;
        }
        let version = stored.version + 1;
        store::hand_over(tx, &dossier, version, at).await?;
        let (_, agency) = dossier.issuer_at(at);
        let change = Change::HandedOver {
            county: merged.county_name.clone(),
            agency: agency.to_owned(),
            since: merged.effective_on,
        };
        told.push(RectificationChanged { rectification: snapshot(&dossier, version), change });
    }
    if !told.is_empty() {
        messaging::append_all(tx, actor, &told).await?;
    }
    tracing::info!(
        area.code = merged.code,
        county.code = merged.county_code,
        cases = told.len(),
        "cases were handed over"
    );
    Ok(())
}

/// Carries a letter over that was issued before the mergers that are known, with the agency that it names.
pub(crate) async fn carry_letter(
    connection: &mut PgConnection,
    letter: &mut LetterIssued,
    agency: &mut Agency,
    at: Timestamp,
) -> Result<Option<Successor>, sqlx::Error> {
    sqlx::query!("LOCK TABLE area_mergers IN ROW SHARE MODE").execute(&mut *connection).await?;
    let known = sqlx::query_scalar!(
        r#"SELECT merged AS "merged: Json<AreaMerged>" FROM area_mergers ORDER BY known_at, area_id"#
    )
    .fetch_all(connection)
    .await?;
    let mut successor: Option<Successor> = None;
    for Json(merged) in known {
        merged.carry(&mut letter.unit, true);
        let current = successor.as_ref().map_or(letter.document.issuing_unit_id, |successor| successor.unit_id);
        if current == merged.agency.from {
            agency.unit_key.clone_from(&merged.agency.to_key);
            agency.area_code.clone_from(&merged.county_code);
            successor = Some(succeeding(&merged, at));
        }
    }
    Ok(successor)
}

fn succeeding(merged: &AreaMerged, at: Timestamp) -> Successor {
    Successor { since: at, unit_id: merged.agency.to, name: merged.agency.to_name.clone() }
}

/// Carries a case over; false when the merger does not concern it.
fn carry(dossier: &mut Dossier, merged: &AreaMerged, at: Timestamp) -> bool {
    let open = dossier.closed_at.is_none();
    let concerned = merged.carry(&mut Arc::make_mut(&mut dossier.letter).unit, open);
    let issues = dossier.issuer_at(at).0 == merged.agency.from;
    if open && issues {
        dossier.successor = Some(succeeding(merged, at));
        dossier.agency_key.clone_from(&merged.agency.to_key);
        dossier.agency_area_code.clone_from(&merged.county_code);
    }
    let department = &mut dossier.rectification.letter.competent_department;
    if open && *department == Some(merged.bureau.from) {
        *department = Some(merged.bureau.to);
    }
    concerned || (open && issues)
}

/// The cases that a merger may concern, in the order of their names, as acts lock them.
async fn concerned(connection: &mut PgConnection, merged: &AreaMerged) -> Result<Vec<RectificationId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "SELECT rectification_id FROM dossiers
         WHERE area_path @> ARRAY[$1::uuid] OR county_code = $2 OR reader_ids @> ARRAY[$3::uuid]
         ORDER BY rectification_id",
        Uuid::from(merged.area_id),
        merged.code,
        Uuid::from(merged.bureau.from)
    )
    .fetch_all(connection)
    .await?;
    Ok(ids.into_iter().map(RectificationId::from).collect())
}
