//! Signing on at a provider, which is a real server with keys of its own.

use std::time::Duration;

use contracts::registry::AccountRecorded;
use http::StatusCode;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use testkit::{Answer, Call, events_of};

use crate::fixture::{Fixture, PASSWORD};
use crate::provider::{Key, Provider};

/// The password that the fixture's accounts get.
const OWN_PASSWORD: &str = "Nan-Hai-Zhi-Bin-7";

/// An attempt as the console keeps it.
struct Attempt(Value);

impl Attempt {
    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap()
    }

    fn body(&self, code: &str) -> Value {
        json!({"code": code, "nonce": self.text("nonce"), "code_verifier": self.text("code_verifier")})
    }
}

async fn begin(fixture: &Fixture) -> Attempt {
    Attempt(Call::post("/v1/sign-on/attempts", &json!({})).send(&fixture.router).await.expect(StatusCode::CREATED).json)
}

async fn hand_in(fixture: &Fixture, body: &Value) -> Answer {
    Call::post("/v1/sign-on/sessions", body).send(&fixture.router).await
}

/// The whole way of a browser: attempt, provider, code, session.
async fn sign_on(fixture: &Fixture, provider: &Provider, subject: &str) -> Answer {
    let attempt = begin(fixture).await;
    let back = provider.visit(attempt.text("authorization_url"), subject).await;
    assert_eq!(back.state, attempt.text("state"));
    hand_in(fixture, &attempt.body(&back.code)).await
}

async fn version(fixture: &Fixture, login: &str) -> (String, i64) {
    let account = fixture.account(login).await;
    (account["account_id"].as_str().unwrap().to_owned(), account["version"].as_i64().unwrap())
}

async fn bind(fixture: &Fixture, token: &str, login: &str, subject: &str) -> Answer {
    let (id, version) = version(fixture, login).await;
    Call::post(&format!("/v1/accounts/{id}/identity"), &json!({"subject": subject}))
        .header("authorization", &format!("Bearer {token}"))
        .header("if-match", &format!("\"{version}\""))
        .send(&fixture.router)
        .await
}

#[tokio::test]
async fn whoever_was_bound_signs_on_and_nobody_else() {
    let provider = Provider::start().await;
    let fixture = Fixture::with_sign_on(&provider.section()).await.with_small_province().await;
    let shown = Call::get("/v1/sign-on").send(&fixture.router).await.expect(StatusCode::OK).json;
    assert_eq!((&shown["enabled"], &shown["name"]["zh-Hant"]), (&json!(true), &json!("統一身份認證")));

    // The provider knows the person, the register does not: no account is made.
    let accounts = "SELECT count(*) FROM accounts";
    let before: i64 = sqlx::query_scalar(accounts).fetch_one(fixture.database.pool()).await.unwrap();
    let unknown = sign_on(&fixture, &provider, "person-1").await;
    assert_eq!(unknown.status, StatusCode::FORBIDDEN);
    assert!(unknown.json["detail"].as_str().unwrap().contains("没有绑定"), "{}", unknown.json);
    let after: i64 = sqlx::query_scalar(accounts).fetch_one(fixture.database.pool()).await.unwrap();
    assert_eq!(before, after);

    let admin = fixture.activated("admin.460100").await;
    let bound = bind(&fixture, &admin, "inspector.1", "person-1").await.expect(StatusCode::OK).json;
    assert_eq!((&bound["identity_bound"], &bound["version"]), (&json!(true), &json!(2)));
    let events = events_of::<AccountRecorded>(&fixture.database).await;
    let last = events.last().unwrap();
    assert!(last.login == "inspector.1" && last.identity_bound && last.version == 2);
    assert!(!serde_json::to_string(last).unwrap().contains("person-1"), "whose it is stays in the register");

    let session = sign_on(&fixture, &provider, "person-1").await.expect(StatusCode::CREATED).json;
    let me = fixture.get_as(session["token"].as_str().unwrap(), "/v1/me").await.expect(StatusCode::OK).json;
    assert_eq!((&me["login"], &me["identity_bound"]), (&json!("inspector.1"), &json!(true)));
    let ways: Vec<String> = sqlx::query_scalar("SELECT way FROM sessions WHERE account_id = $1")
        .bind(uuid::Uuid::parse_str(me["account_id"].as_str().unwrap()).unwrap())
        .fetch_all(fixture.database.pool())
        .await
        .unwrap();
    assert_eq!(ways, ["sign_on"]);
    let shown = Call::get("/v1/sign-on").send(&fixture.router).await.json;
    let leave = shown["end_session"].as_str().unwrap();
    assert!(leave.contains("client_id=dudao") && leave.contains("%2Fsign-in"), "{leave}");

    // One identity, one account; one account, one identity.
    let twice = bind(&fixture, &admin, "edu.460100", "person-1").await;
    assert_eq!((twice.status, &twice.json["current_state"]), (StatusCode::CONFLICT, &json!("bound_elsewhere")));
    let other = bind(&fixture, &admin, "inspector.1", "person-2").await;
    assert_eq!((other.status, &other.json["current_state"]), (StatusCode::CONFLICT, &json!("bound")));

    // Out of use, then unbound.
    let (id, version) = version(&fixture, "inspector.1").await;
    let act = |verb: &str, version: i64| {
        Call::post(&format!("/v1/accounts/{id}/{verb}"), &json!({}))
            .header("authorization", &format!("Bearer {admin}"))
            .header("if-match", &format!("\"{version}\""))
    };
    act("deactivation", version).send(&fixture.router).await.expect(StatusCode::OK);
    let off = sign_on(&fixture, &provider, "person-1").await;
    assert_eq!(off.status, StatusCode::FORBIDDEN);
    assert!(off.json["detail"].as_str().unwrap().contains("停用"));
    act("reactivation", version + 1).send(&fixture.router).await.expect(StatusCode::OK);
    sign_on(&fixture, &provider, "person-1").await.expect(StatusCode::CREATED);
    act("identity/removal", version + 2).send(&fixture.router).await.expect(StatusCode::OK);
    assert_eq!(sign_on(&fixture, &provider, "person-1").await.status, StatusCode::FORBIDDEN);
    bind(&fixture, &admin, "edu.460100", "person-1").await.expect(StatusCode::OK);
    let history: i64 = sqlx::query_scalar("SELECT count(*) FROM identities WHERE subject = 'person-1'")
        .fetch_one(fixture.database.pool())
        .await
        .unwrap();
    assert_eq!(history, 2, "who was bound when stays on record");
}

#[tokio::test]
async fn identities_are_bound_by_the_own_office_alone() {
    let provider = Provider::start().await;
    let fixture = Fixture::with_sign_on(&provider.section()).await.with_small_province().await;
    let admin = fixture.activated("admin.460100").await;
    let inspector = fixture.activated("inspector.1").await;
    assert_eq!(bind(&fixture, &admin, "auditor", "x").await.status, StatusCode::FORBIDDEN, "the province's");
    assert_eq!(bind(&fixture, &inspector, "edu.460100", "x").await.status, StatusCode::FORBIDDEN);
    assert_eq!(bind(&fixture, &fixture.token, "operator", "x").await.status, StatusCode::CONFLICT, "built in");
    let empty = bind(&fixture, &admin, "inspector.1", " ").await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_person_binds_the_own_identity_with_the_password() {
    let provider = Provider::start().await;
    let fixture = Fixture::with_sign_on(&provider.section()).await.with_small_province().await;
    let token = fixture.activated("inspector.1").await;
    let post = |path: &'static str, body: Value| {
        Call::post(path, &body).header("authorization", &format!("Bearer {token}")).send(&fixture.router)
    };
    let wrong = post("/v1/me/identity/attempts", json!({"password": "wrong"})).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.json["errors"][0]["pointer"], "/password");

    // A code alone, from an attempt that did not begin with the password.
    let attempt = begin(&fixture).await;
    let back = provider.visit(attempt.text("authorization_url"), "person-1").await;
    let refused = post("/v1/me/identity", attempt.body(&back.code)).await;
    assert_eq!((refused.status, &refused.json["current_state"]), (StatusCode::CONFLICT, &json!("no_permit")));

    let begun = |password: &'static str| post("/v1/me/identity/attempts", json!({"password": password}));
    let attempt = Attempt(begun(OWN_PASSWORD).await.expect(StatusCode::CREATED).json);
    let back = provider.visit(attempt.text("authorization_url"), "person-1").await;
    post("/v1/me/identity", attempt.body(&back.code)).await.expect(StatusCode::NO_CONTENT);
    sign_on(&fixture, &provider, "person-1").await.expect(StatusCode::CREATED);
    let again = post("/v1/me/identity", attempt.body(&back.code)).await;
    assert_eq!(again.json["current_state"], "no_permit", "the password holds for one binding");

    let wrong = post("/v1/me/identity/removal", json!({"password": "wrong"})).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    post("/v1/me/identity/removal", json!({"password": OWN_PASSWORD})).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(sign_on(&fixture, &provider, "person-1").await.status, StatusCode::FORBIDDEN);
    let events = events_of::<AccountRecorded>(&fixture.database).await;
    let own: Vec<bool> = events.iter().filter(|e| e.login == "inspector.1").map(|e| e.identity_bound).collect();
    assert_eq!(own, [false, true, false]);

    // Too late.
    let attempt = Attempt(begun(OWN_PASSWORD).await.expect(StatusCode::CREATED).json);
    let back = provider.visit(attempt.text("authorization_url"), "person-1").await;
    fixture.clock.advance(Duration::from_mins(10));
    let late = post("/v1/me/identity", attempt.body(&back.code)).await;
    assert_eq!(late.json["current_state"], "no_permit");
}

/// Whatever is wrong with what comes for the code, nobody is signed on.
#[tokio::test]
async fn only_a_token_made_for_this_attempt_is_believed() {
    let provider = Provider::start().await;
    let fixture = Fixture::with_sign_on(&provider.section()).await.with_small_province().await;
    bind(&fixture, &fixture.token, "auditor", "person-1").await.expect(StatusCode::OK);
    sign_on(&fixture, &provider, "person-1").await.expect(StatusCode::CREATED);
    let now = fixture.now().as_second();
    let spoils: [(&str, Value); 12] = [
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("aud", json!("another-client")),
        ("aud", json!(["dudao", "another-client"])),
        ("azp", json!("another-client")),
        ("iss", json!("https://another.example")),
        ("exp", json!(now - 61)),
        ("exp", Value::Null),
        ("iat", json!(now + 61)),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!("x".repeat(256))),
    ];
    for (claim, value) in spoils {
        provider.spoil(claim, value.clone());
        let answer = sign_on(&fixture, &provider, "person-1").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{claim} {value}: {}", answer.json);
    }
    // What is a matter of clocks, and an audience that is a list of one, are no reason to refuse.
    for (claim, value) in [("exp", json!(now - 50)), ("iat", json!(now + 50)), ("aud", json!(["dudao"]))] {
        provider.spoil(claim, value);
        sign_on(&fixture, &provider, "person-1").await.expect(StatusCode::CREATED);
    }
    provider.unspoil();
    // A key that only claims to be the provider's; a shared secret; no signature at all.
    provider.sign_with(Key::new("one", Algorithm::RS256));
    assert_eq!(sign_on(&fixture, &provider, "person-1").await.status, StatusCode::UNAUTHORIZED);
    for header in [json!({"alg": "none"}), json!({"alg": "HS256", "kid": "one"})] {
        provider.sign_without_key(header);
        assert_eq!(sign_on(&fixture, &provider, "person-1").await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_code_is_of_use_once_and_to_whoever_asked_for_it() {
    let provider = Provider::start().await;
    let fixture = Fixture::with_sign_on(&provider.section()).await.with_small_province().await;
    bind(&fixture, &fixture.token, "auditor", "person-1").await.expect(StatusCode::OK);
    let attempt = begin(&fixture).await;
    let back = provider.visit(attempt.text("authorization_url"), "person-1").await;
    // Somebody who saw the code on its way has the verifier and the nonce of another attempt.
    let other = begin(&fixture).await;
    assert_eq!(hand_in(&fixture, &other.body(&back.code)).await.status, StatusCode::UNAUTHORIZED);
    let back = provider.visit(attempt.text("authorization_url"), "person-1").await;
    let mut body = attempt.body(&back.code);
    body["nonce"] = json!(other.text("nonce"));
    assert_eq!(hand_in(&fixture, &body).await.status, StatusCode::UNAUTHORIZED);
    let back = provider.visit(attempt.text("authorization_url"), "person-1").await;
    hand_in(&fixture, &attempt.body(&back.code)).await.expect(StatusCode::CREATED);
    assert_eq!(hand_in(&fixture, &attempt.body(&back.code)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_keys_of_the_provider_may_change() {
    let provider = Provider::start().await;
    let fixture = Fixture::with_sign_on(&provider.section()).await.with_small_province().await;
    bind(&fixture, &fixture.token, "auditor", "person-1").await.expect(StatusCode::OK);
    sign_on(&fixture, &provider, "person-1").await.expect(StatusCode::CREATED);
    // Another key, of another kind, the old one withdrawn.
    let old = provider.rotate(Key::new("two", Algorithm::ES256));
    let early = sign_on(&fixture, &provider, "person-1").await;
    assert_eq!(early.status, StatusCode::UNAUTHORIZED, "keys are not looked for with each token");
    fixture.clock.advance(Duration::from_secs(10));
    sign_on(&fixture, &provider, "person-1").await.expect(StatusCode::CREATED);
    provider.sign_with(old);
    fixture.clock.advance(Duration::from_secs(10));
    assert_eq!(sign_on(&fixture, &provider, "person-1").await.status, StatusCode::UNAUTHORIZED, "withdrawn");
}

#[tokio::test]
async fn a_key_that_was_withdrawn_is_not_believed_for_ever() {
    let provider = Provider::start().await;
    let fixture = Fixture::with_sign_on(&provider.section()).await.with_small_province().await;
    bind(&fixture, &fixture.token, "auditor", "person-1").await.expect(StatusCode::OK);
    sign_on(&fixture, &provider, "person-1").await.expect(StatusCode::CREATED);
    let old = provider.rotate(Key::new("two", Algorithm::RS256));
    provider.sign_with(old);
    fixture.clock.advance(Duration::from_hours(1));
    assert_eq!(sign_on(&fixture, &provider, "person-1").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_provider_that_is_away_keeps_nobody_with_a_password_out() {
    let provider = Provider::start().await;
    let fixture = Fixture::with_sign_on(&provider.section()).await.with_small_province().await;
    bind(&fixture, &fixture.token, "auditor", "person-1").await.expect(StatusCode::OK);
    provider.away(true);
    let answer = Call::post("/v1/sign-on/attempts", &json!({})).send(&fixture.router).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers["retry-after"], "5");
    fixture.signed_in("operator", PASSWORD).await;
    let shown = Call::get("/v1/sign-on").send(&fixture.router).await.expect(StatusCode::OK).json;
    assert_eq!(shown["enabled"], true);
    provider.away(false);
    fixture.clock.advance(Duration::from_secs(5));
    // It goes away between the attempt and the code.
    let attempt = begin(&fixture).await;
    let back = provider.visit(attempt.text("authorization_url"), "person-1").await;
    provider.away(true);
    assert_eq!(hand_in(&fixture, &attempt.body(&back.code)).await.status, StatusCode::SERVICE_UNAVAILABLE);
    provider.away(false);
    sign_on(&fixture, &provider, "person-1").await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_provider_that_sends_browsers_elsewhere_is_not_used() {
    let provider = Provider::start().await;
    let fixture = Fixture::with_sign_on(&provider.section()).await;
    for endpoint in ["authorization_endpoint", "token_endpoint", "jwks_uri", "issuer"] {
        provider.claims_elsewhere(endpoint);
        let answer = Call::post("/v1/sign-on/attempts", &json!({})).send(&fixture.router).await;
        let answer = if answer.status == StatusCode::CREATED {
            let attempt = Attempt(answer.json);
            let back = provider.visit(attempt.text("authorization_url"), "person-1").await;
            hand_in(&fixture, &attempt.body(&back.code)).await
        } else {
            answer
        };
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{endpoint}");
        fixture.clock.advance(Duration::from_hours(1));
    }
}

#[tokio::test]
async fn there_is_no_sign_on_unless_it_is_configured() {
    let fixture = Fixture::new().await;
    let shown = Call::get("/v1/sign-on").send(&fixture.router).await.expect(StatusCode::OK).json;
    assert_eq!(shown, json!({"enabled": false}));
    let answer = Call::post("/v1/sign-on/attempts", &json!({})).send(&fixture.router).await;
    assert_eq!((answer.status, &answer.json["current_state"]), (StatusCode::CONFLICT, &json!("not_configured")));
}
