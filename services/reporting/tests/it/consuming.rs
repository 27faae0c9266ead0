//! Events twice, out of order, stale, unreadable, and those that come before what they belong to.

use contracts::Event as _;
use contracts::deadlines::{ItemState, RectificationOpened, StepProposed};
use contracts::publication::PagePublished;
use domain::ids::PublicationId;
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
async fn steps_and_public_pages_may_come_before_the_rectification() {
    let app = App::new().await;
    let snapshot = rectification("甲", Some("460100"), 3, vec![item("甲", 1, ItemState::InProgress, date(2099, 1, 5))]);
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
    let mut step =
        StepProposed { rectification: snapshot.clone(), level: 2, item_ids: vec![snapshot.items[0].item_id] };
    app.database.set_clock("2026-10-20T02:00:00Z".parse().unwrap()).await;
    app.apply(&reporting::consume::Rectifications, &step).await;
    // The same step of a later round does not move the day on which it was first proposed.
    app.database.set_clock("2026-11-20T02:00:00Z".parse().unwrap()).await;
    step.rectification.version = 4;
    app.apply(&reporting::consume::Rectifications, &step).await;

    let answer = app.get("/v1/ledger", &office()).await.expect(StatusCode::OK);
    assert_eq!(answer.json["items"][0]["public_path"], "/rectifications/x");
    assert_eq!(answer.json["items"][0]["interview_proposed_on"], "2026-10-20");
    assert_eq!(answer.json["items"][0]["circular_proposed_on"], serde_json::Value::Null);
    assert!(reporting::consume::Rectifications.event_types().contains(&StepProposed::TYPE));
}
