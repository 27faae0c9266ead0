//! Days and periods counted a second time, without the domain and without its date library: the oracle's own arithmetic.

/// An instant or a length of time in microseconds; instants count from 1970 in UTC.
pub type Micros = i64;

/// One second.
pub const SECOND: Micros = 1_000_000;
/// One minute.
pub const MINUTE: Micros = 60 * SECOND;
/// One hour.
pub const HOUR: Micros = 60 * MINUTE;
/// One day.
pub const DAY: Micros = 24 * HOUR;
/// How far the clocks of the whole country are ahead of UTC.
const BEIJING: Micros = 8 * HOUR;

/// The local day of an instant, counted from 1970-01-01.
pub const fn day_of(at: Micros) -> i64 {
    (at + BEIJING).div_euclid(DAY)
}

/// The instant at which a local day begins.
pub const fn start_of(day: i64) -> Micros {
    day * DAY - BEIJING
}

/// The day of a civil date.
pub const fn day_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = (month + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day.
pub const fn civil_from_day(day: i64) -> (i64, i64, i64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// The local year of an instant.
pub const fn year_of(at: Micros) -> i64 {
    civil_from_day(day_of(at)).0
}

/// A period, as plain data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// To the end of the same day.
    SameDay,
    /// Working days.
    Working(u16),
    /// Calendar days; a last day that is a rest day rolls forward.
    Calendar(u16),
    /// Months; likewise.
    Months(u16),
    /// Hours from instant to instant.
    Hours(u16),
}

/// Which days are working days in one place.
#[derive(Clone, Debug)]
pub struct WorkDays {
    first: i64,
    working: Vec<bool>,
    /// The years whose days the country has announced.
    noticed: Vec<i64>,
}

impl WorkDays {
    /// Monday to Friday from the first day on, for so many days.
    pub fn weekdays(first: i64, length: usize) -> Self {
        // 1970-01-01 was a Thursday.
        let working = (0_i64..).take(length).map(|offset| (first + offset + 3).rem_euclid(7) < 5).collect();
        Self { first, working, noticed: Vec::new() }
    }

    /// The country has announced the days of a year.
    pub fn notice(&mut self, year: i64) {
        self.noticed.push(year);
    }

    /// Whether a period from an event to its last day rests on a year that nobody has announced.
    pub fn is_provisional(&self, anchor: Micros, last: i64, span: Span) -> bool {
        let mut years = year_of(anchor)..=civil_from_day(last).0;
        !matches!(span, Span::SameDay | Span::Hours(_)) && years.any(|year| !self.noticed.contains(&year))
    }

    /// Makes every day of a run a working day or a rest day.
    pub fn set(&mut self, from: i64, to: i64, works: bool) {
        for day in from..=to {
            let slot = usize::try_from(day - self.first).ok().and_then(|index| self.working.get_mut(index));
            if let Some(slot) = slot {
                *slot = works;
            }
        }
    }

    /// Whether work is done on the day; beyond the table there is no work.
    pub fn works(&self, day: i64) -> bool {
        usize::try_from(day - self.first).ok().and_then(|index| self.working.get(index)).copied().unwrap_or(false)
    }

    fn knows(&self, day: i64) -> bool {
        usize::try_from(day - self.first).is_ok_and(|index| index < self.working.len())
    }

    /// The last day and the first late instant of a period that an event starts.
    pub fn end(&self, anchor: Micros, span: Span) -> (i64, Micros) {
        let start = day_of(anchor);
        let last = match span {
            Span::Hours(hours) => {
                let at = anchor + i64::from(hours) * HOUR;
                return (day_of(at), at);
            }
            Span::SameDay => start,
            Span::Working(amount) => {
                let mut day = start;
                let mut left = amount;
                while left > 0 && self.knows(day + 1) {
                    day += 1;
                    if self.works(day) {
                        left -= 1;
                    }
                }
                day
            }
            Span::Calendar(amount) => self.roll(start + i64::from(amount)),
            Span::Months(amount) => {
                let (year, month, day) = civil_from_day(start);
                let months = year * 12 + (month - 1) + i64::from(amount);
                let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
                let first_of_next =
                    if month == 12 { day_from_civil(year + 1, 1, 1) } else { day_from_civil(year, month + 1, 1) };
                self.roll(day_from_civil(year, month, day).min(first_of_next - 1))
            }
        };
        (last, start_of(last + 1))
    }

    /// The day, or the first working day after it.
    fn roll(&self, mut day: i64) -> i64 {
        while self.knows(day) && !self.works(day) {
            day += 1;
        }
        day
    }

    /// The working day so many working days before a day.
    pub fn before(&self, mut day: i64, amount: u16) -> i64 {
        let mut left = amount;
        while left > 0 && self.knows(day - 1) {
            day -= 1;
            if self.works(day) {
                left -= 1;
            }
        }
        day
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates_go_there_and_back() {
        assert_eq!(day_from_civil(1970, 1, 1), 0);
        assert_eq!(day_from_civil(2026, 3, 9), 20_521);
        for day in 19_000..22_000 {
            let (year, month, of_month) = civil_from_day(day);
            assert_eq!(day_from_civil(year, month, of_month), day);
        }
    }

    #[test]
    fn periods_end_as_the_law_says() {
        let week = WorkDays::weekdays(day_from_civil(2024, 1, 1), 3_000);
        let monday = start_of(day_from_civil(2026, 3, 9)) + 9 * HOUR;
        assert_eq!(week.end(monday, Span::Working(5)).0, day_from_civil(2026, 3, 16));
        assert_eq!(week.end(monday, Span::Calendar(5)).0, day_from_civil(2026, 3, 16));
        assert_eq!(week.end(monday, Span::Hours(24)).1, monday + DAY);
        let last_of_january = start_of(day_from_civil(2025, 1, 31));
        assert_eq!(week.end(last_of_january, Span::Months(1)).0, day_from_civil(2025, 2, 28));
        assert!(
            week.is_provisional(monday, 20_600, Span::Working(5))
                && !week.is_provisional(monday, 20_600, Span::SameDay)
        );
        assert_eq!(week.before(day_from_civil(2026, 3, 16), 1), day_from_civil(2026, 3, 13));
    }
}
