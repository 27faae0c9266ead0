//! What must fit together in a policy's three texts.

use std::collections::BTreeSet;

use super::{DivisionLevel, DutySource, Policy, UnitGroup, UnitKey};
use crate::code::DivisionCode;

/// Something in the texts that does not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// The measures are not numbered 1, 2, 3 and on.
    #[error("measure {expected} is missing or out of order: found {found}")]
    MeasureNumber {
        /// The number that should stand here.
        expected: usize,
        /// The number that does.
        found: u8,
    },
    /// A measure stands in a section that does not exist.
    #[error("measure {measure} stands in section {section}, which does not exist")]
    UnknownSection {
        /// Number of the measure.
        measure: u8,
        /// Number of the section.
        section: u8,
    },
    /// A measure or requirement names a unit that `units.toml` lacks.
    #[error("{place} names the unit {key}, which units.toml lacks")]
    UnknownUnit {
        /// The measure, the requirement or the unit that names it.
        place: String,
        /// The key named.
        key: String,
    },
    /// Nobody is responsible.
    #[error("{place} has no responsible unit")]
    NobodyResponsible {
        /// The measure or requirement.
        place: String,
    },
    /// A key or code stands twice.
    #[error("{key} stands twice")]
    Twice {
        /// The key or code.
        key: String,
    },
    /// A key has other characters than lower-case letters, digits and hyphens.
    #[error("the unit key {key} must consist of lower-case letters, digits and hyphens")]
    BadKey {
        /// The key.
        key: String,
    },
    /// A division is named that `divisions.toml` lacks, or that stands after the row naming it.
    #[error("{place} names the division {code}, which divisions.toml lacks above it")]
    UnknownDivision {
        /// The unit or division that names it.
        place: String,
        /// The code named.
        code: DivisionCode,
    },
    /// Only the province has no parent, and it has none.
    #[error("the division {code} must have a parent unless it is the province")]
    Parent {
        /// The division.
        code: DivisionCode,
    },
    /// A county unit lacks its government, supervision agency or education bureau.
    #[error("the county unit {code} lacks its unit {key}")]
    CountyUnitLacks {
        /// The county unit.
        code: DivisionCode,
        /// The key that must exist.
        key: String,
    },
    /// A title or text is blank.
    #[error("{place} has a blank title or text")]
    Blank {
        /// The measure or requirement.
        place: String,
    },
}

pub(super) fn faults(policy: &Policy) -> Vec<PolicyFault> {
    let mut faults = Vec::new();
    divisions(policy, &mut faults);
    units(policy, &mut faults);
    measures(policy, &mut faults);
    faults
}

fn divisions(policy: &Policy, faults: &mut Vec<PolicyFault>) {
    let mut above = BTreeSet::new();
    for division in &policy.divisions {
        let code = division.code;
        match (division.level, division.parent) {
            (DivisionLevel::Province, None) => {}
            (DivisionLevel::CountyUnit | DivisionLevel::District, Some(parent)) => {
                if !above.contains(&parent) {
                    faults.push(PolicyFault::UnknownDivision { place: code.to_string(), code: parent });
                }
            }
            (DivisionLevel::Province, Some(_)) | (DivisionLevel::CountyUnit | DivisionLevel::District, None) => {
                faults.push(PolicyFault::Parent { code });
            }
        }
        if !above.insert(code) {
            faults.push(PolicyFault::Twice { key: code.to_string() });
        }
        if division.level == DivisionLevel::CountyUnit {
            for key in [UnitKey::government(code), UnitKey::office(code), UnitKey::education_bureau(code)] {
                if policy.unit(key.as_str()).is_none() {
                    faults.push(PolicyFault::CountyUnitLacks { code, key: key.to_string() });
                }
            }
        }
    }
}

fn units(policy: &Policy, faults: &mut Vec<PolicyFault>) {
    let mut seen = BTreeSet::new();
    for unit in &policy.units {
        let key = unit.key.as_str();
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if key.is_empty() || !key.chars().all(good) {
            faults.push(PolicyFault::BadKey { key: key.to_owned() });
        }
        if !seen.insert(key) {
            faults.push(PolicyFault::Twice { key: key.to_owned() });
        }
        if !policy.divisions.iter().any(|it| it.code == unit.division) {
            faults.push(PolicyFault::UnknownDivision { place: key.to_owned(), code: unit.division });
        }
        if let Some(competent) = &unit.competent
            && policy.unit(competent.as_str()).is_none()
        {
            faults.push(PolicyFault::UnknownUnit { place: key.to_owned(), key: competent.to_string() });
        }
    }
}

fn measures(policy: &Policy, faults: &mut Vec<PolicyFault>) {
    for (index, measure) in policy.measures.iter().enumerate() {
        if usize::from(measure.no) != index + 1 {
            faults.push(PolicyFault::MeasureNumber { expected: index + 1, found: measure.no });
        }
        if !policy.sections.iter().any(|it| it.no == measure.section) {
            faults.push(PolicyFault::UnknownSection { measure: measure.no, section: measure.section });
        }
    }
    for source in policy.sources() {
        responsible(policy, source, faults);
    }
}

fn responsible(policy: &Policy, source: DutySource<'_>, faults: &mut Vec<PolicyFault>) {
    let place = match source {
        DutySource::Measure(measure) => format!("measure {}", measure.no),
        DutySource::Requirement(requirement) => format!("requirement {}", requirement.key),
    };
    if source.title().trim().is_empty() || source.text().trim().is_empty() {
        faults.push(PolicyFault::Blank { place: place.clone() });
    }
    for key in source.units() {
        if policy.unit(key.as_str()).is_none() {
            faults.push(PolicyFault::UnknownUnit { place: place.clone(), key: key.to_string() });
        }
    }
    let empty_group = |group: &UnitGroup| policy.group(*group).is_empty();
    if policy.responsible(source).is_empty() || source.groups().iter().any(empty_group) {
        faults.push(PolicyFault::NobodyResponsible { place });
    }
}
