//! Every missing step is refused with its named reason.

use http::StatusCode;
use serde_json::{Value, json};

use crate::world::{World, letter, opinion};

fn member(person: &impl ToString, leader: bool) -> Value {
    json!({"person_id": person.to_string(), "leader": leader, "recusals": []})
}

#[tokio::test]
async fn each_missing_step_is_refused_by_name() {
    let world = World::new().await;
    let case = world.case().await;
    // Planned: nothing but the team is possible.
    case.refused("notify", &json!({}), "team").await;
    let visit = case.visit_body().await;
    case.refused("visit-records", &visit, "no_notice").await;
    case.refused("findings", &world.finding(), "no_visit").await;
    case.refused("feedback", &opinion(), "no_visit").await;
    case.refused("letter", &letter(), "no_preliminary_opinion").await;
    case.refused("plea-decision", &json!({"treatment": "采纳"}), "no_preliminary_opinion").await;

    // Notified: the visit has to come, not before its day.
    case.team_and_notice().await;
    case.refused("team", &world.team_of_two(), "state").await;
    world.days_later(1).await;
    let early = case.visit_body().await;
    case.refused("visit-records", &early, "visit_too_soon").await;
    case.refused("feedback", &opinion(), "no_visit").await;

    // On site: the public has to be heard, group by group.
    world.days_later(7).await;
    let visit = case.visit_body().await;
    case.done("visit-records", &visit).await;
    let refusal = case.refused("feedback", &opinion(), "not_heard").await;
    assert!(refusal["detail"].as_str().unwrap().contains("学生、家长、教师"), "{refusal}");
    case.hear_all().await;
    case.refused("letter", &letter(), "no_preliminary_opinion").await;

    // Fed back: the receipt has to come before plea and letter.
    case.done("feedback", &opinion()).await;
    case.refused("findings", &world.finding(), "fed_back").await;
    case.refused("letter", &letter(), "opinion_not_received").await;
    let early = case.step("plea", &json!({"text": "申辩"}), &world.principal).await.expect(StatusCode::CONFLICT);
    assert_eq!(early.json["guard"], "opinion_not_received");

    // Pleading: the window, the answer, and at least one finding.
    let document = case.see().await["preliminary_opinion"]["document"].clone();
    world.sign(&document, world.school).await.unwrap();
    case.refused("letter", &letter(), "plea_open").await;
    case.refused("plea-decision", &json!({"treatment": "采纳"}), "no_plea").await;
    case.step("plea", &json!({"text": "申辩"}), &world.principal).await.expect(StatusCode::OK);
    let again = case.step("plea", &json!({"text": "再申辩"}), &world.principal).await.expect(StatusCode::CONFLICT);
    assert_eq!(again.json["guard"], "plea_done");
    case.refused("letter", &letter(), "plea_unanswered").await;
    case.done("plea-decision", &json!({"treatment": "采纳"})).await;
    case.refused("letter", &letter(), "no_findings").await;
    // A refused letter took no number and left no event.
    let serials: i64 = sqlx::query_scalar("SELECT count(*) FROM document_serials WHERE kind_word = '意'")
        .fetch_one(world.database.pool())
        .await
        .unwrap();
    assert_eq!(serials, 0);
}

impl World {
    fn team_of_two(&self) -> Value {
        json!({"members": [member(&self.inspectors[0], true), member(&self.inspectors[1], false)]})
    }
}

/// Regulation art. 10 and 16: three who count on the day, none who must withdraw.
#[tokio::test]
async fn a_team_needs_three_inspectors_who_count() {
    let world = World::new().await;
    let case = world.case().await;
    case.refused("team", &world.team_of_two(), "team").await;
    for (unfit, reason) in
        [(world.expired, "不在聘期内"), (world.suspended, "已暂停履职"), (world.untrained, "未完成岗前培训")]
    {
        let mut team = world.team_of_two();
        team["members"].as_array_mut().unwrap().push(member(&unfit, false));
        let refusal = case.refused("team", &team, "team").await;
        assert!(refusal["detail"].as_str().unwrap().contains(reason), "{refusal}");
    }
    for flag in [
        "near_relative_of_principal",
        "family_works_or_studies_there",
        "works_there",
        "left_within_three_years",
        "interest_or_other_relation",
        "same_unit_last_round",
    ] {
        let mut team = world.team();
        team["members"][2]["recusals"] = json!([flag]);
        let refusal = case.refused("team", &team, "team").await;
        assert!(refusal["detail"].as_str().unwrap().contains("应当回避"), "{refusal}");
    }
    // Wrong input is named by field.
    let answer = case
        .step(
            "team",
            &json!({"members": [member(&world.inspectors[0], false), member(&world.school, false)]}),
            &case.office,
        )
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);
    let pointers: Vec<&str> =
        answer.json["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/members", "/members/1/person_id"]);
    case.done("team", &world.team()).await;
}

/// Served at least five working days ahead (rulebook, Regulation art. 17).
#[tokio::test]
async fn a_notice_names_the_earliest_visit() {
    let world = World::new().await;
    let mut body = world.new_case(world.school);
    body["visit_on"] = json!("2026-03-06");
    let case = world.case_of(&world.county_admin, body).await;
    case.done("team", &world.team()).await;
    let refusal = case.refused("notify", &json!({}), "visit_too_soon").await;
    assert_eq!(refusal["earliest_visit_on"], "2026-03-09");
    let done = case.done("notify", &json!({"visit_on": "2026-03-09"})).await;
    assert_eq!(done["visit_on"], "2026-03-09");
    // The refused one took no number.
    assert_eq!(done["notification"]["document"]["doc_no"], "海口教督委〔2026〕1号");
}

/// Regulation art. 18: a self-evaluation that was asked for must be reviewed by the group.
#[tokio::test]
async fn a_required_self_evaluation_must_be_reviewed() {
    let world = World::new().await;
    let mut body = world.new_case(world.school);
    body["self_evaluation_due_on"] = json!("2026-03-06");
    let case = world.case_of(&world.county_admin, body).await;
    case.team_and_notice().await;
    world.days_later(8).await;
    let visit = case.visit_body().await;
    case.done("visit-records", &visit).await;
    case.hear_all().await;
    case.refused("feedback", &opinion(), "self_evaluation_not_reviewed").await;
    let uploaded = crate::evidence::upload(&case, &world.inspector, &crate::evidence::photo()).await;
    let sha256 = uploaded.expect(StatusCode::CREATED).json["items"][0]["sha256"].clone();
    case.done("self-evaluation", &json!({"files": [sha256]})).await;
    case.refused("feedback", &opinion(), "self_evaluation_not_reviewed").await;
    // The office is not of the group: its review does not count.
    case.refused("self-evaluation/review", &json!({"result": "属实"}), "not_on_team").await;
    case.step("self-evaluation/review", &json!({"result": "属实"}), &world.inspector).await.expect(StatusCode::OK);
    case.done("feedback", &opinion()).await;
}

/// What stands in the way is said in words, and the list agrees with what the routes do.
#[tokio::test]
async fn next_steps_say_what_stands_in_the_way() {
    let world = World::new().await;
    let case = world.case().await;
    let guards = |seen: &Value| -> Vec<(String, Option<String>)> {
        let steps = seen["next_steps"].as_array().unwrap().iter();
        steps
            .map(|step| {
                assert_eq!(step["allowed"].as_bool().unwrap(), step["reason"].is_null(), "{step}");
                (step["step"].as_str().unwrap().to_owned(), step["guard"].as_str().map(str::to_owned))
            })
            .collect()
    };
    let named = |list: &[(&str, Option<&str>)]| -> Vec<(String, Option<String>)> {
        list.iter().map(|(step, guard)| ((*step).to_owned(), guard.map(str::to_owned))).collect()
    };
    assert_eq!(
        guards(&case.see().await),
        named(&[
            ("team", None),
            ("notify", Some("team")),
            ("visit-records", Some("no_notice")),
            ("hearings", Some("state")),
            ("feedback", Some("no_visit")),
            ("plea", Some("no_preliminary_opinion")),
            ("plea-decision", Some("no_preliminary_opinion")),
            ("letter", Some("no_preliminary_opinion")),
            ("report", Some("no_letter")),
        ])
    );
    case.until_pleading().await;
    assert_eq!(
        guards(&case.see().await),
        named(&[
            ("team", Some("state")),
            ("notify", Some("state")),
            ("visit-records", Some("state")),
            ("hearings", Some("state")),
            ("feedback", Some("state")),
            ("plea", None),
            ("plea-decision", Some("no_plea")),
            ("letter", Some("plea_open")),
            ("report", Some("no_letter")),
        ])
    );
}

/// Findings change until the letter; then they are frozen.
#[tokio::test]
async fn findings_are_a_draft_until_the_letter() {
    let world = World::new().await;
    let case = world.case().await;
    case.until_pleading().await;
    let seen = case.see().await;
    let path = case.path(&format!("findings/{}", seen["findings"][0]["finding_id"].as_str().unwrap()));
    let mut changed = world.finding();
    changed["severity"] = json!("minor");
    let put = |version: i64| {
        testkit::Call::new(http::Method::PUT, &path)
            .json(&changed)
            .header("If-Match", &format!("\"{version}\""))
            .by(&world.inspector)
            .send(&world.router)
    };
    let version = seen["version"].as_i64().unwrap();
    let answer = put(version).await.expect(StatusCode::OK);
    assert_eq!(answer.json["findings"][0]["severity"], "minor");
    put(version).await.expect(StatusCode::PRECONDITION_FAILED);
    case.step("plea", &json!({"waived": true}), &world.principal).await.expect(StatusCode::OK);
    let done = case.done("letter", &letter()).await;
    let refusal = put(done["version"].as_i64().unwrap()).await.expect(StatusCode::CONFLICT);
    assert_eq!(refusal.json["guard"], "lettered");
    // Who changed what stands in the history, which nobody can change.
    let noted: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM case_events WHERE event->>'event' = 'finding_changed'
         AND event->'before'->>'severity' = 'major' AND actor->>'account_id' = $1",
    )
    .bind(world.inspector.account_id.to_string())
    .fetch_one(world.database.pool())
    .await
    .unwrap();
    assert_eq!(noted, 1);
    sqlx::query("DELETE FROM case_events").execute(world.database.pool()).await.unwrap_err();
    sqlx::query("UPDATE documents SET title = ''").execute(world.database.pool()).await.unwrap_err();
}
