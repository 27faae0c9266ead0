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

/// The lists of the handbook, section l.2, as they stand there: rest days and make-up working days of each year.
const NOTICES: [(i16, &str, &str, usize); 3] = [
    (
        2024,
        "01-01; 02-10…02-17; 04-04…04-06; 05-01…05-05; 06-10; 09-15…09-17; 10-01…10-07",
        "02-04, 02-18, 04-07, 04-28, 05-11, 09-14, 09-29, 10-12",
        251,
    ),
    (
        2025,
        "01-01; 01-28…02-04; 04-04…04-06; 05-01…05-05; 05-31…06-02; 10-01…10-08",
        "01-26, 02-08, 04-27, 09-28, 10-11",
        248,
    ),
    (
        2026,
        "01-01…01-03; 02-15…02-23; 04-04…04-06; 05-01…05-05; 06-19…06-21; 09-25…09-27; 10-01…10-07",
        "01-04, 02-14, 02-28, 05-09, 09-20, 10-10",
        248,
    ),
];

#[test]
fn every_day_of_the_noticed_years_is_as_the_notices_say() {
    let calendar = national();
    for (year, off, work, working_days) in NOTICES {
        let day = |text: &str| format!("{year}-{text}").parse::<Date>().unwrap();
        let rests: Vec<(Date, Date)> = off
            .split("; ")
            .map(|run| {
                run.split_once('…').map_or_else(|| (day(run), day(run)), |(first, last)| (day(first), day(last)))
            })
            .collect();
        let works: Vec<Date> = work.split(", ").map(day).collect();
        let mut listed = 0;
        for date in date(year, 1, 1).series(jiff::Span::new().days(1)).take_while(|date| date.year() == year) {
            let rest = rests.iter().any(|(first, last)| (*first..=*last).contains(&date));
            let weekend = date.weekday().to_monday_zero_offset() >= 5;
            let working = works.contains(&date) || (!rest && !weekend);
            let found = calendar.day(date);
            assert_eq!(found.class.is_working(), working, "{date}");
            assert_eq!(found.entry.is_some(), rest || works.contains(&date), "{date}");
            assert!(!found.provisional, "{date}");
            listed += usize::from(found.entry.is_some());
        }
        assert_eq!(calendar.working_days_in(year), working_days);
        assert_eq!(calendar.entries().filter(|(date, _)| date.year() == year).count(), listed);
    }
    assert_eq!(calendar.noticed_years().collect::<Vec<_>>(), [2024, 2025, 2026]);
    assert!(calendar.is_provisional(date(2027, 6, 1)));
    assert!(!calendar.entries().any(|(date, _)| date.year() == 2027));
}

/// The zones of a machine whose clocks jump, and one that lies a day ahead.
const FOREIGN_ZONES: [&str; 3] = ["America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"];

/// The vectors again in a process of its own for each zone: what a machine takes for local time changes nothing.
#[test]
fn the_zone_of_the_machine_changes_nothing() {
    let this_test_binary = std::env::current_exe().unwrap();
    for zone in FOREIGN_ZONES {
        let child = std::process::Command::new(&this_test_binary)
            .env("TZ", zone)
            .args([
                "--exact",
                "period::tests::the_vectors_of_the_handbook",
                "period::tests::hours_over_a_change_of_clocks",
            ])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout).into_owned();
        assert!(child.status.success() && said.contains("2 passed"), "{zone}: {said}");
    }
}

/// On 8 March 2026 New York's clocks jump from 02:00 to 03:00; a day there has 23 hours, in Asia/Shanghai never.
#[test]
fn hours_over_a_change_of_clocks() {
    let anchor = local_time::at_local(date(2026, 3, 8), time(9, 0, 0, 0)).unwrap();
    let found = count(anchor, Period::hours(24), &national()).unwrap();
    assert_eq!(Some(found.due_at), local_time::at_local(date(2026, 3, 9), time(9, 0, 0, 0)));
    let working = count(anchor, Period::working_days(1), &national()).unwrap();
    assert_eq!(working.due_at.to_string(), "2026-03-09T16:00:00Z");
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

fn any_pauses() -> impl Strategy<Value = Vec<Pause>> {
    let pause = (0..24 * 120_i64, 0..24 * 15_i64).prop_map(|(after, lasts)| {
        let from = local_time::start_of_day(date(2024, 1, 1)).unwrap() + jiff::Span::new().hours(after);
        Pause { from, until: Some(from + jiff::Span::new().hours(lasts)), reason: "中止".to_owned() }
    });
    prop::collection::vec(pause, 0..5)
}

/// A start in the reach of [`any_pauses`], at any hour.
fn any_instant() -> impl Strategy<Value = jiff::Timestamp> {
    (0..24 * 90_i64)
        .prop_map(|hours| local_time::start_of_day(date(2024, 1, 1)).unwrap() + jiff::Span::new().hours(hours))
}

fn paused(anchor: jiff::Timestamp, period: Period, pauses: &[Pause], calendar: &Calendar) -> Count {
    count_with_pauses(anchor, period, pauses, calendar).unwrap().due().unwrap()
}

proptest! {
    #[test]
    fn without_pauses_the_two_counts_agree_and_the_trace_changes_nothing(start in any_day(), period in any_period()) {
        let calendar = national();
        let plain = from(start, period, &calendar);
        let anchor = local_time::at_local(start, time(15, 30, 0, 0)).unwrap();
        prop_assert_eq!(&paused(anchor, period, &[], &calendar), &plain);
        let bare = count_end(anchor, period, &calendar).unwrap();
        prop_assert_eq!(bare, Count { days: Vec::new(), ..plain });
    }

    #[test]
    fn hours_that_run_and_hours_that_stand_still_are_the_whole(
        anchor in any_instant(), amount in 0..400_u16, pauses in any_pauses(),
    ) {
        let found = paused(anchor, Period::hours(amount), &pauses, &national());
        let still: i64 = merge_pauses(&pauses)
            .iter()
            .map(|pause| {
                let (from, until) = (pause.from.max(anchor), pause.until.unwrap().min(found.due_at));
                until.duration_since(from).as_secs().max(0)
            })
            .sum();
        let whole = found.due_at.duration_since(anchor).as_secs();
        prop_assert_eq!(whole, still + i64::from(amount) * 3600);
    }

    #[test]
    fn days_that_run_and_days_that_stand_still_are_the_whole(
        anchor in any_instant(), amount in 1..60_u16, pauses in any_pauses(),
    ) {
        let calendar = national();
        for period in [Period::working_days(amount), Period::calendar_days(amount)] {
            let found = paused(anchor, period, &pauses, &calendar);
            let used = |wanted: &[DayUse]| found.days.iter().filter(|mark| wanted.contains(&mark.used)).count();
            // The pauses' own count: one day for each midnight that they cover, between the anchor and the end.
            let midnights = found.days[1..]
                .iter()
                .filter(|mark| {
                    let end = local_time::end_of_day(mark.date).unwrap();
                    pauses.iter().any(|pause| pause.from < end && end <= pause.until.unwrap())
                })
                .count();
            // Pauses that touch at midnight are one, which `any` above sees as well.
            prop_assert_eq!(used(&[DayUse::Paused]), midnights);
            let rolled = used(&[DayUse::RolledOver, DayUse::RolledTo, DayUse::Skipped]);
            prop_assert_eq!(used(&[DayUse::Start, DayUse::Counted]) + rolled + midnights, found.days.len());
            if matches!(period, Period::WorkingDays(_)) {
                prop_assert_eq!(used(&[DayUse::Counted]), usize::from(amount));
            } else {
                prop_assert!(used(&[DayUse::Counted, DayUse::RolledOver]) >= usize::from(amount));
            }
            prop_assert!(found.days.windows(2).all(|two| two[0].date.tomorrow().unwrap() == two[1].date));
            prop_assert!(calendar.is_working(found.due_on));
            prop_assert_ne!(found.days.last().unwrap().used, DayUse::Paused);
        }
    }

    #[test]
    fn one_more_pause_never_ends_earlier(
        anchor in any_instant(), period in any_period(), pauses in any_pauses(),
    ) {
        let calendar = national();
        let mut before = paused(anchor, period, &[], &calendar).due_at;
        for known in 1..=pauses.len() {
            let now = paused(anchor, period, &pauses[..known], &calendar).due_at;
            prop_assert!(now >= before);
            before = now;
        }
    }

    #[test]
    fn the_order_of_pauses_does_not_matter(anchor in any_instant(), period in any_period(), pauses in any_pauses()) {
        let calendar = national();
        let mut turned = pauses.clone();
        turned.reverse();
        prop_assert_eq!(paused(anchor, period, &pauses, &calendar), paused(anchor, period, &turned, &calendar));
    }

    #[test]
    fn hours_split_exactly(start in any_day(), a in 0..300_u16, b in 0..300_u16) {
        let calendar = national();
        let whole = from(start, Period::hours(a + b), &calendar).due_at;
        let first = from(start, Period::hours(a), &calendar).due_at;
        prop_assert_eq!(count(first, Period::hours(b), &calendar).unwrap().due_at, whole);
    }

    /// A month cut in two may lose days to the shorter month between, by the law itself, but never more than three.
    #[test]
    fn months_split_within_three_days(start in any_day(), a in 1..12_u16, b in 1..12_u16) {
        let calendar = national();
        let whole = from(start, Period::months(a + b), &calendar).due_on;
        let split = from(from(start, Period::months(a), &calendar).due_on, Period::months(b), &calendar).due_on;
        // The whole may have rolled over a week of rest that the split ends before.
        prop_assert!(whole.duration_since(split).as_hours() <= 24 * (3 + 9));
    }
}

#[test]
fn a_day_is_paused_when_the_clock_stands_still_at_its_end() {
    let calendar = national();
    let at = |day, hour| local_time::at_local(date(2026, 9, day), time(hour, 0, 0, 0)).unwrap();
    let pause = |from, until| [Pause { from, until: Some(until), reason: "台风停工".to_owned() }];
    let due = |pauses: &[Pause]| paused(at(7, 9), Period::working_days(3), pauses, &calendar).due_on.day();
    assert_eq!(due(&[]), 10);
    assert_eq!(due(&pause(at(8, 0), at(8, 23))), 10, "within one day");
    assert_eq!(due(&pause(at(8, 0), at(9, 0))), 11, "the whole day, to 24:00");
    assert_eq!(due(&pause(at(8, 12), at(10, 12))), 14, "two midnights, and the end leaves the weekend out");
    assert_eq!(due(&pause(at(9, 0), at(9, 0))), 10, "no time at all");
    assert_eq!(due(&pause(at(11, 0), at(20, 0))), 10, "after the end");
}

#[test]
fn an_open_pause_leaves_no_due_date_unless_the_period_ended_before() {
    let calendar = national();
    let at = |day, hour| local_time::at_local(date(2026, 9, day), time(hour, 0, 0, 0)).unwrap();
    let open = |from| [Pause { from, until: None, reason: "协商".to_owned() }];
    let counted = |period, from| count_with_pauses(at(7, 9), period, &open(from), &calendar).unwrap();
    for period in [Period::working_days(3), Period::calendar_days(3), Period::months(1), Period::hours(60)] {
        assert_eq!(counted(period, at(8, 12)), PausedCount::Open { since: at(8, 12) }, "{period}");
    }
    assert!(counted(Period::working_days(3), at(11, 0)).due().is_some());
    assert_eq!(counted(Period::hours(24), at(8, 9)).due().unwrap().due_at, at(8, 9));
    assert_eq!(counted(Period::SameDay, at(7, 20)), PausedCount::Open { since: at(7, 20) });
}

#[test]
fn pauses_that_overlap_or_touch_are_one() {
    let at = |hours| local_time::start_of_day(date(2026, 9, 7)).unwrap() + jiff::Span::new().hours(hours);
    let pause = |from, until: Option<i64>, reason: &str| Pause {
        from: at(from),
        until: until.map(at),
        reason: reason.to_owned(),
    };
    let merged = merge_pauses(&[
        pause(30, Some(40), "协商"),
        pause(0, Some(10), "台风"),
        pause(5, Some(20), "台风"),
        pause(20, Some(25), "停电"),
        pause(50, Some(45), "无"),
    ]);
    assert_eq!(merged, [pause(0, Some(25), "台风、停电"), pause(30, Some(40), "协商")]);
    assert_eq!(merge_pauses(&[pause(0, None, "协商"), pause(9, Some(12), "协商")]), [pause(0, None, "协商")]);
}
