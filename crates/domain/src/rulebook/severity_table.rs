//! The periods by severity (measures 9 to 11).

use serde::{Deserialize, Serialize};

use super::PeriodRule;
use crate::period::{Hours, Period, WorkingDays};
use crate::severity::Severity;

/// When reminders go out before a limit ends (提醒).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReminderSchedule {
    /// So many working days before the last day, each at the rulebook's time of day.
    WorkingDaysBefore(Vec<WorkingDays>),
    /// Every so many hours from the start of the limit to its end.
    EveryHours(Hours),
}

/// Reminders with the article or measure they come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReminderRule {
    /// When they go out.
    pub schedule: ReminderSchedule,
    /// The article or measure.
    pub article: String,
}

/// When closed items are looked at again (回头看).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookBackRule {
    /// The visits, each counted from the closing.
    pub after: Vec<Period>,
    /// The share of closed items that is drawn, in per cent.
    pub sample_percent: u8,
    /// The article or measure.
    pub article: String,
}

/// Everything that depends on the severity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeverityRule {
    /// From the service of the letter to its acknowledged receipt.
    pub acknowledge: PeriodRule,
    /// From the receipt to the rectification plan; none is asked for when left out.
    pub plan: Option<PeriodRule>,
    /// From the receipt to the rectification report, unless the letter sets a limit.
    pub finish: PeriodRule,
    /// From the report to its verification.
    pub verification: PeriodRule,
    /// From the return of a report to the next one.
    pub return_limit: PeriodRule,
    /// Reminders before a limit ends.
    pub reminders: ReminderRule,
    /// From the last day of the limit to the urging order.
    pub urging_after_due: PeriodRule,
    /// The new limit in the urging order.
    pub urging_limit: PeriodRule,
    /// How many persons must approve the close-out, one after the other (销号审批).
    pub close_out_approvals: u8,
    /// Looking back after the closing.
    pub look_back: LookBackRule,
}

/// A rule for each severity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeverityTable {
    /// 一般.
    pub minor: SeverityRule,
    /// 较大.
    pub major: SeverityRule,
    /// 重大.
    pub serious: SeverityRule,
    /// 危及生命安全.
    pub immediate: SeverityRule,
}

impl SeverityTable {
    /// The rule of a severity.
    pub const fn get(&self, severity: Severity) -> &SeverityRule {
        match severity {
            Severity::Minor => &self.minor,
            Severity::Major => &self.major,
            Severity::Serious => &self.serious,
            Severity::Immediate => &self.immediate,
        }
    }
}
