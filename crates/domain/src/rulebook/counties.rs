//! What a county sets anew: single periods, with the county's own document as article (市县规定).
//!
//! A file `rulebook/<name>/counties/<division>.toml`; several files of one county, e.g. `469028-2027.toml`, must not
//! apply on the same day. The province's rules hold for everything that the county leaves alone.

use std::borrow::Cow;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::{Rulebook, RulebookFault};
use crate::period::Period;

/// The rules of one county from one day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountyRules {
    /// The division code of the county.
    pub division: String,
    /// The version, e.g. `469028.1`; it stands on every proof sheet after the rule's key.
    pub version: String,
    /// The title for people.
    pub title: String,
    /// The first day of effect.
    pub effective_from: Date,
    /// The last day of effect; open when left out.
    pub effective_to: Option<Date>,
    /// The periods set anew.
    pub overrides: Vec<Override>,
}

/// One period that a county sets anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The key of the province's rule, e.g. `severity.major.finish`.
    pub rule: String,
    /// The county's period.
    pub period: Period,
    /// The county's document.
    pub article: String,
    /// The line of the file on which the key stands.
    pub line: usize,
}

/// A county's file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountyText {
    division: String,
    version: String,
    title: String,
    effective_from: Date,
    effective_to: Option<Date>,
    #[serde(default, rename = "override")]
    overrides: Vec<OverrideText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OverrideText {
    rule: Spanned<String>,
    period: Period,
    article: String,
}

/// The line, from 1, of a byte of the text.
fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|found| *found == b'\n').count() + 1
}

impl CountyRules {
    /// Reads a county's file; an unknown key or a wrong value is refused with its line.
    pub fn parse(file: &str, text: &str) -> Result<Self, RulebookFault> {
        let read: CountyText = toml::from_str(text)
            .map_err(|error| RulebookFault::Unreadable { file: file.to_owned(), detail: error.to_string() })?;
        let overrides = read
            .overrides
            .into_iter()
            .map(|OverrideText { rule, period, article }| Override {
                line: line_of(text, rule.span().start),
                rule: rule.into_inner(),
                period,
                article,
            })
            .collect();
        Ok(Self {
            division: read.division,
            version: read.version,
            title: read.title,
            effective_from: read.effective_from,
            effective_to: read.effective_to,
            overrides,
        })
    }

    /// Whether the county's rules apply on that day.
    pub fn is_effective_on(&self, date: Date) -> bool {
        self.effective_from <= date && self.effective_to.is_none_or(|last| date <= last)
    }

    fn overlaps(&self, other: &Self) -> bool {
        let begins_before = |one: &Self, end: Option<Date>| end.is_none_or(|last| one.effective_from <= last);
        begins_before(self, other.effective_to) && begins_before(other, self.effective_to)
    }

    /// Everything that is wrong with the file beside the province's rules.
    fn faults(&self, file: &str, province: &Rulebook) -> Vec<RulebookFault> {
        let mut faults = Vec::new();
        let mut fault = |rule: &str, detail: String| {
            faults.push(RulebookFault::Rule { file: file.to_owned(), rule: rule.to_owned(), detail });
        };
        let digits = self.division.bytes().all(|byte| byte.is_ascii_digit());
        let in_province = self.division.get(..2) == province.province.get(..2) && self.division != province.province;
        if !(digits && matches!(self.division.len(), 6 | 9) && in_province) {
            fault("division", "is no division code of a county of the province".to_owned());
        }
        let stem = file.rsplit('/').next().and_then(|name| name.strip_suffix(".toml")).unwrap_or_default();
        if stem.split('-').next() != Some(self.division.as_str()) {
            fault("division", format!("is {}, but the file is named {stem}", self.division));
        }
        if !self.version.starts_with(&format!("{}.", self.division)) {
            fault("version", "must begin with the division code and a dot".to_owned());
        }
        if self.title.trim().is_empty() {
            fault("title", "is empty".to_owned());
        }
        if self.effective_to.is_some_and(|last| last < self.effective_from) {
            fault("effective_to", "lies before effective_from".to_owned());
        }
        let mut applied = province.clone();
        for (index, Override { rule, period, article, line }) in self.overrides.iter().enumerate() {
            let at = format!("override, line {line}");
            if !applied.set_period(rule, *period, article) {
                fault(&at, format!("no single period has the key {rule}"));
            }
            if self.overrides.iter().take(index).any(|earlier| earlier.rule == *rule) {
                fault(&at, format!("{rule} is set twice"));
            }
        }
        for (rule, detail) in applied.validate() {
            let line = self.overrides.iter().find(|found| found.rule == rule).map(|found| found.line);
            fault(&line.map_or_else(|| rule.clone(), |line| format!("override, line {line}: {rule}")), detail);
        }
        faults
    }
}

impl Rulebook {
    /// Takes what counties have set anew, as (file name, rules); every fault is reported, and then nothing is taken.
    pub fn with_counties(mut self, files: Vec<(String, CountyRules)>) -> Result<Self, Vec<RulebookFault>> {
        let mut faults: Vec<RulebookFault> = files.iter().flat_map(|(file, rules)| rules.faults(file, &self)).collect();
        for (index, (file, rules)) in files.iter().enumerate() {
            for (other_file, other) in files.iter().take(index) {
                if rules.division == other.division && rules.overlaps(other) {
                    faults.push(RulebookFault::Rule {
                        file: file.clone(),
                        rule: "effective_from".to_owned(),
                        detail: format!("applies on days on which {other_file} applies as well"),
                    });
                }
                if rules.version == other.version {
                    faults.push(RulebookFault::Rule {
                        file: file.clone(),
                        rule: "version".to_owned(),
                        detail: format!("is the one of {other_file}"),
                    });
                }
            }
        }
        if faults.is_empty() {
            self.counties = files.into_iter().map(|(_, rules)| rules).collect();
            Ok(self)
        } else {
            Err(faults)
        }
    }

    /// What counties have set anew.
    pub fn counties(&self) -> &[CountyRules] {
        &self.counties
    }

    /// The rules of a place: the county's where it has set any anew, else the province's (市县规定优先).
    ///
    /// `began_on` is the local day on which the case or rectification began: what runs keeps the rules it began with.
    /// The version stays the rulebook's; the rule id of a period that the county set anew ends in `@` and the version
    /// of the county's rules, and its article is the county's. A code of nine digits (洋浦) without rules of its own
    /// follows its first six.
    pub fn for_division(&self, code: &str, began_on: Date) -> Cow<'_, Self> {
        let of =
            |code: &str| self.counties.iter().find(|rules| rules.division == code && rules.is_effective_on(began_on));
        let Some(county) = of(code).or_else(|| of(code.get(..6)?)).filter(|found| !found.overrides.is_empty()) else {
            return Cow::Borrowed(self);
        };
        let mut own = self.clone();
        for Override { rule, period, article, line: _ } in &county.overrides {
            if own.set_period(rule, *period, article) {
                own.set_anew.insert(rule.clone(), county.version.clone());
            }
        }
        Cow::Owned(own)
    }
}

#[cfg(test)]
mod tests;
