//! What a drill says when it is over, and the tables of all of them.

use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::Table;
use serde::{Deserialize, Serialize};

use crate::lives::Lives;
use crate::lives::proof::Proven;

/// So many of something.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Count {
    /// Of what.
    pub what: String,
    /// How many.
    pub count: i64,
}

/// A part of a drill and how long it took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Phase {
    /// What went on, or what was waited for.
    pub what: String,
    /// How long, in seconds.
    pub seconds: f64,
}

/// What a drill found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// What was compared at the end: so many there.
    pub proven: Vec<Count>,
    /// What is missing or doubled. A drill whose counts are not all 0 has failed.
    pub lost: Vec<Count>,
    /// What was lost by nature, as what was committed after the moment of a point-in-time restore.
    pub lost_by_nature: Vec<Count>,
    /// How long each phase took.
    pub phases: Vec<Phase>,
    /// Requests of people in all.
    pub requests: usize,
    /// Those that were not served at the first attempt: refused, cut off, or told to come again (503).
    pub not_served_at_first: usize,
    /// What was found besides.
    pub notes: Vec<String>,
}

impl Report {
    /// Notes how long a phase took.
    pub fn phase(&mut self, what: &str, took: Duration) {
        self.phases.push(Phase { what: what.to_owned(), seconds: took.as_secs_f64() });
    }

    /// Notes what was lost by nature.
    pub fn by_nature(&mut self, what: &str, count: i64) {
        self.lost_by_nature.push(Count { what: what.to_owned(), count });
    }

    /// Notes something else worth knowing.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Takes over what a proof compared.
    pub fn prove(&mut self, proven: &[Proven]) {
        for one in proven {
            self.proven.push(Count { what: one.what.to_owned(), count: one.found });
            self.lost.push(Count { what: one.what.to_owned(), count: (one.expected - one.found).max(0) });
        }
    }

    /// Takes over how people fared.
    pub fn people(&mut self, lives: &Lives<'_>) {
        self.requests += lives.asked();
        self.not_served_at_first += lives.troubles().len();
    }

    fn lost_in_all(&self) -> i64 {
        self.lost.iter().map(|count| count.count).sum()
    }

    /// Whether nothing is missing.
    pub fn is_good(&self) -> bool {
        self.lost_in_all() == 0 && !self.proven.is_empty()
    }
}

/// A drill that was played: a line of `results.jsonl`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    /// Its name.
    pub drill: String,
    /// What is drilled.
    pub title: String,
    /// Rectifications.
    pub size: usize,
    /// Seed of every chance.
    pub seed: u64,
    /// How long it took in all, in seconds.
    pub seconds: f64,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// What it found.
    #[serde(flatten)]
    pub report: Report,
}

impl Outcome {
    /// Whether the drill succeeded.
    pub fn is_good(&self) -> bool {
        self.error.is_none() && self.report.is_good()
    }

    fn lost(&self) -> String {
        match &self.error {
            Some(_) => "?".to_owned(),
            None => self.report.lost_in_all().to_string(),
        }
    }
}

const HEAD: [&str; 6] = [
    "演练 drill",
    "已证实 proven",
    "丢失 lost",
    "性质所致 by nature",
    "耗时 how long",
    "未即时受理的请求 requests not served at first",
];

fn cells(outcome: &Outcome, line: &str) -> [String; 6] {
    let counts = |counts: &[Count]| {
        counts.iter().map(|count| format!("{}: {}", count.what, count.count)).collect::<Vec<_>>().join(line)
    };
    let report = &outcome.report;
    let mut took: Vec<String> =
        report.phases.iter().map(|phase| format!("{}: {:.1} s", phase.what, phase.seconds)).collect();
    took.push(format!("全程 in all: {:.0} s", outcome.seconds));
    let proven = match &outcome.error {
        Some(error) => error.clone(),
        None => counts(&report.proven),
    };
    let nature = if report.lost_by_nature.is_empty() { "–".to_owned() } else { counts(&report.lost_by_nature) };
    let requests = format!("{} / {}", report.not_served_at_first, report.requests);
    [format!("{}{line}`{}`", outcome.title, outcome.drill), proven, outcome.lost(), nature, took.join(line), requests]
}

/// For a terminal.
pub fn table(outcomes: &[Outcome]) -> String {
    let mut table = Table::new();
    table.set_header(HEAD);
    for outcome in outcomes {
        table.add_row(cells(outcome, "\n"));
    }
    table.to_string()
}

/// For `deploy/drills.md`.
pub fn markdown(outcomes: &[Outcome]) -> String {
    let mut text = format!("| {} |\n|{}\n", HEAD.join(" | "), "---|".repeat(HEAD.len()));
    for outcome in outcomes {
        let cells = cells(outcome, "<br>").map(|cell| cell.replace('|', "\\|").replace('\n', " "));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    for (outcome, note) in
        outcomes.iter().flat_map(|outcome| outcome.report.notes.iter().map(move |note| (outcome, note)))
    {
        let _ = writeln!(text, "\n- `{}`: {note}", outcome.drill);
    }
    text
}
