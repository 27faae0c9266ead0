//! Evidence: distrusted, kept by its hash, shown to who may see the working papers.

use ::access::Caller;
use http::StatusCode;
use serde_json::json;
use testkit::{Answer, Call};

use crate::world::{CaseHandle, World};

pub fn photo() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(16, 16, image::Rgb([180, 40, 40]))
        .write_to(&mut bytes, image::ImageFormat::Jpeg)
        .unwrap();
    bytes.into_inner()
}

fn form(content: &[u8]) -> Vec<u8> {
    let mut body = b"--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"exit.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n".to_vec();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--X--\r\n");
    body
}

pub async fn upload(case: &CaseHandle<'_>, by: &Caller, content: &[u8]) -> Answer {
    Call::post(&case.path("evidence"), &json!({}))
        .body("multipart/form-data; boundary=X", form(content))
        .by(by)
        .send(&case.world.router)
        .await
}

#[tokio::test]
async fn a_photo_becomes_evidence_and_only_working_hands_see_it() {
    let world = World::new().await;
    let case = world.case().await;
    case.team_and_notice().await;
    let stored = upload(&case, &world.inspector, &photo()).await.expect(StatusCode::CREATED).json;
    let item = &stored["items"][0];
    assert_eq!(item["media_type"], "image/jpeg");
    assert_eq!(item["name"], "exit.jpg");
    assert_eq!(item["uploaded_by"], world.inspector.display_name);
    // The same photo again is the same evidence, with its first author.
    upload(&case, &world.county_admin, &photo()).await.expect(StatusCode::CREATED);
    let seen = case.see().await;
    assert_eq!(seen["evidence"].as_array().unwrap().len(), 1);
    assert_eq!(seen["evidence"][0]["uploaded_by"], world.inspector.display_name);

    let path = format!("/v1/evidence/{}", item["sha256"].as_str().unwrap());
    for caller in [&world.inspector, &world.county_admin, &world.admin, &world.desk] {
        let answer = world.get(&path, caller).await.expect(StatusCode::OK);
        assert_eq!(answer.headers["content-type"], "image/jpeg");
        assert_eq!(answer.bytes.len(), usize::try_from(item["bytes"].as_u64().unwrap()).unwrap());
    }
    for caller in [&world.stranger, &world.principal, &world.bureau_officer, &world.sanya_admin] {
        world.get(&path, caller).await.expect(StatusCode::NOT_FOUND);
    }

    world.days_later(8).await;
    let mut visit = case.visit_body().await;
    visit["evidence"] = json!(["0".repeat(64)]);
    case.step("visit-records", &visit, &world.inspector).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    visit["evidence"] = json!([item["sha256"]]);
    case.step("visit-records", &visit, &world.inspector).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn what_is_no_photo_or_nobodys_business_is_refused() {
    let world = World::new().await;
    let case = world.case().await;
    case.team_and_notice().await;
    let refused = upload(&case, &world.inspector, b"#!/bin/sh\nrm -rf /\n").await;
    refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
    upload(&case, &world.inspector, &photo()[..60]).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    upload(&case, &world.stranger, &photo()).await.expect(StatusCode::FORBIDDEN);
    upload(&case, &world.principal, &photo()).await.expect(StatusCode::FORBIDDEN);
    assert!(case.see().await["evidence"].as_array().unwrap().is_empty());
}
