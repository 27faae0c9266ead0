//! What people do with a rectification: each form becomes one call.

use axum::extract::Path;
use axum::response::Response;
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::render;
use crate::api::{Failure, Room, Sending};
use crate::errors::{Outcome, outcome};
use crate::form::{Posted, Upload};
use crate::page::done;
use crate::session::Ctx;

/// Lines for measures that a form for a plan has at least.
pub(super) const MEASURES: usize = 4;
/// Lines that are looked for in what a form sends; the service takes no more.
const MOST_MEASURES: usize = 100;

/// Sends an act on an item and returns to it, or shows the form again.
async fn act(
    ctx: &Ctx,
    (id, item_id): (Uuid, Uuid),
    verb: &str,
    posted: Posted,
    body: Value,
    word: &str,
) -> Result<Response, Failure> {
    let sending = Sending { body: Some(body), key: posted.key(), version: posted.version(), ..Sending::default() };
    let path = format!("/v1/rectifications/{id}/items/{item_id}/{verb}");
    let answer = ctx.line().send(Method::POST, Room::Deadlines, &path, sending).await;
    match outcome(ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/rectifications/{id}#item-{item_id}"), word)),
        Outcome::Again(refusal) => render(ctx, id, Some((posted, refusal))).await,
    }
}

/// Uploads one file as evidence of an item; its id.
async fn upload(
    ctx: &Ctx,
    id: Uuid,
    item_id: Uuid,
    n: usize,
    file: &Upload,
    posted: &Posted,
) -> Result<Value, Failure> {
    let sending = Sending {
        parts: Some((vec![("item_id".to_owned(), item_id.to_string())], std::slice::from_ref(file))),
        key: posted.key().map(|key| format!("{key}-f{n}")),
        ..Sending::default()
    };
    let answer =
        ctx.line().send(Method::POST, Room::Deadlines, &format!("/v1/rectifications/{id}/evidence"), sending).await?;
    Ok(answer.get("file_id").cloned().unwrap_or_default())
}

/// The unit reports on an item, with evidence (整改报告).
pub(crate) async fn report(
    ctx: Ctx,
    Path((id, item_id)): Path<(Uuid, Uuid)>,
    posted: Posted,
) -> Result<Response, Failure> {
    let mut evidence: Vec<Value> = posted.all("evidence").map(|file_id| json!(file_id)).collect();
    for (n, file) in posted.files.iter().enumerate() {
        match outcome(&ctx, &posted, upload(&ctx, id, item_id, n, file, &posted).await)? {
            Outcome::Done(file_id) => evidence.push(file_id),
            Outcome::Again(mut refusal) => {
                let detail = format!("{}：{}", file.file_name, refusal.detail);
                refusal.errors.clear();
                return render(&ctx, id, Some((posted, refusal.field("/files", detail)))).await;
            }
        }
    }
    let body = json!({ "text": posted.get("text"), "evidence": evidence });
    let had_none = evidence.is_empty();
    let sending = Sending { body: Some(body), key: posted.key(), version: posted.version(), ..Sending::default() };
    let path = format!("/v1/rectifications/{id}/items/{item_id}/report");
    let answer = ctx.line().send(Method::POST, Room::Deadlines, &path, sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/rectifications/{id}#item-{item_id}"), "done.reported")),
        Outcome::Again(mut refusal) => {
            // In the form new evidence is the field of files.
            for fault in &mut refusal.errors {
                if had_none && fault.pointer.starts_with("/evidence") {
                    "/files".clone_into(&mut fault.pointer);
                }
            }
            render(&ctx, id, Some((posted, refusal))).await
        }
    }
}

/// Another person verifies the report, or returns it (核查).
pub(crate) async fn verify(ctx: Ctx, Path(ids): Path<(Uuid, Uuid)>, posted: Posted) -> Result<Response, Failure> {
    let word = if posted.get("decision") == "return" { "done.returned" } else { "done.verified" };
    let body = json!({ "decision": posted.get("decision"), "note": posted.get("note") });
    act(&ctx, ids, "verify", posted, body, word).await
}

/// One approval of the close-out, which closes the item when it is the last one needed (销号).
pub(crate) async fn close_out(ctx: Ctx, Path(ids): Path<(Uuid, Uuid)>, posted: Posted) -> Result<Response, Failure> {
    let body = posted.some("opinion").map_or_else(|| json!({}), |opinion| json!({ "opinion": opinion }));
    act(&ctx, ids, "close-out", posted, body, "done.closed_out").await
}

/// The close-out is refused: the report goes back to verification.
pub(crate) async fn refuse_close_out(
    ctx: Ctx,
    Path(ids): Path<(Uuid, Uuid)>,
    posted: Posted,
) -> Result<Response, Failure> {
    let body = json!({ "reason": posted.get("reason") });
    act(&ctx, ids, "close-out/refusal", posted, body, "done.close_out_refused").await
}

/// The unit hands in its plan (整改方案). Lines without a word are left out.
pub(crate) async fn submit_plan(
    ctx: Ctx,
    Path((id, item_id)): Path<(Uuid, Uuid)>,
    posted: Posted,
) -> Result<Response, Failure> {
    let lines = measures(&posted);
    let written: Vec<&Value> = lines.iter().map(|(_, measure)| measure).collect();
    let body = json!({ "text": posted.get("text"), "measures": written });
    let sending = Sending { body: Some(body), key: posted.key(), version: posted.version(), ..Sending::default() };
    let path = format!("/v1/rectifications/{id}/items/{item_id}/plan");
    let answer = ctx.line().send(Method::POST, Room::Deadlines, &path, sending).await;
    match outcome(&ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/rectifications/{id}#item-{item_id}"), "done.plan_submitted")),
        Outcome::Again(mut refusal) => {
            // The service counts the lines that it got, the form those that it shows.
            for fault in &mut refusal.errors {
                let Some((place, rest)) = fault.pointer.strip_prefix("/measures/").map(|rest| {
                    let (place, field) = rest.split_once('/').unwrap_or((rest, "what"));
                    (place.parse::<usize>().ok(), field.to_owned())
                }) else {
                    continue;
                };
                if let Some((line, _)) = place.and_then(|place| lines.get(place)) {
                    fault.pointer = format!("/measures/{line}/{rest}");
                }
            }
            render(&ctx, id, Some((posted, refusal))).await
        }
    }
}

/// The lines of a plan that hold anything, each with its place in the form.
fn measures(posted: &Posted) -> Vec<(usize, Value)> {
    let field = |n: usize, name: &str| posted.get(&format!("measures/{n}/{name}")).to_owned();
    (0..MOST_MEASURES)
        .filter_map(|n| {
            let [what, responsible, until, standard] =
                ["what", "responsible", "until", "standard"].map(|name| field(n, name));
            let written = [&what, &responsible, &until, &standard].iter().any(|text| !text.is_empty());
            written
                .then(|| (n, json!({ "what": what, "responsible": responsible, "until": until, "standard": standard })))
        })
        .collect()
}

/// The agency accepts or returns a plan.
pub(crate) async fn judge_plan(ctx: Ctx, Path(ids): Path<(Uuid, Uuid)>, posted: Posted) -> Result<Response, Failure> {
    let word = if posted.get("decision") == "return" { "done.plan_returned" } else { "done.plan_accepted" };
    let body = json!({ "decision": posted.get("decision"), "note": posted.get("note") });
    act(&ctx, ids, "plan/judgement", posted, body, word).await
}

/// The unit notes how far it is (整改进展).
pub(crate) async fn note_progress(
    ctx: Ctx,
    Path(ids): Path<(Uuid, Uuid)>,
    posted: Posted,
) -> Result<Response, Failure> {
    let body = json!({ "text": posted.get("text") });
    act(&ctx, ids, "progress", posted, body, "done.progress_noted").await
}

/// Another office is asked for help (协商意见书).
pub(crate) async fn consult(ctx: Ctx, Path(ids): Path<(Uuid, Uuid)>, posted: Posted) -> Result<Response, Failure> {
    let body = json!({ "office": posted.get("office"), "question": posted.get("question") });
    act(&ctx, ids, "consultation", posted, body, "done.consulted").await
}

/// What the consulted office answered.
pub(crate) async fn answer_consultation(
    ctx: Ctx,
    Path(ids): Path<(Uuid, Uuid)>,
    posted: Posted,
) -> Result<Response, Failure> {
    let body = json!({ "text": posted.get("text") });
    act(&ctx, ids, "consultation/answer", posted, body, "done.consultation_answered").await
}

/// What a look-back found (回头看).
pub(crate) async fn look_back(ctx: Ctx, Path(ids): Path<(Uuid, Uuid)>, posted: Posted) -> Result<Response, Failure> {
    let word = if posted.get("decision") == "return" { "done.reopened" } else { "done.looked_back" };
    let body = json!({ "decision": posted.get("decision"), "note": posted.get("note") });
    act(&ctx, ids, "look-back", posted, body, word).await
}

/// Somebody asks for what another person decides (申请).
pub(crate) async fn ask(ctx: Ctx, Path(id): Path<Uuid>, posted: Posted) -> Result<Response, Failure> {
    let reason = posted.get("reason");
    let body = match posted.get("subject") {
        "extension" => {
            // What is no number goes as it is: the service says what is wrong with it.
            let amount = posted.get("amount").parse::<u32>().map_or_else(|_| json!(posted.get("amount")), |n| json!(n));
            let mut period = serde_json::Map::new();
            period.insert(posted.get("unit").to_owned(), amount);
            json!({ "subject": "extension", "item_id": posted.get("item_id"), "period": period, "reason": reason })
        }
        "pause" => {
            json!({ "subject": "pause", "pause": posted.get("pause"), "until": posted.get("until"), "reason": reason })
        }
        "lift" => json!({ "subject": "lift", "proposal_id": posted.get("proposal_id"), "reason": reason }),
        "waiver" => json!({ "subject": "waiver", "item_id": posted.get("item_id"), "reason": reason }),
        other => json!({ "subject": other, "reason": reason }),
    };
    on_the_whole(&ctx, id, "requests", posted, body, "done.asked").await
}

/// A request is granted or refused.
pub(crate) async fn decide_request(
    ctx: Ctx,
    Path((id, request_id)): Path<(Uuid, Uuid)>,
    posted: Posted,
) -> Result<Response, Failure> {
    let granted = posted.get("granted") == "true";
    let word = if granted { "done.granted" } else { "done.refused" };
    let body = json!({ "granted": granted, "note": posted.get("note") });
    on_the_whole(&ctx, id, &format!("requests/{request_id}/decision"), posted, body, word).await
}

/// A step of the ladder was taken (约谈, 通报, 问责).
pub(crate) async fn decide_step(
    ctx: Ctx,
    Path((id, proposal_id)): Path<(Uuid, Uuid)>,
    posted: Posted,
) -> Result<Response, Failure> {
    let body = json!({ "note": posted.get("note") });
    on_the_whole(&ctx, id, &format!("steps/{proposal_id}/decision"), posted, body, "done.step_taken").await
}

/// Sends an act on the rectification and returns to it, or shows the form again.
async fn on_the_whole(
    ctx: &Ctx,
    id: Uuid,
    verb: &str,
    posted: Posted,
    body: Value,
    word: &str,
) -> Result<Response, Failure> {
    let sending = Sending { body: Some(body), key: posted.key(), version: posted.version(), ..Sending::default() };
    let path = format!("/v1/rectifications/{id}/{verb}");
    let answer = ctx.line().send(Method::POST, Room::Deadlines, &path, sending).await;
    match outcome(ctx, &posted, answer)? {
        Outcome::Done(_) => Ok(done(&format!("/rectifications/{id}"), word)),
        Outcome::Again(refusal) => render(ctx, id, Some((posted, refusal))).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_plan_without_a_word_are_left_out_and_keep_their_places() {
        let posted = Posted::of(&[
            ("measures/0/what", ""),
            ("measures/1/what", "清理"),
            ("measures/1/until", "2026-05-01"),
            ("measures/3/responsible", "总务处"),
        ]);
        let lines = measures(&posted);
        let places: Vec<usize> = lines.iter().map(|(place, _)| *place).collect();
        assert_eq!(places, [1, 3]);
        assert_eq!(lines[0].1, json!({"what": "清理", "responsible": "", "until": "2026-05-01", "standard": ""}));
    }
}
