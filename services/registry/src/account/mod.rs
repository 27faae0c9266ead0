//! Accounts (账号) and the roles with scope that they carry. Passwords and codes are the business of `sign_in`.

pub(crate) mod http;
pub(crate) mod store;
mod switch;

pub(crate) use switch::{refuse_built_in, state_of, switch, unknown_account};

use access::{Caller, Grant, Resource};
use contracts::registry::{AccountRecorded, GrantRecord};
use serde::Serialize;
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

/// An account as it stands. Carries no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, clippy::struct_excessive_bools, reason = "the names are those of the interface")]
pub struct Account {
    /// The account.
    pub account_id: Uuid,
    /// Version of the record.
    pub version: i64,
    /// Name to sign in with, in lower case.
    pub login: String,
    /// Name shown: the post.
    pub display_name: String,
    /// Mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `zh-Hans`, `zh-Hant` or `en`.
    pub language: String,
    /// May sign in.
    pub active: bool,
    /// Has set a password.
    pub activated: bool,
    /// Has an identity of the sign-on.
    pub identity_bound: bool,
    /// Made by the installation itself.
    pub built_in: bool,
    /// The unit that the person works for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_id: Option<Uuid>,
    /// The inspector that the account belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person_id: Option<Uuid>,
    /// Division code of the area whose office manages the account.
    pub area_code: String,
    /// From the province down to that area.
    pub area_path: Vec<Uuid>,
    /// Roles with scope.
    #[schema(value_type = Vec<Grant>)]
    pub grants: Json<Vec<Grant>>,
}

impl Account {
    /// What decides who may manage it.
    pub(crate) fn resource(&self) -> Resource {
        Resource {
            owner: Some(self.account_id.into()),
            ..Resource::in_area(self.area_path.iter().copied().map(Into::into))
        }
    }

    /// The account as the guards of all services see it.
    pub(crate) fn caller(&self) -> Caller {
        Caller {
            account_id: self.account_id.into(),
            display_name: self.display_name.clone(),
            person_id: self.person_id.map(Into::into),
            unit_id: self.unit_id.map(Into::into),
            grants: self.grants.0.clone(),
        }
    }
}

/// The public event of an account.
pub(crate) fn recorded(account: &Account) -> AccountRecorded {
    AccountRecorded {
        account_id: account.account_id.into(),
        version: account.version,
        login: account.login.clone(),
        display_name: account.display_name.clone(),
        email: account.email.clone(),
        language: account.language.clone(),
        grants: account
            .grants
            .iter()
            .map(|grant| GrantRecord { role: grant.role.to_string(), area_id: grant.area_id, unit_id: grant.unit_id })
            .collect(),
        unit_id: account.unit_id.map(Into::into),
        person_id: account.person_id.map(Into::into),
        active: account.active,
        identity_bound: account.identity_bound,
    }
}
