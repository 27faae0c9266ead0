//! Problems as a client sees them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use http::{Request, StatusCode};
use problem::{Json, Lang, Path, Problem, ProblemKind, Query, Text, ValidJson};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceExt;

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Severity {
    Minor,
    Major,
}

#[derive(Debug, Deserialize, Serialize, garde::Validate)]
#[serde(deny_unknown_fields)]
struct Finding {
    #[garde(length(chars, min = 2, max = 5))]
    title: String,
    #[garde(skip)]
    severity: Severity,
    #[garde(custom(even))]
    points: u8,
}

#[derive(Debug, Deserialize, Serialize, garde::Validate)]
struct Letter {
    #[garde(dive)]
    findings: Vec<Finding>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde asks for it")]
fn even(value: &u8, (): &()) -> garde::Result {
    if value.is_multiple_of(2) { Ok(()) } else { Err(garde::Error::new("应为偶数 | must be even")) }
}

#[derive(Deserialize)]
struct Filter {
    limit: u8,
}

fn app() -> Router {
    Router::new()
        .route("/letters", post(|Json(letter): Json<Letter>| async { Json(letter) }))
        .route("/valid", post(|ValidJson(letter): ValidJson<Letter>| async { Json(letter) }))
        .route("/list", get(|Query(filter): Query<Filter>| async move { filter.limit.to_string() }))
        .route("/units/{unit_id}", get(|Path(id): Path<u32>| async move { id.to_string() }))
        .route(
            "/closed",
            get(|| async {
                Problem::state_refuses(Text::new("该整改已销号。", "The rectification is closed."), "closed")
            }),
        )
        .route("/busy", get(|| async { Problem::unavailable(Text::new("稍候", "wait"), Duration::from_millis(1200)) }))
        .route("/who", get(|| async { Problem::of(ProblemKind::Unauthenticated) }))
        .route("/page", get(|| async { (StatusCode::NOT_FOUND, Html("<h1>没有此页</h1>")).into_response() }))
        .route("/panic", get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "Service panicked").into_response() }))
        .layer(DefaultBodyLimit::max(1000))
        .layer(from_fn(problem::localise))
}

async fn call(method: &str, path: &str, lang: &str, body: &str) -> (Response, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("accept-language", lang)
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap();
    answer(app().oneshot(request).await.unwrap()).await
}

async fn answer(mut response: Response) -> (Response, Value) {
    let body = std::mem::replace(response.body_mut(), Body::empty());
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    (response, value)
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// The whole catalogue in both languages is a text that reviewers read. To accept a change, read it
/// and copy the file from the target folder's `tmp` over the one here.
#[test]
fn the_catalogue_is_the_reviewed_one() {
    let mut actual = String::new();
    for kind in ProblemKind::ALL {
        for lang in [Lang::Zh, Lang::En] {
            let body = serde_json::to_string(&Problem::of(*kind).body(lang)).unwrap();
            actual.push_str(&body);
            actual.push('\n');
        }
    }
    let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/catalogue.jsonl");
    std::fs::write(path, &actual).unwrap();
    let expected = include_str!("catalogue.jsonl");
    for (actual, expected) in actual.lines().zip(expected.lines()) {
        assert_eq!(actual, expected);
    }
    assert_eq!(actual.len(), expected.len());
}

#[test]
fn slugs_are_unique_and_kebab_case() {
    let mut slugs: Vec<&str> = ProblemKind::ALL.iter().map(|kind| kind.slug()).collect();
    assert!(
        slugs.iter().all(|slug| { slug.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !slug.starts_with('-') })
    );
    slugs.sort_unstable();
    slugs.dedup();
    assert_eq!(slugs.len(), ProblemKind::ALL.len());
}

#[tokio::test]
async fn a_problem_is_chinese_unless_english_is_preferred() {
    let (response, body) = call("GET", "/closed", "zh-CN,en;q=0.5", "").await;
    assert_eq!(response.status(), 409);
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    assert_eq!(header(&response, "content-language"), "zh-CN");
    assert_eq!(header(&response, "vary"), "accept-language");
    assert_eq!(
        body,
        json!({
            "type": "https://dudao.example/problems/state-refuses",
            "title": "当前状态不允许此操作",
            "status": 409,
            "detail": "该整改已销号。",
            "instance": "/closed",
            "current_state": "closed",
        })
    );
    let (response, body) = call("GET", "/closed", "en-GB", "").await;
    assert_eq!(header(&response, "content-language"), "en");
    assert_eq!(body["detail"], "The rectification is closed.");
}

#[tokio::test]
async fn without_the_middleware_a_problem_is_still_a_document() {
    let (response, body) = answer(Problem::stale_version(7).into_response()).await;
    assert_eq!(response.status(), 412);
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    assert_eq!(body["current_version"], 7);
}

#[tokio::test]
async fn headers_that_belong_to_a_kind() {
    let (busy, _) = call("GET", "/busy", "zh", "").await;
    assert_eq!(busy.status(), 503);
    assert_eq!(header(&busy, "retry-after"), "2", "1.2 s rounds up");
    let (who, _) = call("GET", "/who", "zh", "").await;
    assert_eq!(header(&who, "www-authenticate"), "Bearer");
}

#[tokio::test]
async fn answers_of_the_framework_become_problems() {
    let (response, body) = call("GET", "/nowhere", "zh", "").await;
    assert_eq!((response.status().as_u16(), &body["title"]), (404, &json!("找不到对象")));
    assert_eq!(body["instance"], "/nowhere");
    let (response, body) = call("POST", "/list", "zh", "").await;
    assert_eq!(body["status"], 405);
    assert!(header(&response, "allow").contains("GET"), "the Allow header stays");
    let (_, body) = call("GET", "/panic", "zh", "").await;
    assert_eq!(body["type"], "https://dudao.example/problems/internal");
    assert!(!body.to_string().contains("panicked"));
    let (_, body) = call("POST", "/letters", "zh", &"x".repeat(1001)).await;
    assert_eq!(body["type"], "https://dudao.example/problems/body-too-large");
}

#[tokio::test]
async fn a_page_stays_a_page() {
    let (response, body) = call("GET", "/page", "zh", "").await;
    assert_eq!(response.status(), 404);
    assert!(header(&response, "content-type").starts_with("text/html"));
    assert_eq!(body, Value::Null);
}

#[tokio::test]
async fn a_bad_body_is_answered_with_the_place_and_the_reason() {
    let ok = r#"{"findings":[{"title":"消防","severity":"minor","points":2}]}"#;
    let table = [
        (ok, 200, "", "", ""),
        ("{\"findings\":[", 400, "", "", ""),
        ("", 400, "", "", ""),
        ("\u{feff}{}", 400, "", "", ""),
        ("{}", 422, "/findings", "缺少此项", "is missing"),
        (
            r#"{"findings":[{"title":"a","severity":"huge","points":1}]}"#,
            422,
            "/findings/0/severity",
            "“huge”不在允许的取值之内，可取：minor、major",
            "unknown variant `huge`, expected `minor` or `major`",
        ),
        (
            r#"{"findings":[{"title":"a","severity":"minor","points":-1}]}"#,
            422,
            "/findings/0/points",
            "取值不正确，应为 u8",
            "invalid value: integer `-1`, expected u8",
        ),
        (
            r#"{"findings":[{"title":"a","severity":"minor","points":1,"x/y":2}]}"#,
            422,
            "/findings/0/x~1y",
            "不认识的项“x/y”",
            "unknown field `x/y`, expected one of `title`, `severity`, `points`",
        ),
        (
            r#"{"findings":7}"#,
            422,
            "/findings",
            "类型不正确，应为 a sequence",
            "invalid type: integer `7`, expected a sequence",
        ),
    ];
    for (body, status, pointer, zh, en) in table {
        let (response, chinese) = call("POST", "/letters", "zh", body).await;
        assert_eq!(response.status(), status, "{body}");
        let (_, english) = call("POST", "/letters", "en", body).await;
        if status == 422 {
            assert_eq!(chinese["errors"], json!([{"pointer": pointer, "detail": zh}]));
            assert_eq!(english["errors"], json!([{"pointer": pointer, "detail": en}]));
        }
    }
    let (_, body) = call("POST", "/letters", "zh", "{\n  oops").await;
    assert_eq!((&body["line"], &body["column"]), (&json!(2), &json!(3)));
}

#[tokio::test]
async fn a_body_nested_without_end_is_refused() {
    let (response, _) = call("POST", "/letters", "zh", &"[".repeat(900)).await;
    assert!(response.status().is_client_error());
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let request = Request::post("/letters").body(Body::from("{}")).unwrap();
    let (response, body) = answer(app().oneshot(request).await.unwrap()).await;
    assert_eq!(response.status(), 415);
    assert!(body["detail"].as_str().unwrap().contains("JSON"));
}

#[tokio::test]
async fn every_broken_rule_is_listed_at_once() {
    let body = r#"{"findings":[{"title":"好","severity":"minor","points":2},
                               {"title":"太长的标题","severity":"major","points":3}]}"#;
    let (response, answer) = call("POST", "/valid", "zh", body).await;
    assert_eq!(response.status(), 422);
    assert_eq!(
        answer["errors"],
        json!([
            {"pointer": "/findings/0/title", "detail": "长度不得少于 2"},
            {"pointer": "/findings/1/points", "detail": "应为偶数"},
        ])
    );
    let (_, answer) = call("POST", "/valid", "en", body).await;
    assert_eq!(answer["errors"][1]["detail"], "must be even");
}

#[tokio::test]
async fn parameters_are_named() {
    let table = [
        ("/list?limit=7", 200, "", ""),
        ("/list", 400, "query/limit", "缺少此项"),
        ("/list?limit=many", 400, "query/limit", "取值不正确：invalid digit found in string"),
        ("/units/7", 200, "", ""),
        ("/units/seven", 400, "path/unit_id", "“seven”不正确，应为 u32"),
    ];
    for (path, status, pointer, detail) in table {
        let (response, body) = call("GET", path, "zh", "").await;
        assert_eq!(response.status(), status, "{path}");
        if status == 400 {
            assert_eq!(body["errors"], json!([{"pointer": pointer, "detail": detail}]), "{path}");
        }
    }
}
