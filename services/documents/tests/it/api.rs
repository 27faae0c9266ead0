//! The service by its routes.

use access::Role;
use axum::Router;
use axum::http::StatusCode;
use documents::{Kind, PaperState, Rendition};
use documents_room::desk::Desk;
use domain::ids::AreaId;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::Call;

use crate::support::{KEY, PRESS, root, sample};

fn router() -> Router {
    service_kit::install_crypto();
    documents_room::router(testkit::access(), PRESS.clone(), Desk::new(2, 8))
}

fn office() -> access::Caller {
    testkit::caller(Role::ProvinceOfficeAdmin, Some(AreaId::derived(&["460000"])), None)
}

fn contact() -> access::Caller {
    testkit::caller(Role::UnitContact, None, Some(domain::ids::UnitId::derived(&["学校"])))
}

fn frozen() -> Vec<u8> {
    sample(Kind::UrgingOrder).freeze().into_text().into_bytes()
}

fn render(query: &str, body: Vec<u8>) -> Call {
    Call::new(axum::http::Method::POST, &format!("/v1/documents/render{query}")).body("application/json", body)
}

#[tokio::test]
async fn whoever_is_signed_in_renders_what_he_holds() {
    let router = router();
    render("", frozen()).send(&router).await.expect(StatusCode::UNAUTHORIZED);
    for (query, media_type, start) in [
        ("", "application/pdf", &b"%PDF"[..]),
        ("?format=docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK"),
        ("?format=txt&state=void", "text/plain; charset=utf-8", "【作废】".as_bytes()),
    ] {
        let answer = render(query, frozen()).by(&contact()).send(&router).await.expect(StatusCode::OK);
        assert_eq!(answer.headers["content-type"], media_type);
        assert!(answer.bytes.starts_with(start), "{query}");
        assert!(
            answer.headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename*=UTF-8''%E7")
        );
        let etag = answer.headers["etag"].to_str().unwrap().to_owned();
        let again = render(query, frozen()).by(&contact()).header("if-none-match", &etag).send(&router).await;
        again.expect(StatusCode::NOT_MODIFIED);
    }
}

/// What the room states about a file is signed, names these bytes, and is stated of no trial.
#[tokio::test]
async fn a_file_comes_with_a_signed_statement_of_what_it_is() {
    let router = router();
    let public = messaging::JournalKey::from_bytes(KEY.as_bytes()).unwrap().public();
    for (query, format, state) in [
        ("", "pdf", PaperState::Genuine),
        ("?format=docx&state=replaced", "docx", PaperState::Replaced),
        ("?format=txt&state=void", "txt", PaperState::Void),
    ] {
        let answer = render(query, frozen()).by(&contact()).send(&router).await.expect(StatusCode::OK);
        let header = answer.headers["dudao-rendition"].to_str().unwrap();
        let (statement, signature) = header.rsplit_once(' ').unwrap();
        assert!(public.verifies(statement.as_bytes(), &hex::decode(signature).unwrap()), "{header}");
        let rendition: Rendition = statement.parse().unwrap();
        assert_eq!((rendition.format.as_str(), rendition.state), (format, state));
        assert_eq!(rendition.content_sha256, hex::encode(Sha256::digest(frozen())));
        assert_eq!(rendition.file_sha256, hex::encode(Sha256::digest(&answer.bytes)));
    }
    let content: Value = serde_json::from_slice(&frozen()).unwrap();
    let body = json!({"content": content, "template_version": "2026-1", "template": null});
    let trial = Call::post("/v1/documents/preview?format=txt", &body).by(&office()).send(&router).await;
    assert!(trial.expect(StatusCode::OK).headers.get("dudao-rendition").is_none());
}

#[tokio::test]
async fn refusals_say_where_and_why() {
    let router = router();
    let refused = async |query: &str, body: Vec<u8>, status: StatusCode| {
        render(query, body).by(&contact()).send(&router).await.expect(status).json
    };
    let mut wrong: Value = serde_json::from_slice(&frozen()).unwrap();
    wrong["body"]["urging_order"]["late_items"][0]["due_on"] = "明天".into();
    let problem = refused("", wrong.to_string().into_bytes(), StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(problem["errors"][0]["pointer"], "/body/urging_order/late_items/0/due_on");
    let problem = refused("", b"{}".to_vec(), StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("body"));
    refused("?format=ps", frozen(), StatusCode::BAD_REQUEST).await;
    let mut content = sample(Kind::UrgingOrder);
    content.head.title.push('\u{13000}');
    let body = content.freeze().into_text().into_bytes();
    let problem = refused("", body, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("U+13000"), "{problem}");
}

#[tokio::test]
async fn a_change_of_templates_is_seen_before_it_is_made() {
    let router = router();
    let text = std::fs::read_to_string(root().join("rulebook/documents/2026-1/template.toml")).unwrap();
    let content: Value = serde_json::from_slice(&frozen()).unwrap();
    let preview = |template: Value| {
        let body = json!({"content": content, "template_version": "2026-1", "template": template});
        Call::post("/v1/documents/preview?format=txt", &body)
    };
    let changed = text.replace("督办单办理情况回执", "办理情况报告单");
    preview(json!(changed)).by(&contact()).send(&router).await.expect(StatusCode::FORBIDDEN);
    let answer = preview(json!(changed)).by(&office()).send(&router).await.expect(StatusCode::OK);
    let shown = String::from_utf8(answer.bytes).unwrap();
    assert!(shown.starts_with("【样稿】") && shown.contains("办理情况报告单"));
    let wrong = json!(text.replace("{aim}", "{aims}"));
    let answer = preview(wrong).by(&office()).send(&router).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.json["errors"][0]["pointer"].as_str().unwrap().starts_with("/template#L"));
    preview(Value::Null).by(&office()).send(&router).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn templates_are_listed() {
    let list = Call::get("/v1/templates").by(&contact()).send(&router()).await.expect(StatusCode::OK).json;
    assert_eq!(list[0]["version"], "2026-1");
    assert_eq!(list[0]["effective_on"], "2026-01-01");
    assert_eq!(list[0]["kinds"].as_array().unwrap().len(), Kind::ALL.len());
}

/// To accept a change, read it and copy the file from the target folder's `tmp` over the one here.
#[tokio::test]
async fn the_api_description_is_as_pinned() {
    let answer = Call::get("/openapi.json").send(&router()).await.expect(StatusCode::OK);
    assert_eq!(answer.json["openapi"], "3.1.0");
    let now = format!("{}\n", serde_json::to_string_pretty(&answer.json).unwrap());
    let fresh = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("documents.openapi.json");
    std::fs::write(&fresh, &now).unwrap();
    let pinned = std::fs::read_to_string(root().join("services/documents/openapi.json")).unwrap_or_default();
    assert!(
        pinned == now,
        "the API description changed; if it is meant: cp {} services/documents/openapi.json",
        fresh.display()
    );
}
