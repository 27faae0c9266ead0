//! What people hand in on the way of a case.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::jurisdiction::{Agency, SupervisedUnit};
use super::state::SupervisionKind;
use crate::doc_number::DocNumber;
use crate::ids::{AccountId, CaseId, FileId, FindingId, LetterId, NoticeId, OpinionId, PlanItemId, UnitId, VisitId};
use crate::period::Period;
use crate::severity::Severity;

/// What a case begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanFacts {
    /// The case.
    pub case_id: CaseId,
    /// The item of the plan, when it was planned.
    pub plan_item: Option<PlanItemId>,
    /// The kind of supervision.
    pub kind: SupervisionKind,
    /// The agency that supervises.
    pub agency: Agency,
    /// The unit that is supervised.
    pub unit: SupervisedUnit,
    /// The matters (督导事项), at least one.
    pub matters: Vec<String>,
    /// Whether the unit must hand in a self-evaluation (自评).
    pub self_evaluation_required: bool,
}

/// The written notice (督导通知书, Regulation art. 17).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notice {
    /// The notice.
    pub notice_id: NoticeId,
    /// Its number.
    pub number: DocNumber,
    /// When it was served.
    pub served_at: Timestamp,
    /// The earliest day of the visit under the rulebook's `notice_ahead`, where it applies.
    pub earliest_visit_on: Option<Date>,
}

/// The unit's self-evaluation (自评报告, Regulation art. 18).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SelfEvaluation {
    /// Who handed it in.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
    /// The report.
    pub files: Vec<FileId>,
    /// The review by the team, once done.
    pub review: Option<Review>,
}

/// The team's review of a self-evaluation (自评审核).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Review {
    /// The member of the team.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
    /// The result.
    pub result: String,
}

/// A visit with its record (现场考察, 督导纪实; Regulation art. 18).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Visit {
    /// The visit.
    pub visit_id: VisitId,
    /// When the team arrived.
    pub arrived_at: Timestamp,
    /// When it left.
    pub left_at: Timestamp,
    /// The inspectors present, at least one.
    pub inspectors: Vec<AccountId>,
    /// What was seen.
    pub record: String,
    /// Photos and copies.
    pub evidence: Vec<FileId>,
}

/// Who was heard (Regulation art. 19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HearingGroup {
    /// 学生.
    Students,
    /// 家长.
    Parents,
    /// 教师.
    Teachers,
    /// 社区、公众.
    Public,
}

impl HearingGroup {
    /// The Chinese term.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Students => "学生",
            Self::Parents => "家长",
            Self::Teachers => "教师",
            Self::Public => "公众",
        }
    }
}

/// How the public was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HearingMethod {
    /// 座谈会.
    Meeting,
    /// 问卷.
    Questionnaire,
    /// 访谈.
    Interview,
}

/// Public opinion as it was heard (征求公众意见).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hearing {
    /// Who was heard.
    pub group: HearingGroup,
    /// How.
    pub method: HearingMethod,
    /// When.
    pub at: Timestamp,
    /// How many people, at least one.
    pub participants: u32,
    /// The points made.
    pub minutes: String,
}

/// The team's deliberation (评议, Regulation art. 20).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deliberation {
    /// When.
    pub at: Timestamp,
    /// The minutes.
    pub minutes: String,
}

/// A finding of the preliminary opinion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreliminaryFinding {
    /// The finding.
    pub finding_id: FindingId,
    /// The problem with its facts.
    pub problem: String,
    /// How grave it is.
    pub severity: Severity,
}

/// The preliminary opinion (初步督导意见, Regulation art. 20).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreliminaryOpinion {
    /// The opinion.
    pub opinion_id: OpinionId,
    /// The evaluation.
    pub evaluation: String,
    /// The findings, which may be none.
    pub findings: Vec<PreliminaryFinding>,
    /// When it was sent to the unit.
    pub fed_back_at: Timestamp,
}

/// The answer to a plea (申辩处理).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PleaAnswer {
    /// Who answered, for the team.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
    /// Accepted, partly or not, with the reasons.
    pub text: String,
}

/// A finding of the letter (Regulation art. 21).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LetterFinding {
    /// The finding.
    pub finding_id: FindingId,
    /// Its number in the letter, from 1.
    pub number: u32,
    /// How grave it is.
    pub severity: Severity,
    /// The problem.
    pub problem: String,
    /// The demand (整改要求).
    pub demand: String,
    /// Who must rectify it.
    pub responsible_unit: UnitId,
    /// The letter's own limit; the rulebook's when nothing.
    pub limit: Option<Period>,
}

/// The opinion letter as it is signed (督导意见书, Regulation art. 21).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LetterDraft {
    /// The letter.
    pub letter_id: LetterId,
    /// Its number, given at the signing.
    pub number: DocNumber,
    /// The objective evaluation.
    pub evaluation: String,
    /// The findings, at least one.
    pub findings: Vec<LetterFinding>,
    /// Who signed.
    pub signed_by: AccountId,
    /// When.
    pub issued_at: Timestamp,
}
