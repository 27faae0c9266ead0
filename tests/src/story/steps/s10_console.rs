//! Step 10: the same by hand in the browser, for another school; and at the end the whole installation is sound.

use anyhow::{Context as _, ensure};
use domain::local_time::{at_local, local_date};
use jiff::ToSpan as _;
use jiff::civil::{Date, time};
use serde_json::Value;

use crate::story::browser::{Browser, Page};
use crate::story::cast::account;
use crate::story::facts::Facts;
use crate::story::json::Read as _;
use crate::story::photo::photo;
use crate::story::plot::{LATE, Story};
use crate::story::wait::{LIMIT, until, until_true};
use crate::story::world::PASSWORD;

use super::s03_clocks::Holidays;
use super::{kinds, papers, s09_exchange};

/// The browsers of those who play.
struct People {
    desk: Browser,
    chief: Browser,
    inspector: Browser,
    verifier: Browser,
    principal: Browser,
    contact: Browser,
}

/// Plays the step.
pub async fn play(story: &mut Story, facts: &mut Facts) -> anyhow::Result<()> {
    let base = story.api().base("console")?.to_owned();
    let unit = story.cast.browser.clone();
    let team = story.cast.county_inspectors.clone();
    let (first, third) = (team.first().context("inspectors")?, team.get(2).context("inspectors")?);
    story.show.now("登录 · signing in");
    let people = People {
        desk: Browser::sign_in(&base, account::COUNTY_DESK, PASSWORD).await?,
        chief: Browser::sign_in(&base, account::COUNTY, PASSWORD).await?,
        inspector: Browser::sign_in(&base, &first.0, PASSWORD).await?,
        verifier: Browser::sign_in(&base, &third.0, PASSWORD).await?,
        principal: Browser::sign_in(&base, &unit.principal, PASSWORD).await?,
        contact: Browser::sign_in(&base, &unit.contact, PASSWORD).await?,
    };
    let stranger = Browser::new(&base)?.look("/cases").await?;
    facts.holds("who_is_not_signed_in_sees_the_door", stranger.url.path() == "/sign-in", stranger.url.as_str())?;

    let case = supervise(story, facts, &people).await?;
    let letter_no = letter(story, facts, &people, &case).await?;
    rectify(story, facts, &people, &letter_no).await?;
    late(story, facts, &base).await?;
    every_role(story, facts, &base).await?;
    let regular = kinds::issue_all(story, facts, &base).await?;
    papers::save_all(story, facts, &base).await?;
    sound(story, facts, &case, &regular).await
}

/// Plan, case, team, notice, visit, findings: what step 2 did, by forms.
async fn supervise(story: &Story, facts: &mut Facts, people: &People) -> anyhow::Result<String> {
    let key = &story.cast.browser.key;
    let today = local_date(story.world.now().await?);
    story.show.now("控制台：计划与立项 · plan and case");
    let form = people.desk.open("/plans/new").await?.form("/plans")?;
    let form = form
        .set("title", "控制台演示专项督导计划")?
        .set("year", &today.year().to_string())?
        .set("items/0/supervision_kind", "special")?
        .set("items/0/matter", "校园安全")?
        .set("items/0/target_unit_ids", key)?
        .set("items/0/window_from", &today.to_string())?
        .set("items/0/window_to", &today.checked_add(30.days())?.min(today.last_of_year()).to_string())?;
    let plan = people.desk.send(form).await?;
    let plan = people.chief.open(plan.url.path()).await?;
    let issued = people.chief.send(plan.form("/issue")?).await?;
    facts.holds("plan_issued", issued.says("海口教督委〔"), issued.words())?;

    let search = people.desk.open(&format!("/cases/new?q={key}")).await?;
    let chosen = people.desk.open(&search.link("/cases/new?unit_id=", "")?).await?;
    let visit_on = Holidays::load()?.working_days(today, 5)?;
    let form = chosen
        .form("/cases")?
        .set("title", "控制台演示：校园安全专项督导")?
        .set("supervision_kind", "special")?
        .set("matters", "校园安全\n食堂管理")?
        .set("visit_on", &today.tomorrow()?.to_string())?;
    let page = people.desk.send(form).await?;
    let case = page.url.path().to_owned();
    let team = team(story, people, &case).await?;
    facts.holds("team_of_three", team.says("组长"), team.words())?;

    story.show.now("控制台：通知与签收 · notice and receipt");
    let early = people.desk.try_send(people.desk.open(&case).await?.form("/notify")?).await?;
    facts.holds(
        "a_refusal_is_explained_at_the_form",
        early.status == 409 && early.says("督导日期不得早于"),
        early.words(),
    )?;
    let form = early.form("/notify")?.set("visit_on", &visit_on.to_string())?.set("materials", "自查报告")?;
    people.desk.send(form).await?;
    sign(&people.contact, "督导通知书").await?;
    visit(story, facts, people, &case, visit_on).await?;
    Ok(case)
}

async fn team(story: &Story, people: &People, case: &str) -> anyhow::Result<Page> {
    let mut page = people.desk.open(&format!("{case}/team")).await?;
    let mut leader = None;
    for (_, number) in story.cast.county_inspectors.iter().take(3) {
        let person = story.persons.get(number).context("the inspector is known")?;
        leader = leader.or(Some(person));
        let found = people.desk.send(page.search("/team")?.set("q", number)?).await?;
        page = people.desk.open(&found.link(&format!("{case}/team?"), person)?).await?;
    }
    let form = page.form("/team")?.set("leader", leader.context("three inspectors")?)?;
    people.desk.send(form).await
}

async fn visit(story: &Story, facts: &mut Facts, people: &People, case: &str, visit_on: Date) -> anyhow::Result<()> {
    story.show.now("控制台：现场督导 · visit");
    story.world.move_to(at_local(visit_on, time(16, 0, 0, 0)).context("the visit has an hour")?).await?;
    let form = people.inspector.open(case).await?.form("/visits")?;
    let form = form
        .set("arrived_at", &format!("{visit_on}T09:00"))?
        .set("left_at", &format!("{visit_on}T11:30"))?
        .set("place", "校本部")?
        .set("matters", "校园安全\n食堂管理")?
        .set("methods", "实地查看\n查阅资料")?
        .attach("files", "现场照片.jpg", photo(700)?)?;
    let page = people.inspector.send(form).await?;
    let picture = page.link("/evidence/cases/", "")?;
    facts.holds("photo_shown", people.inspector.look(&picture).await?.status == 200, &picture)?;
    for group in ["students", "parents", "teachers"] {
        let form = people.inspector.open(case).await?.form("/hearings")?;
        let form = form.set("group", group)?.set("how_drawn", "按名册抽取")?.set("questionnaires", "20")?;
        people.inspector.send(form).await?;
    }
    let form = people.inspector.open(case).await?.form("/findings")?;
    let form = form
        .set("severity", "minor")?
        .set("category", "食堂管理")?
        .set("description", "食堂冷藏柜温度记录缺3天。<b>粗体</b>不应生效。")?
        .set("basis", "《学校食品安全与营养健康管理规定》")?
        .set("demand", "补齐温度记录，落实专人负责。")?;
    let page = people.inspector.send(form).await?;
    facts.holds("text_of_people_is_escaped", !page.html.contains("<b>粗体"), "the mark came through")?;
    let form = people.desk.open(case).await?.form("/feedback")?;
    let form = form.set("deliberation", "督导组集体评议。")?.set("evaluation", "总体较好。")?;
    people.desk.send(form).await?;
    Ok(())
}

/// Signs for the unit's open document of a kind as soon as it is there.
async fn sign(browser: &Browser, kind: &str) -> anyhow::Result<Page> {
    let page = until("the document waits for its signature", LIMIT, || async {
        let list = browser.open("/receipts").await?;
        let Ok(link) = list.link("/receipts/", "") else { return Ok(None) };
        let page = browser.open(&link).await?;
        Ok((page.says(kind) && page.form("/sign").is_ok()).then_some(page))
    })
    .await?;
    browser.send(page.form("/sign")?).await
}

/// The plea, and the letter with its number.
async fn letter(story: &Story, facts: &mut Facts, people: &People, case: &str) -> anyhow::Result<String> {
    story.show.now("控制台：申辩与意见书 · plea and letter");
    sign(&people.principal, "初步督导意见").await?;
    let form = until("the plea's form", LIMIT, || async { Ok(people.principal.open(case).await?.form("/plea").ok()) });
    people.principal.send(form.await?.tick("waived", "true")?).await?;
    let before = people.desk.open(case).await?;
    facts.holds("desk_officer_has_no_letter_form", before.form("/letter").is_err(), "the form is there")?;
    let form = people.chief.open(case).await?.form("/letter")?.set("evaluation", "总体较好，问题应限期整改。")?;
    people.chief.send(form).await?;
    let id = case.trim_start_matches("/cases/");
    let record = story.read_case(account::COUNTY, id).await?;
    let number = record.text("/letter/document/doc_no")?.to_owned();
    facts.set("letter", &number);
    sign_by_link(story, facts, &number).await?;
    Ok(number)
}

/// The head signs for the letter by the link of the mail, in a browser that is not signed in; the link works once.
async fn sign_by_link(story: &Story, facts: &mut Facts, letter_no: &str) -> anyhow::Result<()> {
    let address = format!("{}@hainan.example", story.cast.browser.principal);
    let link = until("the mail with the letter's link", LIMIT, || async {
        let mails = story.mails().await?;
        let mail = mails.iter().find(|mail| {
            mail["to"].as_array().is_some_and(|to| to.contains(&address.clone().into()))
                && mail["subject"].as_str().is_some_and(|subject| subject.contains(letter_no))
        });
        let text = mail.and_then(|mail| mail["text"].as_str()).unwrap_or_default();
        let word = text.split_whitespace().find(|word| word.contains("/receipts/link?code=")).unwrap_or_default();
        Ok(word.find("http").and_then(|start| word.get(start..)).map(str::to_owned))
    })
    .await?;
    let phone = Browser::new(story.api().base("console")?)?;
    let page = phone.open(&link).await?;
    facts.holds("the_link_says_what_is_signed_for", page.says(letter_no) && page.says("确认签收"), page.words())?;
    let form = page.form("/receipts/link")?;
    let signed = phone.send(form.clone()).await?;
    facts.holds("signed_by_the_link_of_a_mail", signed.says("已签收"), signed.words())?;
    let again = phone.try_send(form).await?;
    facts.holds("the_link_signs_once", again.status == 409 && again.says("已经使用过"), again.words())
}

/// Report, verification, close-out: what step 4 did, by forms.
async fn rectify(story: &Story, facts: &mut Facts, people: &People, letter_no: &str) -> anyhow::Result<()> {
    story.show.now("控制台：整改、核查、销号 · rectification");
    let link = until("the rectification in the list", LIMIT, || async {
        let list = people.contact.open("/rectifications").await?;
        Ok(list.says(letter_no).then(|| list.link("/rectifications/", "").ok()).flatten())
    })
    .await?;
    let page = people.contact.open(&link).await?;
    let why = people.contact.open(&page.link("/deadlines/", "")?).await?;
    facts.holds("why_this_day", why.says("条例第二十一条") && why.says("工作日"), why.words())?;
    let form =
        page.form("/report")?.set("text", "已补齐记录并指定专人。")?.attach("files", "整改照片.jpg", photo(701)?)?;
    people.contact.send(form).await?;
    let form =
        people.verifier.open(&link).await?.form("/verify")?.set("note", "现场核查属实。")?.press("decision", "accept");
    people.verifier.send(form).await?;
    let done = people.chief.send(people.chief.open(&link).await?.form("/close-out")?).await?;
    facts.holds("closed_in_the_browser", done.says("已销号"), done.words())?;
    let id = link.trim_start_matches("/rectifications/");
    let closed = "SELECT closed_at FROM rectifications WHERE rectification_id = $1::uuid";
    let at = story.db().value("deadlines", closed, &[id]).await?;
    facts.holds("closed_in_the_database", at.is_string(), at)
}

/// The late school's people see the notice.
async fn late(story: &Story, facts: &mut Facts, base: &str) -> anyhow::Result<()> {
    let case = story.case(LATE)?;
    let order = story.db().rows("deadlines", "SELECT doc_no FROM urging_orders LIMIT 1", &[]).await?;
    let order_no = order.first().context("there is an order")?.text("/doc_no")?.to_owned();
    let principal = Browser::sign_in(base, &case.unit.principal, PASSWORD).await?;
    let page = principal.open(&format!("/rectifications/{}", case.rectification_id)).await?;
    let order = principal.open(&page.link("/urging-orders/", "")?).await?;
    facts.holds(
        "notice_shown_to_the_late_school",
        order.says(&order_no) && order.says("海口市教育局"),
        order.words(),
    )?;
    let inbox = principal.open("/inbox").await?;
    facts.holds("notice_in_the_inbox_page", inbox.says(&order_no), inbox.words())?;
    // Another school's case does not exist for it.
    let other = principal.look(&format!("/rectifications/{}", story.case(0)?.rectification_id)).await?;
    facts.same("another_schools_rectification", i64::from(other.status), 404)
}

/// Every other role signs in and sees its own pages.
async fn every_role(story: &Story, facts: &mut Facts, base: &str) -> anyhow::Result<()> {
    story.show.now("控制台：各类角色 · every role");
    let letter_no = story.case(LATE)?.letter_no.clone();
    let school = story.case(LATE)?.unit_name.clone();
    for (who, pages) in [
        (
            account::PROVINCE,
            vec![
                ("/", "整改"),
                ("/ledger", letter_no.as_str()),
                ("/statistics", "66.7%"),
                ("/exchange", "督导意见书"),
                ("/imports", "units.xlsx"),
                ("/measures", "22"),
                ("/assignments", "待办"),
                ("/deliveries", "没有未送达的消息"),
                ("/message-preview?kind=urging_order", "督办单"),
                ("/preferences", "任何人都不能关闭"),
                ("/proofs", "此刻的时钟"),
                ("/rule-changes/new", "变更文本"),
                ("/area-mergers", "没有市县并入"),
                ("/templates", "样稿"),
            ],
        ),
        (account::PROVINCE_DESK, vec![("/", ""), ("/cases", "海口市人民政府"), ("/plans", "年度教育督导计划")]),
        (account::PUBLICITY, vec![("/", ""), ("/drafts", "海口市人民政府")]),
        (account::CHAIR, vec![("/", ""), ("/ledger", letter_no.as_str()), ("/statistics", "海口市")]),
        (
            account::AUDITOR,
            vec![("/", ""), ("/ledger", letter_no.as_str()), ("/sweep", "都已有结果"), ("/rule-changes", "没有变更")],
        ),
        (account::BUREAU, vec![("/", ""), ("/rectifications", school.as_str()), ("/inbox", "督办单")]),
        ("principal.460100", vec![("/", ""), ("/rectifications", "海口市人民政府"), ("/measures", "")]),
        (account::OPERATOR, vec![("/", ""), ("/proofs", "此刻的时钟"), ("/sweep", "都已有结果")]),
    ] {
        let browser = Browser::sign_in(base, who, PASSWORD).await?;
        for (path, words) in pages {
            let page = browser.open(path).await.with_context(|| who.to_owned())?;
            ensure!(page.says(words), "{who} does not find {words} at {path}: {}", page.words());
        }
        facts.set(&format!("pages_of_{who}"), true);
    }
    Ok(())
}

/// At the end: everything has arrived, every journal verifies, nothing waits, nothing is dead.
async fn sound(story: &Story, facts: &mut Facts, case: &str, regular: &str) -> anyhow::Result<()> {
    story.show.now("校验日志链 · journals");
    let mut expected = s09_exchange::expected(story)?;
    let id = case.trim_start_matches("/cases/").to_owned();
    expected.insert(id, vec!["opinion_letter", "rectification", "closure"]);
    // A rectification notice goes up as what it stands for.
    expected.insert(regular.to_owned(), vec!["opinion_letter", "rectification"]);
    s09_exchange::all_arrived(story, i64::try_from(expected.values().map(Vec::len).sum::<usize>())?).await?;
    s09_exchange::check(story, facts, &expected).await?;
    let mut journals = serde_json::Map::new();
    for service in story.world.installation.journals() {
        let name = service.name.as_str();
        until_true("the relay has published everything", || async {
            Ok(messaging::lag(&service.connect().await?).await? == 0)
        })
        .await?;
        let report = dudao::journal::verify(service).await?;
        ensure!(report.faults.is_empty(), "{name}: {:?}", report.faults);
        let events = story.db().count(name, "SELECT count(*) FROM messaging.journal", &[]).await?;
        ensure!(u64::try_from(events) == Ok(report.events), "{name}: {events} events, {} signed", report.events);
        let dead =
            story.db().count(name, "SELECT count(*) FROM messaging.dead_letters WHERE state <> 'applied'", &[]).await?;
        ensure!(dead == 0, "{name} has {dead} dead letters");
        journals.insert(name.to_owned(), Value::from(report.events));
    }
    facts.set("journals_verified_events", journals);
    facts.set("dead_letters", 0);
    super::watched::check(story, facts).await?;
    let findings = dudao::doctor::examine(&story.world.installation).await;
    let bad: Vec<_> =
        findings.iter().filter(|it| it.grade == dudao::doctor::Grade::Bad).map(|it| it.en.clone()).collect();
    facts.same("faults_found_by_the_doctor", bad, Vec::new())
}
