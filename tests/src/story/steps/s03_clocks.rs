//! Step 3: the letter's receipt starts the clocks, each with its proof sheet.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use domain::local_time::{end_of_day, local_date};
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use serde::Deserialize;
use serde_json::Value;

use crate::story::facts::Facts;
use crate::story::json::Read as _;
use crate::story::plot::{GOVERNMENT, LATE, PUNCTUAL, Story};
use crate::story::wait::{LIMIT, until};

/// Rest days and make-up working days as the calendars in `rulebook/` have them; read here on their own, so that the
/// services' counting is not checked by itself.
#[derive(Debug, Default)]
pub struct Holidays(BTreeMap<Date, bool>);

#[derive(Debug, Deserialize)]
struct Layer {
    #[serde(default)]
    day: Vec<Days>,
}

#[derive(Debug, Deserialize)]
struct Days {
    from: Date,
    to: Option<Date>,
    kind: String,
}

impl Holidays {
    /// The national layers; the story's county has none of its own.
    pub fn load() -> anyhow::Result<Self> {
        let folder = local_stack::workspace_root().join("rulebook/calendars");
        let mut days = BTreeMap::new();
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("national-")) {
                continue;
            }
            let layer: Layer =
                toml::from_str(&std::fs::read_to_string(&path)?).with_context(|| path.display().to_string())?;
            for range in layer.day {
                let mut day = range.from;
                while day <= range.to.unwrap_or(range.from) {
                    days.insert(day, range.kind == "work");
                    day = day.tomorrow()?;
                }
            }
        }
        Ok(Self(days))
    }

    fn works(&self, day: Date) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        self.0.get(&day).copied().unwrap_or(!weekend)
    }

    /// The last day of so many working days, the first day not counted.
    pub fn working_days(&self, from: Date, days: i64) -> anyhow::Result<Date> {
        let (mut day, mut left) = (from, days);
        while left > 0 {
            day = day.tomorrow()?;
            left -= i64::from(self.works(day));
        }
        Ok(day)
    }

    /// The day, or the next working day.
    fn or_next(&self, mut day: Date) -> anyhow::Result<Date> {
        while !self.works(day) {
            day = day.tomorrow()?;
        }
        Ok(day)
    }

    /// The last day of the first limit of a severity, counted by hand.
    fn due_on(&self, received_on: Date, severity: &str) -> anyhow::Result<Date> {
        match severity {
            "minor" => self.working_days(received_on, 15),
            "major" => self.or_next(received_on.checked_add(30.days())?),
            "serious" => self.or_next(received_on.checked_add(3.months())?),
            other => anyhow::bail!("the story has no {other} finding"),
        }
    }
}

/// Plays the step.
pub async fn play(story: &mut Story, facts: &mut Facts) -> anyhow::Result<()> {
    let holidays = Holidays::load()?;
    story.platform_mode("rate_limited", None).await?;
    let mut proofs = 0;
    for index in [PUNCTUAL, LATE, GOVERNMENT] {
        let case = story.case(index)?.clone();
        story.show.now(&format!("签收督导意见书：{} · receipt", case.unit_name));
        let none = "SELECT count(*) FROM dossiers WHERE letter_id = $1::uuid";
        facts.same(
            "rectifications_before_the_receipt",
            story.db().count("deadlines", none, &[&case.letter_id]).await?,
            0,
        )?;
        let receipt = story.sign(&case.unit.principal, &case.letter_id).await?;
        let received_on = local_date(receipt.instant("/signed_at")?);
        let id = until("the rectification is open", LIMIT, || async {
            let query = "SELECT rectification_id FROM dossiers WHERE letter_id = $1::uuid";
            let found = story.db().value("deadlines", query, &[&case.letter_id]).await?;
            Ok(found.as_str().map(str::to_owned))
        })
        .await?;
        story.cases.get_mut(index).context("the case was opened")?.rectification_id.clone_from(&id);
        let view = story.rectification(&case.unit.principal, &id).await?;
        for item in view.list("/rectification/items")? {
            check_item(story, &case.unit.principal, item, received_on, &holidays).await?;
            proofs += 1;
            let key = format!("due_{}_{}", case.label, item.number("/number")?);
            facts.set(&key, item.text("/due_on")?);
        }
    }
    facts.same("items_with_a_proof_sheet", proofs, 6)?;
    let armed = "SELECT count(DISTINCT (rectification_id, number)) FROM timers WHERE number > 0";
    let timers = story.db().count("deadlines", armed, &[]).await?;
    facts.same("items_with_armed_timers", timers, 6)?;
    story.outcome_seen("throttled").await
}

/// The due date is the one counted by hand, and its sheet tells every day and why it counts.
async fn check_item(
    story: &Story,
    who: &str,
    item: &Value,
    received_on: Date,
    holidays: &Holidays,
) -> anyhow::Result<()> {
    let severity = item.text("/severity")?;
    let due_on = item.day("/due_on")?;
    let expected = holidays.due_on(received_on, severity)?;
    ensure!(due_on == expected, "{severity}: due on {due_on}, counted by hand {expected}");
    let end = end_of_day(due_on).context("the day ends")?;
    ensure!(item.instant("/due_at")? == end, "due at {} and not at the day's end {end}", item.text("/due_at")?);
    let id = item.text("/deadline_id")?;
    let sheet = story.api().get(who, "deadlines", &format!("/v1/deadlines/{id}")).await?;
    let proof = sheet.at("/proof")?;
    ensure!(!proof.text("/rule/article")?.is_empty(), "no article: {proof}");
    ensure!(!proof.text("/rule/rulebook_version")?.is_empty(), "no version of the rulebook: {proof}");
    ensure!(!proof.text("/calendar_version")?.is_empty(), "no version of the calendar: {proof}");
    ensure!(proof.day("/anchor_on")? == received_on, "the anchor is not the receipt: {proof}");
    ensure!(!sheet.text("/explanation")?.is_empty(), "no explanation: {sheet}");
    // Every day from the anchor to the end, none left out.
    let mut day = received_on;
    for mark in proof.list("/days")? {
        ensure!(mark.day("/date")? == day, "{day} is missing in the sheet: {proof}");
        day = day.tomorrow()?;
    }
    ensure!(day.yesterday()? == due_on, "the sheet does not end on the due date: {proof}");
    if severity == "minor" {
        let counted = proof.list("/days")?.iter().filter(|mark| mark["use"] == "counted").count();
        ensure!(counted == 15, "{counted} days counted instead of 15: {proof}");
    }
    Ok(())
}
