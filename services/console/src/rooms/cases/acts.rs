//! The steps of a case: each form becomes one call (a visit with photographs two).

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::units::{self, Found};
use super::{Case, Finding, SEVERITIES, load, render};
use crate::api::{Failure, Refusal, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Forms, Posted};
use crate::page::{Page, done, html, instant_of_local};
use crate::session::Ctx;

/// Sends a step of the case and returns to it, or shows the form again.
async fn act(
    ctx: &Ctx,
    case_id: Uuid,
    step: &str,
    posted: Posted,
    body: Value,
    word: &str,
) -> Result<Response, Failure> {
    let sending = Sending { body: Some(body), key: posted.key(), version: posted.version(), ..Sending::default() };
    let answer = ctx.line().send(Method::POST, Room::Tasks, &format!("/v1/cases/{case_id}/{step}"), sending).await;
    finish(ctx, case_id, posted, answer, word).await
}

async fn finish(
    ctx: &Ctx,
    case_id: Uuid,
    posted: Posted,
    answer: Result<Value, Failure>,
    word: &str,
) -> Result<Response, Failure> {
    match outcome(ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/cases/{case_id}"), word)),
        Outcome::Again(refusal) => render(ctx, case_id, Some((posted, refusal))).await,
    }
}

/// Issues the notice (印发督导通知书).
pub(crate) async fn notify(ctx: Ctx, Path(case_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let body = json!({
        "visit_on": posted.some("visit_on"),
        "contact": posted.some("contact"),
        "materials": posted.lines("materials"),
    });
    act(&ctx, case_id, "notify", posted, body, "done.notified").await
}

/// Uploads the files of a form as evidence of the case; their hashes.
async fn upload(ctx: &Ctx, case_id: Uuid, posted: &Posted) -> Result<Vec<String>, Failure> {
    if posted.files.is_empty() {
        return Ok(Vec::new());
    }
    let sending = Sending {
        parts: Some((Vec::new(), &posted.files)),
        key: posted.key().map(|key| format!("{key}-f")),
        ..Sending::default()
    };
    let path = format!("/v1/cases/{case_id}/evidence");
    let answer = ctx.line().send(Method::POST, Room::Tasks, &path, sending).await?;
    let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(items.iter().filter_map(|item| Some(item.get("sha256")?.as_str()?.to_owned())).collect())
}

/// The evidence of a form: ticked files of before, and those uploaded now. A refused upload is a fault of `files`.
async fn evidence(ctx: &Ctx, case_id: Uuid, posted: &Posted) -> Result<Result<Vec<String>, Refusal>, Failure> {
    let mut hashes: Vec<String> = posted.all("evidence").map(str::to_owned).collect();
    match outcome(ctx, posted, upload(ctx, case_id, posted).await.map(|new| json!(new)))? {
        Outcome::Done(new) => {
            hashes.extend(new.as_array().into_iter().flatten().filter_map(|hash| Some(hash.as_str()?.to_owned())));
            Ok(Ok(hashes))
        }
        Outcome::Again(mut refusal) => {
            let detail = refusal.detail.clone();
            refusal.errors.clear();
            Ok(Err(refusal.field("/files", detail)))
        }
    }
}

/// Hands in the self-evaluation for the unit (自评报告).
pub(crate) async fn self_evaluation(ctx: Ctx, Path(case_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    match evidence(&ctx, case_id, &posted).await? {
        Ok(files) => {
            act(&ctx, case_id, "self-evaluation", posted, json!({ "files": files }), "done.self_evaluation").await
        }
        Err(refusal) => render(&ctx, case_id, Some((posted, refusal))).await,
    }
}

/// Reviews the self-evaluation.
pub(crate) async fn review(ctx: Ctx, Path(case_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let body = json!({ "result": posted.get("result") });
    act(&ctx, case_id, "self-evaluation/review", posted, body, "done.reviewed").await
}

/// Records a visit with its photographs (督导纪实).
pub(crate) async fn visit(ctx: Ctx, Path(case_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let texts = ctx.texts();
    let times = ["arrived_at", "left_at"].map(|name| (name, instant_of_local(posted.get(name))));
    if times.iter().any(|(_, time)| time.is_none()) {
        let mut refusal = Refusal::own(texts.t("form.invalid"), texts.t("form.invalid_advice"));
        for (name, _) in times.iter().filter(|(_, time)| time.is_none()) {
            refusal = refusal.field(&format!("/{name}"), texts.t("form.no_moment").to_owned());
        }
        return render(&ctx, case_id, Some((posted, refusal))).await;
    }
    let [(_, arrived_at), (_, left_at)] = times;
    let files = match evidence(&ctx, case_id, &posted).await? {
        Ok(files) => files,
        Err(refusal) => return render(&ctx, case_id, Some((posted, refusal))).await,
    };
    let mut body = json!({
        "arrived_at": arrived_at,
        "left_at": left_at,
        "place": posted.get("place"),
        "matters": posted.lines("matters"),
        "methods": posted.lines("methods"),
        "highlights": posted.get("highlights"),
        "problems": posted.get("problems"),
        "evidence": files,
    });
    let present: Vec<&str> = posted.all("inspectors").collect();
    if !present.is_empty() {
        body["inspectors"] = json!(present);
    }
    act(&ctx, case_id, "visit-records", posted, body, "done.visited").await
}

/// A number of people; what is no number is left to the service to refuse.
fn count(text: &str) -> Value {
    if text.is_empty() { json!(0) } else { text.parse::<u32>().map_or_else(|_| json!(text), |number| json!(number)) }
}

/// Records what a group of the public said (听取意见).
pub(crate) async fn hearing(ctx: Ctx, Path(case_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let body = json!({
        "group": posted.get("group"),
        "how_drawn": posted.get("how_drawn"),
        "points": posted.lines("points"),
        "participants": count(posted.get("participants")),
        "questionnaires": count(posted.get("questionnaires")),
    });
    act(&ctx, case_id, "hearings", posted, body, "done.heard").await
}

/// The body of a finding, or what is wrong with the unit that was typed.
async fn finding_body(ctx: &Ctx, case: &Case, posted: &Posted) -> Result<Result<Value, Refusal>, Failure> {
    let texts = ctx.texts();
    let typed = posted.get("responsible_unit_id");
    let unit_id = if typed.is_empty() || typed == case.unit.name {
        case.unit.unit_id.clone()
    } else {
        let refused = |text: String| {
            let refusal = Refusal::own(texts.t("form.invalid"), texts.t("form.invalid_advice"));
            Ok(Err(refusal.field("/responsible_unit_id", text)))
        };
        match units::resolve(ctx, typed).await? {
            Found::One(unit) => unit.unit_id,
            Found::None => return refused(texts.fill("unit.unknown", &[typed])),
            Found::Several(units) => {
                let names: Vec<&str> = units.iter().take(5).map(|unit| unit.name.as_str()).collect();
                return refused(texts.fill("unit.several", &[typed, &names.join("、")]));
            }
        }
    };
    Ok(Ok(json!({
        "severity": posted.get("severity"),
        "category": posted.get("category"),
        "description": posted.get("description"),
        "basis": posted.get("basis"),
        "demand": posted.get("demand"),
        "advice": posted.get("advice"),
        "responsible_unit_id": unit_id,
    })))
}

/// Adds a finding (问题).
pub(crate) async fn add_finding(ctx: Ctx, Path(case_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let case = load(&ctx, case_id).await?;
    match finding_body(&ctx, &case, &posted).await? {
        Ok(body) => act(&ctx, case_id, "findings", posted, body, "done.finding_added").await,
        Err(refusal) => render(&ctx, case_id, Some((posted, refusal))).await,
    }
}

#[derive(Debug, Template)]
#[template(path = "cases/finding.html")]
struct FindingPage {
    page: Page,
    forms: Forms,
    case: Case,
    finding: Finding,
}

/// The page on which a finding is changed.
pub(crate) async fn finding(ctx: Ctx, Path((case_id, finding_id)): Path<(Uuid, Uuid)>) -> Result<Response, Failure> {
    render_finding(&ctx, case_id, finding_id, None).await
}

async fn render_finding(
    ctx: &Ctx,
    case_id: Uuid,
    finding_id: Uuid,
    posted: Option<(Posted, Refusal)>,
) -> Result<Response, Failure> {
    let case = load(ctx, case_id).await?;
    let finding_id = finding_id.to_string();
    let finding = case.findings.iter().find(|finding| finding.finding_id == finding_id).cloned();
    let finding = finding.ok_or(Failure::NotFound)?;
    let status = posted.as_ref().map_or(StatusCode::OK, |(_, refusal)| refusal.status());
    html(status, &FindingPage { page: ctx.page("case.finding_change"), forms: ctx.forms(posted), case, finding })
}

/// Changes a finding.
pub(crate) async fn change_finding(
    ctx: Ctx,
    Path((case_id, finding_id)): Path<(Uuid, Uuid)>,
    posted: Posted,
) -> Result<Response, Failure> {
    let case = load(&ctx, case_id).await?;
    let body = match finding_body(&ctx, &case, &posted).await? {
        Ok(body) => body,
        Err(refusal) => return render_finding(&ctx, case_id, finding_id, Some((posted, refusal))).await,
    };
    let sending = Sending { body: Some(body), version: posted.version(), ..Sending::default() };
    let path = format!("/v1/cases/{case_id}/findings/{finding_id}");
    let answer = ctx.line().send(Method::PUT, Room::Tasks, &path, sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/cases/{case_id}"), "done.finding_changed")),
        Outcome::Again(refusal) => render_finding(&ctx, case_id, finding_id, Some((posted, refusal))).await,
    }
}

/// Deletes a finding.
pub(crate) async fn delete_finding(
    ctx: Ctx,
    Path((case_id, finding_id)): Path<(Uuid, Uuid)>,
    posted: Posted,
) -> Result<Response, Failure> {
    let sending = Sending { version: posted.version(), ..Sending::default() };
    let path = format!("/v1/cases/{case_id}/findings/{finding_id}");
    let answer = ctx.line().send(Method::DELETE, Room::Tasks, &path, sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/cases/{case_id}"), "done.finding_deleted")),
        Outcome::Again(refusal) => render_finding(&ctx, case_id, finding_id, Some((posted, refusal))).await,
    }
}

/// Feeds back the preliminary opinion (反馈初步督导意见).
pub(crate) async fn feedback(ctx: Ctx, Path(case_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let body = json!({ "evaluation": posted.get("evaluation"), "deliberation": posted.get("deliberation") });
    act(&ctx, case_id, "feedback", posted, body, "done.fed_back").await
}

/// The unit pleads, or gives it up in writing (申辩).
pub(crate) async fn plea(ctx: Ctx, Path(case_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let body = if posted.ticked("waived") { json!({ "waived": true }) } else { json!({ "text": posted.get("text") }) };
    act(&ctx, case_id, "plea", posted, body, "done.pleaded").await
}

/// Answers the plea (处理申辩).
pub(crate) async fn plea_decision(ctx: Ctx, Path(case_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let body = json!({ "treatment": posted.get("treatment") });
    act(&ctx, case_id, "plea-decision", posted, body, "done.plea_decided").await
}

/// Issues the opinion letter, or the rectification notice (印发督导意见书、整改通知书).
pub(crate) async fn letter(ctx: Ctx, Path(case_id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let mut body = json!({ "evaluation": posted.get("evaluation") });
    for field in ["plea_treatment", "report_how", "contact"] {
        if let Some(text) = posted.some(field) {
            body[field] = json!(text);
        }
    }
    act(&ctx, case_id, "letter", posted, body, "done.letter_issued").await
}
