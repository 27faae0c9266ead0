//! Signing in and out, the cookie, other sites.

use access::Role;
use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{Request, StatusCode};
use serde_json::json;

use crate::samples::ID;
use crate::stage::{Stage, body, caller, header, problem};

#[tokio::test]
async fn whoever_is_not_signed_in_is_sent_to_the_door_and_back() {
    let stage = Stage::new().await;
    let answer = stage.get("/cases?state=on_site", "").await.expect(StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), "/sign-in?next=%2Fcases%3Fstate%3Don_site");
    stage.get("/sign-in?next=%2Fcases", "").await.expect(StatusCode::OK).shows("name=\"next\" value=\"/cases\"");
    stage.get("/sign-in?next=%2F%2Fevil.example", "").await.shows("name=\"next\" value=\"/\"");
}

#[tokio::test]
async fn signing_in_keeps_the_token_where_nobody_reads_it() {
    let stage = Stage::new().await;
    let inspector = caller(Role::Inspector);
    let token = testkit::token(&inspector);
    let answer = json!({"token": token, "expires_at": "2099-01-01T00:00:00Z", "caller": inspector});
    stage.answers("POST", "/registry/v1/sessions", 201, answer).await;
    let answer =
        stage.post("/sign-in", "", "login=du%20xue&password=geheim&next=%2Fcases").await.expect(StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), "/cases");
    let cookie = answer.headers.get(SET_COOKIE).unwrap().to_str().unwrap();
    for flag in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
    assert!(cookie.starts_with("__Host-dudao_session=") && !cookie.contains(&token));
    let sent = Stage::only(stage.got("POST", "/registry/v1/sessions").await);
    assert_eq!(body(&sent), json!({"login": "du xue", "password": "geheim"}));

    // The token goes to the services, in the language of the page.
    stage.answers("GET", "/tasks/v1/cases", 200, json!({"items": []})).await;
    let cookie = format!("{}; dudao_lang=en", cookie.split(';').next().unwrap());
    stage.get("/cases", &cookie).await.expect(StatusCode::OK);
    let asked = Stage::only(stage.got("GET", "/tasks/v1/cases").await);
    assert_eq!(header(&asked, "authorization"), format!("Bearer {token}"));
    assert_eq!(header(&asked, "accept-language"), "en");
}

#[tokio::test]
async fn a_wrong_password_is_told_with_the_account_kept_and_the_password_not() {
    let stage = Stage::new().await;
    let refusal = problem("unauthenticated", 401, "账号或密码不正确。", &json!([]));
    stage.answers("POST", "/registry/v1/sessions", 401, refusal).await;
    let page =
        stage.post("/sign-in", "", "_form=sign-in&login=duxue&password=geheim").await.expect(StatusCode::UNAUTHORIZED);
    page.shows("账号或密码不正确。").shows("value=\"duxue\"").hides("geheim");
    assert!(page.headers.get(SET_COOKIE).is_none());
}

#[tokio::test]
async fn signing_out_forgets_the_token() {
    let stage = Stage::new().await;
    let cookie = stage.sign_in(&caller(Role::Inspector)).await;
    let answer = stage.post("/sign-out", &cookie, "").await.expect(StatusCode::SEE_OTHER);
    assert!(answer.headers.get(SET_COOKIE).unwrap().to_str().unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn a_token_that_has_ended_leads_to_the_door() {
    let stage = Stage::new().await;
    let cookie = stage.sign_in(&caller(Role::Inspector)).await;
    stage.answers("GET", "/tasks/v1/cases", 401, problem("unauthenticated", 401, "登录已过期", &json!([]))).await;
    let answer = stage.get("/cases", &cookie).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), "/sign-in?next=%2Fcases");
}

#[tokio::test]
async fn a_changed_cookie_is_no_sign_in() {
    let stage = Stage::new().await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    let last = if cookie.ends_with('A') { "B" } else { "A" };
    let changed = format!("{}{last}{}", &cookie[..40], &cookie[41..]);
    assert_ne!(cookie, changed);
    stage.get("/cases", &changed).await.expect(StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn posts_from_other_sites_are_refused_with_a_page() {
    let stage = Stage::new().await;
    let cookie = stage.sign_in(&caller(Role::UnitPrincipal)).await;
    stage.answers("POST", &format!("/notifications/v1/receipts/{ID}/sign"), 200, json!({})).await;
    let post = |name: &'static str, value: &'static str| {
        Request::post(format!("/receipts/{ID}/sign"))
            .header(COOKIE, &cookie)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(name, value)
            .body(Body::empty())
            .unwrap()
    };
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let page = stage.send(post(name, value)).await.expect(StatusCode::FORBIDDEN);
        page.shows("不是从本系统的页面发出的");
    }
    assert!(stage.got("POST", &format!("/notifications/v1/receipts/{ID}/sign")).await.is_empty());
    stage.send(post("origin", "https://console.example")).await.expect(StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_account_is_activated_with_its_code() {
    let stage = Stage::new().await;
    stage.get("/activate", "").await.expect(StatusCode::OK).shows("激活码");
    let page =
        stage.post("/activate", "", "_form=activate&login=a&code=b&password=one-Long-1&password_again=two").await;
    page.expect(StatusCode::UNPROCESSABLE_ENTITY).shows("两次输入的密码不一致").hides("one-Long-1");
    let refusal = problem("invalid-fields", 422, "请修改", &json!([{"pointer": "/password", "detail": "密码太短"}]));
    stage.answers("POST", "/registry/v1/activations", 422, refusal).await;
    let page = stage.post("/activate", "", "_form=activate&login=a&code=b&password=x&password_again=x").await;
    page.expect(StatusCode::UNPROCESSABLE_ENTITY).shows("href=\"#activate--password\">密码太短");
    stage.instead("POST", "/registry/v1/activations", 204, json!(null)).await;
    let answer = stage.post("/activate", "", "_form=activate&login=a&code=b&password=x&password_again=x").await;
    assert_eq!(answer.expect(StatusCode::SEE_OTHER).location(), "/sign-in?activated=1");
}

#[tokio::test]
async fn the_language_is_kept_and_leads_back() {
    let stage = Stage::new().await;
    let answer = stage.get("/language?tag=zh-Hant&back=%2Fcases%3Fstate%3Da", "").await.expect(StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), "/cases?state=a");
    assert!(answer.headers.get(SET_COOKIE).unwrap().to_str().unwrap().starts_with("dudao_lang=zh-Hant"));
    let answer = stage.get("/language?tag=xx&back=https%3A%2F%2Fevil.example", "").await;
    assert_eq!(answer.location(), "/");
    assert!(answer.headers.get(SET_COOKIE).is_none());
    stage.get("/sign-in", "dudao_lang=zh-Hant").await.shows("登錄");
}
