//! The vectors of the handbook and the laws that every count obeys.

use jiff::civil::{Date, date, time};
use proptest::prelude::*;

use super::*;
use crate::calendar::{Calendar, CalendarSet};
use crate::local_time;

fn national() -> Calendar {
    CalendarSet::load_from_texts([
        ("2024", include_str!("../../../../rulebook/calendars/national-2024.toml")),
        ("2025", include_str!("../../../../rulebook/calendars/national-2025.toml")),
        ("2026", include_str!("../../../../rulebook/calendars/national-2026.toml")),
        ("2027", include_str!("../../../../rulebook/calendars/national-2027.toml")),
    ])
    .unwrap()
    .national()
}

fn from(day: Date, period: Period, calendar: &Calendar) -> Count {
    let anchor = local_time::at_local(day, time(15, 30, 0, 0)).unwrap();
    count(anchor, period, calendar).unwrap()
}

#[test]
fn the_vectors_of_the_handbook() {
    let calendar = national();
    let wd = Period::working_days;
    let cd = Period::calendar_days;
    let months = Period::months;
    let vectors = [
        (date(2026, 9, 29), wd(5), date(2026, 10, 12)),
        (date(2026, 9, 24), wd(10), date(2026, 10, 15)),
        (date(2026, 2, 6), wd(15), date(2026, 3, 5)),
        (date(2025, 1, 24), wd(10), date(2025, 2, 13)),
        (date(2024, 4, 30), wd(3), date(2024, 5, 8)),
        (date(2026, 9, 2), cd(30), date(2026, 10, 8)),
        (date(2026, 4, 1), cd(30), date(2026, 5, 6)),
        (date(2024, 1, 11), cd(30), date(2024, 2, 18)),
        (date(2025, 8, 2), cd(60), date(2025, 10, 9)),
        (date(2026, 9, 20), cd(15), date(2026, 10, 8)),
        (date(2026, 1, 31), months(1), date(2026, 2, 28)),
        (date(2025, 11, 30), months(3), date(2026, 2, 28)),
    ];
    for (start, period, due_on) in vectors {
        let found = from(start, period, &calendar);
        assert_eq!(found.due_on, due_on, "{start} + {period}");
        assert_eq!(Some(found.due_at), local_time::end_of_day(due_on));
        assert!(!found.provisional, "{start} + {period}");
    }
}

#[test]
fn the_years_have_their_working_days() {
    let calendar = national();
    assert_eq!(calendar.working_days_in(2024), 251);
    assert_eq!(calendar.working_days_in(2025), 248);
    assert_eq!(calendar.working_days_in(2026), 248);
}

#[test]
fn the_trace_names_every_day_and_why() {
    let found = from(date(2026, 9, 29), Period::working_days(5), &national());
    let uses: Vec<_> = found.days.iter().map(|mark| (mark.date.day(), mark.used)).collect();
    assert_eq!(uses.first(), Some(&(29, DayUse::Start)));
    assert_eq!(uses.get(1), Some(&(30, DayUse::Counted)));
    assert!((2..9).all(|index| uses[index].1 == DayUse::Skipped));
    assert_eq!(uses.last(), Some(&(12, DayUse::Counted)));
    assert_eq!(uses.len(), 14);
    let make_up = found.days.iter().find(|mark| mark.date == date(2026, 10, 10)).unwrap();
    assert_eq!(make_up.used, DayUse::Counted);
    assert!(make_up.reason.as_deref().unwrap().contains("国庆节调休"));
}

#[test]
fn a_count_into_a_year_without_notice_is_provisional() {
    let calendar = national();
    assert!(from(date(2026, 12, 30), Period::working_days(5), &calendar).provisional);
    assert!(!from(date(2026, 12, 1), Period::working_days(5), &calendar).provisional);
    assert!(!from(date(2026, 12, 31), Period::hours(48), &calendar).provisional);
}

#[test]
fn hours_run_to_the_instant_and_the_same_day_ends_at_midnight() {
    let calendar = national();
    let anchor = local_time::at_local(date(2026, 10, 2), time(23, 50, 0, 0)).unwrap();
    let hours = count(anchor, Period::hours(24), &calendar).unwrap();
    assert_eq!(hours.due_on, date(2026, 10, 3));
    assert_eq!(hours.due_at, anchor + jiff::Span::new().hours(24));
    let same = count(anchor, Period::SameDay, &calendar).unwrap();
    assert_eq!(same.due_at.duration_since(anchor).as_secs(), 600);
}

#[test]
fn counting_back_skips_rest_days() {
    let calendar = national();
    let back = |days| working_days_before(date(2026, 10, 12), WorkingDays(days), &calendar);
    assert_eq!(back(1), Some(date(2026, 10, 10)));
    assert_eq!(back(3), Some(date(2026, 10, 8)));
    assert_eq!(back(4), Some(date(2026, 9, 30)));
}

#[test]
fn a_period_reads_from_its_parts_and_its_data_form() {
    for period in
        [Period::SameDay, Period::working_days(5), Period::calendar_days(30), Period::months(3), Period::hours(24)]
    {
        assert_eq!(Period::from_parts(period.unit_key(), period.amount()), Some(period));
        let json = serde_json::to_string(&period).unwrap();
        assert_eq!(serde_json::from_str::<Period>(&json).unwrap(), period);
    }
    assert_eq!(serde_json::to_string(&Period::working_days(5)).unwrap(), r#"{"working_days":5}"#);
    assert_eq!(Period::from_parts("days", 5), None);
    assert!(serde_json::from_str::<Period>(r#"{"days":5}"#).is_err());
}

fn any_day() -> impl Strategy<Value = Date> {
    (0..1_400_i32).prop_map(|days| date(2024, 1, 1) + jiff::Span::new().days(days))
}

fn any_period() -> impl Strategy<Value = Period> {
    prop_oneof![
        (0..120_u16).prop_map(Period::working_days),
        (0..200_u16).prop_map(Period::calendar_days),
        (0..13_u16).prop_map(Period::months),
        (0..400_u16).prop_map(Period::hours),
    ]
}

proptest! {
    #[test]
    fn one_more_never_ends_earlier(start in any_day(), period in any_period()) {
        let calendar = national();
        let more = Period::from_parts(period.unit_key(), period.amount() + 1).unwrap();
        prop_assert!(from(start, more, &calendar).due_at >= from(start, period, &calendar).due_at);
    }

    #[test]
    fn a_later_start_never_ends_earlier(start in any_day(), period in any_period()) {
        let calendar = national();
        let later = start.tomorrow().unwrap();
        prop_assert!(from(later, period, &calendar).due_at >= from(start, period, &calendar).due_at);
    }

    /// Months are left out: the law itself shortens them (31 January, one month and one month, ends on the 28th).
    #[test]
    fn splitting_never_shortens(start in any_day(), a in 1..60_u16, b in 1..60_u16) {
        let calendar = national();
        for unit in ["working_days", "calendar_days"] {
            let part = |amount| Period::from_parts(unit, amount).unwrap();
            let whole = from(start, part(a + b), &calendar).due_on;
            let split = from(from(start, part(a), &calendar).due_on, part(b), &calendar).due_on;
            prop_assert!(split >= whole, "{unit}: {split} < {whole}");
            if unit == "working_days" {
                prop_assert_eq!(split, whole);
            }
        }
    }

    #[test]
    fn days_and_months_never_end_on_a_rest_day(start in any_day(), period in any_period()) {
        let calendar = national();
        let found = from(start, period, &calendar);
        let may_rest = matches!(period, Period::Hours(_) | Period::SameDay)
            || period == Period::working_days(0);
        prop_assert!(may_rest || calendar.is_working(found.due_on));
    }

    #[test]
    fn the_trace_is_gapless_and_counts_what_was_asked(start in any_day(), amount in 1..90_u16) {
        let calendar = national();
        let found = from(start, Period::working_days(amount), &calendar);
        prop_assert!(found.days.windows(2).all(|two| two[0].date.tomorrow().unwrap() == two[1].date));
        let counted = found.days.iter().filter(|mark| mark.used == DayUse::Counted).count();
        prop_assert_eq!(counted, usize::from(amount));
        prop_assert_eq!(found.days.last().unwrap().date, found.due_on);
        let back = working_days_before(found.due_on, WorkingDays(amount), &calendar).unwrap();
        prop_assert!(back <= start || !calendar.is_working(start));
        prop_assert_eq!(from(back, Period::working_days(amount), &calendar).due_on, found.due_on);
    }
}
