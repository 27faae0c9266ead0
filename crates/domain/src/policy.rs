//! The implementation plan (实施方案) as data: its measures, who is responsible for each, and the
//! units and divisions it speaks of.
//!
//! Reads the three texts of a province's folder (`measures.toml`, `units.toml`, `divisions.toml`)
//! and refuses unknown keys. What does not fit together is reported all at once. Another province
//! writes other texts; nothing here knows Hainan.

mod types;
mod validate;

use serde::Deserialize;

use crate::code::DivisionCode;

pub use types::{
    Division, DivisionLevel, Document, Duty, DutySource, Goal, Measure, Principle, Requirement, Section, Unit,
    UnitGroup, UnitKey, UnitKind,
};
pub use validate::PolicyFault;

/// A policy with its units and divisions; everything it refers to exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The document.
    pub document: Document,
    /// The goals (工作目标), the overall one first.
    pub goals: Vec<Goal>,
    /// The basic principles (基本原则).
    pub principles: Vec<Principle>,
    /// The sections that the measures stand in.
    pub sections: Vec<Section>,
    /// The measures (工作措施), numbered from 1 without gap.
    pub measures: Vec<Measure>,
    /// The work requirements (工作要求), W1 and on.
    pub requirements: Vec<Requirement>,
    /// The units that can have duties.
    pub units: Vec<Unit>,
    /// The administrative tree, parents first.
    pub divisions: Vec<Division>,
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A text is no TOML of the expected shape; the source names line and key.
    #[error("{file} cannot be read")]
    Unreadable {
        /// The text in question.
        file: &'static str,
        /// The parser's words.
        source: Box<toml::de::Error>,
    },
    /// The texts are readable but do not fit together; every fault is listed.
    #[error("the policy has {} faults, the first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
    Faulty(Vec<PolicyFault>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MeasuresFile {
    document: Document,
    goals: Vec<Goal>,
    principles: Vec<Principle>,
    sections: Vec<Section>,
    measures: Vec<Measure>,
    requirements: Vec<Requirement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitsFile {
    units: Vec<Unit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DivisionsFile {
    divisions: Vec<Division>,
}

impl Policy {
    /// Reads the three texts and checks them against each other.
    ///
    /// # Errors
    /// The first unreadable text, or all faults of the whole.
    pub fn parse(measures: &str, units: &str, divisions: &str) -> Result<Self, PolicyError> {
        let plan: MeasuresFile = read("measures.toml", measures)?;
        let units: UnitsFile = read("units.toml", units)?;
        let divisions: DivisionsFile = read("divisions.toml", divisions)?;
        let policy = Self {
            document: plan.document,
            goals: plan.goals,
            principles: plan.principles,
            sections: plan.sections,
            measures: plan.measures,
            requirements: plan.requirements,
            units: units.units,
            divisions: divisions.divisions,
        };
        let faults = validate::faults(&policy);
        if faults.is_empty() { Ok(policy) } else { Err(PolicyError::Faulty(faults)) }
    }

    /// The unit with this key.
    pub fn unit(&self, key: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.key.as_str() == key)
    }

    /// The measure with this number.
    pub fn measure(&self, no: u8) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.no == no)
    }

    /// The county units (市县) in the order of the tree.
    pub fn county_units(&self) -> impl Iterator<Item = &Division> {
        self.divisions.iter().filter(|division| division.level == DivisionLevel::CountyUnit)
    }

    /// The units of a group.
    pub fn group(&self, group: UnitGroup) -> Vec<&Unit> {
        match group {
            UnitGroup::CountyUnits => self
                .county_units()
                .filter_map(|division| self.unit(UnitKey::government(division.code).as_str()))
                .collect(),
            UnitGroup::CommitteeMembers => self.units.iter().filter(|unit| unit.member).collect(),
            UnitGroup::ProvincialDepartments => {
                let province = |code: DivisionCode| {
                    self.divisions.iter().any(|it| it.code == code && it.level == DivisionLevel::Province)
                };
                self.units
                    .iter()
                    .filter(|unit| match unit.kind {
                        UnitKind::Department | UnitKind::EducationBureau => province(unit.division),
                        UnitKind::Government | UnitKind::SupervisionAgency => false,
                    })
                    .collect()
            }
        }
    }

    /// The units responsible for a measure or requirement, each once, the named ones first.
    pub fn responsible(&self, source: DutySource<'_>) -> Vec<&Unit> {
        let named = source.units().iter().filter_map(|key| self.unit(key.as_str()));
        let grouped = source.groups().iter().flat_map(|group| self.group(*group));
        let mut units: Vec<&Unit> = Vec::new();
        for unit in named.chain(grouped) {
            if !units.iter().any(|it| it.key == unit.key) {
                units.push(unit);
            }
        }
        units
    }

    /// Measures and requirements in the order of the document.
    pub fn sources(&self) -> impl Iterator<Item = DutySource<'_>> {
        self.measures.iter().map(DutySource::Measure).chain(self.requirements.iter().map(DutySource::Requirement))
    }

    /// The whole matrix measure × unit (W1): every duty of every unit.
    pub fn duties(&self) -> Vec<Duty<'_>> {
        self.sources()
            .flat_map(|source| self.responsible(source).into_iter().map(move |unit| Duty { source, unit }))
            .collect()
    }

    /// What one unit must do, in the order of the document.
    pub fn duties_of(&self, key: &str) -> Vec<Duty<'_>> {
        let mut duties = self.duties();
        duties.retain(|duty| duty.unit.key.as_str() == key);
        duties
    }
}

fn read<T: serde::de::DeserializeOwned>(file: &'static str, text: &str) -> Result<T, PolicyError> {
    toml::from_str(text).map_err(|source| PolicyError::Unreadable { file, source: Box::new(source) })
}

#[cfg(test)]
mod tests;
