//! Issuing a plan: its number, its frozen text, its event.

use access::Permit;
use contracts::shared::DocumentKind;
use contracts::tasks::PlanIssued;
use documents::content::{AnnualPlan, PlanItem};
use domain::ids::{DocumentId, PlanId};
use postgres::Tx;
use problem::{Problem, Text};
use service_kit::etag::IfMatch;

use super::{Plan, store};
use crate::app::AppState;
use crate::document::{self, Draft};
use crate::office::{actor, require_office};
use crate::registry::store as copies;

/// Issues the plan (印发, measure 3).
pub(super) async fn issue(
    tx: &mut Tx,
    state: &AppState,
    permit: &Permit,
    plan_id: PlanId,
    if_match: IfMatch,
) -> problem::Result<Plan> {
    let unknown = || Problem::unknown_resource(Text::new("没有这个督导计划。", "There is no such plan."));
    let mut plan = store::find_for_update(tx, plan_id).await?.ok_or_else(unknown)?;
    require_office(permit, &plan.area_path)?;
    if_match.check(plan.version)?;
    if plan.document.is_some() {
        return Err(Problem::state_refuses(
            Text::new("该计划已经印发。", "The plan has been issued already."),
            "issued",
        ));
    }
    let agency = copies::unit(tx, plan.agency_id).await?.ok_or_else(unknown)?;
    let targets: Vec<_> = plan.items.iter().flat_map(|item| item.target_unit_ids.iter().copied()).collect();
    let units = copies::units(tx, &targets).await?;
    let items: Vec<_> = plan
        .items
        .iter()
        .map(|item| PlanItem {
            lead: None,
            matter: item.matter.clone(),
            method: None,
            number: item.number.unsigned_abs(),
            partners: Vec::new(),
            supervision_kind: item.supervision_kind.zh().to_owned(),
            targets: item
                .target_unit_ids
                .iter()
                .filter_map(|id| units.iter().find(|unit| unit.unit_id == *id))
                .map(|unit| unit.name.clone())
                .collect(),
            window_from: item.window_from,
            window_to: item.window_to,
        })
        .collect();
    let actor = actor(permit.caller());
    let document = document::issue(
        tx,
        &state.rules,
        &actor,
        Draft {
            document_id: DocumentId::new(state.ids.new_id()),
            kind: DocumentKind::Plan,
            title: plan.title.clone(),
            agency: &agency,
            addressee: "各有关单位".to_owned(),
            copies: Vec::new(),
            case_id: None,
            plan_id: Some(plan_id),
            assignment_id: None,
            finding_ids: Vec::new(),
            legal_basis: &[],
            contact: None,
            phone: None,
            signer: None,
            publication: None,
            body: AnnualPlan {
                aim: None,
                approvals: Vec::new(),
                items,
                requirements: Vec::new(),
                upward_report: None,
                year: plan.year,
            }
            .into(),
        },
    )
    .await?
    .document;
    plan.version += 1;
    plan.document = Some(document.clone());
    store::set_issued(tx, plan_id, plan.version, document.document_id).await?;
    let event = PlanIssued { plan_id, version: plan.version, year: plan.year, document };
    messaging::append(tx, &actor, &event).await?;
    Ok(plan)
}
