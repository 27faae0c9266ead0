//! Who sees which rows; filters; pages; what is late at which instant.

use access::Role;
use contracts::deadlines::ItemState;
use domain::ids::UnitId;
use http::StatusCode;
use jiff::civil::date;
use testkit::Call;

use crate::support::{App, county, item, office, province, rectification};

async fn app() -> App {
    let app = App::new().await;
    let in_county = |name: &str| {
        rectification(name, Some("460100"), 1, vec![item(name, 1, ItemState::InProgress, date(2026, 9, 22))])
    };
    app.feed(&in_county("甲")).await;
    app.feed(&rectification("乙", Some("460200"), 1, vec![item("乙", 1, ItemState::Reported, date(2026, 9, 22))]))
        .await;
    // A matter against a county's government: the office in charge is the province's.
    let mut government = in_county("丙");
    government.unit.area_path = vec![province()];
    app.feed(&government).await;
    app.feed(&rectification("丁", None, 1, vec![item("丁", 1, ItemState::Closed, date(2026, 9, 22))])).await;
    app
}

async fn units(app: &App, path: &str, caller: &access::Caller) -> Vec<String> {
    let answer = app.get(path, caller).await.expect(StatusCode::OK);
    let mut names: Vec<String> = answer.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["unit_name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn each_sees_what_lies_in_its_scope_and_no_more() {
    let app = app().await;
    let all = units(&app, "/v1/ledger", &office()).await;
    assert_eq!(all, ["丁学校", "丙学校", "乙学校", "甲学校"]);
    let haikou = testkit::caller(Role::CountyOfficeAdmin, Some(county("460100")), None);
    assert_eq!(units(&app, "/v1/ledger", &haikou).await, ["甲学校"]);
    let school = testkit::caller(Role::UnitPrincipal, None, Some(UnitId::derived(&["unit", "甲"])));
    assert_eq!(units(&app, "/v1/ledger", &school).await, ["甲学校"]);
    let bureau = testkit::caller(Role::CompetentDepartmentOfficer, None, Some(UnitId::derived(&["bureau", "460100"])));
    assert_eq!(units(&app, "/v1/ledger", &bureau).await, ["丙学校", "甲学校"]);
    let stranger = testkit::caller(Role::UnitPrincipal, None, Some(UnitId::derived(&["unit", "无"])));
    assert!(units(&app, "/v1/ledger", &stranger).await.is_empty());

    let answer = app.get("/v1/statistics/rectifications", &haikou).await.expect(StatusCode::OK);
    assert_eq!(answer.json["total"]["items"], 1);
    app.get("/v1/statistics/rectifications", &school).await.expect(StatusCode::FORBIDDEN);
    let operator = testkit::caller(Role::Operator, None, None);
    app.get("/v1/ledger", &operator).await.expect(StatusCode::FORBIDDEN);
    app.get("/v1/ledger.xlsx", &operator).await.expect(StatusCode::FORBIDDEN);
    Call::get("/v1/ledger").send(&app.router).await.expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn filters_narrow_and_wrong_ones_are_named() {
    let app = app().await;
    app.database.set_clock("2026-09-20T02:00:00Z".parse().unwrap()).await;
    let office = office();
    assert_eq!(units(&app, "/v1/ledger?county=460200", &office).await, ["乙学校"]);
    assert_eq!(units(&app, "/v1/ledger?county=province", &office).await, ["丁学校"]);
    assert_eq!(units(&app, "/v1/ledger?state=open", &office).await, ["丙学校", "乙学校", "甲学校"]);
    assert_eq!(units(&app, "/v1/ledger?state=due_soon", &office).await, ["丙学校", "甲学校"]);
    assert_eq!(units(&app, "/v1/ledger?q=%E4%B9%99", &office).await, ["乙学校"]);
    assert!(units(&app, "/v1/ledger?q=%25", &office).await.is_empty(), "a percent sign is a sign, not a pattern");
    let refused = app.get("/v1/ledger?state=lost", &office).await.expect(StatusCode::BAD_REQUEST);
    assert_eq!(refused.json["errors"][0]["pointer"], "query/state");
    app.get("/v1/ledger?county=%27--", &office).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    app.get("/v1/ledger?after=nonsense", &office).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    app.get("/v1/ledger?q=%00", &office).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn an_item_is_late_from_the_end_of_its_last_day_by_legal_time() {
    let app = app().await;
    let office = office();
    // 23:59:50 of 22 September in Beijing, then a minute later.
    app.database.set_clock("2026-09-22T15:59:30Z".parse().unwrap()).await;
    assert!(units(&app, "/v1/ledger?state=late", &office).await.is_empty());
    app.database.set_clock("2026-09-22T16:00:00Z".parse().unwrap()).await;
    assert_eq!(units(&app, "/v1/ledger?state=late", &office).await, ["丙学校", "甲学校"]);
    let answer = app.get("/v1/statistics/rectifications?county=460100", &office).await.expect(StatusCode::OK);
    assert_eq!(answer.json["total"]["late"], 2);
    // Nobody of them reported: two could be expected, none was in time.
    assert_eq!(answer.json["total"]["on_time_base"], 2);
    assert_eq!(answer.json["total"]["on_time_rate"], "0.0%");
    assert!(answer.json["as_of"].as_str().unwrap().starts_with("2026-09-22T16:00:0"));
}

#[tokio::test]
async fn an_item_on_an_urging_order_stays_late_until_it_is_reported() {
    let app = App::new().await;
    app.database.set_clock("2026-09-24T02:00:00Z".parse().unwrap()).await;
    let mut urged = item("甲", 1, ItemState::InProgress, date(2026, 9, 30));
    urged.first_due_on = date(2026, 9, 22);
    urged.late = true;
    urged.urging_order_no = Some("琼教督委督〔2026〕1号".to_owned());
    let mut snapshot = rectification("甲", Some("460100"), 5, vec![urged]);
    snapshot.urging_orders = vec![crate::support::urging_order(&snapshot, "琼教督委督〔2026〕1号")];
    app.feed(&snapshot).await;
    let answer = app.get("/v1/statistics/rectifications", &office()).await.expect(StatusCode::OK);
    let total = &answer.json["total"];
    assert_eq!(
        (total["late"].as_i64(), total["due_soon"].as_i64(), total["urging_orders"].as_i64()),
        (Some(1), Some(0), Some(1))
    );
    snapshot.version = 6;
    snapshot.items[0].state = ItemState::Reported;
    snapshot.items[0].reported_at = Some("2026-09-24T01:00:00Z".parse().unwrap());
    app.feed(&snapshot).await;
    let answer = app.get("/v1/statistics/rectifications", &office()).await.expect(StatusCode::OK);
    let total = &answer.json["total"];
    assert_eq!(
        (total["late"].as_i64(), total["reported"].as_i64(), total["urging_orders"].as_i64()),
        (Some(0), Some(1), Some(1))
    );
    assert_eq!(total["on_time_rate"], "0.0%");
}

#[tokio::test]
async fn pages_join_to_the_whole_ledger() {
    let app = App::new().await;
    for n in 0..7 {
        let name = format!("校{n}");
        let items = (1..=3).map(|k| item(&name, k, ItemState::InProgress, date(2099, 1, 5))).collect();
        app.feed(&rectification(&name, Some("460100"), 1, items)).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/v1/ledger?limit=4".to_owned());
    loop {
        let answer = app.get(&path, &office()).await.expect(StatusCode::OK);
        for row in answer.json["items"].as_array().unwrap() {
            seen.push(row["item_id"].as_str().unwrap().to_owned());
        }
        match answer.json["next"].as_str() {
            Some(next) => path = format!("/v1/ledger?limit=4&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 21);
    let mut distinct = seen.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 21);
}
