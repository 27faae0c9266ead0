//! The two sides of a decision: who calls, and what it is about.

use domain::ids::{AccountId, AreaId, PersonId, UnitId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Role;

/// A role with its scope (授权): the subtree of an area, one unit, or both side by side. A grant
/// without any scope permits nothing but what belongs to the account itself; an operator needs none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// The area whose whole subtree is in scope; for a province role the province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_id: Option<AreaId>,
    /// The one unit in scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_id: Option<UnitId>,
}

/// The signed-in account behind a request, as its token tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Caller {
    /// The account: the actor of every act.
    pub account_id: AccountId,
    /// The name that is shown.
    pub display_name: String,
    /// The person behind the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_id: Option<PersonId>,
    /// The unit the person works for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_id: Option<UnitId>,
    /// What the account may act as. Allowed is what any of them allows.
    #[serde(default)]
    pub grants: Vec<Grant>,
}

impl Caller {
    /// Whether any grant carries the role, whatever its scope.
    pub fn has_role(&self, role: Role) -> bool {
        self.grants.iter().any(|grant| grant.role == role)
    }
}

/// What an action is about, reduced to what decides access.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resource {
    /// The path of the area whose committee office is in charge, from the province to the leaf. For
    /// a matter against a county government it stops at the province: the county's own office must
    /// not judge its government, the county takes part as a unit.
    pub area_path: Vec<AreaId>,
    /// The units whose matter it is: they read and act (report, plead, sign).
    pub unit_ids: Vec<UnitId>,
    /// Units that may only read along, such as the competent department (主管部门).
    pub reader_ids: Vec<UnitId>,
    /// The account it belongs to: a message, an account.
    pub owner: Option<AccountId>,
}

impl Resource {
    /// A matter in an area; the path goes from the province to the leaf.
    pub fn in_area(area_path: impl IntoIterator<Item = AreaId>) -> Self {
        Self { area_path: area_path.into_iter().collect(), ..Self::default() }
    }

    /// Something that belongs to an account alone.
    pub fn owned_by(account: AccountId) -> Self {
        Self { owner: Some(account), ..Self::default() }
    }

    /// Something of the installation as a whole, in nobody's area (service administration).
    pub fn installation() -> Self {
        Self::default()
    }

    /// Adds a unit whose matter it is.
    #[must_use]
    pub fn concerning(mut self, unit: UnitId) -> Self {
        self.unit_ids.push(unit);
        self
    }

    /// Adds a unit that may read along.
    #[must_use]
    pub fn read_by(mut self, unit: UnitId) -> Self {
        self.reader_ids.push(unit);
        self
    }
}

/// Where a caller may do an action, for list queries: a row is visible when its area path contains
/// one of `areas`, or its units (or, for reading, its reading units) contain one of `units`, or its
/// owner is one of `accounts`. All empty: nothing is visible.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// Areas, each with its subtree.
    pub areas: Vec<AreaId>,
    /// Units.
    pub units: Vec<UnitId>,
    /// Accounts.
    pub accounts: Vec<AccountId>,
}

impl Scope {
    /// Whether nothing at all is in scope.
    pub fn is_empty(&self) -> bool {
        self.areas.is_empty() && self.units.is_empty() && self.accounts.is_empty()
    }
}
