//! What the papers say, from the state, the letter and the evidence.

use contracts::shared::DocumentKind;
use contracts::tasks::FindingFact;
use documents::content::{AcceptanceItem, AcceptanceOpinion, Approval as Signed, ClosingApproval, Condition};
use domain::ids::{AccountId, DocumentId, FindingId, ItemId};
use domain::local_time::{date_zh, local_date};
use domain::rectification::{Accepted, Approval, CloseOutCondition, Item, ItemState, Report, Verification};
use domain::rulebook::Rulebook;
use jiff::Timestamp;

use super::{Draft, Ended};
use crate::rectification::dossier::Dossier;
use crate::rectification::evidence::EvidenceView;

const BASIS: [&str; 2] = ["《教育督导条例》第二十二条", "琼办发〔2021〕13号第10项"];
/// No day is named, so that nobody tidies up for it (measure 11).
const LOOK_BACK: &str = "本机构将按照规定适时开展“回头看”，重点检查整改成果是否巩固；问题反弹的，重新立项整改。";

fn finding(dossier: &Dossier, finding_id: FindingId) -> Option<&FindingFact> {
    dossier.letter.findings.iter().find(|finding| finding.finding_id == finding_id)
}

fn document_id(kind: DocumentKind, case: &Ended<'_>, item_id: Option<ItemId>) -> DocumentId {
    let rectification_id = case.dossier.rectification.rectification_id.to_string();
    let (version, item) = (case.version.to_string(), item_id.map(|id| id.to_string()).unwrap_or_default());
    DocumentId::derived(&[kind.as_str(), &rectification_id, &version, &item])
}

fn name_of(dossier: &Dossier, account: AccountId) -> Option<String> {
    dossier.name_of(account)
}

/// The form of an item's close-out (销号审批表); nothing for an item that is not closed, which the domain never asks for.
pub(super) fn approval(
    case: &Ended<'_>,
    item_id: ItemId,
    rulebook: &Rulebook,
    files: &[EvidenceView],
    at: Timestamp,
) -> Option<Draft> {
    let dossier = case.dossier;
    let item = dossier.rectification.item(item_id)?;
    let ItemState::Closed { report, verification, approvals } = &item.state else { return None };
    let finding = finding(dossier, item.finding_id)?;
    let wanted = rulebook.severity_rule(item.severity).close_out_approvals;
    let evidence: Vec<String> =
        files.iter().filter(|file| report.evidence.contains(&file.file_id)).map(|file| file.name.clone()).collect();
    let conditions = item
        .close_out_conditions(wanted)
        .map(|(condition, met)| Condition {
            evidence: shown_by(condition, dossier, (report, verification, approvals), wanted),
            met,
            text: condition.zh().to_owned(),
        })
        .to_vec();
    let body = ClosingApproval {
        approvals: chain(dossier, verification, approvals),
        closed_on: Some(local_date(at)),
        closing_no: None,
        conditions,
        demand: Some(finding.demand.clone()),
        evidence,
        letter_no: dossier.letter.document.doc_no.clone(),
        number: item.number,
        problem: finding.description.clone(),
        rectified: Some(report.text.clone()),
        severity: Some(item.severity.zh().to_owned()),
        unit: dossier.letter.unit.name.clone(),
    };
    let id = document_id(DocumentKind::ClosingApproval, case, Some(item_id));
    Some(Draft {
        item_id: Some(item_id),
        finding_ids: vec![item.finding_id],
        legal_basis: BASIS.map(str::to_owned).to_vec(),
        ..Draft::new(dossier, id, DocumentKind::ClosingApproval, "销号审批表".to_owned(), body.into())
    })
}

/// What shows a condition.
fn shown_by(
    condition: CloseOutCondition,
    dossier: &Dossier,
    (report, verification, approvals): (&Report, &Verification, &[Approval]),
    wanted: u8,
) -> Option<String> {
    Some(match condition {
        CloseOutCondition::Reported => format!("{}报告", date_zh(local_date(report.at))),
        CloseOutCondition::Evidenced => format!("佐证材料{}件", report.evidence.len()),
        CloseOutCondition::Verified => format!(
            "{}{}核查",
            date_zh(local_date(verification.at)),
            name_of(dossier, verification.by).unwrap_or_default()
        ),
        CloseOutCondition::Approved => format!("应{wanted}人，实{}人", approvals.len()),
        CloseOutCondition::ApprovedByOthers => return None,
    })
}

/// Who verified and who approved, in their order.
fn chain(dossier: &Dossier, verification: &Verification, approvals: &[Approval]) -> Vec<Signed> {
    let said = |text: &str| (!text.trim().is_empty()).then(|| text.to_owned());
    let mut chain = vec![Signed {
        at: Some(verification.at),
        name: name_of(dossier, verification.by),
        opinion: said(&verification.note),
        result: Some("核查通过".to_owned()),
        role: "核查督学".to_owned(),
    }];
    let last = approvals.len().saturating_sub(1);
    chain.extend(approvals.iter().enumerate().map(|(place, approval)| Signed {
        at: Some(approval.at),
        name: name_of(dossier, approval.by),
        opinion: said(&approval.opinion),
        result: Some("同意销号".to_owned()),
        role: if place == last { "督导机构审批" } else { "督导机构审核" }.to_owned(),
    }));
    chain
}

/// The opinion on what was accepted of the letter (整改验收意见).
pub(super) fn acceptance(case: &Ended<'_>, at: Timestamp) -> Draft {
    let dossier = case.dossier;
    let rectification = &dossier.rectification;
    let unit = &dossier.letter.unit;
    let count = rectification.acceptance_count();
    let body = AcceptanceOpinion {
        closed: count.closed,
        completion_rate: count.completion_rate(),
        conclusion: conclusion(count.total, count.closed, count.waived),
        items: rectification.items.iter().map(|item| accepted(dossier, item)).collect(),
        letter_no: dossier.letter.document.doc_no.clone(),
        look_back: (count.closed > 0).then(|| LOOK_BACK.to_owned()),
        method: None,
        total: count.total,
        unit: unit.name.clone(),
        verified_on: local_date(rectification.last_verified_at().unwrap_or(at)),
    };
    let id = document_id(DocumentKind::AcceptanceOpinion, case, None);
    let title = format!("关于{}整改情况的验收意见", unit.name);
    Draft {
        addressee: Some(unit.name.clone()),
        copies: unit.competent_unit_name.iter().cloned().collect(),
        finding_ids: rectification.items.iter().map(|item| item.finding_id).collect(),
        legal_basis: BASIS.map(str::to_owned).to_vec(),
        ..Draft::new(dossier, id, DocumentKind::AcceptanceOpinion, title, body.into())
    }
}

fn conclusion(total: u32, closed: u32, waived: u32) -> String {
    if closed == 0 {
        format!("所列{total}项问题均经批准免于整改，整改终结。")
    } else if waived == 0 {
        format!("所列{total}项问题已全部整改到位，同意通过验收。")
    } else {
        format!("所列{total}项问题中，{closed}项已整改到位，{waived}项经批准免于整改，同意通过验收。")
    }
}

fn accepted(dossier: &Dossier, item: &Item) -> AcceptanceItem {
    let result = match &item.state {
        ItemState::Closed { verification, .. } | ItemState::Verified { verification, .. } => verification.note.clone(),
        ItemState::Waived { waiver } => waiver.reason.clone(),
        ItemState::InProgress | ItemState::Reported { .. } | ItemState::Returned { .. } => {
            Accepted::Open.zh().to_owned()
        }
    };
    AcceptanceItem {
        feedback_given: item.state.report().is_some(),
        number: item.number,
        opinion: item.accepted().zh().to_owned(),
        problem: finding(dossier, item.finding_id).map(|finding| finding.description.clone()).unwrap_or_default(),
        result,
    }
}
