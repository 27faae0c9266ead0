//! The text of a change: checked before it is proposed, each fault with its line; and the text that a roll-back restores.

use clockwork::changes::ChangeKind;
use domain::calendar::{CalendarFault, CalendarLayer, CalendarSet, LayerLevel};
use domain::rulebook::{self, RulebookFault};
use jiff::civil::Date;
use problem::{FieldError, Problem, ProblemKind, Text};

/// What a text is about.
pub(super) struct Subject {
    /// The layer's name, or the version of the rulebook.
    pub(super) name: String,
}

/// Where the text stands in the request.
const POINTER: &str = "/content";

/// Reads a text and says what it is about; 422 with every fault and its line.
pub(super) fn check(kind: ChangeKind, text: &str, effective_on: Date, province: &str) -> Result<Subject, Problem> {
    match kind {
        ChangeKind::Calendar => {
            let set = CalendarSet::load_from_texts([("content", text)]).map_err(|faults| {
                refused(faults.iter().map(|fault| (line_of_calendar(fault, text), fault.to_string())))
            })?;
            let layer = set.layers().first().ok_or_else(|| refused([(None, "there is no layer".to_owned())]))?;
            Ok(Subject { name: layer.id.clone() })
        }
        ChangeKind::Rulebook => {
            let rulebook = rulebook::parse("content", text)
                .map_err(|faults| refused(faults.iter().map(|fault| (line_of_rule(fault, text), fault.to_string()))))?;
            if rulebook.province != province {
                let line = line_with(text, "province", 0);
                return Err(refused([(line, format!("province must be {province}, the installation's"))]));
            }
            if rulebook.effective_from != effective_on {
                let line = line_with(text, "effective_from", 0);
                let fault = format!("effective_from must be {effective_on}, the date of effect of the change");
                return Err(refused([(line, fault)]));
            }
            Ok(Subject { name: rulebook.version })
        }
    }
}

/// The refusal of a text that does not fit with the others.
pub(super) fn unfit(error: &anyhow::Error) -> Problem {
    refused([(None, format!("{error:#}"))])
}

pub(super) fn refused(faults: impl IntoIterator<Item = (Option<usize>, String)>) -> Problem {
    let errors = faults.into_iter().map(|(line, fault)| {
        let detail = match line {
            Some(line) => Text::new(format!("第{line}行：{fault}"), format!("line {line}: {fault}")),
            None => Text::new(fault.clone(), fault),
        };
        FieldError { pointer: POINTER.to_owned(), detail }
    });
    Problem::new(
        ProblemKind::InvalidFields,
        Text::new("变更的文本有误，请按行号修改。", "The text has faults; mend the lines that are named."),
    )
    .fields(errors)
}

fn line_of_calendar(fault: &CalendarFault, text: &str) -> Option<usize> {
    match fault {
        // The parser names line and column itself.
        CalendarFault::Unreadable { detail, .. } => line_said(detail),
        CalendarFault::Layer { detail, .. } => line_with(text, detail.split_whitespace().next()?, 0),
        CalendarFault::Duplicate { .. } => line_with(text, "id", 0),
        CalendarFault::Run { from, .. } => line_naming(text, &from.to_string(), 0),
        // The second time is the one too many, when it is written out.
        CalendarFault::DayTwice { date, .. } => {
            line_naming(text, &date.to_string(), 1).or_else(|| line_naming(text, &date.to_string(), 0))
        }
    }
}

fn line_of_rule(fault: &RulebookFault, text: &str) -> Option<usize> {
    match fault {
        RulebookFault::Unreadable { detail, .. } => line_said(detail),
        RulebookFault::Rule { rule, .. } => {
            let (section, key) = rule.rsplit_once('.').unwrap_or(("", rule));
            let from = if section.is_empty() { 0 } else { line_naming(text, &format!("[{section}]"), 0).unwrap_or(0) };
            line_with(text, key, from)
        }
    }
}

/// The line that TOML's parser names.
fn line_said(detail: &str) -> Option<usize> {
    let rest = detail.split("at line ").nth(1)?;
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// The first line after another one that begins with a key.
fn line_with(text: &str, key: &str, after: usize) -> Option<usize> {
    let is_key =
        |line: &str| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
    (1..).zip(text.lines()).skip(after).find(|(_, line)| is_key(line)).map(|(number, _)| number)
}

/// The line that has the words, after so many others that have them too.
fn line_naming(text: &str, words: &str, others: usize) -> Option<usize> {
    (1..).zip(text.lines()).filter(|(_, line)| line.contains(words)).map(|(number, _)| number).nth(others)
}

/// The text that a roll-back of a change proposes: the former one, or, where nothing stood, a layer without days.
///
/// A rulebook's former text comes back under a version of its own: cases live by the versions that there were.
pub(super) fn restored(
    kind: ChangeKind,
    content: &str,
    former: Option<&str>,
    sequence: i64,
    effective_on: Date,
) -> Option<String> {
    match (kind, former) {
        (ChangeKind::Calendar, Some(former)) => Some(former.to_owned()),
        (ChangeKind::Calendar, None) => {
            let set = CalendarSet::load_from_texts([("content", content)]).ok()?;
            set.layers().first().map(without_days)
        }
        (ChangeKind::Rulebook, former) => {
            let former = former?;
            let version = format!("{}-r{sequence}", rulebook::parse("former", former).ok()?.version);
            let with_version = replaced(former, "version", &format!("\"{version}\""));
            Some(replaced(&with_version, "effective_from", &format!("\"{effective_on}\"")))
        }
    }
}

/// The text with another value of a key of the top level.
fn replaced(text: &str, key: &str, value: &str) -> String {
    let Some(number) = line_with(text, key, 0) else { return text.to_owned() };
    let lines = (1..).zip(text.lines());
    lines.map(|(at, line)| if at == number { format!("{key} = {value}\n") } else { format!("{line}\n") }).collect()
}

/// An empty layer in the place of one that did not stand there before.
fn without_days(layer: &CalendarLayer) -> String {
    // Debug of a text is a TOML basic string for what stands in a checked layer.
    let level = match layer.level {
        LayerLevel::National => "national",
        LayerLevel::Province => "province",
        LayerLevel::County => "county",
    };
    let area = layer.area.as_ref().map(|area| format!("area = {area:?}\n")).unwrap_or_default();
    let year = layer.year.map(|year| format!("year = {year}\n")).unwrap_or_default();
    let status = match layer.level {
        LayerLevel::National => "missing",
        LayerLevel::Province | LayerLevel::County => "published",
    };
    format!(
        "id = {:?}\nlevel = \"{level}\"\n{area}{year}status = \"{status}\"\nsource = \"撤回：{}\"\n",
        layer.id,
        layer.source.replace(['"', '\\'], "")
    )
}
