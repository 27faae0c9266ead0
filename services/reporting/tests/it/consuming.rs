//! Events twice, out of order, stale, unreadable, and those that come before what they belong to.

use contracts::Event as _;
use contracts::deadlines::{
    Change, ItemState, RectificationChanged, RectificationOpened, StepFact, StepProposed, StepState,
};
use contracts::publication::PagePublished;
use domain::ids::{ProposalId, PublicationId};
use http::StatusCode;
use jiff::civil::date;
use messaging::{ApplyError, Handler as _};
use serde_json::value::RawValue;

use crate::support::{App, item, office, rectification};

#[tokio::test]
async fn the_newest_version_stands_however_events_arrive() {
    let app = App::new().await;
    let first = rectification("甲", Some("460100"), 1, vec![item("甲", 1, ItemState::InProgress, date(2099, 1, 5))]);
    let second = rectification("甲", Some("460100"), 2, vec![item("甲", 1, ItemState::Reported, date(2099, 1, 5))]);
    for snapshot in [&second, &first, &second, &first] {
        app.feed(snapshot).await;
        let page = app.get("/v1/ledger", &office()).await.expect(StatusCode::OK);
        assert_eq!(page.json["items"].as_array().unwrap().len(), 1);
        assert_eq!(page.json["items"][0]["state"], "reported");
    }
}

#[tokio::test]
async fn an_unreadable_event_is_refused_as_such_with_the_place_of_the_fault() {
    let app = App::new().await;
    let good = RectificationOpened { rectification: rectification("甲", None, 1, Vec::new()) };
    let mut tx = app.database.begin().await.unwrap();
    let mut envelope = testkit::envelope(&good, tx.at());
    let mut payload: serde_json::Value = serde_json::from_str(envelope.payload.get()).unwrap();
    payload["rectification"]["unit"]["name"] = 7.into();
    envelope.payload = RawValue::from_string(payload.to_string()).unwrap();
    let error = reporting::consume::Rectifications.apply(&mut tx, &envelope).await.unwrap_err();
    assert!(matches!(error, ApplyError::Unreadable(_)), "{error:?}");
    let chain = format!("{error:?}");
    assert!(chain.contains("rectification"), "{chain}");
}

#[tokio::test]
async fn public_pages_may_come_before_the_rectification_and_the_newest_step_is_shown() {
    let app = App::new().await;
    let mut snapshot =
        rectification("甲", Some("460100"), 3, vec![item("甲", 1, ItemState::InProgress, date(2099, 1, 5))]);
    let page = PagePublished {
        publication_id: PublicationId::derived(&["甲"]),
        version: 2,
        rectification_id: snapshot.rectification_id,
        path: "/rectifications/x".to_owned(),
        content_sha256: "00".repeat(32),
        published_at: "2026-09-20T00:00:00Z".parse().unwrap(),
    };
    app.apply(&reporting::consume::Pages, &page).await;
    app.apply(&reporting::consume::Pages, &PagePublished { version: 1, path: "/old".to_owned(), ..page.clone() }).await;
    let interview = StepFact {
        proposal_id: ProposalId::derived(&["甲", "1"]),
        level: 2,
        items: vec![1],
        proposed_at: "2026-10-20T02:00:00Z".parse().unwrap(),
        decide_by: "2026-10-27T16:00:00Z".parse().unwrap(),
        state: StepState::Lifted,
        decided_at: Some("2026-10-22T02:00:00Z".parse().unwrap()),
        note: Some("已有实质进展".to_owned()),
    };
    let again = StepFact {
        proposal_id: ProposalId::derived(&["甲", "2"]),
        proposed_at: "2026-11-20T02:00:00Z".parse().unwrap(),
        state: StepState::Proposed,
        decided_at: None,
        note: None,
        ..interview.clone()
    };
    let circular = StepFact { level: 3, items: vec![2], ..again.clone() };
    snapshot.steps = vec![interview, again.clone(), circular];
    let step = StepProposed {
        level: 2,
        item_ids: vec![snapshot.items[0].item_id],
        proposal_id: again.proposal_id,
        decide_by: again.decide_by,
        article: String::new(),
        policy_facts: Vec::new(),
        facts: Vec::new(),
        rectification: snapshot.clone(),
    };
    app.apply(&reporting::consume::Rectifications, &step).await;

    let answer = app.get("/v1/ledger", &office()).await.expect(StatusCode::OK);
    let row = &answer.json["items"][0];
    assert_eq!(row["public_path"], "/rectifications/x");
    assert_eq!(row["interview"]["proposed_at"], "2026-11-20T02:00:00Z");
    assert_eq!(row["interview"]["state"], "proposed");
    assert_eq!(row["circular"], serde_json::Value::Null, "it names another item");
    assert!(reporting::consume::Rectifications.event_types().contains(&StepProposed::TYPE));
}

#[tokio::test]
async fn a_problem_that_is_back_begins_anew_in_whatever_order_the_events_come() {
    let office = office();
    for newest_first in [false, true] {
        let app = App::new().await;
        let urged = {
            let mut urged = item("甲", 1, ItemState::InProgress, date(2026, 9, 30));
            urged.urging_order_no = Some("琼教督委督〔2026〕1号".to_owned());
            urged.late = true;
            let mut snapshot = rectification("甲", Some("460100"), 4, vec![urged]);
            snapshot.urging_orders = vec![crate::support::urging_order(&snapshot, "琼教督委督〔2026〕1号")];
            snapshot
        };
        let mut back = urged.clone();
        back.version = 7;
        back.items[0].reopened = 1;
        back.items[0].due_on = date(2027, 2, 1);
        back.items[0].due_at = domain::local_time::end_of_day(date(2027, 2, 1)).unwrap();
        let mut later = back.clone();
        later.version = 8;
        let item_id = back.items[0].item_id;
        let reopened = RectificationChanged {
            rectification: back,
            change: Change::ItemReopened { item_id, reason: "反弹".to_owned(), due_on: date(2027, 2, 1) },
        };
        app.feed(&urged).await;
        app.database.set_clock("2027-01-10T02:00:00Z".parse().unwrap()).await;
        if newest_first {
            app.feed(&later).await;
        }
        app.apply(&reporting::consume::Rectifications, &reopened).await;
        app.feed(&later).await;
        let row = app.get("/v1/ledger?state=reopened", &office).await.expect(StatusCode::OK).json["items"][0].clone();
        assert_eq!(row["late"], false, "newest first: {newest_first}");
        assert_eq!((row["reopened"].as_i64(), row["look_back_passed"].as_bool()), (Some(1), Some(false)));
        let total =
            app.get("/v1/statistics/rectifications", &office).await.expect(StatusCode::OK).json["total"].clone();
        assert_eq!((total["late"].as_i64(), total["reopened"].as_i64()), (Some(0), Some(1)));
    }
}

#[tokio::test]
async fn a_stopped_clock_makes_nothing_late_and_a_waiver_ends_an_item() {
    let (app, office) = (App::new().await, office());
    app.database.set_clock("2026-10-10T02:00:00Z".parse().unwrap()).await;
    let items = vec![
        item("甲", 1, ItemState::InProgress, date(2026, 10, 9)),
        item("甲", 2, ItemState::Waived, date(2026, 10, 9)),
    ];
    let mut snapshot = rectification("甲", Some("460100"), 2, items);
    snapshot.paused_until = Some("2026-10-31T16:00:00Z".parse().unwrap());
    app.feed(&snapshot).await;
    let numbers = async |state: &str| -> Vec<i64> {
        let path = format!("/v1/ledger?state={state}");
        let answer = app.get(&path, &office).await.expect(StatusCode::OK);
        answer.json["items"].as_array().unwrap().iter().map(|row| row["number"].as_i64().unwrap()).collect()
    };
    assert_eq!(numbers("late").await, [0_i64; 0]);
    assert_eq!(numbers("paused").await, [1]);
    assert_eq!(numbers("waived").await, [2]);
    assert_eq!(numbers("open").await, [1], "what is waived is done");
    let total = app.get("/v1/statistics/rectifications", &office).await.expect(StatusCode::OK).json["total"].clone();
    let figures =
        ["items", "open", "waived", "paused", "late", "closed", "on_time_base"].map(|key| total[key].as_i64());
    assert_eq!(figures, [2, 1, 1, 1, 0, 0, 0].map(Some));
    // The clock runs again: the limit that the resumption set is what counts.
    snapshot.version = 3;
    snapshot.paused_until = None;
    app.feed(&snapshot).await;
    assert_eq!(numbers("late").await, [1]);
}

#[tokio::test]
async fn the_departments_case_has_numbers_of_its_own() {
    let app = App::new().await;
    let unit = rectification("甲", Some("460100"), 1, vec![item("甲", 1, ItemState::InProgress, date(2099, 1, 5))]);
    let mut department =
        rectification("乙", Some("460100"), 1, vec![item("乙", 1, ItemState::InProgress, date(2099, 1, 5))]);
    department.letter = unit.letter.clone();
    department.liable_for = Some(unit.rectification_id);
    app.feed(&unit).await;
    app.feed(&department).await;
    let answer = app.get("/v1/ledger", &office()).await.expect(StatusCode::OK);
    let mut numbers: Vec<(bool, String)> = answer.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["joint_liability"].as_bool().unwrap(), row["item_no"].as_str().unwrap().to_owned()))
        .collect();
    numbers.sort();
    let letter = &unit.letter.doc_no;
    assert_eq!(numbers, [(false, format!("{letter}-1")), (true, format!("{letter}-连带-1"))]);
}
