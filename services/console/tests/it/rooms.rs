//! The rooms for those who run the offices: deliveries, receipts by link and on paper, preferences, assignments, proofs,
//! changes of rules, templates.

use access::Role;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::samples::{ID, LOOK_BACK, OTHER, VERIFIED, delivery, link, merger, rule_change};
use crate::stage::{Answer, Stage, body, caller, header, problem};

const KEY: &str = "_key=key-0123456789";

/// Posts a form that is accepted, and gives the one call that it became.
async fn sent(stage: &Stage, cookie: &str, form: (&str, &str), call: (&str, &str), answer: Value) -> wiremock::Request {
    stage.instead(call.0, call.1, 200, answer).await;
    let answer = stage.post(form.0, cookie, &format!("{KEY}&{}", form.1)).await.expect(StatusCode::SEE_OTHER);
    let page = stage.get(answer.location(), cookie).await.expect(StatusCode::OK);
    page.shows("<p class=\"done\" role=\"status\">").hides("role=\"status\">done.");
    let sent = Stage::only(stage.got(call.0, call.1).await);
    if call.0 == "POST" {
        assert_eq!(header(&sent, "idempotency-key"), "key-0123456789");
    }
    sent
}

/// Posts a form that is refused; the page says why and keeps what was typed.
async fn refused(
    stage: &Stage,
    cookie: &str,
    form: (&str, &str),
    call: (&str, &str),
    status: u16,
    why: Value,
) -> Answer {
    stage.instead(call.0, call.1, status, why).await;
    stage.post(form.0, cookie, &format!("{KEY}&{}", form.1)).await.expect(StatusCode::from_u16(status).unwrap())
}

#[tokio::test]
async fn what_was_given_up_is_told_with_its_cause_and_sent_again() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::DeskOfficer)).await;
    let page = stage.get("/deliveries", &cookie).await.expect(StatusCode::OK);
    page.shows("550 邮箱不存在")
        .shows("电子邮件")
        .shows("已试 4 次")
        .shows(&format!("id=\"redrive-{ID}\""))
        .hides(&format!("redrive-{OTHER}"));
    let asked = stage.got("GET", "/notifications/v1/deliveries").await.pop().unwrap();
    assert!(asked.url.query_pairs().any(|(key, value)| key == "state" && value == "failed"), "{}", asked.url);
    let page = stage.get(&format!("/deliveries?case_id={ID}&state=queued"), &cookie).await.expect(StatusCode::OK);
    page.shows("下次发送 2026年3月16日 11:00").shows(&format!("href=\"/cases/{ID}\"")).shows("纸质签收");

    let back = format!("back=%2Fdeliveries%3Fcase_id%3D{ID}%26state%3Dfailed");
    let call = format!("/notifications/v1/deliveries/{ID}/redrive");
    let address = format!("/deliveries/{ID}/redrive");
    sent(&stage, &cookie, (&address, &back), ("POST", &call), delivery(ID, "queued")).await;
    let call = format!("/notifications/v1/deliveries/{ID}/discard");
    let address = format!("/deliveries/{ID}/discard");
    let form = format!("{back}&reason=%E5%B7%B2%E7%94%B5%E8%AF%9D");
    let got = sent(&stage, &cookie, (&address, &form), ("POST", &call), delivery(ID, "discarded")).await;
    assert_eq!(body(&got), json!({"reason": "已电话"}));
    let call = ("POST", "/notifications/v1/deliveries/redrive");
    let got = sent(&stage, &cookie, ("/deliveries/redrive", "channel=mail"), call, json!({"count": 3})).await;
    assert_eq!(body(&got), json!({"channel": "mail"}));

    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::DeskOfficer)).await;
    let why =
        problem("invalid-fields", 422, "请改正", &json!([{"pointer": "/reason", "detail": "请填写理由，500字以内。"}]));
    let form = format!("_form=discard-{ID}&{back}&reason=");
    let call = format!("/notifications/v1/deliveries/{ID}/discard");
    let page = refused(&stage, &cookie, (&address, &form), ("POST", &call), 422, why).await;
    page.shows("请填写理由，500字以内。").shows("<details class=\"more\" open>");
    let asked = stage.got("GET", "/notifications/v1/deliveries").await.pop().unwrap();
    assert!(
        asked.url.query_pairs().any(|(key, value)| key == "case_id" && value == ID),
        "the list it came from: {}",
        asked.url
    );

    let reader = stage.sign_in(&caller(Role::Auditor)).await;
    stage.get("/deliveries", &reader).await.expect(StatusCode::OK).hides("id=\"redrive");
    let why = problem("forbidden", 403, "您没有此项权限：查看送达情况。", &json!([]));
    stage.instead("GET", "/notifications/v1/deliveries", 403, why).await;
    stage.get("/deliveries", &cookie).await.expect(StatusCode::FORBIDDEN).shows("您没有此项权限：查看送达情况。");
}

#[tokio::test]
async fn the_sweep_names_what_has_no_end() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::Operator)).await;
    let page = stage.get("/sweep", &cookie).await.expect(StatusCode::OK);
    page.shows("既没有结果，也没有在发送").shows(&format!("<code>{OTHER}</code>")).shows("<td class=\"n bad\">1</td>");
    let stage = Stage::new().await;
    let cookie = stage.sign_in(&caller(Role::Operator)).await;
    let none = problem("unknown-resource", 404, "尚未进行过核对。", &json!([]));
    stage.answers("GET", "/notifications/v1/sweeps/latest", 404, none).await;
    stage.get("/sweep", &cookie).await.expect(StatusCode::OK).shows("尚未进行过核对。");
}

#[tokio::test]
async fn preferences_leave_what_is_legal_alone_and_tell_what_is_stale() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::UnitPrincipal)).await;
    let page = stage.get("/preferences", &cookie).await.expect(StatusCode::OK);
    page.shows("任何人都不能关闭").hides("name=\"mail/opinion_letter\"").shows("value=\"+8613800000000\"");
    page.shows("name=\"mail/item_reported\" value=\"true\" checked")
        .shows("name=\"sms/item_reported\" value=\"true\">");
    page.shows("name=\"_version\" value=\"3\"");
    let form = "_version=3&kind=item_reported&kind=item_closed&mail%2Fitem_closed=true&sms%2Fitem_reported=true&sms%2Fitem_closed=true&phone=";
    let call = ("PUT", "/notifications/v1/preferences");
    let got = sent(&stage, &cookie, ("/preferences", form), call, json!({})).await;
    assert_eq!(header(&got, "if-match"), "\"3\"");
    let expected = json!({"mail_off": ["item_reported"], "sms_off": [], "phone": null, "daily_digest": false});
    assert_eq!(body(&got), expected);

    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::UnitPrincipal)).await;
    let why = problem("stale-version", 412, "内容已被他人修改", &json!([]));
    let form = "_form=preferences&_version=2&kind=item_reported&phone=13900000000";
    let page = refused(&stage, &cookie, ("/preferences", form), call, 412, why).await;
    page.shows("下面的页面已经是最新内容").shows("value=\"13900000000\"").shows("name=\"_version\" value=\"3\"");
    page.shows("name=\"mail/item_reported\" value=\"true\">");
}

#[tokio::test]
async fn a_kind_of_message_is_shown_as_it_would_read_today() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::CountyOfficeAdmin)).await;
    let address = "/message-preview?kind=item_reported&language=zh-Hant&capacity=copy";
    stage.get(address, &cookie).await.expect(StatusCode::OK).shows("正文第一行").shows("请登录平台核查");
    let asked = stage.got("GET", "/notifications/v1/templates/item_reported/preview").await.pop().unwrap();
    assert_eq!(asked.url.query(), Some("language=zh-Hant&capacity=copy"));
    // An address with a kind that is none asks for nothing.
    stage.get("/message-preview?kind=..%2Fx", &cookie).await.expect(StatusCode::OK).hides("正文第一行");
    let none = problem("unknown-resource", 404, "本辖区尚无这类消息", &json!([]));
    stage.instead("GET", "/notifications/v1/templates/item_reported/preview", 404, none).await;
    stage.get(address, &cookie).await.expect(StatusCode::OK).shows("本辖区尚无这类消息");
}

#[tokio::test]
async fn the_office_records_a_paper_and_the_unit_does_not() {
    let stage = Stage::with_samples().await;
    let address = format!("/receipts/{OTHER}");
    let unit = stage.sign_in(&caller(Role::UnitPrincipal)).await;
    stage.get(&address, &unit).await.expect(StatusCode::NOT_FOUND);
    stage
        .get(&format!("/receipts/{ID}"), &unit)
        .await
        .expect(StatusCode::OK)
        .hides("id=\"paper\"")
        .shows("id=\"sign\"");
    let office = stage.sign_in(&caller(Role::DeskOfficer)).await;
    let page = stage.get(&address, &office).await.expect(StatusCode::OK);
    page.shows("直接送达，回执存办公室").shows("纸质签收").hides("id=\"sign\"").hides("id=\"paper\"");
    stage.get(&format!("/receipts/{ID}"), &office).await.expect(StatusCode::OK).shows("id=\"paper\"");

    let form = "received_at=2026-03-18T09:30&signer_name=a&note=b";
    let (address, call) = (format!("/receipts/{ID}/paper"), format!("/notifications/v1/receipts/{ID}/paper"));
    let got = sent(&stage, &office, (&address, form), ("POST", &call), json!({})).await;
    assert_eq!(body(&got), json!({"received_at": "2026-03-18T01:30:00Z", "signer_name": "a", "note": "b"}));
    let page = stage.post(&address, &office, &format!("{KEY}&_form=paper&received_at=&signer_name=a&note=b")).await;
    page.expect(StatusCode::UNPROCESSABLE_ENTITY).shows("请填写日期和时间。").shows("value=\"a\"");
}

#[tokio::test]
async fn a_link_of_a_mail_signs_without_signing_in() {
    let stage = Stage::new().await;
    let (show, sign) = ("/notifications/v1/receipt-links/show", "/notifications/v1/receipt-links/sign");
    stage.answers("POST", show, 200, link(true, "open")).await;
    let address = "/receipts/link?code=a-token_1";
    let page = stage.get(address, "").await.expect(StatusCode::OK);
    page.shows("海口市第一中学").shows("校长").shows("name=\"code\" value=\"a-token_1\"").shows("确认签收");
    page.hides("<nav ").hides("<script").shows("width=device-width");
    assert_eq!(page.headers.get("cache-control").unwrap(), "private, no-store");
    for tag in ["zh-Hant", "en"] {
        stage
            .get(address, &format!("dudao_lang={tag}"))
            .await
            .expect(StatusCode::OK)
            .shows(&format!("<html lang=\"{tag}\">"));
    }
    assert!(stage.got("POST", sign).await.is_empty(), "looking signs nothing");

    stage.answers("POST", sign, 200, link(false, "signed")).await;
    let answer = stage.post("/receipts/link", "", "code=a-token_1").await.expect(StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), "/receipts/link?code=a-token_1&done=signed");
    let got = Stage::only(stage.got("POST", sign).await);
    assert_eq!((body(&got), header(&got, "authorization")), (json!({"token": "a-token_1"}), ""));
    stage.instead("POST", show, 200, link(false, "signed")).await;
    let page = stage.get(answer.location(), "").await.expect(StatusCode::OK);
    page.shows("已签收。").hides("确认签收");

    // Used in another window meanwhile, and unknown.
    let used = problem("state-refuses", 409, "该链接已经使用过。", &json!([]));
    stage.instead("POST", sign, 409, used).await;
    stage.post("/receipts/link", "", "code=a-token_1").await.expect(StatusCode::CONFLICT).shows("该链接已经使用过。");
    let stage = Stage::new().await;
    let unknown = problem("unknown-resource", 404, "链接无效。请登录平台签收。", &json!([]));
    stage.answers("POST", show, 404, unknown).await;
    stage.get("/receipts/link?code=x", "").await.expect(StatusCode::NOT_FOUND).shows("链接无效。").hides("确认签收");
    stage.get("/receipts/link", "").await.expect(StatusCode::NOT_FOUND);
    // Another site cannot have it signed.
    let request = http::Request::post("/receipts/link")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .body(axum::body::Body::from("code=a-token_1"))
        .unwrap();
    stage.send(request).await.expect(StatusCode::FORBIDDEN);
    let gone = Stage::new().await;
    gone.answers("POST", show, 503, json!({})).await;
    gone.get(address, "").await.expect(StatusCode::SERVICE_UNAVAILABLE).shows("暂时无法访问");
}

#[tokio::test]
async fn assignments_begin_with_what_waits() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::CommitteeChair)).await;
    let query = |requests: Vec<wiremock::Request>| requests.last().unwrap().url.query().unwrap_or_default().to_owned();
    stage.get("/assignments", &cookie).await.expect(StatusCode::OK).shows("超时未办").shows("a%261");
    assert_eq!(query(stage.got("GET", "/tasks/v1/assignments").await), "state=open");
    stage.get("/assignments?state=&kind=circular&overdue=true", &cookie).await.expect(StatusCode::OK);
    assert_eq!(query(stage.got("GET", "/tasks/v1/assignments").await), "kind=circular&overdue=true");
    let page = stage.get(&format!("/assignments/{ID}"), &cookie).await.expect(StatusCode::OK);
    page.shows("督办后仍未完成").shows("逾期 11 天").shows(&format!("href=\"/rectifications/{ID}\">去办理"));
    let page = stage.get(&format!("/assignments/{LOOK_BACK}"), &cookie).await.expect(StatusCode::OK);
    page.shows("已到校核实").shows(&format!("href=\"/rectifications/{ID}#item-{LOOK_BACK}\">查看整改"));
}

#[tokio::test]
async fn the_proof_says_since_when_nothing_was_missed() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::Operator)).await;
    let page = stage.get("/proofs", &cookie).await.expect(StatusCode::OK);
    page.shows("无一遗漏").shows("<td class=\"n bad\">2</td>").shows("12 件整改正在计时，其中 5 件已到时而尚未触发");
    page.shows("height=\"100\"").shows("≤ 1秒").shows("&#62; 1天");
    let english = format!("{cookie}; dudao_lang=en");
    stage
        .get("/proofs", &english)
        .await
        .shows("0 missed since 2026-01-01")
        .shows("every open case has an armed instant");
}

#[tokio::test]
async fn a_change_of_rules_shows_its_dry_run_and_its_difference() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    let page = stage.get(&format!("/rule-changes/{ID}?effect=kept"), &cookie).await.expect(StatusCode::OK);
    page.shows("3 → 1").shows("规则库缺失").shows("今晚督办").shows("保留已告知期限，否则逾期").shows("k%261");
    page.shows("<del>status = &#34;missing&#34;</del>").shows("<ins>status = &#34;published&#34;</ins>");
    page.shows("class=\"before\"").shows("id=\"approve\"").shows("id=\"withdraw\"").hides("id=\"roll-back\"");
    let query = |requests: Vec<wiremock::Request>| requests.last().unwrap().url.query().unwrap_or_default().to_owned();
    let cases = format!("/deadlines/v1/rule-changes/{ID}/cases");
    assert_eq!(query(stage.got("GET", &cases).await), "effect=kept&run=dry");
    let page = stage.get(&format!("/rule-changes/{OTHER}"), &cookie).await.expect(StatusCode::OK);
    page.shows("规则第 2 版").shows("6 件整改已改变，1 件搁置").shows("id=\"roll-back\"").hides("id=\"approve\"");
    assert_eq!(query(stage.got("GET", &cases.replace(ID, OTHER)).await), "run=real");
    let reader = stage.sign_in(&caller(Role::Auditor)).await;
    let page = stage.get(&format!("/rule-changes/{ID}"), &reader).await.expect(StatusCode::OK);
    page.hides("id=\"approve\"").hides("id=\"withdraw\"");

    let mut trying = rule_change(ID, "proposed");
    trying["dry_run"] = Value::Null;
    stage.instead("GET", &format!("/deadlines/v1/rule-changes/{ID}"), 200, trying).await;
    stage.get(&format!("/rule-changes/{ID}"), &cookie).await.shows("正在试算").hides("id=\"approve\"");
}

#[tokio::test]
async fn rules_are_proposed_approved_withdrawn_and_rolled_back() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    let form = "kind=calendar&content=id+%3D+1%0D%0Ayear+%3D+2&reason=r&effective_on=2026-12-01";
    let call = ("POST", "/deadlines/v1/rule-changes");
    let got = sent(&stage, &cookie, ("/rule-changes", form), call, rule_change(ID, "proposed")).await;
    let expected = json!({"kind": "calendar", "content": "id = 1\nyear = 2", "reason": "r", "effective_on": "2026-12-01", "live_cases": false});
    assert_eq!(body(&got), expected);
    let at = |verb: &str| (format!("/rule-changes/{ID}/{verb}"), format!("/deadlines/v1/rule-changes/{ID}/{verb}"));
    for verb in ["approval", "withdrawal"] {
        let (address, call) = at(verb);
        let got = sent(&stage, &cookie, (&address, "_version=7"), ("POST", &call), rule_change(ID, "approved")).await;
        assert_eq!(header(&got, "if-match"), "\"7\"");
    }
    let (address, call) = at("roll-back");
    let form = "reason=r&effective_on=2026-12-02";
    let got = sent(&stage, &cookie, (&address, form), ("POST", &call), rule_change(OTHER, "proposed")).await;
    assert_eq!(body(&got), json!({"reason": "r", "effective_on": "2026-12-02"}));

    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    let why = problem(
        "invalid-fields",
        422,
        "变更的文本有误，请按行号修改。",
        &json!([{"pointer": "/content", "detail": "第2行：不是年份"}]),
    );
    let form = "_form=rule-change&kind=rulebook&content=id+%3D+1%0D%0Ayear+%3D+x&reason=r&effective_on=2026-12-01&live_cases=true";
    let call = ("POST", "/deadlines/v1/rule-changes");
    let page = refused(&stage, &cookie, ("/rule-changes", form), call, 422, why).await;
    page.shows("<span class=\"place\">2</span><code>year = x</code><span class=\"fault\">第2行：不是年份</span>");
    page.shows("<option value=\"rulebook\" selected>").shows("value=\"2026-12-01\"");
    let (address, call) = at("approval");
    let why = problem("separation-of-duties", 403, "变更须由提出人以外的人批准。", &json!([]));
    let page = refused(&stage, &cookie, (&address, "_form=approve&_version=7"), ("POST", &call), 403, why).await;
    page.shows("变更须由提出人以外的人批准。").shows("id=\"approve\"");
    let (address, call) = at("withdrawal");
    let why = problem("stale-version", 412, "内容已变化", &json!([]));
    let page = refused(&stage, &cookie, (&address, "_form=withdraw&_version=6"), ("POST", &call), 412, why).await;
    page.shows("下面的页面已经是最新内容").shows("name=\"_version\" value=\"7\"");
}

#[tokio::test]
async fn a_merger_of_counties_is_announced_and_withdrawn() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    let page = stage.get("/area-mergers", &cookie).await.expect(StatusCode::OK);
    page.shows("已公布，待生效").shows("已生效").shows("2027年1月1日").shows("m%261");
    page.shows("<option value=\"\" selected>请选择</option>");
    page.shows(&format!("id=\"withdraw-{ID}\""))
        .hides(&format!("id=\"withdraw-{OTHER}\""))
        .hides(&format!("id=\"withdraw-{VERIFIED}\""));
    let form = "area_code=460400499&into_code=460400&effective_on=2027-01-01&ground=g";
    let call = ("POST", "/registry/v1/area-mergers");
    let got = sent(&stage, &cookie, ("/area-mergers", form), call, merger(ID, "announced")).await;
    let expected =
        json!({"area_code": "460400499", "into_code": "460400", "effective_on": "2027-01-01", "ground": "g"});
    assert_eq!(body(&got), expected);
    let (address, call) =
        (format!("/area-mergers/{ID}/withdrawal"), format!("/registry/v1/area-mergers/{ID}/withdrawal"));
    let got = sent(&stage, &cookie, (&address, "_version=7"), ("POST", &call), merger(ID, "withdrawn")).await;
    assert_eq!(header(&got, "if-match"), "\"7\"");

    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    let why = problem(
        "invalid-fields",
        422,
        "请求中有字段不正确。",
        &json!([{"pointer": "/into_code", "detail": "不能并入自身"}]),
    );
    let form = "_form=announce&area_code=460100&into_code=460100&effective_on=2027-01-01&ground=g";
    let call = ("POST", "/registry/v1/area-mergers");
    let page = refused(&stage, &cookie, ("/area-mergers", form), call, 422, why).await;
    page.shows("不能并入自身").shows("<option value=\"460100\" selected>").shows("value=\"2027-01-01\"");
    // Who may not import may not see it either.
    let county = stage.sign_in(&caller(Role::CountyOfficeAdmin)).await;
    stage.get("/", &county).await.hides("/area-mergers");
}

#[tokio::test]
async fn a_changed_template_is_tried_on_a_real_document_and_its_faults_stand_at_their_lines() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    let page = stage.get(&format!("/templates?document=/documents/{ID}"), &cookie).await.expect(StatusCode::OK);
    page.shows("2027-1（自 2027年1月1日 起）").shows(&format!("value=\"/documents/{ID}\""));
    let pdf = ResponseTemplate::new(200)
        .set_body_raw("%PDF-1.7", "application/pdf")
        .insert_header("content-disposition", "attachment; filename*=UTF-8''a.pdf");
    let preview = "/documents/v1/documents/preview";
    Mock::given(method("POST")).and(path(preview)).respond_with(pdf).with_priority(5).mount(&stage.server).await;
    let form = |document: &str, text: &str| {
        format!("{KEY}&_form=preview&document={document}&template_version=2027-1&format=pdf&template={text}")
    };
    let file =
        stage.post("/templates", &cookie, &form(&format!("/urging-orders/{ID}"), "")).await.expect(StatusCode::OK);
    assert_eq!(
        (file.text.as_str(), file.headers.get(CONTENT_TYPE).unwrap().to_str().unwrap()),
        ("%PDF-1.7", "application/pdf")
    );
    let got = Stage::only(stage.got("POST", preview).await);
    let trial = body(&got);
    assert_eq!((trial["template_version"].as_str(), trial.get("template")), (Some("2027-1"), None));
    assert!(trial["content"]["body"]["urging_order"].is_object(), "{trial}");

    let why = problem(
        "invalid-fields",
        422,
        "模板有误",
        &json!([{"pointer": "/template#L2", "detail": "第2行：没有这个字段"}]),
    );
    stage.instead("POST", preview, 422, why).await;
    let page =
        stage.post("/templates", &cookie, &form(ID, "a%0D%0Ab%0D%0Ac")).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    page.shows("<code>b</code><span class=\"fault\">第2行：没有这个字段</span>").shows("aria-invalid=\"true\"");
    page.shows("<option value=\"2027-1\" selected>");
    let page = stage.post("/templates", &cookie, &form("nothing", "")).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    page.shows("没有认出文书");
    let page = stage.post("/templates", &cookie, &form(VERIFIED, "")).await;
    assert_ne!(page.status, StatusCode::OK);
    let why = problem("unknown-resource", 404, "没有这份文书。", &json!([]));
    stage.instead("GET", &format!("/tasks/v1/documents/{VERIFIED}"), 404, why).await;
    let page = stage.post("/templates", &cookie, &form(VERIFIED, "")).await.expect(StatusCode::NOT_FOUND);
    page.shows("没有这份文书，或者您无权查看。").shows("id=\"preview--document\"");
}
