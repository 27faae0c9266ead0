//! What a person sees while the story plays.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The display: a moving bar on a terminal, a line for each step elsewhere.
pub struct Show {
    bar: Option<ProgressBar>,
    began: Instant,
}

impl Show {
    /// A display for so many steps.
    pub fn new(steps: u64) -> Self {
        let bar = std::io::stdout().is_terminal().then(|| {
            let bar = ProgressBar::new(steps);
            let style = ProgressStyle::with_template("{spinner} [{elapsed}] [{bar:24}] {pos}/{len} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar, began: Instant::now() }
    }

    /// A line that stays.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => say(&format!("[{:>5.1} s] {text}", self.began.elapsed().as_secs_f64())),
        }
    }

    /// What is going on at the moment.
    pub fn now(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None => self.line(text),
        }
    }

    /// A step is over.
    pub fn step(&self, name: &str, ok: bool, seconds: f64) {
        let mark = if ok { "✓" } else { "✗" };
        self.line(&format!("{mark} {name}（{seconds:.1} s）"));
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Nothing more moves.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A line on standard output.
pub fn say(text: &str) {
    // Nobody reads any more; the result is in the file and in the exit code.
    let _ = writeln!(std::io::stdout(), "{text}");
}
