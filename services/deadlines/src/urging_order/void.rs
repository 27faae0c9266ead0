//! Voiding an urging order (作废督办单): only when nothing rests on it any more. Its number stays used, its content kept.

use access::{Permit, Resource};
use contracts::Actor;
use contracts::deadlines::DocumentVoided;
use contracts::shared::{RegisterEntry, VoidCause, Voiding};
use domain::ids::UrgingOrderId;
use jiff_sqlx::ToSqlx as _;
use postgres::Tx;
use problem::{Problem, Text};
use sqlx::PgConnection;
use uuid::Uuid;

use super::http::unknown;
use crate::rectification::dossier::Dossier;
use crate::rectification::{sides, store};

/// Voids an order. While one of its items is not done, the unit's limit and the ladder rest on it: then people act on those,
/// and the paper stays.
pub(super) async fn void(
    tx: &mut Tx,
    permit: &Permit,
    order_id: UrgingOrderId,
    cause: VoidCause,
    reason: &str,
) -> Result<(), Problem> {
    let rectification_id = sqlx::query_scalar!(
        "SELECT rectification_id FROM urging_orders WHERE urging_order_id = $1",
        Uuid::from(order_id)
    )
    .fetch_optional(&mut **tx)
    .await?
    .ok_or_else(unknown)?;
    // The lock of the case: what its items are cannot change meanwhile, and nobody voids twice.
    let dossier = store::lock(tx, rectification_id.into()).await?.ok_or_else(unknown)?.dossier;
    permit.on(&dossier.resource()).map_err(|_| unknown())?;
    permit.on(&Resource::in_area(agency_path(&dossier)))?;
    sides::for_the_office(permit.caller(), &dossier)?;
    if find(tx, order_id).await?.is_some() {
        return Err(Problem::state_refuses(
            Text::new("这份督办单已经作废。", "The urging order has been voided already."),
            "void",
        ));
    }
    let resting = dossier.rectification.resting_on(order_id);
    if !resting.is_empty() {
        let list = resting.iter().map(ToString::to_string).collect::<Vec<_>>().join("、");
        return Err(Problem::state_refuses(
            Text::new(
                format!(
                    "第{list}项尚未销号，其整改期限和后续升级措施以这份督办单为据，不能作废。需要改变期限或者终止督办的，\
                     请申请延期、中止、免于整改，或者申请解除升级措施；事项办结后可以作废。"
                ),
                format!(
                    "Items {list} are not done: their limit and the next step rest on this order, so it cannot be voided. To \
                     change the limit or to end the urging, request an extension, a pause, a waiver, or the lifting of the \
                     step; once the items are done, the order can be voided."
                ),
            ),
            "issued",
        )
        .with("guard", "clock_runs_from_it"));
    }
    let order = dossier.orders.iter().find(|order| order.urging_order_id == order_id).ok_or_else(unknown)?;
    let caller = permit.caller();
    let voided =
        Voiding { at: tx.at(), cause, reason: reason.to_owned(), by: caller.display_name.clone(), replaced_by: None };
    sqlx::query!(
        "INSERT INTO voided_orders (urging_order_id, voided_at, cause, reason, account_id, name)
         VALUES ($1, $2, $3, $4, $5, $6)",
        Uuid::from(order_id),
        voided.at.to_sqlx() as _,
        voided.cause.key(),
        voided.reason,
        Uuid::from(caller.account_id),
        caller.display_name,
    )
    .execute(&mut **tx)
    .await?;
    let entry = RegisterEntry {
        version: 2,
        document: order.document.clone(),
        kept_as: order_id.into(),
        area_path: dossier.letter.unit.area_path.clone(),
        open: false,
        content: None,
        voided: Some(voided),
    };
    let actor = Actor::Person { account_id: caller.account_id, name: caller.display_name.clone() };
    messaging::append(tx, &actor, &DocumentVoided(entry)).await?;
    tracing::info!(urging_order.id = %order_id, account.id = %caller.account_id, "urging order voided");
    Ok(())
}

/// The areas of the agency that issued the order: the province's own papers are not a county's to void.
fn agency_path(dossier: &Dossier) -> Vec<domain::ids::AreaId> {
    let unit = &dossier.letter.unit;
    let whole = unit.county_code.as_ref().is_some_and(|code| *code == dossier.agency_area_code);
    let levels = if whole { unit.area_path.len() } else { 1 };
    unit.area_path.iter().take(levels).copied().collect()
}

/// That an order was voided, and why.
pub(super) async fn find(
    connection: &mut PgConnection,
    order_id: UrgingOrderId,
) -> Result<Option<Voiding>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT voided_at, cause, reason, name FROM voided_orders WHERE urging_order_id = $1",
        Uuid::from(order_id)
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        Ok(Voiding {
            at: row.voided_at.to_jiff(),
            cause: serde_json::from_value(serde_json::Value::String(row.cause))
                .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            reason: row.reason,
            by: row.name,
            replaced_by: None,
        })
    })
    .transpose()
}
