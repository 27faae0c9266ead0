//! Clocks that stand still for a while (期限中止).
//!
//! A pause is a half-open stretch of time. For days and months **a day is paused when the clock stands still at its
//! end**: the pause begins before 24:00 local time and lasts until 24:00 or longer. So a pause from Monday noon to
//! Wednesday noon takes Monday and Tuesday out and leaves Wednesday; each stretch costs as many days as it covers
//! midnights, and a pause within one day costs none. A paused day is never counted, and no period ends on one. Hours
//! are suspended to the instant. Pauses that overlap or touch are one; a pause that ends before it begins is none.

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::count::{Counter, nominal_end};
use super::{CalendarDays, Count, CountError, DayUse, Hours, Months, Period, WorkingDays};
use crate::calendar::Calendar;
use crate::local_time;

/// A stretch of time during which a clock stands still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// The first instant at which the clock stands still.
    pub from: Timestamp,
    /// The instant at which it runs again; open while left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why, in words for the proof sheet.
    pub reason: String,
}

impl Pause {
    /// Whether the pause lasts any time at all.
    fn lasts(&self) -> bool {
        self.until.is_none_or(|until| self.from < until)
    }

    /// Whether the clock stands still at the end of the local day: the rule of this module.
    fn takes_out(&self, end_of_day: Timestamp) -> bool {
        self.from < end_of_day && self.until.is_none_or(|until| end_of_day <= until)
    }
}

/// The end of a period that may have been paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PausedCount {
    /// The period ends.
    Due(Count),
    /// The clock stands still and nobody can say yet when it will run again, so there is no due date.
    Open {
        /// Since when, by the earliest of the pauses that run together.
        since: Timestamp,
    },
}

impl PausedCount {
    /// The count, unless the clock stands still.
    pub fn due(self) -> Option<Count> {
        match self {
            Self::Due(count) => Some(count),
            Self::Open { since: _ } => None,
        }
    }
}

/// The pauses in order, those that overlap or touch drawn into one, whose reason names all of them once.
pub fn merge_pauses(pauses: &[Pause]) -> Vec<Pause> {
    let mut sorted: Vec<&Pause> = pauses.iter().filter(|pause| pause.lasts()).collect();
    sorted.sort_by(|a, b| {
        (a.from, a.until.is_none(), a.until, &a.reason).cmp(&(b.from, b.until.is_none(), b.until, &b.reason))
    });
    let mut merged: Vec<Pause> = Vec::new();
    for pause in sorted {
        match merged.last_mut() {
            Some(last) if last.until.is_none_or(|until| pause.from <= until) => {
                last.until = match (last.until, pause.until) {
                    (Some(one), Some(other)) => Some(one.max(other)),
                    (None, _) | (_, None) => None,
                };
                if !last.reason.split('、').any(|reason| reason == pause.reason) {
                    last.reason = format!("{}、{}", last.reason, pause.reason);
                }
            }
            _ => merged.push(pause.clone()),
        }
    }
    merged
}

/// What stops a count before its end.
enum Stop {
    Open(Timestamp),
    OutOfRange,
}

/// Counts a period like [`count`](super::count) and leaves out what was paused; the rule stands at the module's head.
///
/// A pause that begins only after the period has ended changes nothing.
pub fn count_with_pauses(
    anchor_at: Timestamp,
    period: Period,
    pauses: &[Pause],
    calendar: &Calendar,
) -> Result<PausedCount, CountError> {
    let start = local_time::local_date(anchor_at);
    let pauses = merge_pauses(pauses);
    let mut walk = Walk { counter: Counter::with_trace(calendar), pauses: &pauses };
    walk.counter.mark(start, DayUse::Start);
    let end = match period {
        Period::Hours(Hours(amount)) => walk.hours(anchor_at, start, amount),
        Period::SameDay => walk.same_day(start),
        Period::WorkingDays(WorkingDays(amount)) => walk.days(start, usize::from(amount), Counts::WorkingDays),
        Period::CalendarDays(CalendarDays(amount)) => walk.days_and_roll(start, Span::new().days(i64::from(amount))),
        Period::Months(Months(amount)) => walk.days_and_roll(start, Span::new().months(i64::from(amount))),
    };
    match end {
        Ok((due_on, due_at)) => Ok(PausedCount::Due(walk.counter.finish(due_on, due_at))),
        Err(Stop::Open(since)) => Ok(PausedCount::Open { since }),
        Err(Stop::OutOfRange) => Err(CountError::OutOfRange { period: period.to_string(), from: start }),
    }
}

/// Which days a count counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    WorkingDays,
    EveryDay,
}

struct Walk<'a> {
    counter: Counter<'a>,
    pauses: &'a [Pause],
}

impl Walk<'_> {
    /// The pause that takes the day out, if one does; an open one stops the count.
    fn pause_on(&self, date: Date) -> Result<Option<&Pause>, Stop> {
        let end = local_time::end_of_day(date).ok_or(Stop::OutOfRange)?;
        match self.pauses.iter().find(|pause| pause.takes_out(end)) {
            Some(pause) if pause.until.is_none() => Err(Stop::Open(pause.from)),
            found => Ok(found),
        }
    }

    /// Goes to the next day; gives it when it is not paused, and marks and passes over those that are.
    fn next_running(&mut self, from: Date) -> Result<Date, Stop> {
        let mut date = from;
        loop {
            date = self.counter.next(date).ok_or(Stop::OutOfRange)?;
            let Some(reason) = self.pause_on(date)?.map(|pause| pause.reason.clone()) else { return Ok(date) };
            self.counter.mark_paused(date, &reason);
        }
    }

    /// Marks days until enough are counted.
    fn days(&mut self, start: Date, amount: usize, counts: Counts) -> Result<(Date, Timestamp), Stop> {
        let mut date = start;
        let mut left = amount;
        while left > 0 {
            date = self.next_running(date)?;
            if counts == Counts::EveryDay || self.counter.is_working(date) {
                left -= 1;
                let ends_on_rest = left == 0 && !self.counter.is_working(date);
                self.counter.mark(date, if ends_on_rest { DayUse::RolledOver } else { DayUse::Counted });
            } else {
                self.counter.mark(date, DayUse::Skipped);
            }
        }
        Ok((date, local_time::end_of_day(date).ok_or(Stop::OutOfRange)?))
    }

    /// Calendar days and months: a month is as many days as it would have had without any pause.
    fn days_and_roll(&mut self, start: Date, span: Span) -> Result<(Date, Timestamp), Stop> {
        let nominal = nominal_end(start, span).ok_or(Stop::OutOfRange)?;
        let amount = start.until(nominal).map_err(|_| Stop::OutOfRange)?.get_days();
        let amount = usize::try_from(amount).map_err(|_| Stop::OutOfRange)?;
        let (mut date, _) = self.days(start, amount, Counts::EveryDay)?;
        while !self.counter.is_working(date) {
            date = self.next_running(date)?;
            let working = self.counter.is_working(date);
            self.counter.mark(date, if working { DayUse::RolledTo } else { DayUse::RolledOver });
        }
        Ok((date, local_time::end_of_day(date).ok_or(Stop::OutOfRange)?))
    }

    /// The day of the event itself, or the first day after it that is not paused.
    fn same_day(&mut self, start: Date) -> Result<(Date, Timestamp), Stop> {
        let mut date = start;
        if self.pause_on(start)?.is_some() {
            date = self.next_running(start)?;
            self.counter.mark(date, DayUse::Counted);
        }
        self.counter.is_certain();
        Ok((date, local_time::end_of_day(date).ok_or(Stop::OutOfRange)?))
    }

    /// Runs from instant to instant and stands still in between.
    fn hours(&mut self, anchor_at: Timestamp, start: Date, amount: u16) -> Result<(Date, Timestamp), Stop> {
        let mut left = SignedDuration::from_hours(i64::from(amount));
        let mut at = anchor_at;
        for pause in self.pauses {
            if pause.until.is_some_and(|until| until <= at) {
                continue;
            }
            let runs = pause.from.duration_since(at).max(SignedDuration::ZERO);
            if pause.from > at && left <= runs {
                break;
            }
            left = left.saturating_sub(runs);
            at = pause.until.ok_or(Stop::Open(pause.from))?;
        }
        let due_at = at.checked_add(left).map_err(|_| Stop::OutOfRange)?;
        let due_on = local_time::local_date(due_at);
        let mut date = start;
        while date < due_on {
            date = self.counter.next(date).ok_or(Stop::OutOfRange)?;
            // The day of the end is one on which the clock ran, whatever came after.
            let paused = if date < due_on { self.pause_on(date)?.map(|pause| pause.reason.clone()) } else { None };
            match paused {
                Some(reason) => self.counter.mark_paused(date, &reason),
                None => self.counter.mark(date, DayUse::Counted),
            }
        }
        self.counter.is_certain();
        Ok((due_on, due_at))
    }
}
