//! The two sides of a case: the unit that must rectify, and the office that supervises it. Nobody acts for both.
//!
//! What a role permits is decided before (`access`); here the question is for whom the caller acts in this one case.

use access::{Caller, Permit, Resource, Role};
use domain::ids::{ItemId, RequestId, UnitId};
use domain::rectification::RequestSubject;
use problem::{Problem, ProblemKind, Text};

use super::act::{Act, ItemAct};
use super::dossier::Dossier;

/// Whether the caller holds the role in an area that the case lies in; the same role elsewhere counts for nothing here.
pub(crate) fn holds(caller: &Caller, role: Role, dossier: &Dossier) -> bool {
    let path = &dossier.letter.unit.area_path;
    caller.grants.iter().any(|grant| grant.role == role && grant.area_id.is_some_and(|area| path.contains(&area)))
}

/// Refuses who acts for a unit that is not his, and who judges for the office what his own unit did.
pub(crate) fn check(permit: &Permit, dossier: &Dossier, act: &Act) -> Result<(), Problem> {
    match act {
        Act::Item(item_id, ItemAct::SubmitPlan { .. } | ItemAct::NoteProgress(_) | ItemAct::Report { .. }) => {
            for_the_unit(permit.caller(), dossier, Some(*item_id))
        }
        Act::Item(_, ItemAct::Consult { .. } | ItemAct::AnswerConsultation(_)) => Ok(()),
        Act::Item(
            _,
            ItemAct::JudgePlan(_)
            | ItemAct::Verify(_)
            | ItemAct::CloseOut { .. }
            | ItemAct::RefuseCloseOut { .. }
            | ItemAct::LookBack(_),
        )
        | Act::TakeStep { .. } => for_the_office(permit.caller(), dossier),
        Act::DecideRequest { request_id, granted: _, note: _ } => {
            for_the_office(permit.caller(), dossier)?;
            in_ones_own_competence(permit.caller(), dossier, *request_id)
        }
        Act::Ask { subject, reason: _ } => {
            // An office asks where its area reaches; everyone else asks for his own unit.
            let office = Resource::in_area(dossier.letter.unit.area_path.iter().copied());
            if permit.on(&office).is_ok() {
                return Ok(());
            }
            for_the_unit(permit.caller(), dossier, item_of(subject))
        }
    }
}

fn item_of(subject: &RequestSubject) -> Option<ItemId> {
    match subject {
        RequestSubject::Extension { item_id, .. } | RequestSubject::Waiver { item_id } => Some(*item_id),
        RequestSubject::Pause { .. } | RequestSubject::Resume | RequestSubject::Lift { .. } => None,
    }
}

fn units(caller: &Caller) -> impl Iterator<Item = UnitId> {
    caller.grants.iter().filter_map(|grant| grant.unit_id).chain(caller.unit_id)
}

/// The supervised unit acts on everything, a unit named responsible only on its own items.
fn for_the_unit(caller: &Caller, dossier: &Dossier, item_id: Option<ItemId>) -> Result<(), Problem> {
    let supervised = dossier.letter.unit.unit_id;
    let responsible = item_id.map(|item_id| dossier.rectification.item(item_id).map(|item| item.responsible_unit));
    let entitled = units(caller).any(|unit| unit == supervised || responsible == Some(Some(unit)));
    // An item that does not exist is told so by the domain.
    if entitled || responsible == Some(None) {
        Ok(())
    } else {
        Err(Problem::new(
            ProblemKind::Forbidden,
            Text::new(
                "只有被督导单位或该问题的责任单位可以办理。请由本单位人员登录办理。",
                "Only the supervised unit or the unit responsible for the finding may act for it; let its own people do it.",
            ),
        ))
    }
}

/// The chair decides what is about a step of the ladder; every other request is the office's to decide.
fn in_ones_own_competence(caller: &Caller, dossier: &Dossier, request_id: RequestId) -> Result<(), Problem> {
    let of_the_office =
        [Role::ProvinceOfficeAdmin, Role::CountyOfficeAdmin].into_iter().any(|role| holds(caller, role, dossier));
    // A request that does not exist is told so by the domain.
    let is_other = dossier
        .rectification
        .requests
        .iter()
        .any(|request| request.request_id == request_id && !matches!(request.subject, RequestSubject::Lift { .. }));
    if of_the_office || !is_other {
        Ok(())
    } else {
        Err(Problem::forbidden(Text::new(
            "这项申请由督导机构审批，督导委员会主任只审批解除升级措施的申请。请由督导机构办理。",
            "This request is for the office to decide, the chair decides on lifting a step only; let the office do it.",
        )))
    }
}

/// Refuses who belongs to a unit that must act.
pub(crate) fn for_the_office(caller: &Caller, dossier: &Dossier) -> Result<(), Problem> {
    let acting = dossier.acting_units();
    if units(caller).any(|unit| acting.contains(&unit)) {
        return Err(Problem::new(
            ProblemKind::SeparationOfDuties,
            Text::new(
                "责任单位人员不得代督导机构办理本单位的整改事项。请由督导机构的其他人员办理。",
                "Who belongs to the unit that must rectify does not act for the office in its case; let someone else of the \
                 office do it.",
            ),
        ));
    }
    Ok(())
}
