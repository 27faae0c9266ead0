//! What is kept of a case: the machine, and the words around it.

use contracts::shared::{DocumentKind, DocumentRef, UnitRef};
use contracts::tasks::SupervisionKind;
use domain::case::CaseState;
use domain::ids::{AccountId, AreaId, CaseId, FileId, FindingId, PersonId, PlanId, UnitId, VisitId};
use domain::proof::ProofSheet;
use domain::severity::Severity;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A case as loaded.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "identities are named in full everywhere")]
pub(crate) struct Case {
    pub case_id: CaseId,
    pub version: i64,
    pub created_at: Timestamp,
    pub record: Record,
}

/// The whole record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// State and guards. It knows members by [`member_id`].
    pub machine: domain::case::Case,
    pub kind: SupervisionKind,
    pub title: String,
    pub plan_id: Option<PlanId>,
    pub unit: UnitRef,
    pub agency: AgencyRef,
    pub visit_on: Date,
    pub self_evaluation_due_on: Option<Date>,
    /// The rules the case began with and keeps.
    pub rulebook_version: String,
    pub team: Vec<TeamEntry>,
    pub notification: Option<Served>,
    pub self_evaluation: Option<SelfEvaluationEntry>,
    pub visit_records: Vec<VisitRecord>,
    pub hearings: Vec<HearingRecord>,
    pub findings: Vec<Finding>,
    pub preliminary_opinion: Option<OpinionEntry>,
    pub plea: Option<PleaEntry>,
    pub letter: Option<LetterEntry>,
    /// The supervision report (督导报告), once it is issued.
    #[serde(default)]
    pub report: Option<DocumentRef>,
}

/// The agency that supervises.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AgencyRef {
    pub unit_id: UnitId,
    pub name: String,
    pub area_path: Vec<AreaId>,
}

/// A declared ground for recusal (回避事由, domain handbook f).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecusalGround {
    /// Near relative of the unit's principal (Regulation art. 10).
    NearRelativeOfPrincipal,
    /// Spouse, parent or child works or studies there.
    FamilyWorksOrStudiesThere,
    /// Works there.
    WorksThere,
    /// Left it less than three years ago.
    LeftWithinThreeYears,
    /// Another interest or relation.
    InterestOrOtherRelation,
    /// Inspected the same unit in the round before (rotation).
    SameUnitLastRound,
}

impl RecusalGround {
    /// In words.
    pub(crate) fn zh(self) -> &'static str {
        match self {
            Self::NearRelativeOfPrincipal => "与被督导单位主要负责人有近亲属关系",
            Self::FamilyWorksOrStudiesThere => "配偶、父母、子女在被督导单位任职或就读",
            Self::WorksThere => "本人在被督导单位任职",
            Self::LeftWithinThreeYears => "离开被督导单位未满三年",
            Self::InterestOrOtherRelation => "与被督导单位有利害关系或其他可能影响公正的关系",
            Self::SameUnitLastRound => "上一轮督导过同一单位",
        }
    }
}

/// A member of the group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TeamEntry {
    pub person_id: PersonId,
    pub name: String,
    pub inspector_no: String,
    pub leader: bool,
    pub recusals: Vec<RecusalGround>,
}

/// The machine's name for a member: an inspector may have no account, so the person stands for the one who acts.
pub(crate) fn member_id(person: PersonId) -> AccountId {
    AccountId::new(person.as_uuid())
}

/// The machine's name for a file: its content.
pub(crate) fn file_id(sha256: &str) -> FileId {
    FileId::derived(&[sha256])
}

/// A document that was served and perhaps received.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Served {
    /// The document.
    pub document: DocumentRef,
    /// When the unit signed for it (签收).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub received_at: Option<Timestamp>,
}

/// The self-evaluation (自评) with its review.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct SelfEvaluationEntry {
    /// The report, as uploaded files.
    pub files: Vec<String>,
    /// When it was handed in.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// What the review found.
    pub review: Option<String>,
    /// Who reviewed it.
    pub reviewed_by: Option<String>,
}

/// The record of a visit (督导纪实).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct VisitRecord {
    /// The visit.
    pub visit_id: VisitId,
    /// Arrival.
    #[schema(value_type = String, format = DateTime)]
    pub arrived_at: Timestamp,
    /// Departure.
    #[schema(value_type = String, format = DateTime)]
    pub left_at: Timestamp,
    /// Place.
    pub place: String,
    /// Matters looked at.
    pub matters: Vec<String>,
    /// Methods used.
    pub methods: Vec<String>,
    /// Highlights.
    pub highlights: String,
    /// Problems seen.
    pub problems: String,
    /// Inspectors present.
    pub inspectors: Vec<PersonId>,
    /// Evidence, by hash.
    pub evidence: Vec<String>,
    /// Who recorded it.
    pub recorded_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Timestamp,
}

/// Who was heard (Regulation art. 19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HeardGroup {
    /// Students (学生).
    Students,
    /// Parents (家长).
    Parents,
    /// Teachers (教师).
    Teachers,
    /// Community (社区、公众).
    Community,
}

/// What a group said (听取意见).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct HearingRecord {
    /// The group.
    pub group: HeardGroup,
    /// How the participants were drawn.
    pub how_drawn: String,
    /// The points made.
    pub points: Vec<String>,
    /// People at the meeting.
    pub participants: u32,
    /// Questionnaires returned.
    pub questionnaires: u32,
    /// Who recorded it.
    pub recorded_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Timestamp,
}

/// A finding (问题).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "identities are named in full everywhere")]
pub(crate) struct Finding {
    /// The finding.
    pub finding_id: FindingId,
    /// Number within the case, from 1; in the letter it stays.
    pub number: i32,
    /// Severity.
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

/// The preliminary opinion (初步督导意见).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OpinionEntry {
    pub document: DocumentRef,
    pub evaluation: String,
    pub deliberation: String,
    pub received_at: Option<Timestamp>,
    /// Last day of the plea: expected until the receipt, then by its proof sheet.
    pub plea_due_on: Date,
    pub plea_due_at: Option<Timestamp>,
    pub proof: Option<ProofSheet>,
}

/// What the unit said to it (申辩).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct PleaEntry {
    /// The plea; absent when waived.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// Given up in writing.
    pub waived: bool,
    /// Who, for the unit.
    pub by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// How it was treated (申辩处理).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub treatment: Option<String>,
    /// When that was decided.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<Timestamp>,
}

/// The opinion letter (督导意见书).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct LetterEntry {
    /// The document; its identifier is the letter's.
    pub document: DocumentRef,
    /// Overall evaluation.
    pub evaluation: String,
    /// How the plea was treated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub plea_treatment: Option<String>,
    /// When the unit signed for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub received_at: Option<Timestamp>,
}

impl Record {
    /// What this supervision ends with: the opinion letter, or after a regular one the rectification notice.
    pub(crate) fn letter_kind(&self) -> DocumentKind {
        match self.kind {
            SupervisionKind::Regular => DocumentKind::RectificationNotice,
            SupervisionKind::Comprehensive | SupervisionKind::Special | SupervisionKind::Emergency => {
                DocumentKind::OpinionLetter
            }
        }
    }

    /// The key of the state.
    pub(crate) fn state(&self) -> &'static str {
        self.machine.state.key()
    }

    /// Whether the unit has been told of the case: by the notice, or at the latest by the preliminary opinion.
    pub(crate) fn is_told(&self) -> bool {
        self.notification.is_some() || self.preliminary_opinion.is_some()
    }

    /// Whether the letter is issued.
    pub(crate) fn is_lettered(&self) -> bool {
        matches!(self.machine.state, CaseState::Lettered { .. })
    }

    /// Where the case is visible: with the agency while it is prepared (a visit may be meant to be unannounced to
    /// everyone below), in the unit's areas once it was told.
    pub(crate) fn visible_areas(&self) -> &[AreaId] {
        if self.is_told() { &self.unit.area_path } else { &self.agency.area_path }
    }

    /// The units whose case it is.
    pub(crate) fn visible_units(&self) -> Vec<UnitId> {
        if self.is_told() { vec![self.unit.unit_id] } else { Vec::new() }
    }

    /// The units that read along: the competent department, jointly liable from the letter on (measure 10).
    pub(crate) fn readers(&self) -> Vec<UnitId> {
        if self.is_lettered() { self.unit.competent_unit_id.into_iter().collect() } else { Vec::new() }
    }

    /// The persons of the group.
    pub(crate) fn team_ids(&self) -> Vec<PersonId> {
        self.team.iter().map(|member| member.person_id).collect()
    }

    /// The finding with this identity.
    pub(crate) fn finding_mut(&mut self, id: FindingId) -> Option<&mut Finding> {
        self.findings.iter_mut().find(|finding| finding.finding_id == id)
    }
}
