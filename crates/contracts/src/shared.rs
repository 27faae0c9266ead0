//! Parts that several payloads share: a unit as a case names it, and an official document as others refer to it.

use domain::ids::{AreaId, DocumentId, UnitId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
}
