//! Plays seeds of the simulation until so many timers have fired; a failing seed is printed, made smaller and can be replayed.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use simulation::{Book, Fault, Mutation, Options, Summary, run, shrink};

/// Simulates the deadline engine with seeded faults.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// Plays this seed alone.
    #[arg(long)]
    seed: Option<u64>,
    /// Timers to fire, over all seeds.
    #[arg(long, default_value_t = 20_000)]
    timers: u64,
    /// Timers of one seed, when no single seed is asked for.
    #[arg(long, default_value_t = 50_000)]
    per_seed: u64,
    /// The first seed, when no single one is asked for.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// How many faults strike in ten thousand steps.
    #[arg(long, default_value_t = 60)]
    faults: u32,
    /// Which kinds of fault may strike, a bit for each.
    #[arg(long, default_value_t = u16::MAX)]
    kinds: u16,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Breaks the engine on purpose.
    #[arg(long, value_enum)]
    mutation: Option<Mutation>,
    /// Makes a failing run smaller before it is shown.
    #[arg(long)]
    shrink: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let book = match Book::load() {
        Ok(book) => book,
        Err(fault) => {
            eprintln!("the rules cannot be read: {fault}");
            return ExitCode::FAILURE;
        }
    };
    let began = Instant::now();
    let outcome = play(&book, &arguments);
    let seconds = began.elapsed().as_secs_f64();
    match outcome {
        Ok(total) => {
            print(&total, seconds);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the asked seed, or seed after seed on every thread until enough timers have fired.
fn play(book: &Book, arguments: &Arguments) -> Result<Total, String> {
    let Arguments { timers, per_seed, faults, kinds, mutation, .. } = *arguments;
    let one = |seed: u64, timers: u64| {
        let options = Options { seed, timers, faults, kinds, mutation };
        run(book, options).map_err(|failure| {
            let failure = if arguments.shrink { shrink(book, failure) } else { failure };
            failure.to_string()
        })
    };
    if let Some(seed) = arguments.seed {
        let mut total = Total::default();
        total.add(&one(seed, timers)?);
        return Ok(total);
    }
    let next = AtomicU64::new(arguments.first);
    let fired = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let work = || {
        let mut total = Total::default();
        while !stop.load(Ordering::Relaxed) && fired.load(Ordering::Relaxed) < timers {
            let summary = one(next.fetch_add(1, Ordering::Relaxed), per_seed.min(timers));
            let summary = summary.inspect_err(|_| stop.store(true, Ordering::Relaxed))?;
            fired.fetch_add(summary.counts.fired, Ordering::Relaxed);
            total.add(&summary);
        }
        Ok(total)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.threads.max(1)).map(|_| scope.spawn(work)).collect();
        let mut total = Total::default();
        for thread in threads {
            let part: Result<Total, String> = thread.join().map_err(|_| "a thread died".to_owned())?;
            total.merge(&part?);
        }
        Ok(total)
    })
}

/// What all seeds did together.
#[derive(Debug, Default)]
struct Total {
    seeds: u64,
    parts: Vec<Summary>,
}

impl Total {
    fn add(&mut self, summary: &Summary) {
        self.seeds += 1;
        self.parts.push(*summary);
    }

    fn merge(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.parts.extend(&other.parts);
    }

    fn sum(&self, of: impl Fn(&Summary) -> u64) -> u64 {
        self.parts.iter().map(of).sum()
    }
}

fn print(total: &Total, seconds: f64) {
    let line = |name: &str, count: u64| println!("{name:<58}{count:>14}");
    line("seeds", total.seeds);
    line("timers fired", total.sum(|one| one.counts.fired));
    line("cases opened by letters", total.sum(|one| one.counts.cases));
    line("cases of competent departments, each opened once", total.sum(|one| one.counts.departments));
    line("completions", total.sum(|one| one.counts.completed));
    line("of those, two cases at one instant", total.sum(|one| one.counts.together));
    line("urging orders, numbered without gap, none missed or double", total.sum(|one| one.counts.orders));
    for (index, level) in (2..=4).enumerate() {
        line(&format!("steps proposed at level {level}"), total.sum(|one| one.counts.steps[index]));
    }
    line("steps taken", total.sum(|one| one.counts.taken));
    line("steps lifted", total.sum(|one| one.counts.lifted));
    line("steps that ended by themselves, their items done", total.sum(|one| one.counts.ended));
    line("duties called to mind", total.sum(|one| one.counts.duties));
    line("of those, again", total.sum(|one| one.counts.again));
    line("items opened anew by a look-back", total.sum(|one| one.counts.reopened));
    line("calendars changed in flight", total.sum(|one| one.counts.changes));
    line("open cases counted again, once for each change", total.sum(|one| one.counts.recounted));
    line("of those, changed", total.sum(|one| one.counts.touched));
    line("of all, counted within a person's act", total.sum(|one| one.counts.counted_by_acts));
    line("reports in time", total.sum(|one| one.counts.in_time));
    line("reports late", total.sum(|one| one.counts.late));
    line("reports within three microseconds of the due instant", total.sum(|one| one.counts.close_calls));
    line("in time by the clock, though marked late: mark taken back", total.sum(|one| one.counts.crossed));
    line("in time by the clock, though urged", total.sum(|one| one.counts.crossed_urged));
    line("acts refused, each rightly", total.sum(|one| one.counts.refused));
    line("acts sent back for what other people did", total.sum(|one| one.counts.stale));
    line("reports begun in time, sent back for other people", total.sum(|one| one.refused_in_time));
    line("of those, late when sent again", total.sum(|one| one.turned_late));
    line("firings that told nobody anything, without a version", total.sum(|one| one.counts.moot));
    line("events", total.sum(|one| one.events));
    line("transactions", total.sum(|one| one.commits));
    line("steps", total.sum(|one| one.steps));
    line("virtual days", total.sum(|one| one.days));
    for (index, (fault, _)) in Fault::ALL.iter().enumerate() {
        line(&format!("fault {fault:?}"), total.sum(|one| one.faults[index]));
    }
    println!("{seconds:.1} s");
}
