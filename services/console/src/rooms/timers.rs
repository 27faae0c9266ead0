//! The clocks (时钟): what is armed, what is due, what is late or set aside.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use jiff::civil::Date;
use serde::Deserialize;

use super::{Asked, counties};
use crate::api::{Failure, Room};
use crate::page::{Page, instant_of_local, ok};
use crate::session::Ctx;

/// Where a timer stands.
const STATES: [&str; 4] = ["armed", "due", "late", "stuck"];
/// What timers are for.
const KINDS: [&str; 14] = [
    "resume",
    "reminder",
    "plan_due",
    "due",
    "urge",
    "escalate",
    "look_back",
    "verification",
    "plan_acceptance",
    "close_out",
    "request_decision",
    "step_decision",
    "consultation_answer",
    "look_back_visit",
];

/// An armed timer. Unit and letter are absent for who sees clocks and no matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Timer {
    rectification_id: String,
    unit_name: Option<String>,
    letter_no: Option<String>,
    number: Option<i32>,
    kind: String,
    step: i32,
    state: String,
    due_at: String,
    late_seconds: i64,
}

impl Timer {
    fn light(&self) -> &'static str {
        match self.state.as_str() {
            "late" | "stuck" => "red",
            "due" => "yellow",
            _ => "green",
        }
    }

    /// How long it should have acted already, in the largest whole unit.
    fn late_by(&self, page: &Page) -> String {
        match self.late_seconds {
            ..60 => page.fill("timer.seconds", self.late_seconds),
            60..3600 => page.fill("timer.minutes", self.late_seconds / 60),
            3600..86_400 => page.fill("timer.hours", self.late_seconds / 3600),
            86_400.. => page.fill("timer.days", self.late_seconds / 86_400),
        }
    }
}

/// A rectification that the rules cannot decide on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StuckCase {
    rectification_id: String,
    unit_name: Option<String>,
    letter_no: Option<String>,
    since: String,
    due_at: Option<String>,
    cause: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Found {
    at: String,
    items: Vec<Timer>,
    next: Option<String>,
    stuck: Vec<StuckCase>,
}

#[derive(Debug, Template)]
#[template(path = "timers.html")]
struct Timers {
    page: Page,
    found: Found,
    state: String,
    kind: String,
    county: String,
    from: String,
    to: String,
    counties: Vec<(String, String)>,
    next: Option<String>,
}

/// The beginning of a local day, or of the day after it; empty for what is no day.
fn beginning(day: &str, after: bool) -> String {
    let day: Option<Date> = day.parse().ok();
    let day = if after { day.and_then(|day| day.tomorrow().ok()) } else { day };
    day.and_then(|day| instant_of_local(&format!("{day}T00:00"))).unwrap_or_default()
}

/// The clocks that the caller may see.
pub(crate) async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    let mut query = asked.pick(&["state", "kind", "county", "after"]);
    query.push(("from", beginning(asked.get("from"), false)));
    // The last day that is asked for is looked at to its end.
    query.push(("to", beginning(asked.get("to"), true)));
    let found: Found = ctx.line().find(Room::Deadlines, "/v1/timers", query).await?;
    let template = Timers {
        page: ctx.page("nav.timers"),
        state: asked.get("state").to_owned(),
        kind: asked.get("kind").to_owned(),
        county: asked.get("county").to_owned(),
        from: asked.get("from").to_owned(),
        to: asked.get("to").to_owned(),
        counties: counties(&ctx).await,
        next: asked.next("/timers", found.next.as_deref()),
        found,
    };
    ok(&template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_the_instants_at_which_they_begin_and_end() {
        assert_eq!(beginning("2026-03-05", false), "2026-03-04T16:00:00Z");
        assert_eq!(beginning("2026-03-05", true), "2026-03-05T16:00:00Z");
        assert_eq!(beginning("soon", false), "");
        assert_eq!(beginning("", true), "");
    }

    #[test]
    fn the_kinds_are_those_of_the_domain() {
        assert_eq!(KINDS, domain::rectification::TimerKind::ALL.map(domain::rectification::TimerKind::key));
    }
}
