//! Whole runs: every rule holds under every fault, and a seed always means the same run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

use simulation::oracle::Counts;
use simulation::{Book, Options, run};

const TIMERS: u64 = 3_000;

#[test]
fn twenty_seeds_keep_every_rule() {
    let book = Book::load().unwrap();
    let mut faults = [0; 10];
    let (mut ended, mut counted_by_acts) = (0, 0);
    for seed in 1_000..1_020 {
        let summary = run(&book, Options::new(seed, TIMERS)).unwrap_or_else(|failure| panic!("{failure}"));
        assert!(summary.counts.fired > TIMERS / 2 && summary.counts.orders > 25, "seed {seed}: {summary:?}");
        let Counts { departments, together, steps, again, recounted, .. } = summary.counts;
        let least = [departments, together, steps[0], steps[1], steps[2], again, recounted];
        assert!(least.iter().all(|count| *count > 0), "seed {seed} leaves something out: {summary:?}");
        ended += summary.counts.ended;
        counted_by_acts += summary.counts.counted_by_acts;
        for (sum, struck) in faults.iter_mut().zip(summary.faults) {
            *sum += struck;
        }
    }
    assert!(faults.iter().all(|struck| *struck > 5), "a kind of fault hardly struck: {faults:?}");
    assert!(ended > 0 && counted_by_acts > 0, "ended {ended}, counted by acts {counted_by_acts}");
}

#[test]
fn a_storm_of_faults_keeps_every_rule() {
    let book = Book::load().unwrap();
    for seed in 2_000..2_004 {
        let options = Options { faults: 400, ..Options::new(seed, TIMERS) };
        run(&book, options).unwrap_or_else(|failure| panic!("{failure}"));
    }
}

#[test]
fn a_seed_always_means_the_same_run() {
    let book = Book::load().unwrap();
    let first = run(&book, Options::new(7, TIMERS)).unwrap();
    assert_eq!(run(&book, Options::new(7, TIMERS)).unwrap(), first);
    assert_ne!(run(&book, Options::new(8, TIMERS)).unwrap(), first);
}

#[test]
fn without_faults_the_clock_goes_on() {
    let book = Book::load().unwrap();
    let summary = run(&book, Options { faults: 0, ..Options::new(9, TIMERS) }).unwrap();
    assert_eq!(summary.faults, [0; 10]);
    assert!(summary.counts.fired > TIMERS / 2);
}
