//! The local day of the whole country: Asia/Shanghai.
//!
//! One zone, eight hours ahead of UTC, without daylight saving time since 1992; so a fixed offset says the same as
//! the zone's table and cannot fail.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

const BEIJING: Offset = jiff::tz::offset(8);

/// The moment on the clocks of Asia/Shanghai.
pub fn local(at: Timestamp) -> DateTime {
    BEIJING.to_datetime(at)
}

/// The day on the calendars of Asia/Shanghai at that instant.
pub fn local_date(at: Timestamp) -> Date {
    local(at).date()
}

/// The instant at which the local day begins, or nothing at the edge of the representable time.
pub fn start_of_day(date: Date) -> Option<Timestamp> {
    at_local(date, Time::midnight())
}

/// The first instant that no longer belongs to the local day: 24:00, which is 00:00 of the next day.
///
/// What is due on that day is in time before this instant and late at it.
pub fn end_of_day(date: Date) -> Option<Timestamp> {
    start_of_day(date.tomorrow().ok()?)
}

/// The instant of a local day and time.
pub fn at_local(date: Date, time: Time) -> Option<Timestamp> {
    TimeZone::fixed(BEIJING).to_timestamp(date.to_datetime(time)).ok()
}

/// The date in words, e.g. 2026年10月8日, without leading zeros as in official documents.
pub fn date_zh(date: Date) -> String {
    format!("{}年{}月{}日", date.year(), date.month(), date.day())
}

/// The local moment in words, to the minute, e.g. 2026年10月8日09时05分.
pub fn moment_zh(at: Timestamp) -> String {
    let moment = local(at);
    format!("{}{:02}时{:02}分", date_zh(moment.date()), moment.hour(), moment.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_ends_where_the_next_begins() {
        let day = jiff::civil::date(2026, 10, 8);
        assert_eq!(end_of_day(day).unwrap().to_string(), "2026-10-08T16:00:00Z");
        assert_eq!(local_date(end_of_day(day).unwrap()), day.tomorrow().unwrap());
        assert_eq!(moment_zh("2026-10-08T01:05:00Z".parse().unwrap()), "2026年10月8日09时05分");
    }
}
