//! What is due on fixed days or once in a cycle, and no period after an event (固定日期、周期).

use jiff::Span;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A number of years (年), the length of a cycle; not a period, which is counted from an event to a due date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Years(pub u8);

/// A day of the month, 1 to 31; a month that lacks it means its last day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct DayOfMonth(pub u8);

/// A number of times (次) within a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Times(pub u8);

/// A day of every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DayOfYear {
    /// 1 to 12.
    pub month: u8,
    /// The day of that month.
    pub day: DayOfMonth,
}

/// A fixed day or a cycle.
///
/// A fixed day stays where it is: whoever writes "on the 15th and the 30th" means those days, rest days or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// On these days of every month (每月固定日), rising.
    MonthDays(Vec<DayOfMonth>),
    /// On this day of every year (每年固定日).
    YearDay(DayOfYear),
    /// At least once in so many years, counted from the last time (每若干年至少一次).
    EveryYears(Years),
    /// At least so often in every calendar month (每月至少若干次).
    TimesPerMonth(Times),
    /// At least so often in every school semester (每学期至少若干次); its end comes from the school calendar.
    TimesPerSemester(Times),
}

/// The day of a month, or the month's last one when it has no such day.
fn day_in(month_of: Date, day: DayOfMonth) -> Option<Date> {
    let first = month_of.first_of_month();
    let last = month_of.last_of_month();
    let date = first.checked_add(Span::new().days(i64::from(day.0) - 1)).ok()?;
    Some(date.min(last))
}

impl Schedule {
    /// The next day on which it is due, later than `after`.
    ///
    /// For a cycle of years `after` is the day on which it was last done. Nothing for what the school calendar decides.
    pub fn next_after(&self, after: Date) -> Option<Date> {
        match self {
            Self::MonthDays(days) => {
                let next_month = after.last_of_month().tomorrow().ok()?;
                let mut candidates = Vec::new();
                for month in [after, next_month] {
                    for day in days {
                        candidates.push(day_in(month, *day)?);
                    }
                }
                candidates.into_iter().filter(|date| *date > after).min()
            }
            Self::YearDay(DayOfYear { month, day }) => {
                let month = i8::try_from(*month).ok()?;
                let on = |year: i16| day_in(Date::new(year, month, 1).ok()?, *day);
                let this_year = on(after.year())?;
                if this_year > after { Some(this_year) } else { on(after.year().checked_add(1)?) }
            }
            Self::EveryYears(Years(years)) => after.checked_add(Span::new().years(i64::from(*years))).ok(),
            Self::TimesPerMonth(_) => {
                let last = after.last_of_month();
                if last > after { Some(last) } else { Some(last.tomorrow().ok()?.last_of_month()) }
            }
            Self::TimesPerSemester(_) => None,
        }
    }

    /// Whether it means something: days that exist, in rising order, cycles of 1 to 20 years, 1 to 31 times.
    pub fn is_sensible(&self) -> bool {
        let is_day = |day: &DayOfMonth| (1..=31).contains(&day.0);
        match self {
            Self::MonthDays(days) => {
                let rising = days.windows(2).all(|two| match two {
                    [first, second] => first < second,
                    _ => true,
                });
                !days.is_empty() && rising && days.iter().all(is_day)
            }
            Self::YearDay(day) => (1..=12).contains(&day.month) && is_day(&day.day),
            Self::EveryYears(years) => (1..=20).contains(&years.0),
            Self::TimesPerMonth(times) | Self::TimesPerSemester(times) => (1..=31).contains(&times.0),
        }
    }

    /// In words, e.g. 每月15日、30日.
    pub fn zh(&self) -> String {
        match self {
            Self::MonthDays(days) => {
                let days: Vec<String> = days.iter().map(|day| format!("{}日", day.0)).collect();
                format!("每月{}", days.join("、"))
            }
            Self::YearDay(DayOfYear { month, day }) => format!("每年{month}月{}日前", day.0),
            Self::EveryYears(Years(1)) => "每年至少一次".to_owned(),
            Self::EveryYears(Years(years)) => format!("每{years}年至少一次"),
            Self::TimesPerMonth(Times(times)) => format!("每月至少{times}次"),
            Self::TimesPerSemester(Times(times)) => format!("每学期至少{times}次"),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn fixed_days_stay_where_they_are() {
        let sheet = Schedule::MonthDays(vec![DayOfMonth(15), DayOfMonth(30)]);
        // 15 August 2026 is a Saturday.
        assert_eq!(sheet.next_after(date(2026, 8, 3)), Some(date(2026, 8, 15)));
        assert_eq!(sheet.next_after(date(2026, 8, 15)), Some(date(2026, 8, 30)));
        assert_eq!(sheet.next_after(date(2026, 8, 30)), Some(date(2026, 9, 15)));
        assert_eq!(sheet.next_after(date(2026, 2, 20)), Some(date(2026, 2, 28)), "February has no 30th");
        assert_eq!(sheet.zh(), "每月15日、30日");
    }

    #[test]
    fn yearly_days_and_cycles() {
        let plan = Schedule::YearDay(DayOfYear { month: 1, day: DayOfMonth(31) });
        assert_eq!(plan.next_after(date(2026, 1, 30)), Some(date(2026, 1, 31)));
        assert_eq!(plan.next_after(date(2026, 1, 31)), Some(date(2027, 1, 31)));
        let cycle = Schedule::EveryYears(Years(5));
        assert_eq!(cycle.next_after(date(2024, 2, 29)), Some(date(2029, 2, 28)));
        let visits = Schedule::TimesPerMonth(Times(1));
        assert_eq!(visits.next_after(date(2026, 2, 3)), Some(date(2026, 2, 28)));
        assert_eq!(visits.next_after(date(2026, 2, 28)), Some(date(2026, 3, 31)));
        assert_eq!(Schedule::TimesPerSemester(Times(2)).next_after(date(2026, 2, 3)), None);
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for wrong in [
            Schedule::MonthDays(Vec::new()),
            Schedule::MonthDays(vec![DayOfMonth(30), DayOfMonth(15)]),
            Schedule::MonthDays(vec![DayOfMonth(32)]),
            Schedule::YearDay(DayOfYear { month: 13, day: DayOfMonth(1) }),
            Schedule::EveryYears(Years(0)),
            Schedule::TimesPerSemester(Times(0)),
        ] {
            assert!(!wrong.is_sensible(), "{wrong:?}");
        }
    }
}
