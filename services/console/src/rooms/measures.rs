//! The implementation plan (实施方案): its measures with the responsible units, and my unit's duties.

use askama::Template;
use axum::response::Response;
use serde::Deserialize;

use crate::api::{Failure, Room};
use crate::page::{Page, ok};
use crate::session::Ctx;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Unit {
    name: String,
    group: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    key: String,
    kind: String,
    section_title: Option<String>,
    title: String,
    text: String,
    as_named: String,
    units: Vec<Unit>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Passage {
    title: String,
    text: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Plan {
    number: String,
    title: String,
    issued_by: Vec<String>,
    issued_on: String,
    goals: Vec<Passage>,
    principles: Vec<Passage>,
    items: Vec<Item>,
}

/// A duty of a unit.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Duty {
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) as_named: String,
}

impl Duty {
    /// The text that names it: a measure (措施) or a work requirement (工作要求), whose keys begin with W.
    pub(crate) fn naming(&self) -> &'static str {
        if self.key.starts_with('W') { "measure.requirement" } else { "measure.number" }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Duties {
    unit_name: String,
    duties: Vec<Duty>,
}

#[derive(Debug, Template)]
#[template(path = "measures.html")]
struct Measures {
    page: Page,
    plan: Plan,
    mine: Option<Duties>,
}

impl Measures {
    fn is_mine(&self, key: &str) -> bool {
        self.mine.as_ref().is_some_and(|mine| mine.duties.iter().any(|duty| duty.key == key))
    }
}

/// The page.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Failure> {
    let plan: Plan = ctx.line().get(Room::Tasks, "/v1/implementation-plan").await?;
    let mine = match ctx.session.caller.unit_id {
        Some(_) => match ctx.line().get::<Duties>(Room::Tasks, "/v1/duties").await {
            Ok(duties) => Some(duties),
            Err(Failure::SignedOut) => return Err(Failure::SignedOut),
            // A unit that the plan does not name has no duties.
            Err(_) => None,
        },
        None => None,
    };
    ok(&Measures { page: ctx.page("nav.measures"), plan, mine })
}
