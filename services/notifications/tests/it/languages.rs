//! Three languages, plain and HTML, on real notices.

use std::fmt::Write as _;

use access::Role;
use http::StatusCode;
use testkit::Call;

use crate::world::*;

#[tokio::test]
async fn everyone_is_told_in_their_language() {
    let world = World::new().await;
    for (account, language) in people().into_iter().zip(["en", "zh-Hant", "zh-Hans", "en", "de", "en"]) {
        world.hear(&contracts::registry::AccountRecorded { language: language.to_owned(), ..account }).await;
    }
    world.hear(&urged()).await;
    world.send_all().await;
    let mut mails = world.sink.mails();
    mails.sort_by(|a, b| a.to.cmp(&b.to));
    let sheet: Vec<String> = mails
        .iter()
        .map(|mail| format!("{}\n{}\n\n{}\n======\n", mail.to.join("、"), mail.subject, mail.text))
        .collect();
    insta::assert_snapshot!("languages", sheet.concat());
    let inbox = Call::get("/v1/inbox").by(&caller(&principal())).send(&world.router).await.expect(StatusCode::OK).json;
    assert!(inbox["items"][0]["text"].as_str().unwrap().contains("This supervision notice"), "{inbox}");
    assert_eq!(world.number("SELECT count(*) FROM texts").await, 3, "a body for each language, not for each reader");
}

#[tokio::test]
async fn a_kind_of_message_is_previewed_on_real_data_of_the_own_area() {
    let world = World::with_people().await;
    let mut order = urged();
    order.rectification.items[0].description = "杂物 <script>alert(1)</script>".to_owned();
    order.rectification.urging_orders[0].copy_to = Some("海口市教育局 & 其他".to_owned());
    world.hear(&order).await;
    let path = |language: &str, capacity: &str| {
        format!("/v1/templates/urging_order/preview?language={language}&capacity={capacity}")
    };
    let office = testkit::caller(Role::DeskOfficer, Some(HAIKOU), None);
    let mut sheet = String::new();
    for language in ["zh-Hans", "zh-Hant", "en"] {
        let call = Call::get(&path(language, "fallback")).by(&office);
        let shown = call.send(&world.router).await.expect(StatusCode::OK).json;
        let html = shown["html"].as_str().unwrap();
        assert!(!html.contains("<script>") && html.contains("&#38; 其他"), "{html}");
        let _ = write!(sheet, "{}\n{}\n{html}\n======\n", shown["subject"], shown["short"]);
    }
    insta::assert_snapshot!("html", sheet);
    let elsewhere = testkit::caller(Role::DeskOfficer, Some(SANYA), None);
    Call::get(&path("en", "to")).by(&elsewhere).send(&world.router).await.expect(StatusCode::NOT_FOUND);
    Call::get(&path("en", "to")).by(&caller(&principal())).send(&world.router).await.expect(StatusCode::FORBIDDEN);
    let none = Call::get("/v1/templates/reminder/preview").by(&office).send(&world.router).await;
    none.expect(StatusCode::NOT_FOUND);
}
