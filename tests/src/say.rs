//! What is said while a journey or a drill runs.

use std::time::{Duration, Instant};

/// Says lines on stderr, each with the seconds since the start.
#[derive(Debug)]
pub struct Say(Instant);

impl Default for Say {
    fn default() -> Self {
        Self::new()
    }
}

impl Say {
    /// The start is now.
    pub fn new() -> Self {
        Self(Instant::now())
    }

    /// Says it.
    #[expect(clippy::print_stderr, reason = "for whoever watches the run")]
    pub fn it(&self, text: &str) {
        eprintln!("{:7.1} s  {text}", self.0.elapsed().as_secs_f64());
    }

    /// How long ago it began.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
