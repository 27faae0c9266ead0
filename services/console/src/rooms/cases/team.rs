//! Choosing the supervision group (督导小组): search, add, declare, save as a whole.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::super::{Asked, List, counties};
use super::{Case, RECUSALS, load};
use crate::api::{Failure, Refusal, Room, Sending, percent};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html};
use crate::session::Ctx;

/// An inspector of the register.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct Inspector {
    person_id: String,
    inspector_no: String,
    name: String,
    area_code: String,
    full_time: bool,
    grade: Option<String>,
    term_from: String,
    term_to: String,
    training_hours: f64,
    suspended: bool,
}

/// A member as the form shows it.
#[derive(Debug)]
struct Chosen {
    person_id: String,
    name: String,
    inspector_no: String,
    leader: bool,
    recusals: Vec<String>,
    /// Address of the page without this member.
    without: String,
}

impl Chosen {
    fn has(&self, flag: &str) -> bool {
        self.recusals.iter().any(|own| own == flag)
    }
}

#[derive(Debug, Template)]
#[template(path = "cases/team.html")]
struct TeamPage {
    page: Page,
    forms: Forms,
    case: Case,
    chosen: Vec<Chosen>,
    words: String,
    county: String,
    counties: Vec<(String, String)>,
    found: Vec<(Inspector, String)>,
    searched: bool,
    recusals: &'static [&'static str],
}

/// The page. Who is chosen stands in the address until it is saved.
pub(crate) async fn show(ctx: Ctx, Path(case_id): Path<Uuid>, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    render(&ctx, case_id, &asked, None).await
}

async fn inspector(ctx: &Ctx, person_id: Uuid) -> Result<Inspector, Failure> {
    ctx.line().get(Room::Registry, &format!("/v1/inspectors/{person_id}")).await
}

fn address(case_id: Uuid, members: &[String], words: &str, county: &str) -> String {
    let mut query = vec!["chosen=1".to_owned()];
    query.extend(members.iter().map(|member| format!("m={}", percent(member))));
    for (key, value) in [("q", words), ("county", county)] {
        if !value.is_empty() {
            query.push(format!("{key}={}", percent(value)));
        }
    }
    format!("/cases/{case_id}/team?{}", query.join("&"))
}

async fn render(
    ctx: &Ctx,
    case_id: Uuid,
    asked: &Asked,
    posted: Option<(Posted, Refusal)>,
) -> Result<Response, Failure> {
    let case = load(ctx, case_id).await?;
    let (words, county) = (asked.get("q").to_owned(), asked.get("county").to_owned());
    // Until a choice is made in the address (or was sent), the group as it stands is the choice.
    let members: Vec<String> = match &posted {
        Some((posted, _)) => posted.all("person_id").map(str::to_owned).collect(),
        None if asked.get("chosen").is_empty() => case.team.iter().map(|member| member.person_id.clone()).collect(),
        None => asked.all("m").map(str::to_owned).collect(),
    };
    let mut chosen = Vec::new();
    for (n, person_id) in members.iter().enumerate() {
        if chosen.iter().any(|member: &Chosen| member.person_id == *person_id) {
            continue;
        }
        let standing = case.team.iter().find(|member| member.person_id == *person_id);
        let (name, inspector_no) = match standing {
            Some(member) => (member.name.clone(), member.inspector_no.clone()),
            None => match person_id.parse() {
                Ok(id) => {
                    let found = inspector(ctx, id).await?;
                    (found.name, found.inspector_no)
                }
                Err(_) => continue,
            },
        };
        let sent = posted.as_ref().map(|(posted, _)| posted);
        let rest: Vec<String> = members.iter().filter(|other| *other != person_id).cloned().collect();
        chosen.push(Chosen {
            leader: sent.map_or_else(
                || standing.map_or(n == 0 && case.team.is_empty(), |member| member.leader),
                |posted| posted.get("leader") == person_id,
            ),
            recusals: sent.map_or_else(
                || standing.map(|member| member.recusals.clone()).unwrap_or_default(),
                |posted| posted.all(&format!("recusals/{person_id}")).map(str::to_owned).collect(),
            ),
            without: address(case_id, &rest, &words, &county),
            person_id: person_id.clone(),
            name,
            inspector_no,
        });
    }
    let searched = asked.get("search") == "1" || !words.is_empty() || !county.is_empty();
    let found = if searched {
        let query = vec![("q", words.clone()), ("area", county.clone()), ("limit", "50".to_owned())];
        ctx.line().find::<List<Inspector>>(Room::Registry, "/v1/inspectors", query).await?.items
    } else {
        Vec::new()
    };
    let found = found
        .into_iter()
        .filter(|inspector| !members.contains(&inspector.person_id))
        .map(|inspector| {
            let mut with = members.clone();
            with.push(inspector.person_id.clone());
            let with = address(case_id, &with, &words, &county);
            (inspector, with)
        })
        .collect();
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    let template = TeamPage {
        page: ctx.page("case.team"),
        forms: ctx.forms(posted),
        counties: counties(ctx).await,
        case,
        chosen,
        words,
        county,
        found,
        searched,
        recusals: &RECUSALS,
    };
    html(status, &template)
}

/// Saves the group as a whole.
pub(crate) async fn save(ctx: Ctx, Path(case_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let members: Vec<_> = posted
        .all("person_id")
        .map(|person_id| {
            let recusals: Vec<String> = posted.all(&format!("recusals/{person_id}")).map(str::to_owned).collect();
            json!({ "person_id": person_id, "leader": posted.get("leader") == person_id, "recusals": recusals })
        })
        .collect();
    let sending = Sending {
        body: Some(json!({ "members": members })),
        key: posted.key(),
        version: posted.version(),
        ..Sending::default()
    };
    let answer = ctx.line().send(Method::POST, Room::Tasks, &format!("/v1/cases/{case_id}/team"), sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/cases/{case_id}"), "done.team_saved")),
        Outcome::Again(refusal) => render(&ctx, case_id, &Asked::default(), Some((posted, refusal))).await,
    }
}
