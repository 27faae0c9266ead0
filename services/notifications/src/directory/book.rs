//! The part of the directory that a set of notices needs, read with a handful of statements, whatever their number.

use std::collections::{BTreeSet, HashMap};

use domain::ids::{AccountId, AreaId, CaseId, UnitId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Person, store};

/// What has to be looked up.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    units: BTreeSet<UnitId>,
    homes: BTreeSet<UnitId>,
    areas: BTreeSet<AreaId>,
    areas_of: BTreeSet<UnitId>,
    cases: BTreeSet<CaseId>,
}

impl Asked {
    /// Those with a role for a unit.
    pub fn unit(&mut self, unit: UnitId) {
        self.units.insert(unit);
    }

    /// Those who work for a unit.
    pub fn home(&mut self, unit: UnitId) {
        self.homes.insert(unit);
    }

    /// Those with a role over areas.
    pub fn areas(&mut self, areas: &[AreaId]) {
        self.areas.extend(areas);
    }

    /// Those with a role over the areas of a unit.
    pub fn areas_of(&mut self, unit: UnitId) {
        self.areas_of.insert(unit);
    }

    /// The group of a case.
    pub fn case(&mut self, case: CaseId) {
        self.cases.insert(case);
    }
}

/// What was found: active accounts by the reason for which they are told, each in the order of their ids.
#[derive(Debug, Default)]
pub struct Book {
    people: HashMap<AccountId, Person>,
    of_unit: HashMap<UnitId, Vec<(String, AccountId)>>,
    at_home: HashMap<UnitId, Vec<(String, AccountId)>>,
    over_area: HashMap<AreaId, Vec<(String, AccountId)>>,
    of_team: HashMap<CaseId, Vec<AccountId>>,
    paths: HashMap<UnitId, Vec<AreaId>>,
}

fn uuids<T: Copy + Into<Uuid>>(ids: impl IntoIterator<Item = T>) -> Vec<Uuid> {
    ids.into_iter().map(Into::into).collect()
}

impl Book {
    /// Reads it.
    pub async fn read(db: &mut PgConnection, asked: Asked) -> Result<Self, sqlx::Error> {
        let mut book = Self::default();
        let mut areas = asked.areas;
        for (unit, path) in store::area_paths(&mut *db, &uuids(asked.areas_of)).await? {
            areas.extend(&path);
            book.paths.insert(unit, path);
        }
        for row in store::of_units(&mut *db, &uuids(asked.units)).await? {
            book.of_unit.entry(row.thing.into()).or_default().push((row.role, row.account_id.into()));
        }
        for row in store::at_homes(&mut *db, &uuids(asked.homes)).await? {
            book.at_home.entry(row.thing.into()).or_default().push((row.role, row.account_id.into()));
        }
        for row in store::over_areas(&mut *db, &uuids(areas)).await? {
            book.over_area.entry(row.thing.into()).or_default().push((row.role, row.account_id.into()));
        }
        for row in store::of_teams(&mut *db, &uuids(asked.cases)).await? {
            book.of_team.entry(row.thing.into()).or_default().push(row.account_id.into());
        }
        let found = [&book.of_unit, &book.at_home].into_iter().flat_map(HashMap::values).chain(book.over_area.values());
        let found = found.flatten().map(|(_, account)| *account).chain(book.of_team.values().flatten().copied());
        let found: BTreeSet<AccountId> = found.collect();
        for person in store::people(&mut *db, &uuids(found)).await? {
            book.people.insert(person.account_id, person);
        }
        Ok(book)
    }

    /// Those with one of the roles for a unit.
    pub fn of_unit(&self, roles: &[&str], unit: UnitId) -> Vec<&Person> {
        self.with_role(self.of_unit.get(&unit), roles)
    }

    /// Those with one of the roles that work for a unit.
    pub fn at_home(&self, roles: &[&str], unit: UnitId) -> Vec<&Person> {
        self.with_role(self.at_home.get(&unit), roles)
    }

    /// Those with one of the roles over an area.
    pub fn over_area(&self, roles: &[&str], area: AreaId) -> Vec<&Person> {
        self.with_role(self.over_area.get(&area), roles)
    }

    /// The group of a case.
    pub fn of_team(&self, case: CaseId) -> Vec<&Person> {
        self.of_team.get(&case).into_iter().flatten().filter_map(|account| self.people.get(account)).collect()
    }

    /// The areas of a unit.
    pub fn area_path(&self, unit: UnitId) -> Option<&[AreaId]> {
        self.paths.get(&unit).map(Vec::as_slice)
    }

    fn with_role(&self, found: Option<&Vec<(String, AccountId)>>, roles: &[&str]) -> Vec<&Person> {
        let accounts = found.into_iter().flatten().filter(|(role, _)| roles.contains(&role.as_str()));
        // Somebody with two of the roles is one person.
        let accounts: BTreeSet<AccountId> = accounts.map(|(_, account)| *account).collect();
        accounts.iter().filter_map(|account| self.people.get(account)).collect()
    }
}
