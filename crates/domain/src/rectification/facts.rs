//! What the rectification must know from elsewhere.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refusal::RectificationRefusal;
use super::workbook::Workbook;
use crate::calendar::Calendar;
use crate::doc_number::DocNumber;
use crate::ids::{CaseId, FindingId, LetterId, UnitId};
use crate::local_time;
use crate::period::{CountError, Period, WorkingDays};
use crate::proof::{AnchorEvent, AppliedRule};
use crate::rulebook::{Duty, Rulebook};
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

/// The rules and calendars that an act is judged by, and the workbook that takes its derivations.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The version that the rectification lives by.
    pub rulebook: &'a Rulebook,
    /// The calendar of the place of the unit that must rectify.
    pub unit_calendar: &'a Calendar,
    /// The calendar of the place of the agency that must verify.
    pub agency_calendar: &'a Calendar,
    /// The derivations of this unit of work.
    pub workbook: &'a Workbook,
}

impl Rules<'_> {
    /// When a duty of the agency that begins at the instant must be done.
    pub(super) fn duty_due(
        self,
        duty: Duty,
        rule: AppliedRule,
        at: Timestamp,
    ) -> Result<Timestamp, RectificationRefusal> {
        let event = match duty {
            Duty::Verification => AnchorEvent::ReportReceived,
            Duty::PlanAcceptance => AnchorEvent::PlanSubmitted,
            Duty::CloseOut => AnchorEvent::ReportVerified,
            Duty::RequestDecision => AnchorEvent::RequestReceived,
            Duty::StepDecision => AnchorEvent::StepProposed,
            Duty::ConsultationAnswer => AnchorEvent::ConsultationSent,
            Duty::LookBackVisit => AnchorEvent::LookBackDue,
        };
        Ok(self.workbook.derive(rule, event, at, &[], self.agency_calendar)?.proof.due_at)
    }

    /// The rule of a key that the rulebook is bound to have.
    pub(super) fn rule(self, rule_id: &str) -> Result<AppliedRule, RectificationRefusal> {
        self.rulebook.rule(rule_id).ok_or_else(|| RectificationRefusal::NoRule(rule_id.to_owned()))
    }

    pub(super) fn end(self, at: Timestamp, period: Period, calendar: &Calendar) -> Result<Timestamp, CountError> {
        self.workbook.end(at, period, calendar)
    }

    pub(super) fn reminder_at(self, due_on: Date, amount: WorkingDays) -> Option<Timestamp> {
        let day = self.workbook.reminder_day(due_on, amount, self.unit_calendar)?;
        local_time::at_local(day, self.rulebook.reminder_time)
    }
}
