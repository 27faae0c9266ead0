//! Every rule that sets a time, under its key: for checks, for county overrides and for whoever lists the rules.

use super::{Clock, DecidedBy, Due, LadderStep, Owner, PeriodRule, ProcedureClock, Rulebook, SeverityRule};
use crate::period::Period;
use crate::proof::AnchorEvent;
use crate::severity::Severity;

/// A rule that sets a time, with who must act and since when it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleEntry {
    /// The key, e.g. `severity.major.finish`.
    pub key: String,
    /// What is due, in words.
    pub title: String,
    /// Who must act.
    pub owner: Owner,
    /// The event from which it counts.
    pub anchor: AnchorEvent,
    /// How long.
    pub due: Due,
    /// The article or measure.
    pub article: String,
}

impl ProcedureClock {
    /// Who must act (责任主体).
    pub const fn owner(self) -> Owner {
        match self {
            Self::NoticeAhead
            | Self::RegularNoticeNotBefore
            | Self::PreliminaryOpinionSpecial
            | Self::PreliminaryOpinionComprehensive
            | Self::OpinionLetter
            | Self::ObjectionAnswer
            | Self::ReportToGovernment
            | Self::Publication
            | Self::InterviewNoticeAhead => Owner::Agency,
            Self::VisitRecord => Owner::Inspector,
            Self::Plea | Self::Objection | Self::RectificationReport | Self::InterviewPlan => Owner::Unit,
            Self::ConsultationAnswer => Owner::ConsultedBody,
        }
    }

    /// The event from which it counts (起算).
    pub const fn anchor(self) -> AnchorEvent {
        match self {
            Self::NoticeAhead | Self::RegularNoticeNotBefore => AnchorEvent::NoticeReceived,
            Self::VisitRecord | Self::OpinionLetter | Self::ReportToGovernment => AnchorEvent::SupervisionEnded,
            Self::PreliminaryOpinionSpecial | Self::PreliminaryOpinionComprehensive => AnchorEvent::DeliberationEnded,
            Self::Plea => AnchorEvent::PreliminaryOpinionReceived,
            Self::Objection => AnchorEvent::LetterReceived,
            Self::ObjectionAnswer => AnchorEvent::ObjectionReceived,
            Self::RectificationReport => AnchorEvent::RectificationCompleted,
            Self::Publication => AnchorEvent::ReportCompleted,
            Self::InterviewNoticeAhead => AnchorEvent::InterviewNoticeServed,
            Self::InterviewPlan => AnchorEvent::InterviewHeld,
            Self::ConsultationAnswer => AnchorEvent::ConsultationSent,
        }
    }
}

/// The single periods of a severity: key, what is due, who must act, since when.
const BY_SEVERITY: [(&str, &str, Owner, AnchorEvent); 7] = [
    ("acknowledge", "督导意见书签收", Owner::Unit, AnchorEvent::LetterServed),
    ("plan", "整改方案提交", Owner::Unit, AnchorEvent::LetterReceived),
    ("finish", "整改完成并报告", Owner::Unit, AnchorEvent::LetterReceived),
    ("verification", "整改核查", Owner::Agency, AnchorEvent::ReportReceived),
    ("return_limit", "退回后重新报告", Owner::Unit, AnchorEvent::ReportReturned),
    ("urging_after_due", "督办单签发", Owner::System, AnchorEvent::DueDatePassed),
    ("urging_limit", "督办整改", Owner::Unit, AnchorEvent::UrgingOrderServed),
];

/// What the agency owes while a rectification waits for it: key, what is due, since when.
const WAITING: [(&str, &str, AnchorEvent); 5] = [
    ("plan_acceptance", "整改方案审核", AnchorEvent::PlanSubmitted),
    ("close_out", "销号", AnchorEvent::ReportVerified),
    ("request_decision", "申请审批", AnchorEvent::RequestReceived),
    ("look_back_visit", "回头看办理", AnchorEvent::LookBackDue),
    ("remind_every", "逾期催办间隔", AnchorEvent::DueDatePassed),
];

/// The clocks of a step: until it is reached, until it is decided, and the unit's limit after it.
fn ladder_entries(step: &LadderStep) -> Vec<RuleEntry> {
    let level = step.level;
    let decider = match step.decided_by {
        DecidedBy::System => Owner::System,
        DecidedBy::SupervisionAgency => Owner::Agency,
        DecidedBy::CommitteeLeader => Owner::CommitteeLeader,
    };
    [
        ("wait", format!("升级至{}", step.action.zh()), Owner::System, AnchorEvent::DueDatePassed, Some(step.wait)),
        ("decide", format!("决定{}", step.action.zh()), decider, AnchorEvent::StepProposed, step.decide),
        ("limit", format!("{}后整改", step.action.zh()), Owner::Unit, AnchorEvent::StepTaken, step.limit),
    ]
    .into_iter()
    .filter_map(|(name, title, owner, anchor, period)| {
        Some(RuleEntry {
            key: format!("ladder.{level}.{name}"),
            title,
            owner,
            anchor,
            due: Due::Period(period?),
            article: step.article.clone(),
        })
    })
    .collect()
}

fn period_of<'a>(rule: &'a SeverityRule, name: &str) -> Option<&'a PeriodRule> {
    match name {
        "acknowledge" => Some(&rule.acknowledge),
        "plan" => rule.plan.as_ref(),
        "finish" => Some(&rule.finish),
        "verification" => Some(&rule.verification),
        "return_limit" => Some(&rule.return_limit),
        "urging_after_due" => Some(&rule.urging_after_due),
        "urging_limit" => Some(&rule.urging_limit),
        _ => None,
    }
}

fn period_mut<'a>(rule: &'a mut SeverityRule, name: &str) -> Option<&'a mut PeriodRule> {
    match name {
        "acknowledge" => Some(&mut rule.acknowledge),
        "plan" => rule.plan.as_mut(),
        "finish" => Some(&mut rule.finish),
        "verification" => Some(&mut rule.verification),
        "return_limit" => Some(&mut rule.return_limit),
        "urging_after_due" => Some(&mut rule.urging_after_due),
        "urging_limit" => Some(&mut rule.urging_limit),
        _ => None,
    }
}

impl Rulebook {
    /// Every rule that sets a time, in the order of the procedure.
    pub fn entries(&self) -> Vec<RuleEntry> {
        let procedure = ProcedureClock::ALL.iter().map(|clock| {
            let PeriodRule { period, article } = self.procedure.get(*clock);
            RuleEntry {
                key: format!("procedure.{}", clock.key()),
                title: clock.zh().to_owned(),
                owner: clock.owner(),
                anchor: clock.anchor(),
                due: Due::Period(*period),
                article: article.clone(),
            }
        });
        let severities = Severity::ALL.into_iter().flat_map(|severity| self.severity_entries(severity));
        let ladder = self.ladder.iter().flat_map(ladder_entries);
        let waiting = WAITING.into_iter().filter_map(|(name, title, anchor)| {
            let PeriodRule { period, article } = self.waiting.get(name)?;
            Some(RuleEntry {
                key: format!("waiting.{name}"),
                title: title.to_owned(),
                owner: Owner::Agency,
                anchor,
                due: Due::Period(*period),
                article: article.clone(),
            })
        });
        let others = [
            (
                "extension",
                "延期（最长）",
                Owner::Agency,
                AnchorEvent::ExtensionGranted,
                self.extension.longest,
                &self.extension.article,
            ),
            (
                "pause",
                "期限中止（最长）",
                Owner::Agency,
                AnchorEvent::RequestReceived,
                self.pause.longest,
                &self.pause.article,
            ),
            (
                "joint_liability",
                "主管部门连带责任",
                Owner::Unit,
                AnchorEvent::JointLiabilityBegan,
                self.joint_liability.period,
                &self.joint_liability.article,
            ),
        ]
        .map(|(key, title, owner, anchor, period, article)| RuleEntry {
            key: key.to_owned(),
            title: title.to_owned(),
            owner,
            anchor,
            due: Due::Period(period),
            article: article.clone(),
        });
        let clocks = Clock::ALL.iter().map(|clock| {
            let rule = self.clocks.get(*clock);
            RuleEntry {
                key: format!("clocks.{}", clock.key()),
                title: clock.zh().to_owned(),
                owner: rule.owner,
                anchor: rule.anchor,
                due: rule.due.clone(),
                article: rule.article.clone(),
            }
        });
        procedure.chain(severities).chain(others).chain(waiting).chain(ladder).chain(clocks).collect()
    }

    fn severity_entries(&self, severity: Severity) -> Vec<RuleEntry> {
        let rule = self.severity.get(severity);
        let key = |name: &str| format!("severity.{}.{name}", severity.key());
        let mut entries: Vec<RuleEntry> = BY_SEVERITY
            .into_iter()
            .filter_map(|(name, title, owner, anchor)| {
                let PeriodRule { period, article } = period_of(rule, name)?;
                let title = format!("{title}（{}）", severity.zh());
                Some(RuleEntry {
                    key: key(name),
                    title,
                    owner,
                    anchor,
                    due: Due::Period(*period),
                    article: article.clone(),
                })
            })
            .collect();
        // Each visit of the look-back is a clock of its own; the first one stands for them.
        if let Some(first) = rule.look_back.after.first() {
            entries.push(RuleEntry {
                key: key("look_back"),
                title: format!("回头看启动（{}）", severity.zh()),
                owner: Owner::System,
                anchor: AnchorEvent::ClosedOut,
                due: Due::Period(*first),
                article: rule.look_back.article.clone(),
            });
        }
        entries
    }

    /// The key as it stands on a proof sheet: with the county's version where the county has set the rule anew.
    pub(super) fn rule_id(&self, key: &str) -> String {
        match self.set_anew.get(key) {
            Some(version) => format!("{key}@{version}"),
            None => key.to_owned(),
        }
    }

    /// Sets one period and its article anew; false when no single period has that key.
    pub(super) fn set_period(&mut self, key: &str, period: Period, article: &str) -> bool {
        let parts: Vec<&str> = key.split('.').collect();
        let (old_period, old_article) = match parts.as_slice() {
            ["procedure", name] => {
                let Some(clock) = ProcedureClock::ALL.iter().find(|clock| clock.key() == *name) else { return false };
                let rule = self.procedure.get_mut(*clock);
                (&mut rule.period, &mut rule.article)
            }
            ["clocks", name] => {
                let Some(clock) = Clock::ALL.iter().find(|clock| clock.key() == *name) else { return false };
                let rule = self.clocks.get_mut(*clock);
                match &mut rule.due {
                    Due::Period(old) => (old, &mut rule.article),
                    Due::Schedule(_) => return false,
                }
            }
            ["severity", severity, name] => {
                let rule = match Severity::ALL.into_iter().find(|found| found.key() == *severity) {
                    Some(Severity::Minor) => &mut self.severity.minor,
                    Some(Severity::Major) => &mut self.severity.major,
                    Some(Severity::Serious) => &mut self.severity.serious,
                    Some(Severity::Immediate) => &mut self.severity.immediate,
                    None => return false,
                };
                let Some(rule) = period_mut(rule, name) else { return false };
                (&mut rule.period, &mut rule.article)
            }
            ["extension"] => (&mut self.extension.longest, &mut self.extension.article),
            ["pause"] => (&mut self.pause.longest, &mut self.pause.article),
            ["joint_liability"] => (&mut self.joint_liability.period, &mut self.joint_liability.article),
            ["waiting", name] => {
                let Some(rule) = self.waiting.get_mut(name) else { return false };
                (&mut rule.period, &mut rule.article)
            }
            ["ladder", level, name] => {
                let Some(step) = self.ladder.iter_mut().find(|step| step.level.to_string() == *level) else {
                    return false;
                };
                let LadderStep { wait, decide, limit, article, .. } = step;
                let old = match *name {
                    "wait" => Some(wait),
                    "decide" => decide.as_mut(),
                    "limit" => limit.as_mut(),
                    _ => None,
                };
                let Some(old) = old else { return false };
                (old, article)
            }
            _ => return false,
        };
        *old_period = period;
        article.clone_into(old_article);
        true
    }
}
