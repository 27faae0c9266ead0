//! Whether the clock missed anything (自证): the last nightly proof, and the pulse of this moment.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use crate::api::{Failure, Room};
use crate::page::{Page, ok};
use crate::session::Ctx;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Invariant {
    zh: String,
    en: String,
    violations: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Proof {
    proved_at: String,
    holds: bool,
    statement_zh: String,
    statement_en: String,
    none_missed_since: Option<String>,
    open_cases: i64,
    closed_cases: i64,
    limits: i64,
    urging_orders: i64,
    invariants: Vec<Invariant>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Age {
    up_to_seconds: Option<i64>,
    cases: i64,
}

/// How the clock does at this moment.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pulse {
    at: String,
    armed: i64,
    due_unfired: i64,
    ages: Vec<Age>,
}

/// A bar of the histogram, in the units of the picture.
#[derive(Debug)]
struct Bar {
    x: usize,
    y: i64,
    height: i64,
    word: String,
    cases: i64,
}

/// Height of the picture's highest bar, and the room of one bar.
const HEIGHT: i64 = 100;
const STEP: usize = 60;

impl Pulse {
    fn bars(&self, page: &Page) -> Vec<Bar> {
        let most = self.ages.iter().map(|age| age.cases).max().unwrap_or_default().max(1);
        let bars = self.ages.iter().enumerate().map(|(n, age)| {
            let height = age.cases.saturating_mul(HEIGHT) / most;
            let last = self.ages.iter().rev().find_map(|age| age.up_to_seconds).unwrap_or_default();
            let word = match age.up_to_seconds {
                Some(seconds) => format!("≤ {}", span(page, seconds)),
                None => format!("> {}", span(page, last)),
            };
            Bar { x: n * STEP, y: HEIGHT - height, height, word, cases: age.cases }
        });
        bars.collect()
    }

    fn width(&self) -> usize {
        self.ages.len() * STEP
    }
}

/// A span in its largest whole unit.
fn span(page: &Page, seconds: i64) -> String {
    match seconds {
        ..60 => page.fill("timer.seconds", seconds),
        60..3600 => page.fill("timer.minutes", seconds / 60),
        3600..86_400 => page.fill("timer.hours", seconds / 3600),
        86_400.. => page.fill("timer.days", seconds / 86_400),
    }
}

#[derive(Debug, Template)]
#[template(path = "proofs.html")]
struct Proofs {
    page: Page,
    /// Absent before the first one.
    proof: Option<Proof>,
    pulse: Pulse,
}

/// The last proof and the pulse.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Failure> {
    let line = ctx.line();
    let (proof, pulse) =
        tokio::join!(line.get(Room::Deadlines, "/v1/proofs/latest"), line.get(Room::Deadlines, "/v1/timers/pulse"));
    let proof = match proof {
        Ok(proof) => Some(proof),
        Err(Failure::Refused(refusal)) if refusal.status() == StatusCode::NOT_FOUND => None,
        Err(failure) => return Err(failure),
    };
    ok(&Proofs { page: ctx.page("nav.proofs"), proof, pulse: pulse? })
}
