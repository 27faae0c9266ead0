//! What people must do because a clock said so: proposed steps and look-backs, twice, out of order, stale, out of scope.

use ::access::{Caller, Role};
use contracts::deadlines::{
    Change, ItemSnapshot, ItemState, RectificationChanged, RectificationClosed, RectificationSnapshot, StepFact,
    StepItemFact, StepProposed, StepState,
};
use contracts::shared::{DocumentKind, DocumentRef, UnitRef};
use contracts::tasks::SupervisionKind;
use contracts::{Envelope, Event};
use domain::ids::{CaseId, DocumentId, FindingId, ItemId, LetterId, ProposalId, RectificationId, UnitId};
use domain::local_time::end_of_day;
use domain::rectification::Phase;
use domain::severity::Severity;
use http::StatusCode;
use jiff::Timestamp;
use jiff::civil::date;
use messaging::{ApplyError, Consumer, Handler as _, Relay};
use serde_json::{Value, json};
use tasks::consume::{ASSIGNMENTS_CONSUMER, Assignments};
use testkit::envelope;
use tokio_util::sync::CancellationToken;

use crate::world::World;

const DECIDE_BY: &str = "2026-03-16T16:00:00Z";
const VISIT_BY: &str = "2026-03-20T16:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn rectification(world: &World, name: &str, version: i64) -> RectificationSnapshot {
    let letter_id = LetterId::derived(&[name]);
    RectificationSnapshot {
        rectification_id: RectificationId::derived(&[name]),
        version,
        case_id: CaseId::derived(&[name]),
        letter_id,
        letter: DocumentRef {
            document_id: DocumentId::derived(&[name]),
            kind: DocumentKind::OpinionLetter,
            doc_no: format!("海口教督委意〔2026〕{name}号"),
            title: "督导意见书".to_owned(),
            issuing_unit_id: world.haikou_office,
            issuing_unit_name: "海口市人民政府教育督导委员会办公室".to_owned(),
            issued_at: at("2026-01-05T01:00:00Z"),
            content_sha256: "5d".repeat(32),
        },
        case_title: "2026年春季校园安全专项督导".to_owned(),
        supervision_kind: SupervisionKind::Special,
        visited_on: date(2025, 12, 20),
        unit: UnitRef {
            unit_id: world.school,
            name: "海口市第一小学".to_owned(),
            code: None,
            area_path: vec![world.province, world.haikou],
            county_code: Some("460100".to_owned()),
            county_name: Some("海口市".to_owned()),
            competent_unit_id: Some(world.haikou_bureau),
            competent_unit_name: Some("海口市教育局".to_owned()),
        },
        received_at: at("2026-01-06T01:00:00Z"),
        closed_at: None,
        items: vec![item(name)],
        urging_orders: Vec::new(),
        paused_until: None,
        steps: Vec::new(),
        requests: Vec::new(),
        liable_for: None,
        department_case: None,
    }
}

fn item(name: &str) -> ItemSnapshot {
    ItemSnapshot {
        item_id: ItemId::derived(&[name, "1"]),
        finding_id: FindingId::derived(&[name, "1"]),
        number: 1,
        severity: Severity::Major,
        category: "安全管理".to_owned(),
        description: "安全出口堵塞".to_owned(),
        basis: "第二十条".to_owned(),
        demand: "立即清理".to_owned(),
        responsible_unit_name: "海口市第一小学".to_owned(),
        state: ItemState::InProgress,
        deadline_id: domain::ids::DeadlineId::derived(&[name, "1"]),
        due_on: date(2026, 2, 6),
        due_at: end_of_day(date(2026, 2, 6)).unwrap(),
        provisional: false,
        first_due_on: date(2026, 2, 6),
        reported_at: None,
        report: None,
        late: true,
        verified_at: None,
        verified_by: None,
        closed_at: None,
        returned: 1,
        urging_order_no: Some("海口教督委督〔2026〕1号".to_owned()),
        phase: Phase::default(),
        plan_due_on: None,
        extensions: 0,
        reopened: 0,
        ladder_level: 2,
    }
}

pub fn proposal(name: &str, place: u32) -> ProposalId {
    ProposalId::derived(&[name, &place.to_string()])
}

/// The rectification with steps in these states, of the levels from the interview up.
pub fn with_steps(world: &World, name: &str, version: i64, states: &[StepState]) -> RectificationSnapshot {
    let mut snapshot = rectification(world, name, version);
    for (place, state) in (1..).zip(states) {
        let decided = *state != StepState::Proposed;
        snapshot.steps.push(StepFact {
            proposal_id: proposal(name, place),
            level: i16::try_from(place).unwrap() + 1,
            items: vec![1],
            proposed_at: at("2026-03-01T16:00:00Z"),
            decide_by: at(DECIDE_BY),
            state: *state,
            decided_at: decided.then(|| at("2026-03-05T02:00:00Z")),
            note: decided.then(|| "已约谈主要负责人".to_owned()),
        });
    }
    snapshot
}

/// The newest step of the rectification is proposed, with its facts.
pub fn proposed(rectification: RectificationSnapshot) -> StepProposed {
    let step = rectification.steps.last().unwrap();
    StepProposed {
        level: step.level,
        item_ids: vec![rectification.items[0].item_id],
        proposal_id: step.proposal_id,
        decide_by: step.decide_by,
        article: "实施方案第13项".to_owned(),
        policy_facts: vec!["逾期未整改".to_owned()],
        facts: vec![StepItemFact {
            item_id: rectification.items[0].item_id,
            number: 1,
            severity: Severity::Major,
            was_due_on: date(2026, 2, 6),
            days_late: 23,
            urging_order_no: Some("海口教督委督〔2026〕1号".to_owned()),
            returned: 1,
            extensions: 0,
            reopened: 0,
        }],
        rectification,
    }
}

pub fn changed(rectification: RectificationSnapshot, change: Change) -> Envelope {
    wrapped(&RectificationChanged { rectification, change })
}

pub fn taken(rectification: RectificationSnapshot, proposal_id: ProposalId) -> Envelope {
    changed(rectification, Change::StepTaken { proposal_id, level: 2, note: "已约谈主要负责人".to_owned() })
}

/// The item as closed, owing a look-back or not.
fn closed_item(world: &World, name: &str, version: i64, phase: Phase) -> RectificationSnapshot {
    let mut snapshot = rectification(world, name, version);
    snapshot.closed_at = Some(at("2026-01-20T02:00:00Z"));
    let item = &mut snapshot.items[0];
    (item.state, item.phase) = (ItemState::Closed, phase);
    (item.closed_at, item.verified_by) = (snapshot.closed_at, Some("督学0001".to_owned()));
    snapshot
}

fn look_back_due(world: &World, name: &str, version: i64, visit_by: &str) -> Envelope {
    let snapshot = closed_item(world, name, version, Phase::LookBackDue);
    let item_id = snapshot.items[0].item_id;
    changed(snapshot, Change::LookBackDue { item_id, visit_by: at(visit_by) })
}

fn look_back_passed(world: &World, name: &str, version: i64, phase: Phase) -> Envelope {
    let snapshot = closed_item(world, name, version, phase);
    let item_id = snapshot.items[0].item_id;
    changed(snapshot, Change::LookBackPassed { item_id })
}

pub fn wrapped<E: Event>(event: &E) -> Envelope {
    envelope(event, at("2026-03-02T02:00:00Z"))
}

pub async fn hear(world: &World, events: &[&Envelope]) {
    for event in events {
        let mut tx = world.database.begin().await.unwrap();
        Assignments.apply(&mut tx, event).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn refused(world: &World, event: &Envelope) -> ApplyError {
    let mut tx = world.database.begin().await.unwrap();
    Assignments.apply(&mut tx, event).await.unwrap_err()
}

async fn listed(world: &World, query: &str, by: &Caller) -> Vec<Value> {
    let answer = world.get(&format!("/v1/assignments{query}"), by).await.expect(StatusCode::OK);
    answer.json["items"].as_array().unwrap().clone()
}

/// All of them as the county's office sees them, each in full.
async fn seen(world: &World) -> Vec<Value> {
    let mut all = Vec::new();
    for row in listed(world, "", &world.county_admin).await {
        let path = format!("/v1/assignments/{}", row["assignment_id"].as_str().unwrap());
        all.push(world.get(&path, &world.county_admin).await.expect(StatusCode::OK).json);
    }
    all
}

/// Measure 13: the step comes with why the items reached it, and with what was found.
#[tokio::test]
async fn a_proposed_step_waits_for_people_with_its_facts() {
    let world = World::new().await;
    hear(&world, &[&wrapped(&proposed(with_steps(&world, "1", 5, &[StepState::Proposed])))]).await;
    let [one] = seen(&world).await.try_into().unwrap();
    let expected = json!({
        "assignment_id": one["assignment_id"], "kind": "interview", "kind_zh": "约谈", "state": "open", "state_zh": "待办",
        "due": DECIDE_BY, "overdue": false, "since": "2026-03-01T16:00:00Z",
        "rectification_id": RectificationId::derived(&["1"]), "letter_no": "海口教督委意〔2026〕1号",
        "case_title": "2026年春季校园安全专项督导", "unit": {"unit_id": world.school, "name": "海口市第一小学"},
        "county_code": "460100", "county_name": "海口市", "item_numbers": [1], "level": 2,
        "case_id": CaseId::derived(&["1"]), "version": 5, "proposal_id": proposal("1", 1),
        "article": "实施方案第13项", "policy_facts": ["逾期未整改"],
        "facts": [{
            "item_id": ItemId::derived(&["1", "1"]), "number": 1, "severity": "major", "category": "安全管理",
            "description": "安全出口堵塞", "demand": "立即清理", "was_due_on": "2026-02-06", "days_late": 23,
            "urging_order_no": "海口教督委督〔2026〕1号", "returned": 1, "extensions": 0, "reopened": 0,
        }],
    });
    assert_eq!(one, expected);
}

/// The same twice is the same, and an older version never overwrites a newer one.
#[tokio::test]
async fn a_step_is_one_entry_however_often_it_is_told() {
    let world = World::new().await;
    let proposal_event = wrapped(&proposed(with_steps(&world, "1", 5, &[StepState::Proposed])));
    let decision = taken(with_steps(&world, "1", 7, &[StepState::Taken]), proposal("1", 1));
    let before = changed(
        with_steps(&world, "1", 6, &[StepState::Proposed]),
        Change::ProgressNoted { item_id: ItemId::derived(&["1", "1"]), text: "正在清理".to_owned() },
    );
    hear(&world, &[&proposal_event, &proposal_event, &decision]).await;
    let settled = seen(&world).await;
    let [one] = settled.as_slice() else { panic!("{settled:?}") };
    assert_eq!((&one["state"], &one["version"]), (&json!("done"), &json!(7)));
    assert_eq!((&one["note"], &one["done_at"]), (&json!("已约谈主要负责人"), &json!("2026-03-05T02:00:00Z")));
    // Duplicates and stale versions.
    hear(&world, &[&before, &proposal_event, &decision, &before]).await;
    assert_eq!(seen(&world).await, settled);
}

/// A decision that comes before its proposal is not lost, and the proposal still brings its facts.
#[tokio::test]
async fn a_decision_may_come_before_its_proposal() {
    let world = World::new().await;
    let decision = taken(with_steps(&world, "1", 7, &[StepState::Taken]), proposal("1", 1));
    hear(&world, &[&decision]).await;
    let [early] = seen(&world).await.try_into().unwrap();
    assert_eq!((&early["state"], &early["facts"]), (&json!("done"), &json!([])));
    assert!(early.get("article").is_none());
    hear(&world, &[&wrapped(&proposed(with_steps(&world, "1", 5, &[StepState::Proposed])))]).await;
    let [one] = seen(&world).await.try_into().unwrap();
    assert_eq!((&one["state"], &one["version"]), (&json!("done"), &json!(7)));
    assert_eq!((&one["article"], &one["facts"][0]["days_late"]), (&json!("实施方案第13项"), &json!(23)));
}

#[tokio::test]
async fn a_lifted_step_is_lifted_and_the_next_proposal_is_another_entry() {
    let world = World::new().await;
    let lifted =
        Change::StepLifted { proposal_id: proposal("1", 1), level: 2, reason: "已有实质进展".to_owned() };
    let mut again = with_steps(&world, "1", 9, &[StepState::Lifted, StepState::Proposed]);
    again.steps[1].level = 2;
    hear(
        &world,
        &[
            &wrapped(&proposed(again)),
            &wrapped(&proposed(with_steps(&world, "1", 5, &[StepState::Proposed]))),
            &changed(with_steps(&world, "1", 7, &[StepState::Lifted]), lifted),
        ],
    )
    .await;
    let states: Vec<(Value, Value)> =
        seen(&world).await.iter().map(|row| (row["kind"].clone(), row["state"].clone())).collect();
    assert_eq!(states.len(), 2);
    for state in ["lifted", "open"] {
        assert!(states.contains(&(json!("interview"), json!(state))), "{states:?}");
    }
}

/// When its items are done nobody need decide a step; what was decided stays, and look-backs begin only then.
#[tokio::test]
async fn a_closed_rectification_makes_open_steps_moot_and_no_look_back() {
    let world = World::new().await;
    let steps = [StepState::Taken, StepState::Proposed];
    let mut snapshot = with_steps(&world, "1", 9, &[StepState::Taken, StepState::Moot]);
    snapshot.closed_at = Some(at("2026-03-05T02:00:00Z"));
    let closed = wrapped(&RectificationClosed { rectification: snapshot.clone(), acceptance: None });
    let proposal_event = wrapped(&proposed(with_steps(&world, "1", 8, &steps)));
    let look_back = look_back_due(&world, "1", 7, VISIT_BY);
    hear(&world, &[&look_back, &closed, &proposal_event]).await;
    let state = async |kind: &str| {
        let rows = seen(&world).await;
        let row = rows.iter().find(|row| row["kind"] == kind).unwrap().clone();
        (row["state"].as_str().unwrap().to_owned(), row["done_at"].as_str().map(str::to_owned))
    };
    assert_eq!(state("interview").await.0, "done");
    let moot = || ("moot".to_owned(), Some("2026-03-05T02:00:00Z".to_owned()));
    assert_eq!(state("circular").await, moot());
    assert_eq!(state("look_back").await, ("open".to_owned(), None));
    // A look-back found the problem back: the case is open again, and its ladder begins anew; what has ended has ended.
    (snapshot.version, snapshot.closed_at) = (12, None);
    let item_id = snapshot.items[0].item_id;
    let change = Change::ItemReopened { item_id, reason: "通道再次堵塞".to_owned(), due_on: date(2026, 4, 10) };
    hear(&world, &[&changed(snapshot, change), &closed]).await;
    assert_eq!(state("circular").await, moot());
    assert_eq!(state("look_back").await.0, "done");
}

/// A step ends with its own items, though the letter has others that go on.
#[tokio::test]
async fn a_step_whose_items_are_done_is_moot_while_the_rectification_is_open() {
    for proposal_first in [true, false] {
        let world = World::new().await;
        let proposal_event = wrapped(&proposed(with_steps(&world, "1", 5, &[StepState::Proposed])));
        let moot = Change::StepMoot { proposal_id: proposal("1", 1), level: 2 };
        let ended = changed(with_steps(&world, "1", 7, &[StepState::Moot]), moot);
        hear(&world, &if proposal_first { [&proposal_event, &ended] } else { [&ended, &proposal_event] }).await;
        let [row] = seen(&world).await.try_into().unwrap();
        assert_eq!((&row["state"], &row["done_at"]), (&json!("moot"), &json!("2026-03-05T02:00:00Z")));
        assert!(listed(&world, "?state=open", &world.county_admin).await.is_empty());
    }
}

/// Measure 11: the visit waits with what was closed and who verified it; its result may come first.
#[tokio::test]
async fn a_look_back_is_settled_in_whatever_order_it_is_told() {
    let due = |world: &World| look_back_due(world, "1", 5, VISIT_BY);
    let later = |world: &World| look_back_due(world, "1", 9, "2026-06-20T16:00:00Z");
    let passed = |world: &World| look_back_passed(world, "1", 7, Phase::Closed);
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let world = World::new().await;
        let events = [due(&world), passed(&world), later(&world)];
        for place in order {
            hear(&world, &[&events[place], &events[place]]).await;
        }
        let [first, second] = seen(&world).await.try_into().unwrap();
        assert_eq!((&first["due"], &first["state"], &first["version"]), (&json!(VISIT_BY), &json!("done"), &json!(7)));
        assert_eq!((&second["state"], &second["version"]), (&json!("open"), &json!(9)));
        assert_eq!(first["item_id"], json!(ItemId::derived(&["1", "1"])));
        assert_eq!(first["facts"][0]["verified_by"], "督学0001");
        assert_eq!(first["facts"][0]["closed_at"], "2026-01-20T02:00:00Z");
    }
}

#[tokio::test]
async fn a_problem_that_is_back_settles_the_visit_and_drops_the_others() {
    let world = World::new().await;
    let mut back = rectification(&world, "1", 11);
    back.items[0].reopened = 1;
    let item_id = back.items[0].item_id;
    let change = Change::ItemReopened { item_id, reason: "通道再次堵塞".to_owned(), due_on: date(2026, 4, 10) };
    let (first, second) =
        (look_back_due(&world, "1", 5, VISIT_BY), look_back_due(&world, "1", 9, "2026-06-20T16:00:00Z"));
    hear(&world, &[&second, &changed(back, change), &first]).await;
    let [done, dropped] = seen(&world).await.try_into().unwrap();
    assert_eq!((&done["state"], &done["note"]), (&json!("done"), &json!("通道再次堵塞")));
    assert_eq!(dropped["state"], "moot");
    // Another item's visit is none of this.
    hear(&world, &[&look_back_due(&world, "2", 3, VISIT_BY)]).await;
    assert_eq!(listed(&world, "?state=open", &world.county_admin).await.len(), 1);
}

/// Offices, desk officers, chairs and auditors see all of their area; inspectors the visits; units none; others nothing.
#[tokio::test]
async fn only_the_area_and_of_steps_only_the_office_sees() {
    let world = World::new().await;
    let mut elsewhere = with_steps(&world, "3", 4, &[StepState::Proposed]);
    elsewhere.unit.area_path = vec![world.province, world.sanya];
    elsewhere.unit.county_code = Some("460200".to_owned());
    // The matter of a county's government ends at the province.
    let mut government = with_steps(&world, "4", 4, &[StepState::Proposed]);
    government.unit.unit_id = world.haikou_government;
    government.unit.area_path = vec![world.province];
    hear(
        &world,
        &[
            &wrapped(&proposed(with_steps(&world, "1", 5, &[StepState::Proposed]))),
            &look_back_due(&world, "2", 5, VISIT_BY),
            &wrapped(&proposed(elsewhere)),
            &wrapped(&proposed(government)),
        ],
    )
    .await;
    let chair = testkit::caller(Role::CommitteeChair, Some(world.haikou), None);
    let table: [(&Caller, usize); 7] = [
        (&world.admin, 4),
        (&world.county_admin, 2),
        (&world.desk, 2),
        (&chair, 2),
        (&world.auditor, 2),
        (&world.inspector, 1),
        (&world.sanya_admin, 1),
    ];
    let all = listed(&world, "", &world.admin).await;
    for (caller, count) in table {
        let rows = listed(&world, "", caller).await;
        assert_eq!(rows.len(), count, "{}", caller.display_name);
        // Who does not find it in the list does not find it by its identity.
        for row in &all {
            let path = format!("/v1/assignments/{}", row["assignment_id"].as_str().unwrap());
            let expected = if rows.contains(row) { StatusCode::OK } else { StatusCode::NOT_FOUND };
            world.get(&path, caller).await.expect(expected);
        }
    }
    assert_eq!(listed(&world, "", &world.inspector).await[0]["kind"], "look_back");
    for caller in [&world.principal, &world.contact, &world.bureau_officer] {
        world.get("/v1/assignments", caller).await.expect(StatusCode::FORBIDDEN);
    }
    let nowhere = format!("/v1/assignments/{}", UnitId::derived(&["none"]));
    world.get(&nowhere, &world.admin).await.expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_list_is_filtered_and_its_pages_join() {
    let world = World::new().await;
    for name in ["1", "2", "3", "4"] {
        hear(&world, &[&wrapped(&proposed(with_steps(&world, name, 5, &[StepState::Proposed])))]).await;
    }
    hear(
        &world,
        &[
            &taken(with_steps(&world, "4", 7, &[StepState::Taken]), proposal("4", 1)),
            &look_back_due(&world, "5", 5, VISIT_BY),
        ],
    )
    .await;
    let count = async |query: &str| listed(&world, query, &world.admin).await.len();
    assert_eq!(count("").await, 5);
    assert_eq!(count("?kind=interview").await, 4);
    assert_eq!(count("?kind=look_back&state=open").await, 1);
    assert_eq!(count("?state=done").await, 1);
    assert_eq!((count("?county=460100").await, count("?county=460200").await), (5, 0));
    assert_eq!((count("?overdue=true").await, count("?overdue=false").await), (0, 5));
    world.get("/v1/assignments?kind=dinner", &world.admin).await.expect(StatusCode::BAD_REQUEST);

    let mut rows = Vec::new();
    let mut next = String::new();
    loop {
        let page = world.get(&format!("/v1/assignments?limit=2{next}"), &world.admin).await.expect(StatusCode::OK).json;
        rows.extend(page["items"].as_array().unwrap().clone());
        match page.get("next").and_then(Value::as_str) {
            Some(cursor) => next = format!("&after={cursor}"),
            None => break,
        }
    }
    assert_eq!(rows, listed(&world, "", &world.admin).await);
    assert_eq!(rows.last().unwrap()["kind"], "look_back", "what is due first comes first");

    // At the very instant it is late; what was done in time never is.
    world.database.set_clock(at(DECIDE_BY)).await;
    assert_eq!((count("?overdue=true").await, count("?overdue=false").await), (3, 2));
    assert!(listed(&world, "?overdue=true", &world.admin).await.iter().all(|row| row["overdue"] == true));
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_and_what_has_no_name_waits() {
    let world = World::new().await;
    let mut nameless = proposed(with_steps(&world, "1", 5, &[StepState::Proposed]));
    nameless.rectification.steps.clear();
    let unnamed = StepProposed { proposal_id: ProposalId::new(uuid::Uuid::nil()), ..nameless.clone() };
    hear(&world, &[&wrapped(&unnamed)]).await;
    assert!(seen(&world).await.is_empty());
    let error = refused(&world, &wrapped(&nameless)).await;
    assert!(matches!(error, ApplyError::Refused(_)), "{error}");
    let mut beyond = with_steps(&world, "1", 5, &[StepState::Proposed]);
    beyond.steps[0].level = 5;
    let error = refused(&world, &wrapped(&proposed(beyond))).await;
    assert!(matches!(error, ApplyError::Refused(_)), "{error}");
    let stranger = Change::LookBackDue { item_id: ItemId::derived(&["none"]), visit_by: at(VISIT_BY) };
    let error = refused(&world, &changed(rectification(&world, "1", 5), stranger)).await;
    assert!(matches!(error, ApplyError::Refused(_)), "{error}");
    let good = look_back_due(&world, "1", 5, VISIT_BY);
    let payload = serde_json::value::RawValue::from_string("{\"change\": 7}".to_owned()).unwrap();
    let error = refused(&world, &Envelope { payload, ..good }).await;
    assert!(matches!(error, ApplyError::Unreadable(_)), "{error}");
}

/// Through journal, relay, broker and consumer, as in production, with two replicas.
#[tokio::test]
async fn assignments_arrive_through_the_broker() {
    let world = World::new().await;
    let journal = testkit::Database::new(&[&messaging::MIGRATOR]).await;
    let mut tx = journal.begin().await.unwrap();
    let actor = contracts::Actor::system("test");
    let interview = proposed(with_steps(&world, "1", 5, &[StepState::Proposed]));
    messaging::append(&mut tx, &actor, &interview).await.unwrap();
    for version in 6..40 {
        let rectification = closed_item(&world, "2", version, Phase::LookBackDue);
        let item_id = rectification.items[0].item_id;
        let change = if version % 2 == 0 {
            Change::LookBackDue { item_id, visit_by: at(VISIT_BY) + jiff::SignedDuration::from_hours(version) }
        } else {
            Change::LookBackPassed { item_id }
        };
        let mut event = RectificationChanged { rectification, change };
        if version % 2 == 1 {
            event.rectification.items[0].phase = Phase::Closed;
        }
        messaging::append(&mut tx, &actor, &event).await.unwrap();
    }
    tx.commit().await.unwrap();
    let stop = CancellationToken::new();
    let kit = &world.kit;
    let replicas = [(), ()].map(|()| {
        let consumer = Consumer::new(kit.database.clone(), kit.broker.clone(), ASSIGNMENTS_CONSUMER, Assignments);
        tokio::spawn(consumer.run(stop.clone()))
    });
    let relay = Relay::new(journal.handle(), kit.broker.clone(), "deadlines", testkit::journal_key());
    testkit::publish(&relay, &journal).await;
    testkit::wait_until("every assignment", async || {
        let done = listed(&world, "?state=done&limit=200", &world.county_admin).await.len();
        (done, listed(&world, "?state=open", &world.county_admin).await.len()) == (17, 1)
    })
    .await;
    stop.cancel();
    for replica in replicas {
        replica.await.unwrap();
    }
}
