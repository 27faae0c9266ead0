//! Who must act while a clock runs (期限责任主体).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who must act before a clock ends, or whom a state waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The supervision agency that runs the case (督导机构).
    Agency,
    /// The supervision agency one level up (上一级督导机构).
    HigherAgency,
    /// The Committee's office (教督委办公室).
    CommitteeOffice,
    /// The Committee's chair or vice-chair (教督委主任、副主任).
    CommitteeLeader,
    /// The office one level up (上一级教督委办公室).
    HigherOffice,
    /// The county's people's government (市县政府).
    CountyGovernment,
    /// The supervised unit (被督导单位).
    Unit,
    /// The responsible inspector (责任督学).
    Inspector,
    /// The body that was asked for help (被协商单位).
    ConsultedBody,
    /// The group that investigates for accountability (问责调查组).
    InvestigationGroup,
    /// The unit or person held accountable (被问责对象).
    Accountable,
    /// Who complains (信访人).
    Complainant,
    /// The body to which a petition was sent on (承办单位).
    PetitionBody,
    /// The system itself, without a human act (系统).
    System,
}

impl Owner {
    /// Every owner.
    pub const ALL: [Self; 14] = [
        Self::Agency,
        Self::HigherAgency,
        Self::CommitteeOffice,
        Self::CommitteeLeader,
        Self::HigherOffice,
        Self::CountyGovernment,
        Self::Unit,
        Self::Inspector,
        Self::ConsultedBody,
        Self::InvestigationGroup,
        Self::Accountable,
        Self::Complainant,
        Self::PetitionBody,
        Self::System,
    ];

    /// The official Chinese term.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Agency => "督导机构",
            Self::HigherAgency => "上一级督导机构",
            Self::CommitteeOffice => "教督委办公室",
            Self::CommitteeLeader => "教督委领导",
            Self::HigherOffice => "上一级教督委办公室",
            Self::CountyGovernment => "市县政府",
            Self::Unit => "被督导单位",
            Self::Inspector => "责任督学",
            Self::ConsultedBody => "被协商单位",
            Self::InvestigationGroup => "调查组",
            Self::Accountable => "被问责对象",
            Self::Complainant => "信访人",
            Self::PetitionBody => "承办单位",
            Self::System => "系统",
        }
    }
}
