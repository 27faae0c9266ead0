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

struct Counter<'a> {
    calendar: &'a Calendar,
    days: Vec<DayMark>,
    provisional: bool,
}

impl Counter<'_> {
    fn mark(&mut self, date: Date, used: DayUse) {
        let Day { class, entry, provisional } = self.calendar.day(date);
        self.provisional |= provisional;
        self.days.push(DayMark {
            date,
            used,
            class,
            reason: entry.map(|found| format!("{}：{}", found.name, found.source)),
        });
    }

    fn last(&self, start: Date) -> Date {
        self.days.last().map_or(start, |mark| mark.date)
    }

    /// Marks working days until enough are counted.
    fn working_days(&mut self, start: Date, amount: u16) -> Option<Date> {
        let mut left = amount;
        let mut date = start;
        while left > 0 {
            date = date.tomorrow().ok()?;
            if self.days.len() > LONGEST_COUNT_DAYS {
                return None;
            }
            if self.calendar.is_working(date) {
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
        while date < end {
            date = date.tomorrow().ok()?;
            let ends_on_rest = date == end && !self.calendar.is_working(date);
            self.mark(date, if ends_on_rest { DayUse::RolledOver } else { DayUse::Counted });
        }
        while !self.calendar.is_working(date) {
            date = date.tomorrow().ok()?;
            if self.days.len() > LONGEST_COUNT_DAYS {
                return None;
            }
            let working = self.calendar.is_working(date);
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
    let start = local_time::local_date(anchor_at);
    let mut counter = Counter { calendar, days: Vec::new(), provisional: false };
    counter.mark(start, DayUse::Start);
    let end = end_of(&mut counter, anchor_at, start, period);
    let Some((due_on, due_at)) = end else {
        return Err(CountError::OutOfRange { period: period.to_string(), from: start });
    };
    debug_assert_eq!(counter.last(start), due_on);
    Ok(Count { due_on, due_at, days: counter.days, provisional: counter.provisional })
}

fn end_of(counter: &mut Counter<'_>, anchor_at: Timestamp, start: Date, period: Period) -> Option<(Date, Timestamp)> {
    let end = match period {
        Period::SameDay => start,
        Period::WorkingDays(WorkingDays(amount)) => counter.working_days(start, amount)?,
        Period::CalendarDays(CalendarDays(amount)) => {
            let nominal = start.checked_add(Span::new().days(i64::from(amount))).ok()?;
            counter.until_and_roll(start, nominal)?
        }
        Period::Months(Months(amount)) => {
            // The addition ends on the last day of a month that lacks the day, as art. 202 wants.
            let nominal = start.checked_add(Span::new().months(i64::from(amount))).ok()?;
            counter.until_and_roll(start, nominal)?
        }
        Period::Hours(Hours(amount)) => {
            let due_at = anchor_at.checked_add(Span::new().hours(i64::from(amount))).ok()?;
            let due_on = local_time::local_date(due_at);
            let mut date = start;
            while date < due_on {
                date = date.tomorrow().ok()?;
                counter.mark(date, DayUse::Counted);
            }
            // Hours do not look at the kind of day, so a missing notice cannot move them.
            counter.provisional = false;
            return Some((due_on, due_at));
        }
    };
    if matches!(period, Period::SameDay) {
        counter.provisional = false;
    }
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
