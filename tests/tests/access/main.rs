//! Every route × role × scope, over the real routers of all services: who has no token, who has no such role, and whose
//! scope does not reach the thing. `routes.txt` holds a decision for each route; a route without one fails the test.
//!
//! What the policies permit is decided by `access` and proven there, role by role (`crates/access/tests/matrix.txt`). Here
//! the question is whether each route asks: for its action, and about the thing that it touches.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod ground;
mod probe;
mod routes;

use std::io::Cursor;
use std::path::Path;

use access::{Action, Caller, Role};
use calamine::{Reader as _, Xlsx};
use domain::ids::{AccountId, AreaId, UnitId};
use http::StatusCode;
use testkit::{Answer, Call};

use crate::ground::{Ground, Room};
use crate::routes::{Decision, Route};

/// Whose things a caller's grant reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Province,
    OwnArea,
    OtherArea,
    OwnUnit,
    OtherUnit,
    None,
}

const SCOPES: [Scope; 6] =
    [Scope::Province, Scope::OwnArea, Scope::OtherArea, Scope::OwnUnit, Scope::OtherUnit, Scope::None];

/// A caller with what is said of him when something is wrong.
struct Somebody {
    name: String,
    caller: Caller,
    header: String,
}

fn everybody(ground: &Ground) -> Vec<Somebody> {
    let mut all = Vec::new();
    for role in Role::ALL.iter().copied() {
        for scope in SCOPES {
            let (area, unit): (Option<AreaId>, Option<UnitId>) = match scope {
                Scope::Province => (Some(ground.province), None),
                Scope::OwnArea => (Some(ground.county), None),
                Scope::OtherArea => (Some(ground.other_county), None),
                Scope::OwnUnit => (None, Some(ground.school)),
                Scope::OtherUnit => (None, Some(ground.other_school)),
                Scope::None => (None, None),
            };
            let mut caller = testkit::caller(role, area, unit);
            if let (Role::UnitPrincipal, Scope::OwnUnit) = (role, scope) {
                // Known to the services: the head of the school.
                caller.account_id = AccountId::from(ground.principal);
            }
            let header = format!("Bearer {}", testkit::token(&caller));
            all.push(Somebody { name: format!("{role} with {scope:?}"), caller, header });
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_has_a_decision() {
    let rooms = ground::rooms().await;
    let listed: Vec<String> = rooms.iter().flat_map(Room::lines).collect();
    let decided: Vec<String> = routes::all().iter().map(|route| route.line.clone()).collect();
    let undecided: Vec<_> = listed.iter().filter(|line| !decided.contains(line)).collect();
    assert!(undecided.is_empty(), "routes without a decision in routes.txt (or with another action): {undecided:#?}");
    let gone: Vec<_> = decided.iter().filter(|line| !listed.contains(line)).collect();
    assert!(gone.is_empty(), "routes.txt has routes that no service has: {gone:#?}");
    assert_eq!(decided.len(), listed.len(), "routes.txt has a route twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_asks_for_the_role_and_for_the_thing() {
    let policies = testkit::access();
    let mut wrong = Vec::new();
    let mut calls = 0_usize;
    for room in ground::rooms().await {
        let somebodies = everybody(&room.ground);
        for route in routes::all().iter().filter(|route| route.service == room.name) {
            let said = |who: &str, answer: &Answer, expected: &str| {
                let text: String = String::from_utf8_lossy(&answer.bytes).chars().take(300).collect();
                format!("{} for {who}: {} instead of {expected}: {text}", route.line, answer.status)
            };
            let nobody = probe::call(&room, route).send(&room.router).await;
            calls += 1;
            let Some(action) = route.action else {
                // Signing in and activating refuse by themselves what is no account; they ask for no token.
                let asks_for_a_secret = ["/v1/sessions", "/v1/activations"].contains(&route.path.as_str());
                let closed = [401, 403].contains(&nobody.status.as_u16()) && !asks_for_a_secret;
                if closed || nobody.status.is_server_error() {
                    wrong.push(said("everyone", &nobody, "an answer"));
                }
                continue;
            };
            if nobody.status != StatusCode::UNAUTHORIZED {
                wrong.push(said("nobody", &nobody, "401"));
            }
            let bad = probe::call(&room, route).header("authorization", "Bearer a.b.c").send(&room.router).await;
            if bad.status != StatusCode::UNAUTHORIZED {
                wrong.push(said("a forged token", &bad, "401"));
            }
            let mut through = 0;
            for somebody in &somebodies {
                let answer = ask(&room, route, somebody).await;
                calls += 1;
                match judge(&policies, &room, route, action, somebody, &answer) {
                    Ok(passed) => through += usize::from(passed),
                    Err(expected) => wrong.push(said(&somebody.name, &answer, &expected)),
                }
            }
            if through == 0 {
                wrong.push(format!("{}: nobody gets through, so the refusals prove nothing", route.line));
            }
        }
    }
    assert!(calls > 3_000, "only {calls} calls");
    assert!(wrong.is_empty(), "{} of {calls} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

async fn ask(room: &Room, route: &Route, somebody: &Somebody) -> Answer {
    let call: Call = probe::call(room, route);
    call.header("authorization", &somebody.header).send(&room.router).await
}

/// Whether the answer lets the caller through to the thing; the error is what it should have been.
fn judge(
    policies: &access::Access,
    room: &Room,
    route: &Route,
    action: Action,
    somebody: &Somebody,
    answer: &Answer,
) -> Result<bool, String> {
    let status = answer.status.as_u16();
    let refused = status == 403 || status == 404;
    if answer.status.is_server_error() {
        return Err("anything but a fault of ours".to_owned());
    }
    if status == 401 {
        return Err("the token to be believed".to_owned());
    }
    if !policies.admits(&somebody.caller, action) {
        return if status == 403 { Ok(false) } else { Err("403 (no such role)".to_owned()) };
    }
    let reaches = |resource: &access::Resource| policies.permits(&somebody.caller, action, resource).is_ok();
    match route.decision {
        Decision::Public => Err("a route with an action is not public".to_owned()),
        Decision::Open | Decision::Installation => {
            if status == 403 {
                Err("a way in".to_owned())
            } else {
                Ok(true)
            }
        }
        Decision::List => {
            if !answer.status.is_success() {
                return Err("a list".to_owned());
            }
            let marker = room.marker(route);
            let seen = String::from_utf8_lossy(&answer.bytes).contains(&marker);
            // Who is permitted on the installation as a whole sees every row.
            let reaches = reaches(&room.resource(route)) || reaches(&access::Resource::installation());
            if seen == reaches {
                Ok(reaches)
            } else {
                Err(format!("a list {} {marker}", if reaches { "with" } else { "without" }))
            }
        }
        Decision::Sum => {
            if !answer.status.is_success() {
                return Err("an answer".to_owned());
            }
            let (counted, reaches) = (counts_the_matter(route, answer), reaches(&room.resource(route)));
            if counted == reaches {
                Ok(reaches)
            } else {
                Err(format!("an answer {} the matter", if reaches { "with" } else { "without" }))
            }
        }
        Decision::Thing | Decision::Team | Decision::Create => {
            if !reaches(&room.resource(route)) {
                return if refused { Ok(false) } else { Err("403 or 404 (out of scope)".to_owned()) };
            }
            // Who is of the group or works in the office is the service's own question, on top of the scope.
            if refused && route.decision == Decision::Thing {
                return Err("a way in (in scope)".to_owned());
            }
            Ok(!refused)
        }
        Decision::Own => {
            let owner = somebody.caller.account_id == AccountId::from(room.ground.principal);
            if owner == refused {
                Err(format!("{} (only the owner)", if owner { "a way in" } else { "403 or 404" }))
            } else {
                Ok(owner)
            }
        }
    }
}

/// Whether figures or a workbook count the one matter that there is.
fn counts_the_matter(route: &Route, answer: &Answer) -> bool {
    if route.path == "/v1/ledger.xlsx" {
        let mut workbook: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(answer.bytes.clone())).unwrap();
        let ledger = workbook.worksheet_range("整改台账").unwrap();
        return ledger.rows().any(|row| row.iter().any(|cell| cell.to_string().contains(ground::FINDING)));
    }
    answer.json["total"]["items"].as_i64().unwrap() > 0
}

/// The API descriptions that others build on stand in the tree, so that a change of an API is seen where it is reviewed.
#[tokio::test(flavor = "multi_thread")]
async fn every_api_description_is_as_pinned() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut changed = Vec::new();
    for room in ground::rooms().await {
        let answer = Call::get("/openapi.json").send(&room.router).await.expect(StatusCode::OK);
        let mut now = serde_json::to_string_pretty(&answer.json).unwrap();
        now.push('\n');
        assert_eq!(answer.json["openapi"], "3.1.0", "{}", room.name);
        let pinned = root.join(format!("services/{}/openapi.json", room.name));
        if std::fs::read_to_string(&pinned).unwrap_or_default() != now {
            let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.openapi.json", room.name));
            std::fs::write(&fresh, now).unwrap();
            changed.push(format!("cp {} {}", fresh.display(), pinned.display()));
        }
    }
    assert!(
        changed.is_empty(),
        "API descriptions changed; read the difference, and if it is meant:\n{}",
        changed.join("\n")
    );
}
