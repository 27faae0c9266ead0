//! Signing in, codes, pauses, tokens.

use std::time::Duration;

use access::{Role, TokenVerifier};
use contracts::registry::AccountRecorded;
use http::{Method, StatusCode};
use registry::{FileLimits, first_start};
use serde_json::{Value, json};
use service_kit::config::SecretFile;
use testkit::{Answer, Call, events_of};

use crate::fixture::{Fixture, PASSWORD, PROXY};

/// The answer without what differs from one to the next.
fn bare(answer: &Answer) -> (StatusCode, Value) {
    (answer.status, answer.json.clone())
}

#[tokio::test]
async fn the_first_start_happens_once() {
    let fixture = Fixture::new().await;
    let before = fixture.journalled().await;
    assert_eq!(before, 2, "the root area and the account");
    first_start(&fixture.state, &fixture.bootstrap).await.unwrap();
    assert_eq!(fixture.journalled().await, before);
    let me = fixture.get("/v1/me").await;
    assert_eq!(me["login"], "operator");
    let roles: Vec<&str> =
        me["grants"].as_array().unwrap().iter().map(|grant| grant["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["province_office_admin", "operator"]);
    assert_eq!(me["grants"][0]["area"]["code"], "460000");
    let account = events_of::<AccountRecorded>(&fixture.database).await.remove(0);
    assert!(!serde_json::to_string(&account).unwrap().contains("argon2"));
}

#[tokio::test]
async fn another_password_in_the_file_is_taken_over_at_the_next_start() {
    let fixture = Fixture::new().await;
    let file = std::env::temp_dir().join(format!("dudao-registry-password-{}", uuid::Uuid::new_v4()));
    std::fs::write(&file, "another one, as long as the first").unwrap();
    let section =
        registry::BootstrapSection { password_file: SecretFile::read(&file).unwrap(), ..fixture.bootstrap.clone() };
    std::fs::remove_file(&file).unwrap();
    let journalled = fixture.journalled().await;
    first_start(&fixture.state, &section).await.unwrap();
    fixture.sign_in("operator", PASSWORD).await.expect(StatusCode::UNAUTHORIZED);
    fixture.sign_in("operator", "another one, as long as the first").await.expect(StatusCode::CREATED);
    assert_eq!(fixture.journalled().await, journalled, "no event carries a secret");
    // Once it fits, nothing is written.
    let changed = "SELECT changed_at::text FROM credentials";
    let before: String = sqlx::query_scalar(changed).fetch_one(fixture.database.pool()).await.unwrap();
    first_start(&fixture.state, &section).await.unwrap();
    let after: String = sqlx::query_scalar(changed).fetch_one(fixture.database.pool()).await.unwrap();
    assert_eq!(before, after);
}

#[tokio::test]
async fn replicas_that_start_together_make_one_account() {
    let fixture = Fixture::new().await;
    sqlx::query("TRUNCATE account_versions, credentials, sessions, activations, accounts, imports CASCADE")
        .execute(fixture.database.pool())
        .await
        .unwrap();
    let starts = (0..4).map(|_| {
        let (state, section) = (fixture.state.clone(), fixture.bootstrap.clone());
        tokio::spawn(async move { first_start(&state, &section).await })
    });
    for start in starts.collect::<Vec<_>>() {
        start.await.unwrap().unwrap();
    }
    let accounts: i64 =
        sqlx::query_scalar("SELECT count(*) FROM accounts").fetch_one(fixture.database.pool()).await.unwrap();
    assert_eq!(accounts, 1);
}

#[tokio::test]
async fn a_token_speaks_for_its_account_to_every_service() {
    let fixture = Fixture::new().await.with_small_province().await;
    let token = fixture.activated("principal.2146000001").await;
    // Another service knows the key by the published set alone.
    let keys = Call::get("/v1/keys").send(&fixture.router).await.expect(StatusCode::OK);
    let path = std::env::temp_dir().join(format!("dudao-keys-{}.json", uuid::Uuid::new_v4()));
    std::fs::write(&path, &keys.bytes).unwrap();
    let caller = TokenVerifier::load(&path).unwrap().verify(&token, fixture.now()).unwrap();
    std::fs::remove_file(&path).unwrap();
    let account = fixture.account("principal.2146000001").await;
    let school = fixture.get("/v1/units/by-key/2146000001").await;
    assert_eq!(json!(caller.account_id), account["account_id"]);
    assert_eq!(json!(caller.unit_id), school["unit_id"]);
    assert_eq!(caller.grants.len(), 1);
    assert_eq!(caller.grants[0].role, Role::UnitPrincipal);
    assert_eq!(json!(caller.grants[0].unit_id), school["unit_id"]);
    assert_eq!(account["language"], "zh-Hans");
    assert_eq!(fixture.account("edu.460100").await["language"], "zh-Hant");
    let me = fixture.get_as(&token, "/v1/me").await.expect(StatusCode::OK).json;
    assert_eq!(me["unit"]["name"], "海口市第一小学");
}

#[tokio::test]
async fn nobody_learns_which_part_was_wrong() {
    let fixture = Fixture::new().await.with_small_province().await;
    let unknown = fixture.sign_in("nobody", "Nan-Hai-Zhi-Bin-7").await;
    assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
    // Known but without a password, known with another password, known but out of use.
    assert_eq!(bare(&fixture.sign_in("admin.460100", "x").await), bare(&unknown));
    assert_eq!(bare(&fixture.sign_in("operator", "x").await), bare(&unknown));
    assert_eq!(bare(&fixture.sign_in("op\0erator\u{7}", "x").await), bare(&unknown));
    let code = fixture.activate("nobody", "AAAA-BBBB-CCCC", "Nan-Hai-Zhi-Bin-7").await;
    assert_eq!(code.status, StatusCode::UNAUTHORIZED);
    assert_eq!(bare(&fixture.activate("admin.460100", "AAAA-BBBB-CCCC", "Nan-Hai-Zhi-Bin-7").await), bare(&code));
}

#[tokio::test]
async fn a_code_works_once_and_not_for_ever() {
    let fixture = Fixture::new().await.with_small_province().await;
    let account = fixture.account("auditor").await;
    assert_eq!(account["activated"], false);
    let path = format!("/v1/accounts/{}/activation", account["account_id"].as_str().unwrap());
    let issue = || async {
        fixture.post_as(&fixture.token, &path).await.expect(StatusCode::CREATED).json["code"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let password = "Wu-Zhi-Shan-1867";

    let old = issue().await;
    let code = issue().await;
    assert_ne!(old, code);
    assert_eq!(
        fixture.activate("auditor", &old, password).await.status,
        StatusCode::UNAUTHORIZED,
        "a newer code voids it"
    );
    let weak = fixture.activate("auditor", &code, "auditor").await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(weak.json["errors"].as_array().unwrap().len(), 3, "{}", weak.json);
    assert_eq!(weak.json["errors"][0]["pointer"], "/password");
    // As people type it.
    fixture
        .activate(" Auditor ", &code.to_lowercase().replace('-', " "), password)
        .await
        .expect(StatusCode::NO_CONTENT);
    assert_eq!(fixture.activate("auditor", &code, "Another-Pass-99").await.status, StatusCode::UNAUTHORIZED, "used");
    fixture.signed_in("AUDITOR", password).await;
    assert_eq!(fixture.account("auditor").await["activated"], true);

    // Forgotten: a new code sets a new password; too late, it does not.
    let late = issue().await;
    fixture.clock.advance(Duration::from_hours(72));
    assert_eq!(fixture.activate("auditor", &late, "Another-Pass-99").await.status, StatusCode::UNAUTHORIZED, "expired");
    fixture.signed_in("auditor", password).await;
}

#[tokio::test]
async fn a_code_is_void_after_five_wrong_ones() {
    let fixture = Fixture::new().await.with_small_province().await;
    let account = fixture.account("auditor").await;
    let path = format!("/v1/accounts/{}/activation", account["account_id"].as_str().unwrap());
    let code = fixture.post_as(&fixture.token, &path).await.expect(StatusCode::CREATED).json["code"]
        .as_str()
        .unwrap()
        .to_owned();
    for _ in 0..5 {
        let answer = fixture.activate("auditor", "0000-0000-0000", "Wu-Zhi-Shan-1867").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        fixture.clock.advance(Duration::from_hours(2));
    }
    assert_eq!(fixture.activate("auditor", &code, "Wu-Zhi-Shan-1867").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn guessing_meets_growing_pauses() {
    let fixture = Fixture::new().await;
    for _ in 0..5 {
        assert_eq!(fixture.sign_in("operator", "wrong").await.status, StatusCode::UNAUTHORIZED);
    }
    let early = fixture.sign_in("operator", PASSWORD).await;
    assert_eq!(early.status, StatusCode::TOO_MANY_REQUESTS, "the right password does not help during a pause");
    assert_eq!(early.headers["retry-after"], "1");
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let seconds: u64 =
            fixture.sign_in("operator", "wrong").await.headers["retry-after"].to_str().unwrap().parse().unwrap();
        pauses.push(seconds);
        fixture.clock.advance(Duration::from_secs(seconds));
        assert_eq!(fixture.sign_in("operator", "wrong").await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    fixture.clock.advance(Duration::from_mins(15));
    fixture.signed_in("operator", PASSWORD).await;
    assert_eq!(fixture.sign_in("operator", "wrong").await.status, StatusCode::UNAUTHORIZED, "a success starts anew");
}

#[tokio::test]
async fn a_hundred_guesses_at_once_are_a_hundred() {
    let fixture = Fixture::new().await;
    let guesses = (0..40).map(|n| {
        let router = fixture.router.clone();
        tokio::spawn(async move {
            let body = json!({"login": "operator", "password": format!("guess {n}")});
            Call::new(Method::POST, "/v1/sessions").json(&body).send(&router).await.status
        })
    });
    let mut tried = 0;
    for guess in guesses.collect::<Vec<_>>() {
        tried += u32::from(guess.await.unwrap() == StatusCode::UNAUTHORIZED);
    }
    assert_eq!(tried, 5);
}

#[tokio::test]
async fn an_address_that_tries_many_logins_is_paused_and_the_console_is_not_taken_for_it() {
    // Through the proxy every person has an address of his own.
    let fixture = Fixture::with(FileLimits::default(), PROXY).await;
    let guess = |n: u32, forwarded: &'static str| {
        Call::new(Method::POST, "/v1/sessions")
            .header("x-forwarded-for", forwarded)
            .json(&json!({"login": format!("login{n}"), "password": "x"}))
            .send(&fixture.router)
    };
    for n in 0..50 {
        // What the caller claims before the proxy's own entry is hearsay.
        let forwarded = if n % 2 == 0 { "203.0.113.9" } else { "198.51.100.1, 203.0.113.9" };
        assert_eq!(guess(n, forwarded).await.status, StatusCode::UNAUTHORIZED, "{n}");
    }
    assert_eq!(guess(50, "203.0.113.9").await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(guess(51, "203.0.113.8").await.status, StatusCode::UNAUTHORIZED);
    fixture.signed_in("operator", PASSWORD).await;
}

#[tokio::test]
async fn an_account_out_of_use_cannot_sign_in() {
    let fixture = Fixture::new().await.with_small_province().await;
    fixture.activated("edu.460100").await;
    let admin = fixture.activated("admin.460100").await;
    let account = fixture.account("edu.460100").await;
    let path = format!("/v1/accounts/{}", account["account_id"].as_str().unwrap());
    let etag = fixture.get_as(&admin, &path).await.expect(StatusCode::OK).headers["etag"].to_str().unwrap().to_owned();
    let switch = |to: &str, version: Option<&str>| {
        let call = Call::post(&format!("{path}/{to}"), &json!({})).header("authorization", &format!("Bearer {admin}"));
        match version {
            Some(version) => call.header("if-match", version),
            None => call,
        }
    };
    assert_eq!(switch("deactivation", None).send(&fixture.router).await.status, StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(
        switch("deactivation", Some("\"9\"")).send(&fixture.router).await.status,
        StatusCode::PRECONDITION_FAILED
    );
    let done = switch("deactivation", Some(&etag)).send(&fixture.router).await.expect(StatusCode::OK);
    assert_eq!((&done.json["active"], &done.headers["etag"]), (&json!(false), &"\"2\"".parse().unwrap()));
    assert_eq!(fixture.sign_in("edu.460100", "Nan-Hai-Zhi-Bin-7").await.status, StatusCode::UNAUTHORIZED);
    let refused = fixture.post_as(&admin, &format!("{path}/activation")).await;
    assert_eq!((refused.status, &refused.json["current_state"]), (StatusCode::CONFLICT, &json!("inactive")));
    let events = events_of::<AccountRecorded>(&fixture.database).await;
    let last = events.iter().rfind(|event| event.login == "edu.460100").unwrap();
    assert_eq!((last.version, last.active), (2, false));
    // An import does not bring it back.
    fixture.imported("accounts", "accounts.csv", crate::fixture::ACCOUNTS.as_bytes()).await;
    assert_eq!(fixture.account("edu.460100").await["active"], false);
    switch("reactivation", Some("\"2\"")).send(&fixture.router).await.expect(StatusCode::OK);
    fixture.signed_in("edu.460100", "Nan-Hai-Zhi-Bin-7").await;
}

#[tokio::test]
async fn accounts_are_managed_by_their_own_office_alone() {
    let fixture = Fixture::new().await.with_small_province().await;
    let admin = fixture.activated("admin.460100").await;
    let visible = fixture.get_as(&admin, "/v1/accounts").await.expect(StatusCode::OK).json;
    let logins: Vec<&str> =
        visible["items"].as_array().unwrap().iter().map(|account| account["login"].as_str().unwrap()).collect();
    assert_eq!(logins, ["admin.460100", "edu.460100", "inspector.1", "principal.2146000001"]);
    for login in ["auditor", "operator"] {
        let id = fixture.account(login).await["account_id"].as_str().unwrap().to_owned();
        assert_eq!(fixture.get_as(&admin, &format!("/v1/accounts/{id}")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(
            fixture.post_as(&admin, &format!("/v1/accounts/{id}/activation")).await.status,
            StatusCode::FORBIDDEN
        );
    }
    // The account of the installation is nobody's, not even the province's.
    let id = fixture.account("operator").await["account_id"].as_str().unwrap().to_owned();
    let answer = fixture.post_as(&fixture.token, &format!("/v1/accounts/{id}/activation")).await;
    assert_eq!((answer.status, &answer.json["current_state"]), (StatusCode::CONFLICT, &json!("built_in")));
    let own = fixture.account("admin.460100").await["account_id"].as_str().unwrap().to_owned();
    let answer = Call::post(&format!("/v1/accounts/{own}/deactivation"), &json!({}))
        .header("authorization", &format!("Bearer {admin}"))
        .header("if-match", "\"1\"")
        .send(&fixture.router)
        .await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let inspector = fixture.activated("inspector.1").await;
    assert_eq!(fixture.get_as(&inspector, "/v1/accounts").await.status, StatusCode::FORBIDDEN);
}
