//! Counting a period on a calendar, day by day.

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CalendarDays, Hours, Months, Period, WorkingDays};
use crate::calendar::{Calendar, Day, DayClass};
use crate::local_time;

/// No period of the law lasts longer; a calendar that never works again must not hang the count.
const LONGEST_COUNT_DAYS: usize = 40_000;

/// What a day did for the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DayUse {
    /// The day of the event, which the law does not count.
    Start,
    /// The day counts.
    Counted,
    /// A rest day that working days skip.
    Skipped,
    /// A rest day on which the period would have ended, or which followed such a day.
    RolledOver,
    /// The working day onto which the end rolled.
    RolledTo,
    /// A day at whose end the clock stood still (中止); the reason is the pause's.
    Paused,
}

/// One day of a count with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DayMark {
    /// The day.
    pub date: Date,
    /// What it did for the count.
    #[serde(rename = "use")]
    pub used: DayUse,
    /// What kind of day it is.
    pub class: DayClass,
    /// The occasion and the notice that make the day differ from its weekday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The end of a period and how it was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The last day, local.
    pub due_on: Date,
    /// The first instant that is late: 24:00 of the last day, or the exact instant for hours.
    pub due_at: Timestamp,
    /// Every day from the day of the event to the last day.
    pub days: Vec<DayMark>,
    /// Whether a day of the count lies in a year without its national notice.
    pub provisional: bool,
}

/// Why a period cannot be counted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    /// The end lies beyond every calendar.
    #[error("a period of {period} from {from} ends beyond the calendar")]
    OutOfRange {
        /// The period.
        period: String,
        /// The day of the event.
        from: Date,
    },
}

/// Walks the days of a count and keeps what is asked for: the trace, or only whether a day is provisional.
pub(super) struct Counter<'a> {
    calendar: &'a Calendar,
    days: Option<Vec<DayMark>>,
    steps: usize,
    provisional: bool,
}

impl<'a> Counter<'a> {
    pub(super) fn with_trace(calendar: &'a Calendar) -> Self {
        Self { calendar, days: Some(Vec::new()), steps: 0, provisional: false }
    }

    fn without_trace(calendar: &'a Calendar) -> Self {
        Self { calendar, days: None, steps: 0, provisional: false }
    }

    pub(super) fn mark(&mut self, date: Date, used: DayUse) {
        self.steps += 1;
        let Some(days) = &mut self.days else {
            self.provisional |= self.calendar.is_provisional(date);
            return;
        };
        let Day { class, entry, provisional } = self.calendar.day(date);
        self.provisional |= provisional;
        let reason = entry.map(|found| format!("{}：{}", found.name, found.source));
        days.push(DayMark { date, used, class, reason });
    }

    /// Marks a day on which the clock stood still, with the pause's reason instead of the calendar's.
    pub(super) fn mark_paused(&mut self, date: Date, reason: &str) {
        self.steps += 1;
        let Day { class, entry: _, provisional } = self.calendar.day(date);
        self.provisional |= provisional;
        if let Some(days) = &mut self.days {
            days.push(DayMark { date, used: DayUse::Paused, class, reason: Some(reason.to_owned()) });
        }
    }

    /// The next day, or nothing when the count has gone beyond every period of the law.
    pub(super) fn next(&self, date: Date) -> Option<Date> {
        if self.steps > LONGEST_COUNT_DAYS { None } else { date.tomorrow().ok() }
    }

    pub(super) fn is_working(&self, date: Date) -> bool {
        self.calendar.is_working(date)
    }

    /// Hours and the same day do not look at the kind of day, so a missing notice cannot move them.
    pub(super) fn is_certain(&mut self) {
        self.provisional = false;
    }

    pub(super) fn finish(self, due_on: Date, due_at: Timestamp) -> Count {
        let days = self.days.unwrap_or_default();
        debug_assert!(days.last().is_none_or(|last| last.date == due_on));
        Count { due_on, due_at, days, provisional: self.provisional }
    }

    /// Marks working days until enough are counted.
    fn working_days(&mut self, start: Date, amount: u16) -> Option<Date> {
        let mut left = amount;
        let mut date = start;
        while left > 0 {
            date = self.next(date)?;
            if self.is_working(date) {
                left -= 1;
                self.mark(date, DayUse::Counted);
            } else {
                self.mark(date, DayUse::Skipped);
            }
        }
        Some(date)
    }

    /// Marks every day up to the nominal end, then rolls off rest days.
    fn until_and_roll(&mut self, start: Date, end: Date) -> Option<Date> {
        let mut date = start;
        if self.days.is_none() {
            // Without a trace a day in the middle matters only for its year.
            let years = start.year()..=end.year();
            self.provisional |= years.into_iter().any(|year| !self.calendar.has_notice(year));
            date = end;
        }
        while date < end {
            date = self.next(date)?;
            let ends_on_rest = date == end && !self.is_working(date);
            self.mark(date, if ends_on_rest { DayUse::RolledOver } else { DayUse::Counted });
        }
        while !self.is_working(date) {
            date = self.next(date)?;
            let working = self.is_working(date);
            self.mark(date, if working { DayUse::RolledTo } else { DayUse::RolledOver });
        }
        Some(date)
    }
}

/// Counts a period from an event (Civil Code art. 200 to 204; for working days, Administrative Penalty Law art. 85).
///
/// The day of the event is the local day of `anchor_at` and is not counted. Zero working days end on the day of the
/// event itself.
pub fn count(anchor_at: Timestamp, period: Period, calendar: &Calendar) -> Result<Count, CountError> {
    count_with(Counter::with_trace(calendar), anchor_at, period)
}

/// The same count without its trace, for many dates at once; [`Count::days`] stays empty.
pub fn count_end(anchor_at: Timestamp, period: Period, calendar: &Calendar) -> Result<Count, CountError> {
    count_with(Counter::without_trace(calendar), anchor_at, period)
}

fn count_with(mut counter: Counter<'_>, anchor_at: Timestamp, period: Period) -> Result<Count, CountError> {
    let start = local_time::local_date(anchor_at);
    counter.mark(start, DayUse::Start);
    match end_of(&mut counter, anchor_at, start, period) {
        Some((due_on, due_at)) => Ok(counter.finish(due_on, due_at)),
        None => Err(CountError::OutOfRange { period: period.to_string(), from: start }),
    }
}

/// The last day of calendar days or months before any rolling.
///
/// The addition of months ends on the last day of a month that lacks the day, as art. 202 wants.
pub(super) fn nominal_end(start: Date, span: Span) -> Option<Date> {
    start.checked_add(span).ok()
}

fn end_of(counter: &mut Counter<'_>, anchor_at: Timestamp, start: Date, period: Period) -> Option<(Date, Timestamp)> {
    let end = match period {
        Period::SameDay => {
            counter.is_certain();
            start
        }
        Period::WorkingDays(WorkingDays(amount)) => counter.working_days(start, amount)?,
        Period::CalendarDays(CalendarDays(amount)) => {
            counter.until_and_roll(start, nominal_end(start, Span::new().days(i64::from(amount)))?)?
        }
        Period::Months(Months(amount)) => {
            counter.until_and_roll(start, nominal_end(start, Span::new().months(i64::from(amount)))?)?
        }
        Period::Hours(Hours(amount)) => {
            let due_at = anchor_at.checked_add(Span::new().hours(i64::from(amount))).ok()?;
            let due_on = local_time::local_date(due_at);
            let mut date = start;
            while date < due_on {
                date = counter.next(date)?;
                counter.mark(date, DayUse::Counted);
            }
            counter.is_certain();
            return Some((due_on, due_at));
        }
    };
    Some((end, local_time::end_of_day(end)?))
}

/// The working day that lies that many working days before a day, e.g. for a reminder.
///
/// From it the same number of working days counts forward to the day, if that is a working day itself.
pub fn working_days_before(date: Date, amount: WorkingDays, calendar: &Calendar) -> Option<Date> {
    let mut left = amount.0;
    let mut day = date;
    let mut steps = 0;
    while left > 0 {
        day = day.yesterday().ok()?;
        steps += 1;
        if steps > LONGEST_COUNT_DAYS {
            return None;
        }
        if calendar.is_working(day) {
            left -= 1;
        }
    }
    Some(day)
}
