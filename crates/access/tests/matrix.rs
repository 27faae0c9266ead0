//! The whole policy as a table: role × action × whose matter it is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

use std::fmt::Write as _;

use access::{Action, Caller, Grant, POLICY_TEXT, Policies, PolicyError, Resource, Role, SCHEMA_TEXT, Scope};
use domain::ids::{AccountId, AreaId, UnitId};
use uuid::Uuid;

const PROVINCE: AreaId = AreaId::new(Uuid::from_u128(1));
const OWN_COUNTY: AreaId = AreaId::new(Uuid::from_u128(2));
const OTHER_COUNTY: AreaId = AreaId::new(Uuid::from_u128(3));
const OWN_UNIT: UnitId = UnitId::new(Uuid::from_u128(11));
const OTHER_UNIT: UnitId = UnitId::new(Uuid::from_u128(12));
const OFFICE: UnitId = UnitId::new(Uuid::from_u128(13));
const SELF: AccountId = AccountId::new(Uuid::from_u128(21));
const OTHER: AccountId = AccountId::new(Uuid::from_u128(22));

fn caller(grants: Vec<Grant>) -> Caller {
    Caller { account_id: SELF, display_name: "督学0001".to_owned(), person_id: None, unit_id: Some(OFFICE), grants }
}

/// A grant with the scope that a role has in practice. No wildcard: a new role has to be placed.
fn typical(role: Role) -> Grant {
    let (area_id, unit_id) = match role {
        Role::ProvinceOfficeAdmin
        | Role::CountyOfficeAdmin
        | Role::DeskOfficer
        | Role::Inspector
        | Role::CommitteeChair
        | Role::PublicityOfficer
        | Role::Auditor => (Some(OWN_COUNTY), None),
        Role::UnitPrincipal | Role::UnitContact | Role::CompetentDepartmentOfficer => (None, Some(OWN_UNIT)),
        Role::Operator => (None, None),
    };
    Grant { role, area_id, unit_id }
}

fn matters() -> [(&'static str, Resource); 9] {
    [
        ("own_area", Resource::in_area([PROVINCE, OWN_COUNTY])),
        ("other_area", Resource::in_area([PROVINCE, OTHER_COUNTY])),
        ("above_area", Resource::in_area([PROVINCE])),
        ("own_unit", Resource::in_area([PROVINCE, OTHER_COUNTY]).concerning(OWN_UNIT)),
        ("reads_along", Resource::in_area([PROVINCE, OTHER_COUNTY]).concerning(OTHER_UNIT).read_by(OWN_UNIT)),
        ("other_unit", Resource::in_area([PROVINCE, OTHER_COUNTY]).concerning(OTHER_UNIT)),
        ("employer", Resource::in_area([PROVINCE, OTHER_COUNTY]).concerning(OFFICE)),
        ("own_account", Resource::owned_by(SELF)),
        ("other_account", Resource::owned_by(OTHER)),
    ]
}

/// To accept a change, read it and copy the file from the target folder's `tmp` over the one here.
#[test]
fn the_matrix_is_the_reviewed_one() {
    let policies = Policies::load().unwrap();
    let mut actual = String::from(
        "# action, role: whose matter it may be done on. Area roles hold a county, unit roles a unit, everyone an employer.\n",
    );
    for action in Action::ALL {
        writeln!(actual, "\n{action}  {}", action.zh()).unwrap();
        for role in Role::ALL {
            let caller = caller(vec![typical(*role)]);
            let mut cells: Vec<&str> = matters()
                .iter()
                .filter(|(_, matter)| policies.allow(&caller, *action, matter))
                .map(|(name, _)| *name)
                .collect();
            if policies.allow(&caller, *action, &Resource::installation()) {
                cells.push("installation");
            }
            if cells.is_empty() {
                cells.push("-");
            }
            writeln!(actual, "  {:<30}{}", role.as_str(), cells.join(" ")).unwrap();
        }
    }
    std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/matrix.txt"), &actual).unwrap();
    let expected = include_str!("matrix.txt");
    for (line, (actual, expected)) in actual.lines().zip(expected.lines()).enumerate() {
        assert_eq!(actual, expected, "matrix.txt line {}", line + 1);
    }
    assert_eq!(actual.len(), expected.len());
}

/// The rule behind the matrix, said once more without the policies: nobody reaches beyond the scope.
#[test]
fn nothing_is_allowed_outside_of_the_scope() {
    let policies = Policies::load().unwrap();
    for action in Action::ALL {
        for role in Role::ALL {
            let caller = caller(vec![typical(*role)]);
            for (name, matter) in matters() {
                if ["other_area", "above_area", "other_unit", "other_account"].contains(&name)
                    && policies.allow(&caller, *action, &matter)
                {
                    assert!(action.as_str().starts_with("service."), "{role} may {action} on {name}");
                }
            }
        }
    }
}

#[test]
fn a_grant_without_scope_reaches_no_matter() {
    let policies = Policies::load().unwrap();
    for action in Action::ALL {
        for role in Role::ALL {
            let mut caller = caller(vec![Grant { role: *role, area_id: None, unit_id: None }]);
            caller.unit_id = None;
            for (name, matter) in matters() {
                let own = name == "own_account" || action.as_str().starts_with("service.");
                assert!(own || !policies.allow(&caller, *action, &matter), "{role} {action} {name}");
            }
        }
        assert!(!policies.admit(&caller(Vec::new()), *action), "no grant, no {action}");
    }
}

#[test]
fn no_role_both_prepares_and_decides_alone_as_a_desk_officer() {
    let policies = Policies::load().unwrap();
    let desk = caller(vec![typical(Role::DeskOfficer)]);
    for action in [
        Action::TasksPlanIssue,
        Action::TasksLetterIssue,
        Action::DeadlinesItemVerify,
        Action::DeadlinesItemClose,
        Action::DeadlinesPlanJudge,
        Action::DeadlinesRequestDecide,
        Action::DeadlinesStepDecide,
        Action::DeadlinesLookBackRecord,
        Action::PublicationDraftApprove,
    ] {
        assert!(!policies.admit(&desk, action), "{action}");
    }
    let unit = caller(vec![typical(Role::UnitPrincipal)]);
    assert!(policies.admit(&unit, Action::DeadlinesItemReport));
    assert!(!policies.admit(&unit, Action::DeadlinesItemVerify), "who reports does not verify");
    assert!(policies.admit(&unit, Action::DeadlinesRequestMake));
    assert!(!policies.admit(&unit, Action::DeadlinesRequestDecide), "who asks does not decide");
}

#[test]
fn a_department_acts_for_itself_and_only_reads_along_with_its_schools() {
    let policies = Policies::load().unwrap();
    let officer = caller(vec![typical(Role::CompetentDepartmentOfficer)]);
    let school = Resource::in_area([PROVINCE, OWN_COUNTY]).concerning(OTHER_UNIT).read_by(OWN_UNIT);
    let own = Resource::in_area([PROVINCE, OWN_COUNTY]).concerning(OWN_UNIT);
    for action in [
        Action::DeadlinesPlanSubmit,
        Action::DeadlinesItemReport,
        Action::DeadlinesEvidenceWrite,
        Action::DeadlinesRequestMake,
    ] {
        assert!(policies.allow(&officer, action, &own), "{action}");
        assert!(!policies.allow(&officer, action, &school), "{action}");
    }
    assert!(policies.allow(&officer, Action::DeadlinesRectificationRead, &school));
}

#[test]
fn an_operator_sees_clocks_and_no_matter() {
    let policies = Policies::load().unwrap();
    let operator = caller(vec![typical(Role::Operator)]);
    assert!(policies.allow(&operator, Action::DeadlinesTimerRead, &Resource::installation()));
    assert_eq!(policies.scope(&operator, Action::DeadlinesTimerRead), Scope::default());
    for (name, matter) in matters() {
        assert!(!policies.allow(&operator, Action::DeadlinesTimerRead, &matter), "{name}");
    }
}

#[test]
fn a_province_grant_reaches_every_county() {
    let policies = Policies::load().unwrap();
    let chair = caller(vec![Grant { role: Role::CommitteeChair, area_id: Some(PROVINCE), unit_id: None }]);
    let matter = Resource::in_area([PROVINCE, OTHER_COUNTY]).concerning(OTHER_UNIT);
    assert!(policies.allow(&chair, Action::TasksCaseRead, &matter));
    assert!(!policies.allow(&chair, Action::TasksCaseWrite, &matter));
}

#[test]
fn scope_collects_what_each_grant_may() {
    let policies = Policies::load().unwrap();
    let both = caller(vec![typical(Role::Inspector), typical(Role::UnitPrincipal), typical(Role::Inspector)]);
    let read = policies.scope(&both, Action::DeadlinesRectificationRead);
    assert_eq!(read, Scope { areas: vec![OWN_COUNTY], units: vec![OWN_UNIT], accounts: Vec::new() });
    let verify = policies.scope(&both, Action::DeadlinesItemVerify);
    assert_eq!((verify.areas, verify.units), (vec![OWN_COUNTY], Vec::new()));
    let inbox = policies.scope(&both, Action::NotificationsInboxRead);
    assert_eq!((inbox.units, inbox.accounts), (vec![OWN_UNIT], vec![SELF]));
    assert!(policies.scope(&both, Action::ServiceReplayRun).is_empty());
}

#[test]
fn a_wrong_policy_does_not_load() {
    let rule = |head: &str, role: &str, action: &str, field: &str| {
        format!(
            "{head} permit (principal, action == Dudao::Action::\"{action}\", resource) \
             when {{ principal.role == Dudao::Role::\"{role}\" && {field}.contains(\"x\") }};"
        )
    };
    let id = "@id(\"x\")";
    let good = rule(id, "auditor", "tasks.case.read", "resource.areas");
    assert!(Policies::from_texts(&good, SCHEMA_TEXT).is_ok());
    let wrong = [
        ("action", rule(id, "auditor", "tasks.case.raed", "resource.areas")),
        ("role", rule(id, "auditr", "tasks.case.read", "resource.areas")),
        ("attribute", rule(id, "auditor", "tasks.case.read", "resource.area")),
        ("type", rule(id, "auditor", "tasks.case.read", "principal.account")),
        (
            "optional attribute",
            "@id(\"x\") permit (principal, action, resource) when { resource.areas.contains(principal.area) };"
                .to_owned(),
        ),
        ("never applies", "@id(\"x\") permit (principal, action, resource) when { false };".to_owned()),
    ];
    for (what, text) in wrong {
        let refused = Policies::from_texts(&text, SCHEMA_TEXT);
        assert!(matches!(refused, Err(PolicyError::Invalid(_))), "{what}: {refused:?}");
    }
    let nameless = rule("", "auditor", "tasks.case.read", "resource.areas");
    assert!(matches!(Policies::from_texts(&nameless, SCHEMA_TEXT), Err(PolicyError::Id(_))));
    let twice = format!("{good}{good}");
    assert!(matches!(Policies::from_texts(&twice, SCHEMA_TEXT), Err(PolicyError::Id(_))));
    assert!(matches!(Policies::from_texts("permit (", SCHEMA_TEXT), Err(PolicyError::Syntax(_))));
    let schema = SCHEMA_TEXT.replace("\"account.self.read\"", "\"account.self.raed\"");
    assert!(matches!(
        Policies::from_texts(&good, &schema),
        Err(PolicyError::Actions(names)) if names == ["account.self.raed", "account.self.read"]
    ));
}

#[test]
fn every_policy_is_explained_in_chinese() {
    let lines: Vec<&str> = POLICY_TEXT.lines().collect();
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("@id(")) {
        let above = lines[number - 1];
        assert!(above.starts_with("// ") && above.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{line}");
    }
}
