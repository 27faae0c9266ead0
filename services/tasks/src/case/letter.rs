//! What a supervision ends with: the opinion letter (督导意见书, Regulation art. 21), or, after a regular supervision, the
//! rectification notice (整改通知书, art. 15). Both list findings with limits, and the receipt of either starts the clocks.

use access::Permit;
use contracts::tasks::{FindingFact, LetterIssued, SupervisionKind};
use documents::Body;
use documents::content::{NoticedProblem, OpinionLetter, RectificationNotice};
use domain::case::{CaseState, LetterDraft, LetterFinding, Plea};
use domain::doc_number::{DocNumber, DocNumberError};
use domain::ids::{AccountId, DocumentId, LetterId};
use domain::local_time::local_date;
use domain::rulebook::{ProcedureClock, Rulebook};
use jiff::Timestamp;
use jiff::civil::Date;
use postgres::Tx;
use problem::Problem;
use serde::Deserialize;
use utoipa::ToSchema;

use super::feedback::rulebook_of;
use super::record::LetterEntry;
use super::{Case, Record, plea, standing, store, words};
use crate::app::AppState;
use crate::checks::{Fields, LONG_TEXT, SHORT_TEXT};
use crate::document::{self, Draft};
use crate::office::actor;
use crate::registry::{Unit, store as copies};

const DEMAND: &str =
    "请按照整改要求逐项整改，并在整改期限内报告整改情况；整改期限自签收本意见书之日起计算，签收当日不计入。";
const REPORT_HOW: &str = "报告应当逐项说明整改情况，并附整改前后的照片等佐证材料。";

/// The letter as written; its findings are those of the case.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLetter {
    /// Overall evaluation.
    pub evaluation: String,
    /// How the plea was treated, where that was not decided before.
    pub plea_treatment: Option<String>,
    /// For a rectification notice: how the unit is to report; a usual phrase when absent.
    pub report_how: Option<String>,
    /// Contact at the agency.
    pub contact: Option<String>,
}

/// The letter as the machine judges it.
pub(super) fn draft(
    record: &Record,
    letter_id: LetterId,
    number: DocNumber,
    evaluation: &str,
    signed_by: AccountId,
    issued_at: Timestamp,
) -> LetterDraft {
    LetterDraft {
        letter_id,
        number,
        evaluation: evaluation.to_owned(),
        findings: record
            .findings
            .iter()
            .map(|finding| LetterFinding {
                finding_id: finding.finding_id,
                number: finding.number.unsigned_abs(),
                severity: finding.severity,
                problem: finding.description.clone(),
                demand: finding.demand.clone(),
                responsible_unit: finding.responsible_unit_id,
                limit: None,
            })
            .collect(),
        signed_by,
        issued_at,
    }
}

/// A number that stands in while the guards are asked, so that a refused letter takes none.
pub(super) fn standing_in(at: Timestamp) -> Result<DocNumber, DocNumberError> {
    DocNumber::try_new("意见书", None, local_date(at).year(), 1)
}

/// Issues the letter: guards, number, frozen text, event.
pub(super) async fn issue(
    tx: &mut Tx,
    state: &AppState,
    permit: &Permit,
    case: &mut Case,
    new: NewLetter,
) -> problem::Result<()> {
    standing::office(permit, &case.record)?;
    let mut fields = Fields::default();
    fields.text("/evaluation", &new.evaluation, LONG_TEXT);
    if let Some(treatment) = &new.plea_treatment {
        fields.text("/plea_treatment", treatment, LONG_TEXT);
    }
    fields.optional_text("/report_how", new.report_how.as_deref().unwrap_or_default(), LONG_TEXT);
    fields.optional_text("/contact", new.contact.as_deref().unwrap_or_default(), SHORT_TEXT);
    fields.check()?;
    let at = tx.at();
    let signed_by = permit.caller().account_id;
    let document_id = DocumentId::new(state.ids.new_id());
    let letter_id = LetterId::new(document_id.as_uuid());
    let mut history = Vec::new();
    let undecided = matches!(case.record.machine.state, CaseState::Pleading { plea: Plea::Filed { .. }, .. });
    if let Some(treatment) = new.plea_treatment.clone().filter(|_| undecided) {
        plea::answer(tx, permit, case, &mut history, treatment)?;
    }
    let number = standing_in(at).map_err(|error| Problem::internal(&error))?;
    let judged = draft(&case.record, letter_id, number, &new.evaluation, signed_by, at);
    case.clone().act(&mut Vec::new(), |machine| machine.issue_letter(judged))?;

    let record = &case.record;
    let agency = copies::unit(tx, record.agency.unit_id).await?.ok_or_else(standing::unknown)?;
    let actor = actor(permit.caller());
    let treatment = record.plea.as_ref().and_then(|plea| plea.treatment.clone());
    let issued = document::issue(tx, &state.rules, &actor, paper(state, case, &agency, document_id, &new)?).await?;
    let number = issued.document.doc_no.parse().map_err(|error: DocNumberError| Problem::internal(&error))?;
    let letter = draft(&case.record, letter_id, number, &new.evaluation, signed_by, at);
    case.act(&mut history, |machine| machine.issue_letter(letter))?;
    case.record.letter = Some(LetterEntry {
        document: issued.document.clone(),
        evaluation: new.evaluation.clone(),
        plea_treatment: treatment,
        received_at: None,
    });
    store::save(tx, case, &history, &actor).await?;
    messaging::append(tx, &actor, &event(&case.record, case, letter_id, issued, new.evaluation)).await?;
    Ok(())
}

/// The paper, with facts, reasons, basis, findings and the right to object.
fn paper<'a>(
    state: &AppState,
    case: &Case,
    agency: &'a Unit,
    document_id: DocumentId,
    new: &NewLetter,
) -> problem::Result<Draft<'a>> {
    let record = &case.record;
    let rules = rulebook_of(state, record)?;
    let (title, legal_basis, body): (_, &[&str], Body) = match record.kind {
        SupervisionKind::Regular => (
            format!("关于{}限期整改有关问题的通知书", record.unit.name),
            &["《教育督导条例》第十五条", "第二十二条"],
            notice(record, rules, agency, new).into(),
        ),
        SupervisionKind::Comprehensive | SupervisionKind::Special | SupervisionKind::Emergency => (
            format!("关于{}的督导意见书", words::about(record)),
            &["《教育督导条例》第二十一条", "第二十二条"],
            letter(record, rules, new).into(),
        ),
    };
    Ok(Draft {
        document_id,
        kind: record.letter_kind(),
        title,
        agency,
        addressee: record.unit.name.clone(),
        copies: record.unit.competent_unit_name.iter().cloned().collect(),
        case_id: Some(case.case_id),
        plan_id: None,
        assignment_id: None,
        finding_ids: words::finding_ids(record),
        legal_basis,
        contact: new.contact.clone(),
        phone: None,
        signer: None,
        publication: None,
        body,
    })
}

fn letter(record: &Record, rules: &Rulebook, new: &NewLetter) -> OpinionLetter {
    OpinionLetter {
        advice: None,
        case_title: record.title.clone(),
        demand: Some(DEMAND.to_owned()),
        evaluation: new.evaluation.clone(),
        facts: None,
        findings: words::findings(record, Some(rules)),
        objection_right: Some(objection_right(rules, "意见书")),
        plea: record.plea.as_ref().map(words::plea),
        plea_treatment: record.plea.as_ref().and_then(|plea| plea.treatment.clone()),
        reasons: None,
        supervision_kind: Some(record.kind.zh().to_owned()),
        team: words::team(record),
        unit: record.unit.name.clone(),
        visits: words::visits(record),
        votes_for: None,
        votes_total: None,
    }
}

/// The notice of what the inspector found and proposed; every problem has a limit of its own.
fn notice(record: &Record, rules: &Rulebook, agency: &Unit, new: &NewLetter) -> RectificationNotice {
    let problem = |finding: documents::content::Finding| NoticedProblem {
        basis: finding.basis,
        demand: finding.demand,
        limit: finding.limit,
        number: finding.number,
        problem: finding.problem,
    };
    RectificationNotice {
        copy_office: None,
        due_on: None,
        evaluation: Some(new.evaluation.clone()),
        found_on: visited_on(record),
        inspector: record.team.iter().find(|member| member.leader).map(|member| format!("责任督学{}", member.name)),
        limit_days: None,
        objection_right: Some(objection_right(rules, "通知书")),
        plea: record.plea.as_ref().map(words::plea),
        plea_treatment: record.plea.as_ref().and_then(|plea| plea.treatment.clone()),
        problems: words::findings(record, Some(rules)).into_iter().map(problem).collect(),
        report_how: Some(new.report_how.clone().unwrap_or_else(|| REPORT_HOW.to_owned())),
        report_to: agency.name.clone(),
        source: record.kind.zh().to_owned(),
        unit: record.unit.name.clone(),
    }
}

fn objection_right(rules: &Rulebook, paper: &str) -> String {
    let objection = rules.procedure_rule(ProcedureClock::Objection).period.zh();
    format!("对本{paper}有异议的，可以自收到之日起{objection}内向本机构书面提出。")
}

/// The first day of the visit.
fn visited_on(record: &Record) -> Date {
    let first = record.visit_records.iter().map(|visit| local_date(visit.arrived_at)).min();
    first.unwrap_or(record.visit_on)
}

fn event(
    record: &Record,
    case: &Case,
    letter_id: LetterId,
    issued: document::Issued,
    evaluation: String,
) -> LetterIssued {
    LetterIssued {
        letter_id,
        version: 1,
        case_id: case.case_id,
        issued_at: issued.document.issued_at,
        document: issued.document,
        content: issued.content,
        case_title: record.title.clone(),
        supervision_kind: record.kind,
        visited_on: visited_on(record),
        unit: record.unit.clone(),
        evaluation,
        findings: record
            .findings
            .iter()
            .map(|finding| FindingFact {
                finding_id: finding.finding_id,
                number: finding.number,
                severity: finding.severity,
                category: finding.category.clone(),
                description: finding.description.clone(),
                basis: finding.basis.clone(),
                demand: finding.demand.clone(),
                advice: finding.advice.clone(),
                responsible_unit_id: finding.responsible_unit_id,
                responsible_unit_name: finding.responsible_unit_name.clone(),
            })
            .collect(),
    }
}
