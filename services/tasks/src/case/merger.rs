//! A county unit became a part of another one (区划并入): its supervisions go over to the office that takes over, whatever their
//! state. What was issued stays as it was; days that the unit was told stay as well.

use contracts::Actor;
use contracts::registry::AreaMerged;
use postgres::Tx;
use serde_json::json;

use super::{Record, store};

/// Carries every supervision over that the merger concerns.
pub(crate) async fn apply(tx: &mut Tx, merged: &AreaMerged, actor: &Actor) -> sqlx::Result<()> {
    for mut case in store::concerned_by(tx, merged).await? {
        if carry(&mut case.record, merged) {
            let note = json!({"event": "handed_over", "county": merged.county_name, "agency": case.record.agency.name});
            store::save_noted(tx, &mut case, note, actor).await?;
        }
    }
    Ok(())
}

fn carry(record: &mut Record, merged: &AreaMerged) -> bool {
    // A letter's limits are no business of this room: as long as anything may still be done about a case, it is open here.
    let concerned = merged.carry(&mut record.unit, true);
    let path = merged.path_of(&record.agency.area_path);
    let hands_over = record.agency.unit_id == merged.agency.from;
    if hands_over {
        // Of the path the county that takes over, not the district that the area is now.
        let own = merged.path.len().saturating_sub(1);
        record.agency.area_path = merged.path.iter().take(own).copied().collect();
        record.agency.unit_id = merged.agency.to;
        record.agency.name.clone_from(&merged.agency.to_name);
    } else if let Some(path) = &path {
        record.agency.area_path.clone_from(path);
    }
    concerned || hands_over || path.is_some()
}
