//! What the public sees, and above all what it does not.

use std::net::SocketAddr;

use axum::extract::connect_info::MockConnectInfo;
use http::StatusCode;
use serde_json::{Value, json};
use testkit::Call;

use crate::support::{App, closed, id_of, office, public_path_of, rectification, reported, router, urged};

const PLACES: [&str; 6] =
    ["/", "/open-data/rectifications.json", "/open-data/rectifications.csv", "/feed.atom", "/about", "/?county=460100"];

async fn texts(app: &App, more: &[String]) -> String {
    // A replica that starts now has nothing in its memory.
    let fresh = router(app.database.another_pool().await).await;
    let mut all = String::new();
    for path in PLACES.iter().map(|path| (*path).to_owned()).chain(more.iter().cloned()) {
        let answer = Call::get(&path).header("accept", "text/html").send(&fresh).await;
        all.push_str(&String::from_utf8(answer.bytes).unwrap());
    }
    all
}

#[tokio::test]
async fn nothing_unapproved_withdrawn_or_internal_ever_appears() {
    let app = App::new().await;
    let mut shown = rectification("公开", &["食堂陪餐制度未落实"]);
    shown.items[0].verified_by = Some("督学0007".to_owned());
    shown.items[0].report = Some("内部整改报告".to_owned());
    let unapproved = rectification("未批", &["尚未批准的问题"]);
    let taken_back = rectification("撤回", &["已经撤回的问题"]);
    let refused = rectification("拒绝", &["不予公开的问题"]);
    for snapshot in [&shown, &unapproved, &taken_back, &refused] {
        app.feed(snapshot).await;
    }
    app.approve(&shown).await;
    app.approve(&taken_back).await;
    let reason = json!({"reason": "保密审查理由"});
    app.decide(&taken_back, "withdraw", &reason, &office()).await.expect(StatusCode::OK);
    app.decide(&refused, "withdraw", &reason, &office()).await.expect(StatusCode::OK);
    for snapshot in [&unapproved, &taken_back, &refused] {
        app.feed(&closed(snapshot)).await;
    }
    app.feed(&reported(&shown)).await;

    let pages: Vec<String> = [&shown, &unapproved, &taken_back, &refused]
        .iter()
        .flat_map(|snapshot| [public_path_of(snapshot), format!("{}.json", public_path_of(snapshot))])
        .collect();
    let all = texts(&app, &pages).await;
    assert!(all.contains("食堂陪餐制度未落实") && all.contains("海口市公开小学"));
    for secret in [
        "尚未批准",
        "未批小学",
        "已经撤回的问题",
        "撤回小学",
        "不予公开",
        "拒绝小学",
        "保密审查",
        "督学0007",
        "内部整改报告",
        "3146000001",
    ] {
        assert!(!all.contains(secret), "{secret} is public");
    }
    // Never public: unknown. Once public: gone, without a word of what it was.
    app.browse(&public_path_of(&unapproved)).await.expect(StatusCode::NOT_FOUND);
    app.browse(&public_path_of(&refused)).await.expect(StatusCode::NOT_FOUND);
    let gone = app.browse(&public_path_of(&taken_back)).await.expect(StatusCode::GONE);
    assert_eq!(gone.headers["cache-control"], "no-store");
    app.browse(&format!("{}.json", public_path_of(&taken_back))).await.expect(StatusCode::GONE);
}

#[tokio::test]
async fn a_withdrawal_shows_on_every_replica_though_the_page_was_in_its_memory() {
    let app = App::new().await;
    let snapshot = rectification("甲", &["消防通道堵塞"]);
    app.feed(&snapshot).await;
    app.approve(&snapshot).await;
    let other = router(app.database.another_pool().await).await;
    for router in [&app.router, &other] {
        Call::get(&public_path_of(&snapshot)).send(router).await.expect(StatusCode::OK);
        let list = Call::get("/").send(router).await.expect(StatusCode::OK);
        assert!(String::from_utf8(list.bytes).unwrap().contains("海口市甲小学"));
    }
    app.decide(&snapshot, "withdraw", &json!({"reason": "更正"}), &office()).await.expect(StatusCode::OK);
    for router in [&app.router, &other] {
        testkit::wait_until("the page to be gone", || async {
            let page = Call::get(&public_path_of(&snapshot)).send(router).await;
            let list = Call::get("/").send(router).await;
            page.status == StatusCode::GONE && !String::from_utf8(list.bytes).unwrap().contains("海口市甲小学")
        })
        .await;
    }
}

#[tokio::test]
async fn pages_need_no_cookie_no_script_and_may_be_kept() {
    let app = App::new().await;
    let mut snapshot = rectification("甲", &["<script>alert(1)</script>\"'&"]);
    snapshot.case_title = "<b>专项</b>督导".to_owned();
    app.feed(&snapshot).await;
    app.approve(&snapshot).await;
    for path in ["/".to_owned(), public_path_of(&snapshot), "/about".to_owned()] {
        let answer = app.browse(&path).await.expect(StatusCode::OK);
        let text = String::from_utf8(answer.bytes).unwrap();
        assert!(!text.contains("<script") && !text.contains("<b>专项"), "{path}");
        assert!(text.contains("<html lang=\"zh-Hans\">") && text.contains("<main id=\"content\""), "{path}");
        assert_eq!(text.matches("<h1").count(), 1, "{path}");
        assert!(answer.headers.get("set-cookie").is_none());
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe") && !policy.contains("script-src"));
        assert_eq!(answer.headers["cache-control"], "public, max-age=60");
        let tag = answer.headers["etag"].to_str().unwrap().to_owned();
        let again = Call::get(&path).header("If-None-Match", &tag).send(&app.router).await;
        assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
    }
    let page = app.browse(&public_path_of(&snapshot)).await;
    let modified = page.headers["last-modified"].to_str().unwrap().to_owned();
    let again = Call::get(&public_path_of(&snapshot)).header("If-Modified-Since", &modified).send(&app.router).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    let style = app.browse("/assets/portal.css").await.expect(StatusCode::OK);
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    assert!(String::from_utf8(page.bytes).unwrap().contains("&#60;script&#62;"));
}

#[tokio::test]
async fn the_list_filters_counts_and_pages() {
    let app = App::new().await;
    for n in 0..23 {
        let mut snapshot = rectification(&format!("校{n:02}"), &["问题"]);
        if n % 4 == 0 {
            snapshot.unit.county_code = Some("460200".to_owned());
            snapshot.unit.county_name = Some("三亚市".to_owned());
        }
        let snapshot = if n == 4 { urged(&snapshot) } else { snapshot };
        app.feed(&snapshot).await;
        app.approve(&snapshot).await;
    }
    let mut provincial = rectification("省属", &["问题"]);
    provincial.unit.county_code = None;
    provincial.unit.county_name = None;
    app.feed(&closed(&provincial)).await;
    app.approve(&provincial).await;

    let list = async |path: &str| String::from_utf8(app.browse(path).await.expect(StatusCode::OK).bytes).unwrap();
    let cards = |text: &str| text.matches("<article>").count();
    let first = list("/").await;
    assert!(first.contains("共 24 项") && first.contains("第 1 页，共 2 页") && first.contains("省本级"));
    assert_eq!((cards(&first), cards(&list("/?page=2").await)), (20, 4));
    let sanya = list("/?county=460200").await;
    assert!(sanya.contains("共 6 项"), "{sanya}");
    assert_eq!(cards(&list("/?county=460200&status=urged").await), 1);
    assert_eq!(cards(&list("/?county=province&status=closed&page=").await), 1);
    let none = list("/?county=469021").await;
    assert!(none.contains("没有符合条件的公开整改"));
    for wrong in ["/?page=3", "/?page=0", "/?page=x", "/?status=lost", "/?county=%27"] {
        let page = app.browse(wrong).await.expect(StatusCode::NOT_FOUND);
        assert!(String::from_utf8(page.bytes).unwrap().contains("找不到页面"), "{wrong}");
    }
}

#[tokio::test]
async fn an_address_that_does_not_exist_is_a_page_for_people_and_a_problem_for_programs() {
    let app = App::new().await;
    for path in
        ["/nothing", "/rectifications/nothing", "/rectifications/00000000-0000-0000-0000-000000000000", "/a/b/c"]
    {
        let page = app.browse(path).await.expect(StatusCode::NOT_FOUND);
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
        assert!(String::from_utf8(page.bytes).unwrap().contains("找不到页面"), "{path}");
    }
    let problem = Call::get("/v1/nothing").send(&app.router).await.expect(StatusCode::NOT_FOUND);
    assert_eq!(problem.json["status"], 404);
}

#[tokio::test]
async fn open_data_is_complete_consistent_and_harmless_in_a_spreadsheet() {
    let app = App::new().await;
    let one = rectification("甲", &["=HYPERLINK(\"http://evil.example\")", "含“引号”,逗号\n和换行"]);
    let two = rectification("乙", &["消防通道堵塞"]);
    for snapshot in [&one, &two] {
        app.feed(snapshot).await;
        app.approve(snapshot).await;
    }
    let json = app.browse("/open-data/rectifications.json").await.expect(StatusCode::OK);
    assert_eq!(json.json["count"], 2);
    for item in json.json["items"].as_array().unwrap() {
        let path = item["url"].as_str().unwrap().strip_prefix("https://portal.example").unwrap();
        let raw = app.browse(&format!("{path}.json")).await.expect(StatusCode::OK);
        assert_eq!(raw.json, item["content"]);
        assert!(String::from_utf8(json.bytes.clone()).unwrap().contains(&String::from_utf8(raw.bytes).unwrap()));
    }
    let csv = app.browse("/open-data/rectifications.csv").await.expect(StatusCode::OK);
    let text = String::from_utf8(csv.bytes).unwrap();
    let mut reader = csv::Reader::from_reader(text.strip_prefix('\u{feff}').unwrap().as_bytes());
    let problem = reader.headers().unwrap().iter().position(|title| title == "问题").unwrap();
    let mut found: Vec<String> = reader.records().map(|row| row.unwrap()[problem].to_owned()).collect();
    found.sort();
    assert_eq!(found, ["'=HYPERLINK(\"http://evil.example\")", "含“引号”,逗号\n和换行", "消防通道堵塞"]);
    let feed = app.browse("/feed.atom").await.expect(StatusCode::OK);
    let feed = String::from_utf8(feed.bytes).unwrap();
    assert_eq!(feed.matches("<entry>").count(), 2);
    assert!(feed.contains(&format!("<id>urn:uuid:{}</id>", id_of(&one))));
    let empty: Value = json!([]);
    assert_ne!(json.json["items"], empty);
}

#[tokio::test]
async fn one_reader_who_asks_without_end_is_told_to_wait_and_the_others_are_not() {
    let app = App::new().await;
    let router = app.router.clone().layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 1))));
    let ask = |path: &'static str, who: &'static str, accept: &'static str| {
        Call::get(path).header("x-forwarded-for", who).header("accept", accept).send(&router)
    };
    // More than the bucket holds, faster than it fills: at most one is added in a second.
    let mut refused = None;
    for _ in 0..200 {
        let answer = ask("/about", "198.51.100.1, 203.0.113.9", "text/html").await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, StatusCode::OK);
    }
    let refused = refused.expect("nobody is told to wait");
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(refused.headers["cache-control"], "no-store");
    let page = String::from_utf8(refused.bytes).unwrap();
    for words in ["请求过于频繁", "請求過於頻繁", "Too many requests"] {
        assert!(page.contains(words), "{page}");
    }
    assert_eq!(ask("/about", "203.0.113.8", "text/html").await.status, StatusCode::OK, "another reader");
    for _ in 0..200 {
        let answer = ask("/open-data/rectifications.json", "203.0.113.7", "application/json").await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(answer.json["type"], "https://dudao.example/problems/too-many-requests");
            return;
        }
    }
    panic!("no program is told to wait");
}
