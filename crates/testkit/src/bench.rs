//! Figures of a benchmark with the goals beside them: a table for people, and a line of JSON each for machines.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// No goal; what the figure means instead.
    None(&'static str),
}

impl Goal {
    fn met(self, value: f64) -> Option<bool> {
        match self {
            Self::AtMost(most) => Some(value <= most),
            Self::AtLeast(least) => Some(value >= least),
            Self::None(_) => None,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtMost(most) => format!("≤ {most}"),
            Self::AtLeast(least) => format!("≥ {least}"),
            Self::None(meaning) => meaning.to_owned(),
        }
    }
}

struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    goal: Goal,
}

/// The figures of one benchmark.
pub struct Results {
    title: &'static str,
    file: PathBuf,
    rows: Vec<Row>,
}

impl std::fmt::Debug for Results {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Results").field("title", &self.title).field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

impl Results {
    /// Appends to `target/bench/results.jsonl`.
    pub fn open(title: &'static str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
        std::fs::create_dir_all(&folder).unwrap();
        Self { title, file: folder.join("results.jsonl"), rows: Vec::new() }
    }

    /// Adds a figure and writes it down at once.
    pub fn add(&mut self, name: &str, value: f64, unit: &'static str, goal: Goal) {
        let line = json!({
            "name": name,
            "value": (value * 1e4).round() / 1e4,
            "unit": unit,
            "goal": goal.text(),
            "met": goal.met(value),
        });
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&self.file).unwrap();
        writeln!(file, "{line}").unwrap();
        self.rows.push(Row { name: name.to_owned(), value, unit, goal });
    }

    /// Prints what there is so far.
    #[allow(clippy::print_stdout, reason = "a benchmark speaks to people")]
    pub fn print(&self) {
        println!("\n== {}", self.title);
        for Row { name, value, unit, goal } in &self.rows {
            let met = match goal.met(*value) {
                Some(true) => "met",
                Some(false) => "NOT met",
                None => "",
            };
            println!("{name:<36} {value:>12.3} {unit:<14} {:<52} {met}", goal.text());
        }
    }
}
