//! Annual supervision plans (年度督导计划), measures 3 and 7.

mod create;
pub(crate) mod http;
mod issue;
pub(crate) mod store;

use contracts::shared::DocumentRef;
use contracts::tasks::SupervisionKind;
use domain::ids::{AreaId, PlanId, PlanItemId, UnitId};
use jiff::Timestamp;
use jiff::civil::Date;

/// A plan as stored.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "identities are named in full everywhere")]
pub(crate) struct Plan {
    pub plan_id: PlanId,
    pub version: i64,
    pub year: i16,
    pub title: String,
    pub agency_id: UnitId,
    pub agency_name: String,
    pub area_path: Vec<AreaId>,
    pub items: Vec<PlanItem>,
    pub document: Option<DocumentRef>,
    pub created_at: Timestamp,
}

/// An item of a plan (计划事项).
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "identities are named in full everywhere")]
pub(crate) struct PlanItem {
    pub plan_item_id: PlanItemId,
    pub number: i32,
    pub supervision_kind: SupervisionKind,
    pub matter: String,
    pub target_unit_ids: Vec<UnitId>,
    pub window_from: Date,
    pub window_to: Date,
}
