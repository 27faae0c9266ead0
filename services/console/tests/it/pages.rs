//! Every page, for every role, in every language; hostile words stay words.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use access::Role;
use console::api::{Room, Sending};
use console::texts::{Catalogue, Lang};
use http::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::samples::{CODE, ID, LIFT, LOOK_BACK, OTHER, PLANNED, PROPOSED, REQUEST, SHA, TAKEN, VERIFIED, addresses};
use crate::stage::{Stage, api_at, caller, header, problem};

/// Values of an attribute, in order.
fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    html.split(start.as_str()).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

/// The tags of an element.
fn tags<'a>(html: &'a str, element: &str) -> Vec<&'a str> {
    let start = format!("<{element} ");
    html.split(start.as_str()).skip(1).map(|rest| rest.split('>').next().unwrap()).collect()
}

/// What a reader with a screen reader or a keyboard needs of every page.
#[track_caller]
fn accessible(address: &str, html: &str) {
    assert_eq!(html.matches("<h1").count(), 1, "{address}: one h1\n{html}");
    assert_eq!(html.matches("<main ").count(), 1, "{address}: one main");
    assert!(html.contains("<html lang=\""), "{address}: language");
    let mut ids = attributes(html, "id");
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{address}: an id occurs twice");
    for labelled in attributes(html, "for") {
        assert!(ids.contains(&labelled), "{address}: label for {labelled}");
    }
    for described in attributes(html, "aria-describedby").iter().flat_map(|list| list.split(' ')) {
        assert!(ids.contains(&described), "{address}: described by {described}");
    }
    for element in ["input", "select", "textarea"] {
        for tag in tags(html, element) {
            if tag.contains("type=\"hidden\"") || tag.contains(" hidden") {
                continue;
            }
            let tag = format!(" {tag}");
            let id = attributes(&tag, "id").first().copied().unwrap_or_default().to_owned();
            assert!(html.contains(&format!("for=\"{id}\"")), "{address}: no label for {tag}");
        }
    }
    for tag in tags(html, "img") {
        assert!(tag.contains(" alt=\""), "{address}: {tag}");
    }
    for open in
        ["form", "section", "article", "ul", "dl", "table", "fieldset", "details", "div", "main", "span", "p", "li"]
    {
        let opened = html.matches(&format!("<{open}>")).count() + html.matches(&format!("<{open} ")).count();
        assert_eq!(
            opened,
            html.matches(&format!("</{open}>")).count(),
            "{address}: <{open}> is not closed as often as opened\n{html}"
        );
    }
}

#[tokio::test]
async fn every_page_renders_in_every_language_and_escapes_what_people_write() {
    let stage = Stage::with_samples().await;
    let office = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    for tag in ["zh-Hans", "zh-Hant", "en"] {
        let cookie = format!("{office}; dudao_lang={tag}");
        for address in addresses() {
            let page = stage.get(&address, &cookie).await;
            assert_eq!(page.status, StatusCode::OK, "{address}: {}", page.text);
            page.hides("<script").shows(&format!("<html lang=\"{tag}\">"));
            assert!(!page.text.contains("\"' onx"), "{address}: an attribute can be left");
            accessible(&address, &page.text);
            let policy = page.headers.get("content-security-policy").unwrap().to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("script-src"), "{policy}");
            assert_eq!(page.headers.get("cache-control").unwrap(), "private, no-store");
        }
    }
}

#[tokio::test]
async fn every_page_answers_every_role() {
    let stage = Stage::with_samples().await;
    for role in Role::ALL {
        let cookie = stage.sign_in(&caller(*role)).await;
        for address in addresses() {
            let page = stage.get(&address, &cookie).await;
            assert_eq!(page.status, StatusCode::OK, "{role:?} {address}: {}", page.text);
            accessible(&format!("{role:?} {address}"), &page.text);
        }
    }
}

#[tokio::test]
async fn navigation_shows_what_the_role_may_do() {
    let stage = Stage::with_samples().await;
    let office = [
        "/plans",
        "/cases",
        "/receipts",
        "/deliveries",
        "/rectifications",
        "/assignments",
        "/ledger",
        "/statistics",
        "/drafts",
        "/measures",
        "/inbox",
        "/register",
    ];
    let (timers, proofs, sweep) = ("/timers", "/proofs", "/sweep");
    let (changes, templates) = ("/rule-changes", "/templates");
    let unit = ["/cases", "/receipts", "/rectifications", "/ledger", "/measures", "/inbox"];
    let table: [(Role, &[&str], &[&str]); 11] = [
        (
            Role::ProvinceOfficeAdmin,
            &office,
            &["/exchange", "/imports", "/area-mergers", "/accounts", timers, proofs, changes, templates],
        ),
        (Role::CountyOfficeAdmin, &office, &["/accounts", timers, proofs]),
        (Role::DeskOfficer, &office, &[]),
        (
            Role::Inspector,
            &["/plans", "/cases", "/receipts", "/rectifications", "/ledger", "/measures", "/inbox"],
            &["/assignments"],
        ),
        (Role::CommitteeChair, &office, &["/exchange", changes]),
        (Role::UnitPrincipal, &unit, &[]),
        (Role::UnitContact, &unit, &[]),
        (Role::CompetentDepartmentOfficer, &unit, &[]),
        (Role::PublicityOfficer, &["/receipts", "/drafts", "/inbox"], &[]),
        (Role::Auditor, &office, &["/exchange", timers, proofs, sweep, changes]),
        (Role::Operator, &[], &[timers, proofs, sweep]),
    ];
    for (role, usual, more) in table {
        let cookie = stage.sign_in(&caller(role)).await;
        let page = stage.get("/", &cookie).await.expect(StatusCode::OK);
        let nav = page.text.split("<nav ").nth(1).unwrap().split("</nav>").next().unwrap();
        let mut shown = attributes(nav, "href");
        shown.retain(|href| *href != "/");
        shown.sort_unstable();
        let mut expected: Vec<&str> = usual.iter().chain(more).copied().collect();
        expected.sort_unstable();
        assert_eq!(shown, expected, "{role:?}");
    }
}

#[tokio::test]
async fn acts_are_offered_to_those_who_may_do_them() {
    let stage = Stage::with_samples().await;
    let forms = |text: &str| -> Vec<String> {
        let mut ids: Vec<String> = tags(text, "form")
            .iter()
            .filter_map(|tag| attributes(tag, "id").first().map(|id| (*id).to_owned()))
            .collect();
        ids.sort();
        ids
    };
    let of = |names: &[&str], id: &str| names.iter().map(|name| format!("{name}-{id}")).collect::<Vec<_>>();
    // Whoever may ask, may ask for what does not wait already: an extension of the planned item does.
    let asks = [
        vec!["ask-pause".to_owned()],
        of(&["extend", "waive"], ID),
        of(&["waive"], OTHER),
        of(&["waive"], VERIFIED),
        of(&["waive"], PLANNED),
        of(&["lift"], PROPOSED),
        of(&["lift"], TAKEN),
    ]
    .concat();
    let unit = [asks.clone(), of(&["report", "plan", "progress"], ID), of(&["report", "progress"], PLANNED)].concat();
    let inspector = [of(&["verify"], OTHER), of(&["judge"], PLANNED), of(&["look-back"], LOOK_BACK)].concat();
    let office = [
        asks,
        of(&["verify", "consult"], OTHER),
        of(&["close", "refuse", "consult"], VERIFIED),
        of(&["judge", "answer"], PLANNED),
        of(&["consult"], ID),
        of(&["step"], PROPOSED),
        of(&["decide"], REQUEST),
        of(&["decide"], LIFT),
    ]
    .concat();
    let table = [
        (Role::UnitPrincipal, unit.clone()),
        (Role::UnitContact, unit),
        (Role::Inspector, inspector),
        (Role::ProvinceOfficeAdmin, office),
        (Role::CommitteeChair, [of(&["step"], PROPOSED), of(&["decide"], LIFT)].concat()),
        (Role::Auditor, vec![]),
    ];
    for (role, mut expected) in table {
        expected.sort();
        let cookie = stage.sign_in(&caller(role)).await;
        let page = stage.get(&format!("/rectifications/{ID}"), &cookie).await;
        assert_eq!(forms(&page.text), expected, "{role:?}");
    }
}

#[tokio::test]
async fn a_case_says_in_words_what_blocks_the_next_step_and_where_it_stands() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    let page = stage.get(&format!("/cases/{ID}"), &cookie).await;
    page.shows("暂不能办理：尚未召开座谈会")
        .shows("aria-current=\"step\">现场督导")
        .hides("id=\"letter\"")
        .shows("id=\"step-hearings\"");
}

#[tokio::test]
async fn lights_tell_late_soon_and_in_time_in_words() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::Inspector)).await;
    stage.get("/rectifications", &cookie).await.shows("light red\">已逾期");
    stage.get("/ledger", &cookie).await.shows("light yellow\">临近期限");
    let page = stage.get(&format!("/rectifications/{ID}"), &cookie).await;
    page.shows("light yellow\">临近期限").shows("light green\">期限内").shows(&format!("/deadlines/{ID}"));
}

#[tokio::test]
async fn a_rectification_tells_its_plan_its_stops_its_steps_and_its_counterpart() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::Auditor)).await;
    let page = stage.get(&format!("/rectifications/{ID}"), &cookie).await.expect(StatusCode::OK);
    page.shows("待回头看</strong>")
        .shows("免于整改</strong>")
        .shows("校区撤并")
        .shows("措施不具体")
        .shows("清理通道")
        .shows("已完成一半")
        .shows("请出具意见")
        .shows("已同意 1 人，须 2 人")
        .shows("台风停课")
        .shows("通报 <span class=\"light yellow\">待决定")
        .shows("约谈 <span class=\"light closed\">已实施")
        .shows("约谈 <span class=\"light closed\">已终结（事项均已办结）")
        .shows("终结时间")
        .shows("延长10个工作日")
        .shows("督办单")
        .shows("中止后恢复")
        .shows(&format!("href=\"/rectifications/{OTHER}\">查看主管部门的整改"));
    let page = stage.get(&format!("/rectifications/{OTHER}"), &cookie).await.expect(StatusCode::OK);
    page.shows("期限已中止，至 2026年5月1日 00:00 自动恢复")
        .shows("light paused\">期限中止")
        .shows("承担连带责任")
        .shows(&format!("href=\"/rectifications/{ID}\">查看所属单位的整改"));
    let cookie = stage.sign_in(&caller(Role::UnitPrincipal)).await;
    let page = stage.get(&format!("/rectifications/{OTHER}"), &cookie).await.expect(StatusCode::OK);
    page.shows("id=\"ask-resume\"").hides("id=\"ask-pause\"").hides("id=\"extend-");
}

#[tokio::test]
async fn the_clocks_are_told_with_what_is_late_and_what_is_set_aside() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::Operator)).await;
    let page = stage.get("/timers?state=late&from=2026-03-01&to=2026-03-31", &cookie).await.expect(StatusCode::OK);
    page.shows("light red\">延误")
        .shows("提请升级 · 约谈")
        .shows("2小时")
        .shows("规则库缺失")
        .shows("<td>整件</td>")
        .shows("after=t%261");
    let asked = stage.got("GET", "/deadlines/v1/timers").await.pop().unwrap();
    let query: std::collections::BTreeMap<_, _> = asked.url.query_pairs().into_owned().collect();
    assert_eq!(query.get("from").map(String::as_str), Some("2026-02-28T16:00:00Z"));
    assert_eq!(query.get("to").map(String::as_str), Some("2026-03-31T16:00:00Z"));
    assert_eq!(query.get("state").map(String::as_str), Some("late"));
}

#[tokio::test]
async fn the_proof_sheet_counts_day_by_day() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::UnitPrincipal)).await;
    let page = stage.get(&format!("/deadlines/{ID}"), &cookie).await;
    page.shows("2个工作日")
        .shows("2026年3月28日</td><td>公休日</td><td>跳过")
        .shows("计入</td><td class=\"n\">2</td>")
        .shows("督导意见书或整改通知书签收")
        .shows("期限中止，不计入")
        .shows("<dd>督办单</dd>")
        .shows("print-only\">整改期限计算书");
    stage.get("/assets/console.css", "").await.shows("@media print").shows("@page");
}

#[tokio::test]
async fn a_service_that_is_away_costs_its_card_and_not_the_page() {
    let stage = Stage::with_samples().await;
    stage.instead("GET", "/reporting/v1/ledger", 503, problem("unavailable", 503, "x", &json!([]))).await;
    stage.instead("GET", "/notifications/v1/inbox", 500, json!({})).await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    let page = stage.get("/", &cookie).await.expect(StatusCode::OK);
    page.shows("台账统计服务暂时无法访问").shows("通知服务暂时无法访问").shows("/receipts/");
    // The lights of a rectification come from there too; the page itself does not.
    let page = stage.get(&format!("/rectifications/{ID}"), &cookie).await.expect(StatusCode::OK);
    page.shows("“临近期限”暂时无法标示");
}

#[tokio::test]
async fn a_page_whose_service_is_away_says_so() {
    let stage = Stage::new().await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    stage.answers("GET", "/tasks/v1/cases", 503, json!({})).await;
    let page = stage.get("/cases", &cookie).await.expect(StatusCode::SERVICE_UNAVAILABLE);
    page.shows("督导服务暂时无法访问").shows("其他页面不受影响").hides("<form method=\"get\"");
}

/// A service whose first connections end before they have answered, as those of a process that ends; later ones are answered.
async fn ending(broken: usize) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            assert!(connection.read(&mut [0; 4096]).await.unwrap() > 0);
            if count.fetch_add(1, Ordering::SeqCst) >= broken {
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
                connection.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    (address, asked)
}

#[tokio::test]
async fn what_may_be_repeated_is_asked_once_more_when_its_connection_broke() {
    for (method, key, broken, good, count) in [
        (Method::GET, None, 1, true, 2),
        (Method::GET, None, 2, false, 2),
        (Method::POST, Some("key-0123456789"), 1, true, 2),
        (Method::POST, None, 1, false, 1),
    ] {
        let (address, asked) = ending(broken).await;
        let api = api_at(&format!("http://{address}"));
        let line = api.line(Some("token"), Lang::ZhHans);
        let sending = Sending { key: key.map(str::to_owned), body: Some(json!({})), ..Sending::default() };
        let answer = line.send(method.clone(), Room::Tasks, "/v1/cases", sending).await;
        assert_eq!((answer.is_ok(), asked.load(Ordering::SeqCst)), (good, count), "{method} {key:?} {broken}");
    }
}

#[tokio::test]
async fn refused_and_unknown_pages_are_told_in_chinese() {
    let stage = Stage::new().await;
    let cookie = stage.sign_in(&caller(Role::Inspector)).await;
    let refusal = problem("forbidden", 403, "您没有此项权限：查看统计。", &json!([]));
    stage.answers("GET", "/reporting/v1/statistics/rectifications", 403, refusal).await;
    stage
        .get("/statistics", &cookie)
        .await
        .expect(StatusCode::FORBIDDEN)
        .shows("您没有此项权限：查看统计。")
        .shows("没有权限</h1>");
    let refusal = problem("unknown-resource", 404, "没有这项督导。", &json!([]));
    stage.answers("GET", &format!("/tasks/v1/cases/{ID}"), 404, refusal).await;
    stage.get(&format!("/cases/{ID}"), &cookie).await.expect(StatusCode::NOT_FOUND).shows("没有这项督导。");
    stage.get("/nothing/here", &cookie).await.expect(StatusCode::NOT_FOUND).shows("找不到页面</h1>");
    stage.get("/cases/not-an-id", &cookie).await.expect(StatusCode::BAD_REQUEST).shows("<h1>无法办理</h1>");
    stage.post("/cases/new", &cookie, "").await.expect(StatusCode::METHOD_NOT_ALLOWED).shows("<h1>");
    let cookie = format!("{cookie}; dudao_lang=en");
    stage.get("/nothing", &cookie).await.expect(StatusCode::NOT_FOUND).shows("Not found</h1>");
}

#[tokio::test]
async fn files_go_through_but_never_as_pages_of_ours() {
    let stage = Stage::new().await;
    let cookie = stage.sign_in(&caller(Role::Inspector)).await;
    for (sha, kind) in
        [(SHA.to_owned(), "image/jpeg"), (SHA.replace('a', "b"), "text/html"), (SHA.replace('a', "c"), "image/svg+xml")]
    {
        let answer = ResponseTemplate::new(200).set_body_raw("<script>", kind);
        Mock::given(method("GET"))
            .and(path(format!("/tasks/v1/evidence/{sha}")))
            .respond_with(answer)
            .mount(&stage.server)
            .await;
        let file = stage.get(&format!("/evidence/cases/{sha}"), &cookie).await.expect(StatusCode::OK);
        let shown = file.headers.get("content-disposition").unwrap();
        assert_eq!(shown, if kind == "image/jpeg" { "inline" } else { "attachment" }, "{kind}");
        assert!(
            file.headers.get("content-security-policy").unwrap().to_str().unwrap().contains(if kind == "text/html" {
                "default-src 'none'"
            } else {
                "sandbox"
            })
        );
    }
    stage.get("/evidence/cases/..%2F..%2Fplans", &cookie).await.expect(StatusCode::NOT_FOUND);
    let book = ResponseTemplate::new(200)
        .set_body_raw("PK", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    Mock::given(method("GET")).and(path("/reporting/v1/ledger.xlsx")).respond_with(book).mount(&stage.server).await;
    let file = stage.get("/ledger.xlsx?state=late&county=460100", &cookie).await.expect(StatusCode::OK);
    let name = file.headers.get("content-disposition").unwrap().to_str().unwrap();
    assert!(name.starts_with("attachment; filename*=UTF-8''%E6%95%B4"), "{name}");
    let asked = Stage::only(stage.got("GET", "/reporting/v1/ledger.xlsx").await);
    assert_eq!(asked.url.query(), Some("county=460100&state=late"));
}

/// Both keepers' documents read alike: the head around, the fields of the kind within, each by its official name.
#[tokio::test]
async fn a_document_is_read_by_its_parts_and_offered_as_files() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::Inspector)).await;
    let letter = stage.get(&format!("/documents/{ID}"), &cookie).await.expect(StatusCode::OK);
    letter.shows("海口市第一中学").shows("抄送").shows("海口市教育局").shows("问题清单").shows("自签收之日起30日");
    letter.shows("申辩处理").shows("《教育督导条例》第二十一条").shows("主动公开").shows("2026年3月12日");
    // A field that has no word yet is shown all the same; identifiers are not.
    letter.shows("新内容").hides("finding_ids").hides("opinion_letter");
    letter.shows(&format!("href=\"/documents/{ID}/pdf\"")).shows("下载PDF").shows("下载DOCX").shows("纯文本");
    let order = stage.get(&format!("/urging-orders/{ID}"), &cookie).await.expect(StatusCode::OK);
    order.shows("督办事项").shows("逾期天数").shows(&format!("href=\"/urging-orders/{ID}/docx\""));
}

/// The file is made of the very bytes that were hashed, with the reader's own token.
#[tokio::test]
async fn a_file_is_made_of_the_frozen_bytes() {
    let stage = Stage::new().await;
    let cookie = stage.sign_in(&caller(Role::Inspector)).await;
    // Blanks that no canonical form has: they must not get lost on the way either.
    let frozen = r#"{"body": {"b":1}, "head":{"a":"琼"} }"#;
    // The second one is void: that stands across its pages.
    for (keeper, page, voided) in [
        ("tasks/v1/documents", "documents", "null"),
        ("deadlines/v1/urging-orders", "urging-orders", r#"{"at":"2026-04-01T01:00:00Z","cause":"wrong_content"}"#),
    ] {
        let stored = format!(r#"{{"sha256":"x","content":{frozen},"received_at":null,"voided":{voided}}}"#);
        Mock::given(method("GET"))
            .and(path(format!("/{keeper}/{ID}")))
            .respond_with(ResponseTemplate::new(200).set_body_raw(stored, "application/json"))
            .mount(&stage.server)
            .await;
        stage.get(&format!("/{page}/{ID}/exe"), &cookie).await.expect(StatusCode::NOT_FOUND);
    }
    let made = ResponseTemplate::new(200)
        .insert_header("etag", "\"abc\"")
        .insert_header("dudao-rendition", "stated and signed")
        .insert_header("content-disposition", "attachment; filename*=UTF-8''a.pdf")
        .set_body_raw("%PDF-1.7", "application/pdf");
    Mock::given(method("POST"))
        .and(path("/documents/v1/documents/render"))
        .respond_with(made)
        .mount(&stage.server)
        .await;
    for page in ["documents", "urging-orders"] {
        let file = stage.get(&format!("/{page}/{ID}/pdf"), &cookie).await.expect(StatusCode::OK);
        assert_eq!(file.text, "%PDF-1.7");
        for (name, value) in [
            ("etag", "\"abc\""),
            ("content-type", "application/pdf"),
            ("content-disposition", "attachment; filename*=UTF-8''a.pdf"),
        ] {
            assert_eq!(file.headers.get(name).unwrap(), value);
        }
    }
    let asked = stage.got("POST", "/documents/v1/documents/render").await;
    assert_eq!(asked.len(), 2);
    for (request, state) in asked.iter().zip(["genuine", "void"]) {
        assert_eq!(request.url.query(), Some(format!("format=pdf&state={state}").as_str()));
        assert_eq!(request.body, frozen.as_bytes());
        assert!(header(request, "authorization").starts_with("Bearer "));
    }
}

/// The portal is told of each file by what was signed; that it is away keeps nobody from the file.
#[tokio::test]
async fn the_portal_gets_to_know_each_file_that_is_handed_out() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::Inspector)).await;
    let made = ResponseTemplate::new(200)
        .insert_header("dudao-rendition", "stated and signed")
        .set_body_raw("%PDF-1.7", "application/pdf");
    Mock::given(method("POST"))
        .and(path("/documents/v1/documents/render"))
        .respond_with(made)
        .mount(&stage.server)
        .await;
    stage.get(&format!("/documents/{ID}/pdf"), &cookie).await.expect(StatusCode::OK);
    stage.answers("POST", "/publication/v1/renditions", 204, json!(null)).await;
    stage.get(&format!("/documents/{ID}/pdf"), &cookie).await.expect(StatusCode::OK);
    let told = stage.got("POST", "/publication/v1/renditions").await;
    assert_eq!(told.len(), 2, "the first time it was away");
    for request in &told {
        assert_eq!(crate::stage::body(request), json!({"rendition": "stated and signed"}));
        assert!(header(request, "authorization").starts_with("Bearer "));
    }
}

/// Voiding and replacing: the form sends cause, reason and the corrected words, and leads to the paper that holds now.
#[tokio::test]
async fn a_document_is_voided_or_replaced_by_a_form() {
    let stage = Stage::with_samples().await;
    let office = stage.sign_in(&caller(Role::CountyOfficeAdmin)).await;
    let page = stage.get(&format!("/documents/{ID}"), &office).await.expect(StatusCode::OK);
    page.shows("作废或者替换").shows("不能只作废").shows("name=\"field\"").hides("不更正，只作废");
    page.shows(&format!("href=\"https://portal.example/verify/{CODE}\""));
    // Who may not void sees no form.
    let inspector = stage.sign_in(&caller(Role::Inspector)).await;
    stage.get(&format!("/documents/{ID}"), &inspector).await.expect(StatusCode::OK).hides("作废或者替换");
    // An order with open items cannot be voided, and the page says what to do instead.
    stage.get(&format!("/urging-orders/{ID}"), &office).await.shows("申请延期").hides("name=\"cause\"");

    let refused = problem(
        "invalid-fields",
        422,
        "填写内容有误",
        &json!([{"pointer": "/corrections/0/text", "detail": "与原文相同"}]),
    );
    stage.instead("POST", &format!("/tasks/v1/documents/{ID}/void"), 422, refused).await;
    let form = "_form=void&_key=k-1&cause=wrong_content&reason=%E6%9C%89%E8%AF%AF&field=contact&text=%E7%8E%8B";
    let again =
        stage.post(&format!("/documents/{ID}/void"), &office, form).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    again.shows("与原文相同").shows("void--text").shows("有误");
    let sent = Stage::only(stage.got("POST", &format!("/tasks/v1/documents/{ID}/void")).await);
    assert_eq!(
        crate::stage::body(&sent),
        json!({"cause": "wrong_content", "reason": "有误", "corrections": [{"field": "contact", "text": "王"}]})
    );
    assert_eq!(header(&sent, "idempotency-key"), "k-1");

    let stage = Stage::new().await;
    let office = stage.sign_in(&caller(Role::CountyOfficeAdmin)).await;
    let done = json!({"voided": {"replaced_by": {"document_id": OTHER}}});
    stage.answers("POST", &format!("/tasks/v1/documents/{ID}/void"), 200, done).await;
    let answer = stage.post(&format!("/documents/{ID}/void"), &office, form).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), format!("/documents/{OTHER}?done=replaced"));
    stage.answers("POST", &format!("/deadlines/v1/urging-orders/{ID}/void"), 200, json!({"voided": {}})).await;
    let form = "_form=void&_key=k-2&cause=issued_in_error&reason=x";
    let answer = stage.post(&format!("/urging-orders/{ID}/void"), &office, form).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), format!("/urging-orders/{ID}?done=voided"));
    let sent = Stage::only(stage.got("POST", &format!("/deadlines/v1/urging-orders/{ID}/void")).await);
    assert_eq!(crate::stage::body(&sent), json!({"cause": "issued_in_error", "reason": "x"}));
}

#[tokio::test]
async fn the_register_shows_every_document_and_the_proof_of_the_numbers() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::DeskOfficer)).await;
    let page = stage.get("/register?kind=opinion_letter&year=2026", &cookie).await.expect(StatusCode::OK);
    page.shows("连续无缺号").shows("缺：2、3").shows(&format!("href=\"/documents/{ID}\"")).shows("已被替代");
    page.shows(&format!("href=\"/urging-orders/{OTHER}\"")).shows(&format!("/verify/{CODE}")).shows("联系人写错");
    let asked = Stage::only(stage.got("GET", "/publication/v1/document-register").await);
    assert_eq!(asked.url.query(), Some("kind=opinion_letter&year=2026"));
}

#[tokio::test]
async fn a_busy_document_service_says_to_come_again() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::Inspector)).await;
    let refusal = problem("unavailable", 503, "正在生成的文书较多，请稍后再试。", &json!([]));
    stage.answers("POST", "/documents/v1/documents/render", 503, refusal).await;
    let page = stage.get(&format!("/documents/{ID}/pdf"), &cookie).await.expect(StatusCode::SERVICE_UNAVAILABLE);
    page.shows("文书服务").shows("请稍后");
}

/// The fields of every kind that is issued, and those of the head, have their words in every language.
#[test]
fn every_field_of_an_issued_document_has_its_name() {
    use documents::{Kind, Shape};
    fn names(fields: &[documents::FieldSpec], all: &mut Vec<&'static str>) {
        for field in fields {
            all.push(field.name);
            if let Shape::Records(inner) = field.shape {
                names(inner, all);
            }
        }
    }
    let mut all = Vec::new();
    for kind in Kind::ALL {
        names(kind.fields(), &mut all);
    }
    for lang in Lang::ALL {
        let texts = Catalogue::load().texts(lang);
        let missing: Vec<_> = all.iter().filter(|name| texts.word("paper", name) == **name).collect();
        assert!(missing.is_empty(), "{lang:?}: {missing:?}");
    }
}

#[tokio::test]
async fn the_style_sheet_is_served_from_the_program() {
    let stage = Stage::new().await;
    let style = stage.get("/assets/console.css", "").await.expect(StatusCode::OK);
    assert_eq!(style.headers.get("content-type").unwrap(), "text/css; charset=utf-8");
    style.shows(":focus-visible");
}
