//! Part of step 10: the kinds of document that the steps before had no occasion for, written on the pages of the console: the
//! report of a supervision, interview notice and circular of the late school, the notice that a regular visit ends with.

use anyhow::{Context as _, ensure};
use domain::local_time::{at_local, local_date};
use jiff::SignedDuration;
use jiff::civil::time;
use serde_json::{Value, json};

use crate::story::api::Body;
use crate::story::browser::{Browser, Page};
use crate::story::cast::{account, finding};
use crate::story::facts::Facts;
use crate::story::json::Read as _;
use crate::story::plot::{LATE, PUNCTUAL, Story};
use crate::story::wait::{LIMIT, until};
use crate::story::world::PASSWORD;

use super::s03_clocks::Holidays;
use super::s05_overdue::{fired, next};

/// Issues them all; returns the regular supervision, of which the platform hears too.
pub async fn issue_all(story: &Story, facts: &mut Facts, base: &str) -> anyhow::Result<String> {
    let chief = Browser::sign_in(base, account::COUNTY, PASSWORD).await?;
    report(story, facts, &chief).await?;
    let regular = notice(story, facts, &chief).await?;
    interview(story, facts, &chief).await?;
    circular(story, facts, &chief).await?;
    Ok(regular)
}

/// The draft stands in the form; the office adds who signed it.
async fn report(story: &Story, facts: &mut Facts, chief: &Browser) -> anyhow::Result<()> {
    story.show.now("控制台：督导报告 · report");
    let case = story.case(PUNCTUAL)?;
    let page = chief.open(&format!("/cases/{}", case.case_id)).await?;
    let page = chief.open(&page.link("/cases/", "/report")?).await?;
    facts.holds("report_is_drafted", page.says("海口市人民政府") && page.says("消防通道堆放杂物"), page.words())?;
    let form = page
        .form("/report")?
        .set("practices", "开展“安全隐患随手拍”\n师生共同排查隐患，发现即报、即报即改。")?
        .set("causes", "安全管理责任没有逐级压实，日常巡查流于形式。")?
        .set("scores", "校园安全 | 60 | 51 | 消防通道、疏散标识\n规范办学 | 40 | 35 |")?
        .set("signer", "市政府总督学")?;
    let done = chief.send(form).await?;
    let record = story.read_case(account::COUNTY, &case.case_id).await?;
    let number = record.text("/report/doc_no")?;
    facts.set("report_no", number);
    facts.holds("report_stands_at_the_case", done.says(number), done.words())
}

/// A regular supervision: one inspector, no notice, and a rectification notice, whose receipt starts the clocks.
async fn notice(story: &Story, facts: &mut Facts, chief: &Browser) -> anyhow::Result<String> {
    story.show.now("经常性督导：整改通知书 · rectification notice");
    let unit = story.cast.browser.clone();
    let path = format!("/v1/units/by-key/{}", unit.key);
    let unit_id = story.api().get(account::PROVINCE, "registry", &path).await?.text("/unit_id")?.to_owned();
    let (inspector, number) = story.cast.county_inspectors.first().context("inspectors")?.clone();
    let visit_on = local_date(story.world.now().await?).tomorrow()?;
    let body = json!({
        "supervision_kind": "regular", "title": "经常性督导", "unit_id": unit_id, "matters": ["校园周边安全"],
        "visit_on": visit_on,
    });
    let case = story.api().post(account::COUNTY_DESK, "tasks", "/v1/cases", Body::Json(body)).await?;
    let id = case.text("/case_id")?.to_owned();
    let person = story.persons.get(&number).context("the inspector is known")?;
    let members = json!({ "members": [{ "person_id": person, "leader": true, "recusals": [] }] });
    story.act_on_case(account::COUNTY_DESK, &id, "team", members).await?;
    let at = at_local(visit_on, time(16, 0, 0, 0)).context("the visit has an hour")?;
    story.world.move_to(at).await?;
    let record = json!({
        "arrived_at": at - SignedDuration::from_hours(2), "left_at": at - SignedDuration::from_hours(1),
        "place": "校门口", "matters": ["校园周边安全"], "methods": ["实地查看"], "problems": "放学时段无人值守。",
    });
    story.act_on_case(&inspector, &id, "visit-records", record).await?;
    let found = finding("minor", "校园周边", "放学时段校门口无人值守。", "安排专人值守并公示值班表。", &unit_id);
    story.act_on_case(&inspector, &id, "findings", found).await?;
    let feedback = json!({ "evaluation": "日常管理总体规范。", "deliberation": "责任督学提出整改意见。" });
    let fed_back = story.act_on_case(account::COUNTY_DESK, &id, "feedback", feedback).await?;
    story.sign(&unit.principal, fed_back.text("/preliminary_opinion/document/document_id")?).await?;
    until("tasks knows that the opinion was received", LIMIT, || async {
        Ok((story.read_case(account::COUNTY_DESK, &id).await?["state"] == "pleading").then_some(()))
    })
    .await?;
    story.act_on_case(&unit.principal, &id, "plea", json!({ "waived": true })).await?;
    let page = chief.open(&format!("/cases/{id}")).await?;
    ensure!(page.says("印发整改通知书"), "the form says what it issues: {}", page.words());
    chief.send(page.form("/letter")?.set("evaluation", "校园周边秩序总体良好，值守安排不到位。")?).await?;
    let record = story.read_case(account::COUNTY, &id).await?;
    facts.same("notice_kind", record.text("/letter/document/kind")?.to_owned(), "rectification_notice".to_owned())?;
    facts.set("notice_no", record.text("/letter/document/doc_no")?);
    let letter_id = record.text("/letter/document/document_id")?.to_owned();
    story.sign(&unit.principal, &letter_id).await?;
    until("the notice's rectification is open", LIMIT, || async {
        let query = "SELECT rectification_id FROM dossiers WHERE letter_id = $1::uuid";
        Ok(story.db().value("deadlines", query, &[&letter_id]).await?.as_str().map(str::to_owned))
    })
    .await?;
    Ok(id)
}

/// Lets the clock propose the next step of the late school, and opens the page of its paper.
async fn proposed(story: &Story, chief: &Browser, level: i64) -> anyhow::Result<(Value, Page)> {
    let case = story.case(LATE)?;
    let id = case.rectification_id.as_str();
    let waits = |view: &Value| {
        let steps = view.list("/rectification/steps").map(<[Value]>::to_vec).unwrap_or_default();
        steps.into_iter().find(|step| step["level"] == level && step["state"] == "proposed")
    };
    if waits(&story.rectification(account::COUNTY, id).await?).is_none() {
        let (_, at) = next(story, id, "escalate").await?.context("the next step is armed")?;
        story.show.now(&format!("时钟移到 {at} · the clock moves"));
        story.world.move_to(at).await?;
        fired(story, id, at).await?;
    }
    let step =
        until("the step is proposed", LIMIT, || async { Ok(waits(&story.rectification(account::COUNTY, id).await?)) })
            .await?;
    let page = chief.open(&format!("/rectifications/{id}")).await?;
    // The newest step stands last.
    let addresses = page.links("/assignments/", "/paper");
    let address = addresses.last().context("the step's page is linked")?.clone();
    let page = until("the assignment is there", LIMIT, || async {
        let page = chief.look(&address).await?;
        Ok((page.status == 200).then_some(page))
    })
    .await?;
    Ok((step, page))
}

async fn decide(story: &Story, step: &Value, note: &str) -> anyhow::Result<()> {
    let id = story.case(LATE)?.rectification_id.clone();
    let version = story.rectification(account::COUNTY, &id).await?.number("/rectification/version")?;
    let path = format!("/v1/rectifications/{id}/steps/{}/decision", step.text("/proposal_id")?);
    story.api().act(account::COUNTY, "deadlines", &path, version, json!({ "note": note })).await?;
    Ok(())
}

/// The number of a paper that was issued for the late school, and the unit's receipt of it.
async fn served(story: &Story, kind: &str) -> anyhow::Result<String> {
    let query = "SELECT document_id::text AS id, doc_no FROM documents WHERE kind = $1";
    let rows = story.db().rows("tasks", query, &[kind]).await?;
    let row = rows.first().with_context(|| format!("no {kind}"))?;
    story.sign(&story.case(LATE)?.unit.principal, row.text("/id")?).await?;
    Ok(row.text("/doc_no")?.to_owned())
}

async fn interview(story: &Story, facts: &mut Facts, chief: &Browser) -> anyhow::Result<()> {
    story.show.now("控制台：约谈通知书 · interview notice");
    let (step, page) = proposed(story, chief, 2).await?;
    let today = local_date(story.world.now().await?);
    let form = page
        .form("/interview")?
        .set("at", &format!("{}T09:30", today.tomorrow()?))?
        .set("place", "海口市教育局第一会议室")?
        .set(
            "hosts",
            "主谈 | 市督导委员会办公室主任 | 海口市人民政府教育督导委员会办公室\n参加 | 分管负责人 | 海口市教育局",
        )?
        .set("interviewees", "学校主要负责人\n分管安全工作负责人")?
        .set("materials", "整改情况书面说明\n整改佐证材料")?
        .set("contact", "督导科")?
        .set("phone", "0898-00000000")?;
    let early = chief.try_send(form).await?;
    facts.holds("interview_too_soon", early.status == 409 && early.says("约谈不得早于"), early.words())?;
    let earliest = Holidays::load()?.working_days(today, 3)?;
    let form = early.form("/interview")?.set("at", &format!("{earliest}T09:30"))?;
    let done = chief.send(form).await?;
    let number = served(story, "interview_notice").await?;
    facts.holds("interview_notice_shown", done.says(&number), done.words())?;
    facts.set("interview_notice_no", number);
    story.world.move_to(at_local(earliest, time(11, 0, 0, 0)).context("the interview has an hour")?).await?;
    decide(story, &step, "已约谈学校主要负责人，要求十个工作日内完成整改。").await
}

async fn circular(story: &Story, facts: &mut Facts, chief: &Browser) -> anyhow::Result<()> {
    story.show.now("控制台：通报 · circular");
    let (step, page) = proposed(story, chief, 3).await?;
    let form = page
        .form("/circular")?
        .set("rectification_state", "所列2项问题均未完成整改。")?
        .set("attitude", "对督导意见重视不够，约谈后仍推诿拖延。")?
        .set("result", "对该校予以全市通报，责令限期完成整改，并采取下列限制措施：")?
        .set("demands", "请立即整改到位，并向社会公布整改情况。\n请主管部门加强指导督促。")?
        .tick("open", "true")?;
    let done = chief.send(form).await?;
    let number = served(story, "circular").await?;
    facts.holds("circular_shown", done.says(&number), done.words())?;
    facts.set("circular_no", number);
    decide(story, &step, "已印发通报。").await
}
