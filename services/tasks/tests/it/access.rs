//! Who may do what to which case, and who may know.

use ::access::{Caller, Role};
use contracts::shared::DocumentKind;
use http::{Method, StatusCode};
use serde_json::json;
use testkit::Call;

use crate::world::{World, letter};

/// The description is complete: every operation has a Chinese summary and names its permission.
#[tokio::test]
async fn every_operation_is_described() {
    let world = World::new().await;
    let document = Call::get("/openapi.json").send(&world.router).await.expect(StatusCode::OK).json;
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        // The service administration is service-kit's.
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            if path.starts_with("/v1/service/") {
                continue;
            }
            let Some(summary) = operation["summary"].as_str() else { panic!("{method} {path} has no summary") };
            assert!(summary.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{method} {path}: {summary}");
            assert!(operation["x-permission"].is_string(), "{method} {path}");
        }
    }
    assert_eq!(operations, world.listing.len());
}

#[tokio::test]
async fn every_route_asks_who_calls() {
    let world = World::new().await;
    let (mut guarded, unit_id) = (0, world.school.to_string());
    for route in &world.listing {
        assert!(route.action.is_some(), "{} {} is open", route.method, route.path);
        let path = route.path.replace("{sha256}", &"0".repeat(64));
        let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        for part in &mut parts {
            if part.starts_with('{') {
                part.clone_from(&unit_id);
            }
        }
        let mut call = Call::new(route.method.clone(), &parts.join("/"));
        if route.method == Method::POST {
            call = call.header("Idempotency-Key", "nobody-0001");
        }
        let answer = call.send(&world.router).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{} {}", route.method, route.path);
        guarded += 1;
    }
    assert!(guarded >= 24, "{guarded}");
}

/// Measure 2: governments and higher education by the province, schools by their county or the province.
#[tokio::test]
async fn jurisdiction() {
    let world = World::new().await;
    let table = [
        (&world.county_admin, world.school, StatusCode::CREATED),
        (&world.admin, world.school, StatusCode::CREATED),
        (&world.desk, world.school, StatusCode::CREATED),
        (&world.admin, world.haikou_government, StatusCode::CREATED),
        (&world.admin, world.university, StatusCode::CREATED),
        (&world.county_admin, world.haikou_bureau, StatusCode::CREATED),
        (&world.county_admin, world.haikou_government, StatusCode::FORBIDDEN),
        (&world.county_admin, world.university, StatusCode::FORBIDDEN),
        (&world.county_admin, world.sanya_school, StatusCode::FORBIDDEN),
        (&world.sanya_admin, world.school, StatusCode::FORBIDDEN),
        (&world.admin, world.haikou_bureau, StatusCode::FORBIDDEN),
        (&world.county_admin, world.haikou_office, StatusCode::FORBIDDEN),
        (&world.inspector, world.school, StatusCode::FORBIDDEN),
        (&world.principal, world.school, StatusCode::FORBIDDEN),
    ];
    for (caller, unit, expected) in table {
        let answer = world.post("/v1/cases", &world.new_case(unit), caller).await;
        let text = String::from_utf8_lossy(&answer.bytes).into_owned();
        assert_eq!(answer.status, expected, "{} on {unit}: {text}", caller.display_name);
    }
}

/// A county's people do not act on a case of the province, and do not know of it before the unit does.
#[tokio::test]
async fn a_case_of_the_province_is_the_provinces() {
    let world = World::new().await;
    let case = world.case_of(&world.admin, world.new_case(world.school)).await;
    case.get(&world.county_admin).await.expect(StatusCode::NOT_FOUND);
    case.get(&world.auditor).await.expect(StatusCode::NOT_FOUND);
    case.step("team", &world.team(), &world.county_admin).await.expect(StatusCode::FORBIDDEN);
    case.team_and_notice().await;
    case.get(&world.county_admin).await.expect(StatusCode::OK);
    case.get(&world.sanya_admin).await.expect(StatusCode::NOT_FOUND);
    let listed = world.get("/v1/cases", &world.county_admin).await.expect(StatusCode::OK);
    assert_eq!(listed.json["items"].as_array().unwrap().len(), 1);
    let listed = world.get("/v1/cases", &world.sanya_admin).await.expect(StatusCode::OK);
    assert!(listed.json["items"].as_array().unwrap().is_empty());
}

/// Need-to-know: opinion and plea for office, group and unit; the competent department reads from the letter on.
#[tokio::test]
async fn who_may_know_what_and_when() {
    let world = World::new().await;
    let case = world.case().await;
    let outsiders =
        [&world.principal, &world.contact, &world.bureau_officer, &world.sanya_admin, &world.sanya_principal];
    for caller in outsiders {
        case.get(caller).await.expect(StatusCode::NOT_FOUND);
    }
    case.get(&world.stranger).await.expect(StatusCode::NOT_FOUND);
    case.get(&world.auditor).await.expect(StatusCode::OK);
    case.until_pleading().await;
    let opinion = case.see().await["preliminary_opinion"]["document"].clone();
    assert_eq!(opinion["kind"], serde_json::to_value(DocumentKind::PreliminaryOpinion).unwrap());
    let path = format!("/v1/documents/{}", opinion["document_id"].as_str().unwrap());

    let knowing: [&Caller; 5] = [&world.county_admin, &world.desk, &world.inspector, &world.principal, &world.contact];
    for caller in knowing {
        let seen = case.get(caller).await.expect(StatusCode::OK).json;
        assert_eq!(seen["preliminary_opinion"]["document"], opinion, "{}", caller.display_name);
        assert_eq!(seen["findings"].as_array().unwrap().len(), 1);
        world.get(&path, caller).await.expect(StatusCode::OK);
    }
    for caller in [&world.stranger, &world.auditor] {
        let seen = case.get(caller).await.expect(StatusCode::OK).json;
        assert!(seen.get("preliminary_opinion").is_none() && seen["findings"].as_array().unwrap().is_empty());
        assert!(
            seen["visit_records"].as_array().unwrap().is_empty() && seen["next_steps"].as_array().unwrap().is_empty()
        );
        world.get(&path, caller).await.expect(StatusCode::NOT_FOUND);
    }
    for caller in [&world.bureau_officer, &world.sanya_admin, &world.sanya_principal] {
        case.get(caller).await.expect(StatusCode::NOT_FOUND);
        world.get(&path, caller).await.expect(StatusCode::NOT_FOUND);
    }
    // The unit sees the opinion, not the working papers of the group.
    let seen = case.get(&world.principal).await.json;
    assert!(seen["preliminary_opinion"].get("deliberation").is_none());
    assert!(seen["hearings"].as_array().unwrap().is_empty());

    case.step("plea", &json!({"text": "申辩意见"}), &world.principal).await.expect(StatusCode::OK);
    case.done("letter", &json!({"evaluation": "应限期整改。", "plea_treatment": "不予采纳"})).await;
    let seen = case.get(&world.bureau_officer).await.expect(StatusCode::OK).json;
    assert_eq!(seen["findings"].as_array().unwrap().len(), 1);
    assert!(seen.get("plea").is_none() && seen.get("preliminary_opinion").is_none());
    assert!(seen["letter"].get("plea_treatment").is_none());
    world.get(&path, &world.bureau_officer).await.expect(StatusCode::NOT_FOUND);
}

/// Only the unit's principal pleads, only the office decides and issues, only the group and the office record.
#[tokio::test]
async fn acts_need_the_right_hand() {
    let world = World::new().await;
    let case = world.case().await;
    let team = world.team();
    for caller in [&world.inspector, &world.sanya_admin, &world.principal, &world.auditor] {
        case.step("team", &team, caller).await.expect(StatusCode::FORBIDDEN);
    }
    case.team_and_notice().await;
    world.days_later(8).await;
    let visit = case.visit_body().await;
    let refused = case.step("visit-records", &visit, &world.stranger).await.expect(StatusCode::FORBIDDEN);
    assert_eq!(refused.json["guard"], "not_on_team");
    let seen = case.step("visit-records", &visit, &world.inspector).await.expect(StatusCode::CREATED).json;
    assert_eq!(seen["visit_records"][0]["inspectors"], json!([world.inspectors[0]]));
    case.hear_all().await;
    case.step("findings", &world.finding(), &world.stranger).await.expect(StatusCode::FORBIDDEN);
    case.step("findings", &world.finding(), &world.inspector).await.expect(StatusCode::CREATED);
    case.step("feedback", &crate::world::opinion(), &world.inspector).await.expect(StatusCode::FORBIDDEN);
    let seen = case.done("feedback", &crate::world::opinion()).await;
    world.sign(&seen["preliminary_opinion"]["document"], world.school).await.unwrap();
    for caller in [&world.contact, &world.county_admin, &world.sanya_principal] {
        case.step("plea", &json!({"waived": true}), caller).await.expect(StatusCode::FORBIDDEN);
    }
    case.step("plea", &json!({"waived": true}), &world.principal).await.expect(StatusCode::OK);
    for caller in [&world.inspector, &world.desk, &world.principal, &world.sanya_admin] {
        case.step("letter", &letter(), caller).await.expect(StatusCode::FORBIDDEN);
    }
    case.done("letter", &letter()).await;
}

/// An inspector of another county who was named into the group works on the case; his county's office does not.
#[tokio::test]
async fn a_group_may_cross_counties() {
    let world = World::new().await;
    let case = world.case_of(&world.admin, world.new_case(world.sanya_school)).await;
    case.team_and_notice().await;
    let seen = case.get(&world.inspector).await.expect(StatusCode::OK).json;
    assert!(!seen["next_steps"].as_array().unwrap().is_empty());
    let listed = world.get("/v1/cases", &world.inspector).await.expect(StatusCode::OK);
    assert_eq!(listed.json["items"].as_array().unwrap().len(), 1);
    case.get(&world.county_admin).await.expect(StatusCode::NOT_FOUND);
    // An account that is both principal of a school and inspector elsewhere stays what it is in each case.
    let both = crate::world::with_grant(world.principal.clone(), Role::Inspector, Some(world.haikou), None);
    case.get(&both).await.expect(StatusCode::NOT_FOUND);
}
