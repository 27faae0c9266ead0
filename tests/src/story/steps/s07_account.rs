//! Step 7: the ledger and the province's counts are right, and the ledger comes as a workbook.

use std::io::Cursor;

use anyhow::{Context as _, ensure};
use calamine::{Data, Reader as _, Xlsx};
use serde_json::{Value, json};

use crate::story::cast::{COUNTY, account};
use crate::story::facts::Facts;
use crate::story::json::Read as _;
use crate::story::plot::{LATE, PUNCTUAL, Story};
use crate::story::wait::{LIMIT, until};

/// Plays the step.
pub async fn play(story: &mut Story, facts: &mut Facts) -> anyhow::Result<()> {
    let late = story.case(LATE)?.clone();
    let punctual = story.case(PUNCTUAL)?.clone();
    story.show.now("等待台账 · the ledger");
    let ledger = until("the ledger is complete", LIMIT, || async {
        let ledger = story.api().get(account::PROVINCE, "reporting", "/v1/ledger?limit=200").await?;
        let rows = ledger.list("/items")?;
        let urged = rows.iter().filter(|row| row["urging_order_no"].is_string()).count();
        let closed = rows.iter().filter(|row| row["state"] == "closed").count();
        Ok((rows.len() == 6 && urged == 2 && closed == 3).then_some(ledger.clone()))
    })
    .await?;
    let rows = ledger.list("/items")?;
    facts.same("rows", rows.len(), 6)?;
    let of = |id: &str| rows.iter().filter(|row| row["rectification_id"] == id).collect::<Vec<_>>();
    for row in of(&late.rectification_id) {
        let seen = json!([row["state"], row["late"], row["county_name"], row["letter_no"], row["competent_unit_name"]]);
        let expected = json!(["in_progress", true, "海口市", late.letter_no, "海口市教育局"]);
        ensure!(seen == expected, "the late school's row is {seen}, expected {expected}");
    }
    for row in of(&punctual.rectification_id) {
        ensure!(row["state"] == "closed" && row["late"] == false, "the punctual school's row: {row}");
    }
    facts.set("late_rows", of(&late.rectification_id).len());
    // A unit sees its own rows and no others.
    let own = story.api().get(&late.unit.principal, "reporting", "/v1/ledger?limit=200").await?;
    let strange =
        own.list("/items")?.iter().filter(|row| row["rectification_id"] != late.rectification_id.as_str()).count();
    facts.same("rows_of_others_shown_to_a_unit", strange, 0)?;
    statistics(story, facts).await?;
    workbook(story, facts, &late.letter_no).await
}

async fn statistics(story: &Story, facts: &mut Facts) -> anyhow::Result<()> {
    let found = story.api().get(account::PROVINCE, "reporting", "/v1/statistics/rectifications").await?;
    let county = found.list("/counties")?.iter().find(|county| county["county_code"] == COUNTY).cloned();
    let county = county.context("the county has a line")?;
    for (whose, figures) in [("province", found.at("/total")?), ("haikou", county.at("/figures")?)] {
        let shown: Vec<Value> =
            ["items", "closed", "late", "on_time", "on_time_base", "rectifications", "urging_orders"]
                .iter()
                .map(|key| figures[*key].clone())
                .collect();
        facts.same(
            &format!("items_closed_late_ontime_base_rectifications_orders_{whose}"),
            json!(shown),
            json!([6, 3, 2, 3, 5, 3, 1]),
        )?;
        facts.same(&format!("on_time_rate_{whose}"), figures["on_time_rate"].clone(), json!("60.0%"))?;
    }
    facts.same("counties_listed", found.list("/counties")?.len(), story.province.county_units().count())?;
    let sum: i64 =
        found.list("/counties")?.iter().map(|county| county.number("/figures/items")).sum::<anyhow::Result<i64>>()?
            + found.number("/provincial/items")?;
    facts.same("counties_add_up_to_the_province", sum, found.number("/total/items")?)
}

async fn workbook(story: &Story, facts: &mut Facts, letter_no: &str) -> anyhow::Result<()> {
    let bytes = story.api().bytes(account::PROVINCE, "reporting", "/v1/ledger.xlsx").await?;
    facts.set("workbook_bytes", bytes.len());
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).context("the workbook opens")?;
    let sheet = book.worksheet_range("整改台账").context("the sheet 整改台账")?;
    let (height, width) = sheet.get_size();
    facts.same("workbook_rows_with_header", height, 7)?;
    facts.same("workbook_columns", width, 35)?;
    let texts = |row: &[Data]| row.iter().map(ToString::to_string).collect::<Vec<_>>();
    let listed = sheet.rows().skip(1).filter(|row| texts(row).iter().any(|cell| cell.starts_with(letter_no)));
    facts.same("workbook_rows_of_the_late_letter", listed.count(), 2)?;
    let header = sheet.rows().next().map(texts).unwrap_or_default();
    facts.holds("workbook_has_a_header", header.iter().all(|cell| !cell.is_empty()), &header)?;
    facts.holds("workbook_says_where_it_comes_from", book.worksheet_range("说明").is_ok(), book.sheet_names())
}
