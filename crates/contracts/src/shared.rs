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

/// Kinds of official document (文书).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// Annual supervision plan (年度督导计划).
    Plan,
    /// Notice of supervision (督导通知书).
    SupervisionNotification,
    /// Preliminary opinion (初步督导意见).
    PreliminaryOpinion,
    /// Supervision opinion letter (督导意见书).
    OpinionLetter,
    /// Supervision notice (督办单).
    UrgingOrder,
}

impl DocumentKind {
    /// Official Chinese name.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Plan => "年度督导计划",
            Self::SupervisionNotification => "督导通知书",
            Self::PreliminaryOpinion => "初步督导意见",
            Self::OpinionLetter => "督导意见书",
            Self::UrgingOrder => "督办单",
        }
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
