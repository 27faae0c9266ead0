//! What people decide about deliveries that were given up (死信): to send them again, or to leave it at that.

use access::{Permit, Resource};
use domain::ids::AreaId;
use postgres::Tx;
use problem::{Problem, ProblemKind, Text};
use uuid::Uuid;

use super::store::{self, DeliveryRow};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 500;

async fn lock(tx: &mut Tx, permit: &Permit, delivery: Uuid) -> Result<store::Decidable, Problem> {
    let row = store::lock_decidable(tx, delivery)
        .await?
        .ok_or_else(|| Problem::unknown_resource(Text::new("没有这条送达记录。", "There is no such delivery.")))?;
    permit.on(&Resource::in_area(row.area_path.iter().copied().map(AreaId::from)))?;
    Ok(row)
}

fn not_failed(state: &str) -> Problem {
    Problem::new(
        ProblemKind::StateRefuses,
        Text::new(
            format!("只有未送达（failed）的消息可以处理，该消息现为 {state}。"),
            format!("Only a failed delivery can be decided about; this one is {state}."),
        ),
    )
}

/// Sends a delivery that was given up again. One that is on its way already is on its way.
pub async fn redrive(tx: &mut Tx, permit: &Permit, delivery: Uuid) -> Result<DeliveryRow, Problem> {
    let row = lock(tx, permit, delivery).await?;
    match row.state.as_str() {
        "failed" => store::redrive(tx, row.delivery_id).await?,
        "queued" | "sending" => {}
        state => return Err(not_failed(state)),
    }
    Ok(store::one(tx, row.delivery_id).await?)
}

/// Leaves it at that, with a reason: the reader was told in another way, or need not be told any more.
pub async fn discard(tx: &mut Tx, permit: &Permit, delivery: Uuid, reason: &str) -> Result<DeliveryRow, Problem> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let text = Text::new("请填写理由，500字以内。", "Give a reason of at most 500 characters.");
        return Err(Problem::of(ProblemKind::InvalidFields).field("/reason", text));
    }
    let row = lock(tx, permit, delivery).await?;
    match row.state.as_str() {
        "failed" => store::discard(tx, row.delivery_id, permit.caller().account_id, reason).await?,
        "discarded" => {}
        state => return Err(not_failed(state)),
    }
    Ok(store::one(tx, row.delivery_id).await?)
}
