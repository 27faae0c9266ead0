//! Step 1: the province comes from spreadsheets.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tests::province::ExpectedFault;

use crate::story::api::Body;
use crate::story::cast::account;
use crate::story::facts::Facts;
use crate::story::json::Read as _;
use crate::story::plot::Story;
use crate::story::wait::until_true;
use crate::story::world::PASSWORD;

/// Spoilt rows: two of each kind.
const FAULTS: usize = 24;
/// Seed of the spoilt rows.
pub const SEED: u64 = 20_261_123;

/// Plays the step.
pub async fn play(story: &mut Story, facts: &mut Facts) -> anyhow::Result<()> {
    story.api().sign_in(account::OPERATOR, PASSWORD).await?;
    let (spoilt, expected) = story.province.tables_with_faults(SEED, FAULTS);
    let files = [
        ("province", "units.xlsx", spoilt.units_xlsx()?),
        ("province", "inspectors.xlsx", spoilt.inspectors_xlsx()?),
        ("accounts", "accounts.csv", spoilt.accounts_csv()?),
    ];
    let mut reports = Vec::new();
    for (kind, name, content) in &files {
        story.show.now(&format!("导入 {name} · importing"));
        reports.push(import(story, kind, name, content.clone()).await?);
    }
    check_faults(facts, &reports, &expected)?;

    story.show.now("再次导入同样的文件 · the same files again");
    for ((kind, name, content), first) in files.iter().zip(&reports) {
        let again = import(story, kind, name, content.clone()).await?;
        let unchanged = first.number("/created")? + first.number("/changed")? + first.number("/unchanged")?;
        ensure!(again.number("/created")? == 0 && again.number("/changed")? == 0, "{name} changed something: {again}");
        ensure!(again.number("/unchanged")? == unchanged, "{name}: {again}");
    }
    facts.set("second_import_changes", 0);

    story.show.now("导入更正后的文件 · the corrected files");
    let right = story.province.tables();
    let corrected = [
        import(story, "province", "units.xlsx", right.units_xlsx()?).await?,
        import(story, "province", "inspectors.xlsx", right.inspectors_xlsx()?).await?,
        import(story, "accounts", "accounts.csv", right.accounts_csv()?).await?,
    ];
    let created: i64 = corrected.iter().map(|report| report.number("/created")).sum::<anyhow::Result<i64>>()?;
    let blocked = i64::try_from(expected.iter().filter(|fault| fault.kind.blocks()).count())?;
    facts.same("corrected_rows_imported", created, blocked)?;
    check_register(story, facts).await?;
    check_events(story, facts).await?;
    activate(story, facts).await?;
    check_duties(story, facts).await
}

async fn import(story: &Story, kind: &str, name: &str, content: Vec<u8>) -> anyhow::Result<Value> {
    let form = Body::Form(vec![("kind", kind.to_owned())], vec![("file", name.to_owned(), content)]);
    story.api().post(account::OPERATOR, "registry", "/v1/imports", form).await.with_context(|| name.to_owned())
}

/// Exactly the spoilt cells are reported, by sheet, row and column, each with a reason in both languages.
fn check_faults(facts: &mut Facts, reports: &[Value], expected: &[ExpectedFault]) -> anyhow::Result<()> {
    for (key, list, blocking) in [("rejected", "/rejected", true), ("warned", "/warnings", false)] {
        let mut found = Vec::new();
        for report in reports {
            for fault in report.list(list)? {
                ensure!(
                    !fault.text("/reason/zh")?.is_empty() && !fault.text("/reason/en")?.is_empty(),
                    "no reason: {fault}"
                );
                found.push(place(fault.text("/sheet")?, fault.number("/row")?, fault.text("/column")?));
            }
        }
        let mut wanted: Vec<String> = expected
            .iter()
            .filter(|fault| fault.kind.blocks() == blocking)
            .map(|fault| place(fault.sheet, i64::try_from(fault.row).unwrap_or_default(), fault.column))
            .collect();
        found.sort();
        wanted.sort();
        facts.same(key, found, wanted)?;
    }
    Ok(())
}

fn place(sheet: &str, row: i64, column: &str) -> String {
    format!("{sheet} {row} {column}")
}

/// What stands in the register is the province, row for row.
async fn check_register(story: &Story, facts: &mut Facts) -> anyhow::Result<()> {
    let db = story.db();
    let province = &story.province;
    let count = |n: usize| i64::try_from(n).unwrap_or_default();
    for (key, query, expected) in [
        ("divisions", "SELECT count(*) FROM areas", count(province.divisions.len())),
        ("departments", "SELECT count(*) FROM units WHERE kind <> 'school'", count(province.units.len())),
        ("schools", "SELECT count(*) FROM units WHERE kind = 'school'", count(province.schools.len())),
        ("inspectors", "SELECT count(*) FROM inspectors", count(province.inspectors.len())),
        ("accounts", "SELECT count(*) FROM accounts WHERE NOT built_in", count(province.accounts.len())),
    ] {
        facts.same(key, db.count("registry", query, &[]).await?, expected)?;
    }
    let county = db.value("registry", "SELECT name FROM areas WHERE code = '460100'", &[]).await?;
    facts.same("460100", county, json!("海口市"))?;
    let mut wrong = 0;
    let codes = db.rows("registry", "SELECT school_code, name FROM units WHERE kind = 'school'", &[]).await?;
    for row in &codes {
        let known = province
            .schools
            .iter()
            .any(|school| row["school_code"] == school.code.to_string() && row["name"] == school.name);
        wrong += i32::from(!known);
    }
    facts.same("schools_that_differ_from_the_file", wrong, 0)
}

/// The other services know the register from its events.
async fn check_events(story: &Story, facts: &mut Facts) -> anyhow::Result<()> {
    story.show.now("等待各服务收到基础数据 · the services learn of it");
    let db = story.db();
    let units = db.count("registry", "SELECT count(*) FROM units", &[]).await?;
    let accounts = db.count("registry", "SELECT count(*) FROM accounts", &[]).await?;
    until_true("tasks and notifications know the register", || async {
        let in_tasks = db.count("tasks", "SELECT count(*) FROM units", &[]).await?;
        let told = db.count("notifications", "SELECT count(*) FROM units", &[]).await?;
        let people = db.count("notifications", "SELECT count(*) FROM accounts", &[]).await?;
        let agencies = db.count("deadlines", "SELECT count(*) FROM agencies", &[]).await?;
        Ok(in_tasks == units && told == units && people == accounts && agencies > 0)
    })
    .await?;
    facts.set("units_known_to_tasks_and_notifications", units);
    Ok(())
}

/// The people of the story get their codes, choose passwords and sign in.
async fn activate(story: &mut Story, facts: &mut Facts) -> anyhow::Result<()> {
    let accounts = story.cast.accounts();
    for (n, login) in accounts.iter().enumerate() {
        story.show.now(&format!("启用账号 {}/{} · accounts", n + 1, accounts.len()));
        let path = format!("/v1/accounts?q={login}&limit=50");
        let found = story.api().get(account::OPERATOR, "registry", &path).await?;
        let entry = found.list("/items")?.iter().find(|entry| entry["login"] == login.as_str()).cloned();
        let id = entry.with_context(|| format!("no account {login}"))?.text("/account_id")?.to_owned();
        let path = format!("/v1/accounts/{id}/activation");
        let code = story.api().post(account::OPERATOR, "registry", &path, Body::None).await?;
        let body = json!({ "login": login, "code": code.text("/code")?, "password": PASSWORD });
        let post = reqwest::Method::POST;
        let done = story.api().send(None, post, "registry", "/v1/activations", None, Body::Json(body)).await?;
        // 401 when the answer to a first attempt was lost: the code is used, and signing in tells whether it worked.
        ensure!(matches!(done.status, 204 | 401), "{login}: {} {}", done.status, done.json);
        story.api().sign_in(login, PASSWORD).await?;
    }
    facts.set("accounts_activated", accounts.len());
    let team = story.cast.county_inspectors.iter().chain(&story.cast.province_inspectors);
    let mut persons = std::collections::BTreeMap::new();
    for (_, number) in team.filter(|(account, _)| accounts.contains(account)) {
        let path = format!("/v1/inspectors?q={number}");
        let found = story.api().get(account::PROVINCE, "registry", &path).await?;
        let entry = found.list("/items")?.iter().find(|entry| entry["inspector_no"] == number.as_str()).cloned();
        let id = entry.with_context(|| format!("no inspector {number}"))?.text("/person_id")?.to_owned();
        persons.insert(number.clone(), id);
    }
    story.persons = persons;
    Ok(())
}

/// The policy's 22 measures are the province's plan, and each unit sees its own duties.
async fn check_duties(story: &Story, facts: &mut Facts) -> anyhow::Result<()> {
    let plan = story.api().get(account::PROVINCE, "tasks", "/v1/implementation-plan").await?;
    let measures = plan.list("/items")?.iter().filter(|item| item["kind"] == "measure").count();
    facts.same("measures", measures, 22)?;
    facts.set("implementation_plan", plan.text("/number")?);
    let mut unlinked = 0;
    for item in plan.list("/items")? {
        unlinked += item.list("/units")?.iter().filter(|unit| unit["unit_id"].is_null()).count();
    }
    facts.same("responsible_units_not_in_the_register", unlinked, 0)?;
    for (who, key) in [(account::DEPARTMENT, "edu-460000"), ("principal.460100", "gov-460100")] {
        let own = story.api().get(who, "tasks", "/v1/duties").await?;
        let expected = plan
            .list("/items")?
            .iter()
            .filter(|item| {
                item["units"].as_array().is_some_and(|units| units.iter().any(|unit| unit["unit_key"] == key))
            })
            .count();
        let shown = own.list("/duties")?.len();
        facts.holds(&format!("duties_of_{key}_shown"), shown == expected && shown > 0, (shown, expected))?;
        facts.set(&format!("duties_of_{key}"), shown);
    }
    Ok(())
}
