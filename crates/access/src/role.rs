//! The roles.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! roles {
    ($($(#[$doc:meta])+ $name:ident = $text:literal, $zh:literal;)+) => {
        /// A role (角色) in which an account acts; it always comes with a scope, see [`crate::Grant`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        pub enum Role { $($(#[$doc])+ #[serde(rename = $text)] $name,)+ }

        impl Role {
            /// Every role.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name in data and in the policies.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The official name.
            pub fn zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)+ }
            }
        }

        impl FromStr for Role {
            type Err = UnknownRole;

            fn from_str(text: &str) -> Result<Self, UnknownRole> {
                match text { $($text => Ok(Self::$name),)+ _ => Err(UnknownRole(text.to_owned())) }
            }
        }
    };
}

roles! {
    /// Runs supervision for the province (省教育督导委员会办公室).
    ProvinceOfficeAdmin = "province_office_admin", "省教育督导委员会办公室管理员";
    /// Runs supervision in a county (县级教育督导委员会办公室).
    CountyOfficeAdmin = "county_office_admin", "市县教育督导委员会办公室管理员";
    /// Prepares plans, cases and papers in a committee office (承办人).
    DeskOfficer = "desk_officer", "督导机构承办人员";
    /// Inspects and verifies (督学).
    Inspector = "inspector", "督学";
    /// Chairs the committee; reads everything in the area (督导委员会主任).
    CommitteeChair = "committee_chair", "教育督导委员会主任";
    /// Answers for a supervised unit (被督导单位主要负责人).
    UnitPrincipal = "unit_principal", "被督导单位主要负责人";
    /// Does the paperwork of a supervised unit (被督导单位联络员).
    UnitContact = "unit_contact", "被督导单位联络员";
    /// Follows matters of the units of its trade (行政主管部门).
    CompetentDepartmentOfficer = "competent_department_officer", "主管部门工作人员";
    /// Approves what becomes public (信息公开).
    PublicityOfficer = "publicity_officer", "信息公开工作人员";
    /// Reads everything in the area and verifies journals (审计).
    Auditor = "auditor", "审计人员";
    /// Keeps the installation running; sees no matter (运维).
    Operator = "operator", "系统运维人员";
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("没有角色“{0}” | there is no role \"{0}\"")]
pub struct UnknownRole(pub String);

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
