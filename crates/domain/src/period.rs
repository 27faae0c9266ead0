//! Periods and how they are counted (期间).
//!
//! The rules are those of the Civil Code, art. 200 to 204: the day of the event is not counted; a period by months
//! ends on the corresponding day, or on the last day of a month that has none; a period of calendar days or months
//! whose last day is a rest day ends on the first working day after. Working days never end on a rest day. Hours
//! run from instant to instant. A period of days or months ends at 24:00 of its last day in Asia/Shanghai.

mod count;
mod pause;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use count::{Count, CountError, DayMark, DayUse, count, count_end, working_days_before};
pub use pause::{Pause, PausedCount, count_with_pauses, merge_pauses};

macro_rules! amounts {
    ($($(#[$doc:meta])+ $name:ident,)+) => {$(
        $(#[$doc])+
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub u16);
    )+};
}

amounts! {
    /// A number of working days (工作日).
    WorkingDays,
    /// A number of calendar days (自然日).
    CalendarDays,
    /// A number of months (月).
    Months,
    /// A number of hours (小时), counted to the exact instant.
    Hours,
}

/// A period with its unit; a bare number of days is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// By the end of the very day of the event, rest day or not (当日).
    SameDay,
    /// Working days; rest days are skipped.
    WorkingDays(WorkingDays),
    /// Calendar days; rolls forward from a rest day.
    CalendarDays(CalendarDays),
    /// Months; rolls forward from a rest day.
    Months(Months),
    /// Hours from the instant of the event; zero means at once.
    Hours(Hours),
}

impl Period {
    /// That many working days.
    pub const fn working_days(amount: u16) -> Self {
        Self::WorkingDays(WorkingDays(amount))
    }

    /// That many calendar days.
    pub const fn calendar_days(amount: u16) -> Self {
        Self::CalendarDays(CalendarDays(amount))
    }

    /// That many months.
    pub const fn months(amount: u16) -> Self {
        Self::Months(Months(amount))
    }

    /// That many hours.
    pub const fn hours(amount: u16) -> Self {
        Self::Hours(Hours(amount))
    }

    /// The amount in its unit; zero for the same day.
    pub const fn amount(self) -> u16 {
        match self {
            Self::SameDay => 0,
            Self::WorkingDays(WorkingDays(amount))
            | Self::CalendarDays(CalendarDays(amount))
            | Self::Months(Months(amount))
            | Self::Hours(Hours(amount)) => amount,
        }
    }

    /// The key of the unit: `same_day`, `working_days`, `calendar_days`, `months` or `hours`.
    pub const fn unit_key(self) -> &'static str {
        match self {
            Self::SameDay => "same_day",
            Self::WorkingDays(_) => "working_days",
            Self::CalendarDays(_) => "calendar_days",
            Self::Months(_) => "months",
            Self::Hours(_) => "hours",
        }
    }

    /// The period of a unit key and an amount, e.g. from two columns; nothing for an unknown key.
    pub fn from_parts(unit_key: &str, amount: u16) -> Option<Self> {
        match unit_key {
            "same_day" => Some(Self::SameDay),
            "working_days" => Some(Self::working_days(amount)),
            "calendar_days" => Some(Self::calendar_days(amount)),
            "months" => Some(Self::months(amount)),
            "hours" => Some(Self::hours(amount)),
            _ => None,
        }
    }

    /// Whether the period can be counted and means something: more than zero days or months, at most ten years.
    ///
    /// What people type into a letter is held to this, so that the clock never meets a limit it cannot count.
    pub const fn is_sensible(self) -> bool {
        match self {
            Self::SameDay | Self::Hours(_) => true,
            Self::WorkingDays(WorkingDays(amount)) => amount > 0 && amount <= 2500,
            Self::CalendarDays(CalendarDays(amount)) => amount > 0 && amount <= 3660,
            Self::Months(Months(amount)) => amount > 0 && amount <= 120,
        }
    }

    /// Whether the last day rolls forward when it is a rest day.
    pub const fn rolls_forward(self) -> bool {
        match self {
            Self::CalendarDays(_) | Self::Months(_) => true,
            Self::SameDay | Self::WorkingDays(_) | Self::Hours(_) => false,
        }
    }

    /// The period in words, e.g. 15个工作日.
    pub fn zh(self) -> String {
        match self {
            Self::SameDay => "当日".to_owned(),
            Self::WorkingDays(WorkingDays(amount)) => format!("{amount}个工作日"),
            Self::CalendarDays(CalendarDays(amount)) => format!("{amount}日"),
            Self::Months(Months(amount)) => format!("{amount}个月"),
            Self::Hours(Hours(0)) => "立即".to_owned(),
            Self::Hours(Hours(amount)) => format!("{amount}小时"),
        }
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SameDay => f.write_str("the same day"),
            Self::WorkingDays(WorkingDays(amount)) => write!(f, "{amount} wd"),
            Self::CalendarDays(CalendarDays(amount)) => write!(f, "{amount} cd"),
            Self::Months(Months(amount)) => write!(f, "{amount} months"),
            Self::Hours(Hours(amount)) => write!(f, "{amount} h"),
        }
    }
}

#[cfg(test)]
mod tests;
