//! Parts that several payloads share: a unit as a case names it, and an official document as others refer to it.

use domain::ids::{AreaId, DocumentId, UnitId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A unit (单位) as it stood when the event happened: enough to address, to scope and to count it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnitRef {
    /// The unit.
    pub unit_id: UnitId,
    /// Full official name.
    pub name: String,
    /// School identifier code (学校标识码) or the unit's key; for people and for the national platform, never a key here.
    pub code: Option<String>,
    /// Areas from the province down to the one whose office is in charge; the scope of permissions. For a school that is its
    /// own county; for a county's government and departments it ends at the province, because no office verifies its own
    /// government.
    pub area_path: Vec<AreaId>,
    /// Code of the county unit (市县) that the unit lies in; `None` for provincial units.
    pub county_code: Option<String>,
    /// Name of that county unit.
    pub county_name: Option<String>,
    /// The competent department (主管部门) above the unit, jointly liable by measure 10.
    pub competent_unit_id: Option<UnitId>,
    /// Its name.
    pub competent_unit_name: Option<String>,
}

macro_rules! document_kinds {
    ($($(#[$doc:meta])+ $name:ident = $text:literal, $zh:literal;)+) => {
        /// Kinds of official document (文书).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        pub enum DocumentKind { $($(#[$doc])+ #[serde(rename = $text)] $name,)+ }

        impl DocumentKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name in data, the same as on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The kind of that name.
            pub fn of(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
            }

            /// Official Chinese name.
            pub const fn zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)+ }
            }
        }
    };
}

document_kinds! {
    /// Annual supervision plan (年度督导计划).
    Plan = "plan", "年度督导计划";
    /// Notice of supervision (督导通知书).
    SupervisionNotification = "supervision_notification", "督导通知书";
    /// Preliminary opinion (初步督导意见).
    PreliminaryOpinion = "preliminary_opinion", "初步督导意见";
    /// Supervision opinion letter (督导意见书).
    OpinionLetter = "opinion_letter", "督导意见书";
    /// Rectification notice (整改通知书): what a regular supervision issues in place of the opinion letter.
    RectificationNotice = "rectification_notice", "整改通知书";
    /// Supervision notice (督办单).
    UrgingOrder = "urging_order", "督办单";
    /// Interview notice (约谈通知书, measure 13).
    InterviewNotice = "interview_notice", "约谈通知书";
    /// Circular (通报, measure 14).
    Circular = "circular", "通报";
    /// Opinion on acceptance (整改验收意见).
    AcceptanceOpinion = "acceptance_opinion", "整改验收意见";
    /// Approval of closing (销号审批表).
    ClosingApproval = "closing_approval", "销号审批表";
    /// Supervision report (督导报告, Regulation art. 23).
    SupervisionReport = "supervision_report", "督导报告";
}

impl DocumentKind {
    /// Whether its receipt starts the clocks of a rectification (整改).
    pub const fn opens_rectification(self) -> bool {
        matches!(self, Self::OpinionLetter | Self::RectificationNotice)
    }

    /// Whether `deadlines` issues and keeps it; every other kind is `tasks`'.
    pub const fn is_of_deadlines(self) -> bool {
        matches!(self, Self::UrgingOrder | Self::AcceptanceOpinion | Self::ClosingApproval)
    }
}

/// An issued official document, as others refer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DocumentRef {
    /// The document.
    pub document_id: DocumentId,
    /// Its kind.
    pub kind: DocumentKind,
    /// Document number (发文字号), for instance `琼教督委〔2026〕12号`.
    pub doc_no: String,
    /// Title.
    pub title: String,
    /// The issuing agency.
    pub issuing_unit_id: UnitId,
    /// Its full name.
    pub issuing_unit_name: String,
    /// Legal time of issue.
    #[schema(value_type = String, format = DateTime)]
    pub issued_at: Timestamp,
    /// SHA-256 of the frozen content, 64 hexadecimal digits; the verification code (核验码) follows from it.
    pub content_sha256: String,
}

/// An entry of the register of issued documents (发文登记簿), as the document stands: what every room may know of a paper
/// without reading it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegisterEntry {
    /// 1 when the document is issued; it grows when it is voided or replaced.
    pub version: i64,
    /// The document.
    pub document: DocumentRef,
    /// The identifier under which the issuing service serves it: the document's own, for an urging order the order's.
    pub kept_as: Uuid,
    /// Areas from the province down whose offices keep the register: the issuing agency's.
    pub area_path: Vec<AreaId>,
    /// Whether it is open to the public by itself (主动公开). Of any other, the public is never told title or addressee.
    pub open: bool,
    /// The frozen content, canonical JSON, of a document that is open: the portal shows what it says. Of any
    /// other nothing leaves the service that keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// That it no longer holds, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voided: Option<Voiding>,
}

/// A document no longer holds (作废), perhaps because another one stands in its place (替换). Its number stays used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Voiding {
    /// Legal time.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The kind of reason; the public is told this much.
    pub cause: VoidCause,
    /// Why, in words; for the offices.
    pub reason: String,
    /// Name of who decided.
    pub by: String,
    /// The document in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<DocumentRef>,
}

/// Kinds of reasons for which a document is voided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoidCause {
    /// What it says is wrong (内容有误).
    WrongContent,
    /// It should not have been issued (误制误发).
    IssuedInError,
    /// What it was about has changed (情况变化).
    CircumstancesChanged,
}

impl VoidCause {
    /// Every cause.
    pub const ALL: [Self; 3] = [Self::WrongContent, Self::IssuedInError, Self::CircumstancesChanged];

    /// The key in data.
    pub fn key(self) -> &'static str {
        match self {
            Self::WrongContent => "wrong_content",
            Self::IssuedInError => "issued_in_error",
            Self::CircumstancesChanged => "circumstances_changed",
        }
    }
}

/// Declares the two events by which a service that issues documents tells the register.
macro_rules! register_events {
    ($($(#[$doc:meta])+ $name:ident = $text:literal;)+) => {$(
        $(#[$doc])+
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $crate::shared::RegisterEntry);

        impl $crate::Event for $name {
            const TYPE: &'static str = $text;
            fn aggregate_id(&self) -> uuid::Uuid {
                self.0.document.document_id.into()
            }
            fn aggregate_version(&self) -> i64 {
                self.0.version
            }
        }
    )+};
}
pub(crate) use register_events;
