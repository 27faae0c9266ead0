//! The simulation can fail: each deliberate fault of the engine is found.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

use simulation::{Book, Failure, Fault, Mutation, Options, run, shrink};

/// Seeds that a mutation may survive before the simulation counts as blind to it.
const SEEDS: u64 = 40;

fn found(mutation: Mutation) -> Failure {
    let book = Book::load().unwrap();
    *(1..=SEEDS)
        .find_map(|seed| run(&book, Options { mutation: Some(mutation), ..Options::new(seed, 2_000) }).err())
        .unwrap_or_else(|| panic!("{mutation:?} was not found in {SEEDS} seeds"))
}

fn rule(mutation: Mutation) -> &'static str {
    found(mutation).violation.rule
}

#[test]
fn an_effect_outside_the_claiming_transaction_is_found() {
    rule(Mutation::EffectOutsideClaim);
}

#[test]
fn due_rows_without_locks_and_versions_are_found() {
    rule(Mutation::NoRowLock);
}

#[test]
fn a_number_taken_outside_the_transaction_is_found() {
    assert_eq!(rule(Mutation::NumberOutside), "numbers");
}

#[test]
fn a_forgotten_next_timer_is_found() {
    assert_eq!(rule(Mutation::ForgetNextTimer), "armed");
}

#[test]
fn a_journal_outside_the_transaction_is_found() {
    rule(Mutation::JournalOutside);
}

#[test]
fn a_replicas_own_clock_is_found() {
    rule(Mutation::OwnClock);
}

#[test]
fn a_report_judged_by_its_senders_clock_is_found() {
    rule(Mutation::SendersClock);
}

#[test]
fn an_inbox_outside_the_transaction_is_found() {
    assert_eq!(rule(Mutation::InboxOutside), "effect");
}

#[test]
fn a_missing_inbox_is_found() {
    assert_eq!(rule(Mutation::NoInbox), "effect");
}

#[test]
fn a_relay_with_a_high_water_mark_is_found() {
    assert_eq!(rule(Mutation::HighWater), "effect");
}

#[test]
fn a_relay_that_ignores_a_new_stream_is_found() {
    assert_eq!(rule(Mutation::IgnoreWipe), "effect");
}

#[test]
fn letter_and_receipt_without_the_letters_lock_are_found() {
    assert_eq!(rule(Mutation::NoLetterLock), "opened");
}

#[test]
fn an_older_snapshot_that_wins_is_found() {
    assert_eq!(rule(Mutation::OlderSnapshotWins), "copy");
}

#[test]
fn an_act_refused_for_the_clocks_version_is_found() {
    assert_eq!(rule(Mutation::StaleByClock), "stale by the clock");
}

#[test]
fn a_version_that_the_journal_does_not_tell_is_found() {
    // Only an outage over a reminder makes a firing that tells nobody anything.
    let book = Book::load().unwrap();
    let kinds = 1 << (Fault::ALL.len() - 1);
    let outages = Options { kinds, mutation: Some(Mutation::SilentVersion), ..Options::new(1, 2_000) };
    let found = (1..=SEEDS).find_map(|seed| run(&book, Options { seed, ..outages }).err()).unwrap();
    assert_eq!(found.violation.rule, "version");
}

#[test]
fn a_departments_case_outside_the_transaction_is_found() {
    assert_eq!(rule(Mutation::DepartmentOutside), "joint");
}

#[test]
fn a_counterpart_that_is_not_locked_is_found() {
    rule(Mutation::CounterpartUnlocked);
}

#[test]
fn rules_that_are_not_held_are_found() {
    rule(Mutation::RulesUnheld);
}

#[test]
fn a_case_that_fires_before_it_is_counted_is_found() {
    assert_eq!(rule(Mutation::FireBehind), "recount");
}

#[test]
fn an_act_on_a_case_that_is_not_counted_is_found() {
    assert_eq!(rule(Mutation::ActBehind), "recount");
}

#[test]
fn a_failure_names_its_seed_and_shrinks() {
    let failure = found(Mutation::NumberOutside);
    let book = Book::load().unwrap();
    let again = run(&book, failure.options).unwrap_err();
    assert_eq!((again.step, &again.violation), (failure.step, &failure.violation));
    assert_eq!(failure.tail.len(), 40);
    let small = shrink(&book, Box::new(failure.clone()));
    assert!(small.options.timers < failure.options.timers || small.options.kinds != failure.options.kinds);
    assert!(small.to_string().contains(&format!("--seed {}", failure.options.seed)));
}
