//! Events of `tasks`: what supervision does, up to the opinion letter.

use domain::{
    ids::{CaseId, FindingId, LetterId, PersonId, PlanId, ProposalId, RectificationId, UnitId},
    severity::Severity,
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Event,
    shared::{DocumentRef, UnitRef, register_events},
};

/// Type of supervision (督导类型), Regulation art. 13 to 17.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupervisionKind {
    /// All matters (综合督导).
    Comprehensive,
    /// One or several matters (专项督导).
    Special,
    /// By the responsible inspector, without notice or team (经常性督导).
    Regular,
    /// After a major emergency (突发事件督导).
    Emergency,
}

impl SupervisionKind {
    /// Official Chinese name.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Comprehensive => "综合督导",
            Self::Special => "专项督导",
            Self::Regular => "经常性督导",
            Self::Emergency => "突发事件督导",
        }
    }
}

/// The annual plan (年度督导计划) was issued (measures 3 and 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanIssued {
    /// The plan.
    pub plan_id: PlanId,
    /// Version of the plan.
    pub version: i64,
    /// Year planned.
    pub year: i16,
    /// The document.
    pub document: DocumentRef,
}

impl Event for PlanIssued {
    const TYPE: &'static str = "tasks.plan.issued.v1";
    fn aggregate_id(&self) -> Uuid {
        self.plan_id.into()
    }
    fn aggregate_version(&self) -> i64 {
        self.version
    }
}

/// A member of a supervision group (督导小组), as named in the notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TeamMember {
    /// The inspector.
    pub person_id: PersonId,
    /// Name.
    pub name: String,
    /// Leads the group.
    pub leader: bool,
}

/// The written notice of supervision (督导通知书) was issued (Regulation art. 17).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationIssued {
    /// The case.
    pub case_id: CaseId,
    /// Version of the case.
    pub version: i64,
    /// The document.
    pub document: DocumentRef,
    /// Name of the supervision.
    pub case_title: String,
    /// Type of supervision.
    pub supervision_kind: SupervisionKind,
    /// Supervised unit (被督导单位).
    pub unit: UnitRef,
    /// First day of the visit.
    pub visit_on: Date,
    /// The group.
    pub team: Vec<TeamMember>,
}

impl Event for NotificationIssued {
    const TYPE: &'static str = "tasks.case.notified.v1";
    fn aggregate_id(&self) -> Uuid {
        self.case_id.into()
    }
    fn aggregate_version(&self) -> i64 {
        self.version
    }
}

/// The preliminary opinion (初步督导意见) was fed back; the unit may plead (Regulation art. 20).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreliminaryOpinionIssued {
    /// The case.
    pub case_id: CaseId,
    /// Version of the case.
    pub version: i64,
    /// The document.
    pub document: DocumentRef,
    /// Name of the supervision.
    pub case_title: String,
    /// Supervised unit.
    pub unit: UnitRef,
    /// Last day of the plea (申辩).
    pub plea_due_on: Date,
}

impl Event for PreliminaryOpinionIssued {
    const TYPE: &'static str = "tasks.case.fed_back.v1";
    fn aggregate_id(&self) -> Uuid {
        self.case_id.into()
    }
    fn aggregate_version(&self) -> i64 {
        self.version
    }
}

/// One finding (问题) of an opinion letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingFact {
    /// The finding.
    pub finding_id: FindingId,
    /// Number within the letter, from 1.
    pub number: i32,
    /// Severity; it sets the class of the deadline.
    pub severity: Severity,
    /// Category, for instance 安全管理.
    pub category: String,
    /// What was found.
    pub description: String,
    /// The standard or article breached.
    pub basis: String,
    /// The demand (整改要求).
    pub demand: String,
    /// Advice.
    pub advice: String,
    /// The unit that must rectify.
    pub responsible_unit_id: UnitId,
    /// Its name.
    pub responsible_unit_name: String,
}

/// The opinion letter (督导意见书) was issued (Regulation art. 21), or, after a regular supervision, the rectification notice
/// (整改通知书). Its receipt, not its issue, starts the unit's clocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterIssued {
    /// The letter.
    pub letter_id: LetterId,
    /// Version of the letter.
    pub version: i64,
    /// The case that it closes.
    pub case_id: CaseId,
    /// The document; its identifier is the letter's.
    pub document: DocumentRef,
    /// Name of the supervision (督导项目).
    pub case_title: String,
    /// Type of supervision.
    pub supervision_kind: SupervisionKind,
    /// First day of the visit.
    pub visited_on: Date,
    /// Supervised unit.
    pub unit: UnitRef,
    /// Overall evaluation.
    pub evaluation: String,
    /// Findings, at least one.
    pub findings: Vec<FindingFact>,
    /// Legal time of issue.
    pub issued_at: Timestamp,
    /// The frozen content of the document, canonical JSON; its hash is the document's. Empty in events from before it was told,
    /// and in copies that do not need it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content: String,
}

impl Event for LetterIssued {
    const TYPE: &'static str = "tasks.letter.issued.v1";
    fn aggregate_id(&self) -> Uuid {
        self.letter_id.into()
    }
    fn aggregate_version(&self) -> i64 {
        self.version
    }
}

macro_rules! document_event {
    ($name:ident, $type:literal) => {
        impl Event for $name {
            const TYPE: &'static str = $type;
            fn aggregate_id(&self) -> Uuid {
                self.document.document_id.into()
            }
            fn aggregate_version(&self) -> i64 {
                self.version
            }
        }
    };
}

/// The step of the ladder that a paper belongs to (升级措施).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepOfPaper {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// The rectification in which it was proposed.
    pub rectification_id: RectificationId,
    /// The supervision case.
    pub case_id: CaseId,
    /// Name of the supervision.
    pub case_title: String,
    /// Number of the letter that was not answered in time.
    pub letter_no: String,
    /// The unit that it is about.
    pub unit: UnitRef,
}

/// The unit was invited to an interview (约谈通知书, measure 13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterviewNotified {
    /// Version of the document; it is issued once, so this is 1.
    pub version: i64,
    /// The document.
    pub document: DocumentRef,
    /// The step.
    pub step: StepOfPaper,
    /// Why.
    pub reason: String,
    /// When the interview is.
    pub at: Timestamp,
    /// Where.
    pub place: String,
}
document_event!(InterviewNotified, "tasks.interview.notified.v1");

/// A circular names the unit (通报, measure 14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircularIssued {
    /// Version of the document; it is issued once, so this is 1.
    pub version: i64,
    /// The document.
    pub document: DocumentRef,
    /// The step.
    pub step: StepOfPaper,
    /// What was decided.
    pub result: String,
    /// The last day of the longest bar (限制措施), where one has an end.
    pub barred_until: Option<Date>,
}
document_event!(CircularIssued, "tasks.circular.issued.v1");

/// The supervision report was handed to the agency's own government (督导报告, Regulation art. 23, measure 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportIssued {
    /// Version of the document; it is issued once, so this is 1.
    pub version: i64,
    /// The document.
    pub document: DocumentRef,
    /// The case that it reports on.
    pub case_id: CaseId,
    /// Name of the supervision.
    pub case_title: String,
    /// Type of supervision.
    pub supervision_kind: SupervisionKind,
    /// Supervised unit.
    pub unit: UnitRef,
    /// The letter of the case.
    pub letter_id: LetterId,
    /// The government that it was handed to.
    pub addressee: String,
    /// Who got a copy; the next higher agency keeps it on file (备案).
    pub copies: Vec<String>,
}
document_event!(ReportIssued, "tasks.report.issued.v1");

register_events! {
    /// A document of any kind was issued (印发): numbered and frozen. What kind of thing happened with it has an event of its
    /// own; this one is for the register.
    DocumentIssued = "tasks.document.issued.v1";
    /// A document was voided (作废) or replaced (替换).
    DocumentVoided = "tasks.document.voided.v1";
}
