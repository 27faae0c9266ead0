//! A county unit becomes a part of another one on its day: nothing before, everything at once then.

use contracts::registry::{AccountRecorded, AreaMerged, AreaMergerRecorded, AreaRecorded, MergerState, UnitRecorded};
use domain::local_time::{local_date, start_of_day};
use http::StatusCode;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use registry::assembled;
use serde_json::{Value, json};
use testkit::{Answer, Call, events_of};

use crate::fixture::{AREAS, Fixture, UNITS, workbook};

const OFFICE: &[&str] = &[
    "office-460200",
    "三亚市人民政府教育督导委员会办公室",
    "supervision_agency",
    "460200",
    "",
    "edu-460200",
    "2021-04-15",
];
const ACCOUNTS: &str = "账号,显示名,角色,区划代码,单位,督学编号
admin.460200,三亚市督导办管理员,county_office_admin,460200,office-460200,
inspector.2,督学0002,inspector,460200,,HN-0002
";

async fn ground() -> Fixture {
    let fixture = Fixture::new().await.with_small_province().await;
    let report = fixture.imported("province", "office.xlsx", &workbook(&[("部门", &[UNITS[0], OFFICE])])).await;
    assert_eq!(report["rejected"], json!([]));
    let report = fixture.imported("accounts", "accounts.csv", ACCOUNTS.as_bytes()).await;
    assert_eq!(report["rejected"], json!([]));
    fixture
}

/// Legal time is machine time here, until a test moves it.
fn day(fixture: &Fixture, days: i64) -> Date {
    local_date(fixture.now()) + days.days()
}

async fn announce(fixture: &Fixture, token: &str, area: &str, into: &str, on: Date) -> Answer {
    let wish = json!({"area_code": area, "into_code": into, "effective_on": on, "ground": "琼府函〔2026〕1号"});
    Call::post("/v1/area-mergers", &wish)
        .header("authorization", &format!("Bearer {token}"))
        .send(&fixture.router)
        .await
}

async fn work(fixture: &Fixture) {
    for worker in assembled(testkit::access(), fixture.state.clone()).workers() {
        worker.run_once().await.unwrap();
    }
}

async fn at_the_beginning_of(fixture: &Fixture, on: Date, before: SignedDuration) {
    fixture.database.set_clock(start_of_day(on).unwrap() - before).await;
}

fn pointer(answer: &Answer) -> &str {
    answer.json["errors"][0]["pointer"].as_str().unwrap()
}

#[tokio::test]
async fn before_its_day_nothing_moves_and_on_its_day_everything_does() {
    let fixture = ground().await;
    let on = day(&fixture, 3);
    let merger = announce(&fixture, &fixture.token, "460200", "460100", on).await.expect(StatusCode::CREATED).json;
    assert_eq!(merger["state"], "announced");
    let before = fixture.journalled().await;

    at_the_beginning_of(&fixture, on, SignedDuration::from_secs(30)).await;
    work(&fixture).await;
    assert_eq!(fixture.journalled().await, before);
    assert_eq!(fixture.get("/v1/units/by-key/2146000003").await["county_code"], "460200");

    at_the_beginning_of(&fixture, on, SignedDuration::ZERO).await;
    work(&fixture).await;
    let area = events_of::<AreaRecorded>(&fixture.database).await.pop().unwrap();
    assert_eq!((area.code.as_str(), area.path.len(), area.effective_on), ("460200", 3, on));
    let school = fixture.get("/v1/units/by-key/2146000003").await;
    assert_eq!((&school["county_code"], &school["area_code"]), (&json!("460100"), &json!("460200")));
    let bureau = fixture.get("/v1/units/by-key/edu-460100").await;
    assert_eq!(school["competent_unit_id"], bureau["unit_id"]);
    assert_eq!(school["valid_from"], json!(on));
    // As the register stood the day before.
    let then = fixture.get(&format!("/v1/units?on={}&q=2146000003", on - 1.day())).await;
    assert_eq!(then["items"][0]["county_code"], "460200");

    let told = events_of::<AreaMerged>(&fixture.database).await;
    let [told] = told.as_slice() else { panic!("once: {told:?}") };
    assert_eq!((told.code.as_str(), told.county_code.as_str()), ("460200", "460100"));
    assert_eq!((told.agency.to_key.as_str(), told.bureau.to_key.as_str()), ("office-460100", "edu-460100"));
    assert_eq!(told.path, area.path);
    // It comes last, so that whoever follows it knows the rest.
    assert_eq!(testkit::events(&fixture.database).await.last().unwrap().event_type, "registry.area.merged.v1");
    let units = events_of::<UnitRecorded>(&fixture.database).await;
    assert!(units.iter().rev().find(|unit| unit.key == "2146000003").unwrap().area_path.contains(&told.area_id));

    // The office that ended has no grant left; the inspector goes on.
    let accounts = events_of::<AccountRecorded>(&fixture.database).await;
    let newest = |login: &str| accounts.iter().rev().find(|account| account.login == login).unwrap();
    assert_eq!(newest("admin.460200").grants, []);
    assert_eq!(newest("inspector.2").grants.len(), 1);

    let count = fixture.journalled().await;
    work(&fixture).await;
    assert_eq!(fixture.journalled().await, count, "once is enough");
    let listed = fixture.get("/v1/area-mergers").await;
    assert_eq!(listed["items"][0]["state"], "carried_out");
    // The tree may still be imported; what became a district stays one.
    let report = fixture.import("province", "areas.xlsx", &workbook(&[("行政区划", AREAS)])).await;
    assert_eq!(report.expect(StatusCode::CREATED).json["rejected_rows"], 1);
}

#[tokio::test]
async fn a_token_does_not_outlive_the_office() {
    let fixture = ground().await;
    let on = day(&fixture, 3);
    fixture.activated("admin.460200").await;
    fixture.activated("admin.460100").await;
    fixture.activated("inspector.2").await;
    announce(&fixture, &fixture.token, "460200", "460100", on).await.expect(StatusCode::CREATED);
    at_the_beginning_of(&fixture, on, SignedDuration::from_hours(1)).await;
    let hours = async |login: &str| {
        let answer = fixture.sign_in(login, "Nan-Hai-Zhi-Bin-7").await.expect(StatusCode::CREATED);
        let ends: Timestamp = answer.json["expires_at"].as_str().unwrap().parse().unwrap();
        (ends.duration_since(fixture.now()) + SignedDuration::from_mins(1)).as_hours()
    };
    // A moment has passed already.
    assert_eq!(hours("admin.460200").await, 1);
    assert_eq!(hours("admin.460100").await, 8);
    assert_eq!(hours("inspector.2").await, 8);
}

#[tokio::test]
async fn only_what_can_be_handed_over_is_announced_and_only_by_the_province() {
    let fixture = ground().await;
    let on = day(&fixture, 3);
    for (area, into, on, wanted) in [
        ("460200", "460100", day(&fixture, 1), "/effective_on"),
        ("460200", "460200", on, "/into_code"),
        ("460200", "460105", on, "/into_code"),
        ("469999", "460100", on, "/area_code"),
        // It has a district.
        ("460100", "460200", on, "/area_code"),
    ] {
        let answer = announce(&fixture, &fixture.token, area, into, on).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(pointer(&answer), wanted, "{area} into {into} on {on}");
    }
    let county = fixture.activated("admin.460100").await;
    announce(&fixture, &county, "460200", "460100", on).await.expect(StatusCode::FORBIDDEN);
    assert_eq!(events_of::<AreaMergerRecorded>(&fixture.database).await, []);
}

#[tokio::test]
async fn an_announced_merger_can_be_taken_back_and_announced_again() {
    let fixture = ground().await;
    let on = day(&fixture, 3);
    let merger: Value =
        announce(&fixture, &fixture.token, "460200", "460100", on).await.expect(StatusCode::CREATED).json;
    announce(&fixture, &fixture.token, "460200", "460100", on).await.expect(StatusCode::CONFLICT);
    let path = format!("/v1/area-mergers/{}/withdrawal", merger["merger_id"].as_str().unwrap());
    let withdraw = async |version: &str| {
        Call::post(&path, &json!({}))
            .header("authorization", &format!("Bearer {}", fixture.token))
            .header("if-match", version)
            .send(&fixture.router)
            .await
    };
    withdraw("\"7\"").await.expect(StatusCode::PRECONDITION_FAILED);
    withdraw("\"1\"").await.expect(StatusCode::OK);
    withdraw("\"2\"").await.expect(StatusCode::CONFLICT);
    at_the_beginning_of(&fixture, on, SignedDuration::ZERO).await;
    work(&fixture).await;
    assert_eq!(events_of::<AreaMerged>(&fixture.database).await, []);
    let states: Vec<_> =
        events_of::<AreaMergerRecorded>(&fixture.database).await.into_iter().map(|merger| merger.state).collect();
    assert_eq!(states, [MergerState::Announced, MergerState::Withdrawn]);
    announce(&fixture, &fixture.token, "460200", "460100", on + 5.days()).await.expect(StatusCode::CREATED);
}
