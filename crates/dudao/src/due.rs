//! `dudao due`: when something is due, from a day and a period (期限计算).
//!
//! The day that is given is day 0, the day of the event, which is not counted. One question is answered with its whole
//! proof sheet, many with a line each.

use std::collections::HashMap;
use std::io::{BufRead, Write};

use anyhow::Context as _;
use domain::calendar::{Calendar, CalendarSet};
use domain::code::DivisionCode;
use domain::local_time;
use domain::period::{DayUse, Period, count_end};
use domain::proof::{AnchorEvent, AppliedRule, ProofSheet};
use domain::rulebook::RuleFolder;
use jiff::civil::Date;

/// The code that asks for the country's calendar, without any province or county.
const COUNTRY: &str = "000000";
/// The key on the sheet of a period that no rule of the rulebook sets.
const RULE_ID: &str = "due";
/// How the sheet names the rules of counting.
const ARTICLE: &str = "民法典第二百条至第二百零四条";

/// A question that cannot be answered, in words for the one who asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionFault {
    /// There is no day.
    #[error("日期“{0}”无效，应为2026-09-29的形式 | {0:?} is no date like 2026-09-29")]
    Date(String),
    /// There is no period.
    #[error("期限“{0}”无效，应为5wd、30cd、3months或24h | {0:?} is no period like 5wd, 30cd, 3months or 24h")]
    Period(String),
    /// Nothing lasts so long.
    #[error("期限“{0}”超过十年 | {0:?} is longer than ten years")]
    TooLong(String),
    /// There is no such division.
    #[error("{zh} | {en}")]
    Division {
        /// In Chinese.
        zh: String,
        /// In English.
        en: String,
    },
    /// There are too few or too many words.
    #[error("应为“日期 期限 [行政区划代码]” | a line is: date period [division code]")]
    Words,
    /// The end lies beyond every calendar.
    #[error("届满日超出日历范围 | the end lies beyond the calendar")]
    OutOfRange,
}

/// A period from its number and its unit: `wd` 工作日, `cd` 自然日, `month` or `months` 月, `h` 小时.
fn period_of(amount: &str, unit: &str) -> Result<Period, QuestionFault> {
    let fault = || QuestionFault::Period(format!("{amount}{unit}"));
    // A sign is no part of a number here, though the parser of numbers would take one.
    if !amount.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(fault());
    }
    let key = match unit {
        "wd" => "working_days",
        "cd" => "calendar_days",
        "month" | "months" => "months",
        "h" | "hour" | "hours" => "hours",
        _ => return Err(fault()),
    };
    let amount_value: u16 = amount.parse().map_err(|_| fault())?;
    let period = Period::from_parts(key, amount_value).ok_or_else(fault)?;
    // Zero can be counted, though no letter may set it.
    if period.is_sensible() || amount_value == 0 {
        Ok(period)
    } else {
        Err(QuestionFault::TooLong(format!("{amount}{unit}")))
    }
}

/// A period in one word, e.g. `5wd`.
fn period_in_one(word: &str) -> Result<Period, QuestionFault> {
    let split = word.find(|found: char| !found.is_ascii_digit()).unwrap_or(word.len());
    match (word.get(..split), word.get(split..)) {
        (Some(amount), Some(unit)) => period_of(amount, unit),
        _ => Err(QuestionFault::Period(word.to_owned())),
    }
}

/// A period as it is typed: in one word or in two.
pub fn period(words: &[String]) -> Result<Period, QuestionFault> {
    match words {
        [word] => period_in_one(word),
        [amount, unit] => period_of(amount, unit),
        _ => Err(QuestionFault::Period(words.join(" "))),
    }
}

/// A day as it is typed.
fn day(word: &str) -> Result<Date, QuestionFault> {
    // The parser of dates would take a whole moment as well and forget the time.
    let fault = || QuestionFault::Date(word.to_owned());
    if word.len() != 10 {
        return Err(fault());
    }
    word.parse().map_err(|_| fault())
}

/// The calendars of the places that were asked for, each merged once.
struct Places<'a> {
    calendars: &'a CalendarSet,
    by_word: HashMap<String, Calendar>,
}

impl<'a> Places<'a> {
    fn new(calendars: &'a CalendarSet) -> Self {
        Self { calendars, by_word: HashMap::new() }
    }

    /// The calendar of a division code as it was typed; the country's without one.
    fn calendar(&mut self, word: &str) -> Result<&Calendar, QuestionFault> {
        if !self.by_word.contains_key(word) {
            let calendar = calendar(self.calendars, word)?;
            self.by_word.insert(word.to_owned(), calendar);
        }
        self.by_word.get(word).ok_or(QuestionFault::Words)
    }
}

fn calendar(calendars: &CalendarSet, word: &str) -> Result<Calendar, QuestionFault> {
    if word == COUNTRY {
        return Ok(calendars.national());
    }
    let code: DivisionCode = word
        .parse()
        .map_err(|error: domain::code::CodeError| QuestionFault::Division { zh: error.zh(), en: error.en() })?;
    Ok(calendars.for_division(&code.to_string()))
}

/// One question: the sheet that says when it is due and why. Without a county the country's calendar counts.
pub fn sheet(
    folder: &RuleFolder,
    start: &str,
    words: &[String],
    county: Option<&str>,
) -> Result<ProofSheet, QuestionFault> {
    let (start, period) = (day(start)?, period(words)?);
    let calendar = calendar(folder.calendars(), county.unwrap_or(COUNTRY))?;
    let anchor_at = local_time::start_of_day(start).ok_or(QuestionFault::OutOfRange)?;
    let newest = folder.rulebooks().last().map(|rulebook| rulebook.version.clone());
    let rule = AppliedRule {
        article: ARTICLE.to_owned(),
        rule_id: RULE_ID.to_owned(),
        rulebook_version: newest.unwrap_or_default(),
        period,
    };
    ProofSheet::derive(rule, AnchorEvent::GivenDay, anchor_at, &calendar).map_err(|_| QuestionFault::OutOfRange)
}

/// The sheet for people: the due date, the derivation in words, and every day with its use.
pub fn written(sheet: &ProofSheet) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    table.set_header(["日期", "星期", "计算", "性质", "依据"]);
    for mark in &sheet.days {
        table.add_row([
            mark.date.to_string(),
            weekday_zh(mark.date).to_owned(),
            use_zh(mark.used).to_owned(),
            mark.class.zh().to_owned(),
            mark.reason.clone().unwrap_or_default(),
        ]);
    }
    let due = match sheet.rule.period {
        Period::Hours(_) => local_time::local(sheet.due_at).strftime("%Y-%m-%d %H:%M").to_string(),
        Period::SameDay | Period::WorkingDays(_) | Period::CalendarDays(_) | Period::Months(_) => {
            sheet.due_on.to_string()
        }
    };
    format!("{due}\n\n{}\n\n{table}", sheet.explain_zh())
}

fn weekday_zh(date: Date) -> &'static str {
    match date.weekday() {
        jiff::civil::Weekday::Monday => "周一",
        jiff::civil::Weekday::Tuesday => "周二",
        jiff::civil::Weekday::Wednesday => "周三",
        jiff::civil::Weekday::Thursday => "周四",
        jiff::civil::Weekday::Friday => "周五",
        jiff::civil::Weekday::Saturday => "周六",
        jiff::civil::Weekday::Sunday => "周日",
    }
}

const fn use_zh(used: DayUse) -> &'static str {
    match used {
        DayUse::Start => "起算日，不计入",
        DayUse::Counted => "计入",
        DayUse::Skipped => "跳过",
        DayUse::RolledOver => "顺延",
        DayUse::RolledTo => "顺延至此",
        DayUse::Paused => "中止，不计入",
    }
}

/// What a batch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// Lines with a question.
    pub questions: usize,
    /// Those that could not be answered.
    pub refused: usize,
}

/// Answers each line `date period [division code]` with one line: the date, and ` provisional` where it may still move.
///
/// Empty lines, and what follows a `#`, are passed over. A line that cannot be answered gives `error` and the reason,
/// and the same with its number among the faults; the others are answered all the same.
pub fn batch(
    folder: &RuleFolder,
    mut questions: impl BufRead,
    mut answers: impl Write,
    mut faults: impl Write,
) -> anyhow::Result<Answered> {
    let mut places = Places::new(folder.calendars());
    let mut answered = Answered::default();
    let mut line = Vec::new();
    let mut number = 0_usize;
    while questions.read_until(b'\n', &mut line).context("standard input")? > 0 {
        number += 1;
        let text = String::from_utf8_lossy(&line);
        let question = text.split('#').next().unwrap_or_default().trim_start_matches('\u{feff}').trim();
        if !question.is_empty() {
            answered.questions += 1;
            match answer(&mut places, question) {
                Ok((due_on, false)) => writeln!(answers, "{due_on}"),
                Ok((due_on, true)) => writeln!(answers, "{due_on} provisional"),
                Err(fault) => {
                    answered.refused += 1;
                    writeln!(faults, "第{number}行 line {number}: {fault}").context("standard error")?;
                    writeln!(answers, "error {fault}")
                }
            }
            .context("standard output")?;
        }
        line.clear();
    }
    answers.flush().context("standard output")?;
    Ok(answered)
}

/// The due date of one line, and whether it is provisional.
fn answer(places: &mut Places<'_>, question: &str) -> Result<(Date, bool), QuestionFault> {
    let mut words = question.split_whitespace();
    let start = day(words.next().unwrap_or_default())?;
    let first = words.next().ok_or(QuestionFault::Words)?;
    // A number alone is followed by its unit.
    let period = if first.bytes().all(|byte| byte.is_ascii_digit()) {
        period_of(first, words.next().ok_or(QuestionFault::Words)?)?
    } else {
        period_in_one(first)?
    };
    let county = words.next().unwrap_or(COUNTRY);
    if words.next().is_some() {
        return Err(QuestionFault::Words);
    }
    let calendar = places.calendar(county)?;
    let anchor_at = local_time::start_of_day(start).ok_or(QuestionFault::OutOfRange)?;
    let count = count_end(anchor_at, period, calendar).map_err(|_| QuestionFault::OutOfRange)?;
    Ok((count.due_on, count.provisional))
}

#[cfg(test)]
mod tests;
