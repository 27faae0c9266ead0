//! Calendars and rules change while cases are alive: tried out, approved by another, in effect by date, exactly once.

use std::sync::Arc;

use access::{Caller, Role};
use clockwork::invariants;
use contracts::deadlines::{Change, RectificationChanged};
use deadlines::RuleSet;
use deadlines::change::Changes;
use deadlines::config::RulebookSection;
use deadlines::firing::Firing;
use domain::ids::RectificationId;
use domain::severity::Severity;
use http::StatusCode;
use serde_json::{Value, json};
use testkit::{Answer, Call};
use uuid::Uuid;

use crate::support::{World, at};

/// New Year's Day with the days after it, and a Saturday worked in exchange.
const NOTICE: &str = r#"id = "national-2027"
level = "national"
year = 2027
status = "published"
source = "国办发明电〔2026〕9号（测试）"

[[day]]
from = "2027-01-01"
to = "2027-01-03"
kind = "rest"
name = "元旦"

[[day]]
from = "2027-01-16"
kind = "work"
name = "元旦调休"
"#;

struct Province<'w> {
    world: &'w World,
    changes: Changes,
    proposer: Caller,
    chair: Caller,
}

impl<'w> Province<'w> {
    fn of(world: &'w World) -> Self {
        Self {
            world,
            changes: Changes::new(world.database.handle(), Arc::clone(&world.rules)),
            proposer: testkit::caller(Role::ProvinceOfficeAdmin, Some(world.province), None),
            chair: testkit::caller(Role::CommitteeChair, Some(world.province), None),
        }
    }

    async fn send(&self, call: Call, by: &Caller) -> Answer {
        call.by(by).send(&self.world.router).await
    }

    async fn propose(&self, kind: &str, content: &str, on: &str) -> Answer {
        let body = json!({"kind": kind, "content": content, "reason": "国务院办公厅通知", "effective_on": on});
        self.send(Call::post("/v1/rule-changes", &body), &self.proposer).await
    }

    async fn show(&self, id: &str) -> Value {
        self.send(Call::get(&format!("/v1/rule-changes/{id}")), &self.proposer).await.expect(StatusCode::OK).json
    }

    async fn cases(&self, id: &str, query: &str) -> Vec<Value> {
        let call = Call::get(&format!("/v1/rule-changes/{id}/cases?{query}"));
        let page = self.send(call, &self.chair).await.expect(StatusCode::OK).json;
        page["items"].as_array().unwrap().clone()
    }

    async fn approve(&self, id: &str, by: &Caller) -> Answer {
        let version = self.show(id).await["version"].clone();
        let call = Call::post(&format!("/v1/rule-changes/{id}/approval"), &json!({}))
            .header("If-Match", &format!("\"{version}\""));
        self.send(call, by).await
    }

    /// Proposed, tried out, approved by the chair and in effect, every case counted.
    async fn carry(&self, proposal: Answer) -> String {
        let id = proposal.expect(StatusCode::CREATED).json["change_id"].as_str().unwrap().to_owned();
        assert!(self.changes.dry_run().await.unwrap());
        self.approve(&id, &self.chair).await.expect(StatusCode::OK);
        assert!(self.changes.take_effect().await.unwrap());
        while self.show(&id).await["finished_at"].is_null() {
            self.changes.recount_batch().await.unwrap();
        }
        id
    }

    async fn item(&self, id: RectificationId) -> Value {
        self.world.view(id).await["rectification"]["items"][0].clone()
    }

    async fn states(&self) -> Vec<(Uuid, i64, String)> {
        sqlx::query_as("SELECT rectification_id, version, state FROM rectifications ORDER BY 1")
            .fetch_all(self.world.database.pool())
            .await
            .unwrap()
    }
}

impl World {
    /// How often a case was told that it was counted again.
    async fn recounts(&self, id: RectificationId) -> usize {
        let changed = testkit::events_of::<RectificationChanged>(&self.database).await;
        let of_it = |event: &&RectificationChanged| event.rectification.rectification_id == id;
        changed.iter().filter(of_it).filter(|event| matches!(event.change, Change::Recounted { .. })).count()
    }

    async fn holds(&self) {
        let mut tx = self.database.begin().await.unwrap();
        let now = tx.at();
        let proof = invariants::prove(&mut tx, now).await.unwrap();
        let broken: Vec<_> = proof.findings.iter().filter(|found| found.violations > 0).collect();
        assert!(broken.is_empty(), "{broken:?}");
    }

    /// Stops the clock of a case, as a granted pause does.
    async fn pause(&self, id: RectificationId) {
        let (state,): (String,) = sqlx::query_as("SELECT state FROM rectifications WHERE rectification_id = $1")
            .bind(Uuid::from(id))
            .fetch_one(self.database.pool())
            .await
            .unwrap();
        let mut state: Value = serde_json::from_str(&state).unwrap();
        let until = "2027-02-01T00:00:00Z";
        state["suspensions"] = json!([{"reason": "disaster", "note": "台风", "requested_by": Uuid::now_v7(),
            "approved_by": Uuid::now_v7(), "from": "2026-12-30T00:00:00Z", "until": until}]);
        state["timers"] = json!([{"kind": "resume", "item": 0, "round": 0, "step": 0, "due_at": until}]);
        sqlx::query(
            "UPDATE rectifications SET state = $2, next_timer_at = $3::timestamptz WHERE rectification_id = $1",
        )
        .bind(Uuid::from(id))
        .bind(state.to_string())
        .bind(at_sql(until))
        .execute(self.database.pool())
        .await
        .unwrap();
    }
}

fn at_sql(text: &str) -> jiff_sqlx::Timestamp {
    use jiff_sqlx::ToSqlx as _;
    at(text).to_sqlx()
}

#[expect(clippy::too_many_lines, reason = "one story, told once")]
#[tokio::test]
async fn the_notice_of_the_next_year_moves_told_days_later_only_and_every_case_once() {
    let world = World::new().await;
    let province = Province::of(&world);
    let opened = async |serial, severity, received| world.open(serial, &[severity], received).await;
    let urged = opened(1, Severity::Minor, "2026-12-07T02:00:00Z").await;
    world.fire_at("2026-12-29T16:00:00Z").await;
    let freed = opened(2, Severity::Minor, "2026-12-11T02:00:00Z").await;
    let later = opened(3, Severity::Minor, "2026-12-21T02:00:00Z").await;
    let settled = opened(4, Severity::Major, "2026-12-21T02:00:00Z").await;
    let kept = opened(5, Severity::Minor, "2027-01-04T02:00:00Z").await;
    let paused = opened(6, Severity::Minor, "2026-12-21T02:00:00Z").await;
    world.pause(paused).await;
    world.database.set_clock(at("2027-01-04T03:00:00Z")).await;
    while world.firing().fire_batch().await.unwrap() > 0 {}
    for (id, due_on) in [(freed, "2027-01-01"), (later, "2027-01-11"), (settled, "2027-01-20"), (kept, "2027-01-25")] {
        let item = province.item(id).await;
        assert_eq!((item["due_on"].as_str().unwrap(), item["provisional"].as_bool().unwrap()), (due_on, true));
    }
    assert_eq!(province.item(freed).await["late"], true, "by the calendar as it was");
    let urged_before = province.item(urged).await;
    let order = |id: RectificationId| {
        sqlx::query_as::<_, (String, String)>("SELECT doc_no, content FROM urging_orders WHERE rectification_id = $1")
            .bind(Uuid::from(id))
            .fetch_one(world.database.pool())
    };
    let order_before = order(urged).await.unwrap();

    // Proposed and tried out: nothing about the cases changes.
    let before = province.states().await;
    let proposal = province.propose("calendar", NOTICE, "2027-01-04").await.expect(StatusCode::CREATED).json;
    let id = proposal["change_id"].as_str().unwrap();
    assert!(proposal["former"].as_str().unwrap().contains("尚未发布"), "{proposal}");
    province.approve(id, &province.chair).await.expect(StatusCode::CONFLICT); // Not tried out yet.
    assert!(province.changes.dry_run().await.unwrap());
    assert!(!province.changes.dry_run().await.unwrap());
    assert_eq!(province.states().await, before);
    let sums = province.show(id).await["dry_run"].clone();
    assert_eq!((sums["cases"].as_u64(), sums["paused"].as_u64(), sums["failed"].as_u64()), (Some(6), Some(1), Some(0)));
    let of = |key: &str| sums["items"][key].as_u64().unwrap();
    assert_eq!((of("later"), of("freed"), of("kept"), of("final")), (2, 1, 1, 1), "{sums}");
    // Tonight the freed unit would have been urged.
    assert_eq!((sums["orders_tonight_before"].as_u64(), sums["orders_tonight_after"].as_u64()), (Some(1), Some(0)));
    let curve = sums["curve"].as_array().unwrap();
    let day = |on: &str| curve.iter().find(|day| day["on"] == on).unwrap().clone();
    assert_eq!((day("2027-01-11")["due_before"].as_u64(), day("2027-01-11")["due_after"].as_u64()), (Some(1), Some(0)));
    assert_eq!((day("2027-01-12")["due_before"].as_u64(), day("2027-01-12")["due_after"].as_u64()), (Some(0), Some(1)));
    let rows = province.cases(id, "effect=kept").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["rectification_id"], kept.to_string());
    let item = &rows[0]["items"][0];
    assert_eq!((item["was_due_on"].as_str(), item["counted_on"].as_str()), (Some("2027-01-25"), Some("2027-01-22")));
    assert_eq!(item["due_on"], "2027-01-25");
    // Paged, without a gap.
    let first = province.send(Call::get(&format!("/v1/rule-changes/{id}/cases?limit=3")), &province.chair).await.json;
    let next = first["next"].as_str().unwrap();
    let rest = province.cases(id, &format!("limit=3&after={next}")).await;
    assert_eq!(first["items"].as_array().unwrap().len() + rest.len(), 5);

    // Four eyes.
    let own = province.approve(id, &province.proposer).await.expect(StatusCode::CONFLICT).json;
    assert!(own["type"].as_str().unwrap().ends_with("/separation-of-duties"));
    province.approve(id, &world.admin).await.expect(StatusCode::FORBIDDEN);
    province.approve(id, &province.chair).await.expect(StatusCode::OK);
    province.approve(id, &province.chair).await.expect(StatusCode::CONFLICT);

    // In effect, and the cases not yet counted: nothing fires.
    let view = world.view(later).await;
    assert!(province.changes.take_effect().await.unwrap());
    assert!(!province.changes.take_effect().await.unwrap());
    world.database.set_clock(at("2027-01-04T15:00:00Z")).await;
    assert_eq!(world.firing().fire_batch().await.unwrap(), 0);
    let mut counted = 0;
    while province.show(id).await["finished_at"].is_null() {
        counted += province.changes.recount_batch().await.unwrap();
    }
    assert_eq!(counted, 6);

    // Later, freed, kept, final; the stopped clock and the issued order stay.
    for (id, due_on, recounts) in [
        (later, "2027-01-12", 1),
        (freed, "2027-01-04", 1),
        (kept, "2027-01-25", 1),
        (settled, "2027-01-20", 1),
        (urged, "2027-01-07", 1),
    ] {
        let item = province.item(id).await;
        assert_eq!((item["due_on"].as_str().unwrap(), item["provisional"].as_bool().unwrap()), (due_on, false));
        assert_eq!(world.recounts(id).await, recounts);
    }
    assert_eq!(province.item(freed).await["late"], false, "the calendar was wrong, not the unit");
    assert_eq!((province.item(paused).await["due_on"].as_str(), world.recounts(paused).await), (Some("2027-01-11"), 0));
    assert_eq!(order(urged).await.unwrap(), order_before, "what was issued stands");
    let urged_after = province.item(urged).await;
    assert_eq!(urged_after["urging_order_no"], urged_before["urging_order_no"]);
    assert_eq!((&urged_after["late"], &urged_after["first_due_on"]), (&json!(true), &urged_before["first_due_on"]));
    let done = province.show(id).await;
    assert_eq!(done["outcome"]["items"], sums["items"]);
    assert_eq!((done["outcome"]["touched"].as_u64(), done["state"].as_str()), (Some(5), Some("in_effect")));
    assert_eq!(province.cases(id, "run=real").await.len(), 5);
    // Tonight nobody is urged; the work goes on, and everything is proved.
    // The unit acts on what it saw: the clock alone has moved since.
    let body = json!({"text": "已完成整改", "evidence": [world.evidence(later).await]});
    let report = World::act(later, &view, 0, "report", &body).by(&world.principal);
    report.send(&world.router).await.expect(StatusCode::OK);
    world.fire_at("2027-01-04T16:00:00Z").await;
    assert_eq!(testkit::events_of::<contracts::deadlines::UrgingOrderIssued>(&world.database).await.len(), 1);
    world.holds().await;

    // Both the day that was told first and the day of now can be computed again, each on its own calendar.
    let ids: Vec<Uuid> = sqlx::query_scalar("SELECT deadline_id FROM deadlines WHERE rectification_id = $1")
        .bind(Uuid::from(later))
        .fetch_all(world.database.pool())
        .await
        .unwrap();
    assert_eq!(ids.len(), 2);
    for deadline in ids {
        let get = |what| Call::get(&format!("/v1/deadlines/{deadline}/{what}")).send(&world.router);
        assert_eq!(get("recomputed").await.expect(StatusCode::OK).bytes, get("proof").await.bytes);
    }

    // A new case of any replica begins with the notice, those that know of it only by the database included.
    let new = opened(7, Severity::Minor, "2026-12-21T02:00:00Z").await;
    assert_eq!(province.item(new).await["due_on"], "2027-01-12");
}

/// The told day ends and the notice takes effect at the same midnight. What comes microseconds later, before the worker, is
/// judged by the notice all the same: the act counts its own case.
#[tokio::test]
async fn a_report_that_comes_before_the_worker_has_its_case_counted_and_is_in_time() {
    let world = World::new().await;
    let province = Province::of(&world);
    world.database.set_clock(at("2026-12-21T03:00:00Z")).await;
    let mut cases = Vec::new();
    for serial in 1..=3 {
        cases.push(world.open(serial, &[Severity::Minor], "2026-12-21T02:00:00Z").await);
    }
    let [mine, stale, left] = cases[..] else { panic!("{cases:?}") };
    let proposal = province.propose("calendar", NOTICE, "2027-01-12").await.expect(StatusCode::CREATED).json;
    let id = proposal["change_id"].as_str().unwrap();
    assert!(province.changes.dry_run().await.unwrap());
    province.approve(id, &province.chair).await.expect(StatusCode::OK);
    world.database.set_clock(at("2027-01-11T02:00:00Z")).await;
    // The reminders are past.
    while world.firing().fire_batch().await.unwrap() > 0 {}
    let read = world.view(mine).await;
    let version = read["rectification"]["version"].as_i64().unwrap();
    assert_eq!(read["rectification"]["items"][0]["due_on"], "2027-01-11");
    let (evidence, others) = (world.evidence(mine).await, world.evidence(stale).await);
    let read_before = world.view(stale).await;
    let noted = World::act(stale, &read_before, 0, "progress", &json!({"text": "已完成一半"})).by(&world.principal);
    noted.send(&world.router).await.expect(StatusCode::OK);

    let midnight = at("2027-01-11T16:00:00Z");
    world.freeze(midnight).await;
    assert!(province.changes.take_effect().await.unwrap());
    world.freeze(midnight + jiff::SignedDuration::from_micros(3)).await;
    assert_eq!(world.firing().fire_batch().await.unwrap(), 0);
    let body = json!({"text": "已完成整改", "evidence": [evidence]});
    let report = World::act(mine, &read, 0, "report", &body).by(&world.principal);
    let view = report.send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(view["detail"][0]["report"]["timeliness"], "in_time", "{view}");
    let item = &view["rectification"]["items"][0];
    assert_eq!((&item["due_on"], &item["late"]), (&json!("2027-01-12"), &json!(false)));
    assert_eq!(view["rectification"]["version"], version + 2, "the count, and the act");
    let recounted = testkit::events_of::<RectificationChanged>(&world.database).await.pop().unwrap();
    let reported = testkit::events_of::<contracts::deadlines::ItemReported>(&world.database).await.pop().unwrap();
    assert!(matches!(recounted.change, Change::Recounted { .. }));
    assert_eq!((recounted.rectification.version, reported.rectification.version), (version + 1, version + 2));

    // Who decided on what people have changed since is sent back, and the case is left as it was.
    let before = world.view(stale).await;
    let body = json!({"text": "已完成整改", "evidence": [others]});
    let refused = World::act(stale, &read_before, 0, "report", &body).by(&world.principal);
    let refused = refused.send(&world.router).await.expect(StatusCode::PRECONDITION_FAILED).json;
    assert_eq!(refused["current_version"], before["rectification"]["version"]);
    assert_eq!(world.view(stale).await, before);

    // For the worker the others are left, each once.
    let mut counted = 0;
    while province.show(id).await["finished_at"].is_null() {
        counted += province.changes.recount_batch().await.unwrap();
    }
    assert_eq!(counted, 2);
    for case in [mine, stale, left] {
        assert_eq!(world.recounts(case).await, 1);
    }
    let done = province.show(id).await;
    assert_eq!((done["outcome"]["touched"].as_u64(), done["outcome"]["items"]["freed"].as_u64()), (Some(3), Some(3)));
    assert_eq!(province.cases(id, "run=real").await.len(), 3);
    assert_eq!(world.firing().fire_batch().await.unwrap(), 0, "nobody is late today");
    world.holds().await;
}

#[tokio::test]
async fn a_wrong_text_is_refused_with_its_line_and_strangers_see_nothing() {
    let world = World::new().await;
    let province = Province::of(&world);
    world.database.set_clock(at("2026-11-25T02:00:00Z")).await;
    let rulebook = include_str!("../../../../rulebook/hainan-2021/rulebook.toml");
    let twice = NOTICE.replace("2027-01-16", "2027-01-02");
    let other_date = rulebook.replace("hainan-2021.1", "hainan-2021.2");
    for (kind, text, line) in [
        ("calendar", NOTICE.replace("kind = \"rest\"", "kind = \"feast\""), "第10行"),
        ("calendar", twice, "第14行"),
        ("calendar", NOTICE.replace("to = \"2027-01-03\"", "to = \"2026-01-03\""), "第8行"),
        ("calendar", "id = ".to_owned(), "第1行"),
        ("rulebook", rulebook.to_owned(), "第11行"),
        ("rulebook", other_date, "第11行"),
        ("rulebook", rulebook.replace("working_days = 15", "working_days = 0"), "第"),
    ] {
        let problem = province.propose(kind, &text, "2026-12-01").await.expect(StatusCode::UNPROCESSABLE_ENTITY).json;
        assert_eq!(problem["errors"][0]["pointer"], "/content", "{problem}");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains(line), "{line}: {problem}");
    }
    let same_version = rulebook.replace("2021-04-15", "2026-12-01");
    province.propose("rulebook", &same_version, "2026-12-01").await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let past = province.propose("calendar", NOTICE, "2026-11-24").await.expect(StatusCode::UNPROCESSABLE_ENTITY).json;
    assert_eq!(past["errors"][0]["pointer"], "/effective_on");

    let id = province.propose("calendar", NOTICE, "2026-12-01").await.json["change_id"].as_str().unwrap().to_owned();
    let auditor = testkit::caller(Role::Auditor, Some(world.province), None);
    let county_chair = testkit::caller(Role::CommitteeChair, Some(world.county), None);
    let get = |who: &Caller| Call::get(&format!("/v1/rule-changes/{id}")).by(who);
    get(&auditor).send(&world.router).await.expect(StatusCode::OK);
    get(&county_chair).send(&world.router).await.expect(StatusCode::NOT_FOUND);
    get(&world.principal).send(&world.router).await.expect(StatusCode::FORBIDDEN);
    let list = Call::get("/v1/rule-changes").by(&auditor).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(list["items"][0]["subject"], "national-2027");

    // Withdrawn, it never takes effect.
    province.changes.dry_run().await.unwrap();
    province.approve(&id, &province.chair).await.expect(StatusCode::OK);
    let version = province.show(&id).await["version"].clone();
    let call = Call::post(&format!("/v1/rule-changes/{id}/withdrawal"), &json!({}))
        .header("If-Match", &format!("\"{version}\""));
    province.send(call, &province.proposer).await.expect(StatusCode::OK);
    world.database.set_clock(at("2026-12-02T02:00:00Z")).await;
    assert!(!province.changes.take_effect().await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_and_a_crash_in_the_middle_count_every_case_exactly_once() {
    const CASES: u32 = 700;
    let world = World::new().await;
    let province = Province::of(&world);
    world.database.set_clock(at("2026-12-21T02:00:00Z")).await;
    for serial in 1..=CASES {
        world.open(serial, &[Severity::Minor], "2026-12-21T02:00:00Z").await;
    }
    let id = province.propose("calendar", NOTICE, "2026-12-22").await.json["change_id"].as_str().unwrap().to_owned();
    province.changes.dry_run().await.unwrap();
    province.approve(&id, &province.chair).await.expect(StatusCode::OK);
    assert!(!province.changes.take_effect().await.unwrap(), "its date has not come");
    world.database.set_clock(at("2026-12-22T02:00:00Z")).await;
    assert!(province.changes.take_effect().await.unwrap());

    // A process dies in the middle of a batch: its transaction is gone with it.
    let crashed = tokio::time::timeout(std::time::Duration::from_millis(60), province.changes.recount_batch()).await;
    let counted: i64 = sqlx::query_scalar("SELECT count(*) FROM rectifications WHERE rules_version = 1")
        .fetch_one(world.database.pool())
        .await
        .unwrap();
    assert!(crashed.is_err() == (counted == 0), "all of a batch or nothing: {counted}");

    // Two other replicas go on, each with rules of its own that know the change by the database only.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook");
    let section = RulebookSection { folder, policy: "hainan-2021".to_owned() };
    let mut replicas = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let (database, rules) = (world.database.handle(), Arc::new(RuleSet::load(&section).unwrap()));
        let firing = Firing::new(database.clone(), Arc::clone(&rules));
        let changes = Changes::new(database, rules);
        replicas.spawn(async move {
            loop {
                firing.fire_batch().await.unwrap();
                if changes.recount_batch().await.unwrap() == 0 {
                    break;
                }
            }
        });
    }
    replicas.join_all().await;
    while province.show(&id).await["finished_at"].is_null() {
        province.changes.recount_batch().await.unwrap();
    }

    let (cases, events, days): (i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM rule_change_cases WHERE run = 'real'),
                (SELECT count(DISTINCT aggregate_id) FROM messaging.journal
                 WHERE event_type = 'deadlines.rectification.changed.v1'),
                (SELECT count(*) FROM items WHERE due_on = '2027-01-12')",
    )
    .fetch_one(world.database.pool())
    .await
    .unwrap();
    assert_eq!((cases, events, days), (i64::from(CASES), i64::from(CASES), i64::from(CASES)));
    let changed = testkit::events_of::<RectificationChanged>(&world.database).await;
    assert_eq!(changed.len(), usize::try_from(CASES).unwrap());
    let done = province.show(&id).await;
    assert_eq!(done["outcome"]["items"]["later"].as_u64(), Some(u64::from(CASES)));
    world.holds().await;
}

#[tokio::test]
async fn a_new_rulebook_and_both_roll_backs_never_move_a_told_day_earlier() {
    let world = World::new().await;
    let province = Province::of(&world);
    world.database.set_clock(at("2026-12-21T03:00:00Z")).await;
    let case = world.open(1, &[Severity::Minor], "2026-12-21T02:00:00Z").await;
    let due = async || province.item(case).await["due_on"].as_str().unwrap().to_owned();
    assert_eq!(due().await, "2027-01-11");

    let rulebook = include_str!("../../../../rulebook/hainan-2021/rulebook.toml")
        .replace("version = \"hainan-2021.1\"", "version = \"hainan-2021.2\"")
        .replace("effective_from = \"2021-04-15\"", "effective_from = \"2026-12-21\"")
        .replace("finish = { period = { working_days = 15 }", "finish = { period = { working_days = 20 }");
    let book = province.carry(province.propose("rulebook", &rulebook, "2026-12-21").await).await;
    assert_eq!(due().await, "2027-01-18", "open cases go over");
    let notice = province.carry(province.propose("calendar", NOTICE, "2026-12-21").await).await;
    assert_eq!(due().await, "2027-01-18", "one rest day more, one working Saturday more");

    let roll_back = async |id: &str| {
        let body = json!({"reason": "发布有误", "effective_on": "2026-12-21"});
        province.send(Call::post(&format!("/v1/rule-changes/{id}/roll-back"), &body), &province.proposer).await
    };
    let restored = roll_back(&book).await.expect(StatusCode::CREATED);
    assert_eq!(restored.json["restores"], book);
    assert_eq!(restored.json["subject"], "hainan-2021.1-r1");
    province.carry(restored).await;
    assert_eq!(due().await, "2027-01-18", "what was told stays");
    let state: String =
        sqlx::query_scalar("SELECT state FROM rectifications").fetch_one(world.database.pool()).await.unwrap();
    assert!(state.contains("hainan-2021.1-r1"), "{state}");
    let new = world.open(2, &[Severity::Minor], "2026-12-21T02:00:00Z").await;
    assert_eq!(province.item(new).await["due_on"], "2027-01-12", "what begins now has the former rules");

    let restored = roll_back(&notice).await;
    province.carry(restored).await;
    assert_eq!(province.item(new).await["due_on"], "2027-01-12");
    let newest = world.open(3, &[Severity::Minor], "2026-12-21T02:00:00Z").await;
    assert_eq!(province.item(newest).await["due_on"], "2027-01-11");
    world.holds().await;
}
