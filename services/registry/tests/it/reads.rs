//! Reading the register: everyone sees what is his.

use http::StatusCode;
use serde_json::{Value, json};

use crate::fixture::Fixture;

fn keys(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|unit| unit["key"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn units_are_seen_by_area_by_unit_and_by_competent_department() {
    let fixture = Fixture::new().await.with_small_province().await;
    let haikou = ["2146000001", "3146000002", "edu-460100", "office-460100"];
    let all = fixture.get("/v1/units").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 7);
    for (login, seen) in [
        ("admin.460100", haikou.as_slice()),
        ("inspector.1", haikou.as_slice()),
        ("edu.460100", haikou.as_slice()),
        ("principal.2146000001", ["2146000001"].as_slice()),
    ] {
        let token = fixture.activated(login).await;
        let page = fixture.get_as(&token, "/v1/units").await.expect(StatusCode::OK).json;
        assert_eq!(keys(&page), seen, "{login}");
        for unit in all["items"].as_array().unwrap() {
            let visible = seen.contains(&unit["key"].as_str().unwrap());
            let status = if visible { StatusCode::OK } else { StatusCode::NOT_FOUND };
            let path = format!("/v1/units/{}", unit["unit_id"].as_str().unwrap());
            assert_eq!(fixture.get_as(&token, &path).await.status, status, "{login} {}", unit["key"]);
            let path = format!("/v1/units/by-key/{}", unit["key"].as_str().unwrap());
            assert_eq!(fixture.get_as(&token, &path).await.status, status, "{login} {}", unit["key"]);
        }
        assert_eq!(
            fixture.get_as(&token, "/v1/areas").await.expect(StatusCode::OK).json["items"].as_array().unwrap().len(),
            4
        );
    }
}

#[tokio::test]
async fn units_are_found_by_kind_area_name_and_department_page_by_page() {
    let fixture = Fixture::new().await.with_small_province().await;
    for (query, found) in [
        ("kind=school", vec!["2146000001", "2146000003", "3146000002"]),
        ("area=460100&kind=school", vec!["2146000001", "3146000002"]),
        ("area=460105", vec!["2146000001"]),
        ("q=%E7%AC%AC%E4%B8%80%E5%B0%8F%E5%AD%A6", vec!["2146000001", "2146000003"]),
        ("q=%25", vec![]),
        ("area=999999", vec![]),
    ] {
        assert_eq!(keys(&fixture.get(&format!("/v1/units?{query}")).await), found, "{query}");
    }
    let bureau = fixture.get("/v1/units/by-key/edu-460200").await;
    let path = format!("/v1/units?competent={}", bureau["unit_id"].as_str().unwrap());
    assert_eq!(keys(&fixture.get(&path).await), ["2146000003"]);
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = fixture.get(&format!("/v1/units?limit=2{after}")).await;
        seen.extend(keys(&page).into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, keys(&fixture.get("/v1/units").await));
}

#[tokio::test]
async fn wrong_questions_are_answered_and_never_our_fault() {
    let fixture = Fixture::new().await.with_small_province().await;
    for (path, status) in [
        ("/v1/units?kind=castle", StatusCode::UNPROCESSABLE_ENTITY),
        ("/v1/units?q=a%00b", StatusCode::UNPROCESSABLE_ENTITY),
        ("/v1/units?area=%00", StatusCode::UNPROCESSABLE_ENTITY),
        ("/v1/units?limit=0", StatusCode::UNPROCESSABLE_ENTITY),
        // A cursor of ours in form, with a NUL in it.
        ("/v1/units?after=IlwwMDAwIg", StatusCode::UNPROCESSABLE_ENTITY),
        ("/v1/units?after=IlxcdTAwMDAi", StatusCode::OK),
        ("/v1/units?after=Ilx1MDAwMCI", StatusCode::UNPROCESSABLE_ENTITY),
        ("/v1/units?on=2026-02-30", StatusCode::BAD_REQUEST),
        ("/v1/units?competent=x", StatusCode::BAD_REQUEST),
        ("/v1/units/by-key/%00", StatusCode::NOT_FOUND),
        ("/v1/units/x", StatusCode::BAD_REQUEST),
        ("/v1/units/00000000-0000-0000-0000-000000000000", StatusCode::NOT_FOUND),
        ("/v1/inspectors?q=%07", StatusCode::UNPROCESSABLE_ENTITY),
        ("/v1/accounts?role=king", StatusCode::BAD_REQUEST),
        ("/v1/imports/00000000-0000-0000-0000-000000000000", StatusCode::NOT_FOUND),
    ] {
        let answer = fixture.get_as(&fixture.token, path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.json);
    }
}

#[tokio::test]
async fn inspectors_are_seen_in_their_area() {
    let fixture = Fixture::new().await.with_small_province().await;
    let token = fixture.activated("admin.460100").await;
    let page = fixture.get_as(&token, "/v1/inspectors").await.expect(StatusCode::OK).json;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert_eq!(page["items"][0]["inspector_no"], "HN-0001");
    assert_eq!(page["items"][0]["training_hours"], 48);
    let other = fixture.get("/v1/inspectors?q=HN-0002").await["items"][0].clone();
    assert_eq!((&other["term_from"], &other["training_hours"]), (&json!("2024-09-01"), &json!(0)));
    let path = format!("/v1/inspectors/{}", other["person_id"].as_str().unwrap());
    assert_eq!(fixture.get_as(&token, &path).await.status, StatusCode::NOT_FOUND);
    let principal = fixture.activated("principal.2146000001").await;
    assert_eq!(fixture.get_as(&principal, "/v1/inspectors").await.status, StatusCode::FORBIDDEN);
}
