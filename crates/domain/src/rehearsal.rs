//! The rehearsal (预演): what the clock will do to the cases of today in the coming days, if nobody does anything.
//!
//! Every case is fired at each of its own instants with the very rules that will fire it in earnest, on a copy in memory. What
//! comes out is the calendar of the notices to come, the work that each county has to expect, the rules that never fired, and
//! the days that are still provisional. Cases are independent of each other, so that the work can be divided and added up.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;

use crate::calendar::Calendar;
use crate::ids::ItemId;
use crate::local_time::local_date;
use crate::rectification::{Rectification, RectificationEvent, Rules, Workbook};
use crate::rulebook::{Duty, Rulebook};
use crate::severity::Severity;

/// A case to rehearse, with what it lives by.
#[derive(Clone, Debug)]
pub struct RehearsedCase<'a> {
    /// The case as it stands.
    pub rectification: Rectification,
    /// The name of its county, or of the province.
    pub county: &'a str,
    /// The rulebook that it lives by.
    pub rulebook: &'a Rulebook,
    /// The calendar of the unit's place.
    pub unit_calendar: &'a Calendar,
    /// The calendar of the agency's place.
    pub agency_calendar: &'a Calendar,
}

/// How many notices of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Notices {
    /// Reminders to units (提醒).
    pub reminders: u64,
    /// Items that become late (逾期).
    pub overdue: u64,
    /// Plans that become late (整改方案逾期).
    pub plans_overdue: u64,
    /// Urging orders (督办单).
    pub urging_orders: u64,
    /// Proposed steps of the ladder (提请约谈、通报、问责).
    pub proposals: u64,
    /// Cases that open for competent departments (连带责任).
    pub department_cases: u64,
    /// Look-backs that become due (回头看).
    pub look_backs: u64,
    /// Duties of agencies called to mind (办理催办).
    pub duties: u64,
}

impl Notices {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.reminders
            + self.overdue
            + self.plans_overdue
            + self.urging_orders
            + self.proposals
            + self.department_cases
            + self.look_backs
            + self.duties
    }

    const fn add(&mut self, other: &Self) {
        self.reminders += other.reminders;
        self.overdue += other.overdue;
        self.plans_overdue += other.plans_overdue;
        self.urging_orders += other.urging_orders;
        self.proposals += other.proposals;
        self.department_cases += other.department_cases;
        self.look_backs += other.look_backs;
        self.duties += other.duties;
    }
}

/// What comes, from an instant on for so many days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// From when on.
    pub from: Timestamp,
    /// The first instant that is not rehearsed.
    pub until: Timestamp,
    /// Cases rehearsed.
    pub cases: u64,
    /// Cases that opened for competent departments and were rehearsed with the others.
    pub opened: u64,
    /// How often the clock acted.
    pub firings: u64,
    /// Notices by county and week, named by its Monday.
    pub weeks: BTreeMap<(String, Date), Notices>,
    /// Notices by month, named by its first day.
    pub months: BTreeMap<Date, Notices>,
    /// How often each rule's clock ran out.
    pub fired: BTreeMap<String, u64>,
    /// Limits by their last day whose day is provisional: a year's notice is missing.
    pub provisional: BTreeMap<Date, u64>,
    /// Cases that the rules cannot decide, by cause.
    pub failed: BTreeMap<String, u64>,
}

/// A rule whose clock did not run out once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SilentRule {
    /// Its key.
    pub rule_id: String,
    /// Whether its clock begins only when people act; in a rehearsal, where nobody does, it is silent by nature.
    pub needs_act: bool,
}

impl Rehearsal {
    /// An empty one over so many days.
    pub fn new(from: Timestamp, days: u16) -> Self {
        let until = from.checked_add((i64::from(days) * 24).hours()).unwrap_or(Timestamp::MAX);
        Self {
            from,
            until,
            cases: 0,
            opened: 0,
            firings: 0,
            weeks: BTreeMap::new(),
            months: BTreeMap::new(),
            fired: BTreeMap::new(),
            provisional: BTreeMap::new(),
            failed: BTreeMap::new(),
        }
    }

    /// Rehearses a case, and the competent department's when it opens one.
    ///
    /// What is due already acts at the beginning. A clock that only calls to mind runs to the end of the days.
    pub fn play(&mut self, case: RehearsedCase<'_>, workbook: &Workbook) {
        self.cases += 1;
        for limit in
            case.rectification.items.iter().filter(|item| item.state.awaits_unit()).filter_map(|item| item.limit())
        {
            self.count_provisional(limit.provisional, limit.due_on());
        }
        let RehearsedCase { rectification, county, rulebook, unit_calendar, agency_calendar } = case;
        let rules = Rules { rulebook, unit_calendar, agency_calendar, workbook };
        let mut open = vec![rectification];
        while let Some(rectification) = open.pop() {
            if let Err(refusal) = self.run(rectification, county, rules, &mut open) {
                *self.failed.entry(refusal.to_string()).or_default() += 1;
            }
        }
    }

    fn run(
        &mut self,
        mut case: Rectification,
        county: &str,
        rules: Rules<'_>,
        open: &mut Vec<Rectification>,
    ) -> Result<(), crate::rectification::RectificationRefusal> {
        while let Some(next) = case.next_timer_at() {
            let at = next.max(self.from);
            if at >= self.until {
                break;
            }
            let (after, events) = case.fire_due(at, rules)?.into_parts();
            self.firings += 1;
            self.count(&after, &events, county, local_date(at));
            for event in events {
                if let RectificationEvent::DepartmentHeldLiable { department_case, .. } = event {
                    self.opened += 1;
                    open.push(*department_case);
                }
            }
            case = after;
        }
        Ok(())
    }

    fn count(&mut self, case: &Rectification, events: &[RectificationEvent], county: &str, on: Date) {
        let mut notices = Notices::default();
        for event in events {
            self.count_event(case, event, &mut notices);
        }
        if notices.total() == 0 {
            return;
        }
        let monday = on.checked_sub(i64::from(on.weekday().to_monday_zero_offset()).days()).unwrap_or(on);
        match self.weeks.get_mut(&(county.to_owned(), monday)) {
            Some(week) => week.add(&notices),
            None => {
                self.weeks.insert((county.to_owned(), monday), notices);
            }
        }
        self.months.entry(on.first_of_month()).or_default().add(&notices);
    }

    fn count_event(&mut self, case: &Rectification, event: &RectificationEvent, notices: &mut Notices) {
        let severity_of = |item_id: ItemId| case.item(item_id).map_or(Severity::Minor, |item| item.severity);
        let by_severity = |severity: Severity, name: &str| format!("severity.{}.{name}", severity.key());
        match event {
            RectificationEvent::RemindersDue { items } => {
                notices.reminders += 1;
                for item in items {
                    self.note(by_severity(severity_of(item.item_id), "reminders"));
                }
            }
            RectificationEvent::ItemOverdue { item_id, due_at, .. } => {
                notices.overdue += 1;
                let limit =
                    case.item(*item_id).and_then(|item| item.limits.iter().rev().find(|it| it.due_at() == *due_at));
                if let Some(limit) = limit {
                    self.note(limit.source.rule_id.clone());
                }
            }
            RectificationEvent::PlanOverdue { item_id, .. } => {
                notices.plans_overdue += 1;
                self.note(by_severity(severity_of(*item_id), "plan"));
            }
            RectificationEvent::UrgingOrderIssued { order } => {
                notices.urging_orders += 1;
                for item in &order.items {
                    self.note(by_severity(item.severity, "urging_after_due"));
                    self.count_provisional(item.limit.provisional, item.limit.due_on());
                }
            }
            RectificationEvent::EscalationProposed { proposal } => {
                notices.proposals += 1;
                self.note(format!("ladder.{}.wait", proposal.level));
                for item in &proposal.items {
                    if let Some(limit) = case.item(item.item_id).and_then(|item| item.limit()) {
                        self.note(limit.source.rule_id.clone());
                    }
                }
            }
            RectificationEvent::DepartmentHeldLiable { opened, .. } => {
                notices.department_cases += 1;
                self.count_provisional(opened.limit.provisional, opened.limit.due_on());
            }
            RectificationEvent::LookBackDue { item_id, .. } => {
                notices.look_backs += 1;
                self.note(by_severity(severity_of(*item_id), "look_back"));
            }
            RectificationEvent::DutyOverdue { duty, item_id, due_at, times } => {
                notices.duties += 1;
                self.note(match duty {
                    _ if *times > 1 => "waiting.remind_every".to_owned(),
                    Duty::Verification => by_severity(item_id.map_or(Severity::Minor, severity_of), "verification"),
                    Duty::StepDecision => {
                        let level = case.steps.iter().find(|step| step.due_at == *due_at).map_or(2, |step| step.level);
                        format!("ladder.{level}.decide")
                    }
                    Duty::ConsultationAnswer => "procedure.consultation_answer".to_owned(),
                    Duty::PlanAcceptance | Duty::CloseOut | Duty::RequestDecision | Duty::LookBackVisit => {
                        format!("waiting.{}", duty.key())
                    }
                });
            }
            RectificationEvent::Resumed { limits, .. } => {
                self.note("pause".to_owned());
                for (_, limit) in limits {
                    self.count_provisional(limit.provisional, limit.due_on());
                }
            }
            // People's acts, which a rehearsal has none of.
            RectificationEvent::Opened { .. }
            | RectificationEvent::PlanSubmitted { .. }
            | RectificationEvent::PlanJudged { .. }
            | RectificationEvent::ProgressNoted { .. }
            | RectificationEvent::RequestMade { .. }
            | RectificationEvent::RequestDecided { .. }
            | RectificationEvent::Paused { .. }
            | RectificationEvent::Recounted { .. }
            | RectificationEvent::StepTaken { .. }
            | RectificationEvent::StepLifted { .. }
            | RectificationEvent::StepMoot { .. }
            | RectificationEvent::RequestMoot { .. }
            | RectificationEvent::ConsultationSent { .. }
            | RectificationEvent::ConsultationAnswered { .. }
            | RectificationEvent::ItemWaived { .. }
            | RectificationEvent::CloseOutApproved { .. }
            | RectificationEvent::CloseOutRefused { .. }
            | RectificationEvent::LookBackPassed { .. }
            | RectificationEvent::ItemReopened { .. }
            | RectificationEvent::ItemReported { .. }
            | RectificationEvent::ItemVerified { .. }
            | RectificationEvent::ItemReturned { .. }
            | RectificationEvent::ItemExtended { .. }
            | RectificationEvent::ItemClosedOut { .. }
            | RectificationEvent::Completed { .. } => {}
        }
    }

    fn note(&mut self, rule_id: String) {
        *self.fired.entry(rule_id).or_default() += 1;
    }

    fn count_provisional(&mut self, provisional: bool, due_on: Date) {
        if provisional {
            *self.provisional.entry(due_on).or_default() += 1;
        }
    }

    /// Adds what another part of the cases came to.
    pub fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.opened += other.opened;
        self.firings += other.firings;
        for (key, notices) in other.weeks {
            self.weeks.entry(key).or_default().add(&notices);
        }
        for (month, notices) in other.months {
            self.months.entry(month).or_default().add(&notices);
        }
        for (mine, theirs) in [(&mut self.fired, other.fired), (&mut self.failed, other.failed)] {
            for (key, count) in theirs {
                *mine.entry(key).or_default() += count;
            }
        }
        for (day, count) in other.provisional {
            *self.provisional.entry(day).or_default() += count;
        }
    }

    /// The rules of a rulebook whose clock never ran out: one that needs no act of people should not be among them after
    /// a year of all kinds of cases (a rule that never fires is a rule that nobody has tried).
    pub fn silent(&self, rulebook: &Rulebook) -> Vec<SilentRule> {
        clocks(rulebook)
            .into_iter()
            .filter(|(rule_id, _)| !self.fired.contains_key(rule_id))
            .map(|(rule_id, needs_act)| SilentRule { rule_id, needs_act })
            .collect()
    }
}

/// Every rule of a rectification that has a clock, and whether the clock begins only by an act.
fn clocks(rulebook: &Rulebook) -> Vec<(String, bool)> {
    let mut rules = Vec::new();
    for severity in Severity::ALL {
        let key = |name: &str| format!("severity.{}.{name}", severity.key());
        rules.push((key("reminders"), false));
        for name in ["plan", "finish", "urging_after_due", "urging_limit"] {
            rules.push((key(name), false));
        }
        for name in ["verification", "return_limit"] {
            rules.push((key(name), true));
        }
        rules.push((key("look_back"), true));
    }
    for level in 2..=4_u8 {
        // The first step is the clock's; those above it, and every new limit, follow a decision.
        rules.push((format!("ladder.{level}.wait"), level > 2));
        rules.push((format!("ladder.{level}.decide"), level > 2));
        rules.push((format!("ladder.{level}.limit"), true));
    }
    rules.push(("joint_liability".to_owned(), false));
    rules.push(("waiting.remind_every".to_owned(), false));
    for duty in [Duty::PlanAcceptance, Duty::CloseOut, Duty::RequestDecision, Duty::LookBackVisit] {
        rules.push((format!("waiting.{}", duty.key()), true));
    }
    rules.push(("procedure.consultation_answer".to_owned(), true));
    rules.push(("extension".to_owned(), true));
    // What the rulebook does not have cannot be silent: not every severity asks for a plan.
    rules.retain(|(rule_id, _)| {
        rule_id.ends_with(".reminders") || rule_id.ends_with(".look_back") || rulebook.rule(rule_id).is_some()
    });
    rules
}
