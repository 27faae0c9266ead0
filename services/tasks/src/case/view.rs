//! A case as a caller may see it.

use contracts::shared::{DocumentRef, UnitRef};
use contracts::tasks::SupervisionKind;
use domain::ids::{CaseId, PersonId, PlanId};
use domain::local_time::local_date;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::record::{
    Finding, HearingRecord, LetterEntry, PleaEntry, RecusalGround, SelfEvaluationEntry, Served, VisitRecord, member_id,
};
use super::steps::{NextStep, next_steps};
use super::store::EvidenceRow;
use super::{Case, Standing};
use crate::plan::http::NamedUnit;

/// A supervision case (督导) in full.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseView {
    /// The case.
    case_id: CaseId,
    /// Version, for `If-Match`.
    pub(super) version: i64,
    /// State: planned, notified, on_site, deliberating, feedback, pleading, lettered.
    state: &'static str,
    /// The state in words.
    state_zh: String,
    /// The plan that it carries out.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_id: Option<PlanId>,
    /// Type of supervision.
    supervision_kind: SupervisionKind,
    /// Name of the supervision.
    title: String,
    /// Supervised unit.
    unit: UnitRef,
    /// The agency.
    agency: NamedUnit,
    /// Matters.
    matters: Vec<String>,
    /// First day of the visit.
    #[schema(value_type = String, format = Date)]
    visit_on: Date,
    /// Last day for the self-evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    self_evaluation_due_on: Option<Date>,
    /// The group.
    team: Vec<MemberView>,
    /// The notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    notification: Option<Served>,
    /// The self-evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    self_evaluation: Option<SelfEvaluationEntry>,
    /// Visit records; for office and group.
    visit_records: Vec<VisitRecord>,
    /// Evidence; for office and group.
    evidence: Vec<EvidenceView>,
    /// Hearings; for office and group.
    hearings: Vec<HearingRecord>,
    /// Findings.
    findings: Vec<Finding>,
    /// The preliminary opinion; for office, group and unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    preliminary_opinion: Option<OpinionView>,
    /// The plea; for office, group and unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    plea: Option<PleaEntry>,
    /// The letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    letter: Option<LetterEntry>,
    /// The supervision report.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<DocumentRef>,
    /// Which step may come next, and what stands in its way.
    next_steps: Vec<NextStep>,
    /// When the case was opened.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A member of the group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberView {
    /// The inspector.
    person_id: PersonId,
    /// Name.
    name: String,
    /// Number of the inspector's card.
    inspector_no: String,
    /// Leads the group.
    leader: bool,
    /// Declared grounds for recusal.
    recusals: Vec<RecusalGround>,
    /// Counts towards the group today.
    counts: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// A piece of evidence (佐证材料).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceView {
    /// SHA-256 of the stored content; its address.
    pub(super) sha256: String,
    /// Size in bytes.
    pub(super) bytes: i64,
    /// Media type.
    pub(super) media_type: String,
    /// Name given at the upload.
    pub(super) name: String,
    /// When it was uploaded.
    #[schema(value_type = String, format = DateTime)]
    pub(super) uploaded_at: Timestamp,
    /// Who uploaded it.
    pub(super) uploaded_by: String,
}

impl From<EvidenceRow> for EvidenceView {
    fn from(row: EvidenceRow) -> Self {
        Self {
            sha256: row.sha256,
            bytes: row.bytes,
            media_type: row.media_type,
            name: row.name,
            uploaded_at: row.uploaded_at,
            uploaded_by: row.uploader_name,
        }
    }
}

/// The preliminary opinion (初步督导意见).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpinionView {
    /// The document.
    document: DocumentRef,
    /// Evaluation.
    evaluation: String,
    /// Minutes of the deliberation; for office and group.
    #[serde(skip_serializing_if = "Option::is_none")]
    deliberation: Option<String>,
    /// When the unit signed for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    received_at: Option<Timestamp>,
    /// Last day of the plea; before the receipt as if it were received on the day of issue.
    #[schema(value_type = String, format = Date)]
    plea_due_on: Date,
    /// The instant at which the window has passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    plea_due_at: Option<Timestamp>,
    /// How the last day was derived.
    #[serde(skip_serializing_if = "Option::is_none")]
    plea_due_explained: Option<String>,
}

/// A case in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseSummary {
    /// The case.
    case_id: CaseId,
    /// Version.
    version: i64,
    /// State.
    state: &'static str,
    /// The state in words.
    state_zh: String,
    /// Type of supervision.
    supervision_kind: SupervisionKind,
    /// Name of the supervision.
    title: String,
    /// Supervised unit.
    unit: UnitRef,
    /// The agency.
    agency: NamedUnit,
    /// First day of the visit.
    #[schema(value_type = String, format = Date)]
    visit_on: Date,
    /// Findings, where the caller may see them.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<usize>,
    /// Number of the letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    letter_no: Option<String>,
    /// When the case was opened.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// The case as this standing may see it.
pub(super) fn view(case: &Case, evidence: Vec<EvidenceRow>, standing: Standing, at: Timestamp) -> CaseView {
    let record = case.record.clone();
    let today = local_date(at);
    let working = standing.sees_working_papers();
    let next_steps = next_steps(&record, standing, at);
    let sees_findings = standing.sees_findings(&record);
    let fitness = |person: PersonId| {
        let member = record.machine.team.members.iter().find(|member| member.account == member_id(person));
        member.and_then(|member| member.unfit_on(today))
    };
    CaseView {
        case_id: case.case_id,
        version: case.version,
        state: record.machine.state.key(),
        state_zh: record.machine.state_zh(),
        plan_id: record.plan_id,
        supervision_kind: record.kind,
        title: record.title.clone(),
        unit: record.unit.clone(),
        agency: NamedUnit { unit_id: record.agency.unit_id, name: record.agency.name.clone() },
        matters: record.machine.matters.clone(),
        visit_on: record.visit_on,
        self_evaluation_due_on: record.self_evaluation_due_on,
        team: record
            .team
            .iter()
            .map(|member| {
                let unfit = fitness(member.person_id);
                MemberView {
                    person_id: member.person_id,
                    name: member.name.clone(),
                    inspector_no: member.inspector_no.clone(),
                    leader: member.leader,
                    recusals: if working { member.recusals.clone() } else { Vec::new() },
                    counts: unfit.is_none(),
                    reason: unfit.map(domain::case::Unfit::zh),
                }
            })
            .collect(),
        notification: record.notification.clone(),
        self_evaluation: record.self_evaluation.clone().filter(|_| working),
        visit_records: if working { record.visit_records.clone() } else { Vec::new() },
        evidence: if working { evidence.into_iter().map(EvidenceView::from).collect() } else { Vec::new() },
        hearings: if working { record.hearings.clone() } else { Vec::new() },
        findings: if sees_findings { record.findings.clone() } else { Vec::new() },
        preliminary_opinion: record.preliminary_opinion.clone().filter(|_| standing.sees_opinion()).map(|opinion| {
            OpinionView {
                document: opinion.document,
                evaluation: opinion.evaluation,
                deliberation: working.then_some(opinion.deliberation),
                received_at: opinion.received_at,
                plea_due_on: opinion.plea_due_on,
                plea_due_at: opinion.plea_due_at,
                plea_due_explained: opinion.proof.map(|proof| proof.explain_zh()),
            }
        }),
        plea: record.plea.clone().filter(|_| standing.sees_opinion()),
        letter: record.letter.clone().map(|mut letter| {
            if !standing.sees_opinion() {
                letter.plea_treatment = None;
            }
            letter
        }),
        report: record.report,
        next_steps,
        created_at: case.created_at,
    }
}

/// The case as a row of a list.
pub(super) fn summary(case: Case, standing: Standing) -> CaseSummary {
    let findings = standing.sees_findings(&case.record).then_some(case.record.findings.len());
    let record = case.record;
    CaseSummary {
        case_id: case.case_id,
        version: case.version,
        state: record.machine.state.key(),
        state_zh: record.machine.state_zh(),
        supervision_kind: record.kind,
        title: record.title,
        unit: record.unit,
        agency: NamedUnit { unit_id: record.agency.unit_id, name: record.agency.name },
        visit_on: record.visit_on,
        findings,
        letter_no: record.letter.map(|letter| letter.document.doc_no),
        created_at: case.created_at,
    }
}
