//! What a rectification knows.
//!
//! Compact on purpose: a storm of a hundred thousand reads and writes this state, so the texts of the letter and the day by
//! day derivations stand elsewhere and are named here.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::timers::Timer;
use crate::doc_number::DocNumber;
use crate::ids::{
    AccountId, CaseId, FileId, FindingId, ItemId, LetterId, ProposalId, RectificationId, RequestId, SheetId, UnitId,
    UrgingOrderId,
};
use crate::period::Period;
use crate::proof::AnchorEvent;
use crate::rulebook::PauseReason;
use crate::severity::Severity;

fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

/// The letter that the rectification answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LetterHead {
    /// The letter.
    pub letter_id: LetterId,
    /// The supervision case.
    pub case_id: CaseId,
    /// Its number.
    pub letter_number: DocNumber,
    /// The agency that issued it.
    pub issuing_agency: UnitId,
    /// The supervised unit.
    pub supervised_unit: UnitId,
    /// The competent department, jointly liable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub competent_department: Option<UnitId>,
    /// The division code whose calendar counts.
    pub division: String,
}

/// The rectification of one received letter, or the competent department's share in one (连带责任).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rectification {
    /// Follows from the letter, so that a letter can have one only.
    pub rectification_id: RectificationId,
    /// The letter.
    pub letter: LetterHead,
    /// The rules it lives by.
    pub rulebook_version: String,
    /// When the unit received the letter.
    pub received_at: Timestamp,
    /// An item for each finding, in the letter's order.
    pub items: Vec<Item>,
    /// Every armed timer.
    pub timers: Vec<Timer>,
    /// How many urging orders were issued.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub urging_orders: u32,
    /// Every step above the urging order that was proposed, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Every time the clock was stopped, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspensions: Vec<Suspension>,
    /// Requests that wait for a decision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Request>,
    /// How many requests were ever made.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub requests_made: u32,
    /// The case on the other side of the joint liability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
}

/// Joint liability ties two cases together; neither closes without the other (measure 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "link", rename_all = "snake_case")]
pub enum Link {
    /// The competent department's case, opened because of this one.
    Department {
        /// That case.
        rectification_id: RectificationId,
    },
    /// The supervised unit's case, because of which this one was opened.
    Unit {
        /// That case.
        rectification_id: RectificationId,
    },
}

impl Link {
    /// The case on the other side.
    pub const fn rectification_id(self) -> RectificationId {
        match self {
            Self::Department { rectification_id } | Self::Unit { rectification_id } => rectification_id,
        }
    }
}

/// The rectification of one finding (整改事项).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Item {
    /// Follows from rectification and finding.
    pub item_id: ItemId,
    /// The finding.
    pub finding_id: FindingId,
    /// The finding's number in the letter, from 1; names the item among its siblings.
    pub number: u32,
    /// How grave it is.
    pub severity: Severity,
    /// Who must rectify.
    pub responsible_unit: UnitId,
    /// Where it stands.
    pub state: ItemState,
    /// Every limit that the unit was told, the last one in force; never empty.
    pub limits: Vec<Limit>,
    /// The first limit that passed without a report; stays for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue_at: Option<Timestamp>,
    /// The round of the last limit that was marked as passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue_round: Option<u32>,
    /// The urging orders that listed the item.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urged: Vec<UrgedMark>,
    /// How often a report was returned.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub returns: u32,
    /// How often the limit was extended.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extensions: u8,
    /// How often the item was opened anew after a look-back (反弹次数).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reopened: u32,
    /// The highest level of the ladder reached: 0 none, 1 urging order, 2 interview, 3 circular, 4 accountability.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ladder_level: u8,
    /// The rectification plan, where one is asked for (整改方案).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The newest note on the progress (整改进展).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Offices that were asked for help (协商意见).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consultations: Vec<Consultation>,
    /// Look-backs after the close-out (回头看).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub look_backs: Vec<LookBack>,
}

/// Where an item stands, with what that state knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ItemState {
    /// The unit rectifies (整改中).
    InProgress,
    /// A report waits for verification (待核查).
    Reported {
        /// The report.
        report: Report,
    },
    /// The report was returned; the unit goes on (退回).
    Returned {
        /// The returned report.
        report: Report,
        /// The refusal with its reason.
        verification: Verification,
    },
    /// Verified by another person (核查通过).
    Verified {
        /// The report.
        report: Report,
        /// The verification.
        verification: Verification,
        /// Approvals of the close-out so far (销号审批).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        approvals: Vec<Approval>,
    },
    /// Closed (已销号).
    Closed {
        /// The report.
        report: Report,
        /// The verification.
        verification: Verification,
        /// Every approval; the last one closed the item.
        approvals: Vec<Approval>,
    },
    /// Need not be rectified (免于整改).
    Waived {
        /// The waiver.
        waiver: Waiver,
    },
}

impl ItemState {
    /// The stable key of the state.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Reported { .. } => "reported",
            Self::Returned { .. } => "returned",
            Self::Verified { .. } => "verified",
            Self::Closed { .. } => "closed",
            Self::Waived { .. } => "waived",
        }
    }

    /// The state in words.
    pub const fn zh(&self) -> &'static str {
        match self {
            Self::InProgress => "整改中",
            Self::Reported { .. } => "待核查",
            Self::Returned { .. } => "退回整改",
            Self::Verified { .. } => "核查通过",
            Self::Closed { .. } => "已销号",
            Self::Waived { .. } => "免于整改",
        }
    }

    /// Whether the unit must still act, so that its clock runs.
    pub const fn awaits_unit(&self) -> bool {
        match self {
            Self::InProgress | Self::Returned { .. } => true,
            Self::Reported { .. } | Self::Verified { .. } | Self::Closed { .. } | Self::Waived { .. } => false,
        }
    }

    /// Whether nothing more is to be done, short of a look-back.
    pub const fn is_done(&self) -> bool {
        match self {
            Self::Closed { .. } | Self::Waived { .. } => true,
            Self::InProgress | Self::Reported { .. } | Self::Returned { .. } | Self::Verified { .. } => false,
        }
    }

    /// The last report, when there is one.
    pub const fn report(&self) -> Option<&Report> {
        match self {
            Self::InProgress | Self::Waived { .. } => None,
            Self::Reported { report }
            | Self::Returned { report, .. }
            | Self::Verified { report, .. }
            | Self::Closed { report, .. } => Some(report),
        }
    }
}

/// How a report stands to the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Timeliness {
    /// Before the due instant (按期).
    InTime,
    /// After the due instant, before the urging order's limit ended or before any order (逾期).
    Late,
    /// After the urging order's limit too (督办后仍逾期).
    LateAfterUrging,
}

/// A rectification report (整改报告).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// Who reported.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub text: String,
    /// The evidence (佐证材料).
    pub evidence: Vec<FileId>,
    /// Whether it came in time.
    pub timeliness: Timeliness,
    /// When the agency must have verified it.
    pub verification_due_at: Timestamp,
}

/// A verification (核查), accepting or returning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verification {
    /// Who verified.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
    /// The conclusion in words; for a return the reason.
    pub note: String,
}

/// One approval of a close-out (销号审批).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    /// Who approved.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
    /// The opinion.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub opinion: String,
}

/// An approved waiver (免于整改).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Waiver {
    /// Who asked for it.
    pub requested_by: AccountId,
    /// Who approved it.
    pub approved_by: AccountId,
    /// When it was approved.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// What set a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(tag = "basis", rename_all = "snake_case")]
pub enum LimitBasis {
    /// The letter's receipt.
    Letter,
    /// The return of a report.
    Returned,
    /// An approved extension.
    Extended,
    /// A look-back that found the problem again.
    Reopened,
    /// The competent department's joint liability.
    JointLiability,
    /// An urging order.
    UrgingOrder {
        /// The order.
        order_id: UrgingOrderId,
    },
    /// A step of the ladder that was taken.
    Step {
        /// Its level.
        level: u8,
    },
    /// A step of the ladder that was lifted; when this limit passes it is proposed again.
    Lifted {
        /// Its level.
        level: u8,
    },
}

impl LimitBasis {
    /// The stable key.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::Returned => "returned",
            Self::Extended => "extended",
            Self::Reopened => "reopened",
            Self::JointLiability => "joint_liability",
            Self::UrgingOrder { .. } => "urging_order",
            Self::Step { .. } => "step",
            Self::Lifted { .. } => "lifted",
        }
    }

    /// The level of the ladder that is reached when such a limit passes; nothing for the unit's own limits, after which
    /// the urging order comes.
    pub const fn level_after(self) -> Option<u8> {
        match self {
            Self::Letter | Self::Returned | Self::Extended | Self::Reopened | Self::JointLiability => None,
            Self::UrgingOrder { .. } => Some(2),
            // Above the highest there is nothing: it is proposed again, until somebody closes the item.
            Self::Step { level } => Some(if level < 4 { level + 1 } else { 4 }),
            Self::Lifted { level } => Some(level),
        }
    }
}

/// Why a limit was derived anew without anybody's setting another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// The clock had been stopped (中止后恢复).
    Resumed,
    /// A calendar or a rule has changed, e.g. next year's holidays were announced.
    Recounted,
    /// A calendar or a rule has changed and would give an earlier day: what the unit was told stays.
    Kept,
}

/// A limit that the unit was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Limit {
    /// 0 for the first limit of the item, then one more each time.
    pub round: u32,
    /// What set it.
    #[serde(flatten)]
    pub basis: LimitBasis,
    /// Why it was derived anew, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted: Option<Adjustment>,
    /// When it was set.
    pub set_at: Timestamp,
    /// The last day.
    pub due_on: Date,
    /// The first instant that is late.
    pub due_at: Timestamp,
    /// A year's notice was missing: the date may still move later.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub provisional: bool,
    /// Its proof sheet.
    pub sheet: SheetId,
    /// What it was counted from.
    pub source: Source,
}

/// From what a due date was counted; with the rules and the calendar it gives the proof sheet again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Source {
    /// The key of the rule.
    pub rule_id: String,
    /// The period.
    pub period: Period,
    /// What started the clock.
    pub event: AnchorEvent,
    /// When that was.
    pub at: Timestamp,
    /// For an extension: from what the end of the limit that it lengthens was counted, so that a stop of the clock before
    /// that end is not lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    pub base: Option<Box<Source>>,
}

impl Limit {
    /// The last day.
    pub const fn due_on(&self) -> Date {
        self.due_on
    }

    /// The first instant that is late.
    pub const fn due_at(&self) -> Timestamp {
        self.due_at
    }

    /// Whether an urging order set it.
    pub const fn is_urging(&self) -> bool {
        matches!(self.basis, LimitBasis::UrgingOrder { .. })
    }

    /// Whether it decides if the item is on time: no order and no step of the ladder set it.
    pub const fn is_binding(&self) -> bool {
        self.basis.level_after().is_none()
    }
}

/// An urging order that listed the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UrgedMark {
    /// The order.
    pub order_id: UrgingOrderId,
    /// When it was issued.
    pub at: Timestamp,
}

/// The rectification plan of an item (整改方案).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// The last day on which it is in time.
    pub due_on: Date,
    /// The first instant at which it is late.
    pub due_at: Timestamp,
    /// The proof sheet of that day.
    pub sheet: SheetId,
    /// Whether that day has passed without it; a returned plan with a later day of its own begins anew.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub late: bool,
    /// Where it stands.
    #[serde(flatten)]
    pub state: PlanState,
}

/// Where a plan stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "plan", rename_all = "snake_case")]
pub enum PlanState {
    /// The unit owes it.
    Asked,
    /// It waits for the agency.
    Submitted {
        /// The plan.
        submission: Submission,
    },
    /// The unit owes a better one.
    Returned {
        /// The returned plan.
        submission: Submission,
        /// The reason.
        verification: Verification,
    },
    /// Accepted.
    Accepted {
        /// The plan.
        submission: Submission,
        /// The acceptance.
        verification: Verification,
    },
}

impl PlanState {
    /// The stable key.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Submitted { .. } => "submitted",
            Self::Returned { .. } => "returned",
            Self::Accepted { .. } => "accepted",
        }
    }

    /// Whether the unit owes the plan.
    pub const fn awaits_unit(&self) -> bool {
        match self {
            Self::Asked | Self::Returned { .. } => true,
            Self::Submitted { .. } | Self::Accepted { .. } => false,
        }
    }
}

/// A plan as it was handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Submission {
    /// Who handed it in.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
    /// The goal and the way.
    pub text: String,
    /// What will be done, by whom and until when.
    pub measures: Vec<PlannedMeasure>,
}

/// A measure of a plan (整改措施).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedMeasure {
    /// What will be done.
    pub what: String,
    /// Who answers for it.
    pub responsible: String,
    /// Until when.
    #[schema(value_type = String, format = Date)]
    pub until: Date,
    /// By what one sees that it is done (验收标准).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub standard: String,
}

/// A note on the progress (整改进展).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// Who wrote it.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
    /// What was reached.
    pub text: String,
}

/// Help asked of another office (协商意见书).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Consultation {
    /// The office.
    pub office: String,
    /// What is asked of it.
    pub question: String,
    /// Who asked.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
    /// When it must have answered.
    pub due_at: Timestamp,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Verification>,
}

/// A look-back after the close-out (回头看, measure 11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LookBack {
    /// When it becomes due.
    pub due_at: Timestamp,
    /// Where it stands.
    #[serde(flatten)]
    pub state: LookBackState,
}

/// Where a look-back stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "look_back", rename_all = "snake_case")]
pub enum LookBackState {
    /// Its interval runs.
    Armed,
    /// The agency owes the visit.
    Due,
    /// The problem stays solved.
    Passed {
        /// The finding of the look-back.
        verification: Verification,
    },
    /// The problem is back (反弹).
    Failed {
        /// The finding of the look-back.
        verification: Verification,
    },
    /// A failed look-back or a waiver made it needless.
    Dropped,
}

/// A step of the ladder above the urging order: proposed by the clock, decided by people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// Follows from rectification and its place in the list.
    pub proposal_id: ProposalId,
    /// 2 interview, 3 circular, 4 accountability.
    pub level: u8,
    /// The numbers of the items that reached it.
    pub items: Vec<u32>,
    /// When it was proposed.
    pub at: Timestamp,
    /// When it must have been decided.
    pub due_at: Timestamp,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: StepOutcome,
}

/// What became of a proposed step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum StepOutcome {
    /// It waits for a decision.
    Proposed,
    /// It was taken.
    Taken {
        /// Who decided, when, and what was done.
        decision: Verification,
    },
    /// It was lifted (解除).
    Lifted {
        /// Who asked for it.
        requested_by: AccountId,
        /// Who approved, when, and why.
        decision: Verification,
    },
    /// Its items were done before anybody decided; it ended by itself (终结).
    Moot {
        /// When.
        ended_at: Timestamp,
    },
}

/// A stop of the clock (中止).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Suspension {
    /// Why.
    pub reason: PauseReason,
    /// The particulars.
    pub note: String,
    /// Who asked for it.
    pub requested_by: AccountId,
    /// Who approved it.
    pub approved_by: AccountId,
    /// When it began.
    pub from: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// A request that another person decides (申请).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Request {
    /// Follows from rectification and count.
    pub request_id: RequestId,
    /// Its count, from 1.
    pub sequence: u32,
    /// What is asked for.
    #[serde(flatten)]
    pub subject: RequestSubject,
    /// Why.
    pub reason: String,
    /// Who asks.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
    /// When it must have been decided.
    pub due_at: Timestamp,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "subject", rename_all = "snake_case")]
pub enum RequestSubject {
    /// More time for an item (延期).
    Extension {
        /// The item.
        item_id: ItemId,
        /// How much more, counted from the last day of the limit in force.
        period: Period,
    },
    /// An item need not be rectified (免于整改).
    Waiver {
        /// The item.
        item_id: ItemId,
    },
    /// The clock of the whole rectification stops (中止).
    Pause {
        /// Why.
        pause: PauseReason,
        /// Until the end of which day.
        #[schema(value_type = String, format = Date)]
        until: Date,
    },
    /// The clock runs again before its time (恢复).
    Resume,
    /// A step of the ladder is lifted (解除升级措施).
    Lift {
        /// The step.
        proposal_id: ProposalId,
    },
}

impl RequestSubject {
    /// The stable key.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Extension { .. } => "extension",
            Self::Waiver { .. } => "waiver",
            Self::Pause { .. } => "pause",
            Self::Resume => "resume",
            Self::Lift { .. } => "lift",
        }
    }

    /// What it asks for, in words.
    pub const fn zh(&self) -> &'static str {
        match self {
            Self::Extension { .. } => "延期",
            Self::Waiver { .. } => "免于整改",
            Self::Pause { .. } => "中止期限",
            Self::Resume => "恢复期限",
            Self::Lift { .. } => "解除升级措施",
        }
    }
}

/// Where an item stands for people, in one word: its state, or what holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// 整改中.
    #[default]
    InProgress,
    /// 整改方案待审核.
    PlanSubmitted,
    /// 整改方案退回.
    PlanReturned,
    /// 重新整改, after a look-back that found the problem again.
    Reopened,
    /// 期限中止.
    Paused,
    /// 协商中.
    Consulting,
    /// 待核查.
    Reported,
    /// 退回整改.
    Returned,
    /// 核查通过, waits for its close-out.
    Verified,
    /// 已销号.
    Closed,
    /// 免于整改.
    Waived,
    /// 待回头看.
    #[serde(rename = "lookback_due")]
    LookBackDue,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 12] = [
        Self::InProgress,
        Self::PlanSubmitted,
        Self::PlanReturned,
        Self::Reopened,
        Self::Paused,
        Self::Consulting,
        Self::Reported,
        Self::Returned,
        Self::Verified,
        Self::Closed,
        Self::Waived,
        Self::LookBackDue,
    ];

    /// The stable key, as in `machines.toml`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::PlanSubmitted => "plan_submitted",
            Self::PlanReturned => "plan_returned",
            Self::Reopened => "reopened",
            Self::Paused => "paused",
            Self::Consulting => "consulting",
            Self::Reported => "reported",
            Self::Returned => "returned",
            Self::Verified => "verified",
            Self::Closed => "closed",
            Self::Waived => "waived",
            Self::LookBackDue => "lookback_due",
        }
    }

    /// The phase in words.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::InProgress => "整改中",
            Self::PlanSubmitted => "整改方案待审核",
            Self::PlanReturned => "整改方案退回",
            Self::Reopened => "重新整改",
            Self::Paused => "期限中止",
            Self::Consulting => "协商中",
            Self::Reported => "待核查",
            Self::Returned => "退回整改",
            Self::Verified => "待销号",
            Self::Closed => "已销号",
            Self::Waived => "免于整改",
            Self::LookBackDue => "待回头看",
        }
    }
}

impl Item {
    /// The limit in force.
    pub fn limit(&self) -> Option<&Limit> {
        self.limits.last()
    }

    /// The limit that decides whether the item is on time: the last one that the ladder did not set.
    pub fn binding_limit(&self) -> Option<&Limit> {
        self.limits.iter().rev().find(|limit| limit.is_binding())
    }

    /// The round that the next limit gets.
    pub(super) fn next_round(&self) -> u32 {
        self.limit().map_or(0, |limit| limit.round + 1)
    }

    /// Whether the unit must still act and the limit in force has passed.
    pub fn is_late_at(&self, at: Timestamp) -> bool {
        self.state.awaits_unit() && self.limit().is_some_and(|limit| at >= limit.due_at())
    }

    /// Whether the item was never late, for the on-time rate.
    pub const fn was_always_on_time(&self) -> bool {
        self.overdue_at.is_none()
    }

    /// Whether an office that was asked for help still owes its answer.
    pub fn is_consulting(&self) -> bool {
        self.consultations.iter().any(|asked| asked.answer.is_none())
    }
}

impl Rectification {
    /// The item, when the rectification has it.
    pub fn item(&self, item_id: ItemId) -> Option<&Item> {
        self.items.iter().find(|item| item.item_id == item_id)
    }

    /// The item of a number.
    pub fn numbered(&self, number: u32) -> Option<&Item> {
        self.items.iter().find(|item| item.number == number)
    }

    /// Whether every item is closed or waived; a linked case is closed only together with its counterpart.
    pub fn is_complete(&self) -> bool {
        self.items.iter().all(|item| item.state.is_done())
    }

    /// Whether every item has at least been verified, so that the counterpart may be closed.
    pub fn is_settled(&self) -> bool {
        self.items.iter().all(|item| item.state.is_done() || matches!(item.state, ItemState::Verified { .. }))
    }

    /// Whether the clock is stopped.
    pub fn is_paused(&self) -> bool {
        self.suspensions.last().is_some_and(|stop| stop.ended_at.is_none())
    }

    /// The instant at which the next timer is due, when any is armed.
    pub fn next_timer_at(&self) -> Option<Timestamp> {
        self.timers.iter().map(|timer| timer.due_at).min()
    }

    /// The step of a proposal.
    pub fn step(&self, proposal_id: ProposalId) -> Option<&Step> {
        self.steps.iter().find(|step| step.proposal_id == proposal_id)
    }

    /// Where an item stands for people.
    pub fn phase(&self, item: &Item) -> Phase {
        match &item.state {
            ItemState::Reported { .. } => Phase::Reported,
            ItemState::Verified { .. } => Phase::Verified,
            ItemState::Waived { .. } => Phase::Waived,
            ItemState::Closed { .. } => {
                if item.look_backs.iter().any(|look| look.state == LookBackState::Due) {
                    Phase::LookBackDue
                } else {
                    Phase::Closed
                }
            }
            ItemState::InProgress | ItemState::Returned { .. } if self.is_paused() => Phase::Paused,
            ItemState::InProgress | ItemState::Returned { .. } if item.is_consulting() => Phase::Consulting,
            ItemState::Returned { .. } => Phase::Returned,
            ItemState::InProgress => match item.plan.as_ref().map(|plan| &plan.state) {
                Some(PlanState::Submitted { .. }) => Phase::PlanSubmitted,
                Some(PlanState::Returned { .. }) => Phase::PlanReturned,
                Some(PlanState::Asked | PlanState::Accepted { .. }) | None if item.reopened > 0 => Phase::Reopened,
                Some(PlanState::Asked | PlanState::Accepted { .. }) | None => Phase::InProgress,
            },
        }
    }
}
