//! What the rectification must know from elsewhere.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::calendar::Calendar;
use crate::doc_number::DocNumber;
use crate::ids::{CaseId, FindingId, LetterId, UnitId};
use crate::period::Period;
use crate::rulebook::Rulebook;
use crate::severity::Severity;

/// A finding of the letter (问题).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingFacts {
    /// The finding.
    pub finding_id: FindingId,
    /// Its number in the letter, from 1.
    pub number: u32,
    /// How grave it is.
    pub severity: Severity,
    /// The problem.
    pub problem: String,
    /// What the letter demands.
    pub demand: String,
    /// Who must rectify it.
    pub responsible_unit: UnitId,
    /// The limit that the letter itself sets; the rulebook's when nothing.
    pub limit: Option<Period>,
}

/// The opinion letter as it was received (督导意见书).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LetterFacts {
    /// The letter.
    pub letter_id: LetterId,
    /// The supervision case.
    pub case_id: CaseId,
    /// Its number.
    pub letter_number: DocNumber,
    /// The agency that issued it.
    pub issuing_agency: UnitId,
    /// The supervised unit.
    pub supervised_unit: UnitId,
    /// The competent department, jointly liable (主管部门).
    pub competent_department: Option<UnitId>,
    /// The division code of the unit's place, whose calendar counts.
    pub division: String,
    /// The findings, at least one.
    pub findings: Vec<FindingFacts>,
}

/// The rules and calendars that an act is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The version that the rectification began with.
    pub rulebook: &'a Rulebook,
    /// The calendar of the place of the unit that must rectify.
    pub unit_calendar: &'a Calendar,
    /// The calendar of the place of the agency that must verify.
    pub agency_calendar: &'a Calendar,
}
