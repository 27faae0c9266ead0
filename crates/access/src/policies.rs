//! The Cedar policies: loaded, validated, asked.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet,
    Request, RestrictedExpression, Schema, ValidationMode, Validator,
};

use crate::{Action, Caller, Grant, Resource, Scope};

/// The policies, as an auditor reads them.
pub const POLICY_TEXT: &str = include_str!("../policies/dudao.cedar");
/// The schema they are validated against.
pub const SCHEMA_TEXT: &str = include_str!("../policies/dudao.cedarschema");

/// A policy text that must not be used. The service does not start.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The schema does not parse.
    #[error("policy schema does not parse: {0}")]
    Schema(String),
    /// The policies do not parse.
    #[error("policies do not parse: {0}")]
    Syntax(String),
    /// A policy without `@id`, or two with the same.
    #[error("policy {0} has no id of its own")]
    Id(String),
    /// The policies do not fit the schema, or the validator warns; every reason in words.
    #[error("policies are not valid: {}", .0.join("; "))]
    Invalid(Vec<String>),
    /// Actions that the schema and the program do not share.
    #[error("schema and program differ in actions: {}", .0.join(", "))]
    Actions(Vec<String>),
}

/// The validated policies.
pub struct Policies {
    set: PolicySet,
    schema: Schema,
    authorizer: Authorizer,
    names: Names,
}

/// The type names, parsed once.
struct Names {
    action: EntityTypeName,
    grant: EntityTypeName,
    matter: EntityTypeName,
    role: EntityTypeName,
}

impl Policies {
    /// The policies of this build, validated strictly.
    pub fn load() -> Result<Self, PolicyError> {
        Self::from_texts(POLICY_TEXT, SCHEMA_TEXT)
    }

    /// Policies from texts, validated strictly: every name, every type, no policy that can never
    /// apply, every policy with an id of its own.
    pub fn from_texts(policies: &str, schema: &str) -> Result<Self, PolicyError> {
        let schema = Schema::from_str(schema).map_err(|e| PolicyError::Schema(said(e)))?;
        let parsed = PolicySet::from_str(policies).map_err(|e| PolicyError::Syntax(said(e)))?;
        let mut set = PolicySet::new();
        for policy in parsed.policies() {
            let policy = renamed(policy)?;
            let id = policy.id().to_string();
            set.add(policy).map_err(|_| PolicyError::Id(id))?;
        }
        let result = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        if !result.validation_passed_without_warnings() {
            let errors = result.validation_errors().map(ToString::to_string);
            let warnings = result.validation_warnings().map(ToString::to_string);
            return Err(PolicyError::Invalid(errors.chain(warnings).collect()));
        }
        let this = Self { set, schema, authorizer: Authorizer::new(), names: Names::parse()? };
        this.check_actions()?;
        Ok(this)
    }

    /// Every action of the program stands in the schema and the other way round.
    fn check_actions(&self) -> Result<(), PolicyError> {
        let theirs: HashSet<EntityUid> = self.schema.actions().cloned().collect();
        let ours: HashSet<EntityUid> = Action::ALL.iter().map(|a| self.action_uid(*a)).collect();
        let mut differ: Vec<String> =
            theirs.symmetric_difference(&ours).map(|uid| uid.id().unescaped().to_owned()).collect();
        differ.sort();
        if differ.is_empty() { Ok(()) } else { Err(PolicyError::Actions(differ)) }
    }

    /// Whether any grant of the caller permits the action on the resource. The permitting policy is
    /// traced; a policy that fails to evaluate permits nothing.
    pub fn allow(&self, caller: &Caller, action: Action, resource: &Resource) -> bool {
        caller.grants.iter().any(|grant| self.decide(caller, grant, action, resource))
    }

    /// Whether some grant permits the action somewhere in its own scope.
    pub fn admit(&self, caller: &Caller, action: Action) -> bool {
        caller.grants.iter().any(|grant| {
            own_matters(caller, grant).iter().any(|matter| self.decide(caller, grant, action, &matter.resource()))
        })
    }

    /// Where the grants permit the action: each scope is asked alone.
    pub fn scope(&self, caller: &Caller, action: Action) -> Scope {
        let mut scope = Scope::default();
        for grant in &caller.grants {
            for matter in own_matters(caller, grant) {
                if self.decide(caller, grant, action, &matter.resource()) {
                    match matter {
                        Own::Area(area) => push_new(&mut scope.areas, area),
                        Own::Unit(unit) | Own::Read(unit) => push_new(&mut scope.units, unit),
                        Own::Account(account) => push_new(&mut scope.accounts, account),
                        Own::Installation => {}
                    }
                }
            }
        }
        scope
    }

    fn decide(&self, caller: &Caller, grant: &Grant, action: Action, resource: &Resource) -> bool {
        match self.evaluate(caller, grant, action, resource) {
            Ok(allowed) => allowed,
            Err(error) => {
                tracing::error!(%action, role = %grant.role, error, "policies could not be evaluated");
                false
            }
        }
    }

    /// Asks Cedar on the slice of this one question: two entities and no more.
    fn evaluate(&self, caller: &Caller, grant: &Grant, action: Action, resource: &Resource) -> Result<bool, String> {
        let principal = self.principal(caller, grant)?;
        let matter = self.matter(resource)?;
        let request =
            Request::new(principal.uid(), self.action_uid(action), matter.uid(), Context::empty(), Some(&self.schema))
                .map_err(said)?;
        let entities = Entities::from_entities([principal, matter], None).map_err(said)?;
        let response = self.authorizer.is_authorized(&request, &self.set, &entities);
        for error in response.diagnostics().errors() {
            tracing::error!(%action, %error, "a policy failed");
        }
        for reason in response.diagnostics().reason() {
            tracing::trace!(%action, role = %grant.role, policy = %reason, "permitted");
        }
        Ok(response.decision() == Decision::Allow)
    }

    fn principal(&self, caller: &Caller, grant: &Grant) -> Result<Entity, String> {
        let role = EntityUid::from_type_name_and_id(self.names.role.clone(), EntityId::new(grant.role.as_str()));
        let mut attributes = HashMap::from([
            ("role".to_owned(), RestrictedExpression::new_entity_uid(role)),
            ("account".to_owned(), text(&caller.account_id)),
        ]);
        if let Some(area) = grant.area_id {
            attributes.insert("area".to_owned(), text(&area));
        }
        if let Some(unit) = grant.unit_id {
            attributes.insert("unit".to_owned(), text(&unit));
        }
        if let Some(home) = caller.unit_id {
            attributes.insert("home".to_owned(), text(&home));
        }
        let uid =
            EntityUid::from_type_name_and_id(self.names.grant.clone(), EntityId::new(caller.account_id.to_string()));
        Entity::new(uid, attributes, HashSet::new()).map_err(said)
    }

    fn matter(&self, resource: &Resource) -> Result<Entity, String> {
        let mut attributes = HashMap::from([
            ("areas".to_owned(), set(&resource.area_path)),
            ("units".to_owned(), set(&resource.unit_ids)),
            ("readers".to_owned(), set(&resource.reader_ids)),
        ]);
        if let Some(owner) = resource.owner {
            attributes.insert("owner".to_owned(), text(&owner));
        }
        let uid = EntityUid::from_type_name_and_id(self.names.matter.clone(), EntityId::new("matter"));
        Entity::new(uid, attributes, HashSet::new()).map_err(said)
    }

    fn action_uid(&self, action: Action) -> EntityUid {
        EntityUid::from_type_name_and_id(self.names.action.clone(), EntityId::new(action.as_str()))
    }
}

impl std::fmt::Debug for Policies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policies").finish_non_exhaustive()
    }
}

impl Names {
    fn parse() -> Result<Self, PolicyError> {
        let name = |text: &str| EntityTypeName::from_str(text).map_err(|e| PolicyError::Schema(said(e)));
        Ok(Self {
            action: name("Dudao::Action")?,
            grant: name("Dudao::Grant")?,
            matter: name("Dudao::Matter")?,
            role: name("Dudao::Role")?,
        })
    }
}

/// One way in which a matter can be the grant's own.
#[derive(Clone, Copy)]
enum Own {
    Area(domain::ids::AreaId),
    Unit(domain::ids::UnitId),
    Read(domain::ids::UnitId),
    Account(domain::ids::AccountId),
    Installation,
}

impl Own {
    fn resource(self) -> Resource {
        match self {
            Self::Area(area) => Resource::in_area([area]),
            Self::Unit(unit) => Resource::default().concerning(unit),
            Self::Read(unit) => Resource::default().read_by(unit),
            Self::Account(account) => Resource::owned_by(account),
            Self::Installation => Resource::installation(),
        }
    }
}

fn own_matters(caller: &Caller, grant: &Grant) -> Vec<Own> {
    // The likeliest first: the guard stops at the first that is permitted.
    let mut own: Vec<Own> = grant.area_id.map(Own::Area).into_iter().collect();
    for unit in grant.unit_id.into_iter().chain(caller.unit_id) {
        own.extend([Own::Unit(unit), Own::Read(unit)]);
    }
    own.extend([Own::Account(caller.account_id), Own::Installation]);
    own
}

/// Cedar numbers policies by itself; our ids make the reasons in the log mean something.
fn renamed(policy: &Policy) -> Result<Policy, PolicyError> {
    match policy.annotation("id") {
        Some(id) if !id.is_empty() => Ok(policy.new_id(PolicyId::new(id))),
        Some(_) | None => Err(PolicyError::Id(policy.id().to_string())),
    }
}

fn text(value: &impl ToString) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_string())
}

fn set(values: &[impl ToString]) -> RestrictedExpression {
    RestrictedExpression::new_set(values.iter().map(text))
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

#[expect(clippy::needless_pass_by_value, reason = "reads well in map_err")]
fn said(error: impl ToString) -> String {
    error.to_string()
}
