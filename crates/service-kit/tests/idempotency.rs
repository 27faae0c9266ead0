//! A repeated POST has one effect and one answer, also when both arrive at once. Needs PostgreSQL (DATABASE_URL).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests may")]

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http::{Request, StatusCode};
use postgres::Database;
use problem::{Problem, ProblemKind};
use service_kit::etag::etag_header;
use service_kit::idempotency::{Begun, FingerprintRules, Idempotent, fingerprint, forget_older_than};
use sqlx::PgPool;
use tower::ServiceExt as _;

#[derive(serde::Deserialize, serde::Serialize)]
struct Thing {
    name: String,
}

/// The style with a guard value: begin, work, commit.
async fn create(
    State(database): State<Database>,
    idempotent: Idempotent,
    problem::Json(thing): problem::Json<Thing>,
) -> problem::Result<Response> {
    let mut work = match idempotent.begin(&database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    sqlx::query("INSERT INTO things (name) VALUES ($1)").bind(&thing.name).execute(&mut ***work).await?;
    if thing.name == "refused" {
        return Err(Problem::of(ProblemKind::StateRefuses));
    }
    work.commit((StatusCode::CREATED, etag_header(1), axum::Json(thing))).await
}

/// The style with a closure.
async fn rename(State(database): State<Database>, idempotent: Idempotent) -> problem::Result<Response> {
    idempotent
        .run(&database, |tx| {
            Box::pin(async move {
                sqlx::query("INSERT INTO things (name) VALUES ('renamed')").execute(&mut **tx).await?;
                Ok(StatusCode::NO_CONTENT.into_response())
            })
        })
        .await
}

async fn keyless() -> &'static str {
    "signed in"
}

async fn app(pool: &PgPool) -> Router {
    messaging::MIGRATOR.run(pool).await.unwrap();
    sqlx::query("CREATE TABLE things (name text NOT NULL)").execute(pool).await.unwrap();
    let rules = FingerprintRules { exempt: Arc::new(["/v1/sessions"]) };
    Router::new()
        .route("/v1/things", post(create).get(keyless))
        .route("/v1/things/{id}/rename", post(rename))
        .route("/v1/sessions", post(keyless))
        .route_layer(from_fn_with_state(rules, fingerprint))
        .layer(DefaultBodyLimit::max(1000))
        .with_state(Database::from_pool(pool.clone()))
}

fn request(path: &str, key: Option<&str>, body: &str) -> Request<Body> {
    let request = Request::post(path).header("content-type", "application/json");
    let request = match key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    };
    request.body(Body::from(body.to_owned())).unwrap()
}

async fn call(app: &Router, request: Request<Body>) -> (u16, http::HeaderMap, String) {
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, 100_000).await.unwrap();
    (parts.status.as_u16(), parts.headers, String::from_utf8_lossy(&body).into_owned())
}

async fn things(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM things").fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = false)]
async fn a_repeated_request_gets_the_first_answer_and_has_one_effect(pool: PgPool) {
    let app = app(&pool).await;
    let first = call(&app, request("/v1/things", Some("key-0001"), r#"{"name":"a"}"#)).await;
    let second = call(&app, request("/v1/things", Some("key-0001"), r#"{"name":"a"}"#)).await;
    assert_eq!((first.0, second.0), (201, 201));
    assert_eq!(first.2, second.2);
    assert_eq!(second.1["etag"], "\"1\"");
    assert_eq!(second.1["content-type"], "application/json");
    assert!(!first.1.contains_key("idempotency-replayed"));
    assert_eq!(second.1["idempotency-replayed"], "true");
    assert_eq!(things(&pool).await, 1);

    let other_body = call(&app, request("/v1/things", Some("key-0001"), r#"{"name":"b"}"#)).await;
    assert_eq!(other_body.0, 422);
    assert!(other_body.2.contains("idempotency-key-reused"), "{}", other_body.2);
    let other_route = call(&app, request("/v1/things/7/rename", Some("key-0001"), r#"{"name":"a"}"#)).await;
    assert_eq!(other_route.0, 422);
    assert_eq!(things(&pool).await, 1);

    for _ in 0..2 {
        assert_eq!(call(&app, request("/v1/things/7/rename", Some("key-0002"), "")).await.0, 204);
    }
    assert_eq!(things(&pool).await, 2);
}

#[sqlx::test(migrations = false)]
async fn a_refusal_leaves_nothing_and_frees_the_key(pool: PgPool) {
    let app = app(&pool).await;
    for _ in 0..2 {
        assert_eq!(call(&app, request("/v1/things", Some("key-0003"), r#"{"name":"refused"}"#)).await.0, 409);
    }
    assert_eq!(things(&pool).await, 0);
    assert_eq!(call(&app, request("/v1/things", Some("key-0003"), r#"{"name":"a"}"#)).await.0, 201);
}

#[sqlx::test(migrations = false)]
async fn the_key_is_required_on_every_post_but_the_exempt(pool: PgPool) {
    let app = app(&pool).await;
    let missing = call(&app, request("/v1/things", None, r#"{"name":"a"}"#)).await;
    assert_eq!(missing.0, 400);
    assert!(missing.2.contains("idempotency-key-missing"), "{}", missing.2);
    for wrong in ["short", "has space", &"x".repeat(129)] {
        assert_eq!(call(&app, request("/v1/things", Some(wrong), "{}")).await.0, 400, "{wrong}");
    }
    assert_eq!(call(&app, request("/v1/sessions", None, "{}")).await.0, 200);
    let read = Request::get("/v1/things").body(Body::empty()).unwrap();
    assert_eq!(call(&app, read).await.0, 200);
    let huge = request("/v1/things", Some("key-0004"), &format!(r#"{{"name":"{}"}}"#, "x".repeat(2000)));
    assert_eq!(call(&app, huge).await.0, 413);
    assert_eq!(things(&pool).await, 0);
}

#[sqlx::test(migrations = false)]
async fn ten_at_once_have_one_effect_and_one_answer(pool: PgPool) {
    let app = app(&pool).await;
    let calls = (0..10).map(|_| {
        let app = app.clone();
        tokio::spawn(async move { call(&app, request("/v1/things", Some("key-0005"), r#"{"name":"once"}"#)).await })
    });
    let answers = futures_util::future::join_all(calls).await;
    let (mut fresh, mut replayed) = (0, 0);
    for answer in answers {
        let (status, headers, body) = answer.unwrap();
        assert_eq!((status, body.as_str()), (201, r#"{"name":"once"}"#));
        if headers.contains_key("idempotency-replayed") { replayed += 1 } else { fresh += 1 }
    }
    assert_eq!((fresh, replayed), (1, 9));
    assert_eq!(things(&pool).await, 1);
}

#[sqlx::test(migrations = false)]
async fn old_keys_are_forgotten(pool: PgPool) {
    let app = app(&pool).await;
    call(&app, request("/v1/things", Some("key-0006"), r#"{"name":"a"}"#)).await;
    call(&app, request("/v1/things", Some("key-0007"), r#"{"name":"b"}"#)).await;
    sqlx::query(
        "UPDATE messaging.idempotency_keys SET created_at = created_at - interval '8 days' WHERE key = 'key-0006'",
    )
    .execute(&pool)
    .await
    .unwrap();
    assert_eq!(forget_older_than(&Database::from_pool(pool.clone()), 7).await.unwrap(), 1);
}
