//! Step 2: plan, special supervision of two schools and of a county government, up to the opinion letter.

use anyhow::{Context as _, ensure};
use domain::local_time::{at_local, local_date};
use jiff::civil::{Date, time};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::story::api::Body;
use crate::story::cast::{Supervised, account, finding};
use crate::story::facts::Facts;
use crate::story::json::Read as _;
use crate::story::photo::{CAMERA, photo};
use crate::story::plot::{GOVERNMENT, LATE, PUNCTUAL, Played, Story};
use crate::story::wait::{LIMIT, until};

/// What was found, by case: severity, category, problem, demand.
const FINDINGS: [&[[&str; 4]]; 3] = [
    &[
        ["minor", "安全管理", "消防通道堆放杂物，疏散标识缺失3处。", "清理消防通道，补齐疏散标识。"],
        ["major", "教育教学", "体育课开课不足，三年级每周少1节。", "按课程方案开足体育课，并报送课程表。"],
    ],
    &[
        ["minor", "食堂管理", "食堂留样记录不全，抽查7天缺2天。", "完善留样制度，落实专人负责。"],
        ["minor", "校园周边", "校门口交通高峰期无人值守。", "安排值守，联系交管部门设置护学岗。"],
    ],
    &[
        ["minor", "督导队伍", "责任督学挂牌信息更新不及时。", "更新全部挂牌信息，建立更新制度。"],
        ["serious", "教育投入", "生均公用经费拨付滞后两个季度。", "足额拨付到位，并说明后续保障措施。"],
    ],
];

/// Plays the step.
pub async fn play(story: &mut Story, facts: &mut Facts) -> anyhow::Result<()> {
    let cast = story.cast.clone();
    story.cases.clear();
    let county: Vec<_> = cast.county_inspectors.iter().take(3).cloned().collect();
    let province: Vec<_> = cast.province_inspectors.iter().take(3).cloned().collect();
    let county_plan = plan(story, facts, account::COUNTY, &[&cast.punctual, &cast.late]).await?;
    let province_plan = plan(story, facts, account::PROVINCE, &[&cast.government]).await?;
    for (label, unit, desk, chief, team, plan) in [
        ("school_in_time", &cast.punctual, account::COUNTY_DESK, account::COUNTY, &county, &county_plan),
        ("school_late", &cast.late, account::COUNTY_DESK, account::COUNTY, &county, &county_plan),
        ("government", &cast.government, account::PROVINCE_DESK, account::PROVINCE, &province, &province_plan),
    ] {
        story.show.now(&format!("立项：{} · opening a case", unit.key));
        let played = open(story, label, unit, (desk, chief), team, plan).await?;
        story.cases.push(played);
    }
    guards_before(story, facts).await?;
    let visit_on = notify(story, facts).await?;

    story.show.now("时钟移到督导当日 · the day of the visit");
    let at = at_local(visit_on, time(16, 0, 0, 0)).context("the visit has an hour")?;
    story.world.move_to(at).await?;
    for index in [PUNCTUAL, LATE, GOVERNMENT] {
        visit(story, facts, index, at).await?;
    }
    letters(story, facts).await
}

async fn plan(story: &Story, facts: &mut Facts, office: &str, units: &[&Supervised]) -> anyhow::Result<String> {
    let today = local_date(story.world.now().await?);
    let mut ids = Vec::new();
    for unit in units {
        ids.push(unit_of(story, &unit.key).await?.text("/unit_id")?.to_owned());
    }
    let body = json!({
        "year": today.year(),
        "title": format!("{}年度教育督导计划", today.year()),
        "items": [{
            "supervision_kind": "special",
            "matter": "校园安全与规范办学专项督导",
            "target_unit_ids": ids,
            "window_from": today,
            "window_to": today.checked_add(60.days())?.min(today.last_of_year()),
        }],
    });
    let plan = story.api().post(office, "tasks", "/v1/plans", Body::Json(body)).await?;
    let id = plan.text("/plan_id")?.to_owned();
    let path = format!("/v1/plans/{id}/issue");
    // The route takes no body at all.
    let version = plan.number("/version")?;
    let post = reqwest::Method::POST;
    let issued = story.api().send(Some(office), post, "tasks", &path, Some(version), Body::None).await?;
    ensure!(issued.status == 200, "the plan is not issued: {} {}", issued.status, issued.json);
    facts.set(&format!("plan_of_{office}"), issued.json.text("/document/doc_no")?);
    Ok(id)
}

async fn unit_of(story: &Story, key: &str) -> anyhow::Result<Value> {
    story.api().get(account::PROVINCE, "registry", &format!("/v1/units/by-key/{key}")).await
}

async fn open(
    story: &Story,
    label: &'static str,
    unit: &Supervised,
    (desk, chief): (&'static str, &'static str),
    team: &[(String, String)],
    plan_id: &str,
) -> anyhow::Result<Played> {
    let found = unit_of(story, &unit.key).await?;
    let (unit_id, unit_name) = (found.text("/unit_id")?.to_owned(), found.text("/name")?.to_owned());
    let today = local_date(story.world.now().await?);
    let body = json!({
        "plan_id": plan_id,
        "supervision_kind": "special",
        "title": format!("{unit_name}校园安全与规范办学专项督导"),
        "unit_id": unit_id,
        "matters": ["校园安全", "规范办学"],
        "visit_on": today.tomorrow()?,
    });
    let case = story.api().post(desk, "tasks", "/v1/cases", Body::Json(body)).await?;
    Ok(Played {
        label,
        unit: unit.clone(),
        unit_id,
        unit_name,
        desk,
        chief,
        team: team.to_vec(),
        case_id: case.text("/case_id")?.to_owned(),
        letter_id: String::new(),
        letter_no: String::new(),
        rectification_id: String::new(),
    })
}

fn members(story: &Story, team: &[(String, String)], recusals: &[&str]) -> anyhow::Result<Value> {
    let mut members = Vec::new();
    for (n, (_, number)) in team.iter().enumerate() {
        let person = story.persons.get(number).with_context(|| format!("no person {number}"))?;
        let declared: &[&str] = if n == 1 { recusals } else { &[] };
        members.push(json!({ "person_id": person, "leader": n == 0, "recusals": declared }));
    }
    Ok(json!({ "members": members }))
}

/// A step that the state or a guard refuses with 409, with its reason.
async fn refuse(
    story: &Story,
    facts: &mut Facts,
    key: &str,
    step: &str,
    body: Value,
    guard: &str,
) -> anyhow::Result<Value> {
    let case = story.case(PUNCTUAL)?;
    let (status, problem) = story.refused(case.chief, &case.case_id, step, body).await?;
    ensure!(status == 409, "{key}: {status} {problem}");
    facts.same(key, problem.text("/guard")?.to_owned(), guard.to_owned())?;
    Ok(problem)
}

async fn guards_before(story: &Story, facts: &mut Facts) -> anyhow::Result<()> {
    story.show.now("守卫条件 · guards");
    let case = story.case(PUNCTUAL)?;
    let two: Vec<_> = case.team.iter().take(2).cloned().collect();
    refuse(story, facts, "guard_two_inspectors", "team", members(story, &two, &[])?, "team").await?;
    let related = members(story, &case.team, &["works_there"])?;
    refuse(story, facts, "guard_recusal", "team", related, "team").await?;
    refuse(story, facts, "guard_notice_without_team", "notify", json!({}), "team").await?;
    let letter = json!({ "evaluation": "总体较好。" });
    refuse(story, facts, "guard_letter_before_opinion", "letter", letter, "no_preliminary_opinion").await?;
    // Jurisdiction: a county office supervises no county government.
    let government = story.case(GOVERNMENT)?;
    let body = json!({
        "supervision_kind": "special", "title": "无管辖权", "unit_id": government.unit_id, "matters": ["教育投入"],
        "visit_on": local_date(story.world.now().await?).tomorrow()?,
    });
    let post = reqwest::Method::POST;
    let refused =
        story.api().send(Some(account::COUNTY_DESK), post, "tasks", "/v1/cases", None, Body::Json(body)).await?;
    facts.same("guard_jurisdiction", i64::from(refused.status), 403)
}

/// Teams and notices; returns the day of the visits, the earliest that the rules allow.
async fn notify(story: &Story, facts: &mut Facts) -> anyhow::Result<Date> {
    for index in [PUNCTUAL, LATE, GOVERNMENT] {
        let case = story.case(index)?;
        story.act_on_case(case.desk, &case.case_id, "team", members(story, &case.team, &[])?).await?;
    }
    let problem = refuse(story, facts, "guard_visit_too_soon", "notify", json!({}), "visit_too_soon").await?;
    let visit_on = problem.day("/earliest_visit_on")?;
    facts.set("visit_on", visit_on);
    for index in [PUNCTUAL, LATE, GOVERNMENT] {
        let case = story.case(index)?;
        story.show.now(&format!("印发督导通知书：{} · notice", case.unit_name));
        let body = json!({
            "visit_on": visit_on, "contact": "督导办公室 0898-00000000", "materials": ["自查报告", "课程表", "安全台账"],
        });
        let done = story.act_on_case(case.desk, &case.case_id, "notify", body).await?;
        let number = done.text("/notification/document/doc_no")?.to_owned();
        facts.set(&format!("notice_{}", case.label), &number);
        let document = done.text("/notification/document/document_id")?.to_owned();
        story.sign(&case.unit.contact, &document).await?;
        until("tasks knows that the notice was received", LIMIT, || async {
            let case = story.read_case(case.desk, &case.case_id).await?;
            Ok(case["notification"]["received_at"].is_string().then_some(()))
        })
        .await?;
    }
    Ok(visit_on)
}

/// The visit with photos, the hearings, the findings.
async fn visit(story: &Story, facts: &mut Facts, index: usize, at: Timestamp) -> anyhow::Result<()> {
    let case = story.case(index)?;
    story.show.now(&format!("现场督导：{} · visit", case.unit_name));
    let id = &case.case_id;
    let number = u32::try_from(index)? * 10;
    let files =
        vec![("file", "现场一.jpg".to_owned(), photo(number)?), ("file", "现场二.jpg".to_owned(), photo(number + 1)?)];
    let inspector = &case.team.first().context("a case has a group")?.0;
    let path = format!("/v1/cases/{id}/evidence");
    let uploaded = story.api().post(inspector, "tasks", &path, Body::Form(Vec::new(), files)).await?;
    let mut hashes = Vec::new();
    for item in uploaded.list("/items")? {
        hashes.push(item.text("/sha256")?.to_owned());
    }
    ensure!(hashes.len() == 2, "two photos: {uploaded}");
    let stored = story.api().bytes(inspector, "tasks", &format!("/v1/evidence/{}", hashes[0])).await?;
    let betrays = stored.windows(CAMERA.len()).any(|window| window == CAMERA.as_bytes());
    facts.holds("photos_lose_their_exif", !betrays && stored.starts_with(&[0xff, 0xd8]), stored.len())?;
    let record = json!({
        "arrived_at": at - SignedDuration::from_hours(7),
        "left_at": at - SignedDuration::from_mins(30),
        "place": "校本部",
        "matters": ["校园安全", "规范办学"],
        "methods": ["实地查看", "查阅资料", "随堂听课"],
        "highlights": "校园环境整洁，师生精神面貌良好。",
        "problems": "详见问题清单。",
        "evidence": hashes,
    });
    story.act_on_case(inspector, id, "visit-records", record).await?;
    let feedback =
        json!({ "evaluation": "总体情况较好，存在若干问题。", "deliberation": "督导组集体评议，一致同意问题清单。" });
    if index == PUNCTUAL {
        refuse(story, facts, "guard_not_heard", "feedback", feedback.clone(), "not_heard").await?;
    }
    let groups: &[&str] = if index == GOVERNMENT { &["community"] } else { &["students", "parents", "teachers"] };
    for group in groups {
        let hearing = json!({
            "group": group, "how_drawn": "按名册随机抽取", "points": ["希望改善校园安全管理"], "questionnaires": 30,
        });
        story.act_on_case(inspector, id, "hearings", hearing).await?;
    }
    for [severity, category, problem, demand] in FINDINGS.get(index).copied().unwrap_or_default() {
        let body = finding(severity, category, problem, demand, &case.unit_id);
        story.act_on_case(inspector, id, "findings", body).await?;
    }
    let fed_back = story.act_on_case(case.desk, id, "feedback", feedback).await?;
    let opinion = fed_back.text("/preliminary_opinion/document/document_id")?.to_owned();
    story.sign(&case.unit.principal, &opinion).await?;
    until("tasks knows that the opinion was received", LIMIT, || async {
        let case = story.read_case(case.desk, id).await?;
        Ok((case["state"] == "pleading").then_some(()))
    })
    .await?;
    let findings = fed_back.list("/findings")?.len();
    facts.set(&format!("findings_{}", case.label), findings);
    Ok(())
}

/// Pleas, their treatment, and the letters with their numbers.
async fn letters(story: &mut Story, facts: &mut Facts) -> anyhow::Result<()> {
    let letter = json!({ "evaluation": "经督导，该单位总体情况较好，但存在以下问题，应限期整改。" });
    refuse(story, facts, "guard_plea_window_open", "letter", letter.clone(), "plea_open").await?;
    // The platform is out of order while the letters go out: nothing of that may be felt here.
    story.platform_mode("error_500", None).await?;
    for index in [PUNCTUAL, LATE, GOVERNMENT] {
        let case = story.case(index)?.clone();
        story.show.now(&format!("印发督导意见书：{} · letter", case.unit_name));
        let pleads = index == LATE;
        let plea = if pleads {
            json!({ "text": "食堂留样已于当日补记，恳请酌情考虑。" })
        } else {
            json!({ "waived": true })
        };
        story.act_on_case(&case.unit.principal, &case.case_id, "plea", plea).await?;
        if pleads {
            let (_, problem) = story.refused(case.chief, &case.case_id, "letter", letter.clone()).await?;
            facts.same("guard_plea_unanswered", problem.text("/guard")?.to_owned(), "plea_unanswered".to_owned())?;
            let treatment = json!({ "treatment": "申辩理由部分成立，问题表述不变，要求不变。" });
            story.act_on_case(case.desk, &case.case_id, "plea-decision", treatment).await?;
        }
        // A desk officer prepares and does not sign.
        let (status, _) = story.refused(case.desk, &case.case_id, "letter", letter.clone()).await?;
        facts.same("desk_officer_may_not_sign_a_letter", i64::from(status), 403)?;
        let done = story.act_on_case(case.chief, &case.case_id, "letter", letter.clone()).await?;
        facts.same(&format!("state_{}", case.label), done.text("/state")?.to_owned(), "lettered".to_owned())?;
        let number = done.text("/letter/document/doc_no")?.to_owned();
        facts.set(&format!("letter_{}", case.label), &number);
        let played = story.cases.get_mut(index).context("the case was opened")?;
        done.text("/letter/document/document_id")?.clone_into(&mut played.letter_id);
        played.letter_no = number;
    }
    check_numbers(story, facts).await?;
    story.outcome_seen("server_error").await
}

/// The numbers have no gap, in the registers of the databases.
async fn check_numbers(story: &Story, facts: &mut Facts) -> anyhow::Result<()> {
    let gaps = "SELECT count(*) FROM (SELECT max(serial) - count(*) AS gap FROM documents
                GROUP BY agency_word, kind_word, year) s WHERE gap <> 0";
    facts.same("number_series_with_gaps", story.db().count("tasks", gaps, &[]).await?, 0)?;
    let letters =
        story.db().count("tasks", "SELECT count(*) FROM documents WHERE kind = 'opinion_letter'", &[]).await?;
    facts.same("letters", letters, 3)?;
    let members = "SELECT min(cardinality(team_ids)) FROM cases WHERE state = 'lettered'";
    facts.same("smallest_group", story.db().count("tasks", members, &[]).await?, 3)
}
