//! The rules as data: periods of the procedure, the severity table and the ladder (规则库).
//!
//! A rulebook is a text under `rulebook/<name>/rulebook.toml`, with a version and the day from which it applies. A
//! province adopts the system by writing one. Live cases keep the version that they began with. Unknown keys are
//! refused, and every fault is reported at once, with file and line where the text itself is wrong.
//!
//! Beside it stand `machines.toml`, the state machines with an owner and a clock for every wait ([`machines`]), and
//! `counties/*.toml`, what a county has set anew ([`CountyRules`]).

mod clocks;
mod counties;
mod entries;
mod folder;
mod ladder;
mod lookup;
pub mod machines;
mod owner;
mod procedure;
mod schedule;
mod severity_table;
mod validate;
mod waiting;

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use clocks::{Clock, ClockRule, Clocks, Due, NumberRule, NumberUnit, Numbers};
pub use counties::{CountyRules, Override};
pub use entries::RuleEntry;
pub use folder::{RuleFolder, RuleFolderFault};
pub use ladder::{ClockTrigger, DecidedBy, LadderAction, LadderStep};
pub use lookup::{EXTENSION, LETTER_LIMIT};
pub use owner::Owner;
pub use procedure::{Procedure, ProcedureClock};
pub use schedule::{DayOfMonth, DayOfYear, Schedule, Times, Years};
pub use severity_table::{LookBackRule, ReminderRule, ReminderSchedule, SeverityRule, SeverityTable};
pub use waiting::{Duty, JointLiabilityRule, PauseReason, PauseRule, Waiting, WaiverRule};

use crate::period::Period;
use crate::proof::AppliedRule;
use crate::severity::Severity;

/// A period with the article or measure that it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodRule {
    /// The period.
    pub period: Period,
    /// The article or measure, in Chinese as printed on documents.
    pub article: String,
}

/// Who approves an extension of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtensionApprover {
    /// The agency that issued the opinion letter (下达机关).
    IssuingAgency,
}

/// When a limit may be extended (延期).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtensionRule {
    /// How many times an item may be extended.
    pub max_per_item: u8,
    /// The longest single extension, counted from the due date that it replaces.
    pub longest: Period,
    /// Who approves.
    pub approved_by: ExtensionApprover,
    /// The article or measure.
    pub article: String,
}

/// One version of a province's rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rulebook {
    /// The stable name, e.g. `hainan-2021`.
    pub id: String,
    /// The version, e.g. `hainan-2021.1`; unique over all rulebooks.
    pub version: String,
    /// The title for people.
    pub title: String,
    /// The division code of the province.
    pub province: String,
    /// The documents that the rules come from.
    pub basis: Vec<String>,
    /// The first day of effect.
    pub effective_from: Date,
    /// The last day of effect; open when left out.
    pub effective_to: Option<Date>,
    /// The local time of day at which reminders go out.
    pub reminder_time: Time,
    /// The clocks of the procedure up to the letter, and around it.
    pub procedure: Procedure,
    /// Every other clock: inspectors, publication, reporting upward, accountability, complaints.
    pub clocks: Clocks,
    /// The numbers that are no clocks.
    pub numbers: Numbers,
    /// The periods by severity.
    pub severity: SeverityTable,
    /// When a limit may be extended.
    pub extension: ExtensionRule,
    /// What the agency owes while a rectification waits for it.
    pub waiting: Waiting,
    /// When the clock may be stopped.
    pub pause: PauseRule,
    /// When an item may be waived.
    pub waiver: WaiverRule,
    /// When the competent department becomes jointly liable.
    pub joint_liability: JointLiabilityRule,
    /// The ladder from reminder to accountability, by level.
    pub ladder: Vec<LadderStep>,
    /// What counties have set anew; read from files of their own.
    #[serde(skip)]
    counties: Vec<CountyRules>,
    /// The rules that a county has set anew in this view, with the version of the county's rules.
    #[serde(skip)]
    set_anew: BTreeMap<String, String>,
}

/// What is wrong with a rulebook.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulebookFault {
    /// The text is no rulebook: a wrong key, a wrong value, or no TOML at all; the detail names line and column.
    #[error("{file}: {detail}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the parser said.
        detail: String,
    },
    /// A rule contradicts itself or another.
    #[error("{file}: {rule}: {detail}")]
    Rule {
        /// The file.
        file: String,
        /// The rule's key.
        rule: String,
        /// What is wrong.
        detail: String,
    },
}

/// Reads one rulebook; the faults of a readable one are all reported.
pub fn parse(file: &str, text: &str) -> Result<Rulebook, Vec<RulebookFault>> {
    let rulebook: Rulebook = toml::from_str(text)
        .map_err(|error| vec![RulebookFault::Unreadable { file: file.to_owned(), detail: error.to_string() }])?;
    let faults: Vec<_> = rulebook
        .validate()
        .into_iter()
        .map(|(rule, detail)| RulebookFault::Rule { file: file.to_owned(), rule, detail })
        .collect();
    if faults.is_empty() { Ok(rulebook) } else { Err(faults) }
}

impl Rulebook {
    /// Whether the rules apply on that day.
    pub fn is_effective_on(&self, date: Date) -> bool {
        self.effective_from <= date && self.effective_to.is_none_or(|last| date <= last)
    }

    /// All periods of one severity.
    pub fn severity_rule(&self, severity: Severity) -> &SeverityRule {
        self.severity.get(severity)
    }

    /// When the unit must have acknowledged the letter (签收确认).
    pub fn acknowledge_rule(&self, severity: Severity) -> AppliedRule {
        self.by_severity(severity, "acknowledge", &self.severity.get(severity).acknowledge)
    }

    /// When the rectification plan is due (整改方案), where one is asked for.
    pub fn plan_rule(&self, severity: Severity) -> Option<AppliedRule> {
        let rule = self.severity.get(severity).plan.as_ref()?;
        Some(self.by_severity(severity, "plan", rule))
    }

    /// When the finding must be rectified and reported, unless the letter itself says otherwise (整改时限).
    pub fn finish_rule(&self, severity: Severity) -> AppliedRule {
        self.by_severity(severity, "finish", &self.severity.get(severity).finish)
    }

    /// When the agency must have verified a report (核查).
    pub fn verification_rule(&self, severity: Severity) -> AppliedRule {
        self.by_severity(severity, "verification", &self.severity.get(severity).verification)
    }

    /// The limit for a new report after one was returned.
    pub fn return_rule(&self, severity: Severity) -> AppliedRule {
        self.by_severity(severity, "return_limit", &self.severity.get(severity).return_limit)
    }

    /// How long after the due date the urging order issues by itself (督办单): counted from the last day of the limit.
    ///
    /// One working day means: the order issues when the first working day after the due date has ended, at 24:00;
    /// zero hours mean: at the very instant that the limit ends.
    pub fn urging_after_due_rule(&self, severity: Severity) -> AppliedRule {
        self.by_severity(severity, "urging_after_due", &self.severity.get(severity).urging_after_due)
    }

    /// The new limit that the urging order sets.
    pub fn urging_limit(&self, severity: Severity) -> AppliedRule {
        self.by_severity(severity, "urging_limit", &self.severity.get(severity).urging_limit)
    }

    /// When reminders go out before the limit ends.
    pub fn reminders(&self, severity: Severity) -> &ReminderSchedule {
        &self.severity.get(severity).reminders.schedule
    }

    /// The rule of a clock of the procedure.
    pub fn procedure_rule(&self, clock: ProcedureClock) -> AppliedRule {
        let rule = self.procedure.get(clock);
        self.apply(&format!("procedure.{}", clock.key()), rule)
    }

    /// The rule of another clock; nothing for fixed days and cycles, which are no periods.
    pub fn clock_rule(&self, clock: Clock) -> Option<AppliedRule> {
        let rule = self.clocks.get(clock);
        Some(AppliedRule {
            article: rule.article.clone(),
            rule_id: self.rule_id(&format!("clocks.{}", clock.key())),
            rulebook_version: self.version.clone(),
            period: rule.due.period()?,
        })
    }

    /// The step of the ladder at a level.
    pub fn ladder_step(&self, level: u8) -> Option<&LadderStep> {
        self.ladder.iter().find(|step| step.level == level)
    }

    /// The rule that says how long after the limit of the level below a level of the ladder is reached.
    pub fn ladder_rule(&self, level: u8) -> Option<AppliedRule> {
        let step = self.ladder_step(level)?;
        Some(AppliedRule {
            article: step.article.clone(),
            rule_id: self.rule_id(&format!("ladder.{level}.wait")),
            rulebook_version: self.version.clone(),
            period: step.wait,
        })
    }

    fn by_severity(&self, severity: Severity, name: &str, rule: &PeriodRule) -> AppliedRule {
        self.apply(&format!("severity.{}.{name}", severity.key()), rule)
    }

    fn apply(&self, key: &str, rule: &PeriodRule) -> AppliedRule {
        AppliedRule {
            article: rule.article.clone(),
            rule_id: self.rule_id(key),
            rulebook_version: self.version.clone(),
            period: rule.period,
        }
    }
}

#[cfg(test)]
mod tests;
