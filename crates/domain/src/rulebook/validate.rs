//! What a readable rulebook may still have wrong.

use super::{
    Clock, DecidedBy, Due, LadderAction, PeriodRule, ProcedureClock, ReminderSchedule, Rulebook, SeverityRule, Waiting,
};
use crate::period::Period;
use crate::severity::Severity;

/// Collects faults as (rule key, what is wrong).
struct Faults(Vec<(String, String)>);

impl Faults {
    fn check(&mut self, good: bool, rule: &str, detail: &str) {
        if !good {
            self.0.push((rule.to_owned(), detail.to_owned()));
        }
    }

    fn article(&mut self, rule: &str, article: &str) {
        self.check(!article.trim().is_empty(), rule, "names no article or measure");
    }

    fn period(&mut self, rule: &str, given: &PeriodRule) {
        self.article(rule, &given.article);
        self.positive(rule, given.period);
    }

    fn positive(&mut self, rule: &str, period: Period) {
        self.check(period.is_sensible(), rule, "zero days (write same_day or hours = 0), or more than ten years");
    }
}

impl Rulebook {
    /// Every fault, as (rule key, what is wrong); empty when the rulebook may be used.
    pub fn validate(&self) -> Vec<(String, String)> {
        let mut faults = Faults(Vec::new());
        for (key, text) in [("id", &self.id), ("version", &self.version), ("title", &self.title)] {
            faults.check(!text.trim().is_empty(), key, "is empty");
        }
        faults.check(!self.basis.is_empty(), "basis", "names no document");
        let code = self.province.len() == 6
            && self.province.bytes().all(|byte| byte.is_ascii_digit())
            && self.province.ends_with("0000");
        faults.check(code, "province", "is not the division code of a province");
        faults.check(
            self.effective_to.is_none_or(|last| last >= self.effective_from),
            "effective_to",
            "lies before effective_from",
        );
        for clock in ProcedureClock::ALL {
            faults.period(&format!("procedure.{}", clock.key()), self.procedure.get(*clock));
        }
        for clock in Clock::ALL {
            let rule = format!("clocks.{}", clock.key());
            let given = self.clocks.get(*clock);
            faults.article(&rule, &given.article);
            match &given.due {
                Due::Period(period) => faults.positive(&rule, *period),
                Due::Schedule(schedule) => {
                    faults.check(schedule.is_sensible(), &rule, "days that do not exist or do not rise, or no cycle");
                }
            }
        }
        for (key, number, unit) in self.numbers.all() {
            let rule = format!("numbers.{key}");
            faults.article(&rule, &number.article);
            faults.check(number.value > 0, &rule, "is zero");
            faults.check(number.unit == unit, &rule, "is given in another unit than it has");
        }
        for severity in Severity::ALL {
            check_severity(&mut faults, severity, self.severity.get(severity));
        }
        faults.article("extension", &self.extension.article);
        faults.check(self.extension.max_per_item <= 5, "extension.max_per_item", "more than five");
        faults.positive("extension.longest", self.extension.longest);
        for key in Waiting::KEYS {
            if let Some(rule) = self.waiting.get(key) {
                faults.period(&format!("waiting.{key}"), rule);
            }
        }
        let lasts = self.waiting.remind_every.period.amount() > 0;
        faults.check(lasts, "waiting.remind_every", "would remind without pause");
        faults.article("pause", &self.pause.article);
        faults.positive("pause.longest", self.pause.longest);
        faults.check(!self.pause.reasons.is_empty(), "pause.reasons", "names no reason");
        faults.article("waiver", &self.waiver.article);
        faults.article("joint_liability", &self.joint_liability.article);
        faults.positive("joint_liability.period", self.joint_liability.period);
        faults.check(
            (2..=4).contains(&self.joint_liability.level),
            "joint_liability.level",
            "must be a level that people decide: 2 to 4",
        );
        self.check_ladder(&mut faults);
        faults.0
    }

    fn check_ladder(&self, faults: &mut Faults) {
        let levels: Vec<u8> = self.ladder.iter().map(|step| step.level).collect();
        faults.check(levels == [0, 1, 2, 3, 4], "ladder", "must have the levels 0 to 4, each once, in order");
        for step in &self.ladder {
            let rule = format!("ladder.{}", step.level);
            faults.article(&rule, &step.article);
            faults.positive(&format!("{rule}.wait"), step.wait);
            faults.check(step.action.level() == step.level, &rule, "the action does not belong to the level");
            let automatic = match step.action {
                LadderAction::Reminder | LadderAction::UrgingOrder => true,
                LadderAction::Interview | LadderAction::Circular | LadderAction::Accountability => false,
            };
            faults.check(
                (step.decided_by == DecidedBy::System) == automatic,
                &rule,
                "the system decides reminders and urging orders, and nothing else",
            );
            // Whoever must decide has a clock, and the unit gets a new one: no step is a dead end.
            for (name, period) in [("decide", step.decide), ("limit", step.limit)] {
                let rule = format!("{rule}.{name}");
                faults.check(
                    period.is_some() != automatic,
                    &rule,
                    "belongs to the steps that people decide, and to each",
                );
                if let Some(period) = period {
                    faults.positive(&rule, period);
                }
            }
        }
    }
}

fn check_severity(faults: &mut Faults, severity: Severity, rule: &SeverityRule) {
    let key = |name: &str| format!("severity.{}.{name}", severity.key());
    for (name, given) in [
        ("acknowledge", &rule.acknowledge),
        ("finish", &rule.finish),
        ("verification", &rule.verification),
        ("return_limit", &rule.return_limit),
        ("urging_after_due", &rule.urging_after_due),
        ("urging_limit", &rule.urging_limit),
    ] {
        faults.period(&key(name), given);
    }
    if let Some(plan) = &rule.plan {
        faults.period(&key("plan"), plan);
    }
    let limit_lasts = match rule.urging_limit.period {
        Period::SameDay => false,
        Period::WorkingDays(_) | Period::CalendarDays(_) | Period::Months(_) | Period::Hours(_) => {
            rule.urging_limit.period.amount() > 0
        }
    };
    faults.check(limit_lasts, &key("urging_limit"), "leaves no time to act");
    faults.article(&key("reminders"), &rule.reminders.article);
    match &rule.reminders.schedule {
        ReminderSchedule::WorkingDaysBefore(days) => {
            let falling = days.windows(2).all(|two| match two {
                [first, second] => first > second,
                _ => true,
            });
            faults.check(
                falling && days.iter().all(|day| day.0 > 0),
                &key("reminders"),
                "must fall from day to day and end above zero",
            );
        }
        ReminderSchedule::EveryHours(hours) => {
            faults.check(hours.0 > 0, &key("reminders"), "every zero hours");
        }
    }
    faults.check(
        (1..=5).contains(&rule.close_out_approvals),
        &key("close_out_approvals"),
        "is no number of approvals from 1 to 5",
    );
    faults.article(&key("look_back"), &rule.look_back.article);
    faults.check(
        (1..=100).contains(&rule.look_back.sample_percent),
        &key("look_back.sample_percent"),
        "is no share from 1 to 100",
    );
    faults.check(!rule.look_back.after.is_empty(), &key("look_back.after"), "is empty");
    for period in &rule.look_back.after {
        faults.positive(&key("look_back.after"), *period);
    }
}
