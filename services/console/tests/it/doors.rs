//! Signing in and out, the cookie, other sites.

use std::net::SocketAddr;

use access::Role;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{Request, StatusCode};
use serde_json::json;

use crate::samples::ID;
use crate::stage::{Answer, PROXY, Stage, body, caller, header, problem};

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

/// A registry with a sign-on that has begun an attempt.
async fn with_sign_on() -> Stage {
    let stage = Stage::new().await;
    let name = json!({"zh-Hans": "省统一身份认证", "zh-Hant": "省統一身份認證", "en": "Province ID"});
    let end = "https://id.example/logout?client_id=dudao";
    stage.answers("GET", "/registry/v1/sign-on", 200, json!({"enabled": true, "name": name, "end_session": end})).await;
    let attempt = json!({
        "authorization_url": "https://id.example/authorize?client_id=dudao", "state": "the-state", "nonce": "the-nonce",
        "code_verifier": "the-verifier",
    });
    stage.answers("POST", "/registry/v1/sign-on/attempts", 201, attempt.clone()).await;
    stage.answers("POST", "/registry/v1/me/identity/attempts", 201, attempt).await;
    stage
}

/// The cookie of an answer, by the beginning of its name.
fn cookie_of(answer: &Answer, name: &str) -> Option<String> {
    let all = answer.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    all.filter(|value| value.starts_with(name)).map(|value| value.split(';').next().unwrap().to_owned()).next()
}

#[tokio::test]
async fn signing_on_leads_to_the_provider_and_back() {
    let stage = with_sign_on().await;
    stage.get("/sign-in?next=%2Fcases", "").await.shows("用省统一身份认证登录").shows("/sign-on?next=/cases");
    stage.get("/sign-in", "dudao_lang=zh-Hant").await.shows("用省統一身份認證登錄");
    stage.get("/sign-in", "dudao_lang=en").await.shows("Sign in with Province ID");
    let start = stage.get("/sign-on?next=%2Fcases", "").await.expect(StatusCode::SEE_OTHER);
    assert_eq!(start.location(), "https://id.example/authorize?client_id=dudao");
    let kept = cookie_of(&start, "__Host-dudao_sign_on=").unwrap();
    for secret in ["the-state", "the-nonce", "the-verifier"] {
        assert!(!kept.contains(secret));
    }
    let whole = start.headers.get(SET_COOKIE).unwrap().to_str().unwrap();
    for flag in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
        assert!(whole.contains(flag), "{whole}");
    }

    let inspector = caller(Role::Inspector);
    let session = json!({
        "token": testkit::token(&inspector), "expires_at": "2099-01-01T00:00:00Z", "caller": inspector,
    });
    stage.answers("POST", "/registry/v1/sign-on/sessions", 201, session).await;
    // Another state, none at all, another browser: nobody asks the registry.
    for (address, cookie) in [
        ("/sign-on/callback?code=c&state=another", kept.as_str()),
        ("/sign-on/callback?code=c&state=", &kept),
        ("/sign-on/callback?code=c", &kept),
        ("/sign-on/callback?code=c&state=the-state", ""),
        ("/sign-on/callback?code=c&state=the-state", "__Host-dudao_sign_on=AAAA"),
    ] {
        let page = stage.get(address, cookie).await.expect(StatusCode::BAD_REQUEST);
        page.shows("不是从本浏览器发起的");
        assert!(cookie_of(&page, "__Host-dudao_session=").is_none());
    }
    let page = stage.get("/sign-on/callback?error=access_denied&state=the-state&error_description=evil", &kept).await;
    page.expect(StatusCode::FORBIDDEN).shows("没有完成").hides("evil");
    assert!(stage.got("POST", "/registry/v1/sign-on/sessions").await.is_empty());

    let back = stage.get("/sign-on/callback?code=the-code&state=the-state", &kept).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(back.location(), "/cases");
    let sent = Stage::only(stage.got("POST", "/registry/v1/sign-on/sessions").await);
    assert_eq!(body(&sent), json!({"code": "the-code", "nonce": "the-nonce", "code_verifier": "the-verifier"}));
    assert_eq!(cookie_of(&back, "__Host-dudao_sign_on=").unwrap(), "__Host-dudao_sign_on=", "used once");

    // Whoever came by the provider is shown the way out there, and nobody else.
    let session = cookie_of(&back, "__Host-dudao_session=").unwrap();
    let left = stage.post("/sign-out", &session, "").await.expect(StatusCode::SEE_OTHER);
    assert_eq!(left.location(), "/sign-in?left=1");
    stage.get("/sign-in?left=1", "").await.shows("https://id.example/logout").shows("同时退出统一身份认证");
    stage.get("/sign-in", "").await.hides("https://id.example/logout");
    let by_password = stage.sign_in(&caller(Role::Auditor)).await;
    assert_eq!(stage.post("/sign-out", &by_password, "").await.location(), "/sign-in");
}

#[tokio::test]
async fn signing_on_leads_nowhere_else() {
    let stage = with_sign_on().await;
    let inspector = caller(Role::Inspector);
    let session = json!({
        "token": testkit::token(&inspector), "expires_at": "2099-01-01T00:00:00Z", "caller": inspector,
    });
    stage.answers("POST", "/registry/v1/sign-on/sessions", 201, session).await;
    for foreign in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example"] {
        let start = stage.get(&format!("/sign-on?next={foreign}"), "").await.expect(StatusCode::SEE_OTHER);
        let kept = cookie_of(&start, "__Host-dudao_sign_on=").unwrap();
        let back = stage.get("/sign-on/callback?code=c&state=the-state", &kept).await;
        assert_eq!(back.expect(StatusCode::SEE_OTHER).location(), "/", "{foreign}");
    }
}

#[tokio::test]
async fn a_sign_on_that_fails_is_told_and_leads_back_to_the_password() {
    let stage = with_sign_on().await;
    let start = stage.get("/sign-on", "").await;
    let kept = cookie_of(&start, "__Host-dudao_sign_on=").unwrap();
    let refusal = problem("forbidden", 403, "该身份没有绑定本系统的账号。", &json!([]));
    stage.answers("POST", "/registry/v1/sign-on/sessions", 403, refusal).await;
    let page = stage.get("/sign-on/callback?code=c&state=the-state", &kept).await.expect(StatusCode::FORBIDDEN);
    page.shows("该身份没有绑定本系统的账号。").shows("href=\"/sign-in\"");
    let away = problem("unavailable", 503, "away", &json!([]));
    stage.instead("POST", "/registry/v1/sign-on/attempts", 503, away.clone()).await;
    let page = stage.get("/sign-on", "dudao_lang=en").await.expect(StatusCode::SERVICE_UNAVAILABLE);
    page.shows("Sign in with account and password").shows("href=\"/sign-in\"");
    // A registry that does not say whether there is a sign-on costs the button alone.
    stage.instead("GET", "/registry/v1/sign-on", 503, away).await;
    stage.get("/sign-in", "").await.expect(StatusCode::OK).shows("name=\"password\"").hides("/sign-on");
}

#[tokio::test]
async fn the_own_identity_is_bound_with_the_password() {
    let stage = with_sign_on().await;
    let cookie = stage.sign_in(&caller(Role::Inspector)).await;
    let me = json!({
        "login": "inspector.1", "display_name": "督学0001", "identity_bound": false,
        "grants": [{"role": "inspector", "area": {"name": "海口市"}}],
    });
    stage.answers("GET", "/registry/v1/me", 200, me).await;
    stage.get("/account", &cookie).await.expect(StatusCode::OK).shows("没有绑定统一身份").shows("海口市");
    let page = stage.post("/account/identity", &cookie, "_form=bind&password=geheim").await.expect(StatusCode::OK);
    // A page and no redirect: browsers do not follow a form's redirect to another host under our policy.
    page.shows("https://id.example/authorize").hides("geheim");
    let kept = cookie_of(&page, "__Host-dudao_sign_on=").unwrap();
    stage.answers("POST", "/registry/v1/me/identity", 204, json!(null)).await;
    let both = format!("{cookie}; {kept}");
    let back = stage.get("/sign-on/callback?code=c&state=the-state", &both).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(back.location(), "/account?done=identity_bound");
    let sent = Stage::only(stage.got("POST", "/registry/v1/me/identity").await);
    assert!(header(&sent, "authorization").starts_with("Bearer "));
    // Without the session that began it, nothing is bound.
    stage.get("/sign-on/callback?code=c&state=the-state", &kept).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(stage.got("POST", "/registry/v1/me/identity").await.len(), 1);
    let refusal = problem("invalid-fields", 422, "请修改", &json!([{"pointer": "/password", "detail": "密码不正确"}]));
    stage.instead("POST", "/registry/v1/me/identity/attempts", 422, refusal).await;
    let page = stage.post("/account/identity", &cookie, "_form=bind&password=x").await;
    page.expect(StatusCode::UNPROCESSABLE_ENTITY).shows("密码不正确");
}

#[tokio::test]
async fn an_administrator_binds_and_unbinds_identities() {
    let stage = with_sign_on().await;
    let cookie = stage.sign_in(&caller(Role::CountyOfficeAdmin)).await;
    let row = |bound: bool| {
        json!({
            "account_id": ID, "version": 3, "login": "inspector.1", "display_name": "督学0001", "active": true,
            "activated": true, "identity_bound": bound, "grants": [{"role": "inspector"}],
        })
    };
    stage.answers("GET", "/registry/v1/accounts", 200, json!({"items": [row(false)]})).await;
    stage.get("/accounts", &cookie).await.expect(StatusCode::OK).shows(&format!("/accounts/{ID}/identity\""));
    stage.answers("POST", &format!("/registry/v1/accounts/{ID}/identity"), 200, row(true)).await;
    let form = "_version=3&_key=k&subject=person-1";
    let answer = stage.post(&format!("/accounts/{ID}/identity"), &cookie, form).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), "/accounts?done=identity_bound");
    let sent = Stage::only(stage.got("POST", &format!("/registry/v1/accounts/{ID}/identity")).await);
    assert_eq!((body(&sent), header(&sent, "if-match")), (json!({"subject": "person-1"}), "\"3\""));
    stage.instead("GET", "/registry/v1/accounts", 200, json!({"items": [row(true)]})).await;
    stage.get("/accounts", &cookie).await.shows("已绑定统一身份").shows(&format!("/accounts/{ID}/identity/removal"));
    stage.answers("POST", &format!("/registry/v1/accounts/{ID}/identity/removal"), 200, row(false)).await;
    let answer = stage.post(&format!("/accounts/{ID}/identity/removal"), &cookie, "_version=3&_key=l").await;
    assert_eq!(answer.expect(StatusCode::SEE_OTHER).location(), "/accounts?done=identity_unbound");
}

/// The registry pauses guessing by the person's address; the console's own would pause everybody.
#[tokio::test]
async fn the_registry_is_told_where_the_person_sits() {
    let stage = Stage::new().await;
    stage.answers("POST", "/registry/v1/sessions", 401, problem("unauthenticated", 401, "x", &json!([]))).await;
    let post = |peer: &str, forwarded: &'static str| {
        let mut request = Request::post("/sign-in")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .header("x-forwarded-for", forwarded)
            .body(Body::from("login=a&password=b"))
            .unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        stage.send(request)
    };
    post(PROXY, "198.51.100.1, 203.0.113.9").await;
    // Who is not the gateway speaks for himself alone.
    post("203.0.113.7", "198.51.100.1").await;
    let got = stage.got("POST", "/registry/v1/sessions").await;
    let told: Vec<&str> = got.iter().map(|request| header(request, "x-forwarded-for")).collect();
    assert_eq!(told, ["203.0.113.9", "203.0.113.7"]);
}
