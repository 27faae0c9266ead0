//! A rectification as people work with it: the snapshot that everyone hears, and beside it what they need to act.

use std::collections::BTreeMap;

use contracts::deadlines::RectificationSnapshot;
use domain::ids::{AccountId, DeadlineId, FileId, ItemId};
use domain::rectification::{
    Adjustment, Approval, Item, ItemState, LookBackState, PlanState, Progress, Report, Suspension, Timeliness,
    Verification,
};
use domain::rulebook::{PauseReason, Rulebook};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::evidence::EvidenceView;
use super::snapshot::{deadline_id, snapshot};
use super::store::Stored;
use crate::document::http::IssuedPaper;
use crate::rules::Ruling;

/// A rectification with what hangs on it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RectificationView {
    rectification: RectificationSnapshot,
    /// The particulars of each item, in the order of the letter.
    detail: Vec<ItemDetail>,
    /// Every time the clock was stopped, oldest first (中止).
    suspensions: Vec<SuspensionView>,
    evidence: Vec<EvidenceView>,
    /// The papers at its end that the caller may read, oldest first (销号审批表、整改验收意见).
    documents: Vec<IssuedPaper>,
}

/// The particulars of an item.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ItemDetail {
    item_id: ItemId,
    number: u32,
    /// The rectification plan, where one is asked for (整改方案).
    plan: Option<PlanView>,
    /// The newest note on the progress (整改进展).
    progress: Option<Note>,
    /// The newest report (整改报告).
    report: Option<ReportView>,
    /// What the verification of that report said, accepted or returned (核查).
    verification: Option<Note>,
    /// Approvals of the close-out so far (销号审批).
    approvals: Vec<Note>,
    /// How many approvals close the item; nothing when the case's rulebook is not at hand.
    approvals_wanted: Option<u8>,
    /// Offices that were asked for help (协商).
    consultations: Vec<ConsultationView>,
    /// Look-backs after the close-out (回头看).
    look_backs: Vec<LookBackView>,
    /// Why it need not be rectified (免于整改).
    waiver: Option<WaiverView>,
    /// Every limit that the unit was told, the last one in force.
    limits: Vec<LimitView>,
}

/// What somebody said.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Note {
    /// Who, where known.
    by: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    text: String,
}

/// Where a plan stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PlanStanding {
    /// The unit owes it (待提交).
    Asked,
    /// It waits for the agency (待审核).
    Submitted,
    /// The unit owes a better one (已退回).
    Returned,
    /// Accepted (已通过).
    Accepted,
}

/// A rectification plan with what was said about it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanView {
    state: PlanStanding,
    #[schema(value_type = String, format = Date)]
    due_on: Date,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    late: bool,
    /// The goal and the way, with who handed it in.
    submission: Option<Note>,
    measures: Vec<MeasureView>,
    /// The acceptance, or the reason of the return.
    judgement: Option<Note>,
}

/// A measure of a plan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeasureView {
    what: String,
    responsible: String,
    #[schema(value_type = String, format = Date)]
    until: Date,
    standard: String,
}

/// A report.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReportView {
    by: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    text: String,
    evidence: Vec<FileId>,
    timeliness: Timeliness,
    /// When the agency must have verified it.
    #[schema(value_type = String, format = DateTime)]
    verification_due_at: Timestamp,
}

/// Help asked of another office.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsultationView {
    office: String,
    /// What is asked of it, with who asked.
    question: Note,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    answer: Option<Note>,
}

/// Where a look-back stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LookBackStanding {
    /// Its interval runs.
    Armed,
    /// The agency owes the visit (待回头看).
    Due,
    /// The problem stays solved.
    Passed,
    /// The problem is back (反弹).
    Failed,
    /// No longer needed.
    Dropped,
}

/// A look-back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LookBackView {
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    state: LookBackStanding,
    /// What it found.
    finding: Option<Note>,
}

/// A waiver.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WaiverView {
    requested_by: Option<String>,
    approved_by: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    reason: String,
}

/// A limit that the unit was told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LimitView {
    deadline_id: DeadlineId,
    round: u32,
    /// What set it: `letter`, `returned`, `extended`, `reopened`, `joint_liability`, `urging_order`, `step` or `lifted`.
    basis: &'static str,
    /// Why it was counted anew, if it was.
    adjusted: Option<Adjustment>,
    #[schema(value_type = String, format = DateTime)]
    set_at: Timestamp,
    #[schema(value_type = String, format = Date)]
    due_on: Date,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    provisional: bool,
}

/// A stop of the clock.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SuspensionView {
    reason: PauseReason,
    reason_zh: &'static str,
    note: String,
    requested_by: Option<String>,
    approved_by: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

impl RectificationView {
    pub(crate) fn of(
        stored: &Stored,
        ruling: &Ruling,
        evidence: Vec<EvidenceView>,
        documents: Vec<IssuedPaper>,
    ) -> Self {
        let dossier = &stored.dossier;
        let rectification = &dossier.rectification;
        let people = People(&dossier.people);
        let rulebook = ruling.rulebook(&rectification.rulebook_version);
        Self {
            rectification: snapshot(dossier, stored.version),
            detail: rectification.items.iter().map(|item| people.item(item, rulebook)).collect(),
            suspensions: rectification.suspensions.iter().map(|stop| people.suspension(stop)).collect(),
            evidence,
            documents,
        }
    }
}

/// Puts names to accounts.
struct People<'a>(&'a BTreeMap<AccountId, String>);

impl People<'_> {
    fn name(&self, account: AccountId) -> Option<String> {
        self.0.get(&account).cloned()
    }

    fn said(&self, by: AccountId, at: Timestamp, text: &str) -> Note {
        Note { by: self.name(by), at, text: text.to_owned() }
    }

    fn verification(&self, verification: &Verification) -> Note {
        self.said(verification.by, verification.at, &verification.note)
    }

    fn item(&self, item: &Item, rulebook: Option<&Rulebook>) -> ItemDetail {
        let (verification, approvals): (_, &[Approval]) = match &item.state {
            ItemState::Verified { verification, approvals, .. } | ItemState::Closed { verification, approvals, .. } => {
                (Some(verification), approvals)
            }
            ItemState::Returned { verification, .. } => (Some(verification), &[]),
            ItemState::InProgress | ItemState::Reported { .. } | ItemState::Waived { .. } => (None, &[]),
        };
        ItemDetail {
            item_id: item.item_id,
            number: item.number,
            plan: item.plan.as_ref().map(|plan| self.plan(plan)),
            progress: item.progress.as_ref().map(|Progress { by, at, text }| self.said(*by, *at, text)),
            report: item.state.report().map(|report| self.report(report)),
            verification: verification.map(|verification| self.verification(verification)),
            approvals: approvals.iter().map(|Approval { by, at, opinion }| self.said(*by, *at, opinion)).collect(),
            approvals_wanted: rulebook.map(|rulebook| rulebook.severity_rule(item.severity).close_out_approvals),
            consultations: item
                .consultations
                .iter()
                .map(|asked| ConsultationView {
                    office: asked.office.clone(),
                    question: self.said(asked.by, asked.at, &asked.question),
                    due_at: asked.due_at,
                    answer: asked.answer.as_ref().map(|answer| self.verification(answer)),
                })
                .collect(),
            look_backs: item.look_backs.iter().map(|look| self.look_back(look.due_at, &look.state)).collect(),
            waiver: match &item.state {
                ItemState::Waived { waiver } => Some(WaiverView {
                    requested_by: self.name(waiver.requested_by),
                    approved_by: self.name(waiver.approved_by),
                    at: waiver.at,
                    reason: waiver.reason.clone(),
                }),
                ItemState::InProgress
                | ItemState::Reported { .. }
                | ItemState::Returned { .. }
                | ItemState::Verified { .. }
                | ItemState::Closed { .. } => None,
            },
            limits: item
                .limits
                .iter()
                .map(|limit| LimitView {
                    deadline_id: deadline_id(item.item_id, limit.round),
                    round: limit.round,
                    basis: limit.basis.key(),
                    adjusted: limit.adjusted,
                    set_at: limit.set_at,
                    due_on: limit.due_on(),
                    due_at: limit.due_at(),
                    provisional: limit.provisional,
                })
                .collect(),
        }
    }

    fn plan(&self, plan: &domain::rectification::Plan) -> PlanView {
        let (state, submission, judgement) = match &plan.state {
            PlanState::Asked => (PlanStanding::Asked, None, None),
            PlanState::Submitted { submission } => (PlanStanding::Submitted, Some(submission), None),
            PlanState::Returned { submission, verification } => {
                (PlanStanding::Returned, Some(submission), Some(verification))
            }
            PlanState::Accepted { submission, verification } => {
                (PlanStanding::Accepted, Some(submission), Some(verification))
            }
        };
        PlanView {
            state,
            due_on: plan.due_on,
            due_at: plan.due_at,
            late: plan.late,
            submission: submission.map(|submission| self.said(submission.by, submission.at, &submission.text)),
            measures: submission
                .into_iter()
                .flat_map(|submission| &submission.measures)
                .map(|measure| MeasureView {
                    what: measure.what.clone(),
                    responsible: measure.responsible.clone(),
                    until: measure.until,
                    standard: measure.standard.clone(),
                })
                .collect(),
            judgement: judgement.map(|judgement| self.verification(judgement)),
        }
    }

    fn report(&self, report: &Report) -> ReportView {
        ReportView {
            by: self.name(report.by),
            at: report.at,
            text: report.text.clone(),
            evidence: report.evidence.clone(),
            timeliness: report.timeliness,
            verification_due_at: report.verification_due_at,
        }
    }

    fn look_back(&self, due_at: Timestamp, state: &LookBackState) -> LookBackView {
        let (state, finding) = match state {
            LookBackState::Armed => (LookBackStanding::Armed, None),
            LookBackState::Due => (LookBackStanding::Due, None),
            LookBackState::Passed { verification } => (LookBackStanding::Passed, Some(verification)),
            LookBackState::Failed { verification } => (LookBackStanding::Failed, Some(verification)),
            LookBackState::Dropped => (LookBackStanding::Dropped, None),
        };
        LookBackView { due_at, state, finding: finding.map(|finding| self.verification(finding)) }
    }

    fn suspension(&self, stop: &Suspension) -> SuspensionView {
        SuspensionView {
            reason: stop.reason,
            reason_zh: stop.reason.zh(),
            note: stop.note.clone(),
            requested_by: self.name(stop.requested_by),
            approved_by: self.name(stop.approved_by),
            from: stop.from,
            until: stop.until,
            ended_at: stop.ended_at,
        }
    }
}
