//! What the clock will do, if nobody does anything.

use domain::rectification::{Rectification, Workbook};
use domain::rehearsal::Rehearsal;
use domain::severity::Severity;
use jiff::civil::date;

use crate::support::{World, at};

#[test]
fn a_case_left_alone_is_reminded_urged_escalated_and_called_to_mind_to_the_end() {
    let world = World::new();
    let case = world.open(1, &[Severity::Minor], "2026-02-06T02:00:00Z");
    let mut rehearsal = Rehearsal::new(at("2026-02-07T00:00:00Z"), 60);
    rehearsal.play(world.case(case, "海口市"), &world.workbook);
    // As the firing tests tell it: reminders on 2 and 4 March, late on the 6th, urged on the 7th, escalated on the 14th.
    let week = |monday| rehearsal.weeks[&("海口市".to_owned(), monday)];
    let first = week(date(2026, 3, 2));
    assert_eq!((first.reminders, first.overdue, first.urging_orders, first.proposals), (2, 1, 1, 0));
    let second = week(date(2026, 3, 9));
    assert_eq!((second.urging_orders, second.proposals, second.department_cases), (0, 1, 1));
    assert_eq!((rehearsal.cases, rehearsal.opened), (1, 1));
    // The department's own case becomes late too, in its own time, and nobody decides: called to mind again and again.
    let total = |of: fn(&domain::rehearsal::Notices) -> u64| rehearsal.weeks.values().map(of).sum::<u64>();
    assert_eq!((total(|n| n.overdue), total(|n| n.urging_orders)), (2, 2));
    assert!(total(|n| n.duties) > 1);
    let months: u64 = rehearsal.months.values().map(domain::rehearsal::Notices::total).sum();
    assert_eq!(months, rehearsal.weeks.values().map(domain::rehearsal::Notices::total).sum::<u64>());
    assert!(rehearsal.failed.is_empty(), "{:?}", rehearsal.failed);
}

#[test]
fn a_year_of_all_kinds_leaves_no_rule_of_the_clock_silent() {
    let world = World::new();
    let mut rehearsal = Rehearsal::new(at("2026-11-20T00:00:00Z"), 365);
    for (serial, severity) in (1..).zip(Severity::ALL) {
        rehearsal.play(world.case(world.open(serial, &[severity], "2026-11-19T02:00:00Z"), "海口市"), &world.workbook);
    }
    let silent = rehearsal.silent(&world.rulebook);
    let clock: Vec<_> = silent.iter().filter(|rule| !rule.needs_act).collect();
    assert!(clock.is_empty(), "rules of the clock that never fired: {clock:?}");
    assert!(silent.iter().any(|rule| rule.rule_id == "severity.minor.verification" && rule.needs_act));
    // The year that nobody has announced yet.
    assert!(rehearsal.provisional.keys().all(|day| day.year() >= 2027));
    assert!(!rehearsal.provisional.is_empty());
}

#[test]
fn parts_add_up_to_the_whole() {
    let world = World::new();
    let from = at("2026-02-07T00:00:00Z");
    let (mut whole, mut one, mut other) =
        (Rehearsal::new(from, 200), Rehearsal::new(from, 200), Rehearsal::new(from, 200));
    for serial in 1..=20 {
        let county = if serial % 3 == 0 { "海口市" } else { "三亚市" };
        let open =
            || world.case(world.open(serial, &[Severity::Minor, Severity::Major], "2026-02-06T02:00:00Z"), county);
        whole.play(open(), &world.workbook);
        if serial % 2 == 0 { &mut one } else { &mut other }.play(open(), &Workbook::new());
    }
    one.add(other);
    assert_eq!(one, whole);
}

/// `cargo test --release -p domain --test it -- --ignored --nocapture`: prints a figure, asserts none.
#[test]
#[ignore = "a figure for people"]
#[allow(clippy::print_stdout, clippy::disallowed_methods, clippy::allow_attributes, reason = "a figure for people")]
fn fifty_thousand_cases_for_a_year() {
    let world = World::new();
    let cases: Vec<Rectification> = (1..=50_000)
        .map(|serial| {
            let day = 1 + serial % 28;
            world.open(serial, &[Severity::Minor, Severity::Major], &format!("2026-11-{day:02}T02:00:00Z"))
        })
        .collect();
    let started = std::time::Instant::now();
    let mut rehearsal = Rehearsal::new(at("2026-11-29T00:00:00Z"), 365);
    for case in cases {
        rehearsal.play(world.case(case, "海口市"), &world.workbook);
    }
    println!("{} firings in {:.1} s", rehearsal.firings, started.elapsed().as_secs_f64());
}
