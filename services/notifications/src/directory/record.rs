//! Keeping the copies.

use contracts::{
    deadlines::RectificationSnapshot,
    registry::{AccountRecorded, AreaMerged, UnitRecorded},
    tasks::NotificationIssued,
};
use domain::ids::ItemId;
use postgres::Tx;

use super::store;
use crate::delivery;

/// Keeps an account; mail that failed for its address is tried again when it has another.
pub async fn account(tx: &mut Tx, account: &AccountRecorded) -> Result<(), sqlx::Error> {
    let known = store::address_of(tx, account.account_id).await?;
    if !store::save_account(tx, account).await? {
        return Ok(());
    }
    store::save_grants(tx, account).await?;
    if account.email.is_some() && known.as_ref() != Some(&account.email) {
        delivery::store::try_failed_again(tx, account.account_id).await?;
    }
    Ok(())
}

/// Keeps a unit.
pub async fn unit(tx: &mut Tx, unit: &UnitRecorded) -> Result<(), sqlx::Error> {
    store::save_unit(tx, unit).await
}

/// Gives what is told and not yet signed about a county that became a part of another one to the office that takes over.
pub async fn merger(tx: &mut Tx, merged: &AreaMerged) -> Result<(), sqlx::Error> {
    store::hand_over(tx, merged).await
}

/// Keeps the group of a supervision.
pub async fn team(tx: &mut Tx, notice: &NotificationIssued) -> Result<(), sqlx::Error> {
    store::save_case(tx, notice).await
}

/// Keeps which items are open and says which ones are, by the newest version known.
pub async fn open_items(tx: &mut Tx, rectification: &RectificationSnapshot) -> Result<Vec<ItemId>, sqlx::Error> {
    let open = open_in(rectification);
    store::save_open_items(tx, rectification.rectification_id, rectification.version, &open).await
}

/// Which items a snapshot says are open.
pub fn open_in(rectification: &RectificationSnapshot) -> Vec<ItemId> {
    rectification.items.iter().filter(|item| !item.state.is_done()).map(|item| item.item_id).collect()
}
