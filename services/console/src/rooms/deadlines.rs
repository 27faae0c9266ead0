//! "Why is it this very day?" (为什么是这一天): the proof sheet of a due date, day by day.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::api::{Failure, Room};
use crate::page::{Page, ok};
use crate::session::Ctx;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rule {
    article: String,
    rule_id: String,
    rulebook_version: String,
    period: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Day {
    date: String,
    #[serde(rename = "use")]
    used: String,
    class: String,
    reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Proof {
    rule: Rule,
    anchor_event: String,
    anchor_at: String,
    calendar_area: String,
    calendar_version: String,
    days: Vec<Day>,
    provisional: bool,
    due_on: String,
    due_at: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Deadline {
    deadline_id: String,
    rectification_id: String,
    basis: String,
    due_on: String,
    due_at: String,
    provisional: bool,
    explanation: String,
    proof: Proof,
}

impl Deadline {
    /// The days with the running count of those that count.
    fn counted(&self) -> Vec<(&Day, Option<usize>)> {
        let mut count = 0;
        self.proof
            .days
            .iter()
            .map(|day| {
                let counts = day.used == "counted";
                count += usize::from(counts);
                (day, counts.then_some(count))
            })
            .collect()
    }

    /// The period in words: its unit and amount.
    fn period(&self, page: &Page) -> String {
        match &self.proof.rule.period {
            Value::Object(members) => {
                members.iter().map(|(unit, amount)| page.fill(&format!("period.{unit}"), amount)).collect()
            }
            Value::String(unit) => page.word("period", unit).to_owned(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => String::new(),
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "deadline.html")]
struct DeadlinePage {
    page: Page,
    deadline: Deadline,
}

/// The proof sheet.
pub(crate) async fn show(ctx: Ctx, Path(deadline_id): Path<Uuid>) -> Result<Response, Failure> {
    let deadline: Deadline = ctx.line().get(Room::Deadlines, &format!("/v1/deadlines/{deadline_id}")).await?;
    ok(&DeadlinePage { page: ctx.page("deadline.title"), deadline })
}
