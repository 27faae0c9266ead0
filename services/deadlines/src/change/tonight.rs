//! What the clocks of many cases will do soon: the load of each coming day, and the notices of the coming night.

use std::collections::{BTreeMap, HashMap};

use domain::local_time::{local_date, start_of_day};
use domain::rectification::{Rectification, TimerKind};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many days the curve shows.
const DAYS: i64 = 60;

/// The load of one day, before and after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CurveDay {
    /// The local day.
    #[schema(value_type = String, format = Date)]
    pub(crate) on: Date,
    /// Limits whose last day it is, as it stands.
    pub(crate) due_before: u32,
    /// The same under the change.
    pub(crate) due_after: u32,
    /// Most clocks that run out at one instant of that day, as it stands.
    pub(crate) peak_before: u32,
    /// The same under the change.
    pub(crate) peak_after: u32,
}

/// The clocks of many cases, added up.
#[derive(Debug, Default)]
pub(super) struct Load {
    due: HashMap<Date, u32>,
    instants: BTreeMap<Timestamp, u32>,
}

impl Load {
    pub(super) fn add(&mut self, case: &Rectification) {
        for timer in &case.timers {
            *self.instants.entry(timer.due_at).or_default() += 1;
            if timer.kind == TimerKind::Due
                && let Some(limit) = case.numbered(timer.item).and_then(|item| item.limit())
            {
                *self.due.entry(limit.due_on()).or_default() += 1;
            }
        }
    }

    fn peak(&self, on: Date) -> u32 {
        let (Some(from), Some(to)) = (start_of_day(on), on.tomorrow().ok().and_then(start_of_day)) else { return 0 };
        self.instants.range(from..to).map(|(_, count)| *count).max().unwrap_or_default()
    }
}

/// The curve of the coming days.
pub(super) fn curve(before: &Load, after: &Load, at: Timestamp) -> Vec<CurveDay> {
    let due = |load: &Load, on: Date| load.due.get(&on).copied().unwrap_or_default();
    local_date(at)
        .series(1.day())
        .zip(0..DAYS)
        .map(|(on, _)| CurveDay {
            on,
            due_before: due(before, on),
            due_after: due(after, on),
            peak_before: before.peak(on),
            peak_after: after.peak(on),
        })
        .collect()
}

/// Whether an urging order of the case issues by the end of the local day.
pub(super) fn order_tonight(case: &Rectification, at: Timestamp) -> bool {
    let midnight = domain::local_time::end_of_day(local_date(at)).unwrap_or(at);
    case.timers.iter().any(|timer| timer.kind == TimerKind::Urge && timer.due_at <= midnight)
}
