//! Setting a limit: derive it, keep it, arm its timers.

use jiff::Timestamp;
use jiff::civil::Date;

use super::facts::Rules;
use super::refusal::RectificationRefusal;
use super::state::{Adjustment, Item, Limit, LimitBasis, Plan, PlanState, Rectification, Source, Suspension};
use super::timers::{self, Timer, TimerKind};
use crate::ids::ItemId;
use crate::local_time::start_of_day;
use crate::period::{Pause, Period};
use crate::proof::{AnchorEvent, AppliedRule};

/// What a new limit is counted from.
pub(super) struct Count {
    pub(super) basis: LimitBasis,
    pub(super) rule: AppliedRule,
    pub(super) event: AnchorEvent,
    pub(super) from: Timestamp,
    /// For an extension: from what the end of the limit that it lengthens was counted.
    pub(super) base: Option<Box<Source>>,
}

/// Derives a limit that is set at the instant, leaving out what was paused since it began to run.
pub(super) fn derive(
    round: u32,
    count: Count,
    set_at: Timestamp,
    suspensions: &[Suspension],
    rules: Rules<'_>,
) -> Result<Limit, RectificationRefusal> {
    let Count { basis, rule, event, from, base } = count;
    let pauses = pauses_since(suspensions, from);
    let source = Source { rule_id: rule.rule_id.clone(), period: rule.period, event, at: from, base };
    let sheet = rules.workbook.derive(rule, event, from, &pauses, rules.unit_calendar)?;
    Ok(Limit {
        round,
        basis,
        adjusted: None,
        set_at,
        due_on: sheet.proof.due_on,
        due_at: sheet.proof.due_at,
        provisional: sheet.proof.provisional,
        sheet: sheet.sheet_id,
        source,
    })
}

/// Derives a limit from its own source again, under the rules and with the pauses of today.
pub(super) fn derive_again(
    limit: &Limit,
    round: u32,
    adjusted: Adjustment,
    set_at: Timestamp,
    suspensions: &[Suspension],
    rules: Rules<'_>,
) -> Result<Limit, RectificationRefusal> {
    let source = &limit.source;
    let count = Count {
        basis: limit.basis,
        rule: rule_of(source, rules)?,
        event: source.event,
        from: anchor_of(source, suspensions, rules)?,
        base: source.base.clone(),
    };
    Ok(Limit { adjusted: Some(adjusted), ..derive(round, count, set_at, suspensions, rules)? })
}

/// The rule of a source: a period that somebody set for this case stays; a rule's own period follows the rule.
fn rule_of(source: &Source, rules: Rules<'_>) -> Result<AppliedRule, RectificationRefusal> {
    let rule = rules.rule(&source.rule_id)?;
    let key = source.rule_id.split('@').next();
    let own_period = matches!(key, Some(crate::rulebook::LETTER_LIMIT | crate::rulebook::EXTENSION));
    Ok(if own_period { AppliedRule { period: source.period, ..rule } } else { rule })
}

/// What a source is counted from today: an extension begins where the limit that it lengthens ends, which a stop of the
/// clock or another calendar moves with it; never before the end that the unit was told.
fn anchor_of(source: &Source, suspensions: &[Suspension], rules: Rules<'_>) -> Result<Timestamp, RectificationRefusal> {
    let Some(base) = &source.base else { return Ok(source.at) };
    let from = anchor_of(base, suspensions, rules)?;
    let rule = rule_of(base, rules)?;
    let sheet = rules.workbook.derive(rule, base.event, from, &pauses_since(suspensions, from), rules.unit_calendar)?;
    Ok(source.at.max(extension_anchor(source.period, sheet.proof.due_on, sheet.proof.due_at)))
}

/// Where an extension begins: days and months count from the last day of the limit, hours from its end.
pub(super) fn extension_anchor(period: Period, due_on: Date, due_at: Timestamp) -> Timestamp {
    match period {
        Period::Hours(_) => due_at,
        Period::SameDay | Period::WorkingDays(_) | Period::CalendarDays(_) | Period::Months(_) => {
            start_of_day(due_on).unwrap_or(due_at)
        }
    }
}

/// The stops of the clock that have ended, as the count wants them.
fn pauses_since(suspensions: &[Suspension], from: Timestamp) -> Vec<Pause> {
    suspensions
        .iter()
        .filter_map(|stop| {
            let until = stop.ended_at?;
            (until > from).then(|| Pause { from: stop.from, until: Some(until), reason: stop.reason.zh().to_owned() })
        })
        .collect()
}

impl Rectification {
    /// Sets a limit on an item and arms its timers, unless the clock is stopped.
    pub(super) fn put_limit(
        &mut self,
        number: u32,
        limit: Limit,
        rules: Rules<'_>,
    ) -> Result<(), RectificationRefusal> {
        let item = self.numbered_mut(number)?;
        let since = limit.set_at;
        item.limits.push(limit);
        self.arm_limit(number, since, rules)
    }

    /// Arms what the limit in force and the plan need, reminders after the instant only; while the clock is stopped nothing
    /// of it is armed.
    pub(super) fn arm_limit(
        &mut self,
        number: u32,
        since: Timestamp,
        rules: Rules<'_>,
    ) -> Result<(), RectificationRefusal> {
        self.disarm_units(number);
        if self.is_paused() {
            return Ok(());
        }
        let item = self.numbered(number).ok_or(RectificationRefusal::UnknownNumber(number))?;
        if !item.state.awaits_unit() {
            return Ok(());
        }
        let mut armed = match item.limit() {
            Some(limit) => timers::of_limit(item, limit, &self.steps, since, rules)?,
            None => Vec::new(),
        };
        armed.extend(plan_timer(item));
        self.timers.extend(armed);
        Ok(())
    }

    /// Arms the plan's clock anew, unless the clock is stopped.
    pub(super) fn arm_plan(&mut self, number: u32) -> Result<(), RectificationRefusal> {
        self.disarm(TimerKind::PlanDue, number, None);
        if !self.is_paused() {
            let armed = plan_timer(self.numbered_mut(number)?);
            self.timers.extend(armed);
        }
        Ok(())
    }

    /// Disarms the unit's clock of an item.
    pub(super) fn disarm_units(&mut self, number: u32) {
        self.timers.retain(|timer| timer.item != number || !timer.kind.is_units());
    }

    pub(super) fn disarm(&mut self, kind: TimerKind, number: u32, round: Option<u32>) {
        self.timers.retain(|timer| {
            timer.kind != kind || timer.item != number || round.is_some_and(|round| timer.round != round)
        });
    }

    /// Arms the clock of a duty.
    pub(super) fn arm_duty(&mut self, kind: TimerKind, number: u32, round: u32, due_at: Timestamp) {
        self.timers.push(Timer { kind, item: number, round, step: 0, due_at });
    }

    pub(super) fn item_mut(&mut self, item_id: ItemId) -> Result<&mut Item, RectificationRefusal> {
        self.items.iter_mut().find(|item| item.item_id == item_id).ok_or(RectificationRefusal::UnknownItem(item_id))
    }

    pub(super) fn numbered_mut(&mut self, number: u32) -> Result<&mut Item, RectificationRefusal> {
        self.items.iter_mut().find(|item| item.number == number).ok_or(RectificationRefusal::UnknownNumber(number))
    }
}

/// The plan's own clock, while the unit owes the plan and has not been told that it is late.
fn plan_timer(item: &Item) -> Option<Timer> {
    let owed = item.state.awaits_unit();
    let plan = item.plan.as_ref().filter(|plan| owed && plan.state.awaits_unit() && !plan.late)?;
    Some(Timer { kind: TimerKind::PlanDue, item: item.number, round: 0, step: 0, due_at: plan.due_at })
}

/// The plan that a finding asks for, where its severity does.
pub(super) fn plan_of(
    rule: Option<AppliedRule>,
    event: AnchorEvent,
    at: Timestamp,
    state: PlanState,
    rules: Rules<'_>,
) -> Result<Option<Plan>, RectificationRefusal> {
    let Some(rule) = rule else { return Ok(None) };
    let sheet = rules.workbook.derive(rule, event, at, &[], rules.unit_calendar)?;
    let (due_on, due_at) = (sheet.proof.due_on, sheet.proof.due_at);
    Ok(Some(Plan { due_on, due_at, sheet: sheet.sheet_id, late: false, state }))
}

/// The plan's limit after a stop of the clock: counted again from what it was counted from, never ending earlier.
pub(super) fn plan_again(
    item: &Item,
    received_at: Timestamp,
    suspensions: &[Suspension],
    rules: Rules<'_>,
) -> Result<Option<Plan>, RectificationRefusal> {
    let Some(plan) = &item.plan else { return Ok(None) };
    let Some(rule) = rules.rulebook.plan_rule(item.severity) else { return Ok(Some(plan.clone())) };
    let mut again = plan.clone();
    let mut sources = vec![(AnchorEvent::LetterReceived, received_at)];
    if let PlanState::Returned { verification, .. } = &plan.state {
        sources.push((AnchorEvent::PlanReturned, verification.at));
    }
    for (event, from) in sources {
        let pauses = pauses_since(suspensions, from);
        let sheet = rules.workbook.derive(rule.clone(), event, from, &pauses, rules.unit_calendar)?;
        if sheet.proof.due_at > again.due_at {
            again = Plan { due_on: sheet.proof.due_on, due_at: sheet.proof.due_at, sheet: sheet.sheet_id, ..again };
        }
    }
    Ok(Some(again))
}
