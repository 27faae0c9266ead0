//! A rule by its key, as proof sheets and stored limits name it.

use super::{Clock, ProcedureClock, Rulebook};
use crate::proof::AppliedRule;
use crate::severity::Severity;

/// The article on a limit that the letter itself sets.
const LETTER_ARTICLE: &str = "条例第二十一条、第二十二条；督导意见书所定期限";
/// The key of such a limit.
pub const LETTER_LIMIT: &str = "letter.limit";
/// The key of an extension's period.
pub const EXTENSION: &str = "extension";

impl Rulebook {
    /// The rule of a key, e.g. `severity.major.finish`; nothing for an unknown key.
    ///
    /// `letter.limit` and `extension` carry a period of their own each time: who asks for them sets it. What follows an `@`
    /// names the county's version that held once; the rule that holds now is returned, under its name of now.
    pub fn rule(&self, rule_id: &str) -> Option<AppliedRule> {
        let rule_id = rule_id.split('@').next().unwrap_or(rule_id);
        let parts: Vec<&str> = rule_id.split('.').collect();
        match parts.as_slice() {
            ["letter", "limit"] => Some(self.applied(rule_id, LETTER_ARTICLE, crate::period::Period::SameDay)),
            ["extension"] => Some(self.applied(rule_id, &self.extension.article, self.extension.longest)),
            ["joint_liability"] => {
                Some(self.applied(rule_id, &self.joint_liability.article, self.joint_liability.period))
            }
            ["severity", severity, name] => {
                let severity = Severity::ALL.into_iter().find(|found| found.key() == *severity)?;
                let row = self.severity.get(severity);
                let rule = match *name {
                    "acknowledge" => &row.acknowledge,
                    "plan" => row.plan.as_ref()?,
                    "finish" => &row.finish,
                    "verification" => &row.verification,
                    "return_limit" => &row.return_limit,
                    "urging_after_due" => &row.urging_after_due,
                    "urging_limit" => &row.urging_limit,
                    _ => return None,
                };
                Some(self.applied(rule_id, &rule.article, rule.period))
            }
            ["procedure", name] => {
                let clock = ProcedureClock::ALL.iter().find(|clock| clock.key() == *name)?;
                Some(self.procedure_rule(*clock))
            }
            ["clocks", name] => {
                let clock = Clock::ALL.iter().find(|clock| clock.key() == *name)?;
                self.clock_rule(*clock)
            }
            ["waiting", name] => {
                let rule = self.waiting.get(name)?;
                Some(self.applied(rule_id, &rule.article, rule.period))
            }
            ["ladder", level, name] => {
                let step = self.ladder_step(level.parse().ok()?)?;
                let period = match *name {
                    "wait" => step.wait,
                    "decide" => step.decide?,
                    "limit" => step.limit?,
                    _ => return None,
                };
                Some(self.applied(rule_id, &step.article, period))
            }
            _ => None,
        }
    }

    fn applied(&self, rule_id: &str, article: &str, period: crate::period::Period) -> AppliedRule {
        AppliedRule {
            article: article.to_owned(),
            rule_id: self.rule_id(rule_id),
            rulebook_version: self.version.clone(),
            period,
        }
    }
}
