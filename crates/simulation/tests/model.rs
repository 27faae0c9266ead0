//! Every state of the ladder's protocol within the bounds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

use simulation::model::{Flaw, Ladder};
use stateright::{Checker, Model};

/// Looks at every state and returns how many there were.
fn check(name: &str, ladder: Ladder) -> usize {
    let checker = ladder.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.is_done());
    #[expect(clippy::print_stdout, reason = "the number is the result")]
    {
        println!("{name}: {} states, depth {}", checker.unique_state_count(), checker.max_depth());
    }
    checker.unique_state_count()
}

fn finds(bounds: Ladder, flaw: Flaw, property: &'static str) {
    let checker = Ladder { flaw: Some(flaw), ..bounds }
        .checker()
        .threads(2)
        .finish_when(stateright::HasDiscoveries::AnyOf([property].into()))
        .spawn_bfs()
        .join();
    assert!(checker.discovery(property).is_some(), "{flaw:?} does not break: {property}");
}

#[test]
fn the_whole_protocol_holds() {
    assert!(check("the whole", Ladder::whole()) > 100_000);
}

#[test]
fn the_engine_holds_with_a_clock_that_goes_back() {
    assert!(check("the engine, with a clock that goes back", Ladder::engine()) > 10_000);
}

#[test]
fn the_engine_holds_with_a_clock_that_goes_on() {
    assert!(check("the engine, with a clock that goes on", Ladder { steps_back: 0, ..Ladder::engine() }) > 10_000);
}

#[test]
fn rows_without_locks_give_two_notices() {
    finds(Ladder::engine(), Flaw::NoLock, "one notice for each rung");
}

#[test]
fn a_number_outside_the_transaction_leaves_a_gap() {
    finds(Ladder::engine(), Flaw::NumberOutside, "numbers without gap");
}

#[test]
fn a_claim_apart_from_its_effect_misses_a_notice() {
    finds(Ladder::engine(), Flaw::ClaimApart, "in the end a late case has its notices");
}

#[test]
fn a_forgotten_rung_is_found() {
    finds(Ladder::engine(), Flaw::ForgetNext, "an open case has exactly one armed rung");
}

#[test]
fn an_inbox_apart_from_the_effect_loses_it() {
    finds(Ladder::whole(), Flaw::InboxApart, "in the end every event took effect");
}

#[test]
fn a_missing_inbox_repeats_an_effect() {
    finds(Ladder::whole(), Flaw::NoInbox, "an effect at most once");
}

#[test]
fn a_relay_that_ignores_a_wipe_loses_events() {
    finds(Ladder::whole(), Flaw::IgnoreWipe, "in the end every event took effect");
}

#[test]
fn a_version_that_the_clock_raised_sends_people_back() {
    finds(Ladder::engine(), Flaw::StaleByClock, "nobody is sent back for what the clock did");
}

#[test]
fn a_mark_that_stays_makes_a_report_in_time_late() {
    finds(Ladder::engine(), Flaw::KeepsMark, "a report is late if and only if it began late");
}

#[test]
fn a_decision_that_is_called_to_mind_once_falls_silent() {
    finds(Ladder::engine(), Flaw::RemindsOnce, "an open case has exactly one armed rung");
}
