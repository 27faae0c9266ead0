//! A county moves by date: Yangpu (洋浦经济开发区) becomes a part of Danzhou (儋州市) on a day that was announced. Until that day
//! everything is Yangpu's, from its first moment on Danzhou's: what is open goes on with its days, its papers and its numbers,
//! the old office's people may not act any more, the new one's may, and figures count each case once.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use contracts::shared::UnitRef;
use domain::code::{SchoolCode, SchoolKind};
use domain::local_time::{local_date, start_of_day};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Ground, Report};
use crate::lives::people::{County, People, School};
use crate::lives::{Life, Lives};
use crate::world::api::Body;
use crate::world::json::Read as _;
use crate::world::wait::until_true;
use crate::world::{PASSWORD, World};

/// Who takes over, and who is taken over.
const DANZHOU: &str = "460400";
const YANGPU: &str = "460400499";
/// Code, name, word of the office's documents.
const COUNTIES: [(&str, &str, &str); 2] = [(DANZHOU, "儋州市", "儋州教督委"), (YANGPU, "洋浦经济开发区", "洋浦教督委")];
/// Schools of each.
const SCHOOLS: usize = 4;
/// Signs in as the province and operates the installation.
const OPERATOR: &str = "operator";

/// Plays it.
pub async fn drill(ground: &Ground) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let world = World::start(ground.world()).await?;
    let people = settle(&world).await?;
    ground.say.it("the world stands, and its register has Danzhou and Yangpu");
    let lives = Lives::new(&world, &people, &ground.size)?;
    lives.live().await?;
    ground.quiet(&world).await?;
    let before = Standing::of(&world).await?;
    let moved: Vec<&Life> =
        lives.lived().filter(|life| life.letter.unit.county_code.as_deref() == Some(YANGPU)).collect();
    let (closed, open): (Vec<&Life>, Vec<&Life>) = moved.iter().copied().partition(|life| life.closes);
    let first = *open.first().context("an open case of Yangpu")?;
    let address = format!("/v1/rectifications/{}", first.rectification_id());

    let on = local_date(world.now().await?) + 3.days();
    let wish =
        json!({"area_code": YANGPU, "into_code": DANZHOU, "effective_on": on, "ground": "演练：行政区划调整批复"});
    world.api.post(OPERATOR, "registry", "/v1/area-mergers", Body::Json(wish)).await?;
    let start = start_of_day(on).context("the day has a beginning")?;
    world.move_to(start - SignedDuration::from_mins(2)).await?;
    ground.say.it(&format!("{on} is announced, and it is the evening before"));
    let session = world.api.sign_in(&login("admin", YANGPU), PASSWORD).await?;
    let ends: Timestamp = session.text("/expires_at")?.parse()?;
    let left = ends.duration_since(service_kit::clock::Clock::now(&service_kit::clock::SystemClock));
    ensure!(left <= SignedDuration::from_mins(2), "a token of the office that ends holds for {left:?}");
    world.api.sign_in(&login("admin", DANZHOU), PASSWORD).await?;
    ensure!(status(&world, YANGPU, &address).await? == 200, "Yangpu's office may not read its own case the day before");
    ensure!(status(&world, DANZHOU, &address).await? == 404, "Danzhou's office reads a case of Yangpu the day before");
    ground.quiet(&world).await?;
    ensure!(Standing::of(&world).await? == before, "something moved before its day");

    world.move_to(start).await?;
    let began = Instant::now();
    let carried_out = "SELECT count(*) AS n FROM area_mergers WHERE state = 'carried_out'";
    until_true("the register carries it out", || async {
        Ok(world.db.count("registry", carried_out, &[]).await? == 1)
    })
    .await?;
    report.phase("登记生效 in the register", began.elapsed());
    ground.quiet(&world).await?;
    report.phase("各服务全部移交 handed over everywhere", began.elapsed());
    ground.say.it("the day has come, and everything has followed");

    rights_moved(&world, &address).await?;
    Standing::of(&world).await?.is_kept(&before)?;
    handed_over(&world, &open, &closed).await?;
    figures(&world, &lives, &open, &closed).await?;
    ground.prove(&world, &lives, &mut report).await?;
    orders(&world, &open).await?;
    deliveries(&world, start).await?;
    goes_on(&world, &people, first).await?;
    report.note(format!(
        "移交未结 {} 件、已结 {} 件；期限、文号、文书无一变动，各件只计一次。 {} open and {} closed cases were handed over; no \
         limit, number or paper changed, and each case counts once.",
        open.len(),
        closed.len(),
        open.len(),
        closed.len()
    ));
    world.stop().await;
    Ok(report)
}

fn login(what: &str, code: &str) -> String {
    format!("{what}.{code}")
}

fn office(name: &str) -> String {
    format!("{name}教育督导委员会办公室")
}

/// The register by its own imports, and everyone's token.
async fn settle(world: &World) -> anyhow::Result<People> {
    world.api.sign_in(OPERATOR, PASSWORD).await?;
    let mut areas =
        vec!["代码,名称,上级代码,层级,生效日期".to_owned(), "460000,海南省,,province,2021-04-15".to_owned()];
    let mut units = vec!["单位键,名称,类别,所属区划代码,统一社会信用代码,主管单位键,生效日期".to_owned()];
    let mut schools =
        vec!["学校标识码,名称,学校类别,所在区划代码,举办者,统一社会信用代码,在校生数,主管单位键,生效日期".to_owned()];
    let mut inspectors = vec!["督学编号,姓名,所属区划代码,专兼职,级别,聘期起,聘期止,年度培训学时".to_owned()];
    let mut accounts = vec!["账号,显示名,角色,区划代码,单位,督学编号,邮箱,语言".to_owned()];
    let mut codes = Vec::new();
    for (index, (code, name, _)) in COUNTIES.into_iter().enumerate() {
        areas.push(format!("{code},{name},460000,county_unit,2021-04-15"));
        let office = office(name);
        units.push(format!("edu-{code},{name}教育局,education_bureau,{code},,,2021-04-15"));
        units.push(format!("office-{code},{office},supervision_agency,{code},,edu-{code},2021-04-15"));
        inspectors.push(format!("HN-{code},督学{code},{code},专职,市县级,2025-09-01,2028-08-31,48"));
        accounts
            .push(format!("{},{name}督导办管理员,county_office_admin,{code},office-{code},,,", login("admin", code)));
        accounts.push(format!("{},督学{code},inspector,{code},,HN-{code},,", login("inspector", code)));
        accounts.push(format!(
            "{},{name}教育局经办人,competent_department_officer,{code},edu-{code},,,",
            login("edu", code)
        ));
        for number in 1..=SCHOOLS {
            let serial = u32::try_from(index * SCHOOLS + number)?;
            let school = SchoolCode::try_new(SchoolKind::Primary, 46, serial)?.to_string();
            schools.push(format!("{school},{name}第{number}小学,小学,{code},公办,,600,edu-{code},2021-04-15"));
            accounts
                .push(format!("{},{name}第{number}小学校长,unit_principal,{code},{school},,,", login("head", &school)));
            codes.push((school, index));
        }
    }
    for (kind, name, lines) in [
        ("province", "行政区划.csv", areas),
        ("province", "部门.csv", units),
        ("province", "学校.csv", schools),
        ("province", "督学.csv", inspectors),
        ("accounts", "accounts.csv", accounts),
    ] {
        let content = format!("\u{feff}{}\n", lines.join("\n")).into_bytes();
        let form = Body::Form(vec![("kind", kind.to_owned())], vec![("file", name.to_owned(), content)]);
        let report = world.api.post(OPERATOR, "registry", "/v1/imports", form).await?;
        ensure!(report.number("/rejected_rows")? == 0, "{name}: {report}");
    }
    let mut counties = Vec::new();
    for (code, name, word) in COUNTIES {
        let key = format!("/v1/units/by-key/office-{code}");
        let unit = world.api.get(OPERATOR, "registry", &key).await?;
        counties.push(County {
            office_name: office(name),
            office: unit.text("/unit_id")?.parse::<uuid::Uuid>()?.into(),
            word,
            inspector: activated(world, &login("inspector", code)).await?,
            admin: activated(world, &login("admin", code)).await?,
        });
        activated(world, &login("edu", code)).await?;
    }
    let mut schools = Vec::new();
    for (code, county) in codes {
        let unit = world.api.get(OPERATOR, "registry", &format!("/v1/units/by-key/{code}")).await?;
        let bureau = format!("{}教育局", COUNTIES[county].1);
        schools.push(School {
            unit: reference(&unit, bureau)?,
            county,
            principal: activated(world, &login("head", &code)).await?,
        });
    }
    Ok(People { counties, schools })
}

/// The unit as a case names it.
fn reference(unit: &Value, bureau: String) -> anyhow::Result<UnitRef> {
    let path = unit.list("/area_path")?.iter().map(|id| serde_json::from_value(id.clone()));
    Ok(UnitRef {
        unit_id: unit.text("/unit_id")?.parse::<uuid::Uuid>()?.into(),
        name: unit.text("/name")?.to_owned(),
        code: Some(unit.text("/key")?.to_owned()),
        area_path: path.collect::<Result<_, _>>()?,
        county_code: Some(unit.text("/county_code")?.to_owned()),
        county_name: Some(unit.text("/county_name")?.to_owned()),
        competent_unit_id: Some(unit.text("/competent_unit_id")?.parse::<uuid::Uuid>()?.into()),
        competent_unit_name: Some(bureau),
    })
}

/// Sets the password of an account and signs it in.
async fn activated(world: &World, login: &str) -> anyhow::Result<String> {
    let found = world.api.get(OPERATOR, "registry", &format!("/v1/accounts?q={login}")).await?;
    let account =
        found.list("/items")?.iter().find(|account| account["login"] == login).context("the account")?.clone();
    let path = format!("/v1/accounts/{}/activation", account.text("/account_id")?);
    let code = world.api.post(OPERATOR, "registry", &path, Body::None).await?;
    let body = json!({"login": login, "code": code.text("/code")?, "password": PASSWORD});
    let answer = world.api.send(None, Method::POST, "registry", "/v1/activations", None, Body::Json(body)).await?;
    ensure!(answer.status == 204, "{login} cannot be activated: {} {}", answer.status, answer.json);
    Ok(world.api.sign_in(login, PASSWORD).await?.text("/token")?.to_owned())
}

/// What the office of a county is answered.
async fn status(world: &World, county: &str, path: &str) -> anyhow::Result<u16> {
    let who = login("admin", county);
    Ok(world.api.send(Some(&who), Method::GET, "deadlines", path, None, Body::None).await?.status)
}

/// From the first moment on: the old office may nothing, the new one everything; inspectors go over with their area.
async fn rights_moved(world: &World, address: &str) -> anyhow::Result<()> {
    for county in [YANGPU, DANZHOU] {
        world.api.sign_in(&login("admin", county), PASSWORD).await?;
        world.api.sign_in(&login("inspector", county), PASSWORD).await?;
        world.api.sign_in(&login("edu", county), PASSWORD).await?;
    }
    let old = status(world, YANGPU, address).await?;
    ensure!(old == 403 || old == 404, "Yangpu's office still reads: {old}");
    ensure!(status(world, DANZHOU, address).await? == 200, "Danzhou's office may not read what it took over");
    for (who, wanted) in [
        (login("inspector", YANGPU), 200),
        (login("inspector", DANZHOU), 200),
        (login("edu", DANZHOU), 200),
        (login("edu", YANGPU), 404),
    ] {
        let found = world.api.send(Some(&who), Method::GET, "deadlines", address, None, Body::None).await?.status;
        ensure!(found == wanted, "{who} is answered {found} instead of {wanted}");
    }
    Ok(())
}

/// What must stand after the move as before it: limits, armed instants, numbers, papers.
#[derive(Debug, PartialEq)]
struct Standing {
    limits: Vec<Value>,
    armed: Vec<Value>,
    numbers: Vec<Value>,
    papers: Vec<Value>,
}

impl Standing {
    async fn of(world: &World) -> anyhow::Result<Self> {
        let rows = async |service: &str, query: &str| world.db.rows(service, query, &[]).await;
        Ok(Self {
            limits: rows(
                "deadlines",
                "SELECT deadline_id::text, due_at::text, due_on::text, sheet_id::text FROM deadlines ORDER BY deadline_id",
            )
            .await?,
            armed: rows(
                "deadlines",
                "SELECT rectification_id::text, kind, due_at::text FROM timers WHERE kind = 'urge' ORDER BY 1, 2, 3",
            )
            .await?,
            numbers: rows(
                "deadlines",
                "SELECT agency_word, kind_word, year::int, last::int FROM number_series ORDER BY 1, 2, 3",
            )
            .await?,
            papers: rows("tasks", "SELECT document_id::text, doc_no, issuing_unit_name, sha256 FROM documents ORDER BY 1")
                .await?,
        })
    }

    fn is_kept(&self, before: &Self) -> anyhow::Result<()> {
        ensure!(self.limits == before.limits, "a limit has moved");
        ensure!(self.armed == before.armed, "what is armed has moved");
        ensure!(self.numbers == before.numbers, "a number was taken");
        ensure!(self.papers == before.papers, "a paper has changed");
        Ok(())
    }
}

/// Every case of Yangpu lies in Danzhou now, whoever keeps a copy; the open ones count there.
async fn handed_over(world: &World, open: &[&Life], closed: &[&Life]) -> anyhow::Result<()> {
    let told = "SELECT count(*) AS n FROM messaging.journal WHERE event_type = 'deadlines.rectification.changed.v1'
                AND payload::jsonb #>> '{change,kind}' = 'handed_over'";
    let n = world.db.count("deadlines", told, &[]).await?;
    ensure!(
        n == i64::try_from(open.len() + closed.len())?,
        "{n} cases were handed over, not {}",
        open.len() + closed.len()
    );
    let area = world.db.value("registry", "SELECT area_id::text FROM areas WHERE code = $1", &[YANGPU]).await?;
    let area = area.as_str().context("an area")?;
    for (service, table) in [
        ("deadlines", "dossiers"),
        ("reporting", "rectifications"),
        ("reporting", "ledger_rows"),
        ("publication", "publications"),
        ("publication", "documents"),
        ("exchange", "messages"),
        ("notifications", "receipts"),
        ("notifications", "notices"),
    ] {
        // Below the province, the county and itself.
        let astray =
            format!("SELECT count(*) AS n FROM {table} WHERE $1::uuid = ANY(area_path) AND area_path[3] <> $1::uuid");
        let n = world.db.count(service, &astray, &[area]).await?;
        let there = format!("SELECT count(*) AS n FROM {table} WHERE area_path[3] = $1::uuid");
        let there = world.db.count(service, &there, &[area]).await?;
        ensure!(n == 0 && there > 0, "{service}.{table}: {n} rows are still Yangpu's, {there} Danzhou's");
    }
    Ok(())
}

/// The figures of a period that spans the move count each case once.
async fn figures(world: &World, lives: &Lives<'_>, open: &[&Life], closed: &[&Life]) -> anyhow::Result<()> {
    let statistics = world.api.get(OPERATOR, "reporting", "/v1/statistics/rectifications").await?;
    let counties: BTreeMap<&str, &Value> = statistics
        .list("/counties")?
        .iter()
        .filter_map(|line| Some((line["county_code"].as_str()?, &line["figures"])))
        .collect();
    let all = i64::try_from(lives.lived().count())?;
    ensure!(statistics.number("/total/rectifications")? == all, "{}", statistics["total"]);
    let yangpu = counties.get(YANGPU).context("what was closed in Yangpu still counts there")?;
    ensure!(yangpu.number("/rectifications")? == i64::try_from(closed.len())?, "Yangpu: {yangpu}");
    ensure!(yangpu.number("/open")? == 0, "Yangpu: {yangpu}");
    let danzhou = counties.get(DANZHOU).context("Danzhou")?;
    let own = lives.lived().filter(|life| life.letter.unit.county_code.as_deref() == Some(DANZHOU)).count();
    ensure!(danzhou.number("/rectifications")? == i64::try_from(own + open.len())?, "Danzhou: {danzhou}");
    Ok(())
}

/// One order for each late case that was taken over, of the new office's series.
async fn orders(world: &World, open: &[&Life]) -> anyhow::Result<()> {
    let query = "SELECT o.agency_word, d.letter::jsonb #>> '{document,doc_no}' AS letter FROM urging_orders o
                 JOIN dossiers d USING (rectification_id) WHERE o.rectification_id = $1::uuid";
    for life in open {
        let id = life.rectification_id().to_string();
        let rows = world.db.rows("deadlines", query, &[&id]).await?;
        let [order] = rows.as_slice() else { anyhow::bail!("{} orders for {id}", rows.len()) };
        ensure!(order["agency_word"] == COUNTIES[0].2, "{order}");
        ensure!(order["letter"] == life.letter.document.doc_no.as_str(), "{order}");
    }
    Ok(())
}

/// From that day on nothing goes to the office that ended; the one that took over is told.
async fn deliveries(world: &World, start: Timestamp) -> anyhow::Result<()> {
    let query = "SELECT count(*) AS n FROM messages m JOIN accounts a USING (account_id)
                 WHERE a.display_name = $1 AND m.created_at >= $2::timestamptz";
    let start = start.to_string();
    let told = async |name: &str| world.db.count("notifications", query, &[name, &start]).await;
    let old = told("洋浦经济开发区督导办管理员").await?;
    let bureau = told("洋浦经济开发区教育局经办人").await?;
    ensure!(old == 0 && bureau == 0, "{old} messages went to the office that ended, {bureau} to its bureau");
    let schools = "SELECT count(DISTINCT m.account_id) AS n FROM messages m WHERE m.template = 'handed_over' AND m.capacity = 'to'";
    ensure!(world.db.count("notifications", schools, &[]).await? > 0, "no school was told who is in charge");
    ensure!(told("儋州市督导办管理员").await? > 0, "the office that took over was told nothing");
    Ok(())
}

/// A case that was taken over goes on to its end: the school reports, Danzhou's inspector verifies, its office closes.
async fn goes_on(world: &World, people: &People, life: &Life) -> anyhow::Result<()> {
    let head = login("head", life.letter.unit.code.as_deref().unwrap_or_default());
    world.api.sign_in(&head, PASSWORD).await?;
    for who in ["admin", "inspector"] {
        world.api.sign_in(&login(who, DANZHOU), PASSWORD).await?;
    }
    let address = format!("/v1/rectifications/{}", life.rectification_id());
    let mut view = world.api.get(&head, "deadlines", &address).await?;
    for item in 0..view.list("/rectification/items")?.len() {
        let pdf = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n".to_vec();
        let form = Body::Form(Vec::new(), vec![("file", "佐证.pdf".to_owned(), pdf)]);
        let file = world.api.post(&head, "deadlines", &format!("{address}/evidence"), form).await?;
        let id = view.text(&format!("/rectification/items/{item}/item_id"))?.to_owned();
        let report = json!({"text": "已按要求完成整改。", "evidence": [file["file_id"]]});
        let accept = json!({"decision": "accept", "note": "现场核查属实。"});
        for (who, act, body) in [
            (head.clone(), "report", report),
            (login("inspector", DANZHOU), "verify", accept),
            (login("admin", DANZHOU), "close-out", json!({})),
        ] {
            let path = format!("{address}/items/{id}/{act}");
            let version = view.number("/rectification/version")?;
            view = world.api.act(&who, "deadlines", &path, version, body).await.with_context(|| who.clone())?;
        }
    }
    ensure!(!view["rectification"]["closed_at"].is_null(), "not closed: {view}");
    let paper = "SELECT issuing.agency_word AS word FROM documents issuing WHERE issuing.rectification_id = $1::uuid
                 AND issuing.kind = 'acceptance_opinion'";
    let agency_word = world.db.value("deadlines", paper, &[&life.rectification_id().to_string()]).await?;
    ensure!(agency_word == people.counties[0].word, "the acceptance is {agency_word}'s");
    Ok(())
}
