//! The competent department's case (连带责任, measure 10): its dossier is the unit's, as it concerns the department.

use std::sync::Arc;

use contracts::shared::UnitRef;
use contracts::tasks::{FindingFact, LetterIssued};
use domain::rectification::{OpenedItem, RectificationEvent};

use super::dossier::Dossier;

/// The dossier of the department's case, when the event opens one.
pub(crate) fn department_case(unit: &Dossier, event: &RectificationEvent) -> Option<(Dossier, OpenedItem)> {
    let RectificationEvent::DepartmentHeldLiable { department_case, opened } = event else { return None };
    let letter = &unit.letter;
    let numbers: Vec<String> = unit
        .rectification
        .items
        .iter()
        .filter(|item| item.ladder_level > 1)
        .map(|item| format!("第{}项", item.number))
        .collect();
    let department = UnitRef {
        unit_id: department_case.letter.supervised_unit,
        name: letter.unit.competent_unit_name.clone().unwrap_or_else(|| format!("{}的主管部门", letter.unit.name)),
        code: None,
        competent_unit_id: None,
        competent_unit_name: None,
        ..letter.unit.clone()
    };
    let finding = FindingFact {
        finding_id: opened.finding_id,
        number: 1,
        severity: opened.severity,
        category: "连带责任".to_owned(),
        description: format!(
            "{}对《{}》所列{}逾期未完成整改，经督办仍未完成",
            letter.unit.name,
            letter.document.doc_no,
            numbers.join("、")
        ),
        basis: "琼办发〔2021〕13号第10项".to_owned(),
        demand: format!("指导、督促{}限期完成整改，并报告督促情况", letter.unit.name),
        advice: String::new(),
        responsible_unit_id: department.unit_id,
        responsible_unit_name: department.name.clone(),
    };
    let letter = LetterIssued { unit: department, findings: vec![finding], ..letter.as_ref().clone() };
    let dossier = Dossier {
        successor: unit.successor.clone(),
        ..Dossier::new(
            department_case.as_ref().clone(),
            Arc::new(letter),
            unit.agency_area_code.clone(),
            unit.agency_key.clone(),
        )
    };
    Some((dossier, opened.clone()))
}
