//! From rows to records: every code and key that a row refers to must be in the register or in the same file.
//!
//! Pure: the register comes in as maps, refusals go out as remarks.

use std::collections::{HashMap, HashSet};

use access::{Grant, Role};
use contracts::registry::{AreaLevel, UnitKind};
use domain::code::{SchoolCode, SchoolKind};
use jiff::civil::Date;
use problem::Text;
use service_kit::ids::Ids;
use uuid::Uuid;

use super::{
    read::{AccountRow, AreaRow, InspectorRow, Placed, UnitRow, is_unit_role},
    report::Remark,
};
use crate::{
    account::store::{Draft as AccountDraft, Known},
    area::{
        level_word,
        store::Draft as AreaDraft,
        tree::{Misplaced, Node, Tree},
    },
    inspector::store::Draft as InspectorDraft,
    unit::{kind_word, store::Draft as UnitDraft},
};

/// Puts the file's areas into the tree; gives back the codes that were taken over.
pub(super) fn areas(
    tree: &mut Tree,
    rows: Vec<Placed<AreaRow>>,
    ids: &dyn Ids,
    today: Date,
    rejected: &mut Vec<Remark>,
) -> Vec<String> {
    let mut taken = Vec::new();
    let mut waiting = rows;
    // Parents may stand below their children: go round until nothing moves.
    loop {
        let before = waiting.len();
        let mut still = Vec::new();
        for row in waiting {
            let AreaRow { code, name, parent, level, effective_on } = &row.data;
            match tree.check(code, *level, parent.as_deref()) {
                Ok(()) => {
                    let known = tree.get(code);
                    let node = Node {
                        area_id: known.map_or_else(|| ids.new_id(), |known| known.area_id),
                        name: name.clone(),
                        level: *level,
                        parent: parent.clone(),
                        effective_on: effective_on.or(known.map(|known| known.effective_on)).unwrap_or(today),
                    };
                    taken.push(code.clone());
                    tree.insert(code.clone(), node);
                }
                Err(Misplaced::Never(column, reason)) => rejected.push(row.at.remark(column, reason)),
                Err(Misplaced::NoParent) => still.push(row),
            }
        }
        waiting = still;
        if waiting.len() == before || waiting.is_empty() {
            break;
        }
    }
    for row in waiting {
        let parent = row.data.parent.unwrap_or_default();
        rejected.push(row.at.remark("上级代码", unknown_division(&parent)));
    }
    taken
}

/// The whole tree as records: a moved node takes everything below it along.
pub(super) fn area_drafts(tree: &Tree) -> Vec<AreaDraft> {
    tree.iter()
        .filter_map(|(code, node)| {
            let spot = tree.spot(code)?;
            let parent = match node.level {
                AreaLevel::Province => None,
                AreaLevel::CountyUnit | AreaLevel::District => Some(tree.get(node.parent.as_deref()?)?.area_id),
            };
            Some(AreaDraft {
                area_id: node.area_id,
                code: code.clone(),
                name: node.name.clone(),
                level: level_word(node.level),
                parent_id: parent,
                path: spot.path,
                county_id: spot.county,
                effective_on: node.effective_on,
            })
        })
        .collect()
}

fn unknown_division(code: &str) -> Text {
    Text::new(
        format!("没有区划“{code}”；请先在“行政区划”中登记或核对代码"),
        format!("there is no division \"{code}\"; record it in the sheet 行政区划 or check the code"),
    )
}

fn unknown_unit(key: &str) -> Text {
    Text::new(
        format!("没有单位“{key}”；请先登记该单位或核对单位键、学校标识码"),
        format!("there is no unit \"{key}\"; record it first, or check the key or school identifier"),
    )
}

/// The rows of units whose references hold. `units` holds the ids of the register by key and gets those of the new ones.
///
/// A unit whose competent department is refused is refused as well, and so on down.
pub(super) fn units(
    tree: &Tree,
    units: &mut HashMap<String, Uuid>,
    rows: Vec<Placed<UnitRow>>,
    area_column: &str,
    ids: &dyn Ids,
    rejected: &mut Vec<Remark>,
) -> Vec<UnitDraft> {
    let mut good = Vec::new();
    for row in rows {
        if tree.get(&row.data.area).is_some() {
            good.push(row);
        } else {
            let reason = unknown_division(&row.data.area);
            rejected.push(row.at.remark(area_column, reason));
        }
    }
    loop {
        let here: HashSet<String> = good.iter().map(|row| row.data.key.clone()).collect();
        let before = good.len();
        good.retain(|row| match &row.data.competent {
            Some(competent) if !units.contains_key(competent) && !here.contains(competent) => {
                rejected.push(row.at.remark("主管单位键", unknown_unit(competent)));
                false
            }
            Some(competent) if *competent == row.data.key => {
                let reason = Text::new("单位不能是自己的主管单位", "a unit cannot be its own competent department");
                rejected.push(row.at.remark("主管单位键", reason));
                false
            }
            Some(_) | None => true,
        });
        if good.len() == before {
            break;
        }
    }
    for row in &good {
        units.entry(row.data.key.clone()).or_insert_with(|| ids.new_id());
    }
    good.into_iter().filter_map(|row| unit_draft(tree, units, row.data)).collect()
}

fn unit_draft(tree: &Tree, units: &HashMap<String, Uuid>, row: UnitRow) -> Option<UnitDraft> {
    debug_assert_eq!(row.kind == UnitKind::School, row.school.is_some());
    Some(UnitDraft {
        unit_id: *units.get(&row.key)?,
        school_code: row.school.map(|(code, _): (SchoolCode, SchoolKind)| code.to_string()),
        school_kind: row.school.map(|(_, kind)| kind.zh()),
        name: row.name,
        kind: kind_word(row.kind),
        area_id: tree.get(&row.area)?.area_id,
        competent_unit_id: row.competent.and_then(|key| units.get(&key).copied()),
        private: row.private,
        students: row.students,
        credit_code: row.credit,
        valid_from: row.valid_from,
        key: row.key,
    })
}

/// The rows of inspectors whose references hold.
pub(super) fn inspectors(
    tree: &Tree,
    persons: &mut HashMap<String, Uuid>,
    rows: Vec<Placed<InspectorRow>>,
    ids: &dyn Ids,
    rejected: &mut Vec<Remark>,
) -> Vec<InspectorDraft> {
    let mut drafts = Vec::new();
    for Placed { at, data } in rows {
        let Some(area) = tree.get(&data.area) else {
            rejected.push(at.remark("所属区划代码", unknown_division(&data.area)));
            continue;
        };
        let person_id = *persons.entry(data.number.clone()).or_insert_with(|| ids.new_id());
        drafts.push(InspectorDraft {
            person_id,
            number: data.number,
            name: data.name,
            area_id: area.area_id,
            full_time: data.full_time,
            grade: data.grade,
            term_from: data.term_from,
            term_to: data.term_to,
            training_hours: data.training_hours,
            valid_from: data.valid_from,
        });
    }
    drafts
}

/// What accounts refer to.
#[derive(Debug)]
pub(super) struct AccountFacts<'a> {
    pub tree: &'a Tree,
    /// Units by key.
    pub units: &'a HashMap<String, Uuid>,
    /// Areas of those units that the file names.
    pub unit_areas: &'a HashMap<Uuid, Uuid>,
    /// Inspectors by number.
    pub persons: &'a HashMap<String, Uuid>,
    /// Accounts by login.
    pub known: &'a HashMap<String, Known>,
}

/// The rows of accounts whose references hold.
pub(super) fn accounts(
    facts: &AccountFacts<'_>,
    rows: Vec<Placed<AccountRow>>,
    ids: &dyn Ids,
    rejected: &mut Vec<Remark>,
) -> Vec<AccountDraft> {
    let mut drafts = Vec::new();
    for Placed { at, data } in rows {
        match account(facts, data, ids) {
            Ok(draft) => drafts.push(draft),
            Err(faults) => rejected.extend(faults.into_iter().map(|(column, reason)| at.remark(column, reason))),
        }
    }
    drafts
}

type Faults = Vec<(&'static str, Text)>;

fn account(facts: &AccountFacts<'_>, row: AccountRow, ids: &dyn Ids) -> Result<AccountDraft, Faults> {
    let mut faults = Faults::new();
    let known = facts.known.get(&row.login);
    if known.is_some_and(|known| known.built_in) {
        faults.push((
            "账号",
            Text::new("系统初始账号不能通过导入更改", "the account of the installation cannot be changed by an import"),
        ));
    }
    let area = row.area.as_deref().and_then(|code| facts.tree.get(code).map(|node| (code, node)));
    if let (Some(code), None) = (&row.area, area) {
        faults.push(("区划代码", unknown_division(code)));
    }
    let unit = row.unit.as_deref().and_then(|key| facts.units.get(key).copied());
    if let (Some(key), None) = (&row.unit, unit) {
        faults.push(("单位", unknown_unit(key)));
    }
    let person = row.inspector.as_deref().and_then(|number| facts.persons.get(number).copied());
    if let (Some(number), None) = (&row.inspector, person) {
        faults.push((
            "督学编号",
            Text::new(
                format!("没有督学“{number}”；请先导入督学或核对编号"),
                format!("there is no inspector \"{number}\"; import the inspectors first or check the number"),
            ),
        ));
    }
    let home = unit.and_then(|unit| facts.unit_areas.get(&unit).copied());
    faults.extend(area.and_then(|(code, node)| wrong_place(facts.tree, code, node, home, &row.roles)));
    // Whose office manages it: the area named, else the unit's own, else the province.
    let managed =
        area.map(|(_, node)| node.area_id).or(home).or_else(|| facts.tree.root().map(|(_, node)| node.area_id));
    let Some(area_id) = managed.filter(|_| faults.is_empty()) else {
        if faults.is_empty() {
            faults.push(("区划代码", Text::new("请先导入行政区划", "import the divisions first")));
        }
        return Err(faults);
    };
    let scope = area.map(|(_, node)| node.area_id);
    let grants = row.roles.iter().map(|role| grant(*role, scope, unit)).collect();
    Ok(AccountDraft {
        account_id: known.map_or_else(|| ids.new_id(), |known| known.account_id),
        login: row.login,
        display_name: row.display_name,
        email: row.email,
        language: row.language,
        grants,
        unit_id: unit,
        person_id: person,
        area_id,
        built_in: false,
        valid_from: row.valid_from,
    })
}

/// Roles that do not fit the level of their area, and units outside of it: whoever manages the accounts of an area must not
/// come into the rights of another.
fn wrong_place(
    tree: &Tree,
    code: &str,
    node: &Node,
    home: Option<Uuid>,
    roles: &[Role],
) -> Option<(&'static str, Text)> {
    let wants = |role: Role| match role {
        Role::ProvinceOfficeAdmin => Some(AreaLevel::Province),
        Role::CountyOfficeAdmin => Some(AreaLevel::CountyUnit),
        Role::DeskOfficer
        | Role::Inspector
        | Role::CommitteeChair
        | Role::UnitPrincipal
        | Role::UnitContact
        | Role::CompetentDepartmentOfficer
        | Role::PublicityOfficer
        | Role::Auditor
        | Role::Operator => None,
    };
    if let Some(role) = roles.iter().find(|role| wants(**role).is_some_and(|level| level != node.level)) {
        return Some((
            "区划代码",
            Text::new(
                format!("角色“{}”与区划“{}”的层级不符", role.zh(), node.name),
                format!("the role {role} does not fit the level of the division {code}"),
            ),
        ));
    }
    let outside = home.is_some_and(|home| {
        let home = tree.iter().find(|(_, other)| other.area_id == home).and_then(|(code, _)| tree.spot(code));
        home.is_none_or(|spot| !spot.path.contains(&node.area_id))
    });
    outside.then(|| {
        (
            "单位",
            Text::new(
                format!("单位不在区划“{}”内；请核对区划代码", node.name),
                format!("the unit does not lie in the division {code}; check the code"),
            ),
        )
    })
}

fn grant(role: Role, area: Option<Uuid>, unit: Option<Uuid>) -> Grant {
    if role == Role::Operator {
        return Grant { role, area_id: None, unit_id: None };
    }
    if is_unit_role(role) {
        return Grant { role, area_id: None, unit_id: unit.map(Into::into) };
    }
    Grant { role, area_id: area.map(Into::into), unit_id: None }
}
